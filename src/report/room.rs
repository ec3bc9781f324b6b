//! What to do where the file system has hardly any room: the command that makes some. It deletes what is due, and where
//! that is not enough, visitors' sessions by a shorter window. Users are left alone.

use std::time::Duration;

use super::Finished;
use super::numbers::{Numbers, bytes};
use crate::policy::Class;
use crate::reap::{End, Mode};
use crate::redact;
use crate::settings::{Effective, Source, Value};
use crate::store::{Room, Share};
use crate::tally::{AGE_BOUNDS, AGE_BUCKETS, Pile, Row};

/// It is told in the log, as a command to be copied.
const NUMBERS: Numbers = Numbers::Plain;

/// Below this much free, in percent, the file system is short of room.
const SHORT: u64 = 5;

/// Sessions that take less than this much of the file system, in percent, are not what fills it.
const WORTH_IT: u64 = 1;

type Window = (Duration, &'static str);

/// What there is to say of a run after which the file system is short of room, if deleting sessions could help.
pub(super) fn advice(finished: &Finished<'_>) -> Option<String> {
    let short = shortage(&finished.room)?;
    if finished.plan.mode != Mode::Audit {
        return is_not_enough(finished).then(|| {
            let audit = command(finished, "audit", None)
                .unwrap_or("an audit with your --keep-login".to_owned());
            format!("{short}; which shorter window would make room tells {audit}")
        });
    }
    let (window, files) = what_makes_room(finished)?;
    // A command would need --force, which logs everybody out whose window has passed meanwhile.
    if finished.dormant {
        return Some(format!("{short}; the store is dormant: look first"));
    }
    let set = window.map(|(window, label)| {
        let policy = &finished.plan.policy;
        let unchanged = finished.store.stat.mtime.age(policy.now);
        let force = needs_force(unchanged, policy.shortest(), window);
        ("anonymous_window", label, force)
    });
    let reap = command(finished, "reap", set).unwrap_or_else(|| {
        let how = window.map(|(_, label)| format!("--anonymous-window {label}"));
        how.unwrap_or("a reap".to_owned()) + " with your --keep-login"
    });
    let files = NUMBERS.of(files, "file");
    // Databases may have a window of their own for visitors.
    Some(format!("{short}; {reap} would delete up to {files}"))
}

/// Whether a run leaves too little room, and sessions that take much of it.
fn is_not_enough(finished: &Finished<'_>) -> bool {
    let total = finished.tally.total();
    let gone = total.settled;
    // What a reap has deleted is room already.
    let to_go = match finished.plan.mode {
        Mode::Reap => Pile::default(),
        Mode::Audit | Mode::DryRun => gone,
    };
    let left = Pile {
        files: total.all.files.saturating_sub(gone.files),
        disk_bytes: total.all.disk_bytes.saturating_sub(gone.disk_bytes),
        ..Pile::default()
    };
    let worth_it = match finished.end {
        Some(End::Complete) => is_worth_it(&finished.room, left),
        Some(End::LimitReached | End::Interrupted(_)) => false,
        // Of a dormant store nobody has counted anything.
        None => true,
    };
    worth_it && missing(&finished.room, to_go).is_some()
}

/// How many files a reap would delete, with which shorter window for visitors if what is due is not enough.
fn what_makes_room(finished: &Finished<'_>) -> Option<(Option<Window>, u64)> {
    let (room, tally) = (&finished.room, finished.tally);
    let due = tally.total().settled;
    let mut visitors = *tally.row(Class::Anonymous);
    visitors.merge(tally.row(Class::Pending2fa));
    let window = finished.plan.policy.general().windows.anonymous;
    match missing(room, due).and_then(|missing| shorter(&visitors, window, missing, room)) {
        Some((window, more)) => Some((Some(window), due.files + more)),
        None => is_worth_it(room, due).then_some((None, due.files)),
    }
}

fn is_short(share: &Share) -> bool {
    share.free < of(share.total, SHORT)
}

fn of(total: u64, percent: u64) -> u64 {
    total.saturating_mul(percent).div_ceil(100)
}

/// Files and disk space that are still missing once these have gone, or `None` if nothing is.
fn missing(room: &Room, to_go: Pile) -> Option<Pile> {
    let lacking = |share: Option<Share>, gone: u64| {
        let short = share.filter(is_short);
        short.map_or(0, |share| {
            of(share.total, SHORT).saturating_sub(share.free.saturating_add(gone))
        })
    };
    let missing = Pile {
        files: lacking(room.inodes, to_go.files),
        disk_bytes: lacking(room.bytes, to_go.disk_bytes),
        ..Pile::default()
    };
    (missing != Pile::default()).then_some(missing)
}

/// Whether these are much of what the file system can hold.
fn is_worth_it(room: &Room, files: Pile) -> bool {
    let much = |share: Option<Share>, taken| {
        share.is_some_and(|share| is_short(&share) && taken >= of(share.total, WORTH_IT))
    };
    much(room.inodes, files.files) || much(room.bytes, files.disk_bytes)
}

/// The longest window that makes enough room, and how many files go by it in addition to those that are due already; or,
/// if none does, the longest that makes as much as any.
fn shorter(visitors: &Row, window: Duration, missing: Pile, room: &Room) -> Option<(Window, u64)> {
    let pile = |files: u64| Pile {
        files,
        disk_bytes: files.saturating_mul(visitors.all.disk_bytes / visitors.all.files.max(1)),
        ..Pile::default()
    };
    let mut best: Option<(Window, u64)> = None;
    let bounds = AGE_BOUNDS.into_iter().enumerate().rev();
    for (index, bound) in bounds.filter(|(_, (bound, _))| *bound < window) {
        let older: u64 = visitors.ages[index + 1..AGE_BUCKETS].iter().sum();
        let files = older.saturating_sub(visitors.due.files);
        if best.map_or(0, |(_, files)| files) < files {
            best = Some((bound, files));
        }
        if files >= missing.files && pile(files).disk_bytes >= missing.disk_bytes {
            break;
        }
    }
    best.filter(|(_, files)| is_worth_it(room, pile(*files)))
}

/// What is short, if anything is.
fn shortage(room: &Room) -> Option<String> {
    let inodes = room.inodes.filter(is_short).map(|share| {
        let (free, total) = (NUMBERS.count(share.free), NUMBERS.count(share.total));
        format!("{free} of {total} inodes")
    });
    let space = room.bytes.filter(is_short);
    let space = space.map(|share| format!("{} of {}", bytes(share.free), bytes(share.total)));
    let short: Vec<_> = inodes.into_iter().chain(space).collect();
    let short = (!short.is_empty()).then(|| short.join(" and "))?;
    Some(format!("only {short} free on this file system"))
}

/// What a command must repeat: it was not said in `odoo.conf`.
fn said<'a>(finished: &Finished<'a>) -> impl Iterator<Item = &'a Effective> {
    let here = |value: &&Effective| {
        matches!(value.source, Source::CommandLine | Source::Environment)
            && value.database.is_none()
    };
    finished.settings.rules.effective.iter().filter(here)
}

/// The logins that a command must repeat; `None` if one may not be shown, as without it the command would log it out.
fn logins(finished: &Finished<'_>) -> Option<Vec<String>> {
    let are_said = said(finished).any(|value| value.option == "keep_login");
    let logins = finished.plan.policy.general().keep_logins.iter();
    let logins = logins.filter(|_| are_said);
    let logins: Vec<String> = logins.map(|login| login.as_str().to_owned()).collect();
    may_be_copied(&logins, !finished.settings.report.no_logins).then_some(logins)
}

/// Whether these patterns would be the same once they were read in a log and typed.
fn may_be_copied(logins: &[String], shown: bool) -> bool {
    let same = |login: &String| redact::argument(login) == login.as_str();
    logins.is_empty() || (shown && logins.iter().all(same))
}

/// An option with its value as a shell takes them; what begins with `-` would be another option.
fn option_words(name: &str, value: Option<&str>) -> String {
    let name = name.replace('_', "-");
    match value.map(|value| (value.starts_with('-'), redact::word(value))) {
        None => format!("--{name}"),
        Some((true, value)) => format!("--{name}={value}"),
        Some((false, value)) => format!("--{name} {value}"),
    }
}

/// Whether a store becomes dormant by a new window alone: where nothing can be saved any more, it soon looks so.
fn needs_force(unchanged: Duration, shortest: Duration, window: Duration) -> bool {
    unchanged > window && unchanged <= shortest
}

/// Says once more what was said; `logins` if it was that.
fn repeat(said: &Effective, logins: &[String], mut option: impl FnMut(&str, Option<&str>)) {
    let name = said.option;
    match &said.value {
        Value::Duration(duration) => {
            let text = humantime::format_duration(*duration).to_string();
            option(name, Some(&text.replace(' ', "")));
        }
        Value::Logins(_) => logins.iter().for_each(|login| option(name, Some(login))),
        Value::Switch(true) => option(name, None),
        Value::Word(word) => option(name, Some(word)),
        Value::Switch(false) | Value::Hidden(_) | Value::Never => {}
    }
}

/// The command line for the same store by the same rules, but with one option set, and perhaps with force. `None` if it
/// would have to show a login that may not be shown.
pub(super) fn command(
    finished: &Finished<'_>,
    verb: &str,
    set: Option<(&str, &str, bool)>,
) -> Option<String> {
    let settings = finished.settings;
    let logins = logins(finished)?;
    let mut words = vec!["odoo-session-reaper".to_owned(), verb.to_owned()];
    let mut option = |name: &str, value: Option<&str>| words.push(option_words(name, value));
    if let Some(file) = &settings.conf_file {
        option("config", Some(file.shown()));
    }
    let sessions = &settings.location.sessions;
    match sessions.parent() {
        Some(data_dir) if sessions.ends_with("sessions") && data_dir.is_absolute() => {
            option("data_dir", Some(&redact::path(data_dir)));
        }
        _ => option(
            "sessions_dir",
            Some(&redact::path(&finished.store.resolved)),
        ),
    }
    if settings.opening.accept_any_directory {
        option("accept_any_directory", None);
    }
    for said in said(finished) {
        if set.is_none_or(|(set, ..)| set != said.option) {
            repeat(said, &logins, &mut option);
        }
    }
    if let Some((name, value, force)) = set {
        option(name, Some(value));
        if force {
            option("force", None);
        }
    }
    Some(format!("`{}`", words.join(" ")))
}

#[cfg(test)]
mod tests;
