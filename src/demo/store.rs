//! Puts files into the new store: relative to one open directory handle; nothing is followed or replaced.

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use std::fs::{File, FileTimes, Permissions};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW);
const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL);

/// Makes an empty `sessions` in `data_dir`, which must be absent or empty, and opens it.
pub(super) fn create(data_dir: &Path) -> Result<OwnedFd> {
    std::fs::create_dir_all(data_dir)?;
    let parent = openat(CWD, data_dir, DIRECTORY, Mode::empty())
        .context("a directory, not a symbolic link, is needed")?;
    let is_empty = std::fs::read_dir(data_dir)?.next().is_none();
    ensure!(is_empty, "it must be absent or empty");
    mkdirat(&parent, "sessions", Mode::RWXU)?;
    Ok(openat(&parent, "sessions", DIRECTORY, Mode::empty())?)
}

/// Puts a file into the open `sessions`; the error names no file.
pub(super) fn put(dir: &OwnedFd, path: &str, saved: SystemTime, content: &[u8]) -> io::Result<()> {
    let open = || openat(dir, path, NEW, Mode::RUSR | Mode::WUSR);
    let shard = path.split_once('/').map(|(shard, _)| shard);
    let mut opened = open();
    if let (Err(Errno::NOENT), Some(shard)) = (&opened, shard) {
        mkdirat(dir, shard, Mode::from_raw_mode(0o755))?;
        opened = open();
    }
    let mut file = File::from(opened?);
    file.write_all(content)?;
    // Odoo's chmod never reached an unfinished save.
    if shard.is_some() || !path.starts_with("tmp") {
        file.set_permissions(Permissions::from_mode(0o644))?;
    }
    file.set_times(FileTimes::new().set_accessed(saved).set_modified(saved))
}
