//! A file's metadata, as far as a judgement needs it.

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Statx, StatxAttributes, StatxFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::time::Timestamp;

/// What `statx` says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub file_type: FileType,
    /// Inode number; an Odoo save makes a new inode.
    pub ino: u64,
    /// Time of the last save.
    pub mtime: Timestamp,
    /// Time of the last read, as finely as the mount keeps it; `None` for a file that was opened with a trace, whose reads
    /// may have been ours.
    pub atime: Option<Timestamp>,
    /// Length in bytes.
    pub size: u64,
    /// Bytes taken on disk.
    pub disk: u64,
    /// Number of links; of a directory on most file systems, two and one for each subdirectory.
    pub links: u32,
    /// Owner's user id.
    pub uid: u32,
    /// Owning group's id.
    pub gid: u32,
    /// Permission bits.
    pub mode: u16,
    /// Marked immutable or append-only (`chattr +i`, `+a`): nobody can delete it.
    pub protected: bool,
    /// The id of the mount that it lies on, which also tells bind mounts of one file system apart.
    pub mount: u64,
}

/// What every function here says where the kernel tells no mount (`statx(2)` does since Linux 5.8): without it,
/// a mount below the store looks like a part of the store.
pub const NO_MOUNT: Errno = Errno::NOSYS;

const MASK: StatxFlags = StatxFlags::TYPE
    .union(StatxFlags::MODE)
    .union(StatxFlags::NLINK)
    .union(StatxFlags::INO)
    .union(StatxFlags::UID)
    .union(StatxFlags::GID)
    .union(StatxFlags::MTIME)
    .union(StatxFlags::ATIME)
    .union(StatxFlags::SIZE)
    .union(StatxFlags::BLOCKS)
    .union(StatxFlags::MNT_ID);

/// The metadata of `name` in `dir`; symlinks are not followed, automounts not triggered.
///
/// # Errors
/// What `statx` says: `ENOENT` where the file has gone. [`NO_MOUNT`].
pub fn at(dir: BorrowedFd<'_>, name: &CStr) -> Result<Stat, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    Stat::try_from(&retry_on_intr(|| {
        rustix::fs::statx(dir, name, flags, MASK)
    })?)
}

/// As [`at`], but asked of the server itself where the file system is a network's: a save by another
/// host must be seen.
///
/// # Errors
/// As [`at`].
pub fn fresh(dir: BorrowedFd<'_>, name: &CStr) -> Result<Stat, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_FORCE_SYNC;
    Stat::try_from(&retry_on_intr(|| {
        rustix::fs::statx(dir, name, flags, MASK)
    })?)
}

/// The metadata of an open file.
///
/// # Errors
/// What `statx` says, or [`NO_MOUNT`].
pub fn of(file: BorrowedFd<'_>) -> Result<Stat, Errno> {
    Stat::try_from(&retry_on_intr(|| {
        rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, MASK)
    })?)
}

impl TryFrom<&Statx> for Stat {
    type Error = Errno;

    fn try_from(stat: &Statx) -> Result<Stat, Errno> {
        if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
            return Err(NO_MOUNT);
        }
        Ok(Stat {
            file_type: FileType::from_raw_mode(stat.stx_mode.into()),
            ino: stat.stx_ino,
            mtime: Timestamp {
                secs: stat.stx_mtime.tv_sec,
                nanos: stat.stx_mtime.tv_nsec,
            },
            atime: Some(Timestamp {
                secs: stat.stx_atime.tv_sec,
                nanos: stat.stx_atime.tv_nsec,
            }),
            size: stat.stx_size,
            disk: stat.stx_blocks.saturating_mul(512),
            links: stat.stx_nlink,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            mode: stat.stx_mode & 0o7777,
            protected: stat
                .stx_attributes
                .intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND),
            mount: stat.stx_mnt_id,
        })
    }
}

impl Stat {
    /// Whether it is a regular file on the mount with this id.
    pub fn is_regular_on(&self, mount: u64) -> bool {
        self.file_type == FileType::RegularFile && self.mount == mount
    }

    /// Whether `self` is still the save that `other` was: Odoo's saves make a new inode, OCA's
    /// `auth_session_timeout` touches the old one.
    pub fn same_save_as(&self, other: &Stat) -> bool {
        self.ino == other.ino && self.mtime == other.mtime && self.size == other.size
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn a_kernel_that_tells_no_mount_is_an_error_and_no_guess() {
        let dir = tempfile::tempdir().unwrap();
        let handle = File::open(dir.path()).unwrap();
        let mut told = rustix::fs::statx(&handle, c"", AtFlags::EMPTY_PATH, MASK).unwrap();
        assert_eq!(
            Stat::try_from(&told).map(|stat| stat.mount),
            Ok(told.stx_mnt_id)
        );
        told.stx_mask &= !StatxFlags::MNT_ID.bits();
        assert_eq!(Stat::try_from(&told), Err(NO_MOUNT));
    }

    #[test]
    fn a_rewrite_and_a_touch_are_other_saves() {
        let dir = tempfile::tempdir().unwrap();
        let handle = File::open(dir.path()).unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "a").unwrap();
        let first = at(handle.as_fd(), c"f").unwrap();
        assert!(at(handle.as_fd(), c"f").unwrap().same_save_as(&first));
        filetime::set_file_mtime(&path, filetime::FileTime::from_unix_time(1_500_000_000, 7))
            .unwrap();
        let touched = at(handle.as_fd(), c"f").unwrap();
        assert!(!touched.same_save_as(&first));
        assert_eq!(
            touched.mtime,
            Timestamp {
                secs: 1_500_000_000,
                nanos: 7
            }
        );
        let twin = dir.path().join("g");
        std::fs::write(&twin, "a").unwrap();
        filetime::set_file_mtime(&twin, filetime::FileTime::from_unix_time(1_500_000_000, 7))
            .unwrap();
        std::fs::rename(&twin, &path).unwrap();
        assert!(!at(handle.as_fd(), c"f").unwrap().same_save_as(&touched));
    }
}
