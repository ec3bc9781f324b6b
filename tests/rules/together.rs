//! Which deletions happen at the same time: those in several shards, and none at the top level.

use std::fs;

use crate::testenv::{self, DAY, HOUR, Odoo, VISITOR, flat, run};

/// Files to be deleted in each store.
const DUE: usize = 6;

/// Reaps with several workers, each deletion held up, and tells whether two were on their way at once.
fn two_at_once(test: &str, odoo: &Odoo) -> Option<bool> {
    let log = odoo.data_dir().join("log");
    let ran = run(testenv::strace(test)?
        .arg("-o")
        .arg(&log)
        .args(["-e", "trace=unlinkat"])
        .args(["-e", "inject=unlinkat:delay_enter=500000"])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir()));
    assert_eq!(ran.code, 0, "{}", ran.all());
    let log = fs::read_to_string(log).unwrap();
    assert!(log.lines().count() >= DUE, "{log}");
    // So strace writes of a call when another comes in between.
    Some(log.contains("<unfinished"))
}

#[test]
fn several_workers_delete_in_shards_and_only_one_at_the_top_level() {
    let test = "several_workers_delete_in_shards_and_only_one_at_the_top_level";
    let odoo = Odoo::new();
    for shard in 10..10 + DUE {
        odoo.session(&shard.to_string(), VISITOR, 2 * DAY);
    }
    let Some(in_shards) = two_at_once(test, &odoo) else {
        return;
    };
    assert!(in_shards);
    // So many that each worker has some.
    let odoo = Odoo::new();
    for number in 0..100 * DUE {
        let age = if number % 100 == 0 { 2 * DAY } else { HOUR };
        odoo.file(&flat(&format!("{number:04}a")), VISITOR, age);
    }
    assert_eq!(two_at_once(test, &odoo), Some(false));
}
