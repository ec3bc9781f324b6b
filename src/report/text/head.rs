//! Which store it is, and by what it was judged.

use std::time::Duration;

use crate::redact::Shown;
use crate::report::facts::{Facts, FileSystem, Setting, SettingValue, Windows};
use crate::report::numbers::bytes;
use crate::report::{Numbers, Out};
use crate::time::words;

/// Where the values of the head begin.
const INDENT: &str = "               ";

/// Says where the store is, how it is laid out, and what is in force.
pub fn write(out: &mut Out, facts: &Facts) {
    let numbers = out.numbers();
    let room = out.width - INDENT.len();
    let store = &facts.store;
    let found = if store.found {
        "found by searching: "
    } else {
        "from "
    };
    let mut place = vec![store.path.to_string()];
    if store.path != store.resolved {
        place.push(format!("which is {}", store.resolved));
    }
    place.push(format!("{found}{}", store.from));
    let mut parts = vec![("Session store", place)];
    if facts.end.is_some() {
        parts.push(("Layout", layout(facts, numbers)));
    }
    parts.push(("File system", file_system(&facts.file_system, numbers)));
    parts.push(("Windows", windows(&facts.windows, room)));
    parts.push(("Policy", policy(&facts.policy, room)));
    for (what, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let lines = lines.join(&format!("\n{INDENT}"));
        out.line(format_args!("{what:<width$}{lines}", width = INDENT.len()));
    }
}

fn file_system(room: &FileSystem, numbers: Numbers) -> Vec<String> {
    let free = |free: Option<u64>, all: Option<u64>, number: &dyn Fn(u64) -> String, unit| {
        let (free, all) = (free?, all?);
        let percent = free.saturating_mul(100) / all.max(1);
        let (free, all) = (number(free), number(all));
        Some(format!("{free} of {all}{unit} free ({percent} %)"))
    };
    let count = |number| numbers.count(number);
    let inodes = free(room.inodes_free, room.inodes, &count, " inodes");
    let space = free(room.bytes_free, room.bytes, &bytes, "");
    inodes.into_iter().chain(space).collect()
}

fn layout(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let store = &facts.store;
    let mut layout = Vec::new();
    if store.sharded_files > 0 || store.shards > 0 {
        layout.push(format!(
            "sharded (Odoo 16 and newer), {} in {}",
            numbers.of(store.sharded_files, "file"),
            numbers.of(store.shards, "shard")
        ));
    }
    if store.flat_files > 0 {
        layout.push(format!(
            "flat (Odoo 15 and older), {}",
            numbers.of(store.flat_files, "file")
        ));
    }
    if layout.is_empty() {
        layout.push("no sessions".to_owned());
    }
    layout
}

fn windows(windows: &Windows, room: usize) -> Vec<String> {
    let parts = [
        ("authenticated", Some(windows.authenticated)),
        ("anonymous", Some(windows.anonymous)),
        ("cart", Some(windows.cart)),
        ("leftover", Some(windows.leftover)),
        ("unreadable", windows.unreadable),
    ];
    let mut lines = vec![String::new()];
    for (what, window) in parts {
        let Some(window) = window else { continue };
        let part = format!("{what} {}", in_words(window));
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            lines[last] = part;
        } else if lines[last].len() + part.len() + 3 > room {
            lines[last].push(',');
            lines.push(part);
        } else {
            lines[last].push_str(&format!(", {part}"));
        }
    }
    lines
}

/// What somebody has changed of the policy, and where. The windows above tell the rest.
fn policy(policy: &[Setting], room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for setting in policy.iter().filter(|setting| setting.source != "default") {
        let database = setting.database.as_ref();
        let whose = database.map_or(String::new(), |database| format!("{database}: "));
        let what = format!("{whose}{} {}", setting.option, value(&setting.value));
        let source = match (&setting.file, &setting.section, setting.line) {
            (Some(file), Some(section), Some(line)) => format!("({file} [{section}] line {line})"),
            _ => format!("({})", setting.source.replace('-', " ")),
        };
        if what.chars().count() + source.chars().count() < room {
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
pub fn value(value: &SettingValue) -> String {
    match value {
        SettingValue::Seconds(seconds) => in_words(*seconds),
        SettingValue::Logins(logins) if logins.is_empty() => "none".to_owned(),
        SettingValue::Logins(logins) => {
            let logins: Vec<&str> = logins.iter().map(|login: &Shown| &**login).collect();
            logins.join(", ")
        }
        SettingValue::Hidden(0) => "none".to_owned(),
        SettingValue::Hidden(count) => format!("({count} left out)"),
        SettingValue::Switch(on) => (if *on { "yes" } else { "no" }).to_owned(),
        SettingValue::Word(word) => (*word).to_owned(),
        SettingValue::Never => "never".to_owned(),
    }
}

/// Seconds in words.
pub fn in_words(seconds: u64) -> String {
    words(Duration::from_secs(seconds))
}
