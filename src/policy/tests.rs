use super::*;
use crate::session::Uid;

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
        deletion_time: None,
        trace: None,
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
        unread: true,
        ..policy()
    };
    let seven = 7 * DAY;
    let condemned = Glance::Settled(Class::Unclassified, expired(days(7)));
    assert_eq!(policy.glance(Kind::Flat, ago(seven + 1), 9), condemned);
    assert_eq!(policy.glance(Kind::Flat, ago(seven), 9), Glance::MustRead);
    assert_eq!(
        policy.glance(Kind::Irregular, ago(seven + 1), 9),
        Glance::MustRead
    );
    let broken_clock = Timestamp::from_secs(EARLIEST.secs - 1);
    assert_eq!(policy.glance(Kind::Flat, broken_clock, 9), Glance::MustRead);
}
