//! What is said after the lines: a sentence, or the rest of the JSON document.

use serde::Serialize;

use super::out::Sum;
use super::rows::Counts;
use super::watch::Ended;
use crate::redact::Shown;
use crate::report::Numbers;
use crate::time::Timestamp;

/// The fields of the JSON document but for the lines.
#[derive(Serialize)]
pub(crate) struct Document {
    pub version: &'static str,
    pub command: &'static str,
    pub started: Timestamp,
    pub store: Shown,
    pub total: Total,
    /// Of `who` without a selector, on a mount that notes reads.
    pub visitors: Option<Visitors>,
    pub missing: Vec<Shown>,
    #[serde(flatten)]
    pub revoked: Option<Revoked>,
    /// Files that this user may not read.
    pub denied: u64,
    pub failures: u64,
    pub exit_code: u8,
}

#[derive(Serialize)]
pub(crate) struct Total {
    logins: u64,
    pending_2fa: u64,
    superseded: u64,
    people: u64,
    at_least: bool,
    databases: u64,
    sorted: bool,
}

#[derive(Clone, Copy, Serialize)]
pub(crate) struct Visitors {
    pub sessions: u64,
    pub never_came_back: u64,
}

/// What `revoke` did.
#[derive(Serialize)]
pub(crate) struct Revoked {
    pub dry_run: bool,
    /// The end of the second walk: who logs in after it stays.
    pub moment: Option<Timestamp>,
    pub deleted: Sum,
    pub watch: &'static str,
    pub watch_seconds: u64,
}

impl From<&Counts> for Total {
    fn from(counts: &Counts) -> Total {
        Total {
            logins: counts.logins,
            pending_2fa: counts.pending_2fa,
            superseded: counts.superseded,
            people: counts.people.count(),
            at_least: counts.people.are_more(),
            databases: counts.databases().count() as u64,
            sorted: !counts.unsorted,
        }
    }
}

/// `12 sessions of 1 person in shop`.
fn sessions(counts: &Counts, of: &str, number: u64, numbers: Numbers) -> String {
    let at_least = match counts.people.are_more() {
        true => "at least ",
        false => "",
    };
    let mut databases = counts.databases();
    let place = match (databases.next(), databases.count() as u64) {
        (None, _) => String::new(),
        (Some(name), 0) => format!(" in {name}"),
        (Some(_), others) => format!(" in {}", numbers.of(1 + others, "database")),
    };
    format!(
        "{} of {at_least}{}{place}",
        numbers.of(number, of),
        numbers.of(counts.people.count(), "person")
    )
}

/// The closing sentence of `who`.
pub(crate) fn who(counts: &Counts, visitors: Option<Visitors>, numbers: Numbers) -> String {
    let mut said = sessions(counts, "login", counts.logins, numbers);
    if counts.pending_2fa > 0 {
        let pending = numbers.of(counts.pending_2fa, "login");
        said += &format!(", and {pending} without the second factor");
    }
    if let Some(visitors) = visitors {
        let left = numbers.count(visitors.never_came_back);
        let all = numbers.of(visitors.sessions, "visitor");
        said += &format!("; {left} of {all} never came back");
    }
    if counts.unsorted {
        said += "; not sorted, there are too many";
    }
    said
}

/// What `revoke` asks.
pub(crate) fn question(counts: &Counts, visitors: u64, numbers: Numbers) -> String {
    let logins = sessions(counts, "session", counts.sessions(), numbers);
    let more = match visitors {
        0 => String::new(),
        _ => format!(", and delete {}", of_visitors(visitors, numbers)),
    };
    format!("Log out {logins}{more}?")
}

/// How much of it a `revoke` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// It only showed whom.
    Nothing,
    /// Somebody who is meant was not seen, or could not be logged out.
    Part,
    All,
}

/// The closing sentence of `revoke`.
pub(crate) fn revoked(
    counts: &Counts,
    number: u64,
    sum: Sum,
    (did, ended): (Did, Option<Ended>),
    numbers: Numbers,
) -> String {
    if number == 0 && sum.visitors == 0 {
        return "nobody is there to be logged out".to_owned();
    }
    let all = sessions(counts, "session", number, numbers);
    let mut said = match did {
        Did::Nothing => format!("would log out {all}"),
        Did::Part => format!("not all of {all} were logged out"),
        Did::All => format!("logged out {all}"),
    };
    if sum.visitors > 0 {
        said += &format!(", {}", of_visitors(sum.visitors, numbers));
    }
    if did == Did::Nothing {
        return said;
    }
    said += &format!(": {} deleted", numbers.of(sum.files + sum.visitors, "file"));
    if sum.came_back > 0 {
        said += &format!(", of which {} had come back", numbers.count(sum.came_back));
    }
    said += match ended {
        None => "",
        Some(Ended::Off) => "; nobody watched what comes back",
        Some(Ended::Quiet) => "; nothing comes back any more",
        Some(Ended::Never) => "; something still comes back, again and again",
        Some(Ended::Interrupted(_)) => "; the watch was ended early",
    };
    said
}

fn of_visitors(number: u64, numbers: Numbers) -> String {
    numbers
        .of(number, "visitor's session")
        .replace("visitor's sessions", "visitors' sessions")
}
