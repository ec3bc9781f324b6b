//! A worker: looks at the files of one task, judges them, and settles those that are due.

mod foreign;
pub mod monster;
mod reading;

use std::ffi::{CStr, CString};
use std::hash::{BuildHasher as _, RandomState};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::Sender;
use rustix::fs::FileType;
use rustix::io::Errno;

pub(super) use foreign::SAMPLES;
pub use monster::Monster;
use reading::Opened;

use super::settle::{Checked, Dir, Outcome};
use super::{Due, Mode, Shared, Task, Who};
use crate::policy::{Class, Glance, Reason, Verdict};
use crate::redact;
use crate::session::Scratch;
use crate::store::batch::Batch;
use crate::store::file;
use crate::store::name::{self, Kind};
use crate::store::stat::{self, Stat};
use crate::store::walk::Lister;
use crate::tally::databases::{self, Databases};
use crate::tally::people::Person;
use crate::tally::{Operation, Tally};

/// How many failures of one kind are logged as warnings; a read-only store has one for each file.
const WARNINGS: u64 = 10;

/// How many users of one shard are told apart.
const LOGINS_AT_ONCE: usize = 64 * 1024;

pub struct Worker<'a> {
    shared: &'a Shared<'a>,
    /// Who reads monsters, where there are several workers.
    reader: Option<Sender<Monster<'a>>>,
    tally: Tally,
    lister: Lister,
    /// For the names of a shard.
    names: Batch,
    buffer: Vec<u8>,
    scratch: Scratch,
    opened: Vec<Opened>,
    /// The users met in this shard, as hashes of what of their session ids stays.
    logins: Vec<u64>,
    hasher: RandomState,
    due: Vec<Candidate>,
    outcomes: Vec<Outcome>,
}

/// A file that was judged.
struct Judged {
    /// Where it stands in its batch.
    index: usize,
    kind: Kind,
    class: Class,
    stat: Stat,
    checked: Checked,
    /// Of what reads as a session.
    database: Option<databases::Id>,
    /// Who loses a login with it.
    person: Option<Person>,
    who: Option<Who>,
    /// Kept open at least until just before the last check: as long as somebody holds the inode, its number cannot be
    /// given to a new save. In the moment after that, two saves would have to get the old mtime as well.
    handle: Option<OwnedFd>,
}

/// A file that is due, with the window that its age exceeds.
struct Candidate {
    file: Judged,
    reason: Reason,
    window: Duration,
}

impl<'a> Worker<'a> {
    pub fn new(shared: &'a Shared<'a>, reader: Option<Sender<Monster<'a>>>) -> Worker<'a> {
        Worker {
            shared,
            reader,
            tally: Tally::with(Databases::with(shared.plan.policy.databases().keys())),
            lister: Lister::default(),
            names: Batch::default(),
            buffer: Vec::new(),
            scratch: Scratch::default(),
            opened: Vec::new(),
            logins: Vec::new(),
            hasher: RandomState::new(),
            due: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    pub fn into_tally(self) -> Tally {
        self.tally
    }

    pub fn work(&mut self, task: Task) {
        match task {
            Task::Shard(name) => self.shard(&name),
            Task::Top(batch) => {
                self.batch(&Dir::new(self.shared.store.handle(), None), &batch);
            }
        }
    }

    fn shard(&mut self, name: &[u8]) {
        // A name from a directory listing holds no NUL.
        let Ok(c_name) = CString::new(name) else {
            return;
        };
        let shard = match self.shared.store.open_shard(&c_name) {
            Ok(Some(shard)) => shard,
            Ok(None) => return self.tally.foreign(None),
            Err(Errno::XDEV) => {
                self.tally.elsewhere += 1;
                return self.tally.foreign(None);
            }
            // Odoo does not remove shards, but its administrator may.
            Err(Errno::NOENT) => return,
            Err(errno) => return self.list_failed(name, errno),
        };
        self.tally.shards += 1;
        let dir = Dir::new(shard.as_fd(), Some(name));
        let mut lister = std::mem::take(&mut self.lister);
        let mut names = std::mem::take(&mut self.names);
        let listed = lister.list(shard.as_fd(), &mut names, |batch| {
            batch.sort_by_inode();
            self.batch(&dir, batch);
            true
        });
        (self.lister, self.names) = (lister, names);
        self.count_logins();
        if let Err(errno) = listed {
            self.list_failed(name, errno);
        }
    }

    fn batch(&mut self, dir: &Dir<'_>, batch: &Batch) {
        let at_sight = self.shared.deletes_at_sight(dir);
        let _only = at_sight.then(|| self.shared.only_unlinker(dir));
        for index in 0..batch.len() {
            if self.shared.stopped() {
                break;
            }
            self.look(dir, batch, index);
        }
        self.read_opened(dir, batch);
        if !self.due.is_empty() {
            self.settle(dir, batch);
        }
        self.shared
            .progress
            .seen
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
    }

    /// Looks at one file: its name, its metadata, and its content where that is needed.
    fn look(&mut self, dir: &Dir<'_>, batch: &Batch, index: usize) {
        let (name, file_type) = batch.get(index);
        let kind = match dir.shard {
            None => name::at_top(name.to_bytes()),
            Some(shard) => name::in_shard(shard, name.to_bytes()),
        };
        if !matches!(file_type, FileType::RegularFile | FileType::Unknown) {
            return self.no_file(dir, name, file_type == FileType::Directory);
        }
        let policy = &self.shared.plan.policy;
        let audit = self.shared.plan.mode == Mode::Audit;
        // An audit reads every session, so it opens them unseen where the kernel keeps it on this mount:
        // the handle tells the rest. That spared a sixth of an audit's time.
        if audit && kind.is_regular_session() && file_type == FileType::RegularFile {
            let opened = file::open_on_same_mount(dir.handle, name)
                .and_then(|handle| Ok((stat::of(handle.as_fd())?, handle)));
            if let Ok((stat, handle)) = opened {
                let file = Opened {
                    index,
                    kind,
                    stat,
                    handle: Ok(handle),
                };
                return self.opened(dir, batch, file);
            }
        }
        // Before anything is opened: another mount can hide below a name that the directory calls a file.
        let (checked, stat) = if self.shared.deletes_at_sight(dir) {
            (Checked::JustNow, stat::at_once(dir.handle, name))
        } else {
            (Checked::Earlier, stat::at(dir.handle, name))
        };
        let stat = match stat {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return self.tally.vanished += 1,
            Err(errno) => return self.failed(Operation::Stat, kind, name, errno),
        };
        if !self.shared.store.owns(&stat) {
            let elsewhere = kind.is_regular_session() && stat.mount != self.shared.store.stat.mount;
            self.tally.elsewhere += u64::from(elsewhere);
            return self.tally.foreign(None);
        }
        match policy.glance(kind, &stat) {
            // An audit classifies every session, also the recent ones.
            Glance::Settled(class, verdict) if !(audit && class == Class::Recent) => {
                // Young files tell whether this user can read at all where no other has to be read.
                if class == Class::Recent && !self.tally.readable {
                    self.tally.readable = file::open(dir.handle, name).is_ok();
                }
                let file = Judged {
                    index,
                    kind,
                    class,
                    stat,
                    checked,
                    database: None,
                    person: None,
                    who: None,
                    handle: None,
                };
                self.judged(dir, batch, file, verdict);
            }
            _ => self.open(dir, batch, index, kind, stat),
        }
    }

    fn judged(&mut self, dir: &Dir<'_>, batch: &Batch, file: Judged, verdict: Verdict) {
        if file.class == Class::Foreign {
            let name = batch.get(file.index).0;
            return self.foreign(dir, name, file.kind, &file.stat);
        }
        let Judged {
            index,
            kind,
            class,
            ref stat,
            ..
        } = file;
        let policy = &self.shared.plan.policy;
        let seen = policy.seen(class, stat);
        self.tally.found(kind, class, stat, seen, policy.age(seen));
        if let Some(database) = file.database {
            self.tally.databases.found(database, class, stat);
        }
        let since_save = policy.age(stat.mtime);
        self.tally.reads.found(class, stat, since_save);
        if matches!(class, Class::Authenticated | Class::Protected) {
            self.login(dir, batch.get(index).0);
        }
        if let Verdict::Due { reason, window } = verdict {
            let logged_out = class == Class::Authenticated && reason == Reason::Expired;
            if logged_out {
                self.tally.reads.due(policy.active_within(window, stat));
            }
            self.due.push(Candidate {
                file,
                reason,
                window,
            });
            // At sight, the metadata is still fresh: that spares the last check of its own.
            if self.due.len() >= self.shared.at_once || self.shared.deletes_at_sight(dir) {
                self.settle(dir, batch);
            }
        }
    }

    /// Counts the user of an authenticated session. Files of one login share a shard.
    fn login(&mut self, dir: &Dir<'_>, name: &CStr) {
        if dir.shard.is_none() {
            self.tally.logins += 1;
            return;
        }
        let login = name::login(name.to_bytes());
        self.logins.push(self.hasher.hash_one(login));
        // A shard of a usual store has some hundreds; this bounds what a strange one costs.
        if self.logins.len() >= LOGINS_AT_ONCE {
            self.count_logins();
        }
    }

    fn count_logins(&mut self) {
        self.logins.sort_unstable();
        self.logins.dedup();
        self.tally.logins += self.logins.len() as u64;
        self.logins.clear();
    }

    /// Settles the files that were found due.
    fn settle(&mut self, dir: &Dir<'_>, batch: &Batch) {
        let shared = self.shared;
        // At sight, the whole batch has it.
        let only = match shared.deletes_at_sight(dir) {
            true => None,
            false => shared.only_unlinker(dir),
        };
        for candidate in &mut self.due {
            let file = &mut candidate.file;
            // With its last handle the kernel gives the inode back, which is the larger part of a deletion. Where
            // others wait for their turn, that is done below: flat, it spared a fifth of the time.
            let handle = match only {
                Some(_) if shared.deletes_open_files => None,
                _ => file.handle.take(),
            };
            let name = batch.get(file.index).0;
            let outcome = shared.settle(dir, name, &file.stat, file.checked, handle);
            self.outcomes.push(outcome);
        }
        drop(only);
        let mut due = std::mem::take(&mut self.due);
        let mut outcomes = std::mem::take(&mut self.outcomes);
        for (candidate, outcome) in due.drain(..).zip(outcomes.drain(..)) {
            self.settled(batch.get(candidate.file.index).0, candidate, outcome);
        }
        (self.due, self.outcomes) = (due, outcomes);
    }

    fn settled(&mut self, name: &CStr, candidate: Candidate, outcome: Outcome) {
        let Candidate {
            file,
            reason,
            window,
        } = candidate;
        let Judged {
            kind,
            class,
            stat,
            database,
            person,
            who,
            ..
        } = file;
        match outcome {
            Outcome::SavedAgain => self.tally.saved_again(class),
            Outcome::Vanished => self.tally.gone(class),
            _ => {
                self.tally.due(class, &stat);
                if let Some(database) = database {
                    self.tally.databases.due(database, class);
                }
            }
        }
        match outcome {
            Outcome::Due | Outcome::WouldDelete | Outcome::Deleted => {
                self.tally.settled(class, &stat);
                self.tally.people.extend(person);
                if let Some(database) = database {
                    self.tally.databases.settled(database, class);
                }
                self.shared.progress.due.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Failed(operation, errno) => {
                self.failed(operation, kind, name, errno);
            }
            _ => {}
        }
        if self.shared.witness.wants(class) {
            self.shared.witness.settled(&Due {
                kind,
                class,
                reason,
                window,
                age: self
                    .shared
                    .plan
                    .policy
                    .seen(class, &stat)
                    .age(self.shared.plan.policy.now),
                mtime: stat.mtime,
                size: stat.size,
                sid_prefix: redact::prefix(name::sid(name.to_bytes())),
                who: who.unwrap_or_default(),
                outcome,
            });
        }
    }

    fn failed(&mut self, operation: Operation, kind: Kind, name: &CStr, errno: Errno) {
        failed(&mut self.tally, operation, kind, name, errno);
    }

    fn list_failed(&mut self, shard: &[u8], errno: Errno) {
        let before = self.tally.error(Operation::List, errno);
        if before < WARNINGS {
            let shard = redact::shard(shard);
            tracing::warn!(
                "cannot list the shard {shard}: {}",
                std::io::Error::from(errno)
            );
        }
    }
}

fn failed(tally: &mut Tally, operation: Operation, kind: Kind, name: &CStr, errno: Errno) {
    let before = tally.error(operation, errno);
    let (operation, kind) = (operation.name(), kind.name());
    let sid = redact::prefix(name::sid(name.to_bytes()));
    let error = std::io::Error::from(errno);
    if before < WARNINGS {
        tracing::warn!("cannot {operation} {kind} {sid}…: {error}");
    } else {
        tracing::debug!("cannot {operation} {kind} {sid}…: {error}");
    }
}
