//! Counts, bytes and ages per class; each worker keeps one, and they are merged at the end.

pub mod databases;
pub mod unknown;

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::io::Errno;

use crate::policy::Class;
use crate::store::name::Kind;
use crate::store::stat::Stat;
use crate::time::Timestamp;
use databases::Databases;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pile {
    /// Number of files, and so of inodes.
    pub files: u64,
    /// Sum of their lengths in bytes.
    pub bytes: u64,
    /// Bytes taken on disk.
    pub disk: u64,
}

impl Pile {
    fn add(&mut self, stat: &Stat) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(stat.size);
        self.disk = self.disk.saturating_add(stat.disk);
    }

    fn merge(&mut self, other: &Pile) {
        self.files += other.files;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.disk = self.disk.saturating_add(other.disk);
    }
}

/// What was found of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// All of them.
    pub all: Pile,
    /// Those that are due.
    pub due: Pile,
    /// Those that were deleted; in a dry run, that would have been.
    pub deleted: Pile,
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

/// All counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    rows: [Row; Class::ALL.len()],
    /// The sessions that were read, by database.
    pub databases: Databases,
    /// Logged-in users: sessions of theirs that Odoo moved from file to file are one.
    pub logins: u64,
    /// Authenticated sessions that are due for the age of their last save, though Odoo read them within their window.
    pub due_though_read: u64,
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

    /// Counts a due file that was deleted, or in a dry run would have been.
    pub fn deleted(&mut self, class: Class, stat: &Stat) {
        self.rows[class as usize].deleted.add(stat);
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
        self.due_though_read += other.due_though_read;
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
        self.deleted.merge(&other.deleted);
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
mod tests {
    use super::*;
    use rustix::fs::FileType;

    fn stat(age: i64, size: u64) -> Stat {
        Stat {
            file_type: FileType::RegularFile,
            ino: 1,
            mtime: Timestamp::from_secs(1_000_000 - age),
            atime: Timestamp::from_secs(1_000_000 - age),
            size,
            disk: 4096,
            links: 1,
            uid: 0,
            gid: 0,
            mode: 0o644,
            protected: false,
            mount: 1,
        }
    }

    fn secs(secs: i64) -> Duration {
        Duration::from_secs(secs.unsigned_abs())
    }

    fn found(tally: &mut Tally, kind: Kind, class: Class, stat: &Stat, age: Option<Duration>) {
        tally.found(kind, class, stat, stat.mtime, age);
    }

    #[test]
    fn an_implausible_time_spoils_neither_ages_nor_the_oldest() {
        let mut tally = Tally::default();
        found(&mut tally, Kind::Flat, Class::Anonymous, &stat(9, 10), None);
        let row = tally.row(Class::Anonymous);
        assert_eq!(
            (row.all.files, row.oldest, row.ages),
            (1, None, [0; AGE_BUCKETS])
        );
        assert_eq!(tally.implausible_times, 1);
    }

    #[test]
    fn a_file_falls_into_the_bucket_of_its_age() {
        let mut tally = Tally::default();
        for age in [0, 3_600, 3_601, 604_800, 604_801] {
            found(
                &mut tally,
                Kind::Flat,
                Class::Anonymous,
                &stat(age, 10),
                Some(secs(age)),
            );
        }
        let row = tally.row(Class::Anonymous);
        assert_eq!(row.ages, [2, 1, 0, 0, 1, 1, 0, 0, 0, 0]);
        assert_eq!(
            row.all,
            Pile {
                files: 5,
                bytes: 50,
                disk: 5 * 4096
            }
        );
        assert_eq!(row.oldest, Some(Timestamp::from_secs(1_000_000 - 604_801)));
        assert_eq!((tally.flat, tally.sharded), (5, 0));
    }

    #[test]
    fn merging_adds_everything_up() {
        let mut one = Tally::default();
        found(
            &mut one,
            Kind::Sharded,
            Class::Cart,
            &stat(5, 1),
            Some(secs(5)),
        );
        one.due(Class::Cart, &stat(5, 1));
        one.error(Operation::Delete, Errno::ROFS);
        let mut two = one.clone();
        found(
            &mut two,
            Kind::Flat,
            Class::Authenticated,
            &stat(9, 1),
            Some(secs(9)),
        );
        two.foreign(None);
        two.deleted(Class::Cart, &stat(5, 1));
        assert_eq!(two.error(Operation::Delete, Errno::ROFS), 1);
        *two.unreadable.entry("broken").or_default() += 1;
        one.merge(&two);
        assert_eq!(one.total().all.files, 3, "foreign files are not Odoo's");
        assert_eq!(one.total().due.files, 2);
        assert_eq!(one.row(Class::Cart).deleted.files, 1);
        assert_eq!(one.row(Class::Foreign).all.files, 1);
        assert_eq!(
            one.total().oldest,
            Some(Timestamp::from_secs(1_000_000 - 9))
        );
        assert_eq!(one.failures(), 3);
        assert_eq!(one.unreadable["broken"], 1);
        assert_eq!((one.flat, one.sharded), (1, 2));
    }
}
