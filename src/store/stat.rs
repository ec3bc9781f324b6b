//! A file's metadata, as far as a judgement needs it.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

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
    /// Time of the last read, as finely as the mount keeps it.
    pub atime: Timestamp,
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
    /// Which mount it lies on.
    pub mount: Mount,
}

/// A mount, by its id where the kernel tells it (5.8), else by its device number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    /// `stx_mnt_id`: also tells bind mounts of one file system apart.
    Id(u64),
    /// Major and minor device number.
    Device(u32, u32),
}

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
/// What `statx` says: `ENOENT` where the file has gone.
pub fn at(dir: BorrowedFd<'_>, name: &CStr) -> Result<Stat, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    retry_on_intr(|| rustix::fs::statx(dir, name, flags, MASK)).map(|stat| Stat::from(&stat))
}

/// As [`at`], but asked of the server itself where the file system is a network's: a save by another
/// host must be seen.
///
/// # Errors
/// As [`at`].
pub fn at_once(dir: BorrowedFd<'_>, name: &CStr) -> Result<Stat, Errno> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_FORCE_SYNC;
    retry_on_intr(|| rustix::fs::statx(dir, name, flags, MASK)).map(|stat| Stat::from(&stat))
}

/// The metadata of an open file.
///
/// # Errors
/// What `statx` says.
pub fn of(file: BorrowedFd<'_>) -> Result<Stat, Errno> {
    retry_on_intr(|| rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, MASK))
        .map(|stat| Stat::from(&stat))
}

/// The mount that an open directory lies on.
///
/// Kernels before 5.8 (Ubuntu 20.04 has 5.4) do not tell it by `statx`, but in `/proc`.
///
/// # Errors
/// What `statx` says.
pub fn mount_of(dir: BorrowedFd<'_>) -> Result<Mount, Errno> {
    let mount = of(dir)?.mount;
    Ok(match mount {
        Mount::Id(_) => mount,
        Mount::Device(..) => mount_id_from_proc(dir).map_or(mount, Mount::Id),
    })
}

fn mount_id_from_proc(dir: BorrowedFd<'_>) -> Option<u64> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", dir.as_raw_fd())).ok()?;
    info.lines()
        .find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

impl From<&Statx> for Stat {
    fn from(stat: &Statx) -> Stat {
        let mount = if stat.stx_mask & StatxFlags::MNT_ID.bits() != 0 {
            Mount::Id(stat.stx_mnt_id)
        } else {
            Mount::Device(stat.stx_dev_major, stat.stx_dev_minor)
        };
        Stat {
            file_type: FileType::from_raw_mode(stat.stx_mode.into()),
            ino: stat.stx_ino,
            mtime: Timestamp {
                secs: stat.stx_mtime.tv_sec,
                nanos: stat.stx_mtime.tv_nsec,
            },
            atime: Timestamp {
                secs: stat.stx_atime.tv_sec,
                nanos: stat.stx_atime.tv_nsec,
            },
            size: stat.stx_size,
            disk: stat.stx_blocks.saturating_mul(512),
            links: stat.stx_nlink,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            mode: stat.stx_mode & 0o7777,
            protected: stat
                .stx_attributes
                .intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND),
            mount,
        }
    }
}

impl Stat {
    /// Whether it is a regular file on the mount `mount`.
    pub fn is_regular_on(&self, mount: Mount) -> bool {
        self.file_type == FileType::RegularFile && self.mount == mount
    }

    /// Whether `self` is still the save that `other` was: Odoo's saves make a new inode, OCA's
    /// `auth_session_timeout` touches the old one.
    pub fn same_save_as(&self, other: &Stat) -> bool {
        self.ino == other.ino
            && self.mtime == other.mtime
            && self.size == other.size
            && self.file_type == other.file_type
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn proc_and_statx_agree_on_the_mount() {
        let dir = tempfile::tempdir().unwrap();
        let handle = File::open(dir.path()).unwrap();
        let Mount::Id(id) = mount_of(handle.as_fd()).unwrap() else {
            eprintln!("SKIPPED: this kernel does not tell mount ids by statx");
            return;
        };
        assert_eq!(mount_id_from_proc(handle.as_fd()), Some(id));
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
