//! The clock: when a session was used last, by its last save or by its last read as well.

use std::time::Duration;

use super::{Class, EARLIEST, Policy};
use crate::session::Session;
use crate::store::mount::Reads;
use crate::store::stat::Stat;
use crate::time::{FUTURE_TOLERANCE, Timestamp};

/// How long after its last save a session's reads count. Something else may read it each night, such as a backup; without
/// a bound that would keep it for ever.
const READS_COUNT_FOR: Duration = Duration::from_secs(90 * 86_400);

/// What tells when a session was used last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastSeen {
    /// The last save.
    #[default]
    Mtime,
    /// Of logins and carts, the last save or the last read, whichever is later.
    Atime,
}

/// What a mount makes of [`LastSeen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// What was asked for.
    AsAsked,
    /// The last save alone, though reads were asked for: nobody knows how the file system notes them.
    SavesAlone,
    /// Reads were asked for, and this mount notes none. Whoever asked for them does not want logins to go by their last
    /// save, so nothing may be deleted.
    Refused,
}

/// Whether somebody was active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Active {
    /// A read within the window was noted.
    Yes,
    /// The mount cannot tell.
    Perhaps,
    /// No read can have been within the window.
    No,
}

impl LastSeen {
    /// The name, as it is written and told.
    pub fn name(self) -> &'static str {
        match self {
            LastSeen::Mtime => "mtime",
            LastSeen::Atime => "atime",
        }
    }

    /// What a mount that notes reads like this makes of it.
    pub fn on(self, reads: Reads) -> Basis {
        match (self, reads) {
            (LastSeen::Mtime, _) | (_, Reads::Each | Reads::Daily) => Basis::AsAsked,
            (LastSeen::Atime, Reads::Unknown) => Basis::SavesAlone,
            (LastSeen::Atime, Reads::Never) => Basis::Refused,
        }
    }
}

impl Policy {
    /// Whether reads count here: they were asked for, and the mount notes them.
    pub fn reads_count(&self) -> bool {
        self.last_seen == LastSeen::Atime && self.reads.grain().is_some()
    }

    /// When a file of this class was used last.
    ///
    /// Reads count for logins and carts only: what reads the whole store, such as a backup, would keep a flood of
    /// visitors. A note can be older than the last read by the mount's grain, so the window begins after that.
    pub fn seen(&self, class: Class, stat: &Stat) -> Timestamp {
        match (stat.atime, self.reads.grain()) {
            (Some(read), Some(grain))
                if self.reads_count()
                    && class.reads_count()
                    && read > stat.mtime
                    // A broken last save is not mended by a read.
                    && stat.mtime >= EARLIEST =>
            {
                // A note in the future is of a clock that was ahead. relatime leaves it as it is until its time has come, and
                // nobody knows who came back since: so it counts as now, and 90 days bound that, too.
                let bound = stat.mtime.after(READS_COUNT_FOR);
                let read = read.after(grain).min(bound).min(self.now);
                read.max(stat.mtime)
            }
            _ => stat.mtime,
        }
    }

    /// Whether the user of a session that is due was active within this window after all: Odoo reads the file on each
    /// request. Only for mounts that note reads.
    pub fn active_within(&self, window: Duration, stat: &Stat) -> Active {
        let (Some(read), Some(grain)) = (stat.atime, self.reads.grain()) else {
            return Active::Perhaps;
        };
        // The first read after a save is noted by every mount that notes any.
        if read <= stat.mtime {
            return Active::No;
        }
        match self.age(read) {
            Some(age) if age <= window => Active::Yes,
            Some(age) if age.saturating_sub(grain) > window => Active::No,
            // Or it is in the future, where relatime leaves a note as it is until its time has come.
            _ => Active::Perhaps,
        }
    }

    /// When a login will be due if nobody uses it from now on; `None` is never.
    pub fn due_at(&self, class: Class, session: &Session<'_>, stat: &Stat) -> Option<Timestamp> {
        let rules = self.rules(session);
        // Until Odoo refuses a superseded one it is a login like any other.
        let class = match class {
            Class::Superseded if !self.refused(session) => Class::Authenticated,
            class => class,
        };
        let by_window = self.seen(class, stat).after(rules.windows.of(class)?);
        let lifetime = rules.max_lifetime.filter(|_| class == Class::Authenticated);
        let began = self
            .began(session)
            .map(|began| Timestamp::from_secs(began as i64));
        let by_lifetime = began
            .zip(lifetime)
            .map(|(began, longest)| began.after(longest));
        Some(by_lifetime.map_or(by_window, |at| at.min(by_window)))
    }

    /// Whether nothing was saved or deleted for longer than the shortest window of a session, by the store's own metadata.
    pub fn dormant(&self, store: &Stat) -> bool {
        store.mtime.age(self.now) > self.shortest()
    }

    /// The time since a session was used last, or `None` where that time is implausible.
    pub fn age(&self, seen: Timestamp) -> Option<Duration> {
        let plausible = seen >= EARLIEST && self.now.age(seen) <= FUTURE_TOLERANCE;
        plausible.then(|| seen.age(self.now))
    }
}
