//! A writer: saves sessions as Odoo does, lets them expire, and looks whether its saves are still there.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use crate::loss::{Losses, Save};
use crate::store::{Layout, Store};
use crate::testenv::{CART, USER, VISITOR};

/// Sessions of one writer; each save that must not be lost holds an open file.
const SESSIONS: usize = 96;

/// The time that an expired session gets: 2023. Always the same, so that only inode numbers tell saves apart.
const LONG_AGO: Timespec = Timespec {
    tv_sec: 1_700_000_000,
    tv_nsec: 0,
};

const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: UTIME_NOW,
};

const SUPERSEDED: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "next_sid": "x", "deletion_time": 1.7e9}"#;

/// What a writer did.
#[derive(Default)]
pub struct Saved {
    pub saves: u64,
    /// Saves of sessions that had expired and were still there a moment before.
    pub of_expired: u64,
    pub losses: Losses,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} saves, {} of them of expired sessions, {} lost{}",
            self.saves,
            self.of_expired,
            self.losses.count(),
            self.losses.told()
        )
    }
}

impl Saved {
    pub fn merge(&mut self, other: &Saved) {
        self.saves += other.saves;
        self.of_expired += other.of_expired;
        self.losses.merge(&other.losses);
    }
}

/// A session, and the saves of it that have not expired yet: none, one, or after a rotation two.
struct Session {
    name: String,
    /// The file that it was moved from, until Odoo cleans up.
    superseded: Option<String>,
    fresh: Vec<(String, Save)>,
}

pub struct Writer<'a> {
    store: &'a Store,
    dir: File,
    random: fastrand::Rng,
    sessions: Vec<Session>,
    saved: Saved,
}

impl<'a> Writer<'a> {
    pub fn new(store: &'a Store, seed: u64) -> Writer<'a> {
        let mut random = fastrand::Rng::with_seed(seed);
        let sessions = (0..SESSIONS)
            .map(|_| Session {
                name: store.new_name(&mut random),
                superseded: None,
                fresh: Vec::new(),
            })
            .collect();
        Writer {
            store,
            dir: File::open(&store.odoo.sessions).unwrap(),
            random,
            sessions,
            saved: Saved::default(),
        }
    }

    /// Lets a session expire that was saved, or saves one that has expired; tells how many saves that were.
    pub fn visit_one(&mut self) -> u64 {
        let before = self.saved.saves;
        let index = self.random.usize(..self.sessions.len());
        if self.sessions[index].fresh.is_empty() {
            self.save(index);
        } else {
            for (name, save) in std::mem::take(&mut self.sessions[index].fresh) {
                // A loss has nothing left that could expire.
                if !self.saved.losses.check(&save) {
                    self.expire(&name);
                }
            }
        }
        self.saved.saves - before
    }

    /// The last look at every save; `there` gets the names that must be in the store.
    pub fn finish(mut self, there: &mut BTreeSet<String>) -> Saved {
        for session in &self.sessions {
            for (name, save) in &session.fresh {
                if !self.saved.losses.check(save) {
                    there.insert(name.clone());
                }
            }
        }
        self.saved
    }

    fn dir(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }

    fn save(&mut self, index: usize) {
        let name = self.sessions[index].name.clone();
        let there = rustix::fs::statat(self.dir(), &name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        self.saved.of_expired += u64::from(there);
        match self.random.u8(..16) {
            0 => self.abandon(),
            1..=2 => return self.recreate(index, &name),
            3..=4 if there => return self.touch(index, &name),
            5..=7 if self.store.layout == Layout::Sharded => return self.rotate(index, &name),
            8..=10 => self.clean_up(index, &name),
            _ => {}
        }
        let content = [USER, VISITOR, CART][self.random.usize(..3)];
        self.replace(index, &name, content);
    }

    /// A save: a temporary file in `sessions` itself, renamed over the old one, then opened to others.
    fn replace(&mut self, index: usize, name: &str, content: &str) {
        let (temporary, mut file) = self.temporary();
        file.write_all(content.as_bytes()).unwrap();
        // A reaper that takes young temporary files, or an empty shard, makes this fail.
        rustix::fs::renameat(self.dir(), &temporary, self.dir(), name).unwrap();
        let save = Save::done(file);
        match rustix::fs::chmodat(self.dir(), name, Mode::from(0o644), AtFlags::empty()) {
            // Odoo overlooks that, and so do we: the loss is counted when the save is checked.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => panic!("chmod of a save: {errno}"),
        }
        self.keep(index, name, save);
    }

    /// What a user deletes who logs out, and a page that makes it anew.
    fn recreate(&mut self, index: usize, name: &str) {
        self.delete(name);
        let mut file = self.create(name, 0o644).unwrap();
        let save = Save::done(file.try_clone().unwrap());
        file.write_all(VISITOR.as_bytes()).unwrap();
        self.keep(index, name, save);
    }

    /// OCA's `auth_session_timeout` touches the file instead of saving it.
    fn touch(&mut self, index: usize, name: &str) {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.dir(), name, flags, Mode::empty());
        let touched = file.and_then(|file| {
            self.set_time(name, NOW)?;
            Ok(file)
        });
        match touched {
            Ok(file) => self.keep(index, name, Save::done(file.into())),
            // Reaped before, as it may be.
            Err(Errno::NOENT) => self.replace(index, name, VISITOR),
            Err(errno) => panic!("touching a session: {errno}"),
        }
    }

    /// Odoo 19 and newer move a login to a new file every three hours, and say so in the old one.
    fn rotate(&mut self, index: usize, name: &str) {
        let next = self.store.rotated(name, &mut self.random);
        self.replace(index, &next, USER);
        self.replace(index, name, SUPERSEDED);
        let session = &mut self.sessions[index];
        session.superseded = Some(std::mem::replace(&mut session.name, next));
    }

    /// Two minutes after a rotation Odoo unlinks all files of the login, that of the session at hand among them, which
    /// it then saves again: its caller does that.
    fn clean_up(&mut self, index: usize, name: &str) {
        if let Some(superseded) = self.sessions[index].superseded.take() {
            self.delete(&superseded);
            self.delete(name);
        }
    }

    fn delete(&self, name: &str) {
        match rustix::fs::unlinkat(self.dir(), name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => panic!("deleting a session: {errno}"),
        }
    }

    /// A save whose process was killed, long ago.
    fn abandon(&mut self) {
        let (temporary, mut file) = self.temporary();
        file.write_all(USER.as_bytes()).unwrap();
        self.set_time(&temporary, LONG_AGO).unwrap();
    }

    fn expire(&self, name: &str) {
        // Gone is a loss that happened since it was checked; the final count of files would show it, and
        // for a session that is expired this very moment nobody minds.
        match self.set_time(name, LONG_AGO) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => panic!("{errno}"),
        }
    }

    fn set_time(&self, name: &str, time: Timespec) -> Result<(), Errno> {
        let times = Timestamps {
            last_access: time,
            last_modification: time,
        };
        rustix::fs::utimensat(self.dir(), name, &times, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn keep(&mut self, index: usize, name: &str, save: Save) {
        self.saved.saves += 1;
        self.sessions[index].fresh.push((name.to_owned(), save));
    }

    /// As Python's `mkstemp`, with the suffix of either version: both lie there after an upgrade.
    fn temporary(&mut self) -> (String, File) {
        loop {
            let random: String = (0..8).map(|_| self.random.digit(36)).collect();
            let suffix = ["__wz_sess", "__tx_sess__"][self.random.usize(..2)];
            let name = format!("tmp{random}.{suffix}");
            match self.create(&name, 0o600) {
                Ok(file) => return (name, file),
                Err(Errno::EXIST) => {}
                Err(errno) => panic!("mkstemp: {errno}"),
            }
        }
    }

    fn create(&self, name: &str, mode: u32) -> Result<File, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        rustix::fs::openat(self.dir(), name, flags, Mode::from(mode)).map(File::from)
    }
}
