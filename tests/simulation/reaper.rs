//! The real engine, asked as the program asks it (`src/app/over_store.rs`), with another clock and another mount.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use odoo_session_reaper::policy::{Basis, Class, LastSeen, Policy, Rules, Windows};
use odoo_session_reaper::reap::{self, Due, End, Mode, Observer, Outcome, Plan, Progress, Stop};
use odoo_session_reaper::store::{Opening, Store};
use odoo_session_reaper::tally::Tally;

use crate::content::What;
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
#[derive(Default)]
pub struct Run {
    /// `None` where the guards let nothing be done.
    pub tally: Option<Tally>,
    /// Files that were told to be deleted.
    pub told: u64,
    /// The whole store was seen.
    pub complete: bool,
    /// The fuse kept logins from being ended.
    pub fused: bool,
}

impl Setup {
    /// The window of visitors, and of superseded sessions: a day, or less.
    pub fn shortest(&self) -> Time {
        self.window.min(DAY)
    }

    /// The window of a file.
    pub fn window_of(&self, what: What) -> Time {
        match what {
            What::Login | What::Cart => self.window,
            What::Leftover | What::Stash => DAY,
            // Superseded ones are refused after 120 s, and due by the shortest window.
            What::Visitor | What::Pending | What::Superseded => self.shortest(),
        }
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
        policy.reads = self.mount.reads();
        policy
    }

    /// A run of the program, when the host's clock says `now`.
    pub fn run(&self, sessions: &Path, mode: Mode, now: Time, threads: usize) -> Run {
        let store = Store::open(sessions, &Opening::default()).unwrap();
        let policy = self.policy(now);
        let refused = self.last_seen.on(policy.reads) == Basis::Refused;
        if mode != Mode::Audit && (refused || policy.dormant(&store.stat)) {
            return Run::default();
        }
        let plan = Plan {
            mode,
            policy,
            limit: None,
            max_logouts: self.fuse,
            threads,
            share_flat: false,
            gentle: false,
        };
        let told = Told::default();
        let (stop, progress) = (Stop::default(), Progress::default());
        let (tally, end) = reap::run(&store, &plan, &told, &stop, &progress);
        Run {
            told: told.deleted.into_inner(),
            complete: end == End::Complete,
            fused: tally.kept_logins > 0,
            tally: Some(tally),
        }
    }
}

/// Counts what is told to be deleted.
#[derive(Default)]
struct Told {
    deleted: AtomicU64,
}

impl Observer for Told {
    fn wants(&self, _: Class) -> bool {
        true
    }

    fn settled(&self, due: &Due) {
        if due.outcome == Outcome::Deleted {
            self.deleted.fetch_add(1, Ordering::Relaxed);
        }
    }
}
