//! A worker: looks at the files of one task, judges them, and settles those that are due.

mod foreign;
mod logins;
pub mod monster;
mod reading;
mod settling;

use std::ffi::{CStr, CString};
use std::fmt::Arguments;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use crossbeam_channel::Sender;
use rustix::fs::FileType;
use rustix::io::Errno;

pub(super) use foreign::SAMPLES;
use logins::Logins;
pub use monster::Monster;
use reading::Opened;

use super::chooser::LOOKS;
use super::fuse::Asked;
use super::settle::{Checked, Dir, Outcome};
use super::{AT_ONCE, Mode, Shared, Task, Who};
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
use crate::tally::{Operation, Tally, is_forbidden, is_shut};
use crate::time::{FUTURE_TOLERANCE, Timestamp};

/// How many failures of one kind are logged as warnings; a directory that is read-only has one for each file.
const WARNINGS: u64 = 10;

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
    logins: Logins,
    asked: Asked,
    /// Files that wait to be read.
    opened: Vec<Opened>,
    /// Files that wait to be settled.
    due: Vec<(Judged, Outcome)>,
    /// Files of this batch that were chosen, and saved again before they could be settled.
    again: Vec<usize>,
}

/// Entries of one directory that are worked on together.
#[derive(Clone, Copy)]
struct Files<'a> {
    dir: &'a Dir<'a>,
    names: &'a Batch,
}

impl<'a> Files<'a> {
    fn name(self, file: &File) -> &'a CStr {
        self.names.get(file.index).0
    }
}

/// A file by its place among [`Files`], and the metadata that it is judged by.
struct File {
    index: usize,
    kind: Kind,
    stat: Stat,
}

/// What a look at a file brought.
enum Found {
    /// It is counted, and no more is to be done.
    Nothing,
    Judged(Judged),
    /// Its content decides. What opening it said.
    MustRead(File, Result<OwnedFd, Errno>),
}

/// A file that was judged.
struct Judged {
    file: File,
    checked: Checked,
    class: Class,
    verdict: Verdict,
    says: Says,
    /// Kept open at least until just before the last check: as long as somebody holds the inode, its number cannot be
    /// given to a new save. After that, as on a slow store, a save would have to get the old mtime as well.
    handle: Option<OwnedFd>,
}

/// What a session says, as far as anything is done with it.
#[derive(Default)]
struct Says {
    database: Option<databases::Id>,
    /// Who loses a login with it.
    person: Option<Person>,
    who: Option<Who>,
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
            logins: Logins::default(),
            asked: Asked::default(),
            opened: Vec::new(),
            due: Vec::new(),
            again: Vec::new(),
        }
    }

    pub fn into_tally(self) -> Tally {
        self.tally
    }

    pub fn work(&mut self, task: Task) {
        match task {
            Task::Shard(name) => self.shard(&name),
            Task::Top(names) => self.batch(Files {
                dir: &Dir::new(self.shared.store.handle(), None),
                names: &names,
            }),
        }
    }

    fn open_shard(&mut self, name: &[u8]) -> Option<OwnedFd> {
        // A name from a directory listing holds no NUL.
        match self.shared.store.open_shard(&CString::new(name).ok()?) {
            Ok(Some(shard)) => return Some(shard),
            Ok(None) => self.tally.foreign(None),
            Err(Errno::XDEV) => {
                self.tally.elsewhere += 1;
                self.tally.foreign(None);
            }
            // Odoo does not remove shards, but its administrator may.
            Err(Errno::NOENT) => {}
            Err(errno) => self.list_failed(name, errno),
        }
        None
    }

    /// Looks at these files of a shard only.
    pub fn in_shard(&mut self, name: &[u8], names: &Batch) {
        if let Some(shard) = self.open_shard(name) {
            let dir = &Dir::new(shard.as_fd(), Some(name));
            self.batch(Files { dir, names });
        }
    }

    fn shard(&mut self, name: &[u8]) {
        let Some(shard) = self.open_shard(name) else {
            return;
        };
        self.tally.shards += 1;
        let dir = Dir::new(shard.as_fd(), Some(name));
        let mut lister = std::mem::take(&mut self.lister);
        let mut names = std::mem::take(&mut self.names);
        let listed = lister.list(shard.as_fd(), &mut names, |names| {
            names.sort_by_inode();
            self.batch(Files { dir: &dir, names });
            true
        });
        (self.lister, self.names) = (lister, names);
        self.tally.logins += self.logins.take();
        self.asked.forget();
        if let Err(errno) = listed {
            self.list_failed(name, errno);
        }
    }

    /// Looks at each file; reads those that must be read, and settles those that are due, some at a time.
    fn batch(&mut self, files: Files<'_>) {
        let shared = self.shared;
        let at_sight = shared.deletes_at_sight(files.dir);
        let _only = at_sight.then(|| shared.only_unlinker(files.dir));
        // At sight, the metadata is still fresh: that spares the last check of its own.
        let enough = match at_sight {
            true => 1,
            // They are closed already.
            false if shared.slow => AT_ONCE,
            false => shared.at_once,
        };
        for index in 0..files.names.len() {
            if shared.stopped() {
                break;
            }
            self.look_at(files, index);
            if self.opened.len() >= shared.at_once {
                self.read_opened(files);
            }
            if self.due.len() >= enough {
                self.settle_due(files);
            }
        }
        self.read_opened(files);
        self.settle_due(files);
        self.look_again(files);
        let seen = &shared.progress.seen;
        seen.fetch_add(files.names.len() as u64, Ordering::Relaxed);
    }

    /// Looks once more at what was chosen and saved again.
    fn look_again(&mut self, files: Files<'_>) {
        for _ in 0..LOOKS {
            if self.again.is_empty() {
                return;
            }
            for index in std::mem::take(&mut self.again) {
                self.look_at(files, index);
            }
            self.read_opened(files);
            self.settle_due(files);
        }
        for _ in self.again.drain(..) {
            self.tally.saved_again(Class::Authenticated);
        }
    }

    /// Looks at one file, and counts it or lets it wait.
    fn look_at(&mut self, files: Files<'_>, index: usize) {
        match self.look(files, index) {
            Found::Nothing => {}
            Found::Judged(judged) => self.judged(files, judged),
            Found::MustRead(mut file, mut opened) => {
                if let Err(Errno::MFILE | Errno::NFILE) = opened {
                    // Every file that waits to be read or settled holds a handle.
                    self.read_opened(files);
                    self.settle_due(files);
                    opened = self.open(files, &mut file);
                }
                self.opened(files, file, opened);
            }
        }
    }

    /// Looks at one file: its name and its metadata. Opens it where they do not decide.
    fn look(&mut self, files: Files<'_>, index: usize) -> Found {
        let Files { dir, names } = files;
        let (name, file_type) = names.get(index);
        let kind = dir.kind(name);
        if !matches!(file_type, FileType::RegularFile | FileType::Unknown) {
            self.no_file(dir, name, file_type == FileType::Directory);
            return Found::Nothing;
        }
        let chosen = self.shared.chooser;
        if let Some(chooser) = chosen {
            if !kind.may_be_session() || !chooser.wants(name::sid(name.to_bytes())) {
                return Found::Nothing;
            }
        }
        let audit = self.shared.plan.mode == Mode::Audit;
        // An audit reads every session, so it opens them unseen where the kernel keeps it on this mount:
        // the handle tells the rest. That spared a sixth of an audit's time.
        if audit && kind.is_regular_session() && file_type == FileType::RegularFile {
            if let Ok((handle, stat)) = reading::open_unseen(dir, name) {
                return Found::MustRead(File { index, kind, stat }, Ok(handle));
            }
        }
        let checked = match self.shared.deletes_at_sight(dir) {
            true => Checked::JustNow,
            false => Checked::Earlier,
        };
        // Before anything is opened: another mount can hide below a name that the directory calls a file.
        let Some(stat) = self.stat(dir, name, kind, checked) else {
            return Found::Nothing;
        };
        let mut file = File { index, kind, stat };
        let policy = &self.shared.plan.policy;
        match policy.glance(kind, &stat) {
            // An audit classifies every session, also the recent ones.
            Glance::Settled(class, verdict)
                if chosen.is_none() && !(audit && class == Class::Recent) =>
            {
                // Young files tell whether this user can read at all where no other has to be read.
                if class == Class::Recent && !self.tally.readable {
                    self.tally.readable = file::open(dir.handle, name).is_ok();
                }
                Found::Judged(Judged {
                    file,
                    checked,
                    class,
                    verdict,
                    says: Says::default(),
                    handle: None,
                })
            }
            _ => {
                let opened = self.open(files, &mut file);
                Found::MustRead(file, opened)
            }
        }
    }

    /// The metadata of a regular file of the store's mount. What is none is counted.
    fn stat(&mut self, dir: &Dir<'_>, name: &CStr, kind: Kind, checked: Checked) -> Option<Stat> {
        let stat = match checked {
            Checked::JustNow => stat::fresh(dir.handle, name),
            Checked::Earlier => stat::at(dir.handle, name),
        };
        match stat {
            Ok(stat) if self.shared.store.owns(&stat) => return Some(stat),
            Ok(stat) => {
                let elsewhere = stat.mount != self.shared.store.stat.mount;
                self.tally.elsewhere += u64::from(elsewhere && kind.is_regular_session());
                self.tally.foreign(None);
            }
            Err(Errno::NOENT) => self.tally.vanished += 1,
            Err(errno) => self.failed(Operation::Stat, kind, name, errno),
        }
        None
    }

    /// Counts a file that was judged, and lets it wait if it is due.
    fn judged(&mut self, files: Files<'_>, judged: Judged) {
        let Judged {
            ref file, class, ..
        } = judged;
        let (name, stat) = (files.name(file), &file.stat);
        if class == Class::Foreign {
            return self.foreign(files, file);
        }
        let policy = &self.shared.plan.policy;
        let seen = policy.seen(class, stat);
        self.tally
            .found(file.kind, class, stat, seen, self.age(seen));
        self.tally.reads.found(class, stat, self.age(stat.mtime));
        if let Some(database) = judged.says.database {
            self.tally.databases.found(database, class, stat);
        }
        if matches!(class, Class::Authenticated | Class::Protected) {
            self.tally.logins += self.logins.see(files.dir, name);
        }
        if let Verdict::Due { reason, window } = judged.verdict {
            let logged_out = class == Class::Authenticated && reason == Reason::Expired;
            if logged_out {
                self.tally.reads.due(policy.active_within(window, stat));
            }
            self.due.push((judged, Outcome::Left));
        }
    }

    /// As the policy tells it; but what was saved since the run began is not from the future, however long the run takes.
    fn age(&self, seen: Timestamp) -> Option<Duration> {
        let policy = &self.shared.plan.policy;
        let since = || {
            let ahead = Timestamp::of(SystemTime::now()).age(seen);
            (seen > policy.now && ahead <= FUTURE_TOLERANCE).then_some(Duration::ZERO)
        };
        policy.age(seen).or_else(since)
    }

    fn failed(&mut self, operation: Operation, kind: Kind, name: &CStr, errno: Errno) {
        let sid = redact::prefix(name::sid(name.to_bytes()));
        self.error(operation, errno, format_args!("{} {sid}…", kind.name()));
    }

    fn list_failed(&mut self, shard: &[u8], errno: Errno) {
        let shard = redact::shard(shard);
        self.error(Operation::List, errno, format_args!("the shard {shard}"));
    }

    fn error(&mut self, operation: Operation, errno: Errno, what: Arguments<'_>) {
        let before = self.tally.error(operation, errno);
        // Somebody else's store has one for each file; the run says once what to do about it.
        let raw = errno.raw_os_error();
        let is_said =
            is_shut(operation, raw) || is_forbidden(operation, raw) && !self.shared.store.is_ours();
        let (operation, error) = (operation.name(), std::io::Error::from(errno));
        if before < WARNINGS && !is_said && self.shared.warns() {
            tracing::warn!("cannot {operation} {what}: {error}");
        } else {
            tracing::debug!("cannot {operation} {what}: {error}");
        }
    }
}
