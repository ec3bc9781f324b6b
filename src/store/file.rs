//! Opening and reading one session file.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// Opens a file for reading without leaving a trace: no symlink is followed, a FIFO does not block, and
/// the access time does not move where the kernel allows that (files of our own, or as root).
///
/// # Errors
/// What `openat` says: `ELOOP` for a symlink, `ENXIO` for a socket.
pub fn open(dir: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC
        | OFlags::NOATIME;
    match open_with(dir, name, flags) {
        // Not the owner of this one.
        Err(Errno::PERM) => open_with(dir, name, flags - OFlags::NOATIME),
        result => result,
    }
}

fn open_with(dir: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()))
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
