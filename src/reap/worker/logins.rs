//! The logged-in users of a shard, each counted once: files of one login share a shard.

use std::ffi::CStr;
use std::hash::{BuildHasher as _, RandomState};

use crate::reap::settle::Dir;
use crate::store::name;

/// How many are told apart. A shard of a usual store has some hundreds; this bounds what a strange one costs.
const AT_ONCE: usize = 64 * 1024;

/// Users met, as hashes of what of their session ids stays.
#[derive(Default)]
pub(super) struct Logins {
    met: Vec<u64>,
    hasher: RandomState,
}

impl Logins {
    /// Notes the user of an authenticated session. Tells how many users are certain by now and forgotten.
    pub(super) fn see(&mut self, dir: &Dir<'_>, name: &CStr) -> u64 {
        if dir.shard.is_none() {
            return 1;
        }
        let login = name::login(name.to_bytes());
        self.met.push(self.hasher.hash_one(login));
        if self.met.len() < AT_ONCE {
            return 0;
        }
        self.take()
    }

    /// How many users were met, who are forgotten.
    pub(super) fn take(&mut self) -> u64 {
        self.met.sort_unstable();
        self.met.dedup();
        let users = self.met.len() as u64;
        self.met.clear();
        users
    }
}
