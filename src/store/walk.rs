//! Listing the store: its top level, and one shard at a time.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::{Errno, retry_on_intr};

use super::batch::Batch;
use super::{Store, name, stat};

/// Bytes of directory entries that one `getdents64` brings; glibc's `readdir` takes as many.
const LISTING_BYTES: usize = 32 * 1024;

/// Between two `getdents64` of the top level. Each holds the directory's lock for some 0.2 ms, and one after the
/// other they kept Odoo's saves waiting until the kernel gives a waiter precedence, which is after 4 ms: the p99
/// of a save beside a flat `reap` was 4.4 ms without this pause, and 1.9 ms with it
/// (`cargo bench --bench peers -- --rows politeness`).
const PAUSE: Duration = Duration::from_micros(50);

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
    /// A directory that cannot be a shard, by its name.
    ForeignDirectory(&'a [u8]),
}

/// Walks the top level of the store; `each` says whether to go on.
///
/// It reads the open handle itself. `walkdir` was tried: it opens every directory that it names, even at its
/// greatest depth, so it would enter other mounts and fail on a `lost+found`, and it costs each shard an
/// `openat`, an `fstat` and a `close` by path.
///
/// # Errors
/// What reading the directory says; entries that could be read have been handed to `each`.
pub fn top(store: &Store, mut each: impl FnMut(Top<'_>) -> bool) -> Result<(), Errno> {
    // The handle may have been listed before.
    rustix::fs::seek(store.handle(), SeekFrom::Start(0))?;
    Lister::default().each(store.handle(), PAUSE, |name, ino, file_type| {
        let file_type = match file_type {
            // Some file systems do not tell types in their directories.
            FileType::Unknown => CString::new(name)
                .ok()
                .and_then(|name| stat::at(store.handle(), &name).ok())
                .map_or(FileType::Unknown, |stat| stat.file_type),
            told => told,
        };
        each(Top::new(name, ino, file_type))
    })
}

impl<'a> Top<'a> {
    fn new(name: &'a [u8], ino: u64, file_type: FileType) -> Top<'a> {
        match file_type {
            FileType::Directory if name::is_shard(name) => Top::Shard(name),
            FileType::Directory => Top::ForeignDirectory(name),
            _ => Top::File {
                name,
                ino,
                file_type,
            },
        }
    }
}

impl Store {
    /// Opens the shard `name`, or tells `None` if it is no directory by now.
    ///
    /// # Errors
    /// `EXDEV` where it is another mount, which is not entered; else what the system says: `ENOENT` where it has
    /// gone, `EACCES` where it may not be read.
    pub fn open_shard(&self, name: &CStr) -> Result<Option<OwnedFd>, Errno> {
        // Before opening: entering another mount could already wake an automounter.
        let before = stat::at(self.handle(), name)?;
        if before.file_type != FileType::Directory {
            return Ok(None);
        }
        if before.mount != self.stat.mount {
            return Err(Errno::XDEV);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened =
            retry_on_intr(|| rustix::fs::openat(self.handle(), name, flags, Mode::empty()));
        let shard = match opened {
            Ok(shard) => shard,
            Err(Errno::LOOP | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        if stat::of(shard.as_fd())?.mount != self.stat.mount {
            return Err(Errno::XDEV);
        }
        Ok(Some(shard))
    }
}

/// Lists an open directory in batches; `each` works on a full batch and says whether to go on.
#[derive(Default)]
pub struct Lister {
    /// Empty until it is needed: most workers of a flat store never list.
    buffer: Box<[MaybeUninit<u8>]>,
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
        let mut go_on = true;
        let listed = self.each(dir, Duration::ZERO, |name, ino, file_type| {
            batch.push(name, ino, file_type);
            if batch.is_full() {
                go_on = each(batch);
                batch.clear();
            }
            go_on
        });
        if go_on && !batch.is_empty() {
            each(batch);
            batch.clear();
        }
        listed
    }

    /// Calls `each` with name, inode number and type of one entry after the other, until it says stop; leaves the
    /// directory alone for `pause` before each system call.
    fn each(
        &mut self,
        dir: BorrowedFd<'_>,
        pause: Duration,
        mut each: impl FnMut(&[u8], u64, FileType) -> bool,
    ) -> Result<(), Errno> {
        if self.buffer.is_empty() {
            self.buffer = Box::new_uninit_slice(LISTING_BYTES);
        }
        let mut listing = RawDir::new(dir, &mut self.buffer);
        loop {
            if !pause.is_zero() && listing.is_buffer_empty() {
                std::thread::sleep(pause);
            }
            match listing.next() {
                None => return Ok(()),
                Some(Err(Errno::INTR)) => {}
                // The directory was removed meanwhile: that is its end, as libc's `readdir` has it.
                Some(Err(Errno::NOENT)) => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(entry)) => {
                    let name = entry.file_name().to_bytes();
                    if !matches!(name, b"." | b"..") && !each(name, entry.ino(), entry.file_type())
                    {
                        return Ok(());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_removed_ends_its_listing() {
        let dir = tempfile::tempdir().unwrap();
        let shard = dir.path().join("aa");
        std::fs::create_dir(&shard).unwrap();
        let handle = std::fs::File::open(&shard).unwrap();
        std::fs::remove_dir(&shard).unwrap();
        let listed = Lister::default().each(handle.as_fd(), Duration::ZERO, |_, _, _| true);
        assert_eq!(listed, Ok(()));
    }
}
