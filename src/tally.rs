//! Counts, bytes and ages per class; each worker keeps one, and they are merged at the end.

pub mod databases;
pub mod people;
pub mod reads;
pub mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustix::io::Errno;
use serde::Serialize;

use crate::policy::{Class, LoginPattern};
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
    (Duration::from_secs(3_600), "1h"),
    (Duration::from_secs(6 * 3_600), "6h"),
    (Duration::from_secs(86_400), "1d"),
    (Duration::from_secs(3 * 86_400), "3d"),
    (Duration::from_secs(7 * 86_400), "7d"),
    (Duration::from_secs(14 * 86_400), "14d"),
    (Duration::from_secs(30 * 86_400), "30d"),
    (Duration::from_secs(90 * 86_400), "90d"),
    (Duration::from_secs(365 * 86_400), "1y"),
];

/// Number of the age histogram's buckets.
pub const AGE_BUCKETS: usize = AGE_BOUNDS.len() + 1;

/// Why a file is unreadable that this user may not open.
pub const DENIED: &str = "permission denied";

/// Files and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pile {
    /// Number of files, and so of inodes.
    pub files: u64,
    /// Sum of their lengths in bytes.
    pub bytes: u64,
    /// Bytes taken on disk.
    pub disk_bytes: u64,
}

impl Pile {
    fn add(&mut self, stat: &Stat) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(stat.size);
        self.disk_bytes = self.disk_bytes.saturating_add(stat.disk);
    }

    fn merge(&mut self, other: &Pile) {
        self.files += other.files;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.disk_bytes = self.disk_bytes.saturating_add(other.disk_bytes);
    }
}

/// What was found of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// All of them.
    pub all: Pile,
    /// Those that are due.
    pub due: Pile,
    /// Those that are due to the end: deleted, or what a dry run and an audit would delete.
    pub settled: Pile,
    /// Files that were found due, but saved again or gone before they could be deleted.
    pub spared: u64,
    /// The oldest last save.
    pub oldest: Option<Timestamp>,
    /// How many lie in each bucket of [`AGE_BOUNDS`].
    pub ages: [u64; AGE_BUCKETS],
}

/// What can fail on one file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Opening or listing a directory.
    List,
    /// Reading a file's metadata.
    Stat,
    /// Opening or reading a file.
    Read,
    /// Deleting a file.
    Delete,
}

impl Operation {
    /// The name in JSON.
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

/// All counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    rows: [Row; Class::ALL.len()],
    /// The sessions that were read, by database.
    pub databases: Databases,
    /// Logged-in users: sessions of theirs that Odoo moved from file to file are one.
    pub logins: u64,
    /// Whose logins end: the users of settled authenticated sessions.
    pub people: People,
    /// Patterns of `keep_login` that mean somebody; only an audit, which reads everything, asks.
    pub matched: BTreeSet<String>,
    /// What the times of reads say.
    pub reads: Reads,
    /// Authenticated sessions with a longest lifetime that do not say when they began.
    pub lifetime_unknown: u64,
    /// Foreign names that are alike.
    pub unknown: Unknown,
    /// Session files at the top level.
    pub flat: u64,
    /// Session files in shards.
    pub sharded: u64,
    /// Shard directories.
    pub shards: u64,
    /// Shards and session files that are on other mounts than the store, and so were not looked at.
    pub elsewhere: u64,
    /// Kept because their time is in the future or before 2010.
    pub implausible_times: u64,
    /// Due, but saved again before they could be deleted.
    pub saved_again: u64,
    /// Gone before they could be looked at or deleted; Odoo deletes sessions too.
    pub vanished: u64,
    /// Why unreadable files are unreadable.
    pub unreadable: BTreeMap<&'static str, u64>,
    /// Whether any session file could be opened.
    pub readable: bool,
    /// What failed, by operation and error number.
    pub errors: BTreeMap<(Operation, i32), u64>,
}

impl Tally {
    /// Nothing yet, with a place for these databases.
    pub fn with(databases: Databases) -> Tally {
        Tally {
            databases,
            ..Tally::default()
        }
    }

    /// The row of a class.
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

    /// Counts a file that was found due, but was saved again meanwhile.
    pub fn saved_again(&mut self, class: Class) {
        self.saved_again += 1;
        self.rows[class as usize].spared += 1;
    }

    /// Counts a file that was found due, but was gone before it could be deleted.
    pub fn gone(&mut self, class: Class) {
        self.vanished += 1;
        self.rows[class as usize].spared += 1;
    }

    /// Counts a file that is due.
    pub fn due(&mut self, class: Class, stat: &Stat) {
        self.rows[class as usize].due.add(stat);
    }

    /// Counts a due file that was deleted, or would be.
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

    /// Counts a failure and tells how often the same has happened before.
    pub fn error(&mut self, operation: Operation, errno: Errno) -> u64 {
        let count = self
            .errors
            .entry((operation, errno.raw_os_error()))
            .or_default();
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

    /// Number of failures.
    pub fn failures(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Everything that is Odoo's.
    pub fn total(&self) -> Row {
        let mut total = Row::default();
        for class in Class::ALL {
            if class != Class::Foreign {
                total.merge(self.row(class));
            }
        }
        total
    }

    /// Adds another worker's counts.
    pub fn merge(&mut self, other: &Tally) {
        for (row, other) in self.rows.iter_mut().zip(&other.rows) {
            row.merge(other);
        }
        self.databases.merge(&other.databases);
        self.logins += other.logins;
        self.people.merge(&other.people);
        self.matched.extend(other.matched.iter().cloned());
        self.reads.merge(&other.reads);
        self.lifetime_unknown += other.lifetime_unknown;
        self.unknown.merge(&other.unknown);
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
    /// Adds another's.
    pub fn merge(&mut self, other: &Row) {
        self.all.merge(&other.all);
        self.due.merge(&other.due);
        self.settled.merge(&other.settled);
        self.spared += other.spared;
        self.oldest = match (self.oldest, other.oldest) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        for (age, other) in self.ages.iter_mut().zip(other.ages) {
            *age += other;
        }
    }
}

#[cfg(test)]
mod tests;
