//! The report for people.

mod databases;
mod head;
mod unknown;

use std::ops::RangeInclusive;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::facts::{Facts, Row};
use super::histogram;
use super::numbers::{Numbers, bytes};
use super::out::Out;
use super::reads;
use crate::policy::Class;
use crate::reap::{End, Mode};
use crate::tally::DENIED;
use crate::time::short;
use head::in_words;

/// Everything: the store and the ages, then what is looked for first, near the end of a long output: the table, what
/// is worth knowing, and the closing sentence.
pub fn full(out: &mut Out, facts: &Facts) {
    head::write(out, facts);
    out.line(format_args!(""));
    if facts.end.is_some() {
        histogram::write(out, facts);
        databases::write(out, facts);
        table(out, facts);
        out.line(format_args!(""));
        let notes = notes(facts, out.numbers());
        for note in &notes {
            out.line(format_args!("{note}"));
        }
        if !notes.is_empty() {
            out.line(format_args!(""));
        }
    }
    let Sentence {
        start,
        logouts,
        rest,
    } = sentence(facts, out.numbers());
    let (start, logouts, rest) = (out.bold(&start), out.alarming(&logouts), out.bold(&rest));
    out.line(format_args!("{start}{logouts}{rest}"));
}

/// The closing sentence alone.
pub fn summary(facts: &Facts, numbers: Numbers) -> String {
    let Sentence {
        start,
        logouts,
        rest,
    } = sentence(facts, numbers);
    let mut sentence = start + &logouts + &rest;
    if facts.store.found {
        sentence.push_str(&format!("; found by searching: {}", facts.store.from));
    }
    let unknown = facts.found.unknown_names();
    if facts.mode == Mode::Audit && unknown > 0 {
        sentence.push_str(&format!(
            "; {} foreign names look like those of a newer Odoo: see --report full",
            numbers.count(unknown)
        ));
    }
    sentence
}

/// What has become of files that are due, as the head of a column.
fn gone(mode: Mode) -> &'static str {
    match mode {
        Mode::Audit => "Due",
        Mode::DryRun => "Would delete",
        Mode::Reap => "Deleted",
    }
}

fn table(out: &mut Out, facts: &Facts) {
    let numbers = out.numbers();
    let mut table = Table::new();
    table.set_header(["", "Files", "On disk", gone(facts.mode), "Oldest", "Window"]);
    let mut lines = 0;
    let mut logouts = None;
    let mut add = |label: &str, row: &Row, window: String| {
        let oldest = row.oldest.map(|oldest| oldest.age(facts.started));
        table.add_row([
            label.to_owned(),
            numbers.count(row.all.files),
            bytes(row.all.disk_bytes),
            numbers.count(row.settled.files),
            oldest.map_or(String::new(), short),
            window,
        ]);
        lines += 1;
        if label == Class::Authenticated.label() && row.settled.files > 0 {
            logouts = Some(lines);
        }
    };
    for found in &facts.found.classes {
        if found.class == Class::Foreign {
            add("total", &facts.found.total, String::new());
        }
        if found.row.all.files > 0 {
            let window = match (found.window, found.class) {
                (Some(window), _) => in_words(window),
                // Nobody knows its class, and so its window.
                (None, Class::Recent) => String::new(),
                (None, _) => "never".to_owned(),
            };
            add(found.class.label(), &found.row, window);
        }
    }
    print(out, table, 1..=4, logouts);
}

/// Prints a table with these columns aligned to the right, its head in bold, and perhaps an alarming line.
fn print(out: &mut Out, mut table: Table, right: RangeInclusive<usize>, alarming: Option<usize>) {
    table.load_preset(presets::NOTHING);
    if out.terminal {
        // A long name of a database is wrapped; in a pipe a row stays one line.
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(out.width).unwrap_or(u16::MAX));
    }
    for column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end();
        let line = match index {
            0 => out.bold(line),
            index if Some(index) == alarming => out.alarming(line),
            _ => line.to_owned(),
        };
        out.line(format_args!("{line}"));
    }
}

/// What the rows of the table are, and what else is worth knowing.
fn notes(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let found = &facts.found;
    let files = |count| numbers.of(count, "file");
    let mut notes = Vec::new();
    for row in found.classes.iter().filter(|row| row.row.all.files > 0) {
        let class = row.class;
        notes.push(format!("{}: {}", class.label(), class.meaning()));
        if class == Class::Unreadable {
            notes.extend(reasons(facts, numbers));
        }
    }
    if facts.mode == Mode::Audit {
        notes.extend(users(facts, numbers));
    }
    if found.lifetime_unknown > 0 {
        notes.push(format!(
            "lifetime unknown: {} of logged-in users do not say when they began, so only their windows count",
            files(found.lifetime_unknown)
        ));
    }
    for database in &facts.nobody.databases {
        notes.push(format!(
            "without effect: [session_reaper:{database}], because there is no session of this database"
        ));
    }
    if let Some(patterns) = &facts.nobody.keep_login {
        let patterns = head::value(patterns);
        notes.push(format!(
            "without effect: keep_login {patterns}, because no login here matches"
        ));
    }
    let unknown = found.unknown.iter();
    notes.extend(unknown.map(|shape| unknown::note(shape, numbers)));
    if found.kept.implausible_time > 0 {
        notes.push(format!(
            "kept: {} with a last save in the future or before 2010",
            files(found.kept.implausible_time)
        ));
    }
    if found.kept.saved_again > 0 {
        notes.push(format!(
            "kept: {} saved again during the run",
            files(found.kept.saved_again)
        ));
    }
    if found.vanished > 0 {
        notes.push(format!(
            "gone by themselves during the run: {}",
            files(found.vanished)
        ));
    }
    if facts.store.dormant {
        notes.push(dormant(facts));
    }
    for error in &found.errors {
        notes.push(format!(
            "failed: {} {}: {}",
            error.operation,
            numbers.of(error.count, "time"),
            error.message
        ));
    }
    notes
}

/// Why files do not read as a session. How many were denied, the closing sentence says.
fn reasons(facts: &Facts, numbers: Numbers) -> Option<String> {
    let reasons = facts.found.unreadable.iter();
    let reasons: Vec<String> = reasons
        .filter(|(reason, _)| **reason != DENIED)
        .map(|(reason, count)| format!("{} {reason}", numbers.count(*count)))
        .collect();
    (!reasons.is_empty()).then(|| format!("  {}", reasons.join(", ")))
}

/// Who is logged in, who would be logged out while active, and who never came back.
fn users(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let mut notes = Vec::new();
    if facts.found.logins > 0 {
        notes.push(format!(
            "logins: {}; what Odoo has moved to a new file counts once",
            numbers.count(facts.found.logins)
        ));
    }
    notes.extend(reads::due_but_active(facts, numbers));
    notes.extend(reads::bounced(facts, numbers));
    notes
}

fn dormant(facts: &Facts) -> String {
    let unchanged = facts.store.last_change.age(facts.started);
    format!(
        "dormant: nothing was saved here for {}, longer than the shortest window ({})",
        in_words(unchanged.as_secs()),
        in_words(facts.windows.shortest)
    )
}

/// The closing sentence, with what it says of logins that end.
struct Sentence {
    start: String,
    logouts: String,
    rest: String,
}

fn sentence(facts: &Facts, numbers: Numbers) -> Sentence {
    let place = &facts.store.resolved;
    let found = &facts.found;
    let Some(end) = facts.end else {
        return Sentence {
            start: format!(
                "left {place} alone, it is {}; is it a copy, a backup, or did the clock jump? If not, use --force",
                dormant(facts)
            ),
            logouts: String::new(),
            rest: String::new(),
        };
    };
    let verb = match facts.mode {
        Mode::Audit | Mode::DryRun => "would delete",
        Mode::Reap => "deleted",
    };
    let gone = found.total.settled;
    let mut rest = format!(", {} on disk, in {place}", bytes(gone.disk_bytes));
    match end {
        End::Complete => {}
        End::LimitReached => {
            rest.push_str("; stopped at --limit, the rest was not looked at and more may be due");
        }
        End::Interrupted(_) => rest.push_str("; interrupted, the rest was not looked at"),
    }
    if facts.store.dormant && facts.mode == Mode::Audit {
        rest.push_str("; but the store is dormant, and a reap leaves it alone without --force");
    }
    if found.denied() > 0 {
        rest.push_str(&format!(
            "; {} could not be read",
            numbers.count(found.denied())
        ));
    }
    let failures = found.failures();
    if failures > 0 {
        rest.push_str(&format!("; {}", numbers.of(failures, "failure")));
    }
    Sentence {
        start: format!(
            "{verb} {} of {}",
            numbers.count(gone.files),
            numbers.of(found.total.all.files, "file")
        ),
        logouts: logouts(facts, numbers),
        rest,
    }
}

/// How many people lose their login: what nobody would otherwise hear of in a row of files.
fn logouts(facts: &Facts, numbers: Numbers) -> String {
    let logouts = &facts.found.logouts;
    if facts.found.row(Class::NotRead).settled.files > 0 {
        return " (not read, so nobody knows whose)".to_owned();
    }
    if logouts.logins == 0 {
        return String::new();
    }
    let at_least = if logouts.at_least { "at least " } else { "" };
    format!(
        " ({} of {at_least}{})",
        numbers.of(logouts.logins, "login"),
        numbers.of(logouts.people, "person")
    )
}
