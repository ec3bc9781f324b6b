//! The fuse: where more logins are due than `--max-logouts` allows, none of them ends.

#![allow(clippy::unwrap_used)]

mod testenv;

use serde_json::json;
use testenv::{DAY, Odoo, Ran, USER, VISITOR, flat, run, sharded, strace};

const SUPERSEDED: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "next_sid": "x", "deletion_time": 1.7e9}"#;

/// The place of a session of the login `seed`, after its last characters were rotated to `tail`.
fn rotated(seed: char, tail: char) -> String {
    let [login, tail] = [seed, tail].map(|one| one.to_string().repeat(42));
    format!("{seed}{seed}/{login}{tail}")
}

/// A login in a flat name; two in shards, one of which has two files; one that Odoo has moved; and two visitors. All are
/// due, and somebody is active.
fn odoo() -> Odoo {
    let odoo = Odoo::new();
    odoo.file(&flat("f1"), USER, 8 * DAY)
        .file(&rotated('a', 'b'), USER, 8 * DAY)
        .file(&rotated('a', 'c'), USER, 9 * DAY)
        .file(&rotated('d', 'e'), USER, 8 * DAY)
        .file(&rotated('s', 'u'), SUPERSEDED, 8 * DAY)
        .file(&flat("f2"), VISITOR, 8 * DAY)
        .session("vi", VISITOR, 8 * DAY)
        .session("ac", USER, DAY);
    odoo
}

/// The three logins that are due, and the one that is not.
fn logins() -> Vec<String> {
    let mut logins = vec![
        rotated('a', 'b'),
        rotated('a', 'c'),
        sharded("ac"),
        rotated('d', 'e'),
        flat("f1"),
    ];
    logins.sort();
    logins
}

fn left(odoo: &Odoo) -> Vec<String> {
    odoo.files().into_iter().collect()
}

#[track_caller]
fn assert_says(ran: &Ran, code: i32, words: &str) {
    assert_eq!(ran.code, code, "{}", ran.all());
    assert!(ran.stdout.contains(words), "{}", ran.all());
}

#[test]
fn where_too_many_logins_are_due_none_ends_and_the_rest_goes() {
    for threads in ["1", "4"] {
        let odoo = odoo();
        let args = ["--max-logouts", "2", "--threads", threads];
        let sentence = "; --max-logouts 2 kept 3 due logins: look at them with audit --list";
        let before = odoo.files();
        let dry = odoo.run("reap", &[&args[..], &["--dry-run"]].concat());
        assert_says(&dry, 3, "would delete 3 of 8 files, ");
        assert_says(&dry, 3, sentence);
        assert_eq!(odoo.files(), before);
        let ran = odoo.run("reap", &args);
        assert_says(&ran, 3, "deleted 3 of 8 files, ");
        assert_says(&ran, 3, sentence);
        assert_eq!(left(&odoo), logins());
        // Each time, until somebody has looked.
        let again = odoo.run("reap", &args);
        assert_says(&again, 3, "deleted 0 of 5 files, ");
        assert_says(&again, 3, sentence);
        assert_eq!(odoo.run("reap", &["--max-logouts", "0"]).code, 3);
        assert_eq!(left(&odoo), logins());
    }
}

#[test]
fn as_many_logins_as_it_says_may_end_and_a_rotation_is_one() {
    for threads in ["1", "4"] {
        let odoo = odoo();
        let ran = odoo.run("reap", &["--max-logouts", "3", "--threads", threads]);
        assert_says(&ran, 0, "deleted 7 of 8 files (4 logins of 1 person), ");
        assert!(!ran.stdout.contains("--max-logouts"), "{}", ran.stdout);
        assert_eq!(left(&odoo), [sharded("ac")]);
        // Nobody is due any more.
        assert_eq!(odoo.run("reap", &["--max-logouts", "0"]).code, 0);
    }
}

#[test]
fn a_lifetime_that_ends_too_many_logins_blows_it_too() {
    let odoo = Odoo::new();
    let old = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "_devices": {"x": {"first_activity": 1500000000}}}"#;
    odoo.session("ab", old, DAY).session("cd", old, DAY);
    let lifetime = ["--max-lifetime", "30d", "--max-logouts"];
    let report = odoo.json("reap", &[&lifetime[..], &["1"]].concat(), 3);
    assert_eq!(report["logouts"]["kept"], 2);
    let report = odoo.json("reap", &[&lifetime[..], &["2"]].concat(), 0);
    assert_eq!(report["logouts"]["logins"], 2);
}

#[test]
fn programs_are_told_the_number_of_logins_that_it_kept() {
    let odoo = odoo();
    let file = odoo.data_dir().join("odoo.prom");
    let args = ["--metrics-file", file.to_str().unwrap()];
    let held = |most: &str, code: i32| {
        let report = odoo.json(
            "reap",
            &[&args[..], &["--max-logouts", most, "-n"]].concat(),
            code,
        );
        let metrics = std::fs::read_to_string(&file).unwrap();
        let metric = metrics
            .lines()
            .find(|line| line.starts_with("odoo_session_reaper_last_run_kept_logins{"));
        let metric = metric.unwrap().rsplit(' ').next().unwrap().to_owned();
        (report, metric)
    };
    let (report, metric) = held("2", 3);
    assert_eq!(report["max_logouts"], 2);
    assert_eq!(report["exit_code"], 3);
    assert_eq!(
        report["logouts"],
        json!({"logins": 0, "people": 0, "at_least": false, "kept": 3})
    );
    assert_eq!(metric, "3");
    let (report, metric) = held("3", 0);
    assert_eq!(report["logouts"]["kept"], 0);
    assert_eq!(metric, "0");
    let listed = odoo.json("reap", &["--max-logouts", "2", "--list", "-n"], 3);
    let outcomes = |outcome: &str| {
        let due = listed["due"].as_array().unwrap();
        due.iter().filter(|due| due["outcome"] == outcome).count()
    };
    assert_eq!((outcomes("left"), outcomes("would-delete")), (4, 3));
}

#[test]
fn beside_a_limit_both_hold() {
    let odoo = odoo();
    // What is counted is what is due, not what the limit would let go.
    let report = odoo.json("reap", &["--max-logouts", "2", "--limit", "1"], 3);
    assert_eq!(report["end"], "limit-reached");
    assert_eq!(report["total"]["deleted"]["files"], 1);
    assert_eq!(report["logouts"]["kept"], 3);
    let report = odoo.json("reap", &["--max-logouts", "3", "--limit", "2"], 0);
    assert_eq!(report["total"]["deleted"]["files"], 2);
    assert_eq!(report["logouts"]["kept"], 0);
}

#[test]
fn what_fails_is_told_once_though_there_are_two_walks() {
    let test = "what_fails_is_told_once_though_there_are_two_walks";
    let Some(mut strace) = strace(test) else {
        return;
    };
    let odoo = odoo();
    let shard = odoo.path("vi");
    strace
        .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=getdents64"])
        .args(["-e", "inject=getdents64:error=EIO", "-P"])
        .arg(&shard)
        .arg(testenv::program().get_program())
        .args(["reap", "--max-logouts", "3", "--data-dir"])
        .arg(odoo.data_dir());
    let ran = run(&mut strace);
    assert_says(&ran, 3, "deleted 6 of 7 files");
    assert_eq!(
        ran.stderr.matches("cannot list").count(),
        1,
        "{}",
        ran.stderr
    );
}

#[test]
fn by_age_only_knows_no_logins() {
    let odoo = odoo();
    let before = odoo.files();
    let ran = odoo.run("reap", &["--by-age-only", "--max-logouts", "9"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr
            .contains("ODOO_SESSION_REAPER_MAX_LOGOUTS: run without one of them"),
        "{}",
        ran.stderr
    );
    assert_eq!(odoo.files(), before);
}
