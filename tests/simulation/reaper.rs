//! The real engine, asked as the program asks it (`src/app/over_store.rs`), with another clock and another mount.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use odoo_session_reaper::policy::{Class, LastSeen, Policy, Rules, Windows};
use odoo_session_reaper::reap::{self, Due, End, Mode, Outcome, Plan, Progress, Stop, Witness};
use odoo_session_reaper::store::{Lock, Opening, Store};
use odoo_session_reaper::tally::Tally;

use crate::mount::Mount;
use crate::time::{DAY, Time, duration, timestamp};

/// How the reaper is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// For logins and carts.
    pub window: Time,
    pub last_seen: LastSeen,
    pub mount: Mount,
    /// `--max-logouts`
    pub fuse: Option<u64>,
}

/// What a run came to.
pub struct Run {
    pub tally: Tally,
    /// The guards let nothing be done.
    pub left_alone: bool,
    /// Files that were told to be deleted.
    pub told: u64,
    /// The whole store was seen.
    pub complete: bool,
    /// The fuse kept logins from being ended.
    pub fused: bool,
    /// Due but active: at least, and up to.
    pub due_but_active: (u64, u64),
}

impl Setup {
    /// The window of visitors, and of superseded sessions: a day, or less.
    pub fn shortest(&self) -> Time {
        self.window.min(DAY)
    }

    /// Whether access times decide.
    pub fn by_reads(&self) -> bool {
        self.last_seen == LastSeen::Atime
    }

    fn policy(&self, now: Time) -> Policy {
        let windows = Windows {
            authenticated: duration(self.window),
            anonymous: duration(self.shortest()),
            cart: duration(self.window),
            leftover: duration(DAY),
            unreadable: None,
        };
        let rules = Rules {
            windows,
            keep_logins: Vec::new(),
            max_lifetime: None,
        };
        let mut policy = Policy::new(rules, BTreeMap::new(), timestamp(now));
        policy.last_seen = self.last_seen;
        policy
    }

    /// A run of the program, when the host's clock says `now`.
    pub fn run(&self, sessions: &Path, mode: Mode, now: Time, threads: usize) -> Run {
        let store = Store::open(sessions, &Opening::default()).unwrap();
        // A child that another thread starts has our handles for a moment, until it becomes the program.
        while mode == Mode::Reap && store.lock().unwrap() != Lock::Held {
            std::thread::yield_now();
        }
        let policy = self.policy(now);
        let dormant = store.stat.mtime.age(policy.now) > policy.shortest();
        if dormant && mode != Mode::Audit {
            return Run {
                tally: Tally::default(),
                left_alone: true,
                told: 0,
                complete: false,
                fused: false,
                due_but_active: (0, 0),
            };
        }
        let plan = Plan {
            mode,
            policy,
            limit: None,
            threads,
            share_flat: false,
        };
        let told = Told::default();
        let (stop, progress) = (Stop::default(), Progress::default());
        let (tally, end) = reap::run(&store, &plan, &told, &stop, &progress);
        let least = tally.due_but_active;
        let most = match self.mount {
            Mount::Strictatime => least,
            _ => u64::MAX,
        };
        Run {
            due_but_active: (least, most),
            fused: false,
            told: *told.deleted.lock().unwrap(),
            complete: end == End::Complete,
            left_alone: false,
            tally,
        }
    }
}

/// Counts what is told to be deleted.
#[derive(Default)]
struct Told {
    deleted: Mutex<u64>,
}

impl Witness for Told {
    fn wants(&self, _: Class) -> bool {
        true
    }

    fn settled(&self, due: &Due) {
        if due.outcome == Outcome::Deleted {
            *self.deleted.lock().unwrap() += 1;
        }
    }
}
