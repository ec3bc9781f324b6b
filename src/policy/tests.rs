#![allow(clippy::unwrap_used)]

use super::*;
use crate::session::{Devices, Uid};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

fn policy() -> Policy {
    Policy::new(rules(), BTreeMap::new(), NOW)
}

fn rules() -> Rules {
    Rules {
        windows: Windows {
            authenticated: days(7),
            anonymous: days(1),
            cart: days(3),
            leftover: days(2),
            unreadable: None,
        },
        keep_logins: Vec::new(),
        max_lifetime: None,
    }
}

fn ago(secs: i64) -> Timestamp {
    Timestamp::from_secs(NOW.secs - secs)
}

/// The metadata of some file, with these times.
fn stat(mtime: Timestamp, atime: Timestamp) -> Stat {
    Stat {
        mtime,
        atime: Some(atime),
        size: 9,
        ..crate::store::stat::at(rustix::fs::CWD, c"/").unwrap()
    }
}

/// That of a file that was saved then, and not read since.
fn saved(at: Timestamp) -> Stat {
    stat(at, at)
}

fn empty(at: Timestamp) -> Stat {
    Stat {
        size: 0,
        ..saved(at)
    }
}

fn visitor() -> Session<'static> {
    Session {
        uid: None,
        login: None,
        db: None,
        cart: false,
        pending_2fa: false,
        pre_uid: None,
        pre_login: None,
        deletion_time: None,
        devices: Devices::NONE,
    }
}

fn user() -> Session<'static> {
    Session {
        uid: Some(Uid::Number(2)),
        ..visitor()
    }
}

fn judged(session: Session<'static>, age: i64) -> (Class, Verdict) {
    policy().judge(Kind::Sharded, &Content::Session(session), &saved(ago(age)))
}

fn expired(window: Duration) -> Verdict {
    Verdict::Due {
        reason: Reason::Expired,
        window,
    }
}

const YOUNG: Verdict = Verdict::Keep(Kept::Young);

#[test]
fn each_class_has_its_window() {
    let cart = || Session {
        cart: true,
        ..visitor()
    };
    for (session, class, window) in [
        (user(), Class::Authenticated, 7),
        (
            Session {
                cart: true,
                ..user()
            },
            Class::Authenticated,
            7,
        ),
        (visitor(), Class::Anonymous, 1),
        (
            Session {
                pending_2fa: true,
                ..visitor()
            },
            Class::Pending2fa,
            1,
        ),
        (cart(), Class::Cart, 3),
        (
            Session {
                pending_2fa: true,
                ..cart()
            },
            Class::Cart,
            3,
        ),
    ] {
        let edge = window * DAY;
        let at_edge = policy().judge(
            Kind::Flat,
            &Content::Session(Session {
                login: None,
                db: None,
                ..session
            }),
            &saved(ago(edge)),
        );
        assert_eq!(
            at_edge,
            (class, YOUNG),
            "exactly as old as the window is not older"
        );
        let session = match class {
            Class::Authenticated => user(),
            Class::Cart => cart(),
            Class::Pending2fa => Session {
                pending_2fa: true,
                ..visitor()
            },
            _ => visitor(),
        };
        assert_eq!(
            judged(session, edge + 1),
            (class, expired(days(window as u64)))
        );
    }
}

#[test]
fn the_shortest_and_the_longest_window_may_be_anybodys() {
    for [authenticated, anonymous, cart] in [[1, 2, 3], [2, 3, 1], [3, 1, 2]].map(|w| w.map(days)) {
        let mut rules = rules();
        rules.windows = Windows {
            authenticated,
            anonymous,
            cart,
            ..rules.windows
        };
        let of = |class| rules.windows.of(class);
        let bounds = [of(Class::Superseded), of(Class::NotRead)];
        assert_eq!(bounds, [Some(days(1)), Some(days(3))]);
        let policy = Policy::new(rules, BTreeMap::new(), NOW);
        assert_eq!([policy.shortest(), policy.longest()], [days(1), days(3)]);
    }
}

#[test]
fn a_superseded_session_is_due_at_the_shortest_window_once_odoo_refuses_it() {
    let superseded = |at: i64| Session {
        deletion_time: Some((NOW.secs - at) as f64),
        ..user()
    };
    let due = Verdict::Due {
        reason: Reason::Superseded,
        window: days(1),
    };
    assert_eq!(judged(superseded(DAY), DAY), (Class::Superseded, YOUNG));
    assert_eq!(judged(superseded(DAY), DAY + 1), (Class::Superseded, due));
    assert_eq!(
        judged(superseded(-HOUR), DAY + 1),
        (Class::Superseded, YOUNG)
    );
    // Not before that second is over.
    assert_eq!(judged(superseded(0), DAY + 1), (Class::Superseded, YOUNG));
    assert_eq!(
        judged(superseded(-HOUR), 7 * DAY + 1),
        (Class::Superseded, expired(days(7)))
    );
}

#[test]
fn keeps_what_does_not_read_as_a_session() {
    let broken = Content::Unreadable(Unreadable::NotADictionary);
    let old = &saved(ago(900 * DAY));
    assert_eq!(
        policy().judge(Kind::Sharded, &broken, old),
        (Class::Unreadable, Verdict::Keep(Kept::Unreadable))
    );
    assert_eq!(
        policy().judge(Kind::Irregular, &broken, old),
        (Class::Foreign, Verdict::Keep(Kept::Foreign))
    );
    assert_eq!(
        policy().judge(Kind::Irregular, &Content::Empty, old),
        (Class::Foreign, Verdict::Keep(Kept::Foreign))
    );
}

#[test]
fn an_unreadable_window_covers_what_was_read_and_nothing_else() {
    let mut rules = rules();
    rules.windows.unreadable = Some(days(30));
    let policy = Policy::new(rules, BTreeMap::new(), NOW);
    let broken = Content::Unreadable(Unreadable::NotADictionary);
    let old = &saved(ago(31 * DAY));
    assert_eq!(
        policy.judge(Kind::Flat, &broken, old),
        (Class::Unreadable, expired(days(30)))
    );
    assert_eq!(
        policy.judge(Kind::Flat, &broken, &saved(ago(DAY))),
        (Class::Unreadable, YOUNG)
    );
    assert_eq!(
        policy.judge(Kind::Flat, &Content::Unknown, old),
        (Class::Unreadable, Verdict::Keep(Kept::Unreadable))
    );
    assert_eq!(
        policy.judge(Kind::Irregular, &broken, old),
        (Class::Foreign, Verdict::Keep(Kept::Foreign))
    );
}

#[test]
fn an_implausible_time_keeps_the_file() {
    let keep = Verdict::Keep(Kept::ImplausibleTime);
    assert_eq!(judged(visitor(), -301).1, keep);
    assert_eq!(judged(visitor(), -300).1, YOUNG);
    let broken_clock = &saved(Timestamp::from_secs(EARLIEST.secs - 1));
    assert_eq!(
        policy()
            .judge(Kind::Flat, &Content::Session(visitor()), broken_clock)
            .1,
        keep
    );
    assert_eq!(
        policy().glance(Kind::UnfinishedSave, broken_clock),
        Glance::Settled(Class::UnfinishedSave, keep)
    );
}

/// A policy that goes by reads, on such a mount.
fn by_reads(reads: Reads) -> Policy {
    Policy {
        last_seen: LastSeen::Atime,
        reads,
        ..policy()
    }
}

#[test]
fn a_login_was_seen_when_it_was_read_last_as_far_as_the_mount_tells() {
    use Reads::{Daily, Each, Never, Unknown};
    let broken = NOW.secs - EARLIEST.secs + 1;
    for (reads, saved, read, seen) in [
        (Each, 9 * DAY, 2 * DAY, 2 * DAY),
        // With relatime the last read can be a day later than its note, but is not in the future.
        (Daily, 9 * DAY, 2 * DAY, DAY),
        (Daily, 9 * DAY, HOUR, 0),
        (Daily, 9 * DAY, 9 * DAY - 1, 8 * DAY - 1),
        // Nobody knows.
        (Never, 9 * DAY, HOUR, 9 * DAY),
        (Unknown, 9 * DAY, HOUR, 9 * DAY),
        // Not read since its save.
        (Each, DAY, 9 * DAY, DAY),
        (Daily, 2 * DAY, 2 * DAY, 2 * DAY),
        (Daily, HOUR, DAY, HOUR),
        // A backup reads everything, each night; so does who clicks in one tab for months.
        (Each, 90 * DAY, HOUR, HOUR),
        (Each, 91 * DAY, HOUR, DAY),
        (Daily, 120 * DAY, HOUR, 30 * DAY),
        // A clock that was ahead left its notes behind, and relatime does not renew them.
        (Each, 9 * DAY, -300, 0),
        (Daily, 9 * DAY, -300, 0),
        (Each, 9 * DAY, -301, 0),
        (Daily, 9 * DAY, -8 * DAY, 0),
        (Daily, 91 * DAY, -4_000 * DAY, DAY),
        (Daily, 97 * DAY + 1, -4_000 * DAY, 7 * DAY + 1),
        (Each, 9 * DAY, broken, 9 * DAY),
        // A broken save is not mended by a read, neither now nor by the bound of 90 days.
        (Each, broken, HOUR, broken),
        (Daily, broken, broken - DAY, broken),
        (Each, -DAY, HOUR, -DAY),
        (Each, -DAY, -2 * DAY, -DAY),
        // Not seen before it was saved, by a clock that runs behind.
        (Each, -100, -200, -100),
        (Daily, broken - 1, broken - 2, broken - 2 - DAY),
    ] {
        let policy = by_reads(reads);
        let stat = stat(ago(saved), ago(read));
        for class in [
            Class::Authenticated,
            Class::Protected,
            Class::Cart,
            Class::NotRead,
        ] {
            let told = NOW.secs - policy.seen(class, &stat).secs;
            assert_eq!(told, seen, "{reads:?}: saved {saved}, read {read} ago");
        }
        let unasked = Policy {
            last_seen: LastSeen::Mtime,
            ..by_reads(reads)
        };
        assert_eq!(unasked.seen(Class::Authenticated, &stat), stat.mtime);
        let with_a_trace = Stat {
            atime: None,
            ..stat
        };
        assert_eq!(policy.seen(Class::Authenticated, &with_a_trace), stat.mtime);
    }
}

#[test]
fn reads_keep_logins_and_carts_and_nothing_else() {
    let policy = by_reads(Reads::Daily);
    let read = stat(ago(9 * DAY), ago(HOUR));
    let of = |session| policy.judge(Kind::Flat, &Content::Session(session), &read);
    assert_eq!(of(user()), (Class::Authenticated, YOUNG));
    let cart = Session {
        cart: true,
        ..visitor()
    };
    assert_eq!(of(cart), (Class::Cart, YOUNG));
    assert_eq!(of(visitor()), (Class::Anonymous, expired(days(1))));
    let pending = Session {
        pending_2fa: true,
        ..visitor()
    };
    assert_eq!(of(pending), (Class::Pending2fa, expired(days(1))));
    // Whoever is active reads the new file; before its deletion time the old one is a login like any other.
    let twin = |at: i64| Session {
        deletion_time: Some((NOW.secs - at) as f64),
        ..user()
    };
    let due = Verdict::Due {
        reason: Reason::Superseded,
        window: days(1),
    };
    assert_eq!(of(twin(60)), (Class::Superseded, due));
    assert_eq!(of(twin(-60)), (Class::Superseded, YOUNG));
    let empty = policy.judge(Kind::Flat, &Content::Empty, &read);
    assert_eq!(empty, (Class::Anonymous, expired(days(1))));
    let without_size = Stat { size: 0, ..read };
    for (kind, class, window) in [
        (Kind::Sharded, Class::Anonymous, 1),
        (Kind::UnfinishedSave, Class::UnfinishedSave, 2),
        (Kind::UploadStash, Class::UploadStash, 2),
    ] {
        let due = Glance::Settled(class, expired(days(window)));
        assert_eq!(policy.glance(kind, &without_size), due);
    }
}

#[test]
fn a_click_8_seconds_ago_keeps_a_login_with_a_window_of_a_day() {
    let mut rules = rules();
    rules.windows.authenticated = days(1);
    let policy = Policy {
        last_seen: LastSeen::Atime,
        reads: Reads::Daily,
        ..Policy::new(rules, BTreeMap::new(), NOW)
    };
    // He has clicked all day: the note of yesterday is not a day old when he clicks, and so stays.
    let judged = |noted| {
        let stat = stat(ago(9 * DAY), ago(noted));
        policy
            .judge(Kind::Sharded, &Content::Session(user()), &stat)
            .1
    };
    assert_eq!(judged(DAY + 8), YOUNG);
    assert_eq!(judged(2 * DAY), YOUNG);
    assert_eq!(judged(2 * DAY + 1), expired(days(1)));
}

#[test]
fn whoever_reads_every_night_keeps_a_login_for_90_days_and_its_window() {
    for (reads, saved, verdict) in [
        (Reads::Each, 97 * DAY, YOUNG),
        (Reads::Daily, 97 * DAY, YOUNG),
        (Reads::Each, 97 * DAY + 1, expired(days(7))),
        (Reads::Daily, 120 * DAY, expired(days(7))),
    ] {
        let policy = by_reads(reads);
        let stat = stat(ago(saved), ago(8 * HOUR));
        let judged = policy.judge(Kind::Flat, &Content::Session(user()), &stat);
        assert_eq!(judged, (Class::Authenticated, verdict), "{reads:?} {saved}");
        // It would be announced.
        assert_eq!(policy.active_within(days(7), &stat), Active::Yes);
    }
}

#[test]
fn a_glance_takes_for_recent_what_is_whoever_it_belongs_to() {
    let mut policy = by_reads(Reads::Each);
    let recent = Glance::Settled(Class::Recent, YOUNG);
    let read_today = |saved| stat(ago(saved), ago(HOUR));
    assert_eq!(policy.glance(Kind::Flat, &read_today(DAY)), recent);
    let might_be_a_visitor = policy.glance(Kind::Flat, &read_today(DAY + 1));
    assert_eq!(might_be_a_visitor, Glance::MustRead);
    // Without reading, the later of both decides, because it might be a login.
    policy.by_age_only = vec![Kind::Flat];
    let condemned = Glance::Settled(Class::NotRead, expired(days(7)));
    for (reads, read, glance) in [
        (Reads::Each, 7 * DAY, Glance::MustRead),
        (Reads::Each, 7 * DAY + 1, condemned),
        (Reads::Daily, 8 * DAY, Glance::MustRead),
        (Reads::Daily, 8 * DAY + 1, condemned),
        (Reads::Unknown, HOUR, condemned),
    ] {
        policy.reads = reads;
        let stat = stat(ago(9 * DAY), ago(read));
        assert_eq!(policy.glance(Kind::Flat, &stat), glance, "{reads:?} {read}");
    }
}

#[test]
fn whoever_is_due_was_active_if_the_mount_says_so_and_perhaps_if_it_cannot_tell() {
    use Active::{No, Perhaps, Yes};
    let hours = |hours: i64| hours * HOUR;
    for (reads, saved, read, active) in [
        (Reads::Each, 9 * DAY, DAY, Yes),
        (Reads::Each, 9 * DAY, 7 * DAY, Yes),
        (Reads::Each, 9 * DAY, 7 * DAY + 1, No),
        (Reads::Daily, 9 * DAY, 7 * DAY, Yes),
        (Reads::Daily, 9 * DAY, 7 * DAY + 1, Perhaps),
        (Reads::Daily, 9 * DAY, 8 * DAY, Perhaps),
        (Reads::Daily, 9 * DAY, 8 * DAY + 1, No),
        // 14 and 15 read the file in the request that saves it, and no click of the next day is noted.
        (Reads::Daily, 7 * DAY + 9, 7 * DAY + 8, Perhaps),
        // Not read since its save, which would have been noted.
        (Reads::Daily, hours(170), hours(170), No),
        (Reads::Daily, hours(170), hours(180), No),
        // A note in the future is never renewed.
        (Reads::Daily, 9 * DAY, -DAY, Perhaps),
    ] {
        let stat = stat(ago(saved), ago(read));
        for last_seen in [LastSeen::Mtime, LastSeen::Atime] {
            let policy = Policy {
                last_seen,
                ..by_reads(reads)
            };
            let told = policy.active_within(days(7), &stat);
            assert_eq!(told, active, "{reads:?}: saved {saved}, read {read} ago");
        }
        let with_a_trace = Stat {
            atime: None,
            ..stat
        };
        assert_eq!(policy().active_within(days(7), &with_a_trace), Perhaps);
    }
}

#[test]
fn reads_count_where_they_are_noted_and_no_login_goes_where_they_never_are() {
    for (reads, basis, count) in [
        (Reads::Each, Basis::AsAsked, true),
        (Reads::Daily, Basis::AsAsked, true),
        (Reads::Unknown, Basis::SavesAlone, false),
        (Reads::Never, Basis::Refused, false),
    ] {
        assert_eq!(LastSeen::Atime.on(reads), basis);
        assert_eq!(by_reads(reads).reads_count(), count);
        assert_eq!(LastSeen::Mtime.on(reads), Basis::AsAsked);
        let unasked = Policy { reads, ..policy() };
        assert!(!unasked.reads_count());
    }
}

#[test]
fn a_store_is_dormant_once_it_did_not_change_for_longer_than_the_shortest_window() {
    let dormant = |unchanged| policy().dormant(&saved(ago(unchanged)));
    assert!(!dormant(DAY) && dormant(DAY + 1) && !dormant(-9 * DAY));
}

#[test]
fn all_rules_are_the_general_ones_and_those_of_each_database() {
    let policy = with_shop(|rules| rules.windows.cart = days(4));
    assert_eq!(policy.databases().keys().collect::<Vec<_>>(), ["shop"]);
    let carts: Vec<_> = policy.all_rules().map(|rules| rules.windows.cart).collect();
    assert_eq!(carts, [days(3), days(4)]);
}

#[test]
fn reasons_and_clocks_have_the_names_that_scripts_look_for() {
    let reasons = [Reason::Expired, Reason::Superseded, Reason::Lifetime];
    let names = reasons.map(Reason::name);
    assert_eq!(names, ["expired", "superseded", "lifetime"]);
    let clocks = [LastSeen::Mtime, LastSeen::Atime].map(LastSeen::name);
    assert_eq!(clocks, ["mtime", "atime"]);
}

#[test]
fn a_glance_settles_what_content_cannot_change() {
    let policy = policy();
    let settled = |kind, age, size| {
        let stat = saved(ago(age));
        policy.glance(kind, &Stat { size, ..stat })
    };
    assert_eq!(
        settled(Kind::Foreign, 900 * DAY, 0),
        Glance::Settled(Class::Foreign, Verdict::Keep(Kept::Foreign))
    );
    assert_eq!(
        settled(Kind::Flat, DAY, 9),
        Glance::Settled(Class::Recent, YOUNG)
    );
    assert_eq!(settled(Kind::Flat, DAY + 1, 9), Glance::MustRead);
    assert_eq!(settled(Kind::Irregular, DAY + 1, 0), Glance::MustRead);
    assert_eq!(
        settled(Kind::Sharded, DAY + 1, 0),
        Glance::Settled(Class::Anonymous, expired(days(1)))
    );
    for (kind, class) in [
        (Kind::UnfinishedSave, Class::UnfinishedSave),
        (Kind::UploadStash, Class::UploadStash),
    ] {
        assert_eq!(settled(kind, 2 * DAY, 5), Glance::Settled(class, YOUNG));
        assert_eq!(
            settled(kind, 2 * DAY + 1, 5),
            Glance::Settled(class, expired(days(2)))
        );
    }
}

#[test]
fn unread_condemns_regular_names_older_than_every_window() {
    let policy = Policy {
        by_age_only: vec![Kind::Flat, Kind::Sharded],
        ..policy()
    };
    let seven = 7 * DAY;
    let condemned = Glance::Settled(Class::NotRead, expired(days(7)));
    assert_eq!(policy.glance(Kind::Flat, &saved(ago(seven + 1))), condemned);
    assert_eq!(
        policy.glance(Kind::Flat, &saved(ago(seven))),
        Glance::MustRead
    );
    assert_eq!(
        policy.glance(Kind::Irregular, &saved(ago(seven + 1))),
        Glance::MustRead
    );
    let broken_clock = &saved(Timestamp::from_secs(EARLIEST.secs - 1));
    assert_eq!(policy.glance(Kind::Flat, broken_clock), Glance::MustRead);
}

fn text(text: &str) -> Option<crate::session::Text<'_>> {
    Some(crate::session::Text::from(text.as_bytes()))
}

/// A user of a database, whose file says what `json` says beside it.
fn bob(json: &str) -> Session<'static> {
    let file = format!(r#"{{"uid": 7, "db": "shop", "login": "bob", "debug": ""{json}}}"#);
    let mut scratch = crate::session::Scratch::default();
    crate::session::read(file.leak().as_bytes(), &mut scratch).unwrap()
}

/// One login `age` seconds ago.
fn logged_in(age: i64) -> String {
    let at = NOW.secs - age;
    format!(r#", "_trace": [{{"first_activity": {at}, "last_activity": {at}}}]"#)
}

fn by(policy: &Policy, session: Session<'_>, age: i64) -> (Class, Verdict) {
    policy.judge(Kind::Sharded, &Content::Session(session), &saved(ago(age)))
}

fn with_shop(change: impl Fn(&mut Rules)) -> Policy {
    let mut shop = rules();
    change(&mut shop);
    Policy::new(rules(), BTreeMap::from([("shop".to_owned(), shop)]), NOW)
}

#[test]
fn a_database_has_its_own_windows_and_nobody_elses() {
    let policy = with_shop(|shop| {
        shop.windows.authenticated = days(2);
        shop.windows.anonymous = days(30);
        shop.windows.cart = days(30);
    });
    for (db, user, visitor) in [
        (text("shop"), 2, 30),
        (text("Shop"), 7, 1),
        (text("shop "), 7, 1),
        (text("shop\0"), 7, 1),
        (text(""), 7, 1),
        (None, 7, 1),
        (
            Some(crate::session::Text::from(&b"shop\xed\xa0\x80"[..])),
            7,
            1,
        ),
    ] {
        for (session, window) in [(self::user(), user), (self::visitor(), visitor)] {
            let session = || Session {
                db: db.clone(),
                ..session.clone()
            };
            assert_eq!(by(&policy, session(), window * DAY).1, YOUNG, "{db:?}");
            let due = expired(days(window.unsigned_abs()));
            assert_eq!(by(&policy, session(), window * DAY + 1).1, due, "{db:?}");
        }
    }
    let superseded = Session {
        deletion_time: Some(1.0),
        db: text("shop"),
        ..user()
    };
    let due = Verdict::Due {
        reason: Reason::Superseded,
        window: days(2),
    };
    assert_eq!(by(&policy, superseded, 2 * DAY + 1).1, due);
}

#[test]
fn who_tells_when_a_login_will_be_due() {
    let mut rules = rules();
    let due_in = |rules: &Rules, class, session: &Session<'_>| {
        let policy = Policy::new(rules.clone(), BTreeMap::new(), NOW);
        policy
            .due_at(class, session, &saved(ago(HOUR)))
            .map(|at| at.secs - NOW.secs)
    };
    let superseded = |at: i64| Session {
        deletion_time: Some((NOW.secs - at) as f64),
        ..user()
    };
    for (class, session, due) in [
        (Class::Authenticated, user(), Some(7 * DAY - HOUR)),
        (Class::Protected, user(), None),
        // Until its deletion time it is a login like any other.
        (Class::Superseded, superseded(-60), Some(7 * DAY - HOUR)),
        (Class::Superseded, superseded(60), Some(DAY - HOUR)),
    ] {
        assert_eq!(due_in(&rules, class, &session), due, "{class:?}");
    }
    rules.max_lifetime = Some(days(30));
    let login = logged_in(28 * DAY);
    let lifetime = due_in(&rules, Class::Authenticated, &bob(&login));
    assert_eq!(lifetime, Some(2 * DAY));
    let young = logged_in(DAY);
    let window = due_in(&rules, Class::Authenticated, &bob(&young));
    assert_eq!(window, Some(7 * DAY - HOUR));
}

#[test]
fn a_glance_goes_by_the_windows_of_all_databases() {
    let mut policy = with_shop(|shop| {
        shop.windows.anonymous = Duration::from_secs(3_600);
        shop.windows.cart = days(30);
    });
    assert_eq!(
        (policy.shortest(), policy.longest()),
        (Duration::from_secs(3_600), days(30))
    );
    let recent = Glance::Settled(Class::Recent, YOUNG);
    assert_eq!(policy.glance(Kind::Flat, &saved(ago(HOUR))), recent);
    assert_eq!(
        policy.glance(Kind::Flat, &saved(ago(HOUR + 1))),
        Glance::MustRead
    );
    // No content, no database.
    assert_eq!(
        policy.glance(Kind::Flat, &empty(ago(DAY))),
        Glance::Settled(Class::Anonymous, YOUNG)
    );
    policy.by_age_only = vec![Kind::Flat];
    let edge = 30 * DAY;
    assert_eq!(
        policy.glance(Kind::Flat, &saved(ago(edge))),
        Glance::MustRead
    );
    assert_eq!(
        policy.glance(Kind::Flat, &saved(ago(edge + 1))),
        Glance::Settled(Class::NotRead, expired(days(30)))
    );
    assert_eq!(
        policy.glance(Kind::Sharded, &saved(ago(edge + 1))),
        Glance::MustRead,
        "of a layout that has not proved to be sessions"
    );
    assert_eq!(policy.window(Class::NotRead), Some(days(30)));
    assert_eq!(policy.window(Class::Authenticated), Some(days(7)));
}

#[test]
fn a_protected_login_never_expires_and_has_a_row_of_its_own() {
    let policy = with_shop(|shop| {
        shop.keep_logins = vec![LoginPattern::new("b?b").unwrap()];
        shop.max_lifetime = Some(days(3));
    });
    assert_eq!(policy.keep_logins(&bob(""))[0].as_str(), "b?b");
    assert!(policy.keep_logins(&user()).is_empty());
    let kept = (Class::Protected, Verdict::Keep(Kept::Protected));
    let ages = logged_in(900 * DAY);
    assert_eq!(by(&policy, bob(&ages), 800 * DAY), kept);
    assert_eq!(by(&policy, bob(""), 0), kept);
    assert!(!policy.lifetime_unknown(&bob("")));
    let elsewhere = Session {
        db: text("crm"),
        ..bob("")
    };
    assert_eq!(by(&policy, elsewhere, 800 * DAY).1, expired(days(7)));
    // Who gave the password only is a visitor, whatever his login.
    let half_way = Session {
        uid: None,
        pending_2fa: true,
        ..bob("")
    };
    assert_eq!(by(&policy, half_way, 800 * DAY).1, expired(days(1)));
    assert_eq!(policy.window(Class::Protected), None);
}

#[test]
fn a_protected_login_that_was_moved_goes_from_its_old_file() {
    let policy = with_shop(|shop| shop.keep_logins = vec![LoginPattern::new("*").unwrap()]);
    let twin = |at: i64| Session {
        deletion_time: Some((NOW.secs - at) as f64),
        ..bob("")
    };
    let due = Verdict::Due {
        reason: Reason::Superseded,
        window: days(1),
    };
    assert_eq!(by(&policy, twin(DAY), DAY + 1), (Class::Superseded, due));
    let kept = Verdict::Keep(Kept::Protected);
    assert_eq!(by(&policy, twin(-60), 9 * DAY), (Class::Superseded, kept));
}

#[test]
fn a_login_beyond_its_lifetime_is_due_however_active_it_is() {
    let policy = with_shop(|shop| shop.max_lifetime = Some(days(30)));
    let due = Verdict::Due {
        reason: Reason::Lifetime,
        window: days(30),
    };
    let judged = |login: i64, age| by(&policy, bob(&logged_in(login)), age).1;
    assert_eq!(judged(30 * DAY, 0), YOUNG);
    assert_eq!(judged(30 * DAY + 1, 0), due);
    assert_eq!(judged(31 * DAY, 8 * DAY), expired(days(7)));
    assert_eq!(judged(DAY, DAY), YOUNG);
    // What the clock cannot be right about is kept.
    assert_eq!(
        judged(31 * DAY, -HOUR),
        Verdict::Keep(Kept::ImplausibleTime)
    );
    // The earliest device counts.
    let two = format!(
        r#", "_trace": [{{"first_activity": {}}}, {{"first_activity": {}.5}}, {{"first_activity": {}}}]"#,
        NOW.secs - 5,
        NOW.secs - 31 * DAY,
        NOW.secs - 2 * DAY,
    );
    assert_eq!(by(&policy, bob(&two), 0).1, due);
    // Another database has no lifetime; a superseded file goes as it always does.
    let elsewhere = Session {
        db: None,
        ..bob(&two)
    };
    assert_eq!(by(&policy, elsewhere, 0).1, YOUNG);
    let twin = |at: i64| Session {
        deletion_time: Some((NOW.secs - at) as f64),
        ..bob(&two)
    };
    assert_eq!(by(&policy, twin(HOUR), HOUR).1, YOUNG);
    assert_eq!(by(&policy, twin(-60), 0), (Class::Superseded, due));
    // A visitor has no login.
    let visitor = Session {
        uid: None,
        ..bob(&two)
    };
    assert_eq!(by(&policy, visitor, 0).1, YOUNG);
}

#[test]
fn a_lifetime_is_never_guessed() {
    let policy = with_shop(|shop| shop.max_lifetime = Some(days(30)));
    let trace = |first: &str| format!(r#", "_trace": [{{"first_activity": {first}}}]"#);
    let ahead = NOW.secs + 301;
    for unknown in [
        String::new(),
        r#", "_trace": []"#.to_owned(),
        trace("null"),
        trace("0"),
        trace("-1e300"),
        trace("1262303999"),
        trace(&ahead.to_string()),
        trace("NaN"),
        trace("-Infinity"),
        trace("1e999"),
        trace("\"1700000000\""),
    ] {
        assert_eq!(by(&policy, bob(&unknown), 0).1, YOUNG, "{unknown}");
        assert!(policy.lifetime_unknown(&bob(&unknown)), "{unknown}");
    }
    assert!(!policy.lifetime_unknown(&bob(&logged_in(-300))));
    let elsewhere = Session {
        db: None,
        ..bob("")
    };
    assert!(!policy.lifetime_unknown(&elsewhere));
    assert!(!policy.lifetime_unknown(&visitor()));
    let twin = Session {
        deletion_time: Some(1.0),
        ..bob("")
    };
    assert!(!policy.lifetime_unknown(&twin));
    // One implausible device does not hide another.
    let two = format!(
        r#", "_trace": [{{"first_activity": 0}}, {{"first_activity": {}}}]"#,
        NOW.secs - 31 * DAY
    );
    assert!(matches!(by(&policy, bob(&two), 0).1, Verdict::Due { .. }));
}

#[test]
fn where_a_lifetime_counts_nothing_is_recent() {
    let policy = with_shop(|shop| shop.max_lifetime = Some(days(300)));
    for kind in [Kind::Flat, Kind::Sharded, Kind::Irregular] {
        assert_eq!(policy.glance(kind, &saved(ago(0))), Glance::MustRead);
    }
    assert_eq!(
        policy.glance(Kind::Flat, &empty(ago(0))),
        Glance::Settled(Class::Anonymous, YOUNG)
    );
    assert_eq!(
        policy.glance(Kind::UploadStash, &saved(ago(0))),
        Glance::Settled(Class::UploadStash, YOUNG)
    );
}
