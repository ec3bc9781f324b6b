//! What is due: inactivity windows, and the judgement of one file. Pure functions, no clock, no file system.

mod class;
mod clock;
mod login;
mod rules;

use std::collections::BTreeMap;
use std::time::Duration;

pub use class::Class;
pub use clock::{Active, Basis, LastSeen};
pub use login::LoginPattern;
pub use rules::{Rules, Windows};

use crate::session::{Session, Unreadable};
use crate::store::mount::Reads;
use crate::store::name::Kind;
use crate::store::stat::Stat;
use crate::time::{FUTURE_TOLERANCE, Timestamp};

/// No Odoo session can be older than this (2010-01-01 UTC); such a time comes from a broken clock or a
/// restored file, and says nothing about the user.
const EARLIEST: Timestamp = Timestamp::from_secs(1_262_304_000);

/// What reading a file brought.
pub enum Content<'a> {
    /// It reads as a session.
    Session(Session<'a>),
    /// It has no bytes at all; Odoo takes it for an empty session.
    Empty,
    /// It was read and is none.
    Unreadable(Unreadable),
    /// It could not be opened or read, so nobody knows.
    Unknown,
}

/// Why a file stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its last use is within its window.
    Young,
    /// Its login is protected.
    Protected,
    /// Its last save lies in the future or before 2010: the clock or the file is wrong.
    ImplausibleTime,
    /// It does not read as a session.
    Unreadable,
    /// It is not Odoo's.
    Foreign,
    /// Others were chosen to be logged out.
    NotChosen,
}

/// Why a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its last use is longer ago than its window.
    Expired,
    /// Odoo (19 or newer) has moved the session to a new file, and refuses this one.
    Superseded,
    /// The login is longer ago than its longest lifetime, however active the session is.
    Lifetime,
    /// Somebody logged its user out.
    Revoked,
}

impl Reason {
    /// The name in JSON, in the log and in `--list`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Expired => "expired",
            Reason::Superseded => "superseded",
            Reason::Lifetime => "lifetime",
            Reason::Revoked => "revoked",
        }
    }
}

/// What is to be done with a file, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Keep(Kept),
    /// It goes: `window` is the one that its age exceeds.
    Due {
        /// Why.
        reason: Reason,
        /// The inactivity window that decided; for [`Reason::Lifetime`], the longest lifetime.
        window: Duration,
    },
}

/// What can be said of a file before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// No need to read it.
    Settled(Class, Verdict),
    /// Its content decides.
    MustRead,
}

/// The rules and the moment they are applied at.
#[derive(Clone, Debug)]
pub struct Policy {
    general: Rules,
    databases: BTreeMap<String, Rules>,
    /// The moment of the run, read once at its start.
    pub now: Timestamp,
    /// Kinds of regular names that are condemned without being read where they are older than every window.
    pub by_age_only: Vec<Kind>,
    /// What tells when a session was used last.
    pub last_seen: LastSeen,
    /// How the store's mount notes reads.
    pub reads: Reads,
    // Over all rules, so that a glance costs the same however many databases have rules.
    shortest: Duration,
    longest: Duration,
    any_lifetime: bool,
}

impl Policy {
    /// General rules, and those of the databases that have their own, judged at `now`; with nothing special,
    /// and on a mount that notes each read.
    pub fn new(general: Rules, databases: BTreeMap<String, Rules>, now: Timestamp) -> Policy {
        let over_all = |window: fn(&Windows) -> Duration,
                        better: fn(Duration, Duration) -> Duration| {
            databases
                .values()
                .map(|rules| window(&rules.windows))
                .fold(window(&general.windows), better)
        };
        Policy {
            shortest: over_all(Windows::shortest, Duration::min),
            longest: over_all(Windows::longest, Duration::max),
            any_lifetime: std::iter::once(&general)
                .chain(databases.values())
                .any(|rules| rules.max_lifetime.is_some()),
            general,
            databases,
            now,
            by_age_only: Vec::new(),
            last_seen: LastSeen::default(),
            reads: Reads::Each,
        }
    }

    /// The rules of sessions without a database, and of those whose database has no rules of its own.
    pub fn general(&self) -> &Rules {
        &self.general
    }

    /// The databases that have rules of their own.
    pub fn databases(&self) -> &BTreeMap<String, Rules> {
        &self.databases
    }

    /// All rules that apply to somebody.
    pub fn all_rules(&self) -> impl Iterator<Item = &Rules> {
        std::iter::once(&self.general).chain(self.databases.values())
    }

    /// The shortest window of any session in any database: a store that has not changed for longer is dormant.
    pub fn shortest(&self) -> Duration {
        self.shortest
    }

    /// The longest window of any session in any database: what is older is due whatever it says.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The window of a class as a report shows it: that of the general rules, or `None` for what is never due.
    pub fn window(&self, class: Class) -> Option<Duration> {
        match class {
            Class::NotRead => Some(self.longest),
            _ => self.general.windows.of(class),
        }
    }

    /// The rules of this session, chosen by its database.
    pub fn rules(&self, session: &Session<'_>) -> &Rules {
        if self.databases.is_empty() {
            return &self.general;
        }
        session
            .db
            .as_ref()
            .and_then(|db| std::str::from_utf8(db.as_bytes()).ok())
            .and_then(|db| self.databases.get(db))
            .unwrap_or(&self.general)
    }

    /// Judges by kind, times and size alone, as far as that is possible.
    ///
    /// Which database a session belongs to is not known yet. So only what was saved within the shortest window of
    /// all rules is recent, and only what was not even read within the longest of all is condemned by age alone. A lifetime
    /// counts from the login, which can be any time before the last save: then no session is recent, and each is read.
    pub fn glance(&self, kind: Kind, stat: &Stat) -> Glance {
        let class = match kind {
            Kind::Foreign => {
                return Glance::Settled(Class::Foreign, Verdict::Keep(Kept::Foreign));
            }
            Kind::UnfinishedSave => Class::UnfinishedSave,
            Kind::UploadStash => Class::UploadStash,
            Kind::Flat | Kind::Sharded if stat.size == 0 => Class::Anonymous,
            Kind::Flat | Kind::Sharded | Kind::Irregular => {
                let saved = self.age(stat.mtime);
                if !self.any_lifetime && saved.is_some_and(|age| age <= self.shortest) {
                    return Glance::Settled(Class::Recent, Verdict::Keep(Kept::Young));
                }
                if self.by_age_only.contains(&kind) {
                    let seen = self.seen(Class::NotRead, stat);
                    let verdict = self.by_age(seen, self.longest);
                    if matches!(verdict, Verdict::Due { .. }) {
                        return Glance::Settled(Class::NotRead, verdict);
                    }
                }
                return Glance::MustRead;
            }
        };
        Glance::Settled(class, self.by_window(&self.general, class, stat))
    }

    /// Judges a file of a kind that may be a session by what it says.
    pub fn judge(&self, kind: Kind, content: &Content<'_>, stat: &Stat) -> (Class, Verdict) {
        let by_general = |class| (class, self.by_window(&self.general, class, stat));
        match content {
            Content::Session(session) => self.judge_session(session, stat),
            // Only a regular name makes an empty or a broken file Odoo's.
            _ if !kind.is_regular_session() => (Class::Foreign, Verdict::Keep(Kept::Foreign)),
            Content::Empty => by_general(Class::Anonymous),
            Content::Unreadable(_) => by_general(Class::Unreadable),
            Content::Unknown => (Class::Unreadable, Verdict::Keep(Kept::Unreadable)),
        }
    }

    /// The patterns that could protect this session's login.
    pub fn keep_logins(&self, session: &Session<'_>) -> &[LoginPattern] {
        &self.rules(session).keep_logins
    }

    /// Whether this login would be due by its lifetime or not, if only the file said when it began.
    pub fn lifetime_unknown(&self, session: &Session<'_>) -> bool {
        let rules = self.rules(session);
        rules.max_lifetime.is_some()
            && session.uid.is_some()
            && !self.refused(session)
            && !rules.protect(session)
            && self.lifetime(session).is_none()
    }

    fn judge_session(&self, session: &Session<'_>, stat: &Stat) -> (Class, Verdict) {
        let rules = self.rules(session);
        match Class::of(session) {
            class @ Class::Superseded if self.refused(session) => {
                let verdict = match self.by_window(rules, class, stat) {
                    Verdict::Due { window, .. } => Verdict::Due {
                        reason: Reason::Superseded,
                        window,
                    },
                    keep => keep,
                };
                (class, verdict)
            }
            // Until its deletion time Odoo still accepts a superseded one.
            class @ (Class::Authenticated | Class::Superseded) if rules.protect(session) => {
                let class = if class == Class::Authenticated {
                    Class::Protected
                } else {
                    class
                };
                (class, Verdict::Keep(Kept::Protected))
            }
            class @ (Class::Authenticated | Class::Superseded) => {
                (class, self.judge_login(rules, session, stat))
            }
            class => (class, self.by_window(rules, class, stat)),
        }
    }

    /// Judges a login that Odoo accepts and that is not protected.
    fn judge_login(&self, rules: &Rules, session: &Session<'_>, stat: &Stat) -> Verdict {
        match (
            self.by_window(rules, Class::Authenticated, stat),
            rules.max_lifetime,
        ) {
            (Verdict::Keep(Kept::Young), Some(longest)) => match self.lifetime(session) {
                Some(lifetime) if lifetime > longest.as_secs_f64() => Verdict::Due {
                    reason: Reason::Lifetime,
                    window: longest,
                },
                _ => Verdict::Keep(Kept::Young),
            },
            (verdict, _) => verdict,
        }
    }

    /// Seconds since the login, as far as the file tells.
    fn lifetime(&self, session: &Session<'_>) -> Option<f64> {
        Some(self.now.secs as f64 - self.began(session)?)
    }

    /// When the login began, in epoch seconds, as far as the file tells; a time that cannot be is no answer.
    pub fn began(&self, session: &Session<'_>) -> Option<f64> {
        let latest = self.now.secs as f64 + FUTURE_TOLERANCE.as_secs_f64();
        let plausible = EARLIEST.secs as f64..=latest;
        session.first_activity(|time| plausible.contains(&time))
    }

    /// Whether Odoo has moved this session to a new file, and refuses this one by now.
    pub fn refused(&self, session: &Session<'_>) -> bool {
        session
            .deletion_time
            .is_some_and(|at| at < self.now.secs as f64)
    }

    fn by_window(&self, rules: &Rules, class: Class, stat: &Stat) -> Verdict {
        match rules.windows.of(class) {
            Some(window) => self.by_age(self.seen(class, stat), window),
            // Nothing else that is judged goes without a window.
            None => Verdict::Keep(Kept::Unreadable),
        }
    }

    fn by_age(&self, seen: Timestamp, window: Duration) -> Verdict {
        match self.age(seen) {
            None => Verdict::Keep(Kept::ImplausibleTime),
            Some(age) if age > window => Verdict::Due {
                reason: Reason::Expired,
                window,
            },
            Some(_) => Verdict::Keep(Kept::Young),
        }
    }
}

#[cfg(test)]
mod tests;
