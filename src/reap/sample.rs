//! A look at a thousand files before `--by-age-only` deletes without reading.
//!
//! Names alone do not make a session store, so it has to prove to be one: of the files that would be
//! deleted by their age, nine in ten must read as sessions.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Builder};

use crossbeam_channel::{Receiver, SendError, Sender, bounded};
use rustix::fs::FileType;

use super::worker::monster::USUAL;
use super::{Plan, Stop, Task, crew, workers};
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

/// How many names of the top level are looked at by one worker in a row.
const TASK: usize = 8;

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
    let survey = |of_one_shard| {
        let survey = Survey {
            store,
            plan,
            stop,
            of_one_shard,
            flat: Counts::default(),
            sharded: Counts::default(),
        };
        survey.walk()
    };
    let samples = survey(OF_ONE_SHARD);
    let [flat, sharded] = samples;
    if sharded.files == 0 || sharded.files >= SIZE {
        return samples;
    }
    // A few shards only: look deeper into them.
    let [_, sharded] = survey(SIZE);
    [flat, sharded]
}

/// A [`Sample`] that several workers add to.
#[derive(Default)]
struct Counts {
    files: AtomicU64,
    sessions: AtomicU64,
}

impl Counts {
    fn is_full(&self) -> bool {
        self.files.load(Ordering::Relaxed) >= SIZE
    }

    /// Takes a place in the sample, if there is one left.
    fn takes_one(&self) -> bool {
        let one_more = |files: u64| (files < SIZE).then_some(files + 1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.files.fetch_update(set, fetch, one_more).is_ok()
    }

    fn sample(self) -> Sample {
        Sample {
            files: self.files.into_inner(),
            sessions: self.sessions.into_inner(),
        }
    }
}

/// One walk over the store, by as many workers as the run is going to have.
struct Survey<'a> {
    store: &'a Store,
    plan: &'a Plan,
    stop: &'a Stop,
    of_one_shard: u64,
    flat: Counts,
    sharded: Counts,
}

/// A file that one thread reads for all workers, as in the run: see [`monster`](super::worker::monster).
struct Large {
    file: OwnedFd,
    size: u64,
    is_session: Sender<bool>,
}

#[derive(Default)]
struct Reader {
    buffer: Vec<u8>,
    scratch: Scratch,
}

impl Reader {
    fn is_session(&mut self, file: &OwnedFd, size: u64) -> bool {
        let size = size.min(MAX_BYTES as u64 + 1) as usize;
        let Reader { buffer, scratch } = self;
        file::read(file, size, buffer).is_ok() && session::read(buffer, scratch).is_ok()
    }

    fn read_all(mut self, files: Receiver<Large>) {
        for large in files {
            let is_session = self.is_session(&large.file, large.size);
            // The worker waits for it.
            let _ = large.is_session.send(is_session);
        }
    }
}

impl Survey<'_> {
    fn walk(self) -> [Sample; 2] {
        let (threads, _) = workers(self.plan.threads);
        thread::scope(|scope| {
            let (large, files) = bounded(0);
            let read_all = || Reader::default().read_all(files);
            // Where nobody takes them, each worker reads its own.
            let _ = (threads > 1).then(|| Builder::new().spawn_scoped(scope, read_all));
            let new = || Sampler {
                survey: &self,
                reader: Reader::default(),
                large: large.clone(),
            };
            crew(threads, new, Sampler::work, |task| self.hand_out(task));
        });
        [self.flat.sample(), self.sharded.sample()]
    }

    fn hand_out(&self, task: &mut dyn FnMut(Task) -> bool) {
        // Where directories count their subdirectories as links, two say that there is no shard to come.
        let no_shards = self.store.stat.links == 2;
        let mut names = Batch::default();
        // A top level that cannot be listed is the run's own error to report.
        let _ = walk::top(self.store, |top| {
            if self.stopped() {
                return false;
            }
            let goes_on = match top {
                Top::File {
                    name,
                    ino,
                    file_type,
                } if !self.flat.is_full() && name::at_top(name) == Kind::Flat => {
                    names.push(name, ino, file_type);
                    names.len() < TASK || task(Task::Top(std::mem::take(&mut names)))
                }
                Top::Shard(shard) if !self.sharded.is_full() => task(Task::Shard(shard.into())),
                _ => true,
            };
            goes_on && !(self.flat.is_full() && (no_shards || self.sharded.is_full()))
        });
        task(Task::Top(names));
    }

    fn stopped(&self) -> bool {
        self.stop.signal().is_some()
    }
}

struct Sampler<'a> {
    survey: &'a Survey<'a>,
    reader: Reader,
    large: Sender<Large>,
}

impl Sampler<'_> {
    fn work(&mut self, task: Task) {
        match task {
            Task::Top(names) => {
                let handle = self.survey.store.handle();
                for index in 0..names.len() {
                    self.look(handle, names.get(index), Kind::Flat, &self.survey.flat);
                }
            }
            Task::Shard(name) => self.shard(&name),
        }
    }

    fn shard(&mut self, name: &[u8]) {
        // A name from a directory listing holds no NUL.
        let Ok(c_name) = CString::new(name) else {
            return;
        };
        let Survey {
            store,
            of_one_shard,
            sharded,
            ..
        } = self.survey;
        if sharded.is_full() {
            return;
        }
        let Ok(Some(shard)) = store.open_shard(&c_name) else {
            return;
        };
        let mut left = *of_one_shard;
        let _ = Lister::default().list(shard.as_fd(), &mut Batch::default(), |batch| {
            for index in 0..batch.len() {
                let file = batch.get(index);
                let kind = name::in_shard(name, file.0.to_bytes());
                if left > 0 && kind == Kind::Sharded {
                    left -= u64::from(self.look(shard.as_fd(), file, kind, sharded));
                }
            }
            left > 0 && !sharded.is_full()
        });
    }

    /// Reads one file, if it would be deleted by its age alone and is wanted, and tells whether it did.
    fn look(
        &mut self,
        dir: BorrowedFd<'_>,
        (name, file_type): (&CStr, FileType),
        kind: Kind,
        counts: &Counts,
    ) -> bool {
        let Survey { store, plan, .. } = self.survey;
        let may_be_read = matches!(file_type, FileType::RegularFile | FileType::Unknown);
        if !may_be_read || counts.is_full() || self.survey.stopped() {
            return false;
        }
        let Ok(stat) = stat::at(dir, name) else {
            return false;
        };
        let glance = plan.policy.glance(kind, &stat);
        let by_age_alone = matches!(glance, Glance::Settled(Class::NotRead, _));
        if !store.owns(&stat) || !by_age_alone || !counts.takes_one() {
            return false;
        }
        let Ok((file, _)) = file::open(dir, name) else {
            return true;
        };
        let is_session = match stat.size {
            ..=USUAL => self.reader.is_session(&file, stat.size),
            size => self.is_large_session(file, size),
        };
        counts
            .sessions
            .fetch_add(is_session.into(), Ordering::Relaxed);
        true
    }

    fn is_large_session(&mut self, file: OwnedFd, size: u64) -> bool {
        let (is_session, told) = bounded(1);
        let large = Large {
            file,
            size,
            is_session,
        };
        match self.large.send(large) {
            Ok(()) => told.recv().unwrap_or_default(),
            Err(SendError(large)) => self.reader.is_session(&large.file, size),
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
