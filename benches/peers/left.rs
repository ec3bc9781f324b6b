//! Walks over a store: to warm the caches, and to see what a run left of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
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

/// Paths of all files below `dir`.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    each_file(dir, &mut |path| {
        files.push(path.to_owned());
        Ok(())
    })?;
    Ok(files)
}

/// Which files there are: their number, and a sum of hashes that does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub files: u64,
    hash: u64,
}

/// The files of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// At the top level, which Odoo's own garbage collection never cleans in a sharded store.
    pub top: Names,
    /// In shards.
    pub below: Names,
}

impl Left {
    /// Of files below `sessions`.
    pub fn of(sessions: &Path, files: &[PathBuf]) -> Result<Left> {
        let mut left = Left::default();
        for path in files {
            let mut hasher = DefaultHasher::new();
            let name = path.strip_prefix(sessions)?;
            name.as_os_str().as_bytes().hash(&mut hasher);
            let names = match path.parent() == Some(sessions) {
                true => &mut left.top,
                false => &mut left.below,
            };
            names.files += 1;
            names.hash = names.hash.wrapping_add(hasher.finish());
        }
        Ok(left)
    }
}

/// Stats all these files, and reads them whole where somebody will read them: those that are older than `read`.
/// Gives some sessions that are younger.
pub fn warm(files: &[PathBuf], read: Duration) -> Result<Vec<PathBuf>> {
    /// More than there are cores: the loop device takes its time.
    const THREADS: usize = 4;
    const SOME: usize = 1000;
    let now = SystemTime::now();
    let some = |chunk: &[PathBuf]| -> io::Result<Vec<PathBuf>> {
        let mut young = Vec::new();
        for path in chunk {
            let about = path.symlink_metadata()?;
            let has_sid = path.file_name().is_some_and(|name| name.len() >= 40);
            let age = now.duration_since(about.modified()?).unwrap_or_default();
            let is_young = age < read;
            if !is_young {
                std::fs::read(path)?;
            } else if young.len() < SOME && has_sid && about.len() > 0 {
                std::fs::read(path)?;
                young.push(path.clone());
            }
        }
        Ok(young)
    };
    std::thread::scope(|scope| {
        let chunks = files.chunks(files.len().div_ceil(THREADS).max(1));
        let readers: Vec<_> = chunks.map(|chunk| scope.spawn(|| some(chunk))).collect();
        let mut young = Vec::new();
        for reader in readers {
            young.extend(reader.join().expect("a reader does not panic")?);
        }
        Ok(young)
    })
}
