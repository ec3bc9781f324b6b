//! The lines of `who`: one for each login, however many files it has.

use std::collections::{HashMap, HashSet};

use serde::{Serialize, Serializer};

use super::Key;
use super::tell::Table;
use crate::redact::{self, Shown, shown};
use crate::session::{Device, Devices, Text, Uid};
use crate::tally::people::{People, Person};
use crate::time::Timestamp;

/// How many lines are held to be sorted, those of devices counted as well.
const SORTED: usize = 50_000;

/// How many devices of a login are told, those that were active last: Odoo 20 removes none.
const DEVICES: usize = 8;

/// What a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Odoo refuses it.
    Superseded,
    /// The password was given, the second factor is missing.
    #[serde(rename = "pending-2fa")]
    Pending2fa,
    LoggedIn,
}

/// One login, as the JSON document has it. It is held for each that is selected, so it is small.
#[derive(Debug, Serialize)]
pub(crate) struct Login {
    /// Where it stands among the databases.
    #[serde(skip)]
    pub database: u32,
    pub login: Option<Shown>,
    pub uid: Option<Uid>,
    pub state: State,
    /// When this browser was first used since a logout, in epoch seconds.
    #[serde(serialize_with = "time")]
    pub since: Option<i64>,
    /// In epoch seconds, as the next.
    #[serde(serialize_with = "time")]
    pub last_use: i64,
    /// `None` is never.
    #[serde(serialize_with = "time")]
    pub due: Option<i64>,
    pub protected: bool,
    #[serde(rename = "sid_prefix")]
    pub sid: Beginning,
    pub files: u32,
    /// `None` where nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<Box<[DeviceSeen]>>,
}

fn time<S: Serializer>(secs: &(impl Copy + Into<Option<i64>>), to: S) -> Result<S::Ok, S::Error> {
    let secs: Option<i64> = (*secs).into();
    secs.map(Timestamp::from_secs).serialize(to)
}

/// What may be shown of a session id, in place: each allocation would take as much again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Beginning([u8; 12]);

impl Beginning {
    pub fn of(sid: &[u8]) -> Beginning {
        let shown = redact::prefix(sid);
        let mut beginning = Beginning::default();
        let Beginning(bytes) = &mut beginning;
        // What had to be escaped may be longer.
        let fits = shown.len().min(bytes.len());
        bytes[..fits].copy_from_slice(&shown.as_bytes()[..fits]);
        beginning
    }

    pub fn shown(self) -> Shown {
        let end = self.0.iter().position(|byte| *byte == 0);
        redact::printable(&self.0[..end.unwrap_or(self.0.len())])
    }
}

impl Serialize for Beginning {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(to)
    }
}

/// A browser at an address.
#[derive(Debug, Serialize)]
pub(crate) struct DeviceSeen {
    pub address: Option<Shown>,
    pub browser: Option<Shown>,
    #[serde(rename = "first_activity", serialize_with = "time")]
    pub first: Option<i64>,
    #[serde(rename = "last_activity", serialize_with = "time")]
    pub last: Option<i64>,
}

impl DeviceSeen {
    fn of(device: &Device<'_>) -> DeviceSeen {
        let text = |text: &Text<'_>| redact::printable(text.as_bytes());
        let browser = device.browser().map(|(browser, platform)| match platform {
            Some(platform) => shown!("{}/{}", text(&browser), text(&platform)),
            None => text(&browser),
        });
        DeviceSeen {
            address: device.address().as_ref().map(text),
            browser,
            first: device.first_activity().map(|time| time as i64),
            last: device.last_activity().map(|time| time as i64),
        }
    }
}

/// The devices of a session that were active last.
pub(super) fn devices(devices: Devices<'_>) -> Box<[DeviceSeen]> {
    let mut seen = Vec::new();
    devices.each(|device| {
        seen.push(DeviceSeen::of(&device));
        // Whatever a stranger's file holds, a few are kept at a time.
        if seen.len() > 2 * DEVICES {
            keep_the_last(&mut seen);
        }
    });
    keep_the_last(&mut seen);
    seen.into()
}

fn keep_the_last(seen: &mut Vec<DeviceSeen>) {
    seen.sort_by_key(|device| std::cmp::Reverse(device.last.max(device.first)));
    seen.truncate(DEVICES);
}

impl Login {
    /// Another file of the same login. What is told is what holds as long as any of them is there.
    fn merge(&mut self, mut other: Login) {
        if (other.state, other.last_use) > (self.state, self.last_use) {
            std::mem::swap(self, &mut other);
        }
        self.files = self.files.saturating_add(other.files);
        self.since = [self.since, other.since].into_iter().flatten().min();
        self.last_use = self.last_use.max(other.last_use);
        self.due = self.due.zip(other.due).map(|(one, two)| one.max(two));
        self.protected |= other.protected;
    }
}

/// What there is, in numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub logins: u64,
    pub pending_2fa: u64,
    pub superseded: u64,
    pub people: People,
    pub databases: Vec<Shown>,
    /// There were too many to be sorted.
    pub unsorted: bool,
}

impl Counts {
    /// All sessions: whoever is logged in, could be in a moment, or was until Odoo refused it.
    pub fn sessions(&self) -> u64 {
        self.logins + self.pending_2fa + self.superseded
    }

    /// The databases by their names; a session may have none.
    pub fn databases(&self) -> impl Iterator<Item = &Shown> {
        self.databases.iter().filter(|name| !name.is_empty())
    }

    fn count(&mut self, state: State) {
        *match state {
            State::LoggedIn => &mut self.logins,
            State::Pending2fa => &mut self.pending_2fa,
            State::Superseded => &mut self.superseded,
        } += 1;
    }
}

/// Logins as they are met. Beyond [`SORTED`] they are told at once, and only their keys are held.
pub(super) struct Rows {
    table: Table,
    held: Vec<Login>,
    /// Where those that are held stand, and [`TOLD`] for the others.
    places: HashMap<Key, u32>,
    lines: usize,
    counts: Counts,
}

/// The place of what is held no more.
const TOLD: u32 = u32::MAX;

impl Rows {
    pub fn new(table: Table) -> Rows {
        Rows {
            table,
            held: Vec::new(),
            places: HashMap::new(),
            lines: 0,
            counts: Counts::default(),
        }
    }

    /// The number that stands for this database.
    fn database(&mut self, name: &[u8]) -> u32 {
        let name = redact::printable(name);
        let names = &mut self.counts.databases;
        let known = names.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        }) as u32
    }

    pub fn add(&mut self, key: Key, mut login: Login, database: &[u8]) {
        login.database = self.database(database);
        let person = login.uid.map(|uid| Person::of(Some(database), uid));
        self.counts.people.extend(person);
        if let Some(place) = self.places.get(&key) {
            if let Some(known) = self.held.get_mut(*place as usize) {
                known.merge(login);
            }
            return;
        }
        if !self.counts.unsorted && self.lines >= SORTED {
            self.counts.unsorted = true;
            self.tell_held();
            self.places.values_mut().for_each(|place| *place = TOLD);
        }
        if self.counts.unsorted {
            self.places.insert(key, TOLD);
            self.tell(&login);
        } else {
            self.lines += 1 + login.devices.as_ref().map_or(0, |devices| devices.len());
            self.places.insert(key, self.held.len() as u32);
            if self.held.len() == self.held.capacity() {
                // Not twice as much at a time, of which half would lie empty.
                self.held.reserve_exact(self.held.len() / 8 + 64);
            }
            self.held.push(login);
        }
    }

    /// Tells what is held, and counts all.
    pub fn finish(mut self) -> (Table, Counts, HashSet<Key>) {
        self.tell_held();
        self.table.end();
        (self.table, self.counts, self.places.into_keys().collect())
    }

    fn tell_held(&mut self) {
        let names = &self.counts.databases;
        let mut held = std::mem::take(&mut self.held);
        // A stable sort would take half as much again.
        held.sort_unstable_by(|one, two| {
            let name = |login: &Login| names.get(login.database as usize);
            let by_name = name(one)
                .cmp(&name(two))
                .then_with(|| one.login.cmp(&two.login));
            let by_use = by_name.then(two.last_use.cmp(&one.last_use));
            by_use.then(one.sid.cmp(&two.sid))
        });
        held.iter().for_each(|login| self.tell(login));
    }

    fn tell(&mut self, login: &Login) {
        self.counts.count(login.state);
        let database = self.counts.databases.get(login.database as usize);
        self.table
            .line(login, database.filter(|name| !name.is_empty()));
    }
}
