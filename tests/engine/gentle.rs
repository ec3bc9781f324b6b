//! `--gentle`: after each deletion in a flat store, the directory is left to Odoo for as long as that took.

use std::collections::BTreeSet;
use std::path::Path;

use crate::testenv::{DAY, Odoo, VISITOR, flat};
use crate::trace::{Call, traced};

/// However the C library sleeps.
const SLEEPS: &str = "clock_nanosleep,nanosleep";

fn sleeps(call: &Call) -> bool {
    SLEEPS.split(',').any(|name| name == call.name)
}

/// Traces these and deletions only.
const TRACE: &str = "trace=unlinkat,clock_nanosleep,nanosleep";

/// Deletions and pauses, in their order, of a run that deletes 300 flat files and as many in shards: those of its workers,
/// because the thread that lists a flat store pauses, too.
fn of_the_workers(test: &str, options: &[&str], args: &[&str]) -> Option<Vec<Call>> {
    let odoo = Odoo::new();
    for number in 0..300 {
        let seed = format!("{number:04}");
        odoo.file(&flat(&seed), VISITOR, 8 * DAY)
            .session(&seed, VISITOR, 8 * DAY);
    }
    let options = [&["-e", TRACE], options].concat();
    let (ran, mut calls) = traced(test, &odoo, &options, "reap", args)?;
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(odoo.files().is_empty());
    let deletes = calls.iter().filter(|call| call.name == "unlinkat");
    let workers: BTreeSet<u32> = deletes.map(|call| call.thread).collect();
    calls.retain(|call| workers.contains(&call.thread));
    Some(calls)
}

/// Whether each flat deletion, and nothing else, is followed by a pause of its thread before the next flat one begins.
fn pauses_after_each(calls: &[Call]) -> bool {
    let (mut pausing, mut pauses) = (None, 0);
    for call in calls {
        if call.name == "unlinkat" && !call.is_resumed() && call.rest.contains("werkzeug_") {
            if pausing.replace(call.thread).is_some() {
                return false;
            }
        } else if sleeps(call) && !call.is_unfinished() {
            if pausing.take() != Some(call.thread) {
                return false;
            }
            pauses += 1;
        }
    }
    pauses == 300
}

#[test]
fn nothing_is_deleted_in_a_flat_store_during_the_pause_after_a_deletion() {
    let test = "nothing_is_deleted_in_a_flat_store_during_the_pause_after_a_deletion";
    for more in [
        &[][..],
        &["--threads", "4"],
        &["--limit", "1000"],
        &["--by-age-only"],
    ] {
        let args = [&["--gentle"], more].concat();
        let Some(calls) = of_the_workers(test, &[], &args) else {
            return;
        };
        assert!(pauses_after_each(&calls), "{more:?}");
    }
}

#[test]
fn the_service_pauses_unless_its_settings_say_no_and_a_run_by_hand_does_not() {
    let test = "the_service_pauses_unless_its_settings_say_no_and_a_run_by_hand_does_not";
    for unit in ["odoo-session-reaper", "odoo-session-reaper@"] {
        let unit = format!("{}/systemd/{unit}.service", env!("CARGO_MANIFEST_DIR"));
        let unit = std::fs::read_to_string(Path::new(&unit)).unwrap();
        let mut set = unit
            .lines()
            .filter_map(|line| line.strip_prefix("Environment="))
            .filter(|variable| variable.starts_with("ODOO_SESSION_REAPER_"));
        let options = ["-E", set.next().unwrap()];
        assert_eq!(set.next(), None);
        let Some(calls) = of_the_workers(test, &options, &[]) else {
            return;
        };
        assert!(pauses_after_each(&calls), "{options:?}");
    }
    // The file of settings beats the unit.
    let no = ["-E", "ODOO_SESSION_REAPER_GENTLE=false"];
    for (options, args) in [(&no[..], &[][..]), (&[], &[]), (&[], &["--by-age-only"])] {
        let Some(calls) = of_the_workers(test, options, args) else {
            return;
        };
        assert!(!calls.iter().any(sleeps), "{options:?} {args:?}");
    }
}

/// A gentle run with one thread over flat files: its exit code, what it says, and its deletions and pauses.
fn alone(test: &str, options: &[&str], args: &[&str]) -> Option<(i32, String, Vec<Call>)> {
    let odoo = Odoo::new();
    for seed in 10..30 {
        odoo.file(&flat(&seed.to_string()), VISITOR, 8 * DAY);
    }
    let args = [&["--gentle", "--threads", "1"], args].concat();
    let options = [&["-e", TRACE], options].concat();
    let (ran, calls) = traced(test, &odoo, &options, "reap", &args)?;
    Some((ran.code, ran.all(), calls))
}

#[test]
fn a_signal_during_a_pause_ends_the_run_with_its_report() {
    let test = "a_signal_during_a_pause_ends_the_run_with_its_report";
    // A dry run pauses only between two listings, and the reap does so before it deletes anything.
    let Some((code, said, listing)) = alone(test, &[], &["--dry-run"]) else {
        return;
    };
    assert!(code == 0 && listing.iter().all(sleeps), "{said}");
    let when = listing.len() + 3;
    let signal = format!("inject={SLEEPS}:signal=SIGTERM:when={when}");
    let Some((code, said, calls)) = alone(test, &["-e", &signal], &[]) else {
        return;
    };
    assert_eq!(code, 143, "{said}");
    assert!(said.contains("deleted 3 of "), "{said}");
    let deleted = calls.iter().filter(|call| call.name == "unlinkat");
    assert_eq!(deleted.count(), 3);
    assert!(calls.last().is_some_and(sleeps), "{calls:?}");
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
