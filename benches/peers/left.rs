//! Walks over a store: to warm the caches, and to see what a run left of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// Calls `each` with every file below `dir`.
pub fn each_file(dir: &Path, each: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    crate::tool::go_on()?;
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            each_file(&entry.path(), each)?;
        } else {
            each(&entry.path())?;
        }
    }
    Ok(())
}

/// Which files a run left behind: their number, and a sum of hashes that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub files: u64,
    hash: u64,
}

impl Left {
    /// What there is in `sessions`. Odoo's own garbage collection never cleans the top level of a sharded store;
    /// `below_top` leaves that out.
    pub fn of(sessions: &Path, below_top: bool) -> Result<Left> {
        let mut left = Left::default();
        each_file(sessions, &mut |path| {
            if below_top && path.parent() == Some(sessions) {
                return Ok(());
            }
            let mut hasher = DefaultHasher::new();
            path.strip_prefix(sessions)?.as_os_str().as_bytes().hash(&mut hasher);
            left.files += 1;
            left.hash = left.hash.wrapping_add(hasher.finish());
            Ok(())
        })?;
        Ok(left)
    }
}

/// Which contents are brought into memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    All,
    /// What nobody else will read is not read here: memory is finite.
    OlderThan(Duration),
}

/// Lists, stats and reads the store; gives paths of some sessions that are not expired.
pub fn warm(sessions: &Path, read: Read, window: Duration) -> Result<Vec<PathBuf>> {
    const SOME: usize = 1000;
    let now = SystemTime::now();
    let mut fresh = Vec::new();
    each_file(sessions, &mut |path| {
        let about = path.symlink_metadata()?;
        let age = now.duration_since(about.modified()?).unwrap_or_default();
        let wanted = match read {
            Read::All => true,
            Read::OlderThan(limit) => age > limit,
        };
        let content = if wanted { std::fs::read(path)? } else { Vec::new() };
        let has_sid = path.file_name().is_some_and(|name| name.len() >= 40);
        if age < window && fresh.len() < SOME && !content.is_empty() && has_sid {
            fresh.push(path.to_owned());
        }
        Ok(())
    })?;
    Ok(fresh)
}
