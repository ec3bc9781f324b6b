//! It is not over at the unlink: a request that was in flight writes its session back, with its user. So watches stand
//! before the first deletion, and what comes back is deleted at sight until nothing has come back for a while.

mod notices;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

pub(crate) use notices::Watches;

use super::out::{Going, Returning, Revoking};
use crate::reap::{self, Chooser, End, Observer, Plan, Progress, Stop};
use crate::store::Store;
use crate::stream::TICK;
use crate::tally::Tally;
use notices::Notice;

/// However much comes back, it is watched no longer than so many times the time that nothing may come back for.
const AT_MOST: u32 = 10;

/// How often the store is listed where nobody tells of changes: as long as a listing took it rests, and at least this long.
const REST: Duration = Duration::from_millis(50);

/// When a watch ends whatever comes back, if nothing may for so long.
pub(crate) fn longest(quiet: Duration) -> Duration {
    quiet.saturating_mul(AT_MOST)
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nobody watched.
    Off,
    /// Nothing came back for long enough.
    Quiet,
    /// Something came back again and again.
    Never,
    /// By this signal.
    Interrupted(i32),
}

impl Ended {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Ended::Off => "off",
            Ended::Quiet => "quiet",
            Ended::Never => "not-quiet",
            Ended::Interrupted(_) => "interrupted",
        }
    }
}

/// What is needed to delete.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub store: &'a Store,
    pub plan: &'a Plan,
    pub stop: &'a Stop,
    pub progress: &'a Progress,
}

impl Means<'_> {
    fn walk(&self, judge: &(impl Chooser + Observer), progress: &Progress) -> (Tally, End) {
        reap::choose(self.store, self.plan, judge, judge, self.stop, progress)
    }
}

/// The second walk, and the watch that begins before it and ends when nothing has come back for as long as `quiet` says.
/// `shown` is told how long that will still take, and how much did come back.
pub(crate) fn out_with_them(
    means: Means<'_>,
    revoking: &Revoking<'_>,
    quiet: Duration,
    shown: &(dyn Fn(Duration, u64) + Sync),
) -> (Tally, End, Ended) {
    let walk = || {
        let (mut tally, end) = means.walk(&Going(revoking), means.progress);
        revoking.end();
        // What was moved from place to place meanwhile, or had another name.
        tally.merge(&rescan(means, revoking));
        (tally, end)
    };
    let Some(watches) = revoking.watches else {
        let (tally, end) = walk();
        return (tally, end, Ended::Off);
    };
    let watcher = Watcher {
        means,
        revoking,
        watches,
        quiet,
        over: AtomicBool::new(false),
        shown,
    };
    std::thread::scope(|scope| {
        // Where no thread can be had, what came back meanwhile goes after the walk.
        let meanwhile = Builder::new().spawn_scoped(scope, || watcher.run());
        let (mut tally, end) = walk();
        watcher.over.store(true, Ordering::Release);
        let (theirs, ended) = match meanwhile.map(|thread| thread.join()) {
            Ok(Ok(ended)) => ended,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => watcher.run(),
        };
        tally.merge(&theirs);
        (tally, end, ended)
    })
}

/// Looks for what came back wherever it could be.
fn rescan(means: Means<'_>, revoking: &Revoking<'_>) -> Tally {
    let (tally, _) = means.walk(&Returning(revoking), &Progress::default());
    tally
}

struct Watcher<'a> {
    means: Means<'a>,
    revoking: &'a Revoking<'a>,
    watches: &'a Watches<'a>,
    quiet: Duration,
    /// The second walk is over.
    over: AtomicBool,
    shown: &'a (dyn Fn(Duration, u64) + Sync),
}

/// When the store was listed last, and how long that took.
struct Listing {
    ended: Instant,
    rest: Duration,
}

impl Watcher<'_> {
    fn run(&self) -> (Tally, Ended) {
        let (revoking, mut tally) = (self.revoking, Tally::default());
        let mut last = (revoking.sum().came_back, Instant::now());
        let mut begun = None;
        let mut listing = Listing {
            ended: Instant::now(),
            rest: REST,
        };
        loop {
            if let Some(signal) = self.means.stop.signal() {
                return (tally, Ended::Interrupted(signal));
            }
            tally.merge(&self.catch(&mut listing));
            let came_back = revoking.sum().came_back;
            if came_back != last.0 {
                last = (came_back, Instant::now());
            }
            if !self.over.load(Ordering::Acquire) {
                continue;
            }
            let begun = *begun.get_or_insert_with(Instant::now);
            let quiet = last.1.max(begun).elapsed();
            if quiet >= self.quiet {
                if self.watches.are_blind() {
                    // Nobody has told of what came since the last listing.
                    tally.merge(&rescan(self.means, revoking));
                }
                if revoking.sum().came_back == came_back {
                    return (tally, Ended::Quiet);
                }
            }
            if begun.elapsed() >= longest(self.quiet) {
                return (tally, Ended::Never);
            }
            (self.shown)(self.quiet.saturating_sub(quiet), came_back);
        }
    }

    /// Waits a little for what comes back, and deletes it.
    fn catch(&self, listing: &mut Listing) -> Tally {
        let (watches, revoking) = (self.watches, self.revoking);
        let returning = Returning(revoking);
        let mut tally = Tally::default();
        let (mut list, tick) = match watches.are_blind() {
            true => (
                listing.ended.elapsed() >= listing.rest,
                listing.rest.min(TICK),
            ),
            false => (false, TICK),
        };
        for notice in watches.wait(tick, &|sid| revoking.is_revoked(sid)) {
            match notice {
                Notice::Saved(shard, names) => {
                    let Means {
                        store, plan, stop, ..
                    } = self.means;
                    let among = (shard.as_deref(), names);
                    tally.merge(&reap::choose_among(
                        store, plan, &returning, &returning, stop, among,
                    ));
                }
                Notice::Shard(name) if revoking.has_shard(&name) => {
                    watches.cover(Some(&name));
                    list = true;
                }
                Notice::Shard(_) => {}
                Notice::Missed => list = true,
            }
        }
        if list {
            let began = Instant::now();
            tally.merge(&rescan(self.means, revoking));
            *listing = Listing {
                ended: Instant::now(),
                rest: began.elapsed().max(REST),
            };
        }
        tally
    }
}
