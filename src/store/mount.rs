//! The mount that a store lies on: how it notes reads, and what it does with open files.

use std::time::Duration;

use rustix::fs::{IFlags, StatVfsMountFlags};

use super::Store;

/// What is known of a type of file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    /// Its inodes hold the time of the last read, as this host's kernel sees it. A network's are read from a cache that its
    /// server does not know of.
    Local {
        /// Whether it is known to delete an open file as any other. NFS, SMB and most of FUSE rename it, and delete it
        /// when it is closed.
        deletes_open_files: bool,
    },
    /// A call waits for somebody else's answer, a server's as a rule.
    Slow,
}

/// By the numbers of statfs(2).
const TYPES: [(u32, Type); 15] = [
    (0xef53, local(true)),       // ext4
    (0x5846_5342, local(true)),  // XFS
    (0x9123_683e, local(true)),  // Btrfs
    (0x2fc1_2fc1, local(true)),  // ZFS
    (0x0102_1994, local(true)),  // tmpfs
    (0x794c_7630, local(false)), // overlayfs
    (0xf2f5_2010, local(false)), // F2FS
    (0x6969, Type::Slow),        // NFS
    (0x517b, Type::Slow),        // SMB
    (0xff53_4d42, Type::Slow),   // CIFS
    (0xfe53_4d42, Type::Slow),   // SMB 2 and 3
    (0x00c3_6400, Type::Slow),   // Ceph
    (0x6573_5546, Type::Slow),   // FUSE, virtiofs
    (0x0bd0_0bd0, Type::Slow),   // Lustre
    (0x0102_1997, Type::Slow),   // 9p
];

const fn local(deletes_open_files: bool) -> Type {
    Type::Local { deletes_open_files }
}

impl Type {
    fn of(number: u32) -> Option<Type> {
        let known = TYPES.iter().find(|(known, _)| *known == number);
        known.map(|(_, file_system)| *file_system)
    }
}

/// How a mount notes that a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Each time (`strictatime`).
    Each,
    /// The first time after a save, and then once in 24 hours (`relatime`, which is usual).
    Daily,
    /// Not at all (`noatime`, or `chattr +A`).
    Never,
    /// Nobody knows, as on NFS and FUSE.
    Unknown,
}

impl Reads {
    /// How much later than its note the last read can be, or `None` where no note can be relied on.
    pub fn grain(self) -> Option<Duration> {
        match self {
            Reads::Each => Some(Duration::ZERO),
            Reads::Daily => Some(Duration::from_secs(24 * 3_600)),
            Reads::Never | Reads::Unknown => None,
        }
    }

    /// By the type of the file system, and how it is mounted. Whether directories are noted (`nodiratime`) does not matter,
    /// nor when a note reaches the disk (`lazytime`).
    fn on(known: Option<Type>, mounted: StatVfsMountFlags) -> Reads {
        if mounted.contains(StatVfsMountFlags::NOATIME) {
            Reads::Never
        } else if !matches!(known, Some(Type::Local { .. })) {
            Reads::Unknown
        } else if mounted.contains(StatVfsMountFlags::RELATIME) {
            Reads::Daily
        } else {
            Reads::Each
        }
    }
}

impl Store {
    /// How its mount notes reads; none where the store is marked so (`chattr +A`), as ext4 and XFS mark new files then, too.
    pub fn reads(&self) -> Reads {
        let marked = rustix::fs::ioctl_getflags(&self.handle)
            .is_ok_and(|flags| flags.contains(IFlags::NOATIME));
        match self.mounted() {
            _ if marked => Reads::Never,
            Some(mounted) => Reads::on(self.file_system(), mounted),
            None => Reads::Unknown,
        }
    }

    /// Whether it is mounted read-only, perhaps in this process's view only.
    pub fn read_only(&self) -> bool {
        let read_only = |mounted: StatVfsMountFlags| mounted.contains(StatVfsMountFlags::RDONLY);
        self.mounted().is_some_and(read_only)
    }

    /// Whether a file that is open here is deleted, and not renamed until it is closed.
    pub fn deletes_open_files(&self) -> bool {
        self.file_system() == Some(local(true))
    }

    /// Whether every change comes through this host's kernel, so that inotify tells of it.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.file_system(), Some(Type::Local { .. }))
    }

    /// Whether each call waits for an answer, so that many at a time are faster.
    pub(crate) fn is_slow(&self) -> bool {
        self.file_system() == Some(Type::Slow)
    }

    fn file_system(&self) -> Option<Type> {
        let stat = rustix::fs::fstatfs(&self.handle).ok()?;
        // The field's type depends on the architecture; these numbers have 32 bits.
        Type::of(stat.f_type as u32)
    }

    fn mounted(&self) -> Option<StatVfsMountFlags> {
        Some(rustix::fs::fstatvfs(&self.handle).ok()?.f_flag)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::store::Opening;

    #[test]
    fn a_store_tells_the_mount_that_it_lies_on() {
        for (place, known, deletes_open_files) in [
            ("/dev/shm", Some(local(true)), true),
            ("/proc", None, false),
        ] {
            if !Path::new(place).exists() {
                eprintln!("SKIPPED a_store_tells_the_mount_that_it_lies_on: no {place}");
                continue;
            }
            let opening = Opening {
                accept_any_directory: true,
            };
            let store = Store::open(Path::new(place), &opening).unwrap();
            assert_eq!(store.file_system(), known, "{place}");
            let mounted = rustix::fs::statvfs(place).unwrap().f_flag;
            assert_eq!(store.reads(), Reads::on(known, mounted));
            let read_only = mounted.contains(StatVfsMountFlags::RDONLY);
            assert_eq!(store.read_only(), read_only);
            assert_eq!(store.deletes_open_files(), deletes_open_files);
            assert!(!store.is_slow());
        }
    }

    #[test]
    fn reads_are_noted_as_the_file_system_and_its_mount_allow() {
        const EXT4: u32 = 0xef53;
        const NFS: u32 = 0x6969;
        const FUSE: u32 = 0x6573_5546;
        let none = StatVfsMountFlags::empty();
        let [relatime, noatime, nodiratime] = [
            StatVfsMountFlags::RELATIME,
            StatVfsMountFlags::NOATIME,
            StatVfsMountFlags::NODIRATIME,
        ];
        for (number, mounted, reads) in [
            (EXT4, none, Reads::Each),
            (EXT4, relatime, Reads::Daily),
            (EXT4, relatime | nodiratime, Reads::Daily),
            (EXT4, nodiratime, Reads::Each),
            (EXT4, noatime, Reads::Never),
            (EXT4, noatime | relatime, Reads::Never),
            (NFS, none, Reads::Unknown),
            (NFS, relatime, Reads::Unknown),
            (NFS, noatime, Reads::Never),
            (FUSE, relatime, Reads::Unknown),
        ] {
            let known = Type::of(number);
            assert_eq!(Reads::on(known, mounted), reads, "{number:x} {mounted:?}");
        }
        for (number, known) in TYPES {
            assert_eq!(Type::of(number), Some(known));
            let daily = Reads::on(Some(known), relatime) == Reads::Daily;
            assert_eq!(daily, known != Type::Slow, "{number:x}");
        }
    }

    #[test]
    fn a_read_is_at_most_a_day_later_than_its_note() {
        let grains = [Reads::Each, Reads::Daily, Reads::Never, Reads::Unknown].map(Reads::grain);
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3_600));
        assert_eq!(grains, [hours(0), hours(24), None, None]);
    }
}
