//! What a reap deletes and what it keeps.

#![allow(clippy::unwrap_used)]

mod testenv;

use testenv::{CART, DAY, HOUR, Odoo, PENDING_2FA, USER, VISITOR, flat, row, sharded};

#[test]
fn deletes_what_is_older_than_its_window_and_nothing_else() {
    let odoo = Odoo::new();
    odoo.session("user-young", USER, 7 * DAY - HOUR)
        .session("user-old", USER, 7 * DAY + HOUR)
        .session("visitor-young", VISITOR, DAY - HOUR)
        .session("visitor-old", VISITOR, DAY + HOUR)
        .session("cart-young", CART, 7 * DAY - HOUR)
        .session("cart-old", CART, 7 * DAY + HOUR)
        .session("pending-old", PENDING_2FA, DAY + HOUR)
        .file(&flat("ab"), "", DAY - HOUR)
        .file(&flat("cd"), "", DAY + HOUR)
        .file("tmpabcdefgh.__wz_sess", USER, DAY - HOUR)
        .file("tmpbbcdefgh.__wz_sess", USER, DAY + HOUR);
    let report = odoo.json("reap", &[], 0);
    let left: Vec<String> = odoo.files().into_iter().collect();
    let mut expected = vec![
        sharded("user-young"),
        sharded("visitor-young"),
        sharded("cart-young"),
        flat("ab"),
        "tmpabcdefgh.__wz_sess".to_owned(),
    ];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(report["total"]["deleted"]["files"], 6);
    assert_eq!(report["total"]["files"], 11);
    assert_eq!(row(&report, "authenticated", None)["deleted"]["files"], 1);
    assert_eq!(
        row(&report, "anonymous", Some("cart"))["deleted"]["files"],
        1
    );
    assert_eq!(
        row(&report, "anonymous", Some("pending-2fa"))["deleted"]["files"],
        1
    );
    assert_eq!(row(&report, "anonymous", None)["deleted"]["files"], 2);
    assert_eq!(row(&report, "unfinished-save", None)["deleted"]["files"], 1);
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    let odoo = Odoo::new();
    odoo.session("old", VISITOR, 2 * DAY)
        .session("young", VISITOR, HOUR);
    assert_eq!(odoo.json("reap", &[], 0)["total"]["deleted"]["files"], 1);
    let again = odoo.json("reap", &[], 0);
    assert_eq!(again["total"]["deleted"]["files"], 0);
    assert_eq!(again["total"]["files"], 1);
}

#[test]
fn a_dry_run_counts_the_same_and_deletes_nothing() {
    let odoo = Odoo::new();
    for seed in ["aa", "bb", "cc"] {
        odoo.session(seed, USER, 8 * DAY)
            .file(&flat(seed), VISITOR, 2 * DAY);
    }
    odoo.session("young", USER, HOUR);
    let before = odoo.files();
    let dry = odoo.json("reap", &["--dry-run"], 0);
    assert_eq!(odoo.files(), before);
    let real = odoo.json("reap", &[], 0);
    assert_eq!(dry["total"]["due"], real["total"]["deleted"]);
    assert_eq!(
        dry["classes"].as_array().unwrap().len(),
        real["classes"].as_array().unwrap().len()
    );
    for (dry, real) in dry["classes"]
        .as_array()
        .unwrap()
        .iter()
        .zip(real["classes"].as_array().unwrap())
    {
        for field in ["files", "bytes", "disk_bytes", "due", "oldest", "ages"] {
            assert_eq!(dry[field], real[field], "{field} of {}", dry["class"]);
        }
        assert_eq!(dry["deleted"]["files"], 0);
    }
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn stops_at_the_limit_and_says_so() {
    let odoo = Odoo::new();
    for number in 10..40 {
        odoo.session(&format!("{number}x"), VISITOR, 2 * DAY);
    }
    for threads in ["1", "4"] {
        let before = odoo.files().len();
        let ran = odoo.run("reap", &["--limit", "7", "--threads", threads]);
        assert_eq!(
            (ran.code, odoo.files().len()),
            (0, before - 7),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains("deleted 7 of "), "{}", ran.stdout);
        assert!(ran.stdout.contains("stopped at --limit"), "{}", ran.stdout);
    }
    let report = odoo.json("reap", &["--limit", "100"], 0);
    assert_eq!(report["end"], "complete");
    assert_eq!(report["limit"], 100);
    assert_eq!(odoo.files().len(), 0);
    assert_eq!(odoo.run("reap", &["--limit", "0"]).code, 0);
}

#[test]
fn a_limit_of_exactly_what_is_due_is_not_reached() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .session("bb", VISITOR, 2 * DAY);
    assert_eq!(odoo.json("reap", &["--limit", "2"], 0)["end"], "complete");
    assert!(odoo.files().is_empty());
}

#[test]
fn leaves_a_dormant_store_alone_unless_forced() {
    let odoo = Odoo::new();
    odoo.session("old", VISITOR, 30 * DAY)
        .unchanged_for(DAY + HOUR);
    for args in [&["--dry-run"][..], &[]] {
        let ran = odoo.run("reap", args);
        assert_eq!(ran.code, 0);
        assert!(
            ran.stdout.contains("dormant") && ran.stdout.contains("--force"),
            "{}",
            ran.stdout
        );
        assert_eq!(odoo.files().len(), 1);
    }
    assert_eq!(odoo.json("reap", &[], 0)["end"], "dormant");
    let audit = odoo.json("audit", &[], 0);
    assert_eq!(audit["store"]["dormant"], true);
    assert_eq!(audit["total"]["due"]["files"], 1, "an audit looks anyway");
    assert_eq!(odoo.run("reap", &["--force"]).code, 0);
    assert!(odoo.files().is_empty());
}

#[test]
fn a_store_is_dormant_by_its_shortest_window() {
    let odoo = Odoo::new();
    odoo.session("old", VISITOR, 30 * DAY)
        .unchanged_for(3 * HOUR);
    assert_eq!(
        odoo.json("reap", &["--anonymous-window", "2h"], 0)["end"],
        "dormant"
    );
    assert_eq!(
        odoo.json("reap", &["--anonymous-window", "4h"], 0)["end"],
        "complete"
    );
}

#[test]
fn a_superseded_session_goes_at_the_shortest_window() {
    let past = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "next_sid": "x", "deletion_time": 1.7e9}"#;
    let odoo = Odoo::new();
    odoo.session("due", past, DAY + HOUR)
        .session("young", past, HOUR);
    let report = odoo.json("reap", &[], 0);
    assert_eq!(
        row(&report, "authenticated", Some("superseded"))["deleted"]["files"],
        1
    );
    assert!(odoo.has(&sharded("young")) && !odoo.has(&sharded("due")));
}

#[test]
fn an_unreadable_file_goes_only_by_its_own_window() {
    let odoo = Odoo::new();
    odoo.session("broken", "{\"uid\": ", 100 * DAY);
    assert_eq!(odoo.json("reap", &[], 0)["unreadable"]["broken JSON"], 1);
    assert_eq!(odoo.files().len(), 1);
    assert_eq!(odoo.run("reap", &["--unreadable-window", "101d"]).code, 0);
    assert_eq!(odoo.files().len(), 1);
    assert_eq!(odoo.run("reap", &["--unreadable-window", "99d"]).code, 0);
    assert_eq!(odoo.files().len(), 0);
}

#[test]
fn a_file_of_an_implausible_time_is_kept_and_counted() {
    let odoo = Odoo::new();
    odoo.session("future", VISITOR, -HOUR)
        .session("ancient", VISITOR, 20 * 365 * DAY)
        .file("tmpabcdefgh.__wz_sess", "", 20 * 365 * DAY);
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["kept"]["implausible_time"], 3);
    assert_eq!(odoo.files().len(), 3);
}

#[test]
fn an_empty_store_is_fine() {
    let odoo = Odoo::new();
    for command in ["audit", "reap"] {
        let ran = odoo.run(command, &[]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains(" 0 of 0 files"), "{}", ran.stdout);
    }
}

#[test]
fn flat_and_sharded_layouts_live_side_by_side() {
    let odoo = Odoo::new();
    let hex = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";
    odoo.file(&flat("0f"), VISITOR, 2 * DAY)
        .file(&format!("0a/{hex}"), VISITOR, 2 * DAY)
        .file("he/hello", VISITOR, 2 * DAY)
        .session("-_", VISITOR, 2 * DAY);
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["store"]["flat_files"], 1);
    assert_eq!(report["store"]["sharded_files"], 3);
    assert_eq!(report["store"]["shards"], 3);
    assert!(odoo.files().is_empty());
}

#[test]
fn every_number_of_threads_does_the_same() {
    let mut reports = Vec::new();
    for threads in ["1", "2", "8"] {
        let odoo = Odoo::new();
        for number in 0..400 {
            let age = if number % 3 == 0 { 2 * DAY } else { HOUR };
            odoo.session(&format!("{:02}n{number}", number % 60), VISITOR, age);
            odoo.file(&flat(&format!("{number:04}")), VISITOR, age);
        }
        let report = odoo.json("reap", &["--threads", threads], 0);
        reports.push((report["classes"].clone(), odoo.files()));
    }
    assert_eq!(reports[0].1.len(), 2 * 266);
    for other in &reports[1..] {
        assert_eq!(other.1, reports[0].1);
        for (one, two) in other
            .0
            .as_array()
            .unwrap()
            .iter()
            .zip(reports[0].0.as_array().unwrap())
        {
            for field in ["files", "bytes", "due", "deleted"] {
                assert_eq!(one[field], two[field]);
            }
        }
    }
}

#[test]
fn unread_deletes_what_every_window_condemns_without_opening_it() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", VISITOR, 8 * DAY)
        .session("cc", VISITOR, 2 * DAY)
        .session("dd", USER, 2 * DAY)
        .file("he/hello", VISITOR, 8 * DAY)
        .file("he/hallo", "no session", 8 * DAY)
        .file(&flat("ee"), USER, 8 * DAY);
    let ran = odoo.run("reap", &["--by-age-only", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stderr.contains("without being read"),
        "says so before it starts: {}",
        ran.stderr
    );
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(row(&report, "not-read", None)["deleted"]["files"], 3);
    assert_eq!(
        row(&report, "anonymous", None)["deleted"]["files"],
        2,
        "between windows it reads"
    );
    let left: Vec<String> = odoo.files().into_iter().collect();
    assert_eq!(left, [sharded("dd"), "he/hallo".to_owned()]);
}

#[test]
fn unread_refuses_a_store_that_does_not_prove_to_be_one() {
    for layout in [flat as fn(&str) -> String, sharded] {
        let odoo = Odoo::new();
        for number in 10..30 {
            let content = if number < 13 { "no session" } else { VISITOR };
            odoo.file(&layout(&number.to_string()), content, 8 * DAY);
        }
        for args in [&["--by-age-only"][..], &["--by-age-only", "--dry-run"]] {
            let ran = odoo.run("reap", args);
            assert_eq!(ran.code, 1, "{}", ran.all());
            let doubt = "files older than 7 days, only 17 read as sessions";
            assert!(ran.stderr.contains(doubt), "{}", ran.stderr);
            assert_eq!(odoo.files().len(), 20);
        }
    }
}
