//! Who is logged in, and out with them: the judges of `who` and `revoke`, for the walk that a reap takes.
//!
//! `look` meets everybody and makes a line of each login, `out` chooses whose files go, and `watch` keeps out what
//! requests in flight bring back. They hold up to some 200 bytes for each login that is selected, and no session id: of
//! those only hashes are kept, under a key that is new in each process.

mod ask;
mod caller;
mod document;
mod look;
mod out;
mod rows;
mod tell;
mod watch;

use std::hash::{BuildHasher as _, RandomState};

pub(crate) use ask::{ask, somebody_is_there};
pub(crate) use caller::Caller;
pub(crate) use document::{Did, Document, Revoked, Visitors, question, revoked, who};
pub(crate) use look::{Looking, Seen};
pub(crate) use out::{Revoking, Sum};
pub(crate) use tell::Table;
pub(crate) use watch::{Ended, Means, Watches, longest, out_with_them};

use crate::store::name;

/// What a login is told by: a hash of what of its session id stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

/// Makes the keys of one run.
#[derive(Default)]
pub(crate) struct Keys(RandomState);

impl Keys {
    pub fn of(&self, sid: &[u8]) -> Key {
        Key(self.0.hash_one(name::login(sid)))
    }
}
