//! When a mount notes that a file was read.

use odoo_session_reaper::store::mount::Reads;

use crate::time::{DAY, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mount {
    Strictatime,
    /// The usual one.
    Relatime,
    Noatime,
    /// NFS: the server notes by `relatime`, and nobody can tell.
    FileServer,
}

/// A file's times, as the clock of whoever keeps the files stamped them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps {
    pub mtime: Time,
    pub atime: Time,
    pub ctime: Time,
}

impl Mount {
    /// The kernel's rule: `relatime_need_update()` in `fs/inode.c`.
    pub fn notes(self, file: Stamps, now: Time) -> bool {
        match self {
            Mount::Strictatime => true,
            Mount::Noatime => false,
            Mount::Relatime | Mount::FileServer => {
                file.mtime >= file.atime || file.ctime >= file.atime || now - file.atime >= DAY
            }
        }
    }

    /// What the program sees of it.
    pub fn reads(self) -> Reads {
        match self {
            Mount::Strictatime => Reads::Each,
            Mount::Relatime => Reads::Daily,
            Mount::Noatime => Reads::Never,
            Mount::FileServer => Reads::Unknown,
        }
    }

    /// Whether the program may count on reads here.
    pub fn keeps_reads(self) -> bool {
        matches!(self, Mount::Strictatime | Mount::Relatime)
    }

    /// How long a read can go without a note after the last one.
    pub fn grain(self) -> Time {
        match self {
            Mount::Relatime => DAY,
            _ => 0,
        }
    }
}
