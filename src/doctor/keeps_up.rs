//! `keeps-up`: whether what is due really goes, and whether this is the store where sessions are saved.

use super::Case;
use super::finding::{Finding, Status};
use super::host::store::Audit;
use super::host::systemd::Unit;
use super::words::{ago, lasting};
use crate::redact::{self, Shown, shell, shown};

pub const ID: &str = "keeps-up";

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// A run an hour, and one more that came late.
const USUAL: i64 = 3 * HOUR;

/// The classes whose files a window ends, and that window.
const WINDOWS: [(&str, &str); 2] = [
    ("authenticated", "authenticated_window"),
    ("anonymous", "anonymous_window"),
];

pub struct Evidence {
    /// Somebody reaps this store: a timer or cron.
    pub is_reaped: bool,
    /// For how long the timer has been on, if it is known.
    pub on_for: Option<i64>,
    pub last_success: Option<i64>,
    pub counts: Counts,
    /// Files that were deleted within a day, if the journal tells.
    pub deleted: Option<u64>,
    /// A store of an Odoo that runs, where this one is dormant.
    pub alive: Option<Shown>,
    pub unit: Option<Shown>,
}

pub struct Counts {
    pub files: u64,
    pub due: u64,
    /// For how long the oldest due file has been due, in seconds.
    pub overdue: Option<i64>,
    /// Files that were saved within a day, and are still there.
    pub arrived: u64,
    /// Nothing was saved for so long, and that is longer than the shortest window.
    pub dormant: Option<i64>,
}

pub fn gather(case: &Case<'_>, audit: &Audit, is_reaped: bool, success: Option<i64>) -> Evidence {
    let now = case.host.now;
    let unit = case.unit;
    let journal = &case.journal;
    Evidence {
        is_reaped,
        on_for: unit.and_then(|unit| unit.since).map(|since| now - since),
        last_success: success.map(|success| now - success),
        counts: counts(audit, now),
        deleted: journal.readable.then_some(journal.deleted),
        alive: case.others_alive().next().map(redact::path),
        unit: unit.map(Unit::shown),
    }
}

fn counts(audit: &Audit, now: i64) -> Counts {
    let overdue = WINDOWS.iter().filter_map(|(class, option)| {
        let row = audit.plain(class)?;
        let window = i64::try_from(audit.longest(option)?).ok()?;
        // The oldest login may be protected; then its age says nothing.
        let protected = *class == "authenticated" && audit.protects_logins();
        let oldest = row.oldest.filter(|_| row.due.files > 0 && !protected)?;
        Some(now - oldest - window)
    });
    let saved = audit.store.last_change.unwrap_or(now);
    Counts {
        files: audit.total.files,
        due: audit.total.due.files,
        overdue: overdue.max(),
        arrived: audit.total.younger_than(DAY as u64),
        dormant: audit.store.dormant.then_some(now - saved),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    let counts = &evidence.counts;
    if let Some(since) = counts.dormant {
        return dormant(since, evidence);
    }
    if !evidence.is_reaped {
        return find(
            Status::Unknown,
            shown![due(counts), ", and nobody was seen to reap them"],
        );
    }
    let late = counts.overdue.unwrap_or(0);
    let young = evidence.on_for.is_some_and(|on_for| on_for < DAY);
    let silent = evidence.last_success.is_some_and(|age| age > DAY);
    let status = match () {
        () if silent || late > DAY && !young => Status::Problem,
        () if late > USUAL && !young => Status::Warning,
        () => Status::Ok,
    };
    let finding = find(status, flow(counts, evidence));
    match (&evidence.unit, status) {
        (_, Status::Ok) => finding,
        (Some(unit), _) => {
            let unit = shell(unit);
            let look = shown!["; sudo journalctl -n 20 -u ", &unit];
            finding.cured_by(shown!["sudo systemctl start ", unit, look])
        }
        (None, _) => {
            finding.cured_by("# run its line of cron by hand, and read what it says".into())
        }
    }
}

fn dormant(since: i64, evidence: &Evidence) -> Finding {
    let told = shown!["nothing was saved here for ", lasting(since)];
    let Some(data_dir) = &evidence.alive else {
        let told = shown![told, "; runs leave such a store alone"];
        return Finding::new(ID, Status::Warning, told).cured_by(
            "# is this the data_dir of your Odoo? ask: odoo-session-reaper doctor".into(),
        );
    };
    let told = shown![told, ": Odoo saves in ", data_dir, " now"];
    Finding::new(ID, Status::Problem, told).cured_by(shown![
        "sudo odoo-session-reaper doctor --data-dir ",
        shell(data_dir)
    ])
}

fn due(counts: &Counts) -> Shown {
    shown![counts.due, " of ", counts.files, " files are due"]
}

/// What came, what went, and what has been waiting to go.
fn flow(counts: &Counts, evidence: &Evidence) -> Shown {
    let success = match evidence.last_success {
        Some(age) => shown!["last success ", ago(age)],
        None => "no success was seen yet".into(),
    };
    let overdue = match counts.overdue {
        Some(overdue) if overdue > 0 => shown![", the oldest since ", lasting(overdue)],
        _ => Shown::default(),
    };
    let came = counts.arrived;
    let flow = match evidence.deleted {
        Some(deleted) => shown!["; in a day ", came, " came and ", deleted, " were deleted"],
        None => shown!["; ", came, " came in a day"],
    };
    shown![success, "; ", due(counts), overdue, flow]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_up_if_nothing_is_due_for_long() {
        let seen = |overdue, on_for, success| Evidence {
            is_reaped: true,
            on_for: Some(on_for),
            last_success: success,
            counts: Counts {
                files: 90,
                due: 9,
                overdue,
                arrived: 40,
                dormant: None,
            },
            deleted: Some(30),
            alive: None,
            unit: Some("x".into()),
        };
        for (overdue, on_for, success, status, told) in [
            (
                None,
                9 * DAY,
                Some(720),
                Status::Ok,
                "last success 12 minutes ago; 9 of 90 files are due; in a day 40 came and 30 were deleted",
            ),
            (
                Some(HOUR),
                9 * DAY,
                Some(720),
                Status::Ok,
                "last success 12 minutes ago; 9 of 90 files are due, the oldest since 1 hour; in a day 40 came and 30 were deleted",
            ),
            (
                Some(5 * HOUR),
                9 * DAY,
                Some(720),
                Status::Warning,
                "last success 12 minutes ago; 9 of 90 files are due, the oldest since 5 hours; in a day 40 came and 30 were deleted",
            ),
            (
                Some(2 * DAY),
                9 * DAY,
                Some(720),
                Status::Problem,
                "last success 12 minutes ago; 9 of 90 files are due, the oldest since 2 days; in a day 40 came and 30 were deleted",
            ),
            (
                Some(2 * DAY),
                HOUR,
                None,
                Status::Ok,
                "no success was seen yet; 9 of 90 files are due, the oldest since 2 days; in a day 40 came and 30 were deleted",
            ),
            (
                None,
                9 * DAY,
                Some(2 * DAY),
                Status::Problem,
                "last success 2 days ago; 9 of 90 files are due; in a day 40 came and 30 were deleted",
            ),
        ] {
            let finding = judge(&seen(overdue, on_for, success));
            assert_eq!((finding.status, &*finding.evidence), (status, told));
            assert_eq!(finding.cure.is_none(), status == Status::Ok);
        }
        let nobody = Evidence {
            is_reaped: false,
            ..seen(None, 0, None)
        };
        assert_eq!(judge(&nobody).status, Status::Unknown);
    }

    #[test]
    fn a_dormant_store_is_bad_if_odoo_saves_elsewhere() {
        let seen = |alive: Option<Shown>| Evidence {
            is_reaped: true,
            on_for: None,
            last_success: Some(60),
            counts: Counts {
                files: 1,
                due: 1,
                overdue: None,
                arrived: 0,
                dormant: Some(20 * DAY),
            },
            deleted: None,
            alive,
            unit: None,
        };
        let moved = judge(&seen(Some("/srv/new".into())));
        assert_eq!(moved.status, Status::Problem);
        assert_eq!(
            moved.evidence,
            "nothing was saved here for 20 days: Odoo saves in /srv/new now"
        );
        assert_eq!(
            moved.cure,
            Some("sudo odoo-session-reaper doctor --data-dir /srv/new".into())
        );
        assert_eq!(judge(&seen(None)).status, Status::Warning);
    }
}
