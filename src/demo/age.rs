//! How old each file is.

use super::kind::{Kind, Odoo};
use fastrand::Rng;
use std::time::Duration;

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// No file is older.
const OLDEST: f64 = 60.0 * DAY;

/// No login is older in a natural store: even Odoo's own collection was off for no longer than that.
const OLDEST_LOGIN: f64 = 40.0 * DAY;

/// How long ago the store's Odoo 14 made way for a newer one.
const UPGRADE: f64 = 20.0 * DAY;

/// In a measured store, expired files are older than any window that is usual (Odoo's own is 7 days) …
const EXPIRED: f64 = 8.0 * DAY;

/// … and the others are younger than a day.
const FRESH: f64 = 20.0 * HOUR;

/// How the ages of a store spread.
pub(super) enum Ages {
    /// As on a server whose sessions nobody has collected for two months.
    Natural {
        /// Whether a newer Odoo has taken over from 14.
        upgraded: bool,
    },
    /// So many of them expired, exactly.
    Measured(Split),
}

impl Ages {
    /// The age of file number `index`.
    pub(super) fn age(&self, index: u64, kind: Kind, odoo: Odoo, rng: &mut Rng) -> Duration {
        let seconds = match self {
            Self::Measured(split) if split.is_expired(index) => {
                between(EXPIRED + HOUR, OLDEST, rng.f64())
            }
            Self::Measured(_) => between(MINUTE, FRESH, rng.f64()),
            Self::Natural { upgraded } => {
                let youngest = if *upgraded && odoo == Odoo::V14 {
                    UPGRADE
                } else {
                    MINUTE
                };
                match kind {
                    Kind::Authenticated | Kind::Superseded | Kind::Successor => {
                        between(youngest, OLDEST_LOGIN, rng.f64().powi(3))
                    }
                    // Visitors and health checks come evenly, day and night; the younger half is there so that each
                    // bar of a histogram down to the minutes has something to show.
                    _ if rng.bool() => between(youngest, OLDEST, rng.f64()),
                    _ => between(youngest, OLDEST, rng.f64().powi(4)),
                }
            }
        };
        Duration::from_secs_f64(seconds)
    }
}

/// The age of a successor: saved at the rotation, or since.
pub(super) fn since_rotation(rotation: Duration, rng: &mut Rng) -> Duration {
    rotation.mul_f64(rng.f64())
}

fn between(youngest: f64, oldest: f64, part: f64) -> f64 {
    youngest + (oldest - youngest) * part
}

/// Which of `files` files are expired: exactly the wanted share, spread evenly over them and over every kind. A step that
/// shares no factor with their number visits each place once; the golden ratio keeps it out of step with everything else.
pub(super) struct Split {
    files: u64,
    step: u64,
    /// How many files are expired.
    pub(super) expired: u64,
}

impl Split {
    pub(super) fn new(files: u64, percent: u8) -> Self {
        let share = |of: u64, part: u64, whole: u64| {
            // Fits: the part is never more than the whole.
            ((u128::from(of) * u128::from(part) + u128::from(whole / 2)) / u128::from(whole)) as u64
        };
        let mut step = share(files, 618_034, 1_000_000).max(1);
        while common_divisor(step, files) > 1 {
            step += 1;
        }
        Self {
            files,
            step,
            expired: share(files, u64::from(percent), 100),
        }
    }

    fn is_expired(&self, index: u64) -> bool {
        u128::from(index) * u128::from(self.step) % u128::from(self.files) < self.expired.into()
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_files_are_the_rounded_share_exactly() {
        for files in [1, 2, 3, 7, 10, 99, 1000, 1024, 10_007] {
            for percent in [0, 1, 33, 50, 60, 99, 100] {
                let split = Split::new(files, percent);
                let marked = (0..files).filter(|&index| split.is_expired(index)).count() as u64;
                let rounded = (files * u64::from(percent) + 50) / 100;
                assert_eq!(marked, rounded, "{percent} % of {files}");
                assert_eq!(split.expired, rounded);
            }
        }
    }

    #[test]
    fn expired_files_are_spread_over_the_whole() {
        let split = Split::new(100_000, 60);
        for start in (0..100_000).step_by(1000) {
            let here = (start..start + 1000).filter(|&index| split.is_expired(index));
            let count = here.count();
            assert!((590..=610).contains(&count), "{count}");
        }
    }
}
