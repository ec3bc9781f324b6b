//! Which store it is, and by what it was judged.

use std::time::Duration;

use crate::reap::{End, Mode};
use crate::report::facts::Facts;
use crate::report::numbers::bytes;
use crate::report::{Numbers, Out};
use crate::settings::{Effective, Source, Value};
use crate::store::Share;
use crate::time::words;

/// Columns before the values.
const INDENT: usize = 15;

/// Says where the store is, how it is laid out, and what is in force.
pub fn write(out: &mut Out, facts: &Facts) {
    let numbers = out.numbers();
    let width = out.width - INDENT;
    for (what, lines) in [
        ("Session store", place(facts)),
        ("Layout", layout(facts, numbers)),
        ("File system", file_system(facts, numbers)),
        ("Windows", windows(facts, width)),
        ("Policy", policy(&facts.policy, width)),
    ] {
        for (index, line) in lines.iter().enumerate() {
            let what = if index == 0 { what } else { "" };
            out.line(format_args!("{what:<INDENT$}{line}"));
        }
    }
}

fn place(facts: &Facts) -> Vec<String> {
    let store = &facts.store;
    let mut place = vec![store.path.to_string()];
    if store.path != store.resolved {
        place.push(format!("which is {}", store.resolved));
    }
    let who = match store.found {
        true => "no store was named; found by searching:",
        false => "from",
    };
    place.push(format!("{who} {}", store.from));
    place
}

fn layout(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let store = &facts.store;
    let mut layout = Vec::new();
    if facts.end.is_none() {
        return layout;
    }
    if store.sharded_files > 0 || store.shards > 0 {
        let files = numbers.of(store.sharded_files, "file");
        let shards = numbers.of(store.shards, "shard");
        layout.push(format!("sharded (Odoo 16 and newer), {files} in {shards}"));
    }
    if store.flat_files > 0 {
        let files = numbers.of(store.flat_files, "file");
        layout.push(format!("flat (Odoo 15 and older), {files}"));
    }
    if layout.is_empty() {
        layout.push("no sessions".to_owned());
    }
    layout
}

fn file_system(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let percent = |part: u64, of: u64| match part.saturating_mul(100) / of.max(1) {
        0 if part > 0 => "under 1 %".to_owned(),
        percent => format!("{percent} %"),
    };
    let free = |share: Share, number: &dyn Fn(u64) -> String, unit| {
        let (free, total) = (number(share.free), number(share.total));
        let percent = percent(share.free, share.total);
        format!("{free} of {total}{unit} free ({percent})")
    };
    let count = |number| numbers.count(number);
    let mut lines = Vec::new();
    if let Some(inodes) = facts.room.inodes {
        lines.push(free(inodes, &count, " inodes"));
        let (ours, used) = (
            facts.found.total.all.files,
            inodes.total.saturating_sub(inodes.free),
        );
        // A reap has changed both meanwhile.
        let knows = facts.mode != Mode::Reap && facts.end == Some(End::Complete);
        if knows && (1..=used).contains(&ours) {
            let (percent, ours) = (percent(ours, used), count(ours));
            let used = count(used);
            lines.push(format!(
                "{ours} of {used} inodes in use are these session files ({percent})"
            ));
        }
    }
    lines.extend(facts.room.bytes.map(|space| free(space, &bytes, "")));
    lines
}

fn windows(facts: &Facts, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (what, window) in facts.windows {
        let Some(window) = window else { continue };
        let part = format!("{what} {}", in_words(window));
        match lines.last_mut() {
            Some(line) if line.len() + part.len() + 3 <= width => *line += &format!(", {part}"),
            Some(line) => {
                line.push(',');
                lines.push(part);
            }
            None => lines.push(part),
        }
    }
    lines
}

/// What somebody has changed of the policy, and where. The windows above tell the rest.
fn policy(policy: &[Effective], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for setting in policy.iter().filter(|it| it.source != Source::Default) {
        let database = setting.database.as_ref();
        let whose = database.map_or(String::new(), |database| format!("{database}: "));
        let what = format!("{whose}{} {}", setting.option, value(&setting.value));
        let source = match &setting.source {
            Source::File {
                file,
                section,
                line,
            } => format!("({file} [{section}] line {line})"),
            other => format!("({})", other.who().replace('-', " ")),
        };
        if what.chars().count() + source.chars().count() < width {
            lines.push(format!("{what} {source}"));
        } else {
            lines.extend([what, format!("  {source}")]);
        }
    }
    if lines.is_empty() {
        lines.push("all defaults".to_owned());
    }
    lines
}

/// A value of the policy in words.
pub fn value(value: &Value) -> String {
    match value {
        Value::Duration(duration) => words(*duration),
        Value::Logins(logins) if logins.is_empty() => "none".to_owned(),
        Value::Logins(logins) => {
            let logins: Vec<&str> = logins.iter().map(|login| &**login).collect();
            logins.join(", ")
        }
        Value::Hidden(0) => "none".to_owned(),
        Value::Hidden(count) => format!("({count} left out)"),
        Value::Switch(on) => (if *on { "yes" } else { "no" }).to_owned(),
        Value::Word(word) => (*word).to_owned(),
        Value::Never => "never".to_owned(),
    }
}

fn in_words(seconds: u64) -> String {
    words(Duration::from_secs(seconds))
}
