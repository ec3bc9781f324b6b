//! Writers that save by Odoo's protocol against reapers that run back to back: is a save ever lost?
//!
//! `cargo test --release --test torture -- --full` takes minutes, more than a million saves and a directory
//! of a million entries; plain `cargo test` a bounded version of seconds. Both end with a summary line.
//!
//! Linux deletes names, not files, so one gap cannot be closed: a save that replaces an expired session
//! between the last look at it and its `unlinkat` goes with it. It is some microseconds (`gap`), and as much
//! longer as the reaper is off its core or `unlinkat` waits for the lock of the directory, which these
//! writers hold most of the time. Each loss is told with the time between save and deletion (`loss`), and a
//! run with more of them than that explains fails.

#![allow(clippy::unwrap_used)]

mod crowd;
mod gap;
mod loss;
mod odoo;
mod reaper;
mod revoke;
mod store;
#[path = "../testenv/mod.rs"]
mod testenv;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use reaper::{Reaped, Way};
use store::{Layout, Store};
use writer::{Saved, Writer};

/// How much is done.
struct Size {
    name: &'static str,
    /// Saves in each layout and way.
    saves: u64,
    /// Reaper runs in each layout and way, at least.
    runs: u64,
    /// Entries of the crowded directory.
    crowd: usize,
    /// Pairs of calls that the gap is measured by.
    pairs: usize,
    /// Logins of each client of a revoke, and how long nothing may come back.
    logins: usize,
    watch: &'static str,
}

const SHORT: Size = Size {
    name: "short",
    saves: 5_000,
    runs: 7,
    crowd: 0,
    pairs: 2_000,
    logins: 40,
    watch: "2s",
};

const FULL: Size = Size {
    name: "full",
    saves: 260_000,
    runs: 300,
    crowd: 1_000_000,
    pairs: 100_000,
    logins: 1_000,
    watch: "30s",
};

/// More than the cores of a small machine, so that writers meet writers as well.
const WRITERS: usize = 3;

fn main() {
    let full = std::env::args().any(|arg| arg == "--full")
        || std::env::var_os("TORTURE").is_some_and(|size| size == "full");
    let size = if full { FULL } else { SHORT };
    // Cargo's own questions to a test program.
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    for revoked in revoke::all_versions(size.logins, size.watch) {
        println!("torture ({}), revoke, {revoked}", size.name);
    }
    let (mut saved, mut reaped) = (Saved::default(), Reaped::default());
    for way in [Way::Reading, Way::ByAgeOnly] {
        let (mut theirs, mut ours) = (Saved::default(), Reaped::default());
        for layout in [Layout::Flat, Layout::Sharded] {
            let (saved, reaped) = race(layout, way, &size);
            println!(
                "torture ({}), {layout:?}, {way:?}: {saved}; {reaped}",
                size.name
            );
            theirs.merge(&saved);
            ours.merge(&reaped);
        }
        judge(way, &theirs, &ours);
        saved.merge(&theirs);
        reaped.merge(&ours);
    }
    if size.crowd > 0 {
        reaped.merge(&crowd::reap(size.crowd));
    }
    let gap = gap::measure(size.pairs);
    println!(
        "torture ({}): {saved}; {reaped}; the last check and the deletion take {gap}",
        size.name
    );
}

/// Whether there were more losses than the gap explains.
///
/// A save that comes between judgement and deletion is either seen by the last check or lost. Most of that
/// time passes before the check, so most of them must be seen, on however slow and busy a machine: without
/// the check it is none. `--by-age-only` deletes at once what it has judged, so there its own check is the
/// judgement, and only few saves can fall between at all.
fn judge(way: Way, saved: &Saved, reaped: &Reaped) {
    let lost = saved.losses.count();
    match way {
        Way::Reading => assert!(
            lost <= 10 || lost * 4 < reaped.saved_again,
            "the last check is too late"
        ),
        Way::ByAgeOnly => assert!(
            lost <= 10 || lost * 50 < saved.of_expired,
            "the judgement is too old"
        ),
    }
}

/// Writers and reapers on one store, until there were enough saves and runs.
fn race(layout: Layout, way: Way, size: &Size) -> (Saved, Reaped) {
    let store = Store::new(layout);
    let (enough, done) = (AtomicBool::new(false), AtomicU64::new(0));
    let (writers, mut reaped) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (store, enough, done) = (&store, &enough, &done);
                scope.spawn(move || {
                    let mut writer = Writer::new(store, number as u64);
                    while !enough.load(Ordering::Relaxed) {
                        done.fetch_add(writer.visit_one(), Ordering::Relaxed);
                    }
                    writer
                })
            })
            .collect();
        let mut reaped = Reaped::default();
        while reaped.runs < size.runs || done.load(Ordering::Relaxed) < size.saves {
            reaped.run(&store, way);
        }
        enough.store(true, Ordering::Relaxed);
        let writers: Vec<_> = writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect();
        (writers, reaped)
    });
    // In the quiet afterwards the outcome is exact: what was saved is there, what had expired is not.
    reaped.run_last(&store);
    let mut saved = Saved::default();
    let mut expected = std::collections::BTreeSet::new();
    for writer in writers {
        saved.merge(&writer.finish(&mut expected));
    }
    assert_eq!(store.odoo.files(), expected, "{layout:?}");
    store.assert_no_shard_has_gone();
    (saved, reaped)
}
