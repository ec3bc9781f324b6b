//! What the textfile of an earlier run says that the next one has to repeat.
//!
//! Others may have written it, so nothing is believed that could not be ours.

use std::collections::BTreeMap;

use super::page::series;
use super::{DELETED, LAST_SUCCESS, labels_of_deleted};
use crate::policy::Class;
use crate::reap::Mode;
use crate::time::{FUTURE_TOLERANCE, Timestamp};

/// Beyond it Prometheus' numbers are not exact, and no store had so many files. Whoever wrote it is not to make the
/// count stand still.
const LARGEST_COUNT: u64 = 1 << 53;

/// What an earlier textfile says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Previous {
    /// The store of that run.
    pub store: Option<String>,
    /// By the series as it is written, with its labels.
    values: BTreeMap<String, u64>,
    /// No success can be later.
    latest: u64,
}

impl Previous {
    /// Reads a textfile at the time `now`; whatever is not ours or is broken is passed over.
    pub fn read(text: &str, now: Timestamp) -> Previous {
        let ours = || {
            text.lines()
                .filter(|line| line.starts_with("odoo_session_"))
        };
        let wanted = |line: &&str| line.starts_with(LAST_SUCCESS) || line.starts_with(DELETED);
        let value = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        };
        // A later one would silence an alert for as long as it lies ahead.
        let now = u64::try_from(now.secs).unwrap_or(0);
        Previous {
            store: ours().find_map(store),
            values: ours().filter(wanted).filter_map(value).collect(),
            latest: now.saturating_add(FUTURE_TOLERANCE.as_secs()),
        }
    }

    /// When a command last succeeded on a store, in seconds since the epoch.
    pub fn success(&self, store: &str, mode: Mode) -> Option<u64> {
        let series = series(LAST_SUCCESS, store, &[("command", mode.name())]);
        let at = self.values.get(&series)?;
        (*at <= self.latest).then_some(*at)
    }

    /// How many files of a class the reaps of a store deleted until then.
    pub fn deleted(&self, store: &str, class: Class) -> Option<u64> {
        let series = series(DELETED, store, &labels_of_deleted(class));
        let files = self.values.get(&series)?;
        (*files < LARGEST_COUNT).then_some(*files)
    }
}

/// Which store a line tells of.
fn store(line: &str) -> Option<String> {
    let (_, quoted) = line.split_once("{store=\"")?;
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(value),
            '\\' => match characters.next()? {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            character => value.push(character),
        }
    }
}
