//! When a session was used last, how many people are behind the files, and in which databases they are.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use filetime::FileTime;
use serde_json::{Value, json};
use testenv::{
    CART, DAY, HOUR, Odoo, USER, VISITOR, flat, is_root, named, now, program, run, sharded,
    skipped, superseded,
};

/// Makes a file look as if it was read last so many seconds ago.
fn read_ago(odoo: &Odoo, name: &str, age: i64) {
    let time = FileTime::from_unix_time(now() - age, 0);
    filetime::set_file_atime(odoo.path(name), time).unwrap();
}

fn atime(path: &Path) -> (i64, i64) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.atime(), metadata.atime_nsec())
}

fn twin(login: &str, file: &str) -> String {
    named(login, file, 84)
}

#[test]
fn who_only_clicks_is_active_where_reads_count() {
    let odoo = Odoo::new();
    let (clicking, gone, flat) = (sharded("ab"), sharded("cd"), flat("ef"));
    for name in [&clicking, &gone, &flat] {
        odoo.file(name, USER, 9 * DAY);
    }
    read_ago(&odoo, &clicking, DAY);
    read_ago(&odoo, &flat, 2 * DAY);
    read_ago(&odoo, &gone, 8 * DAY);
    let audit = odoo.json("audit", &[], 0);
    assert_eq!(audit["total"]["due"]["files"], 3);
    assert_eq!(audit["due_but_active"], 2);
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("due but active: 2 files"), "{text}");
    let args = ["--last-seen", "atime", "--report", "full"];
    let text = odoo.run("audit", &args).stdout;
    assert!(text.contains("Last use"), "{text}");
    let audit = odoo.json("audit", &["--last-seen", "atime"], 0);
    assert_eq!(audit["total"]["due"]["files"], 1);
    assert_eq!(audit["due_but_active"], 0);
    let reap = odoo.run("reap", &["--last-seen", "atime"]);
    assert_eq!(reap.code, 0, "{}", reap.stderr);
    assert_eq!(odoo.files(), [clicking, flat].into());
}

#[test]
fn a_window_below_the_grain_of_access_times_is_warned_of() {
    let odoo = Odoo::new();
    let flags = rustix::fs::statvfs(&odoo.sessions).unwrap().f_flag;
    let coarse = flags.contains(rustix::fs::StatVfsMountFlags::RELATIME);
    for (args, warned) in [
        (
            &["--last-seen", "atime", "--authenticated-window", "23h"][..],
            coarse,
        ),
        (&["--last-seen", "atime", "--anonymous-window", "2h"], false),
        (&["--authenticated-window", "23h"], false),
    ] {
        let ran = odoo.run("reap", args);
        assert_eq!(
            ran.stderr.contains("relatime"),
            warned,
            "{args:?} {}",
            ran.stderr
        );
    }
}

#[test]
fn a_save_after_the_last_read_counts_all_the_same() {
    let odoo = Odoo::new();
    odoo.session("ab", USER, DAY);
    read_ago(&odoo, &sharded("ab"), 30 * DAY);
    assert_eq!(
        odoo.json("reap", &["--last-seen", "atime"], 0)["total"]["deleted"]["files"],
        0
    );
}

#[test]
fn a_read_mends_no_impossible_save_and_keeps_no_leftover() {
    let odoo = Odoo::new();
    let leftover = "tmpabcdefgh.__wz_sess";
    odoo.session("ab", USER, now() - DAY)
        .file(leftover, "", 9 * DAY);
    read_ago(&odoo, &sharded("ab"), 30 * DAY);
    read_ago(&odoo, leftover, 0);
    let reap = odoo.json("reap", &["--last-seen", "atime"], 0);
    assert_eq!(reap["kept"]["implausible_time"], 1);
    assert_eq!(odoo.files(), [sharded("ab")].into());
}

#[test]
fn no_run_moves_an_access_time() {
    for (mode, args) in [
        ("audit", &["--list"][..]),
        ("audit", &["--last-seen", "atime"]),
        ("reap", &["--dry-run", "--list"]),
        ("reap", &["--dry-run", "--last-seen", "atime"]),
        ("reap", &["--dry-run", "--by-age-only"]),
        ("reap", &["--max-lifetime", "400d"]),
    ] {
        let odoo = Odoo::new();
        let names = [sharded("ab"), sharded("cd"), flat("ef")];
        let ages = [HOUR, 5 * DAY, 20 * DAY];
        for (name, age) in names.iter().zip(ages) {
            odoo.file(name, USER, age);
            // Read before its save, and long ago: with relatime any read would move this at once.
            read_ago(&odoo, name, 30 * DAY);
        }
        let before: Vec<_> = names.iter().map(|name| atime(&odoo.path(name))).collect();
        let ran = odoo.run(mode, args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for (name, before) in names.iter().zip(before) {
            if odoo.has(name) {
                assert_eq!(atime(&odoo.path(name)), before, "{mode} {args:?} {name}");
            }
        }
        let path = odoo.path(&names[0]);
        fs::read(&path).unwrap();
        let moved = atime(&path).0 > now() - DAY;
        assert!(moved || mounted_noatime(&path), "this test could not fail");
    }
}

fn mounted_noatime(path: &Path) -> bool {
    let flags = rustix::fs::statvfs(path).unwrap().f_flag;
    flags.contains(rustix::fs::StatVfsMountFlags::NOATIME)
}

#[test]
fn an_ordinary_user_moves_no_access_time_of_his_own_and_opens_no_other() {
    if !is_root() {
        return skipped(
            "an_ordinary_user_moves_no_access_time_of_his_own_and_opens_no_other",
            "not root",
        );
    }
    const NOBODY: u32 = 65_534;
    let odoo = Odoo::new();
    let (own, other) = (sharded("ab"), sharded("cd"));
    for name in [&own, &other] {
        odoo.file(name, USER, 9 * DAY);
        read_ago(&odoo, name, 30 * DAY);
    }
    for path in [
        odoo.data_dir(),
        &odoo.sessions,
        &odoo.path("ab"),
        &odoo.path("cd"),
        &odoo.path(&own),
    ] {
        std::os::unix::fs::chown(path, Some(NOBODY), None).unwrap();
    }
    let before = [atime(&odoo.path(&own)), atime(&odoo.path(&other))];
    let mut reap = Command::new("setpriv");
    reap.args(["--reuid=65534", "--clear-groups"])
        .arg(program().get_program())
        .args([
            "reap",
            "--dry-run",
            "--last-seen",
            "atime",
            "--format",
            "json",
            "--data-dir",
        ])
        .arg(odoo.data_dir());
    let ran = run(&mut reap);
    let report: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()));
    assert_eq!(
        report["unreadable"],
        json!({"permission denied": 1}),
        "{report}"
    );
    assert_eq!(report["total"]["due"]["files"], 1);
    assert_eq!([atime(&odoo.path(&own)), atime(&odoo.path(&other))], before);
}

#[test]
fn access_times_are_refused_where_nobody_keeps_them() {
    if !is_root() {
        return skipped(
            "access_times_are_refused_where_nobody_keeps_them",
            "not root",
        );
    }
    let odoo = Odoo::new();
    odoo.session("ab", USER, 9 * DAY);
    let script =
        r#"mount --bind "$1" "$1" && mount -o remount,bind,noatime "$1" && shift && exec "$@""#;
    let ran = |args: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", script, "sh"])
            .arg(odoo.data_dir())
            .arg(program().get_program())
            .args(args)
            .arg("--data-dir")
            .arg(odoo.data_dir());
        run(&mut command)
    };
    let refused = ran(&["reap", "--last-seen", "atime"]);
    if refused.stderr.contains("unshare") || refused.stderr.contains("mount:") {
        return skipped(
            "access_times_are_refused_where_nobody_keeps_them",
            "cannot mount here",
        );
    }
    assert_eq!(refused.code, 1, "{}", refused.all());
    assert!(refused.stderr.contains("noatime"), "{}", refused.stderr);
    assert!(odoo.has(&sharded("ab")));
    let audit = ran(&["audit", "--report", "full"]);
    assert!(
        audit.stdout.contains("due but active: unknown"),
        "{}",
        audit.all()
    );
    assert_eq!(ran(&["reap"]).code, 0);
    assert!(!odoo.has(&sharded("ab")));
}

#[test]
fn a_rotated_session_is_one_login() {
    let odoo = Odoo::new();
    let superseded = superseded();
    odoo.file(&twin("ab", "1"), &superseded, HOUR)
        .file(&twin("ab", "2"), USER, HOUR)
        .file(&twin("ab", "3"), USER, HOUR)
        .file(&twin("ab9", "1"), USER, HOUR)
        .file(&twin("cd", "1"), &superseded, HOUR)
        .file(&twin("ef", "1"), VISITOR, HOUR)
        .file(&format!("12/12{}", "a".repeat(38)), USER, HOUR)
        .file(&format!("12/12{}b", "a".repeat(37)), USER, HOUR)
        .file(&flat("a"), USER, HOUR)
        .file(&flat("b"), USER, HOUR);
    for threads in ["1", "4"] {
        let audit = odoo.json("audit", &["--threads", threads], 0);
        assert_eq!(audit["logins"], 6, "{audit}");
    }
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("logins: 6;"), "{text}");
}

#[test]
fn several_databases_are_told_apart() {
    let odoo = Odoo::new();
    let other = USER.replace("shop", "Shop");
    odoo.session("ab", USER, 9 * DAY)
        .session("cd", &other, HOUR)
        .session("ef", CART, HOUR)
        .session("gh", VISITOR.replace("\"shop\"", "null"), 2 * DAY);
    let audit = odoo.json("audit", &[], 0);
    let rows: Vec<_> = audit["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["name"], row["files"], row["due"], row["deleted"]]))
        .collect();
    assert_eq!(
        json!(rows),
        json!([["Shop", 1, 0, 0], ["shop", 2, 1, 0], [null, 1, 1, 0]])
    );
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(
        text.contains("\n Database ") && text.contains("\n no database "),
        "{text}"
    );
    let reap = odoo.json("reap", &[], 0);
    let deleted: Vec<_> = reap["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["deleted"])
        .collect();
    assert_eq!(
        json!(deleted),
        json!([1, 1]),
        "recent ones are not read: {reap}"
    );
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("\n Database "), "two are left: {text}");
    fs::remove_file(odoo.path(&sharded("cd"))).unwrap();
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(!text.contains("\n Database "), "one needs no table: {text}");
}

#[test]
fn ten_thousand_names_of_strangers_do_not_explode_a_report() {
    let odoo = Odoo::new();
    let monster = "x".repeat(100_000);
    for number in 0..3_000 {
        let content = VISITOR.replace("shop", &format!("\\u001b[31m{number}\\n"));
        odoo.file(&flat(&format!("{number:04x}")), content, 2 * DAY);
    }
    odoo.session("ab", VISITOR.replace("shop", &monster), 2 * DAY)
        .session(
            "cd",
            VISITOR.replace("shop", &format!("{monster}y")),
            2 * DAY,
        );
    let audit = odoo.json("audit", &["--threads", "4"], 0);
    let rows = audit["databases"].as_array().unwrap();
    assert_eq!(rows.len(), 101);
    assert_eq!(rows[100]["others"], true);
    let files: u64 = rows.iter().map(|row| row["files"].as_u64().unwrap()).sum();
    assert_eq!(files, 3_002);
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(
        text.lines().count() < 80 && text.matches("other databases").count() == 1,
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.chars().count() < 250));
}
