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
    policy().judge(Kind::Sharded, &Content::Session(session), ago(age))
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
            ago(edge),
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
    let old = ago(900 * DAY);
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
    let old = ago(31 * DAY);
    assert_eq!(
        policy.judge(Kind::Flat, &broken, old),
        (Class::Unreadable, expired(days(30)))
    );
    assert_eq!(
        policy.judge(Kind::Flat, &broken, ago(DAY)),
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
    let broken_clock = Timestamp::from_secs(EARLIEST.secs - 1);
    assert_eq!(
        policy()
            .judge(Kind::Flat, &Content::Session(visitor()), broken_clock)
            .1,
        keep
    );
    assert_eq!(
        policy().glance(Kind::UnfinishedSave, broken_clock, 0),
        Glance::Settled(Class::UnfinishedSave, keep)
    );
}

/// The metadata of some file, with these times.
fn stat(mtime: Timestamp, atime: Timestamp) -> Stat {
    let stat = crate::store::stat::at(rustix::fs::CWD, c"/").unwrap();
    Stat {
        mtime,
        atime,
        ..stat
    }
}

#[test]
fn where_reads_count_the_later_of_save_and_read_is_the_last_use_of_a_session() {
    let mut policy = policy();
    let [old, new] = [ago(9 * DAY), ago(DAY)];
    let long_ago = Timestamp::from_secs(EARLIEST.secs - 1);
    let sessions = [Kind::Flat, Kind::Sharded, Kind::Irregular];
    for kind in sessions {
        assert_eq!(policy.seen(kind, &stat(old, new)), old);
    }
    policy.last_seen = LastSeen::Atime;
    for kind in sessions {
        assert_eq!(policy.seen(kind, &stat(old, new)), new);
        assert_eq!(policy.seen(kind, &stat(new, old)), new);
        assert_eq!(policy.seen(kind, &stat(EARLIEST, new)), new);
        assert_eq!(policy.seen(kind, &stat(long_ago, new)), long_ago);
    }
    for leftover in [Kind::UnfinishedSave, Kind::UploadStash, Kind::Foreign] {
        assert_eq!(policy.seen(leftover, &stat(old, new)), old);
    }
}

#[test]
fn a_read_after_the_last_save_and_within_the_window_shows_an_active_user() {
    let reads = |mtime, atime| policy().read_within(days(7), &stat(ago(mtime), ago(atime)));
    assert!(reads(9 * DAY, DAY));
    assert!(reads(9 * DAY, 7 * DAY));
    assert!(!reads(9 * DAY, 7 * DAY + 1));
    assert!(!reads(DAY, DAY), "a save sets both times");
    assert!(!reads(HOUR, DAY));
    assert!(!reads(9 * DAY, -DAY), "no read comes from the future");
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
    let settled = |kind, age, size| policy.glance(kind, ago(age), size);
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
    assert_eq!(policy.glance(Kind::Flat, ago(seven + 1), 9), condemned);
    assert_eq!(policy.glance(Kind::Flat, ago(seven), 9), Glance::MustRead);
    assert_eq!(
        policy.glance(Kind::Irregular, ago(seven + 1), 9),
        Glance::MustRead
    );
    let broken_clock = Timestamp::from_secs(EARLIEST.secs - 1);
    assert_eq!(policy.glance(Kind::Flat, broken_clock, 9), Glance::MustRead);
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
    policy.judge(Kind::Sharded, &Content::Session(session), ago(age))
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
    assert_eq!(policy.glance(Kind::Flat, ago(HOUR), 9), recent);
    assert_eq!(
        policy.glance(Kind::Flat, ago(HOUR + 1), 9),
        Glance::MustRead
    );
    // No content, no database.
    assert_eq!(
        policy.glance(Kind::Flat, ago(DAY), 0),
        Glance::Settled(Class::Anonymous, YOUNG)
    );
    policy.by_age_only = vec![Kind::Flat];
    let edge = 30 * DAY;
    assert_eq!(policy.glance(Kind::Flat, ago(edge), 9), Glance::MustRead);
    assert_eq!(
        policy.glance(Kind::Flat, ago(edge + 1), 9),
        Glance::Settled(Class::NotRead, expired(days(30)))
    );
    assert_eq!(
        policy.glance(Kind::Sharded, ago(edge + 1), 9),
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
        assert_eq!(policy.glance(kind, ago(0), 9), Glance::MustRead);
    }
    assert_eq!(
        policy.glance(Kind::Flat, ago(0), 0),
        Glance::Settled(Class::Anonymous, YOUNG)
    );
    assert_eq!(
        policy.glance(Kind::UploadStash, ago(0), 9),
        Glance::Settled(Class::UploadStash, YOUNG)
    );
}
