//! Other mounts: not listed, not even opened.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::stopped::{After, Stopped};
use crate::testenv::{DAY, Odoo, VISITOR, flat, row, run, set_age, sharded, skipped};
use crate::watched::Watched;

/// A command that runs another with mounts of its own.
fn unshare(test: &str) -> Option<Command> {
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--map-root-user"]);
        unshare
    };
    let works = unshare()
        .args(["mount", "-t", "tmpfs", "none", "/mnt"])
        .output();
    if works.is_ok_and(|works| works.status.success()) {
        return Some(unshare());
    }
    skipped(test, "no mounts of its own here");
    None
}

#[test]
fn a_file_that_another_mount_hides_is_not_even_opened() {
    let test = "a_file_that_another_mount_hides_is_not_even_opened";
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("file");
    fs::write(&outside, VISITOR).unwrap();
    set_age(&outside, 2 * DAY);
    for command in ["audit", "reap"] {
        let odoo = Odoo::new();
        odoo.session("aa", VISITOR, 2 * DAY)
            .session("bb", VISITOR, 2 * DAY)
            .file(&flat("aa"), VISITOR, 2 * DAY);
        let Some(mut unshare) = unshare(test) else {
            return;
        };
        let hidden = Watched::new(&outside);
        let ordinary = Watched::new(&odoo.path(&sharded("bb")));
        // The directories still call them files, and opening a file can wake what lies there.
        let script = r#"mount --bind "$1" "$2" && mount --bind "$1" "$3" && shift 3 && exec "$@""#;
        let ran = run(unshare
            .args(["sh", "-c", script, "sh"])
            .arg(&outside)
            .args([odoo.path(&sharded("aa")), odoo.path(&flat("aa"))])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args([command, "--format", "json", "--data-dir"])
            .arg(odoo.data_dir()));
        assert_eq!(ran.code, 0, "{}", ran.all());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["total"]["files"], 1, "{command}");
        assert_eq!(row(&report, "foreign", None)["files"], 2, "{command}");
        assert!(ordinary.was_opened(), "{command}");
        assert!(!hidden.was_opened(), "{command}");
    }
}

#[test]
fn a_mount_that_lands_on_a_shard_before_it_is_opened_is_not_listed() {
    let test = "a_mount_that_lands_on_a_shard_before_it_is_opened_is_not_listed";
    let elsewhere = tempfile::tempdir().unwrap();
    for last in 1..=3 {
        let path = elsewhere.path().join(format!("{}{last}", "a".repeat(83)));
        fs::write(&path, VISITOR).unwrap();
        set_age(&path, 2 * DAY);
    }
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .session("bb", VISITOR, 2 * DAY);
    let Some(unshare) = unshare(test) else {
        return;
    };
    let looked = After {
        call: "statx",
        path: Path::new("aa"),
    };
    let place = odoo.data_dir().to_str().unwrap();
    let args = ["reap", "--threads", "1", "--format", "json", "--data-dir"];
    let args = [&args[..], &[place]].concat();
    let Some(program) = Stopped::start(test, Some(unshare), &looked, &args) else {
        return;
    };
    let ran = program.while_stopped(|pid| {
        let mounted = Command::new("nsenter")
            .args(["--user", "--mount", "--preserve-credentials", "--target"])
            .arg(pid.to_string())
            .args(["mount", "--bind"])
            .args([elsewhere.path(), &odoo.path("aa")])
            .status();
        assert!(mounted.unwrap().success());
    });
    assert_eq!(ran.code, 0, "{}", ran.all());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    // The shard itself, and none of the three files behind it.
    assert_eq!(row(&report, "foreign", None)["files"], 1);
    assert_eq!(report["total"]["deleted"]["files"], 1);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 3);
    assert!(odoo.has(&sharded("aa")) && !odoo.has(&sharded("bb")));
}
