//! The report for programs: one JSON document, described field by field in docs/report.md.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Finished;
use super::out::Out;
use crate::policy::Class;
use crate::reap::{End, Mode};
use crate::redact;
use crate::settings::{Effective, Source, Value};
use crate::tally::databases::{Database, Fates, Name};
use crate::tally::unknown::Shape;
use crate::tally::{AGE_BOUNDS, Pile, Row};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    command: &'static str,
    dry_run: bool,
    started: Option<String>,
    duration_milliseconds: u64,
    end: &'static str,
    signal: Option<i32>,
    exit_code: u8,
    limit: Option<u64>,
    store: StorePart,
    file_system: FileSystem,
    windows: Windows,
    policy: Vec<Setting<'a>>,
    classes: Vec<ClassRow>,
    total: RowPart,
    /// Of the sessions that were read.
    databases: Vec<DatabasePart>,
    logins: u64,
    due_though_read: Option<u64>,
    lifetime_unknown: u64,
    /// Foreign names that a newer Odoo may have made.
    unknown: Vec<UnknownPart>,
    kept: Kept,
    vanished: u64,
    unreadable: &'a BTreeMap<&'static str, u64>,
    errors: Vec<ErrorPart>,
}

#[derive(Serialize)]
struct StorePart {
    path: String,
    resolved: String,
    from: String,
    found: bool,
    uid: u32,
    gid: u32,
    last_change: Option<String>,
    dormant: bool,
    flat_files: u64,
    sharded_files: u64,
    shards: u64,
}

#[derive(Serialize)]
struct FileSystem {
    inodes: Option<u64>,
    inodes_free: Option<u64>,
    bytes: Option<u64>,
    bytes_free: Option<u64>,
}

#[derive(Serialize)]
struct Windows {
    authenticated: u64,
    anonymous: u64,
    cart: u64,
    leftover: u64,
    unreadable: Option<u64>,
}

#[derive(Serialize)]
struct Setting<'a> {
    option: &'static str,
    database: Option<String>,
    value: serde_json::Value,
    source: &'static str,
    file: Option<&'a str>,
    section: Option<String>,
    line: Option<usize>,
}

#[derive(Serialize)]
struct ClassRow {
    class: &'static str,
    property: Option<&'static str>,
    window: Option<u64>,
    #[serde(flatten)]
    row: RowPart,
}

#[derive(Serialize)]
struct RowPart {
    files: u64,
    bytes: u64,
    disk_bytes: u64,
    due: PilePart,
    deleted: PilePart,
    oldest: Option<String>,
    ages: Vec<Age>,
}

#[derive(Serialize)]
struct PilePart {
    files: u64,
    bytes: u64,
    disk_bytes: u64,
}

#[derive(Serialize)]
struct Age {
    up_to: Option<u64>,
    files: u64,
}

#[derive(Serialize)]
struct DatabasePart {
    /// None for sessions without one, and for the others.
    name: Option<String>,
    /// These are of databases beyond those that are told apart.
    others: bool,
    files: u64,
    disk_bytes: u64,
    due: u64,
    deleted: u64,
    classes: Vec<DatabaseClass>,
}

#[derive(Serialize)]
struct DatabaseClass {
    class: &'static str,
    property: Option<&'static str>,
    files: u64,
    due: u64,
    deleted: u64,
}

#[derive(Serialize)]
struct UnknownPart {
    what: &'static str,
    in_shards: bool,
    like: String,
    count: u64,
    samples: u64,
    sessions: u64,
}

#[derive(Serialize)]
struct Kept {
    implausible_time: u64,
    saved_again: u64,
}

#[derive(Serialize)]
struct ErrorPart {
    operation: &'static str,
    errno: i32,
    message: String,
    count: u64,
}

impl From<Pile> for PilePart {
    fn from(Pile { files, bytes, disk }: Pile) -> PilePart {
        PilePart {
            files,
            bytes,
            disk_bytes: disk,
        }
    }
}

impl RowPart {
    /// `counts_deletions`: an audit and a dry run delete nothing.
    fn new(row: &Row, counts_deletions: bool) -> RowPart {
        let bounds = AGE_BOUNDS
            .iter()
            .map(|(bound, _)| Some(bound.as_secs()))
            .chain([None]);
        RowPart {
            files: row.all.files,
            bytes: row.all.bytes,
            disk_bytes: row.all.disk,
            due: row.due.into(),
            deleted: if counts_deletions {
                row.deleted
            } else {
                Pile::default()
            }
            .into(),
            oldest: row.oldest.and_then(|oldest| oldest.rfc3339()),
            ages: bounds
                .zip(row.ages)
                .map(|(up_to, files)| Age { up_to, files })
                .collect(),
        }
    }
}

/// Opens the document, before anything else is written. The list of due files comes first, because it is
/// streamed while the run goes on.
pub fn begin(out: &mut Out) {
    out.print(format_args!("{{\"schema\":{SCHEMA}"));
}

/// Writes the document, or closes the one that the list has begun.
pub fn write(out: &mut Out, finished: &Finished<'_>, begun: bool) {
    if !begun {
        begin(out);
    }
    // Strings and numbers of our own making: serialising them into memory cannot fail.
    let document = serde_json::to_string(&document(finished)).unwrap_or_default();
    out.line(format_args!(",{}", document.trim_start_matches('{')));
}

fn document<'a>(finished: &'a Finished<'_>) -> Document<'a> {
    let Finished {
        location,
        store,
        plan,
        tally,
        ..
    } = finished;
    let (end, signal) = match finished.end {
        None => ("dormant", None),
        Some(End::Complete) => ("complete", None),
        Some(End::LimitReached) => ("limit-reached", None),
        Some(End::Interrupted(signal)) => ("interrupted", Some(signal)),
    };
    let windows = &plan.policy.general().windows;
    let deleting = plan.mode == Mode::Reap;
    Document {
        version: env!("CARGO_PKG_VERSION"),
        command: if plan.mode == Mode::Audit {
            "audit"
        } else {
            "reap"
        },
        dry_run: plan.mode == Mode::DryRun,
        started: finished.started.rfc3339(),
        duration_milliseconds: u64::try_from(finished.took.as_millis()).unwrap_or(u64::MAX),
        end,
        signal,
        exit_code: finished.exit.code(),
        limit: plan.limit,
        store: StorePart {
            path: redact::path(&store.given),
            resolved: redact::path(&store.resolved),
            from: location.from.clone(),
            found: location.found,
            uid: store.stat.uid,
            gid: store.stat.gid,
            last_change: store.stat.mtime.rfc3339(),
            dormant: finished.dormant,
            flat_files: tally.flat,
            sharded_files: tally.sharded,
            shards: tally.shards,
        },
        file_system: FileSystem {
            inodes: finished.room.inodes.map(|inodes| inodes.total),
            inodes_free: finished.room.inodes.map(|inodes| inodes.free),
            bytes: finished.room.bytes.map(|bytes| bytes.total),
            bytes_free: finished.room.bytes.map(|bytes| bytes.free),
        },
        windows: Windows {
            authenticated: windows.authenticated.as_secs(),
            anonymous: windows.anonymous.as_secs(),
            cart: windows.cart.as_secs(),
            leftover: windows.leftover.as_secs(),
            unreadable: windows.unreadable.map(|window| window.as_secs()),
        },
        policy: finished
            .effective
            .iter()
            .map(|effective| setting(effective, finished.logins))
            .collect(),
        classes: Class::ALL
            .into_iter()
            .map(|class| ClassRow {
                class: class.base(),
                property: class.property(),
                window: plan.policy.window(class).map(|window| window.as_secs()),
                row: RowPart::new(tally.row(class), deleting),
            })
            .collect(),
        total: RowPart::new(&tally.total(), deleting),
        databases: tally
            .databases
            .rows()
            .map(|(name, row)| database(name, row, deleting))
            .collect(),
        logins: tally.logins,
        due_though_read: finished.due_though_read(),
        lifetime_unknown: tally.lifetime_unknown,
        unknown: tally.unknown.told().into_iter().map(unknown).collect(),
        kept: Kept {
            implausible_time: tally.implausible_times,
            saved_again: tally.saved_again,
        },
        vanished: tally.vanished,
        unreadable: &tally.unreadable,
        errors: tally
            .errors
            .iter()
            .map(|((operation, errno), count)| ErrorPart {
                operation: operation.name(),
                errno: *errno,
                message: std::io::Error::from_raw_os_error(*errno).to_string(),
                count: *count,
            })
            .collect(),
    }
}

/// `counts_deletions`: an audit and a dry run delete nothing.
fn database(name: Name, row: &Database, counts_deletions: bool) -> DatabasePart {
    let deleted = |fates: Fates| if counts_deletions { fates.deleted } else { 0 };
    let total = row.total();
    let of_class = |class: Class| {
        let fates = row.of(class);
        (fates.files > 0).then(|| DatabaseClass {
            class: class.base(),
            property: class.property(),
            files: fates.files,
            due: fates.due,
            deleted: deleted(fates),
        })
    };
    DatabasePart {
        others: name == Name::Others,
        name: match name {
            Name::Database(name) => Some(name),
            Name::Others | Name::None => None,
        },
        files: total.files,
        disk_bytes: row.disk,
        due: total.due,
        deleted: deleted(total),
        classes: Class::ALL.into_iter().filter_map(of_class).collect(),
    }
}

fn unknown(shape: &Shape) -> UnknownPart {
    UnknownPart {
        what: shape.place.what(),
        in_shards: shape.place.is_in_shard(),
        like: shape.pattern(),
        count: shape.count,
        samples: shape.samples,
        sessions: shape.sessions,
    }
}

fn setting(effective: &Effective, logins_shown: bool) -> Setting<'_> {
    let printable = |text: &String| redact::printable(text.as_bytes());
    let (source, place) = match &effective.source {
        Source::CommandLine => ("command-line", None),
        Source::Environment => ("environment", None),
        Source::File {
            file,
            section,
            line,
        } => ("file", Some((file.as_str(), section, *line))),
        Source::Default => ("default", None),
    };
    Setting {
        option: effective.option,
        database: effective.database.as_ref().map(printable),
        value: match &effective.value {
            Value::Duration(duration) => duration.as_secs().into(),
            Value::Logins(logins) if !logins_shown => logins.len().into(),
            Value::Logins(logins) => logins.iter().map(printable).collect(),
            Value::Switch(on) => (*on).into(),
            value @ Value::LastSeen(_) => value.to_string().into(),
            Value::Never => serde_json::Value::Null,
        },
        source,
        file: place.map(|(file, ..)| file),
        section: place.map(|(_, section, _)| printable(section)),
        line: place.map(|(.., line)| line),
    }
}
