//! The report for Prometheus: a textfile for node_exporter, described series by series in the README.
//!
//! Everything is a gauge, because it tells of one run and starts afresh with the next. Each series carries
//! the store and the command, so that the files of several stores, and those of `audit` and `reap`, can lie
//! side by side: node_exporter refuses two series with the same labels.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::Finished;
use crate::exit::Exit;
use crate::policy::Class;
use crate::reap::{End, Mode};
use crate::tally::databases::{Database, Fates, Name};
use crate::tally::{Operation, Row, Tally};
use crate::time::Timestamp;

const LAST_SUCCESS: &str = "odoo_session_reaper_last_success_timestamp_seconds";

/// The label of all databases that are not told apart; PostgreSQL takes no such name without quotes.
const OTHER_DATABASES: &str = "(others)";

/// A last success this far ahead of our clock is still believed; a later one would silence an alert for
/// as long as it lies ahead.
const FUTURE_TOLERANCE: i64 = 300;

/// What is told of every run, also of one that failed before it saw a file.
pub struct Run<'a> {
    /// The store as it was named, safe to show; empty if nobody knows.
    pub store: &'a str,
    /// Which command ran.
    pub mode: Mode,
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// How the process ends.
    pub exit: Exit,
}

/// What the textfile of an earlier run says that the next one has to repeat.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Previous {
    /// The store of that run.
    pub store: Option<String>,
    /// When each command last succeeded on which store, in seconds since the epoch.
    successes: Vec<(String, Mode, i64)>,
}

impl Previous {
    /// Reads a textfile; whatever is not ours, is broken or lies in the future of `now` is passed over.
    pub fn read(text: &str, now: Timestamp) -> Previous {
        let mut previous = Previous::default();
        for line in text.lines() {
            let Some((name, labels, value)) = sample(line) else {
                continue;
            };
            let store = labels.get("store");
            let Some(store) = store.filter(|_| name.starts_with("odoo_session_")) else {
                continue;
            };
            previous.store.get_or_insert_with(|| store.clone());
            let mode = labels.get("command").and_then(|command| {
                [Mode::Audit, Mode::DryRun, Mode::Reap]
                    .into_iter()
                    .find(|mode| self::command(*mode) == command)
            });
            if let (LAST_SUCCESS, Some(mode), Ok(at)) = (name, mode, value.parse::<i64>()) {
                if (0..=now.secs.saturating_add(FUTURE_TOLERANCE)).contains(&at) {
                    previous.successes.push((store.clone(), mode, at));
                }
            }
        }
        previous
    }

    fn success(&self, store: &str, mode: Mode) -> Option<i64> {
        let own = |(theirs, command, _): &&(String, Mode, i64)| theirs == store && *command == mode;
        self.successes
            .iter()
            .filter(own)
            .map(|(_, _, at)| *at)
            .max()
    }
}

/// The textfile of a run. Without `finished`, what a run finds and does is left out rather than told as
/// zero: nobody knows it.
pub fn text(run: &Run<'_>, finished: Option<&Finished<'_>>, previous: &Previous) -> String {
    let mut page = Page {
        text: String::new(),
        store: run.store,
        command: command(run.mode),
    };
    // A dormant store was opened, but not looked into.
    if let Some(finished) = finished.filter(|finished| finished.end.is_some()) {
        found(&mut page, finished.tally, finished.started);
        done(&mut page, finished.tally, run.mode);
        by_database(&mut page, finished.tally, run.mode);
    }
    if let Some(inodes) = finished.and_then(|finished| finished.room.inodes) {
        page.gauge(
            "odoo_session_store_inodes",
            "Inodes of the file system that the session store is on.",
            [([], inodes.total)],
        );
        page.gauge(
            "odoo_session_store_inodes_free",
            "Free inodes of the file system that the session store is on.",
            [([], inodes.free)],
        );
    }
    of_the_run(&mut page, run, finished, previous);
    page.text
}

fn found(page: &mut Page<'_>, tally: &Tally, started: Timestamp) {
    let mut gauge = |name, help, value: fn(&Row) -> u64| {
        let rows = Class::ALL.map(|class| (labels(class), value(tally.row(class))));
        page.gauge(name, help, rows);
    };
    gauge(
        "odoo_session_files",
        "Files that the last run found in the session store, before it deleted any.",
        |row| row.all.files,
    );
    gauge(
        "odoo_session_files_bytes",
        "Sum of the lengths of the files that the last run found.",
        |row| row.all.bytes,
    );
    gauge(
        "odoo_session_files_disk_bytes",
        "Bytes on disk of the files that the last run found.",
        |row| row.all.disk,
    );
    gauge(
        "odoo_session_files_due",
        "Files that the last run found to be due: older than their window, superseded, or beyond their lifetime.",
        |row| row.due.files,
    );
    let oldest = Class::ALL.into_iter().filter_map(|class| {
        let oldest = tally.row(class).oldest?;
        Some((labels(class), oldest.age(started).as_secs()))
    });
    page.gauge(
        "odoo_session_files_oldest_age_seconds",
        "Time since the oldest file that the last run found was last saved; with --last-seen atime, saved or read.",
        oldest,
    );
}

/// The sessions that were read, by database.
fn by_database(page: &mut Page<'_>, tally: &Tally, mode: Mode) {
    // Names that differ can be shown alike, and node_exporter refuses a file with the same series twice.
    let mut rows: BTreeMap<String, Database> = BTreeMap::new();
    for (name, database) in tally.databases.rows() {
        let name = match name {
            Name::Database(name) => name,
            Name::Others => OTHER_DATABASES.to_owned(),
            Name::None => String::new(),
        };
        rows.entry(name).or_default().merge(database);
    }
    let mut gauge = |name, help, value: fn(Fates) -> u64| {
        let samples = rows.iter().flat_map(|(database, row)| {
            let found = |class: &Class| row.of(*class).files > 0;
            Class::ALL.into_iter().filter(found).map(move |class| {
                let [class_label, property] = labels(class);
                let database = ("database", database.as_str());
                ([class_label, property, database], value(row.of(class)))
            })
        });
        page.gauge(name, help, samples);
    };
    gauge(
        "odoo_session_database_files",
        "Sessions that the last run read, by database, before it deleted any.",
        |fates| fates.files,
    );
    gauge(
        "odoo_session_database_files_due",
        "Sessions that the last run read and found to be due, by database.",
        |fates| fates.due,
    );
    gauge(
        "odoo_session_reaper_last_run_deleted_database_files",
        "Sessions that the last run deleted, by database.",
        match mode {
            Mode::Reap => |fates| fates.deleted,
            Mode::Audit | Mode::DryRun => |_| 0,
        },
    );
}

fn done(page: &mut Page<'_>, tally: &Tally, mode: Mode) {
    let deleted = |row: &Row| match mode {
        Mode::Reap => row.deleted.files,
        // A dry run counts what it would have deleted.
        Mode::Audit | Mode::DryRun => 0,
    };
    page.gauge(
        "odoo_session_reaper_last_run_deleted_files",
        "Files that the last run deleted.",
        Class::ALL.map(|class| (labels(class), deleted(tally.row(class)))),
    );
    page.gauge(
        "odoo_session_reaper_last_run_kept_files",
        "Files of Odoo that the last run kept, by reason.",
        kept(tally).map(|(reason, files)| ([("reason", reason)], files)),
    );
    page.gauge(
        "odoo_session_reaper_last_run_vanished_files",
        "Files that were gone by themselves before the last run could look at or delete them.",
        [([], tally.vanished)],
    );
    let errors = [
        Operation::List,
        Operation::Stat,
        Operation::Read,
        Operation::Delete,
    ]
    .map(|operation| {
        let own = tally.errors.iter().filter(|((of, _), _)| *of == operation);
        let count: u64 = own.map(|(_, count)| count).sum();
        ([("operation", operation.name())], count)
    });
    page.gauge(
        "odoo_session_reaper_last_run_errors",
        "Failures on a single file or directory in the last run, by operation.",
        errors,
    );
}

/// Why files stay; each file counts once.
fn kept(tally: &Tally) -> [(&'static str, u64); 5] {
    let (mut young, mut implausible) = (0, 0);
    // Protected logins have no age that matters.
    let read =
        |class: &Class| !matches!(class, Class::Foreign | Class::Unreadable | Class::Protected);
    for class in Class::ALL.into_iter().filter(read) {
        let row = tally.row(class);
        // Files with an implausible time have no age.
        let aged: u64 = row.ages.iter().sum();
        young += aged.saturating_sub(row.due.files + row.spared);
        implausible += row.all.files.saturating_sub(aged);
    }
    let unreadable = tally.row(Class::Unreadable);
    [
        ("within-window", young),
        ("protected-login", tally.row(Class::Protected).all.files),
        ("implausible-time", implausible),
        (
            "unreadable",
            unreadable
                .all
                .files
                .saturating_sub(unreadable.due.files + unreadable.spared),
        ),
        ("saved-again", tally.saved_again),
    ]
}

fn of_the_run(
    page: &mut Page<'_>,
    run: &Run<'_>,
    finished: Option<&Finished<'_>>,
    previous: &Previous,
) {
    page.gauge(
        "odoo_session_reaper_last_run_duration_seconds",
        "How long the last run took.",
        [([], format!("{:.3}", run.took.as_secs_f64()))],
    );
    page.gauge(
        "odoo_session_reaper_last_run_timestamp_seconds",
        "When the last run ended, in seconds since the epoch.",
        [([], run.ended.secs)],
    );
    page.gauge(
        "odoo_session_reaper_last_run_exit_code",
        "The exit code of the last run; 0 is success.",
        [([], run.exit.code())],
    );
    let end = match finished.map(|finished| finished.end) {
        None => "failed",
        Some(None) => "dormant",
        Some(Some(End::Complete)) => "complete",
        Some(Some(End::LimitReached)) => "limit-reached",
        Some(Some(End::Interrupted(_))) => "interrupted",
    };
    page.gauge(
        "odoo_session_reaper_last_run_info",
        "How the last run ended, and which version of the program it was.",
        [(
            [("end", end), ("version", env!("CARGO_PKG_VERSION"))],
            1_u64,
        )],
    );
    let successes = [Mode::Audit, Mode::DryRun, Mode::Reap]
        .into_iter()
        .filter_map(|mode| {
            let at = if mode == run.mode && run.exit == Exit::Done {
                Some(run.ended.secs)
            } else {
                previous.success(run.store, mode)
            };
            Some((mode, at?))
        });
    page.head(
        LAST_SUCCESS,
        "When a run last ended with exit code 0, in seconds since the epoch.",
    );
    for (mode, at) in successes {
        page.command = command(mode);
        page.sample(LAST_SUCCESS, &[], at);
    }
}

/// The label of a command, the same for every run of it.
fn command(mode: Mode) -> &'static str {
    match mode {
        Mode::Audit => "audit",
        Mode::DryRun => "dry-run",
        Mode::Reap => "reap",
    }
}

fn labels(class: Class) -> [(&'static str, &'static str); 2] {
    [
        ("class", class.base()),
        ("property", class.property().unwrap_or_default()),
    ]
}

/// The textfile as it is being written.
struct Page<'a> {
    text: String,
    store: &'a str,
    command: &'static str,
}

impl Page<'_> {
    /// A family of series; one without any is left out.
    fn gauge<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([(&'l str, &'l str); N], impl Display)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_some() {
            self.head(name, help);
        }
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }

    fn head(&mut self, name: &str, help: &str) {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    /// An empty label is the same as none to Prometheus, and is left out.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let common = [("store", self.store), ("command", self.command)];
        let labels: Vec<String> = common
            .iter()
            .chain(labels)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let _ = writeln!(self.text, "{name}{{{}}} {value}", labels.join(","));
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// The name, labels and value of a line, if it is a sample as [`text`] writes it.
fn sample(line: &str) -> Option<(&str, BTreeMap<&str, String>, &str)> {
    let (name, mut rest) = line.split_once('{')?;
    let mut labels = BTreeMap::new();
    loop {
        let (label, quoted) = rest.split_once("=\"")?;
        let (value, after) = unescaped(quoted)?;
        labels.insert(label, value);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((name, labels, after.strip_prefix("} ")?)),
        }
    }
}

/// The text up to the closing quote, and what comes after that.
fn unescaped(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            _ => value.push(character),
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
