//! The floor: what listing, statting and unlinking alone cost, in the order of the inodes and without a check.
//!
//! No reaper can take less CPU time than this with one thread; it shows how much of a ratio is the kernel's.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};

/// As many as `find` sorts together.
const AT_ONCE: usize = 100_000;

/// Is the loop, over this store and for files older than so many seconds.
pub fn run(sessions: &str, window: &str) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let limit = i64::try_from(now.as_secs())? - window.parse::<i64>()?;
    let name = CString::new(sessions)?;
    directory(CWD, &name, limit).with_context(|| format!("in {sessions}"))
}

fn directory(parent: BorrowedFd<'_>, name: &CStr, limit: i64) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle = openat(parent, name, flags, Mode::empty())?;
    let mut files = Vec::new();
    for entry in Dir::read_from(&handle)? {
        let entry = entry?;
        match entry.file_type() {
            FileType::Directory if !matches!(entry.file_name().to_bytes(), b"." | b"..") => {
                directory(handle.as_fd(), entry.file_name(), limit)?;
            }
            FileType::RegularFile => files.push((entry.ino(), entry.file_name().to_owned())),
            _ => {}
        }
        if files.len() == AT_ONCE {
            unlink(handle.as_fd(), &mut files, limit)?;
        }
    }
    unlink(handle.as_fd(), &mut files, limit)
}

fn unlink(dir: BorrowedFd<'_>, files: &mut Vec<(u64, CString)>, limit: i64) -> Result<()> {
    files.sort_unstable_by_key(|(ino, _)| *ino);
    for (_, name) in files.drain(..) {
        if statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW)?.st_mtime < limit {
            unlinkat(dir, &name, AtFlags::empty())?;
        }
    }
    Ok(())
}
