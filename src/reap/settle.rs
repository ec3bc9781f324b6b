//! Settling a file that is due: the last check, and the deletion or its probe.

use std::cell::OnceCell;
use std::ffi::CStr;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;

use rustix::fs::{Access, AtFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::{Mode, Shared};
use crate::store::stat::{self, Stat};
use crate::tally::Operation;

/// What came of a file that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Due in an audit.
    Due,
    /// Would have been deleted, had this not been a dry run.
    WouldDelete,
    /// Deleted.
    Deleted,
    /// Saved again since it was judged, and so kept.
    SavedAgain,
    /// Gone before we came.
    Vanished,
    /// Not tried: the run was stopped or has reached its limit.
    Left,
    /// The system refused.
    Failed(Operation, Errno),
}

impl Outcome {
    /// The name in JSON, in the log and in `--list`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Due => "due",
            Outcome::WouldDelete => "would-delete",
            Outcome::Deleted => "deleted",
            Outcome::SavedAgain => "saved-again",
            Outcome::Vanished => "vanished",
            Outcome::Left => "left",
            Outcome::Failed(..) => "failed",
        }
    }
}

/// A directory of the store that is being worked on.
pub struct Dir<'a> {
    /// Its handle.
    pub handle: BorrowedFd<'a>,
    /// The shard's name; `None` for the top level.
    pub shard: Option<&'a [u8]>,
    writable: OnceCell<Result<Stat, Errno>>,
}

impl<'a> Dir<'a> {
    pub fn new(handle: BorrowedFd<'a>, shard: Option<&'a [u8]>) -> Dir<'a> {
        Dir {
            handle,
            shard,
            writable: OnceCell::new(),
        }
    }

    /// Whether the kernel would let us delete this file; the answer for the directory is remembered.
    fn would_allow_deleting(&self, file: &Stat) -> Result<(), Errno> {
        let dir = (*self.writable.get_or_init(|| {
            // A dry run must fail where the real one would, on a read-only mount for example.
            let needed = Access::WRITE_OK | Access::EXEC_OK;
            retry_on_intr(|| rustix::fs::accessat(self.handle, c".", needed, AtFlags::EACCESS))?;
            stat::of(self.handle)
        }))?;
        let euid = geteuid();
        let sticky = dir.mode & 0o1000 != 0;
        let ours = euid.is_root() || [file.uid, dir.uid].contains(&euid.as_raw());
        if dir.protected || file.protected || (sticky && !ours) {
            return Err(Errno::PERM);
        }
        Ok(())
    }
}

impl Shared<'_> {
    /// Deletes `name`, or does what the mode does instead, if it still is the save that was judged.
    pub fn settle(&self, dir: &Dir<'_>, name: &CStr, judged: &Stat) -> Outcome {
        if self.plan.mode == Mode::Audit {
            return Outcome::Due;
        }
        if self.stop.signal().is_some() || !self.take_permit() {
            return Outcome::Left;
        }
        let outcome = self.delete(dir, name, judged);
        if !matches!(outcome, Outcome::Deleted | Outcome::WouldDelete) {
            self.return_permit();
        }
        outcome
    }

    fn delete(&self, dir: &Dir<'_>, name: &CStr, judged: &Stat) -> Outcome {
        let now = match stat::at(dir.handle, name) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Outcome::Vanished,
            Err(errno) => return Outcome::Failed(Operation::Stat, errno),
        };
        if !now.same_save_as(judged) || !self.store.owns(&now) {
            return Outcome::SavedAgain;
        }
        // Nothing may come between the check above and this: a save that falls here is lost.
        let result = match self.plan.mode {
            Mode::Reap => {
                retry_on_intr(|| rustix::fs::unlinkat(dir.handle, name, AtFlags::empty()))
            }
            Mode::DryRun | Mode::Audit => dir.would_allow_deleting(&now),
        };
        match result {
            Ok(()) if self.plan.mode == Mode::Reap => Outcome::Deleted,
            Ok(()) => Outcome::WouldDelete,
            Err(Errno::NOENT) => Outcome::Vanished,
            Err(errno) => Outcome::Failed(Operation::Delete, errno),
        }
    }

    fn take_permit(&self) -> bool {
        let Some(permits) = &self.permits else {
            return true;
        };
        let taken = permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        if taken.is_err() {
            self.limit_reached.store(true, Ordering::Relaxed);
        }
        taken.is_ok()
    }

    fn return_permit(&self) {
        if let Some(permits) = &self.permits {
            permits.fetch_add(1, Ordering::Relaxed);
        }
    }
}
