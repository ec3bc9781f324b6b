//! The engine: workers look at files, judge them, and delete what is due after one last check.
//!
//! [`run`] is the whole of it. One thread walks the top level and hands out tasks: a shard each, or a
//! batch of names of the top level. A worker judges every file of its task, then settles those that are
//! due.

mod chooser;
mod crew;
mod fuse;
mod observer;
mod plan;
pub(crate) mod sample;
mod settle;
mod stop;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod worker;

pub(crate) use chooser::{Chooser, Met};
pub use observer::{Due, Observer, Who};
pub use plan::{End, Mode, Plan, Progress};
pub use settle::Outcome;
pub use stop::Stop;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::Builder;

use rustix::process::{Resource, getrlimit};

use crate::store::Store;
use crate::store::batch::Batch;
use crate::store::walk::{self, Top};
use crate::tally::unknown::Place;
use crate::tally::{Operation, Tally};
use crew::crew;
use fuse::Fuse;
use worker::{Monster, Worker, monster};

/// What all workers share.
struct Shared<'a> {
    store: &'a Store,
    plan: &'a Plan,
    /// Who decides what goes, where that is not the plan's policy.
    chooser: Option<&'a dyn Chooser>,
    observer: &'a dyn Observer,
    stop: &'a Stop,
    progress: &'a Progress,
    /// Deletions that `--limit` still allows. Whoever deletes holds it, so that the limit is met exactly.
    permits: Option<Mutex<u64>>,
    limit_reached: AtomicBool,
    /// Logins that `--max-logouts` still allows to end.
    fuse: Option<&'a Fuse>,
    interrupted: AtomicBool,
    threads: usize,
    /// How many files a worker reads in one go, and how many it settles in one go; each may hold a handle.
    at_once: usize,
    /// How many foreign files an audit may still look into.
    samples: AtomicU32,
    /// A flat directory has one lock in the kernel, which Odoo's saves need too: two unlinkers there were
    /// seen to raise the p99 of a save from 0.3 to 45 ms. So only one worker at a time deletes there,
    /// unless the administrator wants it otherwise.
    flat_unlinker: Option<Mutex<()>>,
    /// Whether files may be deleted while they are open.
    deletes_open_files: bool,
    /// Whether each call waits for a server.
    slow: bool,
}

/// Files that are read or settled in one go, if there are handles for them.
const AT_ONCE: usize = 64;

/// Handles for other things than waiting files: standard streams, the store, a shard and a listing for each
/// worker, the log.
const OTHER_HANDLES: usize = 16;

/// Handles that a worker needs at least: a shard and its listing, a file to read and one to settle.
const HANDLES_OF_A_WORKER: usize = 4;

/// How many workers there are, and how many files each may keep open of those it is to read, and of those it is to
/// settle: as `RLIMIT_NOFILE` allows.
fn workers(wanted: usize) -> (usize, usize) {
    let limit = getrlimit(Resource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    within(limit, wanted)
}

fn within(limit: usize, wanted: usize) -> (usize, usize) {
    let spare = limit.saturating_sub(OTHER_HANDLES);
    let workers = wanted.min(spare / HANDLES_OF_A_WORKER).max(1);
    let at_once = (spare / workers).saturating_sub(2) / 2;
    (workers, at_once.clamp(1, AT_ONCE))
}

impl<'a> Shared<'a> {
    fn new(
        store: &'a Store,
        plan: &'a Plan,
        observer: &'a dyn Observer,
        stop: &'a Stop,
        progress: &'a Progress,
    ) -> Shared<'a> {
        let (threads, at_once) = workers(plan.threads);
        let slow = store.is_slow();
        Shared {
            store,
            plan,
            chooser: None,
            observer,
            stop,
            progress,
            permits: plan.limit.map(Mutex::new),
            limit_reached: AtomicBool::new(false),
            fuse: None,
            interrupted: AtomicBool::new(false),
            threads,
            // There, many workers are what helps; a server may answer few reads at a time.
            at_once: if slow { 1 } else { at_once },
            samples: AtomicU32::new(worker::SAMPLES),
            flat_unlinker: (!plan.share_flat).then(Mutex::default),
            deletes_open_files: store.deletes_open_files(),
            slow,
        }
    }

    fn run(&self) -> (Tally, End) {
        let tally = self.work();
        let end = match self.stop.signal() {
            Some(signal) if self.interrupted.load(Ordering::Relaxed) => End::Interrupted(signal),
            _ if self.limit_reached.load(Ordering::Relaxed) => End::LimitReached,
            _ => End::Complete,
        };
        (tally, end)
    }

    fn work(&self) -> Tally {
        std::thread::scope(|scope| {
            let (reader, monsters) = crossbeam_channel::bounded::<Monster<'_>>(0);
            let mut reader = Some(reader).filter(|_| self.threads > 1);
            if reader.is_some() {
                let reading = Builder::new().spawn_scoped(scope, || monster::read_all(monsters));
                if let Err(error) = reading {
                    tracing::info!("working with one thread: {error}");
                    reader = None;
                }
            }
            // Who is alone reads monsters, too.
            let threads = reader.as_ref().map_or(1, |_| self.threads);
            let new = || Worker::new(self, reader.clone());
            let (mut tally, workers) =
                crew(threads, new, Worker::work, |task| hand_out(self, task));
            for worker in workers {
                tally.merge(&worker.into_tally());
            }
            tally
        })
    }

    /// Whether files may be opened that would look younger for it.
    fn leaves_traces(&self) -> bool {
        self.chooser.is_none_or(Chooser::leaves_traces)
    }

    /// Whether failures are worth a warning. A walk that only counts leaves them to the one that follows.
    fn warns(&self) -> bool {
        !self.fuse.is_some_and(Fuse::only_counts)
    }

    /// Whether to leave the rest undone. To be asked only where there is a rest.
    fn stopped(&self) -> bool {
        let interrupted = self.stop.signal().is_some();
        if interrupted {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        interrupted || self.limit_reached.load(Ordering::Relaxed)
    }
}

/// Walks the store, judges each file and settles what is due.
///
/// A failure on one file or directory never ends the run; it is counted in the tally.
pub fn run(
    store: &Store,
    plan: &Plan,
    observer: &dyn Observer,
    stop: &Stop,
    progress: &Progress,
) -> (Tally, End) {
    let Some(most) = plan.max_logouts else {
        return walk(store, plan, observer, stop, progress, None);
    };
    let too_many = fuse::too_many(store, plan, most, stop, progress);
    let fuse = Fuse::new(too_many.map_or(most, |_| 0));
    let (mut tally, end) = walk(store, plan, observer, stop, progress, Some(&fuse));
    // Where a limit ends the run early, it has not met all of them.
    tally.kept_logins = tally.kept_logins.max(too_many.unwrap_or(0));
    (tally, end)
}

fn walk(
    store: &Store,
    plan: &Plan,
    observer: &dyn Observer,
    stop: &Stop,
    progress: &Progress,
    fuse: Option<&Fuse>,
) -> (Tally, End) {
    let shared = Shared::new(store, plan, observer, stop, progress);
    Shared { fuse, ..shared }.run()
}

/// As [`run`], but `chooser` decides what goes; `plan` only says of each file what its age means.
pub(crate) fn choose(
    store: &Store,
    plan: &Plan,
    chooser: &dyn Chooser,
    observer: &dyn Observer,
    stop: &Stop,
    progress: &Progress,
) -> (Tally, End) {
    let chooser = Some(chooser);
    let shared = Shared::new(store, plan, observer, stop, progress);
    Shared { chooser, ..shared }.run()
}

/// As [`choose`], but of these files in one shard only, or at the top level.
pub(crate) fn choose_among(
    store: &Store,
    plan: &Plan,
    chooser: &dyn Chooser,
    observer: &dyn Observer,
    stop: &Stop,
    (shard, names): (Option<&[u8]>, Batch),
) -> Tally {
    let progress = Progress::default();
    let shared = Shared {
        chooser: Some(chooser),
        ..Shared::new(store, plan, observer, stop, &progress)
    };
    let mut worker = Worker::new(&shared, None);
    match shard {
        Some(shard) => worker.in_shard(shard, &names),
        None => worker.work(Task::Top(names)),
    }
    worker.into_tally()
}

/// A part of the work that one worker does at a time.
enum Task {
    Shard(Box<[u8]>),
    Top(Batch),
}

/// How many names of the top level are sorted by inode together. A directory lists its names in the order of
/// a hash, where each inode is far from the last. With 1024 names `reap --by-age-only --threads 2` took 0.75 of
/// `find`'s time, with 32 768 0.65, but those took the peak memory over 6 MiB; so this is in between.
const WINDOW: usize = 16 * 1024;

/// On a slow store, what the listing told of a file is forgotten after a second or so.
const WINDOW_IF_SLOW: usize = 1024;

/// How many names of the top level make a task; few, because several tasks per worker wait at a time.
const TOP_TASK: usize = 128;

/// On a slow store, a worker that waits for its turn to delete lets the kernel forget what it has learned of them.
const TOP_TASK_IF_SLOW: usize = 8;

/// Hands out the names that were gathered, in the order of their inodes.
fn by_inode(window: &mut Batch, of: usize, task: &mut impl FnMut(Task) -> bool) -> bool {
    window.sort_by_inode();
    let handed_out = window.chunks(of).all(|batch| task(Task::Top(batch)));
    window.clear();
    handed_out
}

/// Walks the top level and hands out what is found there.
fn hand_out(shared: &Shared<'_>, mut task: impl FnMut(Task) -> bool) -> Tally {
    let mut tally = Tally::default();
    let mut window = Batch::default();
    let (most, of) = match shared.slow {
        true => (WINDOW_IF_SLOW, TOP_TASK_IF_SLOW),
        false => (WINDOW, TOP_TASK),
    };
    let walked = walk::top(shared.store, |top| {
        if shared.stopped() {
            return false;
        }
        match top {
            Top::Shard(name) => match shared.chooser {
                Some(chooser) if !chooser.enters(name) => true,
                _ => task(Task::Shard(name.into())),
            },
            Top::ForeignDirectory(name) => {
                tally.foreign(None);
                tally.unknown.see(Place::Directory, name);
                true
            }
            Top::File {
                name,
                ino,
                file_type,
            } => {
                window.push(name, ino, file_type);
                window.len() < most || by_inode(&mut window, of, &mut task)
            }
        }
    });
    by_inode(&mut window, of, &mut task);
    if let Err(errno) = walked {
        tally.error(Operation::List, errno);
        if shared.warns() {
            tracing::warn!("cannot list the store: {}", std::io::Error::from(errno));
        }
    }
    tally
}
