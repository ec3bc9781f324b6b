//! The report for Prometheus: a textfile for node_exporter, described series by series in docs/metrics.md.
//!
//! Nearly everything is a gauge, because it tells of one run and starts afresh with the next. Each series carries
//! the store and the command, so that the files of several stores, and those of `audit` and `reap`, can lie
//! side by side: node_exporter refuses two series with the same labels.

mod page;
mod previous;

pub use previous::Previous;

use std::collections::BTreeMap;
use std::time::Duration;

use super::facts::{DatabaseClass, Facts, Found, end};
use crate::exit::Exit;
use crate::policy::Class;
use crate::reap::Mode;
use crate::tally::{Operation, Row};
use crate::time::Timestamp;
use page::{Label, Page};

const LAST_SUCCESS: &str = "odoo_session_reaper_last_success_timestamp_seconds";
const DELETED: &str = "odoo_session_reaper_deleted_files_total";

/// The label of all databases that are not told apart; PostgreSQL takes no such name without quotes.
const OTHER_DATABASES: &str = "(others)";

/// What is told of every run, also of one that failed before it saw a file.
pub struct Run<'a> {
    /// The store as it was named, safe to show; empty if nobody knows.
    pub store: &'a str,
    pub mode: Mode,
    pub ended: Timestamp,
    pub took: Duration,
    pub exit: Exit,
}

/// The textfile of a run. Without `facts`, what a run finds and does is left out rather than told as
/// zero: nobody knows it.
pub fn text(run: &Run<'_>, facts: Option<&Facts>, previous: &Previous) -> String {
    let mut page = Page {
        text: String::new(),
        store: run.store,
        command: run.mode.name(),
    };
    // A dormant store was opened, but not looked into.
    if let Some(facts) = facts.filter(|facts| facts.end.is_some()) {
        found(&mut page, &facts.found, facts.started);
        done(&mut page, &facts.found);
        by_database(&mut page, &facts.found);
    }
    if let Some(inodes) = facts.and_then(|facts| facts.room.inodes) {
        page.one(
            "odoo_session_store_inodes",
            "Inodes of the file system that the session store is on.",
            inodes.total,
        );
        page.one(
            "odoo_session_store_inodes_free",
            "Free inodes of the file system that the session store is on.",
            inodes.free,
        );
    }
    of_the_run(&mut page, run, facts);
    // The rest is of every command.
    page.command = "";
    last_successes(&mut page, run, facts, previous);
    deleted_so_far(&mut page, run, facts, previous);
    page.text
}

fn by_class(page: &mut Page<'_>, name: &str, help: &str, value: impl Fn(Class) -> Option<u64>) {
    let rows = Class::ALL.into_iter();
    let rows = rows.filter_map(|class| Some((labels(class), value(class)?)));
    page.family(name, help, rows);
}

fn found(page: &mut Page<'_>, found: &Found, started: Timestamp) {
    by_class(
        page,
        "odoo_session_files",
        "Files that the last run found in the session store, before it deleted any.",
        |class| Some(found.row(class).all.files),
    );
    by_class(
        page,
        "odoo_session_files_bytes",
        "Sum of the lengths of the files that the last run found.",
        |class| Some(found.row(class).all.bytes),
    );
    by_class(
        page,
        "odoo_session_files_disk_bytes",
        "Bytes on disk of the files that the last run found.",
        |class| Some(found.row(class).all.disk_bytes),
    );
    by_class(
        page,
        "odoo_session_files_due",
        "Files that the last run found to be due: older than their window, superseded, or beyond their lifetime.",
        |class| Some(found.row(class).due.files),
    );
    page.one(
        "odoo_session_unknown_names",
        "Foreign names that the last run found alike: perhaps those of an Odoo that this version does not know.",
        found.unknown_names(),
    );
    reads(page, found);
    by_class(
        page,
        "odoo_session_files_oldest_age_seconds",
        "Time since the oldest file that the last run found was last saved; with --last-seen atime, saved or read.",
        |class| Some(found.row(class).oldest?.age(started).as_secs()),
    );
}

/// What the times of reads say; nothing where nobody knows.
fn reads(page: &mut Page<'_>, found: &Found) {
    let mut gauge = |name, help, files: Option<u64>| {
        page.family(name, help, files.map(|files| ([], files)));
    };
    gauge(
        "odoo_session_due_but_active",
        "Logged-in sessions that the last run found to be due, though they were read within their window; at least.",
        found.reads.due_but_active,
    );
    gauge(
        "odoo_session_due_but_active_up_to",
        "The same, with those of which the mount cannot tell.",
        found.reads.due_but_active_up_to,
    );
    gauge(
        "odoo_session_bounced",
        "Visitors' sessions that were not read since their last save: nobody came back with them.",
        found.reads.bounced,
    );
}

/// The sessions that were read, by database.
fn by_database(page: &mut Page<'_>, found: &Found) {
    // Names that differ can be shown alike, and node_exporter refuses a file with the same series twice.
    let mut rows: BTreeMap<(&str, usize), Vec<&DatabaseClass>> = BTreeMap::new();
    for database in &found.databases {
        let name = match &database.name {
            Some(name) => name,
            None if database.others => OTHER_DATABASES,
            None => "",
        };
        for row in &database.classes {
            let same = rows.entry((name, row.class as usize));
            same.or_default().push(row);
        }
    }
    let mut gauge = |name, help, value: fn(&DatabaseClass) -> u64| {
        let samples = rows.iter().map(|((database, class), rows)| {
            let [class_label, property] = labels(Class::ALL[*class]);
            let files: u64 = rows.iter().map(|row| value(row)).sum();
            ([class_label, property, ("database", *database)], files)
        });
        page.family(name, help, samples);
    };
    gauge(
        "odoo_session_database_files",
        "Sessions that the last run read, by database, before it deleted any.",
        |row| row.found.files,
    );
    gauge(
        "odoo_session_database_files_due",
        "Sessions that the last run read and found to be due, by database.",
        |row| row.found.due,
    );
    gauge(
        "odoo_session_reaper_last_run_deleted_database_files",
        "Sessions that the last run deleted, by database.",
        |row| row.found.deleted,
    );
}

fn done(page: &mut Page<'_>, found: &Found) {
    by_class(
        page,
        "odoo_session_reaper_last_run_deleted_files",
        "Files that the last run deleted.",
        |class| Some(found.row(class).deleted.files),
    );
    page.family(
        "odoo_session_reaper_last_run_kept_files",
        "Files of Odoo that the last run kept, by reason.",
        kept(found).map(|(reason, files)| ([("reason", reason)], files)),
    );
    page.one(
        "odoo_session_reaper_last_run_kept_logins",
        "Logins that the last run found to be due, and kept for --max-logouts.",
        found.logouts.kept,
    );
    page.one(
        "odoo_session_reaper_last_run_vanished_files",
        "Files that were gone by themselves before the last run could look at or delete them.",
        found.vanished,
    );
    let errors = Operation::ALL.map(Operation::name).map(|operation| {
        let own = found.errors.iter();
        let own = own.filter(|error| error.operation == operation);
        let count: u64 = own.map(|error| error.count).sum();
        ([("operation", operation)], count)
    });
    page.family(
        "odoo_session_reaper_last_run_errors",
        "Failures on a single file or directory in the last run, by operation.",
        errors,
    );
}

/// Why files stay; each file counts once.
fn kept(found: &Found) -> [(&'static str, u64); 5] {
    let (mut young, mut implausible) = (0, 0);
    let stays = |row: &Row, of: u64| of.saturating_sub(row.due.files + row.spared);
    // Protected logins have no age that matters.
    let read =
        |class: &Class| !matches!(class, Class::Foreign | Class::Unreadable | Class::Protected);
    for class in Class::ALL.into_iter().filter(read) {
        let row = found.row(class);
        // Files with an implausible time have no age.
        let aged: u64 = row.ages.iter().sum();
        young += stays(row, aged);
        implausible += row.all.files.saturating_sub(aged);
    }
    let unreadable = found.row(Class::Unreadable);
    [
        ("within-window", young),
        ("protected", found.row(Class::Protected).all.files),
        ("implausible-time", implausible),
        ("unreadable", stays(unreadable, unreadable.all.files)),
        ("saved-again", found.kept.saved_again),
    ]
}

fn of_the_run(page: &mut Page<'_>, run: &Run<'_>, facts: Option<&Facts>) {
    page.one(
        "odoo_session_reaper_last_run_duration_seconds",
        "How long the last run took.",
        format_args!("{:.3}", run.took.as_secs_f64()),
    );
    page.one(
        "odoo_session_reaper_last_run_timestamp_seconds",
        "When the last run ended, in seconds since the epoch.",
        run.ended.secs,
    );
    page.one(
        "odoo_session_reaper_last_run_exit_code",
        "The exit code of the last run; 0 is success.",
        run.exit.code(),
    );
    let end = facts.map_or("failed", |facts| end(facts.end));
    let labels = [("end", end), ("version", env!("CARGO_PKG_VERSION"))];
    page.family(
        "odoo_session_reaper_last_run_info",
        "How the last run ended, and which version of the program it was.",
        [(labels, 1)],
    );
}

/// When each command last succeeded. A run that left a dormant store alone is none: the next one would do so as well,
/// for ever, and nobody would hear of it.
fn last_successes(page: &mut Page<'_>, run: &Run<'_>, facts: Option<&Facts>, previous: &Previous) {
    let left_alone = facts.is_some_and(|facts| facts.end.is_none());
    let success = |mode: Mode| {
        let at = if mode == run.mode && run.exit == Exit::Done && !left_alone {
            u64::try_from(run.ended.secs).ok()
        } else {
            previous.success(run.store, mode)
        };
        Some(([("command", mode.name())], at?))
    };
    page.family(
        LAST_SUCCESS,
        "When a run last looked at the store and ended with exit code 0, in seconds since the epoch.",
        [Mode::Audit, Mode::DryRun, Mode::Reap].into_iter().filter_map(success),
    );
}

/// What all reaps deleted since there is such a file. The file of an audit has none of it, unless reaps write to it,
/// too: the same series in two files would be one too many.
fn deleted_so_far(page: &mut Page<'_>, run: &Run<'_>, facts: Option<&Facts>, previous: &Previous) {
    let reaped = facts.filter(|_| run.mode == Mode::Reap);
    let total = |class| {
        let now = reaped.map(|facts| facts.found.row(class).deleted.files);
        let before = previous.deleted(run.store, class);
        let total = now.map_or(before, |now| Some(now + before.unwrap_or(0)))?;
        Some((labels_of_deleted(class), total))
    };
    page.family(
        DELETED,
        "Files that all runs deleted since this file was first written.",
        Class::ALL.into_iter().filter_map(total),
    );
}

fn labels(class: Class) -> [Label<'static>; 2] {
    let property = class.property().unwrap_or_default();
    [("class", class.base()), ("property", property)]
}

fn labels_of_deleted(class: Class) -> [Label<'static>; 3] {
    let [class, property] = labels(class);
    [("command", Mode::Reap.name()), class, property]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
