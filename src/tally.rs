//! Counts, bytes and ages per class; each worker keeps one, and they are merged at the end.

pub mod databases;
pub mod people;
pub mod reads;
pub mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustix::io::Errno;
use serde::{Deserialize, Serialize, Serializer};

use crate::policy::{Class, LoginPattern};
use crate::reap::Mode;
use crate::session::Session;
use crate::store::name::Kind;
use crate::store::stat::Stat;
use crate::time::Timestamp;
use databases::Databases;
use people::People;
use reads::Reads;
use unknown::Unknown;

/// Upper bounds of the age histogram's buckets; the last bucket has none. They hold the usual windows
/// (1 and 7 days) as bounds, so that what is due begins with a bucket.
pub const AGE_BOUNDS: [(Duration, &str); 9] = [
    (hours(1), "1h"),
    (hours(6), "6h"),
    (hours(24), "1d"),
    (hours(3 * 24), "3d"),
    (hours(7 * 24), "7d"),
    (hours(14 * 24), "14d"),
    (hours(30 * 24), "30d"),
    (hours(90 * 24), "90d"),
    (hours(365 * 24), "1y"),
];

pub const AGE_BUCKETS: usize = AGE_BOUNDS.len() + 1;

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3_600)
}

/// Why a file is unreadable that this user may not open.
pub const DENIED: &str = "permission denied";

/// Files and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Pile {
    pub files: u64,
    pub bytes: u64,
    pub disk_bytes: u64,
}

impl Pile {
    fn add(&mut self, stat: &Stat) {
        self.merge(&Pile {
            files: 1,
            bytes: stat.size,
            disk_bytes: stat.disk,
        });
    }

    pub fn merge(&mut self, other: &Pile) {
        self.files += other.files;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.disk_bytes = self.disk_bytes.saturating_add(other.disk_bytes);
    }
}

/// What was found of one class, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    #[serde(flatten)]
    pub all: Pile,
    pub due: Pile,
    /// Those that are due to the end: deleted, or what a dry run and an audit would delete.
    #[serde(skip)]
    pub settled: Pile,
    /// Files that were found due, but saved again or gone before they could be deleted.
    #[serde(skip)]
    pub spared: u64,
    /// The oldest last save or use.
    pub oldest: Option<Timestamp>,
    /// How many lie in each bucket of [`AGE_BOUNDS`].
    #[serde(serialize_with = "by_bound")]
    pub ages: [u64; AGE_BUCKETS],
    /// What of the settled ones was deleted; nobody counts it, [`Row::told`] knows.
    pub deleted: Pile,
}

fn by_bound<S: Serializer>(ages: &[u64; AGE_BUCKETS], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Age {
        up_to: Option<u64>,
        files: u64,
    }
    let bounds = AGE_BOUNDS.map(|(bound, _)| Some(bound.as_secs()));
    let ages = bounds.into_iter().chain([None]).zip(*ages);
    serializer.collect_seq(ages.map(|(up_to, files)| Age { up_to, files }))
}

/// What can fail on one file or directory: opening or listing a directory, reading a file's metadata, opening or
/// reading it, deleting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    List,
    Stat,
    Read,
    Delete,
}

impl Operation {
    pub const ALL: [Operation; 4] = [Self::List, Self::Stat, Self::Read, Self::Delete];

    /// The name in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Operation::List => "list",
            Operation::Stat => "stat",
            Operation::Read => "read",
            Operation::Delete => "delete",
        }
    }
}

/// Whether a failure says that this user may not delete there; another may.
pub(crate) fn is_forbidden(operation: Operation, errno: i32) -> bool {
    let forbidden = [Errno::ACCESS, Errno::PERM].map(Errno::raw_os_error);
    operation == Operation::Delete && forbidden.contains(&errno)
}

/// Whether a failure says that this user may not look into a directory; another may.
pub(crate) fn is_shut(operation: Operation, errno: i32) -> bool {
    operation == Operation::List && errno == Errno::ACCESS.raw_os_error()
}

/// All counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    rows: [Row; Class::ALL.len()],
    pub databases: Databases,
    /// Logged-in users: sessions of theirs that Odoo moved from file to file are one.
    pub logins: u64,
    /// Logins that are due, and that `--max-logouts` kept.
    pub kept_logins: u64,
    /// Whose logins end: the users of settled authenticated sessions.
    pub people: People,
    /// Patterns of `keep_login` that mean somebody; only an audit, which reads everything, asks.
    pub matched: BTreeSet<String>,
    pub reads: Reads,
    /// Authenticated sessions with a longest lifetime that do not say when they began.
    pub lifetime_unknown: u64,
    pub unknown: Unknown,
    /// Session files, at the top level and in shards.
    pub flat: u64,
    pub sharded: u64,
    pub shards: u64,
    /// Shards and session files that are on other mounts than the store, and so were not looked at.
    pub elsewhere: u64,
    /// Kept because their time is in the future or before 2010.
    pub implausible_times: u64,
    /// Due, but saved again before they could be deleted.
    pub saved_again: u64,
    /// Gone before they could be looked at or deleted; Odoo deletes sessions too.
    pub vanished: u64,
    pub unreadable: BTreeMap<&'static str, u64>,
    /// Whether any session file could be opened.
    pub readable: bool,
    /// What failed, by operation and error number.
    pub errors: BTreeMap<(Operation, i32), u64>,
}

impl Tally {
    pub fn with(databases: Databases) -> Tally {
        Tally {
            databases,
            ..Tally::default()
        }
    }

    pub fn row(&self, class: Class) -> &Row {
        &self.rows[class as usize]
    }

    /// Counts a file of Odoo's that was last used at `seen`; `age` is `None` where that time is implausible and would
    /// spoil the picture.
    pub fn found(
        &mut self,
        kind: Kind,
        class: Class,
        stat: &Stat,
        seen: Timestamp,
        age: Option<Duration>,
    ) {
        match kind {
            Kind::Flat => self.flat += 1,
            Kind::Sharded | Kind::Irregular => self.sharded += 1,
            _ => {}
        }
        let row = &mut self.rows[class as usize];
        row.all.add(stat);
        let Some(age) = age else {
            self.implausible_times += 1;
            return;
        };
        row.oldest = Some(row.oldest.map_or(seen, |oldest| oldest.min(seen)));
        let bucket = AGE_BOUNDS.iter().position(|(bound, _)| age <= *bound);
        row.ages[bucket.unwrap_or(AGE_BOUNDS.len())] += 1;
    }

    /// Counts something that is not Odoo's; a regular file with what it takes.
    pub fn foreign(&mut self, file: Option<&Stat>) {
        let foreign = &mut self.rows[Class::Foreign as usize].all;
        match file {
            Some(stat) => foreign.add(stat),
            None => foreign.files += 1,
        }
    }

    /// Counts a file that was found due, but was saved again before it could be deleted.
    pub fn saved_again(&mut self, class: Class) {
        self.saved_again += 1;
        self.rows[class as usize].spared += 1;
    }

    /// The same for one that was gone.
    pub fn gone(&mut self, class: Class) {
        self.vanished += 1;
        self.rows[class as usize].spared += 1;
    }

    pub fn due(&mut self, class: Class, stat: &Stat) {
        self.rows[class as usize].due.add(stat);
    }

    pub fn settled(&mut self, class: Class, stat: &Stat) {
        self.rows[class as usize].settled.add(stat);
    }

    /// Notes which of these patterns mean the login of a session, as far as that is not known yet.
    pub fn match_login(&mut self, patterns: &[LoginPattern], session: &Session<'_>) {
        let Some(login) = &session.login else { return };
        for pattern in patterns {
            if !self.matched.contains(pattern.as_str()) && pattern.matches(login) {
                self.matched.insert(pattern.as_str().to_owned());
            }
        }
    }

    /// Tells how often the same has happened before.
    pub fn error(&mut self, operation: Operation, errno: Errno) -> u64 {
        let error = (operation, errno.raw_os_error());
        let count = self.errors.entry(error).or_default();
        *count += 1;
        *count - 1
    }

    /// Session files that had to be read, and that this user may not read.
    pub fn denied(&self) -> u64 {
        self.unreadable.get(DENIED).copied().unwrap_or(0)
    }

    /// Whether there is a file that this user may not delete.
    pub fn is_forbidden(&self) -> bool {
        let mut errors = self.errors.keys();
        errors.any(|(operation, errno)| is_forbidden(*operation, *errno))
    }

    /// Whether there is a file or a directory that this user may not read.
    pub(crate) fn is_shut(&self) -> bool {
        let mut errors = self.errors.keys();
        self.denied() > 0 || errors.any(|(operation, errno)| is_shut(*operation, *errno))
    }

    pub fn failures(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Everything that is Odoo's.
    pub fn total(&self) -> Row {
        let mut total = Row::default();
        let own = Class::ALL.into_iter().filter(|c| *c != Class::Foreign);
        own.for_each(|class| total.merge(self.row(class)));
        total
    }

    /// Adds another worker's counts.
    pub fn merge(&mut self, other: &Tally) {
        let rows = self.rows.iter_mut().zip(&other.rows);
        rows.for_each(|(row, other)| row.merge(other));
        self.databases.merge(&other.databases);
        self.kept_logins += other.kept_logins;
        self.people.merge(&other.people);
        self.unknown.merge(&other.unknown);
        self.matched.extend(other.matched.iter().cloned());
        self.logins += other.logins;
        self.reads.merge(&other.reads);
        self.lifetime_unknown += other.lifetime_unknown;
        self.flat += other.flat;
        self.sharded += other.sharded;
        self.shards += other.shards;
        self.elsewhere += other.elsewhere;
        self.implausible_times += other.implausible_times;
        self.saved_again += other.saved_again;
        self.vanished += other.vanished;
        self.readable |= other.readable;
        for (reason, count) in &other.unreadable {
            *self.unreadable.entry(reason).or_default() += count;
        }
        for (error, count) in &other.errors {
            *self.errors.entry(*error).or_default() += count;
        }
    }
}

impl Row {
    /// As it is told of a run of this mode.
    pub fn told(self, mode: Mode) -> Row {
        let deleted = mode.deleted(self.settled);
        Row { deleted, ..self }
    }

    pub fn merge(&mut self, other: &Row) {
        self.all.merge(&other.all);
        self.due.merge(&other.due);
        self.settled.merge(&other.settled);
        self.spared += other.spared;
        self.oldest = self.oldest.into_iter().chain(other.oldest).min();
        let ages = self.ages.iter_mut().zip(other.ages);
        ages.for_each(|(age, other)| *age += other);
    }
}

#[cfg(test)]
mod tests;
