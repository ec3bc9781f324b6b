//! Faults in each system call of the walk, the read and the delete, injected into the real program.
//!
//! One test for each call, one line for each outcome: which errors, and how the run ends then. What a line
//! does not name is as without a fault, and a run after the fault finishes the work.

use std::process::Command;

use rustix::io::Errno;
use serde_json::Value;

use crate::testenv::{self, DAY, HOUR, Odoo, USER, VISITOR, flat, run};

const ERRORS: [(&str, Errno); 13] = [
    ("EACCES", Errno::ACCESS),
    ("EIO", Errno::IO),
    ("ESTALE", Errno::STALE),
    ("ENOENT", Errno::NOENT),
    ("EROFS", Errno::ROFS),
    ("EMFILE", Errno::MFILE),
    ("EINTR", Errno::INTR),
    ("ENOMEM", Errno::NOMEM),
    ("EPERM", Errno::PERM),
    ("ELOOP", Errno::LOOP),
    ("ENXIO", Errno::NXIO),
    ("ENOLCK", Errno::NOLCK),
    ("EOPNOTSUPP", Errno::OPNOTSUPP),
];

/// The eight that every call is tried with.
const EACH: &str = "EACCES EIO ESTALE ENOENT EROFS EMFILE EINTR ENOMEM";

const ALL_DONE: &str = "exit 0";
const NOTHING_DONE: &str = "exit 1, kept a1 a2 b1 flat temporary";

/// Due files by the names that outcomes use; `a1` is the one that faults are aimed at.
fn due() -> [(&'static str, String); 5] {
    let sharded = |shard: &str, last: char| format!("{shard}/{}{last}", shard.repeat(41) + "x");
    [
        ("a1", sharded("aa", '1')),
        ("a2", sharded("aa", '2')),
        ("b1", sharded("bb", '1')),
        ("flat", flat("cd")),
        ("temporary", "tmpabcdefgh.__wz_sess".to_owned()),
    ]
}

/// Calls that a fault is injected into.
struct Fault {
    /// The system call, as strace selects it.
    call: &'static str,
    /// What the call names: the store (`.`), a path in it, or a bare name as it stands in the call.
    on: Vec<String>,
    /// Which of these calls, as strace counts: `1`, `2`, `1+` for all.
    when: &'static str,
    /// Whether the store has no shards.
    flat: bool,
}

impl Fault {
    /// Tries each error of `outcomes` and compares how the run ended; `*` is the rest of [`EACH`].
    fn ends(&self, test: &str, outcomes: &[(&str, &str)]) {
        let named = |error: &str| {
            outcomes
                .iter()
                .any(|(errors, _)| errors.split(' ').any(|named| named == error))
        };
        for (errors, outcome) in outcomes {
            let rest = EACH.split(' ').filter(|error| !named(error));
            let errors: Vec<&str> = match *errors {
                "*" => rest.collect(),
                errors => errors.split(' ').collect(),
            };
            for error in errors {
                let Some(strace) = testenv::strace(test) else {
                    return;
                };
                let expected = outcome.replace("{}", error);
                assert_eq!(
                    self.inject(strace, error),
                    expected,
                    "{} {error}",
                    self.call
                );
            }
        }
    }

    fn inject(&self, mut strace: Command, error: &str) -> String {
        let odoo = Odoo::new();
        let mut due = due().to_vec();
        due.retain(|(_, name)| !(self.flat && name.contains('/')));
        for (_, name) in &due {
            odoo.file(name, VISITOR, 3 * DAY);
        }
        let young = if self.flat {
            flat("ef")
        } else {
            format!("bb/{}", "b".repeat(84))
        };
        odoo.file(&young, USER, HOUR);
        for on in &self.on {
            let path = match on.strip_prefix('.') {
                Some(below) => odoo.path(below.trim_start_matches('/')).into_os_string(),
                None => on.into(),
            };
            strace.arg("-P").arg(path);
        }
        let (call, when) = (self.call, self.when);
        let ran = run(strace
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:error={error}:when={when}")])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(["reap", "--format", "json", "--threads", "1", "--data-dir"])
            .arg(odoo.data_dir())
            .env_remove("RUST_LOG"));
        let mut told = format!("exit {}", ran.code);
        let kept: Vec<_> = due
            .iter()
            .filter(|(_, name)| odoo.has(name))
            .map(|(short, _)| *short)
            .collect();
        if !kept.is_empty() {
            told += &format!(", kept {}", kept.join(" "));
        }
        if ran.code == 1 {
            assert!(
                ran.stdout.is_empty() && ran.stderr.contains("ERROR"),
                "{}",
                ran.all()
            );
        } else {
            let report: Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(report["total"]["deleted"]["files"], due.len() - kept.len());
            assert_eq!(report["exit_code"], ran.code);
            told += &complaints(&report);
        }
        assert!(odoo.has(&young), "{told}");
        let after = odoo.json("reap", &[], 0);
        assert_eq!(after["total"]["deleted"]["files"], kept.len());
        assert_eq!(odoo.files().into_iter().collect::<Vec<_>>(), [young]);
        told
    }
}

/// What the report says of faults.
fn complaints(report: &Value) -> String {
    let mut told = String::new();
    for error in report["errors"].as_array().unwrap() {
        let name = ERRORS
            .iter()
            .find(|(_, errno)| error["errno"] == errno.raw_os_error())
            .map_or("?", |(name, _)| name);
        let operation = error["operation"].as_str().unwrap();
        told += &format!(", {operation} {name} {}", error["count"]);
    }
    for (reason, count) in report["unreadable"].as_object().unwrap() {
        told += &format!(", {reason} {count}");
    }
    let foreign = report["classes"].as_array().unwrap().last().unwrap();
    for (what, count) in [
        ("vanished", &report["vanished"]),
        ("foreign", &foreign["files"]),
    ] {
        if count != 0 {
            told += &format!(", {what} {count}");
        }
    }
    told
}

fn fault(call: &'static str, on: &[&str], when: &'static str) -> Fault {
    let on = on.iter().map(|&on| on.to_owned()).collect();
    Fault {
        call,
        on,
        when,
        flat: false,
    }
}

/// The name of `a1`, as it stands in calls relative to its shard.
fn a1() -> String {
    due()[0].1.split_once('/').unwrap().1.to_owned()
}

#[test]
fn a_store_that_cannot_be_opened_is_a_failure() {
    fault("/^open(at)?$", &["."], "1").ends(
        "a_store_that_cannot_be_opened_is_a_failure",
        &[("EINTR", ALL_DONE), ("*", NOTHING_DONE)],
    );
}

#[test]
fn a_store_of_which_nothing_can_be_learnt_is_a_failure() {
    fault("statx", &["."], "1").ends(
        "a_store_of_which_nothing_can_be_learnt_is_a_failure",
        &[("EINTR", ALL_DONE), ("*", NOTHING_DONE)],
    );
}

#[test]
fn a_store_that_cannot_be_locked_is_a_failure_unless_there_are_no_locks() {
    fault("flock", &["."], "1").ends(
        "a_store_that_cannot_be_locked_is_a_failure_unless_there_are_no_locks",
        &[("EINTR ENOLCK EOPNOTSUPP", ALL_DONE), ("*", NOTHING_DONE)],
    );
}

#[test]
fn a_top_level_that_cannot_be_listed_is_told() {
    let test = "a_top_level_that_cannot_be_listed_is_told";
    let kept = "exit 3, kept a1 a2 b1 flat temporary, list {} 1";
    fault("getdents64", &["."], "1").ends(
        test,
        &[
            ("ENOENT", "exit 0, kept a1 a2 b1 flat temporary"),
            ("EINTR", ALL_DONE),
            ("*", kept),
        ],
    );
    fault("getdents64", &["."], "2").ends(
        test,
        &[("ENOENT EINTR", ALL_DONE), ("*", "exit 3, list {} 1")],
    );
}

#[test]
fn a_shard_that_cannot_be_opened_is_told_and_one_that_has_gone_is_not() {
    for call in ["statx", "openat"] {
        fault(call, &["aa"], "1").ends(
            "a_shard_that_cannot_be_opened_is_told_and_one_that_has_gone_is_not",
            &[
                ("EINTR", ALL_DONE),
                ("ENOENT", "exit 0, kept a1 a2"),
                ("*", "exit 3, kept a1 a2, list {} 1"),
            ],
        );
    }
}

#[test]
fn a_shard_that_cannot_be_listed_is_told_and_one_that_has_gone_is_not() {
    let test = "a_shard_that_cannot_be_listed_is_told_and_one_that_has_gone_is_not";
    for (call, when) in [("statx", "1"), ("getdents64", "1")] {
        fault(call, &["./aa"], when).ends(
            test,
            &[
                ("EINTR", ALL_DONE),
                ("ENOENT", "exit 0, kept a1 a2"),
                ("*", "exit 3, kept a1 a2, list {} 1"),
            ],
        );
    }
    fault("getdents64", &["./aa"], "2").ends(
        test,
        &[("EINTR ENOENT", ALL_DONE), ("*", "exit 3, list {} 1")],
    );
}

#[test]
fn a_file_without_metadata_is_kept_and_told() {
    let (first, last) = (fault("statx", &[&a1()], "1"), fault("statx", &[&a1()], "2"));
    for look in [first, last] {
        look.ends(
            "a_file_without_metadata_is_kept_and_told",
            &[
                ("EINTR", ALL_DONE),
                ("ENOENT", "exit 0, kept a1, vanished 1"),
                ("*", "exit 3, kept a1, stat {} 1"),
            ],
        );
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_kept_and_told() {
    let test = "a_file_that_cannot_be_opened_is_kept_and_told";
    let failed = "exit 3, kept a1, read {} 1, failed to read 1";
    fault("openat", &[&a1()], "1").ends(
        test,
        &[
            // Out of handles, those of files that wait to be settled are given back; O_NOATIME is for owners.
            ("EINTR EMFILE EPERM", ALL_DONE),
            ("ENOENT", "exit 0, kept a1, vanished 1"),
            ("EACCES", "exit 0, kept a1, permission denied 1"),
            ("ELOOP ENXIO", "exit 0, kept a1, foreign 1"),
            ("*", failed),
        ],
    );
    fault("openat", &[&a1()], "1+").ends(
        test,
        &[
            ("EPERM", "exit 0, kept a1, permission denied 1"),
            ("EMFILE", failed),
        ],
    );
}

#[test]
fn an_open_file_that_cannot_be_looked_at_is_kept_and_told() {
    fault("statx", &[&format!("./{}", due()[0].1)], "1").ends(
        "an_open_file_that_cannot_be_looked_at_is_kept_and_told",
        &[
            ("EINTR EMFILE", ALL_DONE),
            ("ENOENT", "exit 0, kept a1, vanished 1"),
            ("EACCES", "exit 0, kept a1, permission denied 1"),
            ("*", "exit 3, kept a1, read {} 1, failed to read 1"),
        ],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_kept_and_told() {
    fault("read", &[&format!("./{}", due()[0].1)], "1").ends(
        "a_file_that_cannot_be_read_is_kept_and_told",
        &[
            ("EINTR", ALL_DONE),
            ("*", "exit 3, kept a1, read {} 1, failed to read 1"),
        ],
    );
}

#[test]
fn a_file_that_cannot_be_deleted_is_told_and_the_rest_is_deleted() {
    fault("unlinkat", &[&a1()], "1").ends(
        "a_file_that_cannot_be_deleted_is_told_and_the_rest_is_deleted",
        &[
            ("EINTR", ALL_DONE),
            ("ENOENT", "exit 0, kept a1, vanished 1"),
            ("*", "exit 3, kept a1, delete {} 1"),
        ],
    );
}

#[test]
fn where_nothing_can_be_deleted_each_file_is_counted() {
    fault("unlinkat", &[".", "./aa", "./bb"], "1+").ends(
        "where_nothing_can_be_deleted_each_file_is_counted",
        &[
            ("ENOENT", "exit 0, kept a1 a2 b1 flat temporary, vanished 5"),
            (
                "EACCES EIO ESTALE EROFS ENOMEM",
                "exit 3, kept a1 a2 b1 flat temporary, delete {} 5",
            ),
        ],
    );
}

/// Without shards, the store is listed by its own handle.
#[test]
fn a_flat_store_that_cannot_be_listed_is_told() {
    let flat = Fault {
        flat: true,
        ..fault("getdents64", &["."], "1")
    };
    flat.ends(
        "a_flat_store_that_cannot_be_listed_is_told",
        &[
            ("EINTR", ALL_DONE),
            ("ENOENT", "exit 0, kept flat temporary"),
            ("*", "exit 3, kept flat temporary, list {} 1"),
        ],
    );
}

#[test]
fn calls_that_are_interrupted_again_and_again_are_made_again() {
    let file = format!("./{}", due()[0].1);
    fault(
        "flock,openat,statx,read,unlinkat",
        &[".", "./aa", "./bb", &file],
        "1+2",
    )
    .ends(
        "calls_that_are_interrupted_again_and_again_are_made_again",
        &[("EINTR", ALL_DONE)],
    );
}

#[test]
fn a_file_system_that_tells_no_inodes_is_no_fault() {
    fault("fstatfs", &["."], "1+").ends(
        "a_file_system_that_tells_no_inodes_is_no_fault",
        &[("*", ALL_DONE)],
    );
}
