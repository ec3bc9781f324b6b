//! Lines of logins, as text or as elements of the JSON document.

use serde::Serialize;

use super::document::Document;
use super::rows::{DeviceSeen, Login, State};
use crate::redact::Shown;
use crate::report::{Format, Out};
use crate::session::Uid;
use crate::time::{Timestamp, short};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const SCHEMA: u32 = 1;

/// Where lines of logins go.
pub(crate) struct Table {
    pub out: Out,
    format: Format,
    now: Timestamp,
    lines: u64,
}

#[derive(Serialize)]
struct Element<'a> {
    database: Option<&'a Shown>,
    #[serde(flatten)]
    login: &'a Login,
}

impl Table {
    pub fn new(mut out: Out, format: Format, now: Timestamp) -> Table {
        if format == Format::Json {
            out.print(format_args!("{{\"schema\":{SCHEMA},\"logins\":["));
        }
        Table {
            out,
            format,
            now,
            lines: 0,
        }
    }

    /// Ends the lines.
    pub(super) fn end(&mut self) {
        match self.format {
            Format::Json => self.out.print(format_args!("\n]")),
            Format::Text if self.lines > 0 => self.out.line(""),
            Format::Text => {}
        }
        self.out.flush();
    }

    /// Tells the closing sentence, or the other fields of the JSON document.
    pub fn close(&mut self, said: &str, rest: &Document) {
        match self.format {
            Format::Text => self.out.line(said),
            Format::Json => {
                // Strings and numbers of our own making: serialising them into memory cannot fail.
                let rest = serde_json::to_string(rest).unwrap_or_default();
                let fields = rest.trim_start_matches('{');
                self.out.line(format_args!(",{fields}"));
            }
        }
        self.out.flush();
    }

    pub(super) fn line(&mut self, login: &Login, database: Option<&Shown>) {
        match self.format {
            Format::Text => self.text(login, database),
            Format::Json => {
                let element = Element { database, login };
                // As above.
                let element = serde_json::to_string(&element).unwrap_or_default();
                let comma = if self.lines == 0 { "" } else { "," };
                self.out.print(format_args!("{comma}\n{element}"));
            }
        }
        self.lines += 1;
    }

    fn text(&mut self, login: &Login, database: Option<&Shown>) {
        if self.lines == 0 {
            let head = ["Sid", "Since", "Used", "Due in", "Uid", "Database"];
            let head = self.out.bold(&columns(head, "Login"));
            self.out.line(head);
        }
        let uid = match login.uid {
            Some(Uid::Number(uid)) => uid.to_string(),
            Some(Uid::Other) => "other".to_owned(),
            None => String::new(),
        };
        let due = match login.due.map(Timestamp::from_secs) {
            None => "never".to_owned(),
            Some(due) if due <= self.now => "now".to_owned(),
            Some(due) => short(self.now.age(due)),
        };
        let cells: [&str; 6] = [
            &format!("{}…", login.sid.shown()),
            &self.ago(login.since),
            &self.ago(Some(login.last_use)),
            &due,
            &uid,
            database.map_or("-", |name| &**name),
        ];
        let name = login.login.as_ref().map_or("-", |login| &**login);
        let note = match login.state {
            State::Pending2fa => " (second factor missing)",
            State::Superseded => " (superseded)",
            State::LoggedIn if login.protected => " (protected)",
            State::LoggedIn => "",
        };
        let line = columns(cells, name);
        self.out.line(format_args!("{line}{note}"));
        for device in login.devices.iter().flatten() {
            self.device(device);
        }
    }

    fn device(&mut self, device: &DeviceSeen) {
        let (first, last) = (self.ago(device.first), self.ago(device.last));
        let address = device.address.as_deref().unwrap_or("-");
        let browser = device.browser.as_deref().unwrap_or("-");
        self.out.line(format_args!(
            "{:<9} {first:>7} {last:>5} {address}  {browser}",
            ""
        ));
    }

    fn ago(&self, secs: Option<i64>) -> String {
        let at = secs.map(Timestamp::from_secs);
        at.map_or("unknown".to_owned(), |at| short(at.age(self.now)))
    }
}

/// A line of the table. The login comes last: it can be as long as an e-mail address.
fn columns([sid, since, used, due, uid, database]: [&str; 6], login: &str) -> String {
    format!("{sid:<9} {since:>7} {used:>5} {due:>6} {uid:>6}  {database:<12} {login}")
}
