//! Whose files go, and whose stay.

use std::collections::BTreeSet;

use crate::testenv::{CART, DAY, HOUR, Odoo, PENDING_2FA, USER, VISITOR, flat, sharded};

const ALICE: &str = r#"{"db": "shop", "uid": 6, "login": "alice", "context": {}, "debug": ""}"#;
const ALICE_AND_BOB: &str = r#"{"db": "shop", "uid": 6, "login": "bob", "context": {}, "debug": "", "pre_login": "bob", "pre_uid": 7}"#;
const BOB_AFTER_ALICE: &str = r#"{"db": "shop", "uid": null, "login": "alice", "context": {}, "debug": "", "pre_login": "bob", "pre_uid": 7}"#;
const OTHER: &str = r#"{"db": "other", "uid": 6, "login": "zoe", "context": {}, "debug": ""}"#;
const SUPERSEDED: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "next_sid": "x", "deletion_time": 1.7e9}"#;

/// A store with everybody in it, flat and sharded.
fn store() -> Odoo {
    let odoo = Odoo::new();
    for (seed, content) in [
        ("a1", ALICE),
        ("b0", USER),
        ("ab", ALICE_AND_BOB),
        ("ba", BOB_AFTER_ALICE),
        ("bb", PENDING_2FA),
        ("e0", OTHER),
        ("f0", VISITOR),
        ("fc", CART),
    ] {
        odoo.session(seed, content, HOUR)
            .file(&flat(seed), content, HOUR);
    }
    odoo.session("00", "", HOUR)
        .session("01", "no session", HOUR)
        .file("tmpabcdefgh.__wz_sess", USER, HOUR)
        .file("foreign.txt", USER, HOUR);
    odoo
}

const NOW: [&str; 3] = ["--yes", "--watch", "0"];

/// What went, by the seeds; each went flat and sharded, or neither.
fn gone(odoo: &Odoo, before: &BTreeSet<String>) -> Vec<String> {
    let after = odoo.files();
    let gone: Vec<&String> = before.difference(&after).collect();
    let seeds: BTreeSet<_> = gone
        .iter()
        .map(|name| name.trim_start_matches("werkzeug_")[..2].to_owned())
        .collect();
    for seed in &seeds {
        for name in [flat(seed), sharded(seed)] {
            assert!(gone.contains(&&name) || seed == "00", "{name} in {gone:?}");
        }
    }
    seeds.into_iter().collect()
}

#[test]
fn those_who_are_selected_go_and_nobody_else() {
    for (args, wanted) in [
        (&["--login", "alice"][..], &["a1", "ab", "ba"][..]),
        (&["--login", "bob"], &["ab", "b0", "ba", "bb"]),
        (&["--uid", "6"], &["a1", "ab", "e0"]),
        (&["--uid", "6", "--database", "shop"], &["a1", "ab"]),
        (&["--database", "other"], &["e0"]),
        (
            &["--login", "*", "--except-login", "bob"],
            &["a1", "ab", "ba", "e0"],
        ),
        (&["--everyone"], &["a1", "ab", "b0", "ba", "bb", "e0"]),
        (
            &["--everyone", "--except-login", "bob"],
            &["a1", "ab", "ba", "e0"],
        ),
        (
            &["--everyone", "--visitors"],
            &["00", "a1", "ab", "b0", "ba", "bb", "e0", "f0", "fc"],
        ),
        (
            &["--database", "shop", "--visitors"],
            &["a1", "ab", "b0", "ba", "bb", "f0", "fc"],
        ),
        (&["--sid", "b0b0"], &["b0"]),
        (&["--login", "zz*"], &[]),
        (&["--database", "none"], &[]),
    ] {
        let odoo = store();
        let before = odoo.files();
        let line: Vec<&str> = args.iter().copied().chain(NOW).collect();
        let ran = odoo.run("revoke", &line);
        // The same id, flat and sharded, is one login only where it is as long.
        let code = if args[0] == "--sid" { 2 } else { 0 };
        assert_eq!(ran.code, code, "{args:?}: {}", ran.all());
        if code == 0 {
            assert_eq!(gone(&odoo, &before), wanted, "{args:?}");
        }
    }
}

#[test]
fn all_files_of_a_login_go_in_both_layouts() {
    let odoo = Odoo::new();
    let start: String = "ab".repeat(21);
    let hex = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";
    odoo.file(
        &format!("ab/{start}{}", "x".repeat(42)),
        SUPERSEDED,
        3 * HOUR,
    )
    .file(&format!("ab/{start}{}", "y".repeat(44)), USER, HOUR)
    // Of a browser that somebody else used since: a visit under another id stays.
    .file(&format!("ab/ba{}", "z".repeat(82)), VISITOR, HOUR)
    .file(&format!("ab/{}", "ab".repeat(20)), VISITOR, HOUR)
    .file(&format!("werkzeug_{hex}.sess"), USER, HOUR)
    .file(&format!("0a/{hex}"), USER, HOUR);
    let report = odoo.json("revoke", &["--login", "bob", "--yes", "--watch", "0"], 0);
    assert_eq!(report["total"]["logins"], 2);
    assert_eq!(report["deleted"]["files"], 4);
    let left: BTreeSet<_> = [
        format!("ab/{}", "ab".repeat(20)),
        format!("ab/ba{}", "z".repeat(82)),
    ]
    .into();
    assert_eq!(odoo.files(), left);
}

/// An administrator who became the superuser (`/web/become`) keeps his login, with the number that all of them have then.
#[test]
fn whoever_is_the_superuser_as_well_stays() {
    let superuser = |login| {
        format!(r#"{{"db": "shop", "uid": 1, "login": "{login}", "context": {{}}, "debug": ""}}"#)
    };
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR)
        .session("b1", superuser("bob"), HOUR)
        .session("a1", superuser("alice"), HOUR);
    let report = odoo.json("revoke", &["--login", "bob", "--yes", "--watch", "0"], 0);
    assert_eq!(report["deleted"]["files"], 2, "{report}");
    assert_eq!(odoo.files(), [sharded("a1")].into());
}

#[test]
fn what_nobody_may_read_ends_with_3_also_where_nobody_else_is_logged_in() {
    let test = "what_nobody_may_read_ends_with_3";
    if !crate::testenv::is_root() {
        return crate::testenv::skipped(test, "needs root");
    }
    let odoo = Odoo::new();
    odoo.session("f0", VISITOR, HOUR).session("b0", USER, HOUR);
    for entry in walkdir::WalkDir::new(odoo.data_dir()) {
        std::os::unix::fs::chown(entry.unwrap().path(), Some(1_000), Some(1_000)).unwrap();
    }
    let denied = odoo.path(&sharded("b0"));
    std::os::unix::fs::chown(&denied, Some(1_001), Some(1_001)).unwrap();
    let secret = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&denied, secret).unwrap();
    for how in [&["--dry-run"][..], &NOW] {
        let line: Vec<&str> = how.iter().copied().chain(["--everyone"]).collect();
        let ran = odoo.run("revoke", &line);
        assert_eq!(ran.code, 3, "{how:?}: {}", ran.all());
        assert!(ran.stderr.contains("1 session file"), "{}", ran.stderr);
    }
}

#[test]
fn whoever_is_to_be_spared_and_is_not_there_is_told_with_the_nearest() {
    let odoo = store();
    let line = ["--everyone", "--except-login", "alcie", "--dry-run"];
    let ran = odoo.run("revoke", &line);
    assert_eq!(ran.code, 0, "he may not be logged in: {}", ran.all());
    let said = "--except-login spares nobody: no alcie; there is alice in shop";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    for spared in ["alice", "zz*"] {
        let ran = odoo.run("revoke", &["--everyone", "--except-login", spared, "-n"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn what_protects_a_login_from_expiring_does_not_protect_it_here() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, 900 * DAY)
        .file("odoo.conf", "", 0)
        // Nothing was saved here for long: a reap would leave it alone.
        .unchanged_for(900 * DAY);
    let ran = odoo.run(
        "revoke",
        &["--login", "bob", "--keep-login", "bob", "--dry-run"],
    );
    assert!(ran.stdout.contains("bob (protected)"), "{}", ran.stdout);
    let line = [
        "--login",
        "bob",
        "--keep-login",
        "bob",
        "--yes",
        "--watch",
        "0",
    ];
    assert_eq!(odoo.run("revoke", &line).code, 0);
    assert!(!odoo.has(&sharded("b0")));
}

#[test]
fn a_login_that_nobody_has_logs_nobody_out() {
    let odoo = store();
    let before = odoo.files();
    for (args, said) in [
        (&["--login", "bbo"][..], "no bbo; there is bob in shop"),
        (
            &["--login", "bob", "--login", "alcie"],
            "no alcie; there is alice in shop",
        ),
        (&["--uid", "99"], "no user 99"),
    ] {
        let line: Vec<&str> = args.iter().copied().chain(NOW).collect();
        let ran = odoo.run("revoke", &line);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        let report = odoo.json("revoke", &line, 1);
        assert_eq!(report["missing"].as_array().unwrap().len(), 1);
        assert_eq!(report["deleted"]["files"], 0);
        assert_eq!(odoo.files(), before);
    }
}

#[test]
fn a_dry_run_only_shows() {
    let odoo = store();
    let before = odoo.files();
    let ran = odoo.run("revoke", &["--everyone", "--visitors", "--dry-run"]);
    assert_eq!(ran.code, 0);
    let said = "would log out 12 sessions of 3 people in 2 databases, 5 visitors' sessions\n";
    assert!(ran.stdout.ends_with(said), "{}", ran.stdout);
    assert_eq!(odoo.files(), before);
}

#[test]
fn what_cannot_be_deleted_is_told_and_ends_with_3() {
    if !crate::testenv::is_root() {
        return crate::testenv::skipped("what_cannot_be_deleted", "needs root");
    }
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR).session("b1", USER, HOUR);
    let chattr = |flag| {
        let mut chattr = std::process::Command::new("chattr");
        chattr.arg(flag).arg(odoo.path(&sharded("b0")));
        chattr.status().is_ok_and(|status| status.success())
    };
    if !chattr("+i") {
        return crate::testenv::missing("what_cannot_be_deleted", "chattr");
    }
    let ran = odoo.run("revoke", &["--login", "bob", "--yes", "--watch", "1s"]);
    let left = odoo.files();
    assert!(chattr("-i"));
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(
        ran.stderr.contains("cannot delete session b0b0b0b0…"),
        "{}",
        ran.stderr
    );
    let said = "not all of 2 sessions of 1 person in shop were logged out: 1 file deleted";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert_eq!(left, [sharded("b0")].into());
}
