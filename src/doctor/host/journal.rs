//! What the service's own entries in the journal say of its last days.

use serde::Deserialize;

use super::systemd::output;
use crate::report::{DELETION, SUMMARY};

const DAY: i64 = 86_400;

/// What the entries of a unit say of one store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// When a run succeeded last, in epoch seconds.
    pub success: Option<i64>,
    /// Files that were deleted within the last day.
    pub deleted: u64,
    /// There are entries of this unit, so that this user may read them.
    pub readable: bool,
    /// There are entries that are older than 8 days, and in 8 days no login was deleted.
    pub no_login_in_8_days: bool,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: String,
    #[serde(rename = "SESSIONS_DELETED")]
    deleted: Option<String>,
    #[serde(rename = "EXIT_CODE")]
    exit: Option<String>,
    #[serde(rename = "SESSION_STORE")]
    store: Option<String>,
}

/// Reads the entries of `unit` about the store that is called so there, if this user may.
pub fn of(unit: &str, store: &str, now: i64) -> Journal {
    let read = |id: &str, days: &str, more: &[&str]| {
        let matched = format!("MESSAGE_ID={id}");
        let since = format!("--since=-{days}d");
        let fields = "--output-fields=SESSIONS_DELETED,EXIT_CODE,SESSION_STORE";
        let mut args = vec!["-q", "--no-pager", "-o", "json", fields, &since, "-u", unit];
        args.extend(more);
        args.push(&matched);
        output("journalctl", &args).unwrap_or_default()
    };
    let runs = read(SUMMARY, "9", &[]);
    let logins = read(DELETION, "8", &["-n", "1"]);
    told(&runs, &logins, store, now)
}

fn told(runs: &str, logins: &str, store: &str, now: i64) -> Journal {
    let mut journal = Journal::default();
    let mut first = now;
    for line in runs.lines() {
        let Ok(entry) = serde_json::from_str::<Entry>(line) else {
            continue;
        };
        let time = entry
            .time
            .parse()
            .map_or(now, |micros: i64| micros / 1_000_000);
        first = first.min(time);
        journal.readable = true;
        // It may have worked on another one before.
        if entry.store.as_deref() != Some(store) {
            continue;
        }
        if entry.exit.as_deref() == Some("0") {
            journal.success = journal.success.max(Some(time));
        }
        if time > now - DAY {
            let deleted = entry.deleted.and_then(|deleted| deleted.parse().ok());
            journal.deleted += deleted.unwrap_or(0u64);
        }
    }
    journal.no_login_in_8_days = first < now - 8 * DAY && logins.trim().is_empty();
    journal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_days_are_counted() {
        let now = 1_000_000_000;
        let entry = |age: i64, deleted: u32, exit: u8| {
            let time = (now - age) * 1_000_000;
            format!(
                "{{\"__REALTIME_TIMESTAMP\":\"{time}\",\"SESSIONS_DELETED\":\"{deleted}\",\"EXIT_CODE\":\"{exit}\",\"SESSION_STORE\":\"/s\"}}\n"
            )
        };
        let runs = entry(9 * DAY, 5, 0) + &entry(7_200, 7, 0) + &entry(3_600, 2, 1) + "no json\n";
        let journal = Journal {
            success: Some(now - 7_200),
            deleted: 9,
            readable: true,
            no_login_in_8_days: true,
        };
        assert_eq!(told(&runs, "", "/s", now), journal);
        let elsewhere = told(&runs, "", "/other", now);
        assert_eq!((elsewhere.success, elsewhere.deleted), (None, 0));
        assert!(elsewhere.readable);
        assert!(!told(&runs, "{}", "/s", now).no_login_in_8_days);
        assert!(!told(&entry(DAY, 1, 0), "", "/s", now).no_login_in_8_days);
    }
}
