//! What the service's own entries in the journal say of its last days.

use serde_json::Value;

use super::super::DAY;
use super::output::output;
use super::systemd::Unit;
use crate::redact::Shown;
use crate::report::{DELETION, SUMMARY};

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

impl Journal {
    /// Reads the entries of `unit` about the store that is called so there, if this user may.
    pub fn of(unit: &Unit, store: &Shown, now: i64) -> Journal {
        let service = format!("{}.service", unit.name);
        let read = |id: &str, since: &[&str]| {
            let matched = format!("MESSAGE_ID={id}");
            let fields = "--output-fields=SESSIONS_DELETED,EXIT_CODE,SESSION_STORE";
            let how = ["-q", "--no-pager", "-o", "json", fields];
            output(
                "journalctl",
                &[&how[..], since, &["-u", &service, &matched]].concat(),
            )
            .unwrap_or_default()
        };
        let runs = read(SUMMARY, &["--since=-9d"]);
        let logins = read(DELETION, &["--since=-8d", "-n", "1"]);
        told(&runs, &logins, store, now)
    }
}

fn told(runs: &str, logins: &str, store: &str, now: i64) -> Journal {
    let mut journal = Journal::default();
    let mut first = now;
    for line in runs.lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let number = |field: &str| entry[field].as_str()?.parse::<i64>().ok();
        let time = number("__REALTIME_TIMESTAMP").map_or(now, |micros| micros / 1_000_000);
        first = first.min(time);
        journal.readable = true;
        // It may have worked on another one before.
        if entry["SESSION_STORE"] != store {
            continue;
        }
        if entry["EXIT_CODE"] == "0" {
            journal.success = journal.success.max(Some(time));
        }
        if time > now - DAY {
            let deleted = number("SESSIONS_DELETED").map(i64::unsigned_abs);
            journal.deleted += deleted.unwrap_or(0);
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
