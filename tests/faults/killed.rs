//! Runs that are killed, at moments of nobody's choosing, and the runs after them.

use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, program, sharded};

const EXPIRED: usize = 3_000;
const YOUNG: usize = 60;

/// Many expired sessions in both layouts, and a few young ones.
fn store() -> Odoo {
    let odoo = Odoo::new();
    for number in 0..EXPIRED / 2 {
        odoo.session(&format!("{}q{number}q", 10 + number % 40), VISITOR, 2 * DAY)
            .file(&flat(&format!("{number:04}")), VISITOR, 2 * DAY);
    }
    for number in 0..YOUNG {
        odoo.session(&format!("{}-{number}-", 10 + number % 40), USER, HOUR);
    }
    assert_eq!(odoo.files().len(), EXPIRED + YOUNG);
    odoo
}

/// A run on its way; killed at a random moment, with luck in its middle.
fn started(odoo: &Odoo, threads: &str) -> Child {
    let child = program()
        .args([
            "reap",
            "--format",
            "json",
            "--threads",
            threads,
            "--data-dir",
        ])
        .arg(odoo.data_dir())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_micros(fastrand::u64(..30_000)));
    child
}

fn assert_only_the_young_are_left(odoo: &Odoo) {
    let young = |name: &String| name.contains('-');
    assert_eq!(
        odoo.files().iter().filter(|name| young(name)).count(),
        YOUNG
    );
    assert_eq!(odoo.files().len(), YOUNG);
}

#[test]
fn after_a_sigkill_the_next_run_finds_a_sound_store_and_no_lock() {
    let odoo = store();
    for threads in ["1", "2", "8", "2", "4", "1"] {
        let mut child = started(&odoo, threads);
        child.kill().unwrap();
        child.wait().unwrap();
        let left = odoo.files();
        assert_eq!(left.iter().filter(|name| name.contains('-')).count(), YOUNG);
        assert_eq!(odoo.json("audit", &[], 0)["total"]["files"], left.len());
        // Whoever finds the lock taken deletes nothing and ends with 75.
        let one = odoo.json("reap", &["--limit", "1"], 0);
        let due = u64::from(left.len() > YOUNG);
        assert_eq!(one["total"]["deleted"]["files"], due);
    }
    odoo.json("reap", &[], 0);
    assert_only_the_young_are_left(&odoo);
}

#[test]
fn a_sigterm_under_load_ends_a_run_with_a_true_report() {
    let odoo = store();
    for threads in ["8", "1", "2", "4", "8", "2"] {
        let before = odoo.files().len();
        let child = started(&odoo, threads);
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        let deleted = before - odoo.files().len();
        // Before it has begun it just dies; after it is done there is nothing to interrupt.
        let Some(code) = output.status.code() else {
            assert_eq!(deleted, 0);
            continue;
        };
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let end = match code {
            0 => "complete",
            143 => "interrupted",
            _ => panic!("exit {code}"),
        };
        assert_eq!(report["end"], end);
        assert_eq!(report["total"]["deleted"]["files"], deleted);
        assert_eq!(report["errors"], serde_json::json!([]));
    }
    odoo.json("reap", &[], 0);
    assert_only_the_young_are_left(&odoo);
}

#[test]
fn no_shard_goes_with_its_last_session() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    started(&odoo, "1").wait().unwrap();
    odoo.json("reap", &[], 0);
    assert!(odoo.files().is_empty() && odoo.has("aa") && !odoo.has(&sharded("aa")));
}
