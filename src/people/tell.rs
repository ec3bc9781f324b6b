//! Lines of logins, as text or as elements of the JSON document.

use serde::Serialize;

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
    devices: bool,
    lines: u64,
}

#[derive(Serialize)]
struct Element<'a> {
    database: Option<&'a Shown>,
    login: Option<&'a Shown>,
    uid: Option<serde_json::Value>,
    state: &'static str,
    since: Option<Timestamp>,
    last_use: Timestamp,
    due: Option<Timestamp>,
    protected: bool,
    sid_prefix: Shown,
    files: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<Vec<Device<'a>>>,
}

#[derive(Serialize)]
struct Device<'a> {
    address: Option<&'a Shown>,
    browser: Option<&'a Shown>,
    first_activity: Option<Timestamp>,
    last_activity: Option<Timestamp>,
}

impl Table {
    /// Writes to `out`, with `devices` also those.
    pub fn new(out: Out, format: Format, now: Timestamp, devices: bool) -> Table {
        let mut table = Table {
            out,
            format,
            now,
            devices,
            lines: 0,
        };
        if format == Format::Json {
            table
                .out
                .print(format_args!("{{\"schema\":{SCHEMA},\"logins\":["));
        }
        table
    }

    /// Ends the lines.
    pub fn end(&mut self) {
        match self.format {
            Format::Json => self.out.print(format_args!("\n]")),
            Format::Text if self.lines > 0 => self.out.line(format_args!("")),
            Format::Text => {}
        }
        self.out.flush();
    }

    /// Ends the JSON document with the fields of `rest`.
    pub fn close(&mut self, rest: &impl Serialize) {
        // Strings and numbers of our own making: serialising them into memory cannot fail.
        let rest = serde_json::to_string(rest).unwrap_or_default();
        self.out
            .line(format_args!(",{}", rest.trim_start_matches('{')));
        self.out.flush();
    }

    pub(super) fn line(&mut self, login: &Login, database: Option<&Shown>) {
        match self.format {
            Format::Text => self.text(login, database),
            Format::Json => self.json(login, database),
        }
        self.lines += 1;
    }

    fn text(&mut self, login: &Login, database: Option<&Shown>) {
        // The login comes last: it can be as long as an e-mail address.
        let line = |columns: [&str; 6], last: &str| {
            let [sid, since, used, due, uid, database] = columns;
            format!("{sid:<9} {since:>7} {used:>5} {due:>6} {uid:>6}  {database:<12} {last}")
        };
        if self.lines == 0 {
            let head = line(
                ["Sid", "Since", "Used", "Due in", "Uid", "Database"],
                "Login",
            );
            let head = self.out.bold(&head);
            self.out.line(format_args!("{head}"));
        }
        let ago = |at: Timestamp| short(at.age(self.now));
        let since = login.since.map(Timestamp::from_secs);
        let due = match login.due.map(Timestamp::from_secs) {
            None => "never".to_owned(),
            Some(due) if due <= self.now => "now".to_owned(),
            Some(due) => short(self.now.age(due)),
        };
        let uid = match login.uid {
            Some(Uid::Number(uid)) => uid.to_string(),
            Some(Uid::Other) => "other".to_owned(),
            None => String::new(),
        };
        let line = line(
            [
                &format!("{}…", login.sid.shown()),
                &since.map_or("unknown".to_owned(), ago),
                &ago(Timestamp::from_secs(login.last_use)),
                &due,
                &uid,
                database
                    .filter(|name| !name.is_empty())
                    .map_or("-", |name| &**name),
            ],
            login.login.as_ref().map_or("-", |login| &**login),
        );
        self.out.line(format_args!("{line}{}", note(login)));
        for device in &login.devices {
            self.device(device);
        }
    }

    fn device(&mut self, device: &DeviceSeen) {
        let ago = |at: Option<i64>| {
            let at = at.map(Timestamp::from_secs);
            at.map_or("unknown".to_owned(), |at| short(at.age(self.now)))
        };
        let line = format!(
            "{:<9} {:>7} {:>5} {}  {}",
            "",
            ago(device.first),
            ago(device.last),
            device.address.as_deref().unwrap_or("-"),
            device.browser.as_deref().unwrap_or("-"),
        );
        self.out.line(format_args!("{line}"));
    }

    fn json(&mut self, login: &Login, database: Option<&Shown>) {
        let element = Element {
            database: database.filter(|name| !name.is_empty()),
            login: login.login.as_ref(),
            uid: login.uid.map(|uid| match uid {
                Uid::Number(number) => number.into(),
                Uid::Other => "other".into(),
            }),
            state: login.state.name(),
            since: login.since.map(Timestamp::from_secs),
            last_use: Timestamp::from_secs(login.last_use),
            due: login.due.map(Timestamp::from_secs),
            protected: login.protected,
            sid_prefix: login.sid.shown(),
            files: login.files,
            devices: self.devices.then(|| {
                let devices = login.devices.iter();
                devices
                    .map(|device| Device {
                        address: device.address.as_ref(),
                        browser: device.browser.as_ref(),
                        first_activity: device.first.map(Timestamp::from_secs),
                        last_activity: device.last.map(Timestamp::from_secs),
                    })
                    .collect()
            }),
        };
        // Strings and numbers of our own making: serialising them into memory cannot fail.
        let element = serde_json::to_string(&element).unwrap_or_default();
        let comma = if self.lines == 0 { "" } else { "," };
        self.out.print(format_args!("{comma}\n{element}"));
    }
}

fn note(login: &Login) -> &'static str {
    match login.state {
        State::Pending2fa => " (second factor missing)",
        State::Superseded => " (superseded)",
        State::LoggedIn if login.protected => " (protected)",
        State::LoggedIn => "",
    }
}
