//! `keeps-up`: whether what is due really goes, and whether this is the store where sessions are saved.

use super::finding::{Finding, Status};
use super::host::master::Master;
use super::host::store::Audit;
use super::words::{ago, lasting};
use super::{Case, DAY};
use crate::redact::{self, Shown, shell, shown};

/// A run an hour, and one more that came late.
const USUAL: i64 = 3 * 3_600;

/// The classes whose files a window ends, and that window.
const WINDOWS: [(&str, &str); 2] = [
    ("authenticated", "authenticated_window"),
    ("anonymous", "anonymous_window"),
];

pub fn judge(case: &Case<'_>, audit: &Audit) -> Finding {
    let now = case.host.now;
    if audit.store.dormant {
        return dormant(now - audit.store.last_change.unwrap_or(now), case);
    }
    let total = &audit.total;
    let due = shown!("{} of {} files are due", total.due.files, total.files);
    if !case.is_reaped() {
        let told = shown!("{}, and nobody was seen to reap them", due);
        return Finding::new(Status::Unknown, told);
    }
    let unit = case.unit();
    let on_since = unit.and_then(|unit| unit.since);
    let is_new = on_since.is_some_and(|since| now - since < DAY);
    let late = overdue(audit, now);
    let success = case.success().map(|success| now - success);
    let status = match late {
        _ if success.is_some_and(|age| age > DAY) => Status::Problem,
        _ if is_new => Status::Ok,
        late if late > DAY => Status::Problem,
        late if late > USUAL => Status::Warning,
        _ => Status::Ok,
    };
    let success = match success {
        Some(age) => shown!("last success {}", ago(age)),
        None => "no success was seen yet".into(),
    };
    let flow = flow(case, audit, late);
    let finding = Finding::new(status, shown!("{}; {}{}", success, due, flow));
    match unit.map(|unit| shell(&unit.shown())) {
        _ if status == Status::Ok => finding,
        Some(unit) => finding.cured_by(shown!(
            "sudo systemctl start {}; sudo journalctl -n 20 -u {}",
            &unit,
            unit
        )),
        None => finding.cured_by("# run its line of cron by hand, and read what it says"),
    }
}

/// What has been waiting to go, what came, and what went.
fn flow(case: &Case<'_>, audit: &Audit, late: i64) -> Shown {
    let overdue = match late {
        1.. => shown!(", the oldest since {}", lasting(late)),
        _ => Shown::default(),
    };
    let came = audit.total.younger_than(DAY);
    let deleted = case.journal.deleted;
    match case.journal.readable {
        true => shown!(
            "{}; in a day {} came and {} were deleted",
            overdue,
            came,
            deleted
        ),
        false => shown!("{}; {} came in a day", overdue, came),
    }
}

/// For how long the oldest due file has been due, in seconds.
fn overdue(audit: &Audit, now: i64) -> i64 {
    let protects = |it: &serde_json::Value| it.as_array().is_some_and(|logins| !logins.is_empty());
    let overdue = WINDOWS.iter().filter_map(|(class, option)| {
        let row = audit.plain(class)?;
        // The oldest login may be protected; then its age says nothing.
        let says_nothing = *class == "authenticated" && audit.said("keep_login").any(protects);
        let oldest = row.oldest.filter(|_| row.due.files > 0 && !says_nothing)?;
        Some(now - oldest - audit.longest(option)?)
    });
    overdue.max().unwrap_or(0)
}

fn dormant(since: i64, case: &Case<'_>) -> Finding {
    let told = shown!("nothing was saved here for {}", lasting(since));
    let (_, others) = case.masters();
    let Some(alive) = others.into_iter().find_map(Master::store) else {
        return Finding::warning(
            shown!("{}; runs leave such a store alone", told),
            "# is this the data_dir of your Odoo? ask: odoo-session-reaper doctor",
        );
    };
    let data_dir = redact::path(alive.data_dir());
    Finding::problem(
        shown!("{}: Odoo saves in {} now", told, &data_dir),
        shown!(
            "sudo odoo-session-reaper doctor --data-dir {}",
            shell(&data_dir)
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::finding::Status;
    use super::super::host::master::Master;
    use super::super::host::systemd::Unit;
    use super::super::tests::{NOW, Scene};
    use super::DAY;

    const HOUR: i64 = 3_600;

    /// 90 files, of which 9 are due, one for so long; 40 came today.
    fn audit(overdue: Option<i64>) -> Value {
        let window = 7 * DAY;
        let oldest = overdue.map(|overdue| {
            let saved = crate::time::Timestamp::from_secs(NOW - window - overdue);
            saved.rfc3339()
        });
        let visitors =
            json!({ "class": "anonymous", "files": 90, "oldest": oldest, "due": { "files": 9 } });
        json!({
            "policy": [{ "option": "anonymous_window", "value": window }],
            "classes": [visitors],
            "total": { "files": 90, "due": { "files": 9 }, "ages": [{ "up_to": DAY, "files": 40 }] },
        })
    }

    #[test]
    fn it_keeps_up_if_nothing_is_due_for_long() {
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
            let mut scene = Scene::new(audit(overdue));
            scene.host.units = Some(vec![Unit {
                since: Some(NOW - on_for),
                ..Unit::fake()
            }]);
            scene.journal.readable = true;
            scene.journal.deleted = 30;
            scene.journal.success = success.map(|age| NOW - age);
            let finding = scene.judge(super::judge);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
            assert_eq!(finding.cure.is_none(), status == Status::Ok);
        }
        let nobody = Scene::new(audit(None)).judge(super::judge);
        assert_eq!(nobody.status, Status::Unknown);
    }

    #[test]
    fn a_dormant_store_is_bad_if_odoo_saves_elsewhere() {
        let saved = crate::time::Timestamp::from_secs(NOW - 20 * DAY);
        let store = json!({
            "dormant": true, "last_change": saved.rfc3339(), "flat_files": 0, "sharded_files": 1
        });
        let mut scene = Scene::new(json!({ "store": store }));
        assert_eq!(scene.judge(super::judge).status, Status::Warning);
        let mut elsewhere = Master::fake(18, None);
        if let Some(seen) = &mut elsewhere.seen {
            seen.data_dir = Ok("/srv/new".into());
            seen.store = Some((7, 7));
        }
        scene.host.masters = vec![elsewhere];
        let moved = scene.judge(super::judge);
        assert_eq!(moved.status, Status::Problem);
        assert_eq!(
            moved.evidence,
            "nothing was saved here for 20 days: Odoo saves in /srv/new now"
        );
        assert_eq!(
            moved.cure,
            Some("sudo odoo-session-reaper doctor --data-dir /srv/new".into())
        );
    }
}
