//! What a run is to do, how far it has come, and how it ended.

use std::sync::atomic::AtomicU64;

use crate::policy::Policy;

/// What is done with files that are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing; every file is classified.
    Audit,
    /// Everything but the deletion, which is probed.
    DryRun,
    /// They are deleted.
    Reap,
}

impl Mode {
    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Audit => "audit",
            Mode::DryRun => "dry-run",
            Mode::Reap => "reap",
        }
    }

    /// What was deleted of that which was settled: only a reap deletes.
    pub fn deleted<T: Default>(self, settled: T) -> T {
        match self {
            Mode::Audit | Mode::DryRun => T::default(),
            Mode::Reap => settled,
        }
    }
}

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is done with files that are due.
    pub mode: Mode,
    /// What is due.
    pub policy: Policy,
    /// Delete at most this many files.
    pub limit: Option<u64>,
    /// End no login at all if more than this many are due.
    pub max_logouts: Option<u64>,
    /// Number of workers, as far as there are handles for them.
    pub threads: usize,
    /// Let several workers delete in a flat store at the same time, at the cost of Odoo's saves.
    pub share_flat: bool,
    /// After each deletion in a flat store, leave the directory alone for as long as that took.
    pub gentle: bool,
}

/// How far a run has come, for whoever wants to show it meanwhile.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files looked at.
    pub seen: AtomicU64,
    /// Files deleted, or due where nothing is deleted.
    pub due: AtomicU64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The whole store was seen.
    Complete,
    /// As many files were deleted as `--limit` allows.
    LimitReached,
    /// By this signal.
    Interrupted(i32),
}

impl End {
    /// The name in JSON and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            End::Complete => "complete",
            End::LimitReached => "limit-reached",
            End::Interrupted(_) => "interrupted",
        }
    }
}
