//! Counting and merging.

use super::*;
use crate::policy::Active;
use rustix::fs::FileType;

pub(super) fn stat(age: i64, size: u64) -> Stat {
    Stat {
        file_type: FileType::RegularFile,
        ino: 1,
        mtime: Timestamp::from_secs(1_000_000 - age),
        atime: Some(Timestamp::from_secs(1_000_000 - age)),
        size,
        disk: 4096,
        links: 1,
        uid: 0,
        gid: 0,
        mode: 0o644,
        protected: false,
        mount: 1,
    }
}

fn secs(secs: i64) -> Duration {
    Duration::from_secs(secs.unsigned_abs())
}

fn found(tally: &mut Tally, kind: Kind, class: Class, stat: &Stat, age: Option<Duration>) {
    tally.found(kind, class, stat, stat.mtime, age);
}

#[test]
fn an_implausible_time_spoils_neither_ages_nor_the_oldest() {
    let mut tally = Tally::default();
    found(&mut tally, Kind::Flat, Class::Anonymous, &stat(9, 10), None);
    let row = tally.row(Class::Anonymous);
    assert_eq!(
        (row.all.files, row.oldest, row.ages),
        (1, None, [0; AGE_BUCKETS])
    );
    assert_eq!(tally.implausible_times, 1);
}

#[test]
fn a_file_falls_into_the_bucket_of_its_age() {
    let mut tally = Tally::default();
    for age in [0, 3_600, 3_601, 604_800, 604_801] {
        found(
            &mut tally,
            Kind::Flat,
            Class::Anonymous,
            &stat(age, 10),
            Some(secs(age)),
        );
    }
    let row = tally.row(Class::Anonymous);
    assert_eq!(row.ages, [2, 1, 0, 0, 1, 1, 0, 0, 0, 0]);
    assert_eq!(
        row.all,
        Pile {
            files: 5,
            bytes: 50,
            disk_bytes: 5 * 4096
        }
    );
    assert_eq!(row.oldest, Some(Timestamp::from_secs(1_000_000 - 604_801)));
    assert_eq!((tally.flat, tally.sharded), (5, 0));
}

#[test]
fn merging_adds_everything_up() {
    let mut one = Tally::default();
    found(
        &mut one,
        Kind::Sharded,
        Class::Cart,
        &stat(5, 1),
        Some(secs(5)),
    );
    one.due(Class::Cart, &stat(5, 1));
    one.error(Operation::Delete, Errno::ROFS);
    let mut two = one.clone();
    found(
        &mut two,
        Kind::Flat,
        Class::Authenticated,
        &stat(9, 1),
        Some(secs(9)),
    );
    two.foreign(None);
    two.settled(Class::Cart, &stat(5, 1));
    assert_eq!(two.error(Operation::Delete, Errno::ROFS), 1);
    *two.unreadable.entry("broken").or_default() += 1;
    one.merge(&two);
    assert_eq!(one.total().all.files, 3, "foreign files are not Odoo's");
    assert_eq!(one.total().due.files, 2);
    assert_eq!(one.row(Class::Cart).settled.files, 1);
    assert_eq!(one.row(Class::Foreign).all.files, 1);
    assert_eq!(
        one.total().oldest,
        Some(Timestamp::from_secs(1_000_000 - 9))
    );
    assert_eq!(one.failures(), 3);
    assert_eq!(one.unreadable["broken"], 1);
    assert_eq!((one.flat, one.sharded), (1, 2));
}

#[test]
fn reads_are_counted_of_sessions_and_bounces_of_visitors() {
    let [saved, read, with_a_trace] = [Some(9), Some(8), None].map(|age| Stat {
        atime: age.map(|age| stat(age, 1).mtime),
        ..stat(9, 1)
    });
    let of = |files: &[(Class, &Stat, Option<Duration>)]| {
        let mut reads = Reads::default();
        for (class, stat, age) in files {
            reads.found(*class, stat, *age);
        }
        reads
    };
    let young = Some(secs(3 * 3_600));
    let visitors = of(&[
        (Class::Anonymous, &saved, young),
        (Class::Anonymous, &saved, Some(secs(3 * 3_600 + 1))),
        (Class::Anonymous, &with_a_trace, None),
        (Class::Cart, &saved, young),
        (Class::Pending2fa, &saved, young),
        (Class::UploadStash, &read, young),
    ]);
    let bounced = Reads {
        bounced: 2,
        left_by_shorter: 2,
        ..Reads::default()
    };
    assert_eq!(visitors, bounced);
    let mut came_back = of(&[
        (Class::Anonymous, &read, young),
        (Class::Protected, &read, None),
    ]);
    for active in [Active::Yes, Active::Perhaps, Active::Perhaps, Active::No] {
        came_back.due(active);
    }
    let (mut one, mut other) = (visitors, came_back);
    one.merge(&came_back);
    other.merge(&visitors);
    let all = Reads {
        any: true,
        bounced: 2,
        left_by_shorter: 3,
        due_but_active: 1,
        perhaps_active: 2,
        ..Reads::default()
    };
    assert_eq!((one, other), (all, all));
}
