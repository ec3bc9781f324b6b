//! A look at a thousand files before `--by-age-only` deletes without reading.
//!
//! Names alone do not make a session store, so it has to prove to be one: of the files that would be
//! deleted by their age, nine in ten must read as sessions.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::FileType;

use super::{Plan, Stop};
use crate::policy::{Class, Glance};
use crate::session::{self, MAX_BYTES, Scratch};
use crate::store::batch::Batch;
use crate::store::name::{self, Kind};
use crate::store::walk::{self, Lister, Top};
use crate::store::{Store, file, stat};

/// How many files of each layout are read.
const SIZE: u64 = 1_000;

/// Files of one shard that are read at first, so that the sample is spread over many shards.
const OF_ONE_SHARD: u64 = 4;

/// Percent of the sample that must read as sessions.
const PERCENT: u64 = 90;

/// What the sample showed, of one layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Files that were looked at.
    pub files: u64,
    /// How many of them read as sessions.
    pub sessions: u64,
}

impl Sample {
    /// Whether this proves a session store; nothing to delete by age proves nothing and harms nothing.
    pub fn is_proof(self) -> bool {
        self.sessions * 100 >= self.files * PERCENT
    }
}

/// Samples the flat and the sharded files that `plan` would delete by their age alone.
///
/// What cannot be listed or read is passed over here; the run itself reports it. Once asked to stop, it looks at no
/// more files.
pub fn sample(store: &Store, plan: &Plan, stop: &Stop) -> [Sample; 2] {
    let mut sampler = Sampler {
        store,
        plan,
        stop,
        scratch: Scratch::default(),
        buffer: Vec::new(),
    };
    let samples = sampler.walk(OF_ONE_SHARD);
    let [flat, sharded] = samples;
    if sharded.files == 0 || sharded.files >= SIZE {
        return samples;
    }
    // A few shards only: look deeper into them.
    let [_, sharded] = sampler.walk(SIZE);
    [flat, sharded]
}

struct Sampler<'a> {
    store: &'a Store,
    plan: &'a Plan,
    stop: &'a Stop,
    scratch: Scratch,
    buffer: Vec<u8>,
}

impl Sampler<'_> {
    fn walk(&mut self, of_one_shard: u64) -> [Sample; 2] {
        let [mut flat, mut sharded] = [Sample::default(); 2];
        let store = self.store;
        // Where directories count their subdirectories as links, two say that there is no shard to come.
        let no_shards = store.stat.links == 2;
        // A top level that cannot be listed is the run's own error to report.
        let _ = walk::top(store, |top| {
            if self.stopped() {
                return false;
            }
            match top {
                Top::File {
                    name, file_type, ..
                } if flat.files < SIZE && name::at_top(name) == Kind::Flat => {
                    self.look(store.handle(), name, file_type, Kind::Flat, &mut flat);
                }
                Top::Shard(shard) if sharded.files < SIZE => {
                    let up_to = SIZE.min(sharded.files + of_one_shard);
                    self.shard(shard, up_to, &mut sharded);
                }
                _ => {}
            }
            flat.files < SIZE || (sharded.files < SIZE && !no_shards)
        });
        [flat, sharded]
    }

    fn shard(&mut self, name: &[u8], up_to: u64, sample: &mut Sample) {
        let Ok(c_name) = CString::new(name) else {
            return;
        };
        let Ok(Some(shard)) = self.store.open_shard(&c_name) else {
            return;
        };
        let _ = Lister::default().list(shard.as_fd(), &mut Batch::default(), |batch| {
            for index in 0..batch.len() {
                let (file, file_type) = batch.get(index);
                let kind = name::in_shard(name, file.to_bytes());
                if sample.files < up_to && kind == Kind::Sharded && !self.stopped() {
                    self.look(shard.as_fd(), file.to_bytes(), file_type, kind, sample);
                }
            }
            sample.files < up_to
        });
    }

    fn stopped(&self) -> bool {
        self.stop.signal().is_some()
    }

    /// Reads one file, if it would be deleted by its age alone.
    fn look(
        &mut self,
        dir: BorrowedFd<'_>,
        name: &[u8],
        file_type: FileType,
        kind: Kind,
        sample: &mut Sample,
    ) {
        // A name from a directory listing holds no NUL.
        let Ok(name) = CString::new(name) else { return };
        if !matches!(file_type, FileType::RegularFile | FileType::Unknown) {
            return;
        }
        let Ok(stat) = stat::at(dir, &name) else {
            return;
        };
        let policy = &self.plan.policy;
        let glance = policy.glance(kind, &stat);
        if !self.store.owns(&stat) || !matches!(glance, Glance::Settled(Class::NotRead, _)) {
            return;
        }
        sample.files += 1;
        let size = stat.size.min(MAX_BYTES as u64 + 1) as usize;
        let read =
            file::open(dir, &name).and_then(|(file, _)| file::read(&file, size, &mut self.buffer));
        if read.is_ok() && session::read(&self.buffer, &mut self.scratch).is_ok() {
            sample.sessions += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_in_ten_are_proof() {
        for (files, sessions, proof) in [
            (0, 0, true),
            (10, 9, true),
            (1_000, 899, false),
            (1, 0, false),
        ] {
            assert_eq!(Sample { files, sessions }.is_proof(), proof);
        }
    }
}
