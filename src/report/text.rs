//! The report for people.

mod databases;
mod head;

use std::ops::RangeInclusive;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::facts::Facts;
use super::histogram;
use super::numbers::{Numbers, bytes};
use super::out::Out;
use super::reads;
use crate::policy::Class;
use crate::reap::{End, Mode};
use crate::tally::{DENIED, Row};
use crate::time::{short, words};
use crate::unknown::Told;

/// Everything: the store and the ages, then what is looked for first, near the end of a long output: the table, what
/// is worth knowing, and the closing sentence.
pub fn full(out: &mut Out, facts: &Facts) {
    head::write(out, facts);
    out.line("");
    if facts.end.is_some() {
        histogram::write(out, facts);
        databases::write(out, facts);
        table(out, facts);
        out.line("");
        out.line(notes(facts, out.numbers()).join("\n") + "\n");
    }
    let [start, logouts, rest] = sentence(facts, out.numbers());
    out.line(out.bold(&start) + &out.alarming(&logouts) + &out.bold(&rest));
}

/// The closing sentence alone.
pub fn summary(facts: &Facts, numbers: Numbers) -> String {
    let mut sentence = sentence(facts, numbers).concat();
    if facts.store.found {
        sentence += &format!("; found by searching: {}", facts.store.from);
    }
    let unknown = facts.found.unknown_names();
    if facts.mode == Mode::Audit && unknown > 0 {
        let names = numbers.of(unknown, "foreign name");
        sentence += &format!("; {names} as of a newer Odoo: see --report full");
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
    let mut add = |label: &str, row: &Row, window: String| {
        let oldest = row.oldest.map(|oldest| short(oldest.age(facts.started)));
        table.add_row([
            label.to_owned(),
            numbers.count(row.all.files),
            bytes(row.all.disk_bytes),
            numbers.count(row.settled.files),
            oldest.unwrap_or_default(),
            window,
        ]);
    };
    for found in &facts.found.classes {
        if found.class == Class::Foreign {
            add("total", &facts.found.total, String::new());
        }
        if found.row.all.files > 0 {
            let window = match (found.windows, found.class) {
                (Some([one, other]), _) if one == other => words(one),
                (Some([one, other]), _) => format!("{} to {}", words(one), words(other)),
                // Nobody knows its class, and so its window.
                (None, Class::Recent) => String::new(),
                (None, _) => "never".to_owned(),
            };
            add(found.class.label(), &found.row, window);
        }
    }
    // The first row, if there is one of this class.
    let logouts = facts.found.row(Class::Authenticated).settled.files > 0;
    print(out, table, 1..=4, logouts.then_some(1));
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
        match index {
            0 => out.line(out.bold(line)),
            index if Some(index) == alarming => out.line(out.alarming(line)),
            _ => out.line(line),
        }
    }
}

/// What the words of the table mean, and what else is worth knowing.
fn notes(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let found = &facts.found;
    let mut notes = Vec::new();
    let is_there = |class| found.row(class).all.files > 0;
    let leftovers = is_there(Class::UnfinishedSave) || is_there(Class::UploadStash);
    if facts.mode == Mode::Reap {
        notes.push("an audit explains the words of the table".to_owned());
    } else if leftovers {
        notes.push("leftovers: unfinished saves and upload stashes".to_owned());
    }
    for row in found.classes.iter().filter(|row| row.row.all.files > 0) {
        let class = row.class;
        // Whoever deletes has seen the others in an audit. It has not the first two, and here reasons follow the third.
        let is_news = matches!(class, Class::Recent | Class::NotRead | Class::Unreadable);
        if facts.mode != Mode::Reap || is_news {
            notes.push(format!("{}: {}", class.label(), class.meaning()));
        }
        if class == Class::Unreadable {
            notes.extend(reasons(facts, numbers));
        }
    }
    if facts.mode == Mode::Audit {
        notes.extend(users(facts, numbers));
    }
    notes.extend(counted(facts, numbers));
    notes.extend(without_effect(facts));
    notes.extend(found.unknown.iter().map(|shape| unknown(shape, numbers)));
    notes.extend(facts.store.dormant.then(|| dormant(facts)));
    notes.extend(found.errors.iter().map(|error| {
        let times = numbers.of(error.count, "time");
        format!("failed: {} {times}: {}", error.operation, error.message)
    }));
    notes
}

/// What was kept for other reasons than its age, or went by itself.
fn counted(facts: &Facts, numbers: Numbers) -> impl Iterator<Item = String> {
    let found = &facts.found;
    let no_lifetime = " of logged-in users without their beginning, so only the window counts";
    let implausible = " with a last save in the future or before 2010";
    [
        (found.lifetime_unknown, "lifetime unknown", no_lifetime),
        (found.kept.implausible_time, "kept", implausible),
        (
            found.kept.saved_again,
            "kept",
            " saved again during the run",
        ),
        (found.vanished, "gone by themselves during the run", ""),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(move |(count, what, how)| format!("{what}: {}{how}", numbers.of(count, "file")))
}

/// What was configured for somebody who is not there.
fn without_effect(facts: &Facts) -> impl Iterator<Item = String> {
    let sections = facts.nobody.databases.iter().map(|database| {
        format!("without effect: [session_reaper:{database}], because there is no session of this database")
    });
    sections.chain(facts.nobody.keep_login.iter().map(|patterns| {
        let patterns = head::value(patterns);
        format!("without effect: keep_login {patterns}, because no login here matches")
    }))
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

/// Who is logged in, and who would be logged out while active.
fn users(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let mut notes = Vec::new();
    if facts.found.logins > 0 {
        let logins = numbers.count(facts.found.logins);
        notes.push(format!(
            "logins: {logins}; what Odoo has moved to a new file counts once"
        ));
    }
    notes.extend(reads::due_but_active(facts, numbers));
    notes.extend(reads::bounced(facts, numbers));
    notes
}

/// The canary: names that look like those of an Odoo that is newer than this version.
fn unknown(shape: &Told, numbers: Numbers) -> String {
    let names = numbers.of(shape.count, shape.what);
    let is = if shape.count == 1 { "is" } else { "are" };
    let place = if shape.in_shards { " in shards" } else { "" };
    let read = match shape.samples {
        0 => String::new(),
        samples => format!(
            "; {} of {samples} looked into read as sessions",
            shape.sessions
        ),
    };
    let like = &shape.like;
    format!(
        "unknown: {names} like {like}{place} {is} unknown to this version, and not touched{read}"
    )
}

fn dormant(facts: &Facts) -> String {
    format!(
        "dormant: nothing was saved here for {}, longer than the shortest window ({})",
        words(facts.store.last_change.age(facts.started)),
        words(facts.shortest)
    )
}

/// The closing sentence; its middle says whose logins end.
fn sentence(facts: &Facts, numbers: Numbers) -> [String; 3] {
    let place = &facts.store.resolved;
    let found = &facts.found;
    let Some(end) = facts.end else {
        let dormant = dormant(facts);
        let start = format!(
            "left {place} alone, it is {dormant}; is it a copy, a backup, or did the clock jump? If not, use --force"
        );
        return [start, String::new(), String::new()];
    };
    let verb = match facts.mode {
        Mode::Audit | Mode::DryRun => "would delete",
        Mode::Reap => "deleted",
    };
    let gone = found.total.settled;
    let all = numbers.of(found.total.all.files, "file");
    let start = format!("{verb} {} of {all}", numbers.count(gone.files));
    let mut rest = format!(", {} on disk, in {place}", bytes(gone.disk_bytes));
    rest += &match end {
        End::Complete => String::new(),
        End::LimitReached => {
            let limit = numbers.count(facts.limit.unwrap_or_default());
            format!("; stopped at --limit {limit}: more may be due, so run it again")
        }
        End::Interrupted(_) => "; interrupted, the rest was not looked at".to_owned(),
    };
    if let (Some(most), kept @ 1..) = (facts.max_logouts, found.logouts.kept) {
        let (most, kept) = (numbers.count(most), numbers.of(kept, "due login"));
        rest += &format!("; --max-logouts {most} kept {kept}: look at them with audit --list");
    }
    if facts.store.dormant && facts.mode == Mode::Audit {
        rest += "; but the store is dormant, and a reap leaves it alone without --force";
    }
    if found.denied() > 0 {
        rest += &format!("; {} could not be read", numbers.count(found.denied()));
    }
    if found.failures() > 0 {
        rest += &format!("; {}", numbers.of(found.failures(), "failure"));
    }
    [start, logouts(facts, numbers), rest]
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
    let logins = numbers.of(logouts.logins, "login");
    let people = numbers.of(logouts.people, "person");
    format!(" ({logins} of {at_least}{people})")
}
