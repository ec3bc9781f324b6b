//! Opening and reading files that may be sessions, some at a time.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::monster::USUAL;
use super::{File, Files, Judged, Says, Worker};
use crate::policy::{Class, Content, Kept, Verdict};
use crate::reap::chooser::{CHOSEN, Met};
use crate::reap::settle::{Checked, Dir};
use crate::reap::{Mode, Shared, Who};
use crate::session::{self, MAX_BYTES, Session, Unreadable};
use crate::store::stat::{self, Stat};
use crate::store::{file, name};
use crate::tally::people::Person;
use crate::tally::{DENIED, Operation, Tally};

/// Why a file is unreadable that could not be opened or read for another reason than that it is [`DENIED`].
const FAILED: &str = "failed to read";

/// A file that may be a session, before it is read.
pub(super) struct Opened {
    pub(super) file: File,
    /// Or why it could not be opened.
    pub(super) handle: Result<OwnedFd, &'static str>,
}

impl Worker<'_> {
    /// Opens a file and asks the open handle what it is: that is what will be read. Where that leaves a trace, reads say
    /// nothing: they may have been those of earlier runs.
    pub(super) fn open(&self, files: Files<'_>, file: &mut File) -> Result<OwnedFd, Errno> {
        let (handle, leaves_a_trace) = match self.shared.leaves_traces() {
            true => file::open(files.dir.handle, files.name(file))?,
            false => (
                file::open_unseen(files.dir.handle, files.name(file))?,
                false,
            ),
        };
        file.stat = stat::of(handle.as_fd())?;
        file.stat.atime = file.stat.atime.filter(|_| !leaves_a_trace);
        Ok(handle)
    }

    /// Lets a file wait, while the kernel fetches its content, until there are some to be read.
    pub(super) fn opened(&mut self, files: Files<'_>, file: File, opened: Result<OwnedFd, Errno>) {
        let handle = match opened {
            Ok(handle) if self.shared.store.owns(&file.stat) => Ok(handle),
            Err(Errno::NOENT) => return self.tally.vanished += 1,
            // It was replaced since it was listed; by a symlink or a socket, if it cannot even be opened.
            Ok(_) | Err(Errno::LOOP | Errno::NXIO) => return self.tally.foreign(None),
            Err(Errno::ACCESS | Errno::PERM) => Err(DENIED),
            Err(errno) => {
                self.failed(Operation::Read, file.kind, files.name(&file), errno);
                Err(FAILED)
            }
        };
        // 64 monsters at a time would push everything else out of the page cache.
        if let (Ok(handle), 1..=USUAL) = (&handle, file.stat.size) {
            file::will_read(handle, file.stat.size);
        }
        self.opened.push(Opened { file, handle });
    }

    /// Reads the files that were opened, and judges them by what they say.
    pub(super) fn read_opened(&mut self, files: Files<'_>) {
        let mut waiting = std::mem::take(&mut self.opened);
        for opened in waiting.drain(..) {
            let name = files.name(&opened.file);
            let judged = match opened.file.stat.size {
                ..=USUAL => self.judge(name, opened),
                _ => self.judge_monster(name, opened),
            };
            self.judged(files, judged);
        }
        self.opened = waiting;
    }

    pub(super) fn judge(&mut self, name: &CStr, opened: Opened) -> Judged {
        let fetched = self.fetch(name, &opened);
        let Opened { file, handle } = opened;
        let content = match fetched {
            Err(_) => Content::Unknown,
            Ok(()) if file.stat.size == 0 => Content::Empty,
            Ok(()) if file.stat.size > MAX_BYTES as u64 => {
                Content::Unreadable(Unreadable::TooLarge)
            }
            Ok(()) => match session::read(&self.buffer, &mut self.scratch) {
                Ok(session) => Content::Session(session),
                Err(unreadable) => Content::Unreadable(unreadable),
            },
        };
        self.tally.readable |= file.kind.is_regular_session() && fetched.is_ok();
        let policy = &self.shared.plan.policy;
        let (class, by_age) = policy.judge(file.kind, &content, &file.stat);
        let verdict = self.shared.chooser.map_or(by_age, |chooser| {
            let met = Met {
                sid: name::sid(name.to_bytes()),
                stat: &file.stat,
                content: &content,
                class,
                by_age,
            };
            match chooser.takes(&met) {
                true => CHOSEN,
                false => Verdict::Keep(Kept::NotChosen),
            }
        });
        if class == Class::Unreadable {
            let reason = match (&content, fetched) {
                (Content::Unreadable(reason), _) => reason.name(),
                (_, why) => why.err().unwrap_or_default(),
            };
            *self.tally.unreadable.entry(reason).or_default() += 1;
        }
        let says = match &content {
            Content::Session(session) => {
                says(self.shared, &mut self.tally, session, class, verdict)
            }
            _ => Says::default(),
        };
        self.buffer.clear();
        // Not freed: the allocator takes that for a sign that such buffers are usual, and then keeps them.
        self.buffer.shrink_to(USUAL as usize);
        // Closing waits for a slow store's server as well, so whoever reads does it, and not whoever deletes; and the server
        // then knows of it in time: it renames what it takes for open.
        let closed = self.shared.plan.mode == Mode::Audit || self.shared.slow;
        Judged {
            file,
            checked: Checked::Earlier,
            class,
            verdict,
            says,
            handle: handle.ok().filter(|_| !closed),
        }
    }

    /// Reads a file into the buffer unless it is too large, or says why that cannot be.
    fn fetch(&mut self, name: &CStr, opened: &Opened) -> Result<(), &'static str> {
        let Opened { file, handle } = opened;
        let handle = handle.as_ref().map_err(|why| *why)?;
        if file.stat.size > MAX_BYTES as u64 {
            return Ok(());
        }
        // Within 16 MiB, so it fits.
        file::read(handle, file.stat.size as usize, &mut self.buffer).map_err(|errno| {
            self.failed(Operation::Read, file.kind, name, errno);
            FAILED
        })
    }
}

/// Opens a file that nobody has looked at yet, if it is on the mount of its directory.
pub(super) fn open_unseen(dir: &Dir<'_>, name: &CStr) -> Result<(OwnedFd, Stat), Errno> {
    let handle = file::open_on_same_mount(dir.handle, name)?;
    let stat = stat::of(handle.as_fd())?;
    Ok((handle, stat))
}

/// Counts what only a session's content tells, and keeps what is needed of it.
fn says(
    shared: &Shared<'_>,
    tally: &mut Tally,
    session: &Session<'_>,
    class: Class,
    verdict: Verdict,
) -> Says {
    let policy = &shared.plan.policy;
    if policy.lifetime_unknown(session) {
        tally.lifetime_unknown += 1;
    }
    if shared.plan.mode == Mode::Audit {
        tally.match_login(policy.keep_logins(session), session);
    }
    let database = session.db.as_ref().map(|name| name.as_bytes());
    let due = matches!(verdict, Verdict::Due { .. });
    let person = match session.uid {
        Some(uid) if due && class == Class::Authenticated => Some(Person::of(database, uid)),
        _ => None,
    };
    Says {
        database: Some(tally.databases.id(database)),
        person,
        who: (due && shared.observer.wants(class)).then(|| Who::from(session)),
    }
}
