//! What stands before each deletion, and what keeps it from being made.

use odoo_session_reaper::store::{Opening, Store};

use crate::testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, sharded};
use crate::trace::{Call, traced};

/// Names of expired sessions, in their directories.
fn expired(odoo: &Odoo) -> Vec<String> {
    let names: Vec<_> = (10..20)
        .flat_map(|seed| [flat(&seed.to_string()), sharded(&format!("aa{seed}"))])
        .collect();
    for name in &names {
        odoo.file(name, USER, 8 * DAY);
    }
    odoo.session("young", USER, HOUR);
    names
        .iter()
        .map(|name| name.rsplit('/').next().unwrap().to_owned())
        .collect()
}

/// Whether this is the last check of `file`: asked of a network's server, too.
fn is_last_check(call: &Call, file: &str) -> bool {
    call.name == "statx" && call.is_about(file) && call.rest.contains("AT_STATX_FORCE_SYNC")
}

#[test]
fn a_file_that_was_read_is_closed_then_checked_then_deleted_with_nothing_between() {
    let test = "a_file_that_was_read_is_closed_then_checked_then_deleted_with_nothing_between";
    for args in [&[][..], &["--limit", "1000"], &["--last-seen", "atime"]] {
        let odoo = Odoo::new();
        let files = expired(&odoo);
        let args = [args, &["--threads", "1"]].concat();
        let Some((ran, calls)) = traced(test, &odoo, &[], "reap", &args) else {
            return;
        };
        assert_eq!(ran.code, 0, "{}", ran.all());
        for file in files {
            assert!(!odoo.has(&file));
            let deleted = calls
                .iter()
                .position(|call| call.name == "unlinkat" && call.is_about(&file));
            let before = deleted.unwrap();
            let [.., close, check] = &calls[..before] else {
                panic!("{calls:?}")
            };
            assert!(is_last_check(check, &file), "{check:?}");
            assert!(close.name == "close" && close.is_about(&file), "{close:?}");
            let looks = |forced: bool| {
                let statx = calls.iter().filter(|call| {
                    call.name == "statx" && call.rest.contains(&format!("\"{file}\""))
                });
                statx
                    .filter(|call| call.rest.contains("AT_STATX_FORCE_SYNC") == forced)
                    .count()
            };
            assert_eq!((looks(false), looks(true)), (1, 1), "{args:?}");
        }
    }
}

/// The kernel gives an inode back with its last handle, which is the larger part of a deletion: at the top level, where
/// others wait for their turn, that is done when it is over.
#[test]
fn at_the_top_level_handles_are_closed_after_the_turn_where_open_files_are_deleted() {
    let test = "at_the_top_level_handles_are_closed_after_the_turn_where_open_files_are_deleted";
    let odoo = Odoo::new();
    let files = expired(&odoo);
    let store = Store::open(&odoo.sessions, &Opening::default()).unwrap();
    let Some((ran, calls)) = traced(test, &odoo, &[], "reap", &[]) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.all());
    for file in files {
        let at = |name: &str| {
            let is_it = |call: &Call| call.name == name && call.is_about(&file);
            calls.iter().position(is_it).unwrap()
        };
        let later = file.starts_with("werkzeug_") && store.deletes_open_files();
        assert_eq!(at("close") > at("unlinkat"), later, "{calls:?}");
    }
}

#[test]
fn by_age_alone_the_look_is_the_last_check_and_a_limit_asks_for_another() {
    let test = "by_age_alone_the_look_is_the_last_check_and_a_limit_asks_for_another";
    for (limit, looks) in [(&[][..], 1), (&["--limit", "1000"], 2)] {
        let odoo = Odoo::new();
        let files = expired(&odoo);
        let args = [limit, &["--by-age-only", "--threads", "1"]].concat();
        let Some((ran, calls)) = traced(test, &odoo, &[], "reap", &args) else {
            return;
        };
        assert_eq!(ran.code, 0, "{}", ran.all());
        // Before that is the sample.
        let told = |call: &Call| call.name == "write" && call.rest.contains("without being read");
        let sampled = calls.iter().rposition(told).unwrap();
        let calls = &calls[sampled..];
        for file in files {
            let about: Vec<_> = calls.iter().filter(|call| call.is_about(&file)).collect();
            let [.., check, unlink] = &about[..] else {
                panic!("{about:?}")
            };
            assert_eq!(unlink.name, "unlinkat");
            assert!(is_last_check(check, &file), "{check:?}");
            let at = |wanted: &Call| calls.iter().position(|call| std::ptr::eq(call, wanted));
            assert_eq!(at(check).map(|at| at + 1), at(unlink), "nothing between");
            assert_eq!(about.len(), looks + 1, "{about:?}");
        }
    }
}

#[test]
fn a_signal_is_looked_for_before_each_deletion() {
    let test = "a_signal_is_looked_for_before_each_deletion";
    for args in [&[][..], &["--by-age-only"], &["--limit", "1000"]] {
        let odoo = Odoo::new();
        expired(&odoo);
        let args = [args, &["--threads", "1", "--format", "json"]].concat();
        let third = ["-e", "inject=unlinkat:signal=SIGTERM:when=3"];
        let Some((ran, _)) = traced(test, &odoo, &third, "reap", &args) else {
            return;
        };
        assert_eq!(ran.code, 143, "{}", ran.all());
        assert_eq!(odoo.files().len(), 21 - 3, "{args:?}");
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["total"]["deleted"]["files"], 3);
        assert_eq!(report["end"], "interrupted");
    }
}

#[test]
fn a_deletion_that_fails_does_not_count_against_the_limit() {
    let test = "a_deletion_that_fails_does_not_count_against_the_limit";
    for args in [&[][..], &["--by-age-only"]] {
        let odoo = Odoo::new();
        for seed in 10..20 {
            odoo.file(&flat(&seed.to_string()), VISITOR, 8 * DAY);
        }
        let args = [
            args,
            &["--threads", "1", "--limit", "3", "--format", "json"],
        ]
        .concat();
        let two = ["-e", "inject=unlinkat:error=EIO:when=1..2"];
        let Some((ran, _)) = traced(test, &odoo, &two, "reap", &args) else {
            return;
        };
        assert_eq!(ran.code, 3, "{}", ran.all());
        assert_eq!(odoo.files().len(), 10 - 3);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["total"]["deleted"]["files"], 3);
        assert_eq!(report["errors"][0]["count"], 2);
        assert_eq!(report["end"], "limit-reached");
    }
}
