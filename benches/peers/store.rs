//! Which stores are measured, how they are made, and what is left of them.

use std::fs::{File, FileTimes};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use odoo_session_reaper::demo::{self, Layout, Recipe};

use crate::args::Options;
use crate::tool;

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is in the store. Expired files are older than 8 days, fresh ones younger than 20 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 60 % expired, 40 % fresh.
    Usual,
    /// 60 % expired, 20 % fresh, and 20 % that are 2 days old and kept because somebody is logged in: the default
    /// windows can only know by reading them.
    HalfRead,
    /// Many files, 1 % of them expired.
    Idle,
    /// A million of them expired, where [`Kind::Idle`] has as many files: 80 %.
    Backlog,
    /// As usual, but fewer, and each call takes a millisecond longer: a tenth of the files takes `find` half a minute.
    Slow,
}

impl Kind {
    pub const ALL: [Kind; 5] = [
        Kind::Usual,
        Kind::HalfRead,
        Kind::Idle,
        Kind::Backlog,
        Kind::Slow,
    ];

    pub fn files(self, options: &Options) -> u64 {
        match self {
            Kind::Idle => 5 * options.files,
            Kind::Backlog => options.files * 25 / 4,
            Kind::Slow => options.files / 10,
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
        let recipe = Recipe {
            sessions: self.files(options),
            seed: 1,
            layout,
            expired_percent: Some(match self {
                Kind::Idle => 1,
                Kind::Backlog => 80,
                _ => 60,
            }),
        };
        let now = SystemTime::now();
        demo::make(data_dir, &recipe, now, &|| tool::go_on().is_ok())?;
        let mut fresh = 0u64;
        for path in files(&data_dir.join("sessions"))? {
            // An Odoo has read each file since it was written; without this, whoever reads first pays for `relatime`.
            let mut times = FileTimes::new().set_accessed(now);
            let age = now.duration_since(path.symlink_metadata()?.modified()?);
            if self == Kind::HalfRead && age.is_ok_and(|age| age < DAY) && is_session(&path) {
                fresh += 1;
                if fresh % 2 == 0 {
                    std::fs::write(&path, login_like(&path)?)?;
                    times = times.set_modified(now - 2 * DAY);
                }
            }
            File::open(&path)?.set_times(times)?;
        }
        Ok(())
    }
}

/// Whether its name has a session id.
pub fn is_session(path: &Path) -> bool {
    let is_leftover = |end| end == "__wz_sess" || end == "__tx_sess__" || end == "file";
    !path.extension().is_some_and(is_leftover) && !path.ends_with("README.txt")
}

/// A real login in the format of this file: too few of a demo store's fresh sessions are kept.
fn login_like(path: &Path) -> Result<&'static [u8]> {
    const JSON: &[u8] = include_bytes!(
        "../../tests/fixtures/odoo-18/sessions/M9/M9yNLEqAUYHtdzD8jb5-_LKfFHoF_YLbp2sWSCvrRDCqZQxmCSKl7MXIH2SgVzF6rluqF-hKY9Q6sAzpwnSP"
    );
    const PICKLE: &[u8] = include_bytes!(
        "../../tests/fixtures/odoo-16/sessions/5d/5d239f097fb0aff96ebf81636bcd40c0b65b6edb"
    );
    let is_pickle = std::fs::read(path)?.first() == Some(&0x80);
    Ok(if is_pickle { PICKLE } else { JSON })
}

/// Paths of all files below `dir`, in order.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(dir) {
        tool::go_on()?;
        let entry = entry?;
        if !entry.file_type().is_dir() {
            files.push(entry.into_path());
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// How many files there are at the top level and in shards, and a hash of their names.
pub type Names = [(usize, u64); 2];

/// The names of these files below `sessions`.
pub fn names(sessions: &Path, files: &[PathBuf]) -> Names {
    [true, false].map(|at_top| {
        let mut hasher = DefaultHasher::new();
        let here = |path: &&PathBuf| (path.parent() == Some(sessions)) == at_top;
        let here: Vec<_> = files.iter().filter(here).collect();
        here.hash(&mut hasher);
        (here.len(), hasher.finish())
    })
}

/// Stats all these files, and reads them whole where somebody will read them: those that are older than `read`.
/// Gives some sessions that are younger.
pub fn warm(files: &[PathBuf], read: Duration) -> Result<Vec<PathBuf>> {
    const SOME: usize = 4000;
    let now = SystemTime::now();
    let mut young = Vec::new();
    for path in files {
        let about = path.symlink_metadata()?;
        let age = now.duration_since(about.modified()?).unwrap_or_default();
        if age >= read {
            std::fs::read(path)?;
        } else if young.len() < SOME && about.len() > 0 && is_session(path) {
            std::fs::read(path)?;
            young.push(path.clone());
        }
    }
    Ok(young)
}
