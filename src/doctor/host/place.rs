//! Where a store is: the same directory can have several paths.

use std::path::{Path, PathBuf};

use rustix::fs::{FileType, stat};

/// The device and inode of a directory.
pub type Identity = (u64, u64);

/// A `sessions` directory.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub path: PathBuf,
    /// `None` if it cannot be seen.
    pub identity: Option<Identity>,
    pub owner: Option<u32>,
}

impl Place {
    pub fn of(path: PathBuf) -> Place {
        let stat = stat(&path).ok();
        let stat = stat.filter(|it| FileType::from_raw_mode(it.st_mode) == FileType::Directory);
        Place {
            path,
            identity: stat.as_ref().map(|it| (it.st_dev, it.st_ino)),
            owner: stat.as_ref().map(|it| it.st_uid),
        }
    }

    /// The directory that it lies in.
    pub fn data_dir(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    pub fn is(&self, other: &Place) -> bool {
        self.path == other.path || self.identity.is_some() && self.identity == other.identity
    }
}
