//! The canary for the next Odoo: foreign names that are alike are told, and never touched.
#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use testenv::{DAY, Odoo, USER, VISITOR};

/// So many names that this version does not know, each with its own random part.
fn named(count: usize, start: &str, length: usize, end: &str) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(20);
    let name = |_| {
        let middle: String = (0..length).map(|_| random.lowercase()).collect();
        format!("{start}{middle}{end}")
    };
    (0..count).map(name).collect()
}

fn unknown(what: &str, in_shards: bool, like: &str, count: u64, read: [u64; 2]) -> Value {
    let [samples, sessions] = read;
    json!({"what": what, "in_shards": in_shards, "like": like, "count": count, "samples": samples, "sessions": sessions})
}

/// The gauge of a metrics file.
fn gauge(odoo: &Odoo, command: &str, args: &[&str]) -> String {
    let file = odoo.data_dir().join("metrics.prom");
    let metrics = ["--metrics-file", file.to_str().unwrap()];
    assert_eq!(odoo.run(command, &[args, &metrics].concat()).code, 0);
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines();
    let mut own = lines.filter(|line| line.starts_with("odoo_session_unknown_names{"));
    own.next().unwrap().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn many_foreign_files_of_one_shape_are_told_and_left_alone() {
    let odoo = Odoo::new();
    let strange = named(1_204, "tmp", 8, ".__new__");
    for name in &strange {
        odoo.file(name, USER, 900 * DAY);
    }
    for name in ["notes.txt", "backup.tar", "tmpabcdefg.__new__"] {
        odoo.file(name, "mine", 900 * DAY);
    }
    let before = odoo.files();
    for (command, args) in [("audit", &[][..]), ("reap", &["--dry-run"]), ("reap", &[])] {
        let report = odoo.json(command, args, 0);
        let strange = unknown("file", false, "tmp????????.__new__", 1_204, [0, 0]);
        assert_eq!(report["unknown"], json!([strange]));
        assert_eq!(report["total"]["files"], 0);
        let text = odoo
            .run(command, &[args, &["--report", "full"]].concat())
            .stdout;
        let line = "\nunknown: 1204 files like tmp????????.__new__ are unknown to this version, and not touched\n";
        assert!(text.contains(line), "{text}");
        assert_eq!(gauge(&odoo, command, args), "1204");
    }
    assert_eq!(odoo.files(), before);
}

#[test]
fn the_closing_sentence_of_an_audit_tells_it_too() {
    let odoo = Odoo::new();
    for name in named(10, "tmp", 8, ".__new__") {
        odoo.file(&name, USER, DAY);
    }
    let told = "; 10 foreign names as of a newer Odoo: see --report full\n";
    let audit = odoo.run("audit", &["--report", "summary"]).stdout;
    assert!(
        audit.ends_with(told) && audit.lines().count() == 1,
        "{audit}"
    );
    let reap = odoo.run("reap", &[]).stdout;
    assert!(!reap.contains("newer Odoo"), "{reap}");
}

#[test]
fn a_few_files_of_ones_own_are_nothing_to_tell() {
    let odoo = Odoo::new();
    for name in named(9, "backup-", 4, ".tar.gz") {
        odoo.file(&name, "mine", DAY)
            .file(&format!("aa/{name}"), "mine", DAY);
        fs::create_dir(odoo.path(&format!("{name}.d"))).unwrap();
    }
    for hidden in [".nfs0000000000001", ".abcdef.Xy12Zb"] {
        // A copy under way, and a deleted file that is open.
        odoo.file(&format!("aa/{hidden}"), USER, DAY);
    }
    let report = odoo.json("audit", &[], 0);
    assert_eq!(report["unknown"], json!([]));
    assert_eq!(testenv::row(&report, "foreign", None)["files"], 29);
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(!text.contains("unknown"), "{text}");
    assert_eq!(gauge(&odoo, "audit", &[]), "0");
}

#[test]
fn directories_of_another_way_to_shard_are_told_by_name_alone() {
    let odoo = Odoo::new();
    for name in (100..140).map(|number| number.to_string()) {
        odoo.file(&format!("{name}/{name}{}", "x".repeat(80)), USER, 900 * DAY);
    }
    // Two levels of shards.
    for name in ('a'..='t').map(|letter| format!("{letter}x")) {
        odoo.file(
            &format!("aa/{name}/aa{name}{}", "x".repeat(80)),
            USER,
            900 * DAY,
        );
    }
    let before = odoo.files();
    let report = odoo.json("audit", &[], 0);
    let top = unknown("directory", false, "1??", 40, [0, 0]);
    let second = unknown("directory", true, "?x", 20, [0, 0]);
    assert_eq!(report["unknown"], json!([top, second]));
    let text = odoo.run("reap", &["--report", "full"]).stdout;
    assert!(
        text.contains("unknown: 40 directories like 1?? are unknown"),
        "{text}"
    );
    assert!(
        text.contains("unknown: 20 directories like ?x in shards are"),
        "{text}"
    );
    assert_eq!(odoo.files(), before);
}

#[test]
fn a_foreign_name_in_a_shard_that_reads_as_a_session_is_told_even_alone() {
    let odoo = Odoo::new();
    odoo.file("aa/zz-secretsecretsecret", VISITOR, DAY);
    let shape = "?{21}";
    let report = odoo.json("audit", &[], 0);
    assert_eq!(
        report["unknown"],
        json!([unknown("file", true, shape, 1, [1, 1])])
    );
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    let line = "unknown: 1 file like ?{21} in shards is unknown to this version, and not touched; 1 of 1 looked into read as sessions";
    assert!(text.contains(line), "{text}");
    // Only an audit opens it.
    assert_eq!(odoo.json("reap", &[], 0)["unknown"], json!([]));
    assert!(odoo.has("aa/zz-secretsecretsecret"));
}

#[test]
fn an_audit_looks_into_some_tens_of_files_at_most_and_leaves_no_trace() {
    let odoo = Odoo::new();
    let atime = |name: &str| fs::metadata(odoo.path(name)).unwrap().atime();
    let mut names = Vec::new();
    for length in 8..40 {
        for name in named(30, "q", length, "") {
            names.push(format!("{}/x{name}", ["aa", "bb", "cc"][length % 3]));
        }
    }
    for name in &names {
        odoo.file(name, USER, 9 * DAY);
    }
    let before: Vec<i64> = names.iter().map(|name| atime(name)).collect();
    for threads in ["1", "16"] {
        let report = odoo.json("audit", &["--threads", threads], 0);
        assert_eq!(testenv::row(&report, "foreign", None)["files"], 960);
        let told = report["unknown"].as_array().unwrap();
        assert_eq!(told.len(), 10, "the commonest");
        let samples: u64 = told
            .iter()
            .map(|shape| shape["samples"].as_u64().unwrap())
            .sum();
        assert!(samples <= 32, "{samples}");
    }
    let after: Vec<i64> = names.iter().map(|name| atime(name)).collect();
    assert_eq!(after, before);
}

#[test]
fn irregular_names_that_hold_no_session_count_too() {
    let odoo = Odoo::new();
    for name in named(12, "aa", 88, "") {
        odoo.file(&format!("aa/{name}"), "sealed", 900 * DAY);
    }
    let report = odoo.json("reap", &[], 0);
    let sealed = unknown("file", true, "aa?{88}", 12, [0, 0]);
    assert_eq!(report["unknown"], json!([sealed]));
    assert_eq!(odoo.files().len(), 12);
}

#[test]
fn names_chosen_by_a_stranger_show_nothing_and_break_nothing() {
    let odoo = Odoo::new();
    let login = "Ab3".repeat(14);
    for name in named(20, &login, 44, "") {
        odoo.file(&name, USER, DAY);
    }
    for name in named(20, "\u{1b}[31m\u{202e}\n\"", 8, "é") {
        odoo.file(&name, USER, DAY);
    }
    for dots in 3..=250 {
        odoo.file(&".".repeat(dots), USER, DAY);
    }
    for (command, args) in [
        ("audit", &["--report", "full", "-vvv"][..]),
        (
            "audit",
            &["--format", "json", "-vvv", "--log-format", "json"],
        ),
        ("reap", &["--report", "full", "-vvv"]),
    ] {
        let ran = odoo.run(command, args);
        assert_eq!(ran.code, 0);
        assert!(!ran.all().contains(&login[..9]), "{}", ran.all());
        assert!(!ran.all().contains('\u{1b}') && !ran.all().contains('\u{202e}'));
        assert!(
            ran.stdout
                .lines()
                .filter(|line| line.contains("unknown:"))
                .count()
                <= 10
        );
        assert!(ran.all().contains("Ab3Ab3Ab?{78}"), "{}", ran.all());
    }
}
