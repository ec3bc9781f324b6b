//! Deleting by age alone: what has to prove itself first, and who deletes in a flat store.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, row, run, sharded, skipped};
use crate::trace::{self, traced};

#[test]
fn a_layout_that_does_not_prove_itself_is_read_while_the_other_is_not() {
    let odoo = Odoo::new();
    for seed in 10..40 {
        odoo.session(&seed.to_string(), VISITOR, 8 * DAY);
    }
    // As an upgrade leaves them: broken ones, and one that is none of them.
    odoo.file(&flat("aa"), "junk", 8 * DAY)
        .file(&flat("bb"), "junk", 8 * DAY)
        .file(&flat("cc"), USER, 8 * DAY);
    let ran = odoo.run("reap", &["--by-age-only", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stderr.contains("of 30 looked at, 30 read as sessions"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("of 3 flat files older than 7 days, only 1 read")
            && ran.stderr.contains("this layout is read as usual"),
        "{}",
        ran.stderr
    );
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(row(&report, "not-read", None)["deleted"]["files"], 30);
    assert_eq!(row(&report, "authenticated", None)["deleted"]["files"], 1);
    assert_eq!(row(&report, "unreadable", None)["files"], 2);
    assert_eq!(odoo.files(), BTreeSet::from([flat("aa"), flat("bb")]));
}

#[test]
fn it_is_refused_only_where_no_layout_proves_itself() {
    let odoo = Odoo::new();
    odoo.file(&flat("aa"), "junk", 8 * DAY)
        .session("bb", "junk", 8 * DAY)
        .session("cc", VISITOR, HOUR);
    for args in [&["--by-age-only"][..], &["--by-age-only", "--dry-run"]] {
        let ran = odoo.run("reap", args);
        assert_eq!(ran.code, 1, "{}", ran.all());
        assert!(
            ran.stderr
                .contains("of 1 flat file older than 7 days, only 0 read")
                && ran
                    .stderr
                    .contains("of 1 sharded file older than 7 days, only 0 read"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(odoo.files().len(), 3);
}

#[test]
fn the_sample_looks_deeper_where_there_are_few_shards() {
    let odoo = Odoo::new();
    for seed in 10..50 {
        odoo.session(&format!("aa{seed}"), VISITOR, 8 * DAY);
    }
    let ran = odoo.run("reap", &["--by-age-only", "--dry-run"]);
    assert!(
        ran.stderr.contains("of 40 looked at, 40 read as sessions"),
        "{}",
        ran.stderr
    );
}

#[test]
fn the_sample_counts_no_file_of_another_mount() {
    let test = "the_sample_counts_no_file_of_another_mount";
    let (odoo, elsewhere) = (Odoo::new(), Odoo::new());
    for name in [flat("aa"), flat("bb"), sharded("cc"), sharded("dd")] {
        odoo.file(&name, VISITOR, 8 * DAY);
        elsewhere.file(&name, "junk", 8 * DAY);
    }
    // A file, and a whole shard.
    let script = r#"
        mount --bind "$2/$3" "$1/$3" && mount --bind "$2/dd" "$1/dd" || exit 99
        shift 3
        exec "$@"
    "#;
    let ran = run(Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .args([&odoo.sessions, &elsewhere.sessions])
        .arg(flat("bb"))
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--by-age-only", "--data-dir"])
        .arg(odoo.data_dir()));
    if ran.code == 99 || ran.stderr.starts_with("unshare:") {
        return skipped(test, &ran.stderr);
    }
    assert_eq!(ran.code, 0, "{}", ran.all());
    let told = ran.stderr.matches("of 1 looked at, 1 read as sessions");
    assert_eq!(told.count(), 2, "{}", ran.stderr);
    assert_eq!(odoo.files(), BTreeSet::from([flat("bb"), sharded("dd")]));
    assert_eq!(elsewhere.files().len(), 4);
}

#[test]
fn the_sample_ends_with_a_signal_and_nothing_is_deleted() {
    let test = "the_sample_ends_with_a_signal_and_nothing_is_deleted";
    let odoo = Odoo::new();
    for seed in 10..50 {
        odoo.file(&flat(&seed.to_string()), VISITOR, 8 * DAY)
            .session(&seed.to_string(), "junk", 8 * DAY);
    }
    // The first listing is the sample's, after that of the service's settings, which takes two calls.
    let before = if Path::new("/etc/default").is_dir() {
        2
    } else {
        0
    };
    let early = format!("inject=getdents64:signal=SIGTERM:when={}", before + 1);
    let Some((ran, calls)) = traced(test, &odoo, &["-e", &early], "reap", &["--by-age-only"])
    else {
        return;
    };
    assert_eq!(ran.code, 143, "{}", ran.all());
    assert!(!calls.iter().any(|call| call.name == "unlinkat"));
    let opened = calls.iter().filter(|call| {
        let below =
            call.rest.contains("/sessions>, \"") && !call.rest.contains("/sessions>, \".\"");
        call.name == "openat" && below
    });
    assert_eq!(opened.count(), 0, "no session, no shard");
    assert_eq!(odoo.files().len(), 80);
    // One that came while it looked at its first file, which is none: too small a sample to refuse by.
    let odoo = Odoo::new();
    let name = flat("aa");
    odoo.file(&name, "junk", 8 * DAY);
    let late = ["-P", &name, "-e", "inject=statx:signal=SIGTERM:when=1"];
    let Some((ran, _)) = traced(test, &odoo, &late, "reap", &["--by-age-only"]) else {
        return;
    };
    assert_eq!(ran.code, 143, "{}", ran.all());
}

/// The most deletions that were under way at the same moment.
fn at_the_same_time(test: &str, args: &[&str]) -> Option<usize> {
    let odoo = Odoo::new();
    for number in 0..512 {
        odoo.file(&flat(&format!("{number:04}")), VISITOR, 8 * DAY);
    }
    let slow = [
        "-e",
        "trace=unlinkat",
        "-e",
        "inject=unlinkat:delay_exit=3000",
    ];
    let (ran, calls) = traced(test, &odoo, &slow, "reap", args)?;
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(odoo.files().is_empty());
    Some(trace::at_the_same_time("unlinkat", &calls))
}

#[test]
fn only_one_worker_at_a_time_deletes_in_a_flat_store_unless_threads_are_asked_for() {
    let test = "only_one_worker_at_a_time_deletes_in_a_flat_store_unless_threads_are_asked_for";
    for way in [
        &[][..],
        &["--by-age-only"],
        &["--by-age-only", "--limit", "1000"],
    ] {
        let Some(most) = at_the_same_time(test, way) else {
            return;
        };
        assert_eq!(most, 1, "{way:?}");
    }
    let shared = at_the_same_time(test, &["--by-age-only", "--threads", "4"]);
    assert!(shared > Some(1), "this test could not fail");
}
