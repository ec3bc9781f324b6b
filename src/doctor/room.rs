//! `room`: how much there is for more files, and until when.

use super::Case;
use super::finding::{Finding, Status};
use super::host::store::{self, Audit};
use super::words::day;
use crate::redact::{self, Shown, shell, shown};
use crate::report::numbers::bytes;

pub const ID: &str = "room";

const DAY: i64 = 86_400;

/// Full within so many days is a problem, or a warning.
const SOON: i64 = 3;
const SOMETIME: i64 = 21;

/// Less of the whole, in percent, is a problem, or a warning.
const LITTLE: u64 = 2;
const FEW: u64 = 10;

pub struct Evidence {
    pub now: i64,
    pub room: store::Room,
    /// How many files, and bytes on disk, more there are than a day ago.
    pub growth: (u64, u64),
    pub data_dir: Shown,
}

pub fn gather(case: &Case<'_>, audit: &Audit, is_reaped: bool) -> Evidence {
    let arrived = audit.total.younger_than(DAY as u64);
    let gone = if is_reaped { case.journal.deleted } else { 0 };
    // Without the journal nobody knows what went, so there is no rate.
    let more = match is_reaped && !case.journal.readable {
        true => 0,
        false => arrived.saturating_sub(gone),
    };
    let each = audit.total.disk_bytes / audit.total.files.max(1);
    Evidence {
        now: case.host.now,
        room: audit.file_system.clone(),
        growth: (more, more.saturating_mul(each)),
        data_dir: case.data_dir(),
    }
}

/// What is left of something that has an end.
struct Left {
    told: Shown,
    status: Status,
}

pub fn judge(evidence: &Evidence) -> Finding {
    let room = &evidence.room;
    let space = |number: u64| redact::printable(bytes(number).as_bytes());
    let inodes = left(
        room.inodes,
        room.inodes_free,
        evidence.growth.0,
        evidence.now,
        Shown::from,
    );
    let bytes = left(
        room.bytes,
        room.bytes_free,
        evidence.growth.1,
        evidence.now,
        space,
    );
    let (inodes, bytes) = match (inodes, bytes) {
        (None, None) => {
            let told = "this file system does not tell".into();
            return Finding::new(ID, Status::Unknown, told)
                .cured_by(shown!["df -h ", shell(&evidence.data_dir)]);
        }
        other => other,
    };
    let part = |what: &'static str, left: &Option<Left>| match left {
        Some(left) => shown![what, &left.told],
        None => shown![what, "no fixed number"],
    };
    let told = shown![part("inodes: ", &inodes), "; ", part("space: ", &bytes)];
    let worst = [inodes, bytes]
        .into_iter()
        .flatten()
        .map(|left| left.status);
    let status = worst.max().unwrap_or(Status::Ok);
    let finding = Finding::new(ID, status, told);
    match finding.status {
        Status::Ok => finding,
        _ => finding.cured_by(shown![
            "sudo odoo-session-reaper reap --data-dir ",
            shell(&evidence.data_dir),
            " --anonymous-window 1h --dry-run    # what would go; without --dry-run it goes"
        ]),
    }
}

fn left(
    total: Option<u64>,
    free: Option<u64>,
    growth: u64,
    now: i64,
    number: impl Fn(u64) -> Shown,
) -> Option<Left> {
    let (total, free) = (total?, free?);
    let percent = free.saturating_mul(100) / total.max(1);
    let days = free
        .checked_div(growth)
        .and_then(|days| i64::try_from(days).ok());
    let full = days.filter(|days| *days < SOMETIME);
    let status = match full {
        Some(..SOON) => Status::Problem,
        _ if percent < LITTLE => Status::Problem,
        Some(_) => Status::Warning,
        None if percent < FEW => Status::Warning,
        None => Status::Ok,
    };
    let until = match full {
        Some(days) => shown![
            ", full on ",
            day(now.saturating_add(days * DAY), now),
            " at the last day's rate"
        ],
        None => Shown::default(),
    };
    Some(Left {
        told: shown![number(free), " (", percent, " %) free", until],
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_when_it_is_full() {
        // 2026-11-21, a Saturday.
        let now = 1_795_292_998;
        let seen = |inodes_free, growth| Evidence {
            now,
            room: store::Room {
                inodes: Some(1_000),
                inodes_free: Some(inodes_free),
                bytes: Some(1_000_000),
                bytes_free: Some(900_000),
            },
            growth: (growth, 0),
            data_dir: "/o".into(),
        };
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
            let finding = judge(&seen(free, growth));
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
        let without = Evidence {
            room: store::Room::default(),
            ..seen(1, 1)
        };
        assert_eq!(judge(&without).status, Status::Unknown);
    }
}
