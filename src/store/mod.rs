//! Where session files lie: opening the store, its lock, the layouts, the walk.
//!
//! Everything below the store's root happens relative to open directory handles; no path is resolved
//! twice, no symlink is followed, no other mount is entered.

pub(crate) mod batch;
pub mod file;
pub mod mount;
pub mod name;
mod open;
pub(crate) mod owner;
pub mod stat;
pub(crate) mod walk;
pub(crate) mod way;

pub use open::Opening;

use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustix::fs::FlockOperation;
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use stat::Stat;

/// An open session store.
#[derive(Debug)]
pub struct Store {
    handle: OwnedFd,
    /// The path as it was given.
    pub given: PathBuf,
    /// The path with every symlink resolved, at the moment the store was opened.
    pub resolved: PathBuf,
    /// The metadata of `sessions/` itself when it was opened.
    pub stat: Stat,
}

/// The file system's room for new files, as far as it tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    /// Inodes; `None` where there is no fixed number of them (btrfs).
    pub inodes: Option<Share>,
    /// Bytes.
    pub bytes: Option<Share>,
}

/// How much there is of something, and how much of it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// In all.
    pub total: u64,
    /// Free, for others than root too.
    pub free: u64,
}

/// Whether the store could be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// The lock is ours until the store is closed.
    Held,
    /// Another reap holds it.
    Busy,
    /// This file system has no locks on directories (some network file systems); a double run is harmless.
    Unsupported,
}

impl Store {
    /// The directory handle, relative to which everything happens.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Whether a file with this metadata is a regular one of this store's own mount.
    pub fn owns(&self, stat: &Stat) -> bool {
        stat.is_regular_on(self.stat.mount)
    }

    /// Whether this process runs as the store's owner.
    pub(crate) fn is_ours(&self) -> bool {
        geteuid().as_raw() == self.stat.uid
    }

    /// Whether something else, or nothing, is at its path by now. As long as it is open, no other directory of its file
    /// system gets its inode.
    pub(crate) fn was_moved(&self) -> bool {
        match fs::metadata(&self.given) {
            Ok(now) => now.ino() != self.stat.ino,
            // Its owner may not be allowed to go there by path, where root opened it.
            Err(error) => error.kind() == ErrorKind::NotFound,
        }
    }

    /// Takes the exclusive advisory lock on the directory itself, without waiting. It is held until the
    /// store is dropped and leaves no file behind.
    ///
    /// # Errors
    /// What `flock` says, other than that the lock is taken or cannot be had here.
    pub(crate) fn lock(&self) -> Result<Lock, Errno> {
        match retry_on_intr(|| {
            rustix::fs::flock(&self.handle, FlockOperation::NonBlockingLockExclusive)
        }) {
            Ok(()) => Ok(Lock::Held),
            Err(Errno::WOULDBLOCK) => Ok(Lock::Busy),
            // NFS makes a POSIX lock of it, which a handle opened for reading cannot hold.
            Err(Errno::BADF | Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                Ok(Lock::Unsupported)
            }
            Err(error) => Err(error),
        }
    }

    /// The file system's room at this moment.
    pub(crate) fn room(&self) -> Room {
        let Ok(stat) = rustix::fs::fstatvfs(&self.handle) else {
            return Room::default();
        };
        let share = |total, free, size: u64| {
            (total > 0).then_some(Share {
                total: size.saturating_mul(total),
                free: size.saturating_mul(free),
            })
        };
        Room {
            inodes: share(stat.f_files, stat.f_favail, 1),
            bytes: share(stat.f_blocks, stat.f_bavail, stat.f_frsize),
        }
    }
}
