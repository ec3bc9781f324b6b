//! Opening and reading files that may be sessions, some at a time.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::monster::USUAL;
use super::{Judged, Worker, failed};
use crate::policy::{Class, Content, Verdict};
use crate::reap::settle::{Checked, Dir};
use crate::reap::{Mode, Who};
use crate::session::{self, MAX_BYTES, Unreadable};
use crate::store::batch::Batch;
use crate::store::file;
use crate::store::name::Kind;
use crate::store::stat::{self, Stat};
use crate::tally::people::Person;
use crate::tally::{DENIED, Operation, databases};

/// A file that may be a session, before it is read.
pub(super) struct Opened {
    /// Where it stands in its batch.
    pub(super) index: usize,
    pub(super) kind: Kind,
    pub(super) stat: Stat,
    /// Or why it could not be opened.
    pub(super) handle: Result<OwnedFd, &'static str>,
}

/// What a file says, as far as anything is done with it.
pub(super) struct Said {
    class: Class,
    verdict: Verdict,
    database: Option<databases::Id>,
    person: Option<Person>,
    who: Option<Who>,
}

impl Worker<'_> {
    /// Opens a file that may be a session.
    pub(super) fn open(
        &mut self,
        dir: &Dir<'_>,
        batch: &Batch,
        index: usize,
        kind: Kind,
        stat: Stat,
    ) {
        let (name, _) = batch.get(index);
        let mut opened = open(dir, name);
        if let Err(Errno::MFILE | Errno::NFILE) = opened {
            // Every file that waits to be read or settled holds a handle.
            self.read_opened(dir, batch);
            self.settle(dir, batch);
            opened = open(dir, name);
        }
        let (handle, stat) = match opened {
            Ok((handle, stat)) => (Ok(handle), stat),
            Err(Errno::NOENT) => return self.tally.vanished += 1,
            // It was replaced by a symlink or a socket since it was listed.
            Err(Errno::LOOP | Errno::NXIO) => return self.tally.foreign(None),
            Err(Errno::ACCESS | Errno::PERM) => (Err(DENIED), stat),
            Err(errno) => {
                self.failed(Operation::Read, kind, name, errno);
                (Err("failed to read"), stat)
            }
        };
        let file = Opened {
            index,
            kind,
            stat,
            handle,
        };
        self.opened(dir, batch, file);
    }

    /// Lets a file wait, while the kernel fetches its content, until there are some to be read.
    pub(super) fn opened(&mut self, dir: &Dir<'_>, batch: &Batch, file: Opened) {
        // 64 monsters at a time would push everything else out of the page cache.
        if let (Ok(handle), 1..=USUAL) = (&file.handle, file.stat.size) {
            file::will_read(handle, file.stat.size);
        }
        self.opened.push(file);
        if self.opened.len() >= self.shared.at_once {
            self.read_opened(dir, batch);
        }
    }

    pub(super) fn read_opened(&mut self, dir: &Dir<'_>, batch: &Batch) {
        let mut opened = std::mem::take(&mut self.opened);
        for file in opened.drain(..) {
            self.read(dir, batch, file);
        }
        self.opened = opened;
    }

    /// Reads an open file that may be a session, and judges it by what it says.
    fn read(&mut self, dir: &Dir<'_>, batch: &Batch, file: Opened) {
        if !self.shared.store.owns(&file.stat) {
            return self.tally.foreign(None);
        }
        let name = batch.get(file.index).0;
        let (file, said) = if file.stat.size > USUAL {
            self.judge_monster(name, file)
        } else {
            let said = self.judge(name, &file);
            (file, said)
        };
        let audit = self.shared.plan.mode == Mode::Audit;
        let judged = Judged {
            index: file.index,
            kind: file.kind,
            class: said.class,
            stat: file.stat,
            checked: Checked::Earlier,
            database: said.database,
            person: said.person,
            who: said.who,
            handle: file.handle.ok().filter(|_| !audit),
        };
        self.judged(dir, batch, judged, said.verdict);
    }

    pub(super) fn judge(&mut self, name: &CStr, file: &Opened) -> Said {
        let Opened {
            kind, stat, handle, ..
        } = file;
        let mut unreadable = handle.as_ref().err().copied();
        let content = match handle {
            Err(_) => Content::Unknown,
            Ok(_) if stat.size == 0 => Content::Empty,
            Ok(_) if stat.size > MAX_BYTES as u64 => Content::Unreadable(Unreadable::TooLarge),
            // Below the limit of 16 MiB, so it fits.
            Ok(handle) => match file::read(handle, stat.size as usize, &mut self.buffer) {
                Ok(()) => match session::read(&self.buffer, &mut self.scratch) {
                    Ok(session) => Content::Session(session),
                    Err(unreadable) => Content::Unreadable(unreadable),
                },
                Err(errno) => {
                    failed(&mut self.tally, Operation::Read, *kind, name, errno);
                    unreadable = Some("failed to read");
                    Content::Unknown
                }
            },
        };
        self.tally.readable |= kind.is_regular_session() && !matches!(content, Content::Unknown);
        if let Content::Unreadable(reason) = &content {
            unreadable = Some(reason.name());
        }
        let policy = &self.shared.plan.policy;
        let (class, verdict) = policy.judge(*kind, &content, stat);
        let database = match &content {
            Content::Session(session) => {
                if policy.lifetime_unknown(session) {
                    self.tally.lifetime_unknown += 1;
                }
                if self.shared.plan.mode == Mode::Audit {
                    self.tally.match_login(policy.keep_logins(session), session);
                }
                let name = session.db.as_ref().map(|name| name.as_bytes());
                Some(self.tally.databases.id(name))
            }
            _ => None,
        };
        if class == Class::Unreadable {
            *self
                .tally
                .unreadable
                .entry(unreadable.unwrap_or_default())
                .or_default() += 1;
        }
        let person = match (&content, class, verdict) {
            (Content::Session(session), Class::Authenticated, Verdict::Due { .. }) => {
                let database = session.db.as_ref().map(|name| name.as_bytes());
                session.uid.map(|uid| Person::of(database, uid))
            }
            _ => None,
        };
        let who = match (&content, verdict) {
            (Content::Session(session), Verdict::Due { .. })
                if self.shared.witness.wants(class) =>
            {
                Some(Who::from(session))
            }
            _ => None,
        };
        self.buffer.clear();
        // Not freed: the allocator takes that for a sign that such buffers are usual, and then keeps them.
        self.buffer.shrink_to(USUAL as usize);
        Said {
            class,
            verdict,
            database,
            person,
            who,
        }
    }
}

/// Opens a file and asks the open handle what it is: that is what will be read. Where that leaves a trace, reads say nothing:
/// they may have been those of earlier runs.
fn open(dir: &Dir<'_>, name: &CStr) -> Result<(OwnedFd, Stat), Errno> {
    let (handle, leaves_a_trace) = file::open(dir.handle, name)?;
    let mut stat = stat::of(handle.as_fd())?;
    stat.atime = stat.atime.filter(|_| !leaves_a_trace);
    Ok((handle, stat))
}
