//! Odoo 20 (19.1 to 20.0) through the whole program: its names, its leftovers, its logins.
#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testenv::{DAY, HOUR, Odoo, USER, VISITOR, named, now, row, superseded};

/// The files whose rule is their own, as `audit --list` must tell them.
#[test]
fn what_lies_beside_the_manifest_is_judged_by_its_own_rule() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/odoo-20");
    let beside: Vec<Value> =
        serde_json::from_slice(&fs::read(tree.join("beside.json")).unwrap()).unwrap();
    let odoo = Odoo::new();
    for (number, file) in beside.iter().enumerate() {
        let path = file["path"].as_str().unwrap();
        let name = path.strip_prefix("sessions/").unwrap();
        let content = fs::read(tree.join(path)).unwrap();
        odoo.file(name, content, 100 * DAY + number as i64 * HOUR);
    }
    for (args, unreadable_too) in [
        (&["--list"][..], false),
        (&["--list", "--unreadable-window", "30d"], true),
    ] {
        let report = odoo.json("audit", args, 0);
        let listed = report["due"].as_array().unwrap();
        let mut due = 0;
        for (number, file) in beside.iter().enumerate() {
            let line = listed.iter().find(|line| {
                let hours = line["age"].as_i64().unwrap() / HOUR;
                hours == 100 * 24 + number as i64
            });
            let (class, reason) = match file["kind"].as_str().unwrap() {
                "empty" => ("anonymous", "expired"),
                "unreadable" if unreadable_too => ("unreadable", "expired"),
                "unreadable" => {
                    assert_eq!(line, None, "{file}");
                    continue;
                }
                // Refused only from 2100 on, so until then it is a login like any other.
                _ => (file["class"].as_str().unwrap(), "expired"),
            };
            due += 1;
            let line = line.unwrap_or_else(|| panic!("{} is missing", file["label"]));
            assert_eq!(line["kind"], "session");
            assert_eq!(line["layout"], "sharded", "{file}");
            assert_eq!(
                (&line["class"], &line["reason"]),
                (&json!(class), &json!(reason))
            );
            assert_eq!(line["superseded"], file["superseded"] == true, "{file}");
        }
        assert_eq!(listed.len(), due);
        assert_eq!(row(&report, "unreadable", None)["files"], 5);
        assert_eq!(row(&report, "foreign", None)["files"], 0);
    }
}

#[test]
fn ids_of_84_to_86_characters_are_regular_and_others_irregular() {
    let odoo = Odoo::new();
    for length in 83..=87 {
        let age = 100 * DAY + length as i64 * HOUR;
        odoo.file(&named("aB-", "x_9", length), USER, age);
    }
    let report = odoo.json("audit", &["--list"], 0);
    let layout = |length: i64| {
        let due = report["due"].as_array().unwrap();
        let of = |line: &&Value| line["age"].as_i64().unwrap() / HOUR - 100 * 24 == length;
        due.iter().find(of).unwrap()["layout"].clone()
    };
    let layouts: Vec<Value> = (83..=87).map(layout).collect();
    assert_eq!(
        layouts,
        ["irregular", "sharded", "sharded", "sharded", "irregular"]
    );
    assert_eq!(
        report["logins"], 3,
        "regular ones are one login, others each their own"
    );
}

#[test]
fn by_age_only_takes_regular_names_of_every_length_unread() {
    let odoo = Odoo::new();
    for length in [84, 85, 86] {
        for seed in ["aa", "bb", "cc", "dd", "ee"] {
            odoo.file(&named(seed, seed, length), USER, 30 * DAY);
        }
    }
    odoo.file(&named("ff", "ff", 87), "no session", 30 * DAY);
    let report = odoo.json("reap", &["--by-age-only"], 0);
    assert_eq!(row(&report, "not-read", None)["deleted"]["files"], 15);
    assert_eq!(odoo.files(), [named("ff", "ff", 87)].into());
}

#[test]
fn a_login_that_the_upgrade_moved_from_84_to_86_characters_counts_once() {
    let odoo = Odoo::new();
    let (old, new) = (named("aB", "x", 84), named("aB", "y", 86));
    odoo.file(&old, superseded(), HOUR)
        .file(&new, USER, HOUR)
        // Not yet refused, or brought back by a request that was under way: still the same login.
        .file(&named("aB", "z", 84), USER, HOUR)
        .file(&named("aC", "y", 86), USER, HOUR);
    let report = odoo.json("audit", &[], 0);
    assert_eq!(report["logins"], 2);
    assert_eq!(
        row(&report, "authenticated", Some("superseded"))["files"],
        1
    );
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("logins: 2; what Odoo has moved"), "{text}");
}

#[test]
fn unfinished_saves_of_both_suffixes_go_and_near_misses_stay() {
    let odoo = Odoo::new();
    let misses = [
        "tmpabcdefgh.__tx_sess",
        "tmpabcdefgh.__wz_sess__",
        "tmpabcdefg.__tx_sess__",
        "tmpabcdefghi.__tx_sess__",
        "tmpABCDEFGH.__tx_sess__",
        "aa/tmpabcdefgh.__tx_sess__",
    ];
    for name in misses {
        odoo.file(name, USER, 900 * DAY);
    }
    odoo.file("tmpabcdefgh.__tx_sess__", USER, 2 * DAY)
        .file("tmpabcdefgh.__wz_sess", "", 2 * DAY)
        .file("tmp_young__.__tx_sess__", USER, HOUR);
    let report = odoo.json("reap", &["--list"], 0);
    let kinds: Vec<&Value> = report["due"]
        .as_array()
        .unwrap()
        .iter()
        .map(|due| &due["kind"])
        .collect();
    assert_eq!(kinds, ["unfinished-save", "unfinished-save"]);
    let left = misses.into_iter().chain(["tmp_young__.__tx_sess__"]);
    assert_eq!(odoo.files(), left.map(str::to_owned).collect());
}

/// 17 makes these of the cookies `a` and `é`, and its own collection deletes them by age.
#[test]
fn a_shard_of_one_character_holds_an_irregular_session() {
    let odoo = Odoo::new();
    odoo.file("a/a", VISITOR, 2 * DAY)
        .file("é/é", USER, 8 * DAY)
        .file("-/-", VISITOR, HOUR)
        .file("b/b", "no session", 900 * DAY)
        .file("c/cc", VISITOR, 900 * DAY)
        .file("d/d", "", 900 * DAY)
        .file("e/e/e", VISITOR, 900 * DAY);
    let audit = odoo.json("audit", &["--list"], 0);
    let due = audit["due"].as_array().unwrap();
    assert_eq!(due.len(), 2);
    for line in due {
        assert_eq!(
            (&line["layout"], &line["sid_prefix"]),
            (&json!("irregular"), &json!(""))
        );
    }
    assert_eq!(odoo.run("reap", &[]).code, 0);
    let left = ["-/-", "b/b", "c/cc", "d/d", "e/e/e"].map(str::to_owned);
    assert_eq!(odoo.files(), left.into());
    assert!(odoo.path("a").is_dir() && odoo.path("é").is_dir());
}

#[test]
fn a_lifetime_counts_from_the_first_device_in_either_place() {
    let odoo = Odoo::new();
    let ago = |days: i64| now() - days * DAY;
    let mut session: Value = serde_json::from_str(USER).unwrap();
    session["_devices"] = json!({
        "3132372e302e302e31c33e1342": {"first_activity": ago(40), "last_activity": ago(1)},
        "3230332e302e3131332e37ccb627ce": {"first_activity": ago(2), "last_activity": null},
    });
    let of_20 = named("aa", "a", 86);
    odoo.file(&of_20, session.to_string(), HOUR);
    session["_devices"] = json!({"a": {"first_activity": ago(2)}});
    odoo.file(&named("bb", "b", 86), session.to_string(), HOUR);
    session["_trace"] = json!([{"first_activity": ago(50), "last_activity": ago(41)}]);
    let upgraded = named("cc", "c", 84);
    odoo.file(&upgraded, session.to_string(), HOUR);
    // Right after a login there is none.
    session["_trace"] = json!([]);
    session["_devices"] = json!({});
    odoo.file(&named("dd", "d", 86), session.to_string(), HOUR);
    let before = odoo.files();
    let args = ["--max-lifetime", "30d"];
    let text = odoo
        .run("audit", &[&args[..], &["--report", "full"]].concat())
        .stdout;
    let unknown = "lifetime unknown: 1 file of logged-in users without their beginning, so only the window counts";
    assert!(text.contains(unknown), "{text}");
    assert_eq!(odoo.json("reap", &args, 0)["lifetime_unknown"], 1);
    let gone: Vec<_> = before.difference(&odoo.files()).cloned().collect();
    assert_eq!(gone, [of_20, upgraded]);
}
