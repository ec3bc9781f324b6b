//! `--list`: a line, or an element of the JSON array, for each file that is due; and the log's events.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::entry::{DELETED, deletion};
use super::{Format, Out, json};
use crate::cli::ReportArgs;
use crate::log::{self, journal::Journal};
use crate::policy::Class;
use crate::reap::{Due, Observer, Outcome};
use crate::redact::Shown;
use crate::session::Uid;
use crate::store::name::Kind;
use crate::time::{Timestamp, short, words};

/// Tells of due files as they are settled.
pub struct Listing {
    out: Mutex<State>,
    format: Option<Format>,
    logins: bool,
}

struct State {
    out: Out,
    listed: u64,
}

#[derive(Serialize)]
struct Element<'a> {
    kind: &'static str,
    layout: Option<&'static str>,
    class: &'static str,
    cart: bool,
    pending_2fa: bool,
    superseded: bool,
    uid: Option<serde_json::Value>,
    login: Option<&'a Shown>,
    db: Option<&'a Shown>,
    sid_prefix: &'a Shown,
    last_save: Timestamp,
    age: u64,
    bytes: u64,
    reason: &'static str,
    window: u64,
    outcome: &'static str,
}

impl Listing {
    /// Lists to `out`, or only logs.
    pub fn new(mut out: Out, args: &ReportArgs) -> Listing {
        let format = args.list.then_some(args.format);
        if format == Some(Format::Json) {
            json::begin(&mut out);
            out.print(format_args!(",\"due\":["));
        }
        Listing {
            out: Mutex::new(State { out, listed: 0 }),
            format,
            logins: !args.no_logins,
        }
    }

    /// Ends the list and gives back where it was written.
    pub fn into_out(self) -> Out {
        let state = self.out.into_inner();
        let State { mut out, listed } = state.unwrap_or_else(PoisonError::into_inner);
        match self.format {
            Some(Format::Json) => out.print(format_args!("\n]")),
            Some(Format::Text) if listed > 0 => out.line(""),
            _ => {}
        }
        out
    }

    fn login<'a>(&self, due: &'a Due) -> Option<&'a Shown> {
        due.who.login.as_ref().filter(|_| self.logins)
    }

    /// Each login that ends is an event, so that the log can answer why somebody was logged out.
    fn log(&self, due: &Due) {
        if due.outcome != Outcome::Deleted || !due.class.is_login() {
            return;
        }
        let login = self.login(due).map(|login| &**login);
        if log::journal().is_none_or(Journal::is_beside) {
            tracing::info!(
                login,
                database = due.who.db.as_deref(),
                sid = &*due.sid_prefix,
                age = words(due.age),
                reason = due.reason.name(),
                window = words(due.window),
                "{DELETED}"
            );
        }
        if let Some(journal) = journal() {
            journal.tell(&deletion(due, login));
        }
    }

    fn list_text(&self, state: &mut State, due: &Due) {
        // The login comes last: it can be as long as an e-mail address.
        let line =
            |class: &str, age: &str, sid: &str, reason: &str, database: &str, login: &str| {
                format!("{class:<22} {age:>5} {sid:<9} {reason:<10} {database:<12} {login}")
            };
        let out = &mut state.out;
        if state.listed == 0 {
            let head = line("Class", "Age", "Sid", "Reason", "Database", "Login");
            out.line(out.bold(&head));
        }
        let outcome = match due.outcome {
            Outcome::Due | Outcome::Deleted | Outcome::WouldDelete => String::new(),
            Outcome::Failed(_, errno) => format!(", not deleted: {}", std::io::Error::from(errno)),
            other => format!(", not deleted: {}", other.name()),
        };
        let line = line(
            due.class.label(),
            &short(due.age),
            &format!("{}…", due.sid_prefix),
            due.reason.name(),
            due.who.db.as_deref().unwrap_or("-"),
            self.login(due).map_or("-", |login| &**login),
        );
        match due.class {
            Class::Authenticated => out.line(out.alarming(&line) + &outcome),
            _ => out.line(line + &outcome),
        }
    }

    fn list_json(&self, state: &mut State, due: &Due) {
        let (kind, layout) = match due.kind {
            Kind::Flat => ("session", Some("flat")),
            Kind::Sharded => ("session", Some("sharded")),
            Kind::Irregular => ("session", Some("irregular")),
            Kind::UnfinishedSave => ("unfinished-save", None),
            Kind::UploadStash => ("upload-stash", None),
            Kind::Foreign => ("foreign", None),
        };
        let element = Element {
            kind,
            layout,
            class: due.class.base(),
            cart: due.who.cart,
            pending_2fa: due.who.pending_2fa,
            superseded: due.class == Class::Superseded,
            uid: due.who.uid.map(|uid| match uid {
                Uid::Number(number) => number.into(),
                Uid::Other => "other".into(),
            }),
            login: self.login(due),
            db: due.who.db.as_ref(),
            sid_prefix: &due.sid_prefix,
            last_save: due.mtime,
            age: due.age.as_secs(),
            bytes: due.size,
            reason: due.reason.name(),
            window: due.window.as_secs(),
            outcome: due.outcome.name(),
        };
        // Strings and numbers of our own making: serialising them into memory cannot fail.
        let element = serde_json::to_string(&element).unwrap_or_default();
        let comma = if state.listed == 0 { "" } else { "," };
        state.out.print(format_args!("{comma}\n{element}"));
    }
}

impl Observer for Listing {
    fn wants(&self, class: Class) -> bool {
        self.format.is_some() || (class.is_login() && (informs() || journal().is_some()))
    }

    fn settled(&self, due: &Due) {
        self.log(due);
        let Some(format) = self.format else { return };
        let mut state = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match format {
            Format::Text => self.list_text(&mut state, due),
            Format::Json => self.list_json(&mut state, due),
        }
        state.listed += 1;
    }
}

fn informs() -> bool {
    tracing::enabled!(tracing::Level::INFO)
}

/// The journal, if it is to be told of logins that end.
fn journal() -> Option<&'static Journal> {
    log::journal().filter(|journal| journal.wants_deletions() || informs())
}
