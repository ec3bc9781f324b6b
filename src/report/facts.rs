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
use crate::settings::{Effective, Value};
use crate::store::Room;
use crate::tally::databases::Fates;
use crate::tally::{DENIED, Row};
use crate::time::Timestamp;
use crate::unknown::Told;

pub use gather::Finished;

/// The facts of a run.
#[derive(Debug, Serialize)]
pub struct Facts {
    pub version: &'static str,
    pub command: &'static str,
    #[serde(skip)]
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
    pub max_logouts: Option<u64>,
    pub store: StoreFacts,
    #[serde(rename = "file_system", serialize_with = "file_system")]
    pub room: Room,
    /// The general ones, in seconds; `None` is for ever.
    #[serde(serialize_with = "as_map")]
    pub windows: [(&'static str, Option<u64>); 5],
    /// The shortest window of a session in any database.
    #[serde(skip)]
    pub shortest: Duration,
    pub policy: Vec<Effective>,
    #[serde(flatten)]
    pub found: Found,
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
    /// Who said so.
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
    pub logouts: Logouts,
    #[serde(flatten)]
    pub reads: ReadFacts,
    /// Authenticated sessions with a longest lifetime that do not say when they began.
    pub lifetime_unknown: u64,
    /// Foreign names that a newer Odoo may have made.
    pub unknown: Vec<Told>,
    pub kept: Kept,
    pub vanished: u64,
    /// Files that do not read as a session, by reason.
    pub unreadable: BTreeMap<&'static str, u64>,
    pub errors: Vec<Failure>,
}

/// What the times of reads say, as far as the mount keeps them.
#[derive(Debug, Default, Serialize)]
pub struct ReadFacts {
    /// Authenticated sessions that are due though somebody read them within their window: at least so many, or `None`
    /// where nobody knows of any read.
    pub due_but_active: Option<u64>,
    /// With those of which the mount cannot tell.
    pub due_but_active_up_to: Option<u64>,
    /// Visitors who never came back. Only an audit knows, where the mount notes reads and there was one.
    pub bounced: Option<u64>,
    /// Sessions that were read in the last day and not saved, and those of them that were read within the same twenty
    /// minutes.
    pub read: Option<u64>,
    pub read_together: Option<u64>,
    /// Visitors' files that [`SHORTER`](crate::tally::reads::SHORTER) would leave, if those are fewer than now.
    #[serde(skip)]
    pub left_by_shorter: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct ClassRow {
    #[serde(flatten)]
    pub class: Class,
    /// The general window in seconds; `None` for what is never due.
    pub window: Option<u64>,
    /// The shortest and the longest window of the files in this row, whose databases may have their own.
    #[serde(skip)]
    pub windows: Option<[Duration; 2]>,
    #[serde(flatten)]
    pub row: Row,
}

#[derive(Debug, Serialize)]
pub struct Database {
    /// `None` for sessions without one, and for the others.
    pub name: Option<Shown>,
    /// These are of databases beyond those that are told apart.
    pub others: bool,
    pub disk_bytes: u64,
    #[serde(flatten)]
    pub total: Fates,
    /// Of those that there are.
    pub classes: Vec<DatabaseClass>,
}

#[derive(Debug, Serialize)]
pub struct DatabaseClass {
    #[serde(flatten)]
    pub class: Class,
    #[serde(flatten)]
    pub found: Fates,
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
    /// Logins that are due, and that `--max-logouts` kept.
    pub kept: u64,
}

/// Files that were kept for other reasons than their age.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// Last saved in the future or before 2010.
    pub implausible_time: u64,
    /// Due, but saved before they could be deleted.
    pub saved_again: u64,
}

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
    pub keep_login: Option<Value>,
}

impl Found {
    pub fn row(&self, class: Class) -> &Row {
        &self.classes[class as usize].row
    }

    /// Session files that had to be read, and that this user may not read.
    pub fn denied(&self) -> u64 {
        self.unreadable.get(DENIED).copied().unwrap_or(0)
    }

    pub fn failures(&self) -> u64 {
        self.errors.iter().map(|error| error.count).sum()
    }

    pub fn unknown_names(&self) -> u64 {
        self.unknown.iter().map(|shape| shape.count).sum()
    }
}

/// The name of how a run ended, also of one that left a dormant store alone.
pub fn end(end: Option<End>) -> &'static str {
    end.map_or("dormant", End::name)
}

fn end_name<S: Serializer>(how: &Option<End>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(end(*how))
}

fn milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

fn as_map<S: Serializer>(
    fields: &[(&'static str, Option<u64>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().copied())
}

fn file_system<S: Serializer>(room: &Room, serializer: S) -> Result<S::Ok, S::Error> {
    let Room { inodes, bytes } = room;
    let fields = [
        ("inodes", inodes.map(|inodes| inodes.total)),
        ("inodes_free", inodes.map(|inodes| inodes.free)),
        ("bytes", bytes.map(|bytes| bytes.total)),
        ("bytes_free", bytes.map(|bytes| bytes.free)),
    ];
    as_map(&fields, serializer)
}
