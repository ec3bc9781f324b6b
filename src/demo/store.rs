//! Puts files into the new store. Everything is relative to one open directory handle; nothing is followed or replaced.

use anyhow::{Context, Result, bail};
use rustix::fs::{CWD, Dir, Mode, OFlags, Timespec, Timestamps};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

/// The open `sessions` directory.
pub(super) struct Store {
    sessions: OwnedFd,
    /// The shards made so far: 4096 at most.
    shards: HashSet<[u8; 2]>,
}

/// A file to be put into the store.
pub(super) struct NewFile<'a> {
    /// Its shard's name, if it lies in one.
    pub(super) shard: Option<[u8; 2]>,
    pub(super) name: &'a str,
    /// 0644 as Odoo leaves a session, or 0600 as `mkstemp` leaves an unfinished one.
    pub(super) mode: Mode,
    /// Time of its last save, since the epoch.
    pub(super) saved: Duration,
    pub(super) content: &'a [u8],
}

impl Store {
    /// Makes an empty store in `data_dir`, which must be absent or empty.
    pub(super) fn create(data_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(data_dir)
            .with_context(|| format!("cannot make the directory {}", data_dir.display()))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let cannot_open = || {
            let shown = data_dir.display();
            format!("cannot open {shown} (a directory, not a symbolic link, is needed)")
        };
        let parent =
            rustix::fs::openat(CWD, data_dir, flags, Mode::empty()).with_context(cannot_open)?;
        for entry in Dir::read_from(&parent).with_context(cannot_open)? {
            let entry = entry.with_context(cannot_open)?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                bail!(
                    "{} is not empty; a demo store is only made in a directory that is absent or empty",
                    data_dir.display()
                );
            }
        }
        let in_parent = || format!("cannot make sessions in {}", data_dir.display());
        rustix::fs::mkdirat(&parent, "sessions", Mode::RWXU).with_context(in_parent)?;
        let sessions = rustix::fs::openat(&parent, "sessions", flags, Mode::empty())
            .with_context(in_parent)?;
        Ok(Self {
            sessions,
            shards: HashSet::new(),
        })
    }

    /// Puts one file in; the error names no file.
    pub(super) fn put(&mut self, file: &NewFile<'_>) -> io::Result<()> {
        let sharded;
        let path = match file.shard {
            Some(shard) => {
                let letters = shard.map(char::from);
                let name: String = letters.iter().collect();
                if self.shards.insert(shard) {
                    rustix::fs::mkdirat(&self.sessions, &name, Mode::from_raw_mode(0o755))?;
                }
                sharded = name + "/" + file.name;
                &sharded
            }
            None => file.name,
        };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut open = File::from(rustix::fs::openat(&self.sessions, path, flags, file.mode)?);
        open.write_all(file.content)?;
        // Odoo sets the mode by chmod, whatever the umask is. Here a look suffices as a rule, and costs a tenth of it.
        if Mode::from_raw_mode(rustix::fs::fstat(&open)?.st_mode) != file.mode {
            rustix::fs::fchmod(&open, file.mode)?;
        }
        let time = Timespec {
            tv_sec: file.saved.as_secs() as i64,
            tv_nsec: file.saved.subsec_nanos().into(),
        };
        rustix::fs::futimens(
            &open,
            &Timestamps {
                last_access: time,
                last_modification: time,
            },
        )?;
        Ok(())
    }
}
