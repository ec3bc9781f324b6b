//! `room`: how much there is for more files, and until when.

use super::finding::{Finding, Status};
use super::host::store::Audit;
use super::words::day;
use super::{Case, DAY};
use crate::redact::{self, Shown, shown};
use crate::report::numbers::bytes;

/// Full within so many days is a problem, or a warning.
const SOON: i64 = 3;
const SOMETIME: i64 = 21;

/// Less of the whole, in percent, is a problem, or a warning.
const LITTLE: u64 = 2;
const FEW: u64 = 10;

pub fn judge(case: &Case<'_>, audit: &Audit) -> Finding {
    let arrived = audit.total.younger_than(DAY);
    let more = match case.is_reaped() {
        false => arrived,
        true if case.journal.readable => arrived.saturating_sub(case.journal.deleted),
        // Without the journal nobody knows what went, so there is no rate.
        true => 0,
    };
    let each = audit.total.disk_bytes / audit.total.files.max(1);
    let room = &audit.file_system;
    let inodes = room.inodes.zip(room.inodes_free);
    let inodes = inodes.map(|inodes| left(inodes, more, case.host.now, Shown::from));
    let space = |number: u64| redact::printable(bytes(number).as_bytes());
    let bytes = room.bytes.zip(room.bytes_free);
    let bytes = bytes.map(|it| left(it, more.saturating_mul(each), case.host.now, space));
    let Some(status) = inodes.iter().chain(&bytes).map(|(status, _)| *status).max() else {
        let told = "this file system does not tell";
        return Finding::unknown(told, shown!("df -h {}", case.data_dir()));
    };
    let part = |left: Option<(Status, Shown)>| left.map_or("no fixed number".into(), |it| it.1);
    let told = shown!("inodes: {}; space: {}", part(inodes), part(bytes));
    if status == Status::Ok {
        return Finding::ok(told);
    }
    let cure = shown!(
        "sudo odoo-session-reaper reap --data-dir {} --anonymous-window 1h --dry-run    # what would go; without --dry-run it goes",
        case.data_dir()
    );
    Finding::new(status, told).cured_by(cure)
}

/// What is left of something that has an end, where so much more is used each day.
fn left(
    (total, free): (u64, u64),
    growth: u64,
    now: i64,
    number: impl Fn(u64) -> Shown,
) -> (Status, Shown) {
    let percent = free.saturating_mul(100) / total.max(1);
    let days = free.checked_div(growth);
    let days = days.and_then(|days| i64::try_from(days).ok());
    let full = days.filter(|days| *days < SOMETIME);
    let status = match full {
        Some(..SOON) => Status::Problem,
        _ if percent < LITTLE => Status::Problem,
        Some(_) => Status::Warning,
        None if percent < FEW => Status::Warning,
        None => Status::Ok,
    };
    let until = full.map(|days| {
        let then = day(now.saturating_add(days * DAY), now);
        shown!(", full on {} at the last day's rate", then)
    });
    let told = shown!(
        "{} ({} %) free{}",
        number(free),
        percent,
        until.unwrap_or_default()
    );
    (status, told)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::{Finding, Status};
    use super::super::tests::Scene;

    fn judge(inodes_free: u64, growth: u64) -> Finding {
        let ages = json!([{ "up_to": super::DAY, "files": growth }]);
        let room = json!({
            "inodes": 1_000, "inodes_free": inodes_free, "bytes": 1_000_000, "bytes_free": 900_000
        });
        Scene::new(json!({ "file_system": room, "total": { "ages": ages } })).judge(super::judge)
    }

    #[test]
    fn it_says_when_it_is_full() {
        for (free, growth, status, told) in [
            (
                900,
                0,
                Status::Ok,
                "inodes: 900 (90 %) free; space: 900 kB (90 %) free",
            ),
            (
                900,
                1,
                Status::Ok,
                "inodes: 900 (90 %) free; space: 900 kB (90 %) free",
            ),
            (
                900,
                180,
                Status::Warning,
                "inodes: 900 (90 %) free, full on Thursday at the last day's rate; space: 900 kB (90 %) free",
            ),
            (
                900,
                400,
                Status::Problem,
                "inodes: 900 (90 %) free, full on Monday at the last day's rate; space: 900 kB (90 %) free",
            ),
            (
                90,
                0,
                Status::Warning,
                "inodes: 90 (9 %) free; space: 900 kB (90 %) free",
            ),
            (
                10,
                0,
                Status::Problem,
                "inodes: 10 (1 %) free; space: 900 kB (90 %) free",
            ),
        ] {
            let finding = judge(free, growth);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
        let without = Scene::new(json!({})).judge(super::judge);
        assert_eq!(without.status, Status::Unknown);
    }
}
