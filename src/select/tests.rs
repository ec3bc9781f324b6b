#![allow(clippy::unwrap_used)]

use super::*;
use crate::session::{Scratch, read};

/// A file with these keys besides what makes it Odoo's, and what is done with it.
fn with<T>(keys: &str, f: impl FnOnce(&Session<'_>) -> T) -> T {
    let text = format!(r#"{{"session_token": "t", "context": {{}}, "debug": "", {keys}}}"#);
    f(&read(text.as_bytes(), &mut Scratch::default()).unwrap())
}

const ALICE: &str = r#""db": "shop", "uid": 6, "login": "alice""#;
const BOB: &str = r#""db": "shop", "uid": 7, "login": "bob""#;
/// Of 14 and 15: Alice is logged in, and Bob has given his password.
const ALICE_AND_BOB: &str =
    r#""db": "shop", "uid": 6, "login": "bob", "pre_login": "bob", "pre_uid": 7"#;
/// Since 16: Bob has given his password where Alice was logged in.
const BOB_AFTER_ALICE: &str =
    r#""db": "shop", "uid": null, "login": "alice", "pre_login": "bob", "pre_uid": 7"#;
const BOB_HALF_WAY: &str =
    r#""db": "shop", "uid": null, "login": null, "pre_login": "bob", "pre_uid": 7"#;
const OTHER_SHOP: &str = r#""db": "other", "uid": 6, "login": "zoe""#;
const NAMELESS: &str = r#""db": "shop", "uid": 9, "login": null"#;
const ALL: [&str; 7] = [
    ALICE,
    BOB,
    ALICE_AND_BOB,
    BOB_AFTER_ALICE,
    BOB_HALF_WAY,
    OTHER_SHOP,
    NAMELESS,
];

fn patterns(written: &[&str]) -> Vec<LoginPattern> {
    written
        .iter()
        .map(|it| LoginPattern::new(it).unwrap())
        .collect()
}

fn logins(written: &[&str]) -> Selection {
    Selection {
        logins: patterns(written),
        ..Selection::default()
    }
}

/// Those of `files` that go, after a walk over all of them.
fn taken<'f>(selection: &Selection, files: &[&'f str]) -> Vec<&'f str> {
    let mut people = People::default();
    for file in files {
        with(file, |session| people.learn(selection, session));
    }
    let taken = |file: &&&str| with(file, |session| selection.takes(session, b"ab12", &people));
    files.iter().filter(taken).copied().collect()
}

#[test]
fn a_mixed_file_goes_with_either_person() {
    let of_alice = [ALICE, ALICE_AND_BOB, BOB_AFTER_ALICE];
    assert_eq!(taken(&logins(&["alice"]), &ALL), of_alice);
    let of_bob = [BOB, ALICE_AND_BOB, BOB_AFTER_ALICE, BOB_HALF_WAY];
    assert_eq!(taken(&logins(&["bob"]), &ALL), of_bob);
}

#[test]
fn nothing_is_learned_from_a_mixed_file() {
    // Or Alice would go with Bob wherever she is.
    assert_eq!(
        taken(&logins(&["bob"]), &[ALICE, ALICE_AND_BOB]),
        [ALICE_AND_BOB]
    );
    assert_eq!(taken(&logins(&["alice"]), &[ALICE_AND_BOB]), [""; 0]);
}

#[test]
fn a_user_is_known_in_his_own_database_only() {
    let zoe = r#""db": "shop", "uid": 6, "login": "alice", "pre_login": "x", "pre_uid": 1"#;
    assert_eq!(taken(&logins(&["zoe"]), &[OTHER_SHOP, zoe]), [OTHER_SHOP]);
}

#[test]
fn one_of_a_kind_must_hold_and_of_each_kind_that_is_given() {
    let both = taken(&logins(&["alice", "z*"]), &[ALICE, BOB, OTHER_SHOP]);
    assert_eq!(both, [ALICE, OTHER_SHOP]);
    let selection = Selection {
        databases: vec!["shop".into(), "none".into()],
        ..logins(&["alice", "z*"])
    };
    assert_eq!(taken(&selection, &[ALICE, BOB, OTHER_SHOP]), [ALICE]);
    let selection = Selection {
        uids: vec![6],
        ..Selection::default()
    };
    assert_eq!(taken(&selection, &ALL), [ALICE, ALICE_AND_BOB, OTHER_SHOP]);
    let selection = Selection {
        uids: vec![7],
        ..logins(&["alice"])
    };
    assert_eq!(taken(&selection, &ALL), [ALICE_AND_BOB, BOB_AFTER_ALICE]);
    for (sid, goes) in [("ab", true), ("ab12", true), ("ab123", false), ("b", false)] {
        let selection = Selection {
            sids: vec![sid.into()],
            ..Selection::default()
        };
        assert_eq!(taken(&selection, &[BOB]).len(), usize::from(goes), "{sid}");
    }
}

#[test]
fn everyone_but_those_who_are_excepted() {
    assert_eq!(taken(&Selection::default(), &ALL), ALL);
    let but = |except: &[&str]| Selection {
        except: patterns(except),
        ..Selection::default()
    };
    let without_bob = [ALICE, ALICE_AND_BOB, BOB_AFTER_ALICE, OTHER_SHOP, NAMELESS];
    assert_eq!(taken(&but(&["bob"]), &ALL), without_bob);
    // Nobody is meant whose name is in it, and nobody else's user is.
    let without_both = [OTHER_SHOP, NAMELESS];
    assert_eq!(taken(&but(&["bob", "alice"]), &ALL), without_both);
    // Who knows that 6 is Alice, if only this file is there?
    assert_eq!(
        taken(&but(&["bob", "alice"]), &[ALICE_AND_BOB]),
        [ALICE_AND_BOB]
    );
    let selection = Selection {
        except: patterns(&["al*"]),
        ..logins(&["*"])
    };
    assert_eq!(taken(&selection, &[ALICE, BOB]), [BOB]);
}

#[test]
fn visitors_go_only_where_they_are_meant() {
    let visitor = r#""db": "shop", "uid": null, "login": null"#;
    let everyone = Selection {
        visitors: true,
        ..Selection::default()
    };
    with(visitor, |session| {
        assert!(everyone.takes_visitor(Some(session)) && everyone.takes_visitor(None));
        assert!(!Selection::default().takes_visitor(Some(session)));
        let other = Selection {
            visitors: true,
            databases: vec!["other".into()],
            ..Selection::default()
        };
        assert!(!other.takes_visitor(Some(session)) && !other.takes_visitor(None));
        let bob = Selection {
            visitors: true,
            ..logins(&["bob"])
        };
        assert!(!bob.takes_visitor(Some(session)));
    });
}

/// What is said after these sessions were met.
fn missed(written: &[&str], files: &[&str]) -> Vec<String> {
    let selection = logins(written);
    let mut misses = Misses::of(&selection.logins);
    for file in files {
        with(file, |session| {
            let taken = selection.takes(session, b"ab12", &People::default());
            misses.see(session, taken);
        });
    }
    misses.told()
}

#[test]
fn a_login_that_nobody_has_is_told_with_the_nearest() {
    let bob = r#""db": "shop", "uid": 7, "login": "bob@example.com""#;
    let rob = r#""db": "other", "uid": 7, "login": "Rob""#;
    assert_eq!(
        missed(&["bbo"], &[bob]),
        ["no bbo; there is bob@example.com in shop"]
    );
    assert_eq!(
        missed(&["bob"], &[bob, rob, bob]),
        ["no bob; there are bob@example.com in shop, Rob in other"]
    );
    assert_eq!(
        missed(&["alice"], &[bob]),
        ["no login alice, nor one like it"]
    );
    assert_eq!(
        missed(&["b?b", "z*"], &[bob]),
        [""; 0],
        "patterns may match nobody"
    );
    assert_eq!(missed(&["bob"], &[BOB, bob]), [""; 0]);
    assert_eq!(missed(&["bob"], &[BOB_HALF_WAY]), [""; 0]);
    assert_eq!(
        missed(&["bob", "bbo"], &[BOB]),
        ["no bbo; there is bob in shop"]
    );
}

#[test]
fn a_database_that_is_not_there_is_told_with_sixteen_that_are() {
    let told = |number: u32| {
        let mut databases = Databases::of(&["shpo".to_owned()]);
        for number in 10..10 + number {
            let keys = format!(r#""db": "shop{number}", "uid": 7, "login": "bob""#);
            with(&keys, |session| databases.see(session));
        }
        databases.told().unwrap()
    };
    assert_eq!(told(0), "no session is of shpo; none names a database");
    let two = "no session is of shpo; there are sessions of shop10, shop11";
    assert_eq!(told(2), two);
    assert!(told(16).ends_with("shop24, shop25"), "{}", told(16));
    assert!(told(17).ends_with("shop24, shop25, …"), "{}", told(17));
}
