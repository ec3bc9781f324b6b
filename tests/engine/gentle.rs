//! `--gentle`: after each deletion in a flat store, the directory is left to Odoo for as long as that took.

use std::collections::BTreeSet;

use crate::testenv::{DAY, Odoo, VISITOR, flat};
use crate::trace::{Call, traced};

const SLEEPS: &str = "clock_nanosleep,nanosleep";

fn sleeps(call: &Call) -> bool {
    SLEEPS.split(',').any(|name| name == call.name)
}

/// A store of so many flat files that several workers get some, and of as many in shards.
fn store() -> Odoo {
    let odoo = Odoo::new();
    for number in 0..300 {
        let seed = format!("{number:04}");
        odoo.file(&flat(&seed), VISITOR, 8 * DAY)
            .session(&seed, VISITOR, 8 * DAY);
    }
    odoo
}

/// Deletions and pauses of a run that deletes everything, where it has several workers: of those alone, because whoever lists a
/// flat store pauses as well.
fn of_the_workers(test: &str, args: &[&str]) -> Option<Vec<Call>> {
    let odoo = store();
    let trace = format!("trace=unlinkat,{SLEEPS}");
    let (ran, mut calls) = traced(test, &odoo, &["-e", &trace], "reap", args)?;
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(odoo.files().is_empty());
    let deletes = calls.iter().filter(|call| call.name == "unlinkat");
    let workers: BTreeSet<u32> = deletes.map(|call| call.thread).collect();
    calls.retain(|call| workers.contains(&call.thread));
    Some(calls)
}

#[test]
fn nothing_is_deleted_in_a_flat_store_before_the_pause_after_the_last_deletion_is_over() {
    let test = "nothing_is_deleted_in_a_flat_store_before_the_pause_after_the_last_deletion_is_over";
    for args in [
        &["--gentle"][..],
        &["--gentle", "--threads", "4"],
        &["--gentle", "--limit", "1000"],
        &["--gentle", "--by-age-only"],
    ] {
        let Some(calls) = of_the_workers(test, args) else {
            return;
        };
        let (mut pausing, mut pauses) = (None, 0);
        for call in &calls {
            let began = !call.is_resumed();
            if call.name == "unlinkat" && began && call.rest.contains("werkzeug_") {
                assert_eq!(pausing, None, "{args:?}: {call:?}");
                pausing = Some(call.thread);
            } else if sleeps(call) && !call.is_unfinished() {
                assert_eq!(pausing.take(), Some(call.thread), "{args:?}: {call:?}");
                pauses += 1;
            }
        }
        assert_eq!(pauses, 300, "{args:?}: one for each flat file");
    }
}

#[test]
fn who_did_not_ask_for_it_does_not_wait() {
    let test = "who_did_not_ask_for_it_does_not_wait";
    for args in [&[][..], &["--by-age-only"]] {
        let Some(calls) = of_the_workers(test, args) else {
            return;
        };
        assert!(!calls.iter().any(sleeps), "{args:?}");
    }
}

/// A run with one thread over flat files: its exit code, what it says, and its deletions and pauses.
fn alone(test: &str, options: &[&str], args: &[&str]) -> Option<(i32, String, Vec<Call>)> {
    let odoo = Odoo::new();
    for seed in 10..30 {
        odoo.file(&flat(&seed.to_string()), VISITOR, 8 * DAY);
    }
    let args = [&["--gentle", "--threads", "1"], args].concat();
    let trace = format!("trace=unlinkat,{SLEEPS}");
    let options = [&["-e", &trace], options].concat();
    let (ran, calls) = traced(test, &odoo, &options, "reap", &args)?;
    Some((ran.code, ran.all(), calls))
}

#[test]
fn a_signal_during_a_pause_ends_the_run_with_its_report() {
    let test = "a_signal_during_a_pause_ends_the_run_with_its_report";
    // A dry run pauses only between two listings, and the reap does so before it deletes anything.
    let Some((0, _, listing)) = alone(test, &[], &["--dry-run"]) else {
        return;
    };
    assert!(listing.iter().all(sleeps), "{listing:?}");
    let signal = format!("inject={SLEEPS}:signal=SIGTERM:when={}", listing.len() + 3);
    let Some((code, said, calls)) = alone(test, &["-e", &signal], &[]) else {
        return;
    };
    assert_eq!(code, 143, "{said}");
    assert!(said.contains("deleted 3 of "), "{said}");
    let deleted = calls.iter().filter(|call| call.name == "unlinkat");
    assert_eq!(deleted.count(), 3);
    assert!(sleeps(calls.last().unwrap()), "{calls:?}");
}

#[test]
fn a_deletion_that_hung_is_followed_by_a_tenth_of_a_second_at_most() {
    let test = "a_deletion_that_hung_is_followed_by_a_tenth_of_a_second_at_most";
    let hung = ["-e", "inject=unlinkat:delay_exit=500000:when=7"];
    let Some((code, said, calls)) = alone(test, &hung, &[]) else {
        return;
    };
    assert_eq!(code, 0, "{said}");
    let asked = |call: &&Call| call.rest.contains("{tv_sec=0, tv_nsec=100000000}");
    assert_eq!(calls.iter().filter(asked).count(), 1, "{calls:?}");
}
