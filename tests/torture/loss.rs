//! Saves that were lost, and how long after the save they were deleted.
//!
//! A save that fell into the gap was deleted as soon as the reaper came to run and got the directory's lock,
//! microseconds after its rename on an idle machine. Without the last check, the reaper would judge on what
//! it read up to a batch of files before.

use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A save that must not be lost. It holds its file open, and so knows of its deletion.
pub struct Save {
    file: File,
    at: Duration,
    /// How late the first look came, if the file was gone by then.
    gone_within: Option<Duration>,
}

/// What the file system knows of an open file.
struct Seen {
    gone: bool,
    /// The last change to the inode: for a deleted file, its deletion.
    changed: Duration,
}

impl Save {
    /// To be called as the very next thing when the save is in its place.
    pub fn done(file: File) -> Save {
        let at = now();
        // Linux 6.13 stamps a change to the nanosecond only where somebody looked since the last one; older
        // kernels do to a tick of some milliseconds.
        let gone = see(&file).gone;
        Save {
            file,
            at,
            gone_within: gone.then(|| now().saturating_sub(at)),
        }
    }
}

fn see(file: &File) -> Seen {
    let stat = rustix::fs::fstat(file.as_fd()).unwrap();
    Seen {
        gone: stat.st_nlink == 0,
        changed: Duration::new(stat.st_ctime.unsigned_abs(), stat.st_ctime_nsec as u32),
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// How long after each lost save its deletion came.
#[derive(Default)]
pub struct Losses {
    after: Vec<Duration>,
}

impl Losses {
    /// Whether the save has been lost; if so, it is counted.
    pub fn check(&mut self, save: &Save) -> bool {
        let seen = see(&save.file);
        if seen.gone {
            let after = save.gone_within;
            self.after
                .push(after.unwrap_or_else(|| seen.changed.saturating_sub(save.at)));
        }
        seen.gone
    }

    pub fn merge(&mut self, other: &Losses) {
        self.after.extend_from_slice(&other.after);
    }

    pub fn count(&self) -> u64 {
        self.after.len() as u64
    }

    /// Median and maximum, for the summary.
    pub fn told(&self) -> String {
        let mut after = self.after.clone();
        after.sort_unstable();
        match after.last() {
            None => String::new(),
            Some(last) => format!(
                " (deleted {:?} after they were done in the median, {last:?} at most)",
                after[after.len() / 2]
            ),
        }
    }
}
