//! The report for people.

mod databases;
mod unknown;

use std::ops::RangeInclusive;

use comfy_table::{CellAlignment, Table, presets};

use super::numbers::{bytes, files, grouped};
use super::out::Out;
use super::{Finished, histogram};
use crate::policy::{Class, Windows};
use crate::reap::{End, Mode};
use crate::redact;
use crate::settings::{Effective, Source, Value};
use crate::store::Share;
use crate::tally::Row;
use crate::time::{short, words};

/// The class as a row of the table.
pub(super) fn label(class: Class) -> &'static str {
    match class {
        Class::Authenticated => "authenticated",
        Class::Protected => "authenticated, kept",
        Class::Superseded => "superseded",
        Class::Cart => "anonymous, cart",
        Class::Pending2fa => "anonymous, 2FA open",
        Class::Anonymous => "anonymous",
        Class::Recent => "recent, not read",
        Class::Unclassified => "unclassified",
        Class::Unreadable => "unreadable",
        Class::UnfinishedSave => "unfinished save",
        Class::UploadStash => "upload stash",
        Class::Foreign => "foreign, not touched",
    }
}

/// Everything: the store, a table, the ages, what is worth knowing, and the closing sentence.
pub fn full(out: &mut Out, finished: &Finished<'_>) {
    head(out, finished);
    if finished.end.is_some() {
        out.line(format_args!(""));
        table(out, finished);
        out.line(format_args!(""));
        if finished.tally.databases.are_several() {
            databases::write(out, finished);
            out.line(format_args!(""));
        }
        histogram::write(out, finished.tally, finished.plan.policy.last_seen);
        notes(out, finished);
    } else {
        out.line(format_args!(""));
    }
    let sentence = out.bold(&sentence(finished));
    out.line(format_args!("{sentence}"));
}

/// The closing sentence alone.
pub fn summary(finished: &Finished<'_>) -> String {
    let mut sentence = sentence(finished);
    if finished.location.found {
        sentence.push_str(&format!(
            "; found by looking around: {}",
            finished.location.from
        ));
    }
    let unknown = finished.tally.unknown.count();
    if finished.plan.mode == Mode::Audit && unknown > 0 {
        sentence.push_str(&format!(
            "; {} foreign names look like those of a newer Odoo: see --report full",
            grouped(unknown)
        ));
    }
    sentence
}

fn head(out: &mut Out, finished: &Finished<'_>) {
    let Finished {
        store,
        location,
        tally,
        ..
    } = finished;
    let (given, resolved) = (redact::path(&store.given), redact::path(&store.resolved));
    out.line(format_args!("Session store  {given}"));
    if given != resolved {
        out.line(format_args!("               which is {resolved}"));
    }
    let found = if location.found {
        "found by looking around: "
    } else {
        "from "
    };
    out.line(format_args!("               {found}{}", location.from));
    if finished.end.is_some() {
        let mut layout = Vec::new();
        if tally.sharded > 0 || tally.shards > 0 {
            layout.push(format!(
                "sharded (Odoo 16 and newer), {} in {} shards",
                files(tally.sharded),
                grouped(tally.shards)
            ));
        }
        if tally.flat > 0 {
            layout.push(format!("flat (Odoo 15 and older), {}", files(tally.flat)));
        }
        if layout.is_empty() {
            layout.push("no sessions".to_owned());
        }
        out.line(format_args!(
            "Layout         {}",
            layout.join("\n               ")
        ));
    }
    let room = [
        (
            finished.room.inodes,
            grouped as fn(u64) -> String,
            " inodes",
        ),
        (finished.room.bytes, bytes, ""),
    ];
    let room = room.into_iter().filter_map(|(share, number, unit)| {
        let Share { total, free } = share?;
        let percent = free.saturating_mul(100) / total.max(1);
        let (free, total) = (number(free), number(total));
        Some(format!("{free} of {total}{unit} free ({percent} %)"))
    });
    let room: Vec<_> = room.collect();
    if !room.is_empty() {
        out.line(format_args!(
            "File system    {}",
            room.join("\n               ")
        ));
    }
    out.line(format_args!(
        "Windows        {}",
        windows(&finished.plan.policy.general().windows)
    ));
    policy(out, finished);
}

/// What somebody has changed of the policy, and where. The windows above tell the rest.
fn policy(out: &mut Out, finished: &Finished<'_>) {
    let mut lines = Vec::new();
    for value in finished.effective {
        let Effective {
            option,
            database,
            value,
            source,
        } = value;
        if *source == Source::Default {
            continue;
        }
        let whose = database.as_ref().map_or(String::new(), |database| {
            format!("{}: ", redact::printable(database.as_bytes()))
        });
        let value = match value {
            Value::Logins(logins) if !finished.logins && !logins.is_empty() => {
                format!("({} left out)", logins.len())
            }
            value => value.to_string(),
        };
        let (what, source) = (format!("{whose}{option} {value}"), format!("({source})"));
        if what.chars().count() + source.chars().count() < 64 {
            lines.push(format!("{what} {source}"));
        } else {
            lines.extend([what, format!("  {source}")]);
        }
    }
    if lines.is_empty() {
        lines.push("all defaults".to_owned());
    }
    out.line(format_args!(
        "Policy         {}",
        lines.join("\n               ")
    ));
}

fn windows(windows: &Windows) -> String {
    let mut parts = vec![
        format!("authenticated {}", words(windows.authenticated)),
        format!("anonymous {}", words(windows.anonymous)),
        format!("cart {}", words(windows.cart)),
        format!("leftover {}", words(windows.leftover)),
    ];
    parts.extend(
        windows
            .unreadable
            .map(|window| format!("unreadable {}", words(window))),
    );
    let mut lines = vec![String::new()];
    for part in parts {
        let last = lines.len() - 1;
        if lines[last].len() + part.len() > 62 {
            lines[last].push(',');
            lines.push(part);
        } else {
            if !lines[last].is_empty() {
                lines[last].push_str(", ");
            }
            lines[last].push_str(&part);
        }
    }
    lines.join("\n               ")
}

/// What has become of files that are due, as the head of a column.
fn gone(mode: Mode) -> &'static str {
    match mode {
        Mode::Audit => "Due",
        Mode::DryRun => "Would delete",
        Mode::Reap => "Deleted",
    }
}

fn table(out: &mut Out, finished: &Finished<'_>) {
    let Finished { tally, plan, .. } = finished;
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "",
        "Files",
        "On disk",
        gone(plan.mode),
        "Oldest",
        "Window",
    ]);
    let mut add = |label: &str, row: &Row, window: String| {
        let gone = if plan.mode == Mode::Audit {
            row.due
        } else {
            row.deleted
        };
        let oldest = row
            .oldest
            .map_or(String::new(), |oldest| short(oldest.age(plan.policy.now)));
        table.add_row([
            label.to_owned(),
            grouped(row.all.files),
            bytes(row.all.disk),
            grouped(gone.files),
            oldest,
            window,
        ]);
    };
    for class in Class::ALL {
        let row = tally.row(class);
        if class == Class::Foreign {
            add("total", &tally.total(), String::new());
        }
        if row.all.files > 0 {
            let window = plan.policy.window(class).map_or("kept".to_owned(), words);
            add(label(class), row, window);
        }
    }
    print(out, &mut table, 1..=4);
}

/// Prints a table with these columns aligned to the right and its head in bold.
fn print(out: &mut Out, table: &mut Table, right: RangeInclusive<usize>) {
    for column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let line = if index == 0 {
            out.bold(line)
        } else {
            line.to_owned()
        };
        out.line(format_args!("{line}"));
    }
}

fn notes(out: &mut Out, finished: &Finished<'_>) {
    let tally = finished.tally;
    let mut notes = Vec::new();
    if tally.row(Class::Recent).all.files > 0 {
        notes.push(
            "recent: younger than every window, so not read; an audit classifies them".to_owned(),
        );
    }
    if finished.plan.mode == Mode::Audit {
        notes.extend(users(finished));
    }
    if tally.lifetime_unknown > 0 {
        notes.push(format!(
            "lifetime unknown: {} of logged-in users do not say when they began, so only their windows count",
            files(tally.lifetime_unknown)
        ));
    }
    for (reason, count) in &tally.unreadable {
        notes.push(format!("unreadable: {}, {reason}", files(*count)));
    }
    notes.extend(tally.unknown.told().into_iter().map(unknown::note));
    if tally.implausible_times > 0 {
        notes.push(format!(
            "kept: {} with a last save in the future or before 2010",
            files(tally.implausible_times)
        ));
    }
    if tally.saved_again > 0 {
        notes.push(format!(
            "kept: {} saved again during the run",
            files(tally.saved_again)
        ));
    }
    if tally.vanished > 0 {
        notes.push(format!(
            "gone by themselves during the run: {}",
            files(tally.vanished)
        ));
    }
    if finished.dormant {
        notes.push(dormant(finished));
    }
    for ((operation, errno), count) in &tally.errors {
        let error = std::io::Error::from_raw_os_error(*errno);
        notes.push(format!(
            "failed: {} {} times: {error}",
            operation.name(),
            grouped(*count)
        ));
    }
    if !notes.is_empty() {
        for note in &notes {
            out.line(format_args!("{note}"));
        }
        out.line(format_args!(""));
    }
}

/// Who is logged in, and who would be logged out while active.
fn users(finished: &Finished<'_>) -> Vec<String> {
    let tally = finished.tally;
    let mut notes = Vec::new();
    if tally.logins > 0 {
        notes.push(format!(
            "logins: {}; what Odoo has moved to a new file counts once",
            grouped(tally.logins)
        ));
    }
    match finished.due_though_read() {
        Some(0) => {}
        Some(count) => notes.push(format!(
            "due though active: {} of logged-in users were read by Odoo within their window, but not saved; \
             --last-seen atime keeps them",
            files(count)
        )),
        None => notes.push(
            "due though active: unknown, this mount keeps no access times (noatime)".to_owned(),
        ),
    }
    notes
}

fn dormant(finished: &Finished<'_>) -> String {
    let changed = finished.store.stat.mtime;
    format!(
        "dormant: nothing was saved here for {}, longer than the shortest window ({})",
        words(changed.age(finished.started)),
        words(finished.plan.policy.shortest())
    )
}

fn sentence(finished: &Finished<'_>) -> String {
    let Finished {
        tally, plan, store, ..
    } = finished;
    let place = redact::path(&store.resolved);
    let Some(end) = finished.end else {
        return format!(
            "left {place} alone, it is {}; is it a copy, a backup, or did the clock jump? \
             If not, use --force",
            dormant(finished)
        );
    };
    let total = tally.total();
    let (verb, gone) = match plan.mode {
        Mode::Audit => ("would delete", total.due),
        Mode::DryRun => ("would delete", total.deleted),
        Mode::Reap => ("deleted", total.deleted),
    };
    let mut sentence = format!(
        "{verb} {} of {}, {} on disk, in {place}",
        grouped(gone.files),
        files(total.all.files),
        bytes(gone.disk)
    );
    match end {
        End::Complete => {}
        End::LimitReached => {
            sentence
                .push_str("; stopped at --limit, the rest was not looked at and more may be due");
        }
        End::Interrupted(_) => sentence.push_str("; interrupted, the rest was not looked at"),
    }
    if finished.dormant && plan.mode == Mode::Audit {
        sentence.push_str("; but the store is dormant, and a reap leaves it alone without --force");
    }
    if tally.denied() > 0 {
        sentence.push_str(&format!("; {} could not be read", grouped(tally.denied())));
    }
    let failures = tally.failures();
    if failures > 0 {
        let plural = if failures == 1 { "" } else { "s" };
        sentence.push_str(&format!("; {} failure{plural}", grouped(failures)));
    }
    sentence
}
