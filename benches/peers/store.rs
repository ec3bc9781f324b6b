//! Which stores are measured, and how they are made.

use std::collections::HashMap;
use std::fs::{File, FileTimes};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use odoo_session_reaper::session::{self, Scratch};

use crate::args::Options;
use crate::left;
use crate::tool;

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the session files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Layout {
    /// As Odoo 15 and older
    Flat,
    /// As Odoo 16 and newer
    Sharded,
}

impl Layout {
    pub const BOTH: [Layout; 2] = [Layout::Flat, Layout::Sharded];

    pub fn name(self) -> &'static str {
        match self {
            Layout::Flat => "flat",
            Layout::Sharded => "sharded",
        }
    }
}

/// What is in the store. Expired files are older than 8 days, fresh ones younger than 20 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 60 % expired, 40 % fresh.
    Usual,
    /// 60 % expired, 20 % fresh, and 20 % that are 2 days old and kept because somebody is logged in or has a cart:
    /// the default windows can only know by reading them.
    HalfRead,
    /// Many files, 1 % of them expired.
    Idle,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Usual, Kind::HalfRead, Kind::Idle];

    pub fn files(self, options: &Options) -> u64 {
        match self {
            Kind::Idle => options.many,
            _ => options.files,
        }
    }

    /// Older than this is expired, for tools that only know one age.
    pub fn window(self) -> Duration {
        match self {
            Kind::HalfRead => 7 * DAY,
            _ => DAY,
        }
    }

    /// Makes such a store in `data_dir`, which must not exist yet.
    pub fn make(self, options: &Options, layout: Layout, data_dir: &Path) -> Result<()> {
        let expired = if self == Kind::Idle { 1 } else { 60 };
        tool::run(
            Command::new(&options.program)
                .args(["demo", "--keep", "--layout", layout.name(), "--dir"])
                .arg(data_dir)
                .arg(format!("--sessions={}", self.files(options)))
                .arg(format!("--expired={expired}")),
        )?;
        let sessions = data_dir.join("sessions");
        if self == Kind::HalfRead {
            age_half_of_the_kept(&sessions)?;
        }
        as_if_read(&sessions)
    }
}

/// Makes every other fresh session 2 days old. Too few of them are kept then (users, carts), so the others of them
/// get the content of one that is, of the same format.
fn age_half_of_the_kept(sessions: &Path) -> Result<()> {
    let now = SystemTime::now();
    let mut donors: HashMap<usize, Vec<u8>> = HashMap::new();
    let mut scratch = Scratch::default();
    let mut fresh = 0u64;
    left::each_file(sessions, &mut |path| {
        let age = now.duration_since(path.symlink_metadata()?.modified()?);
        let content = std::fs::read(path)?;
        let Ok(session) = session::read(&content, &mut scratch) else {
            return Ok(());
        };
        let kept = session.deletion_time.is_none() && (session.uid.is_some() || session.cart);
        // Names of one length are of one format.
        let format = path.file_name().map_or(0, |name| name.len());
        if kept {
            donors.insert(format, content);
        }
        if age.is_ok_and(|age| age > DAY) || is_leftover(path) {
            return Ok(());
        }
        fresh += 1;
        let Some(donor) = donors.get(&format).filter(|_| fresh % 2 == 0) else {
            return Ok(());
        };
        if !kept {
            std::fs::write(path, donor)?;
        }
        let file = File::options().write(true).open(path)?;
        Ok(file.set_modified(now - 2 * DAY)?)
    })
}

fn is_leftover(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "__wz_sess" || end == "file")
}

/// An Odoo has read each file since it was written; without this, whoever reads first pays for `relatime`.
fn as_if_read(sessions: &Path) -> Result<()> {
    let times = FileTimes::new().set_accessed(SystemTime::now());
    left::each_file(
        sessions,
        &mut |path| Ok(File::open(path)?.set_times(times)?),
    )
}
