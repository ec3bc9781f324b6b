//! Settling a file that is due: the last check, and the deletion or its probe.

use std::cell::OnceCell;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{Access, AtFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::{Mode, Shared};
use crate::store::name::{self, Kind};
use crate::store::stat::{self, Stat};
use crate::tally::Operation;

/// A deletion that a hung disk held up for minutes must not hold up the run for as long again, nor a signal that comes
/// meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What came of a file that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Due in an audit.
    Due,
    /// Would have been deleted, had this not been a dry run.
    WouldDelete,
    /// Deleted.
    Deleted,
    /// Saved again since it was judged (or read, where that counts), and so kept.
    SavedAgain,
    /// Gone before we came.
    Vanished,
    /// Not tried: the run was stopped, has reached its limit, or must not end so many logins.
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

/// When the metadata that a file was judged by was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// By the system call before this: it was the last check already.
    JustNow,
    /// Before the file was read or others were looked at.
    Earlier,
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

    /// What a name in it can be.
    pub fn kind(&self, name: &CStr) -> Kind {
        match self.shard {
            None => name::at_top(name.to_bytes()),
            Some(shard) => name::in_shard(shard, name.to_bytes()),
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
    /// Deletes `name`, or does what the mode does instead, if it still is the save that was judged. The `handle` of
    /// the judged file is closed just before that is checked.
    pub fn settle(
        &self,
        dir: &Dir<'_>,
        name: &CStr,
        judged: &Stat,
        checked: Checked,
        handle: Option<OwnedFd>,
    ) -> Outcome {
        if self.plan.mode == Mode::Audit {
            return Outcome::Due;
        }
        if self.stopped() {
            return Outcome::Left;
        }
        let permits = self.permits.as_ref().map(Mutex::lock);
        let mut permits = permits.map(|lock| lock.unwrap_or_else(PoisonError::into_inner));
        if permits.as_deref() == Some(&0) {
            self.limit_reached.store(true, Ordering::Relaxed);
            return Outcome::Left;
        }
        drop(handle);
        let outcome = self.delete(dir, name, judged, checked);
        if let (Some(permits), Outcome::Deleted | Outcome::WouldDelete) = (&mut permits, outcome) {
            **permits -= 1;
        }
        outcome
    }

    fn delete(&self, dir: &Dir<'_>, name: &CStr, judged: &Stat, checked: Checked) -> Outcome {
        let now = match checked {
            Checked::JustNow => *judged,
            Checked::Earlier => match stat::fresh(dir.handle, name) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => return Outcome::Vanished,
                Err(errno) => return Outcome::Failed(Operation::Stat, errno),
            },
        };
        if !self.is_still(judged, &now) {
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

    /// Whether a file of the store is `now` what it was when it was judged.
    fn is_still(&self, judged: &Stat, now: &Stat) -> bool {
        // Where reads count, somebody may have come back by one, unless it was ours.
        let reads_count = self.plan.policy.reads_count() && judged.atime.is_some();
        now.same_save_as(judged)
            && self.store.owns(now)
            && !(reads_count && now.atime != judged.atime)
    }

    /// Settles a file; after a deletion in a flat directory, where the plan is gentle, leaves it to Odoo for as long as
    /// that took.
    pub fn gently(&self, dir: &Dir<'_>, settle: impl FnOnce() -> Outcome) -> Outcome {
        let start = Instant::now();
        let outcome = settle();
        if self.plan.gentle && dir.shard.is_none() && outcome == Outcome::Deleted {
            std::thread::sleep(start.elapsed().min(LONGEST_PAUSE));
        }
        outcome
    }

    /// Whether files of `dir` that their age alone condemns are deleted right after the first look at them, which
    /// then is the last check, too. With a limit they may have to wait, and are looked at once more. So are they on a slow
    /// store: to ask its server of every file would take longer than to ask it once more of those that go.
    pub fn deletes_at_sight(&self, dir: &Dir<'_>) -> bool {
        let kind = match dir.shard {
            None => Kind::Flat,
            Some(_) => Kind::Sharded,
        };
        !self.slow && self.plan.limit.is_none() && self.plan.policy.by_age_only.contains(&kind)
    }

    /// The right to delete in `dir`, which is shared in shards and exclusive at the top level.
    pub fn only_unlinker(&self, dir: &Dir<'_>) -> Option<MutexGuard<'_, ()>> {
        if dir.shard.is_some() || self.plan.mode != Mode::Reap {
            return None;
        }
        let unlinker = self.flat_unlinker.as_ref()?;
        Some(unlinker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use rustix::fs::FileType;

    use super::*;
    use crate::policy::LastSeen;
    use crate::reap::fuse::Nobody;
    use crate::reap::tests::{Place, plan};
    use crate::reap::{Progress, Stop};
    use crate::time::Timestamp;

    const NAME: &CStr = c"werkzeug_0a796d6eb7fd55225f25e5a661da803c19cc56f5.sess";

    /// A run over a store that has nothing but a session that [`NAME`] names, and the metadata it is judged by.
    fn with_store<T>(
        last_seen: LastSeen,
        test: impl FnOnce(&Shared<'_>, &Stat, &PathBuf) -> T,
    ) -> T {
        let place = Place::new();
        let path = place.sessions.join(NAME.to_str().unwrap());
        fs::write(&path, "{}").unwrap();
        filetime::set_file_mtime(&path, filetime::FileTime::from_unix_time(1_500_000_000, 0))
            .unwrap();
        let store = place.store();
        let now = Timestamp::from_secs(1_800_000_000);
        let mut plan = plan(now, Duration::from_secs(1));
        plan.policy.last_seen = last_seen;
        let (stop, progress) = (Stop::default(), Progress::default());
        let shared = Shared::new(&store, &plan, &Nobody, &stop, &progress);
        let judged = stat::at(store.handle(), NAME).unwrap();
        test(&shared, &judged, &path)
    }

    /// Lets `meanwhile` happen to a file that was judged, settles it, and tells what came of it and whether
    /// something is still there.
    fn settled_after(meanwhile: impl FnOnce(&PathBuf)) -> (Outcome, bool) {
        with_store(LastSeen::Mtime, |shared, judged, path| {
            meanwhile(path);
            let dir = Dir::new(shared.store.handle(), None);
            let outcome = shared.settle(&dir, NAME, judged, Checked::Earlier, None);
            (outcome, path.symlink_metadata().is_ok())
        })
    }

    #[test]
    fn everything_that_can_tell_another_save_is_compared() {
        for last_seen in [LastSeen::Mtime, LastSeen::Atime] {
            with_store(last_seen, |shared, judged, _| {
                assert!(shared.is_still(judged, judged));
                let later = Timestamp {
                    nanos: judged.mtime.nanos + 1,
                    ..judged.mtime
                };
                #[rustfmt::skip]
                let others = [
                    Stat { ino: judged.ino + 1, ..*judged },
                    Stat { mtime: later, ..*judged },
                    Stat { size: judged.size + 1, ..*judged },
                    Stat { file_type: FileType::Symlink, ..*judged },
                    Stat { mount: judged.mount + 1, ..*judged },
                ];
                for other in others {
                    assert!(!shared.is_still(judged, &other), "{other:?}");
                }
                let read = Stat {
                    atime: Some(Timestamp::from_secs(1_600_000_000)),
                    ..*judged
                };
                let reads_count = last_seen == LastSeen::Atime;
                assert_eq!(shared.is_still(judged, &read), !reads_count);
                let opened_with_a_trace = Stat {
                    atime: None,
                    ..*judged
                };
                assert!(shared.is_still(&opened_with_a_trace, &read));
            });
        }
    }

    #[test]
    fn keeps_a_session_that_grew_without_a_new_time() {
        let grown = settled_after(|path| {
            fs::write(path, "{} ").unwrap();
            let before = filetime::FileTime::from_unix_time(1_500_000_000, 0);
            filetime::set_file_mtime(path, before).unwrap();
        });
        assert_eq!(grown, (Outcome::SavedAgain, true));
    }

    #[test]
    fn deletes_what_did_not_change() {
        assert_eq!(settled_after(|_| ()), (Outcome::Deleted, false));
    }

    #[test]
    fn keeps_a_session_that_odoo_saved_again() {
        let saved = settled_after(|path| {
            let temp = path.with_file_name("tmpabcdefgh.__wz_sess");
            fs::write(&temp, "{}").unwrap();
            fs::rename(temp, path).unwrap();
        });
        assert_eq!(saved, (Outcome::SavedAgain, true));
    }

    #[test]
    fn keeps_a_session_that_was_saved_again_with_the_same_times() {
        let saved = settled_after(|path| {
            let temp = path.with_file_name("tmpabcdefgh.__wz_sess");
            fs::write(&temp, "{}").unwrap();
            filetime::set_file_mtime(&temp, filetime::FileTime::from_unix_time(1_500_000_000, 0))
                .unwrap();
            fs::rename(temp, path).unwrap();
        });
        assert_eq!(saved, (Outcome::SavedAgain, true));
    }

    #[test]
    fn keeps_a_session_that_was_touched() {
        let touched = settled_after(|path| {
            let later = filetime::FileTime::from_unix_time(1_500_000_000, 1);
            filetime::set_file_mtime(path, later).unwrap();
        });
        assert_eq!(touched, (Outcome::SavedAgain, true));
    }

    #[test]
    fn keeps_what_took_the_place_of_a_session() {
        let directory = settled_after(|path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        });
        assert_eq!(directory, (Outcome::SavedAgain, true));
        let symlink = settled_after(|path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", path).unwrap();
        });
        assert_eq!(symlink, (Outcome::SavedAgain, true));
    }

    #[test]
    fn a_session_that_has_gone_is_no_failure() {
        let gone = settled_after(|path| fs::remove_file(path).unwrap());
        assert_eq!(gone, (Outcome::Vanished, false));
    }
}
