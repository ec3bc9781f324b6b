//! What is told of a run: one value that owns all of it, redacted. Text, JSON, metrics and the journal print it, and
//! look at nothing else.
//!
//! Serialised, it is the JSON document, field for field; docs/report.md describes it. Text that came from a file or a
//! name is [`Shown`] here, which only `redact` can make of it.

mod gather;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::policy::{Class, LastSeen};
use crate::reap::{End, Mode};
use crate::redact::Shown;
use crate::tally::{AGE_BOUNDS, AGE_BUCKETS, DENIED, Pile};
use crate::time::Timestamp;

pub use gather::Finished;

/// The facts of a run.
#[derive(Debug, Serialize)]
pub struct Facts {
    pub version: &'static str,
    /// What was done with files that are due.
    #[serde(rename = "command", serialize_with = "command")]
    pub mode: Mode,
    pub dry_run: bool,
    /// The moment that all ages count from.
    pub started: Timestamp,
    #[serde(rename = "duration_milliseconds", serialize_with = "milliseconds")]
    pub took: Duration,
    /// How it ended; `None` for a dormant store that was left alone.
    #[serde(serialize_with = "end_name")]
    pub end: Option<End>,
    pub signal: Option<i32>,
    pub exit_code: u8,
    pub limit: Option<u64>,
    pub store: StoreFacts,
    pub file_system: FileSystem,
    pub windows: Windows,
    pub policy: Vec<Setting>,
    #[serde(flatten)]
    pub found: Found,
    /// What was configured for somebody who is not there.
    pub nobody: Nobody,
    /// What told when a session was used last.
    #[serde(skip)]
    pub last_seen: LastSeen,
}

/// The session store.
#[derive(Debug, Serialize)]
pub struct StoreFacts {
    pub path: Shown,
    /// What that leads to.
    pub resolved: Shown,
    pub from: Shown,
    /// Nobody did; it was found by searching.
    pub found: bool,
    pub uid: u32,
    pub gid: u32,
    /// When something was last saved or deleted there.
    pub last_change: Timestamp,
    /// That is longer ago than the shortest window.
    pub dormant: bool,
    pub flat_files: u64,
    pub sharded_files: u64,
    pub shards: u64,
}

/// The file system's room; `None` where there is no fixed number.
#[derive(Debug, Serialize)]
pub struct FileSystem {
    pub inodes: Option<u64>,
    pub inodes_free: Option<u64>,
    pub bytes: Option<u64>,
    pub bytes_free: Option<u64>,
}

/// The general windows, in seconds.
#[derive(Debug, Serialize)]
pub struct Windows {
    pub authenticated: u64,
    pub anonymous: u64,
    pub cart: u64,
    pub leftover: u64,
    /// Of what does not read as a session; `None` is for ever.
    pub unreadable: Option<u64>,
    /// The shortest of a session in any database.
    #[serde(skip)]
    pub shortest: u64,
}

/// A value of the policy, and who said so.
#[derive(Debug, Serialize)]
pub struct Setting {
    pub option: &'static str,
    /// The database that it is for; `None` for all that do not set it themselves.
    pub database: Option<Shown>,
    pub value: SettingValue,
    /// `command-line`, `environment`, `file` or `default`.
    pub source: &'static str,
    /// The `odoo.conf`, if it was said there.
    pub file: Option<Shown>,
    pub section: Option<Shown>,
    pub line: Option<usize>,
}

/// A value of the policy.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum SettingValue {
    /// A window or a lifetime.
    Seconds(u64),
    /// Patterns of logins.
    Logins(Vec<Shown>),
    /// How many patterns of logins there are, where logins may not be shown.
    Hidden(usize),
    Switch(bool),
    /// One of some words.
    Word(&'static str),
    /// Nothing, which for these options means: never.
    Never,
}

/// What was found and done.
#[derive(Debug, Serialize)]
pub struct Found {
    /// In the order of [`Class::ALL`].
    pub classes: Vec<ClassRow>,
    /// Everything that is Odoo's.
    pub total: Row,
    /// The sessions that were read, by database.
    pub databases: Vec<Database>,
    /// Logged-in users' sessions; one that Odoo moved to a new file counts once.
    pub logins: u64,
    /// Whose logins end with what is settled.
    pub logouts: Logouts,
    /// Authenticated sessions that are due though somebody read them within their window: at least so many, or `None`
    /// where nobody knows of any read.
    pub due_but_active: Option<u64>,
    /// With those of which the mount cannot tell.
    pub due_but_active_up_to: Option<u64>,
    /// Visitors who never came back. Only an audit knows, where the mount notes reads and there was one.
    pub bounced: Option<u64>,
    /// Visitors' files that [`SHORTER`](crate::tally::reads::SHORTER) would leave, if those are fewer than now.
    #[serde(skip)]
    pub left_by_shorter: Option<u64>,
    /// Authenticated sessions with a longest lifetime that do not say when they began.
    pub lifetime_unknown: u64,
    /// Foreign names that a newer Odoo may have made.
    pub unknown: Vec<Unknown>,
    /// Files that were kept for other reasons than their age.
    pub kept: Kept,
    pub vanished: u64,
    /// Files that do not read as a session, by reason.
    pub unreadable: BTreeMap<&'static str, u64>,
    pub errors: Vec<Failure>,
}

/// What was found of one class.
#[derive(Debug, Serialize)]
pub struct ClassRow {
    #[serde(flatten)]
    pub class: Class,
    /// Its window in seconds; `None` for what is never due.
    pub window: Option<u64>,
    #[serde(flatten)]
    pub row: Row,
}

/// What was found of one class, or of all.
#[derive(Debug, Serialize)]
pub struct Row {
    #[serde(flatten)]
    pub all: Pile,
    pub due: Pile,
    pub deleted: Pile,
    /// The oldest last save or use.
    pub oldest: Option<Timestamp>,
    /// How many lie in each bucket of [`AGE_BOUNDS`].
    #[serde(serialize_with = "ages")]
    pub ages: [u64; AGE_BUCKETS],
    /// Those that were deleted, or that a dry run or an audit would delete.
    #[serde(skip)]
    pub settled: Pile,
    /// Due, but saved again or gone before they could be deleted.
    #[serde(skip)]
    pub spared: u64,
}

/// What was found of one database.
#[derive(Debug, Serialize)]
pub struct Database {
    /// Its name; `None` for sessions without one, and for the others.
    pub name: Option<Shown>,
    /// These are of databases beyond those that are told apart.
    pub others: bool,
    pub files: u64,
    pub disk_bytes: u64,
    pub due: u64,
    pub deleted: u64,
    /// The same by class, of those that there are.
    pub classes: Vec<DatabaseClass>,
    /// Those that were deleted, or would be.
    #[serde(skip)]
    pub settled: u64,
}

/// What was found of one class in one database.
#[derive(Debug, Serialize)]
pub struct DatabaseClass {
    #[serde(flatten)]
    pub class: Class,
    pub files: u64,
    pub due: u64,
    pub deleted: u64,
}

/// Who loses a login; in an audit and a dry run, who would.
#[derive(Debug, Serialize)]
pub struct Logouts {
    /// Authenticated sessions that were deleted, or would be.
    pub logins: u64,
    /// Their users, each counted once.
    pub people: u64,
    /// There are more: people beyond those that are told apart, or files that were not read.
    pub at_least: bool,
}

/// Foreign names that are alike.
#[derive(Debug, Serialize)]
pub struct Unknown {
    /// `file` or `directory`.
    pub what: &'static str,
    /// Whether they lie in shards.
    pub in_shards: bool,
    pub like: Shown,
    pub count: u64,
    pub samples: u64,
    /// How many of those read as a session.
    pub sessions: u64,
}

/// Files that were kept for other reasons than their age.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// Last saved in the future or before 2010.
    pub implausible_time: u64,
    /// Due, but saved before they could be deleted.
    pub saved_again: u64,
}

/// What failed.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// `list`, `stat`, `read` or `delete`.
    pub operation: &'static str,
    pub errno: i32,
    pub message: Shown,
    pub count: u64,
}

/// What was configured for somebody who is not there. Only an audit that came to its end and could read everything
/// knows that; else it is empty.
#[derive(Debug, Default, Serialize)]
pub struct Nobody {
    /// Databases with a section of their own that no session names.
    pub databases: Vec<Shown>,
    /// Patterns of `keep_login` that mean nobody.
    pub keep_login: Option<SettingValue>,
}

impl Found {
    /// The row of a class.
    pub fn row(&self, class: Class) -> &Row {
        &self.classes[class as usize].row
    }

    /// Session files that had to be read, and that this user may not read.
    pub fn denied(&self) -> u64 {
        self.unreadable.get(DENIED).copied().unwrap_or(0)
    }

    /// Number of failures.
    pub fn failures(&self) -> u64 {
        self.errors.iter().map(|error| error.count).sum()
    }

    /// How many foreign names are alike.
    pub fn unknown_names(&self) -> u64 {
        self.unknown.iter().map(|shape| shape.count).sum()
    }
}

fn command<S: Serializer>(mode: &Mode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match mode {
        Mode::Audit => "audit",
        Mode::DryRun | Mode::Reap => "reap",
    })
}

fn milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

/// The name of how a run ended, also of one that left a dormant store alone.
pub fn end(end: Option<End>) -> &'static str {
    end.map_or("dormant", End::name)
}

fn end_name<S: Serializer>(how: &Option<End>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(end(*how))
}

fn ages<S: Serializer>(ages: &[u64; AGE_BUCKETS], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Age {
        up_to: Option<u64>,
        files: u64,
    }
    let bounds = AGE_BOUNDS.iter().map(|(bound, _)| Some(bound.as_secs()));
    let ages = bounds.chain([None]).zip(ages);
    serializer.collect_seq(ages.map(|(up_to, files)| Age {
        up_to,
        files: *files,
    }))
}
