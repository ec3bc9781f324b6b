//! Listing the store: its top level, and one shard at a time.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, retry_on_intr};
use walkdir::{DirEntryExt, WalkDir};

use super::batch::Batch;
use super::{Store, name, stat};

/// Bytes of directory entries that one `getdents64` brings; glibc's `readdir` takes as many.
const LISTING_BYTES: usize = 32 * 1024;

/// What stands at the top level of the store.
pub enum Top<'a> {
    /// A directory with a shard's name.
    Shard(&'a [u8]),
    /// Anything else that is not a directory.
    File {
        /// Its name.
        name: &'a [u8],
        /// Its inode number.
        ino: u64,
        /// Its type, as far as the directory tells it.
        file_type: FileType,
    },
    /// A directory that cannot be a shard.
    ForeignDirectory,
}

/// Walks the top level of the store; `each` says whether to go on.
///
/// # Errors
/// What reading the directory says.
pub fn top(store: &Store, mut each: impl FnMut(Top<'_>) -> bool) -> Result<(), Errno> {
    // The magic link leads to the open directory itself, wherever its path points by now.
    let path = format!("/proc/self/fd/{}", store.handle().as_raw_fd());
    for entry in WalkDir::new(path).min_depth(1).max_depth(1) {
        let entry = entry.map_err(|error| {
            error
                .io_error()
                .and_then(Errno::from_io_error)
                .unwrap_or(Errno::IO)
        })?;
        let name = entry.file_name().as_bytes();
        let file_type = entry.file_type();
        let top = if !file_type.is_dir() {
            let file_type = if file_type.is_file() {
                FileType::RegularFile
            } else {
                FileType::Unknown
            };
            Top::File {
                name,
                ino: entry.ino(),
                file_type,
            }
        } else if name::is_shard(name) {
            Top::Shard(name)
        } else {
            Top::ForeignDirectory
        };
        if !each(top) {
            break;
        }
    }
    Ok(())
}

impl Store {
    /// Opens the shard `name`, or tells `None` if it is a symlink or another mount by now.
    ///
    /// # Errors
    /// What the system says: `ENOENT` where it has gone, `EACCES` where it may not be read.
    pub fn open_shard(&self, name: &std::ffi::CStr) -> Result<Option<OwnedFd>, Errno> {
        // Before opening: entering another mount could already wake an automounter.
        let before = stat::at(self.handle(), name)?;
        if before.file_type != FileType::Directory || before.mount != self.stat.mount {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened =
            retry_on_intr(|| rustix::fs::openat(self.handle(), name, flags, Mode::empty()));
        let shard = match opened {
            Ok(shard) => shard,
            Err(Errno::LOOP | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        let same_mount = stat::mount_of(std::os::fd::AsFd::as_fd(&shard))? == self.mount;
        Ok(same_mount.then_some(shard))
    }
}

/// Lists an open directory in batches; `each` works on a full batch and says whether to go on.
pub struct Lister {
    buffer: Box<[MaybeUninit<u8>]>,
}

impl Default for Lister {
    fn default() -> Lister {
        Lister {
            buffer: Box::new_uninit_slice(LISTING_BYTES),
        }
    }
}

impl Lister {
    /// Calls `each` with one batch after the other, the last of them partly filled.
    ///
    /// # Errors
    /// What `getdents64` says; the entries before that have been worked on.
    pub fn list(
        &mut self,
        dir: BorrowedFd<'_>,
        batch: &mut Batch,
        mut each: impl FnMut(&mut Batch) -> bool,
    ) -> Result<(), Errno> {
        batch.clear();
        let mut listing = RawDir::new(dir, &mut self.buffer);
        let end = loop {
            match listing.next() {
                None => break Ok(()),
                Some(Err(Errno::INTR)) => {}
                Some(Err(error)) => break Err(error),
                Some(Ok(entry)) => {
                    let name = entry.file_name().to_bytes();
                    if !matches!(name, b"." | b"..") {
                        batch.push(name, entry.ino(), entry.file_type());
                    }
                }
            }
            if batch.is_full() {
                if !each(batch) {
                    return Ok(());
                }
                batch.clear();
            }
        };
        if !batch.is_empty() {
            each(batch);
            batch.clear();
        }
        end
    }
}
