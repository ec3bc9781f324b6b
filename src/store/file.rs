//! Opening and reading one session file.

use std::ffi::CStr;
use std::num::NonZeroU64;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Advice, Mode, OFlags, ResolveFlags};
use rustix::io::{Errno, retry_on_intr};

/// How session files are opened.
const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOATIME);

/// Opens a file for reading without leaving a trace: no symlink is followed, a FIFO does not block, and
/// the access time does not move.
///
/// # Errors
/// What `openat` says: `ELOOP` for a symlink, `ENXIO` for a socket, `EPERM` for a file of somebody else.
pub fn open_unseen(dir: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    open_with(dir, name, FLAGS)
}

/// As [`open_unseen`], but also what the kernel lets us read with a trace only: files of somebody else. Tells whether it is
/// one of those.
///
/// # Errors
/// What `openat` says.
pub fn open(dir: BorrowedFd<'_>, name: &CStr) -> Result<(OwnedFd, bool), Errno> {
    match open_unseen(dir, name) {
        Err(Errno::PERM) => Ok((open_with(dir, name, FLAGS - OFlags::NOATIME)?, true)),
        opened => Ok((opened?, false)),
    }
}

/// As [`open_unseen`], but never a file that another mount hides, so that nobody has to look at it first.
///
/// # Errors
/// `EXDEV` for another mount; `ENOSYS` before Linux 5.6, `EPERM` for a file of somebody else.
pub fn open_on_same_mount(dir: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat2(dir, name, FLAGS, Mode::empty(), ResolveFlags::NO_XDEV))
}

fn open_with(dir: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()))
}

/// Tells the kernel that the first `size` bytes are about to be read, so that it fetches them meanwhile.
pub fn will_read(file: &OwnedFd, size: u64) {
    // Only a hint: a file system that does not know it reads as well without.
    let _ = rustix::fs::fadvise(file, 0, NonZeroU64::new(size), Advice::WillNeed);
}

/// Reads the first `size` bytes of a file, or all there is if that is less, into `buffer`.
///
/// A file that grows meanwhile is judged by what it was when `size` was read off it; the last check
/// before a deletion sees that it changed.
///
/// # Errors
/// What `read` says.
pub fn read(file: &OwnedFd, size: usize, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    buffer.resize(size, 0);
    let mut filled = 0;
    while filled < size {
        match retry_on_intr(|| rustix::io::read(file.as_fd(), &mut buffer[filled..]))? {
            0 => break,
            count => filled += count,
        }
    }
    buffer.truncate(filled);
    Ok(())
}
