//! Each system call on files and directories of a run fails once, each in its turn, with every error it can give.
//!
//! A run is traced; then it is made again for each of its calls and each error, on a store of its own, and what it
//! says is compared with what is on the disk then. `cargo test --test every_call -- --full` tries all of them, plain
//! `cargo test` a sample, which `-- --seed N` changes.

#![allow(clippy::unwrap_used)]

mod fault;
mod scene;
#[path = "../testenv/mod.rs"]
mod testenv;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Instant;

use fault::{Case, cases};
use scene::{Ended, Found, RUNS, Run};

/// A sample has one case in so many.
const SAMPLE: u64 = 30;

/// A failing test program that says everything at its end should not say it without end.
const TOLD: usize = 20;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // Cargo's own questions to a test program.
    if args.iter().any(|arg| arg == "--list") || testenv::strace("every_call").is_none() {
        return;
    }
    let full = args.iter().any(|arg| arg == "--full");
    let seed = args.iter().skip_while(|arg| *arg != "--seed").nth(1);
    let seed = seed.map_or(1, |seed| seed.parse().unwrap());
    let (clock, mut tried, mut wrong) = (Instant::now(), 0, Vec::new());
    for run in RUNS {
        let mut chosen = cases(&run);
        chosen.retain(|case| full || is_chosen(seed, case, &run));
        println!("every call: {run}: {} cases", chosen.len());
        tried += chosen.len();
        let usual = run.end(None);
        for case in &chosen {
            wrong.extend(verdict(&run, case, &usual));
        }
    }
    for wrong in wrong.iter().take(TOLD) {
        eprintln!("{wrong}\n");
    }
    let took = clock.elapsed().as_secs();
    println!(
        "every call: {tried} cases in {took} s, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{} of {tried} cases", wrong.len());
}

/// Whether a sample has this case.
fn is_chosen(seed: u64, case: &Case, run: &Run) -> bool {
    let mut hasher = DefaultHasher::new();
    (seed, run.to_string(), case.to_string()).hash(&mut hasher);
    hasher.finish() % SAMPLE == 0
}

/// What is wrong with how a run ended in which one call failed, told with all that it said.
fn verdict(run: &Run, case: &Case, usual: &Ended) -> Option<String> {
    let ended = run.end(Some(case));
    let what = wrong(run, &ended, case, usual)?;
    Some(format!(
        "{run}: {case}: {what}\n  {}\n  {:?}\n  {}",
        ended.failed, ended.found, ended.ran.stderr
    ))
}

fn wrong(run: &Run, ended: &Ended, case: &Case, usual: &Ended) -> Option<String> {
    let code = ended.ran.code;
    if ended.failed.is_empty() {
        return Some("no call failed".into());
    }
    if !ended.gone.is_subset(&usual.gone) {
        return Some(format!("gone, and should have stayed: {:?}", ended.gone));
    }
    if ended.done != usual.done {
        return Some(format!("after the next run: {:?}", ended.done));
    }
    if case.is_harmless() && (code, &ended.found) != (usual.ran.code, &usual.found) {
        return Some(format!("a harmless fault; usual is {:?}", usual.found));
    }
    match (code, &ended.found, &usual.found) {
        (1, None, _) if ended.gone.is_empty() && ended.ran.stderr.contains("ERROR") => None,
        (0 | 3, Some(found), Some(as_usual)) => {
            let stays = usual.gone.len() - ended.gone.len();
            let deleted = (ended.gone.len() as u64, ended.bytes);
            if found.deleted != deleted {
                return Some(format!("deleted {deleted:?} on the disk"));
            }
            untrue(run, found, case, as_usual, code, stays as i64).map(str::to_owned)
        }
        _ => Some(format!("exit {code}")),
    }
}

/// What is wrong with a report after which so many files stay that are due.
fn untrue(
    run: &Run,
    found: &Found,
    case: &Case,
    usual: &Found,
    code: i32,
    stays: i64,
) -> Option<&'static str> {
    if found.exit != i64::from(code) || (code == 0) != found.errors.is_empty() {
        return Some("another exit than the report's");
    }
    if found.errors.iter().any(|(_, errno)| *errno != case.errno()) {
        return Some("another error than the call's");
    }
    let failures = found.errors.len() as i64;
    // A dry run asks once for each directory whether it may delete there.
    if failures > 1 && !run.is_dry() {
        return Some("one call failed, and more are told");
    }
    let listed = found
        .errors
        .iter()
        .all(|(operation, _)| operation != "list");
    let unreadable = found.unreadable - usual.unreadable;
    if listed && stays > failures + unreadable {
        return Some("more stay than are told");
    }
    if (failures, unreadable) == (0, 0) && found != usual {
        return Some("other counts than usual, and nobody says why");
    }
    None
}
