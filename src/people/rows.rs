//! The lines of `who`: one for each login, however many files it has.

use std::collections::{HashMap, HashSet};

use super::Key;
use super::tell::Table;
use crate::redact::{self, Shown};
use crate::session::{Device, Devices, Text, Uid};
use crate::tally::people::{People, Person};

/// How many lines are held to be sorted, those of devices counted as well.
const SORTED: usize = 50_000;

/// How many devices of a login are told, those that were active last: Odoo 20 removes none.
const DEVICES: usize = 8;

/// What a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Odoo refuses it.
    Superseded,
    /// The password was given, the second factor is missing.
    Pending2fa,
    LoggedIn,
}

impl State {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            State::LoggedIn => "logged-in",
            State::Pending2fa => "pending-2fa",
            State::Superseded => "superseded",
        }
    }
}

/// One login. It is held for each that is selected, so it is small.
#[derive(Debug)]
pub(crate) struct Login {
    pub state: State,
    pub protected: bool,
    /// Where it stands among the databases.
    pub database: u32,
    pub files: u32,
    pub uid: Option<Uid>,
    /// When this browser was first used since a logout, in epoch seconds.
    pub since: Option<i64>,
    /// In epoch seconds, as the next.
    pub last_use: i64,
    /// `None` is never.
    pub due: Option<i64>,
    pub login: Option<Shown>,
    pub sid: Beginning,
    pub devices: Box<[DeviceSeen]>,
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

/// A browser at an address.
#[derive(Debug)]
pub(crate) struct DeviceSeen {
    pub address: Option<Shown>,
    pub browser: Option<Shown>,
    pub first: Option<i64>,
    pub last: Option<i64>,
}

impl DeviceSeen {
    fn of(device: &Device<'_>) -> DeviceSeen {
        let shown = |text: &Text<'_>| redact::printable(text.as_bytes());
        let browser = device.browser().map(|(browser, platform)| {
            let platform = platform.map(|platform| ["/".into(), shown(&platform)]);
            [shown(&browser)]
                .into_iter()
                .chain(platform.into_iter().flatten())
                .collect()
        });
        DeviceSeen {
            address: device.address().as_ref().map(shown),
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
    fn merge(&mut self, other: Login) {
        self.files = self.files.saturating_add(other.files);
        self.since = match (self.since, other.since) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        self.due = self.due.zip(other.due).map(|(one, two)| one.max(two));
        self.protected |= other.protected;
        if (other.state, other.last_use) > (self.state, self.last_use) {
            let last_use = self.last_use.max(other.last_use);
            *self = Login {
                files: self.files,
                since: self.since,
                due: self.due,
                protected: self.protected,
                ..other
            };
            self.last_use = last_use;
        } else {
            self.last_use = self.last_use.max(other.last_use);
        }
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
#[derive(Default)]
pub(super) struct Rows {
    held: Vec<Login>,
    /// Where those that are held stand, and [`TOLD`] for the others.
    places: HashMap<Key, u32>,
    lines: usize,
    counts: Counts,
}

/// The place of what is held no more.
const TOLD: u32 = u32::MAX;

impl Rows {
    /// The number that stands for this database.
    pub fn database(&mut self, name: &[u8]) -> u32 {
        let name = redact::printable(name);
        let names = &mut self.counts.databases;
        let known = names.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        }) as u32
    }

    pub fn add(&mut self, key: Key, login: Login, person: Option<Person>, table: &mut Table) {
        self.counts.people.extend(person);
        if let Some(place) = self.places.get(&key) {
            if let Some(known) = self.held.get_mut(*place as usize) {
                known.merge(login);
            }
            return;
        }
        if !self.counts.unsorted && self.lines >= SORTED {
            self.counts.unsorted = true;
            self.tell_held(table);
            self.places.values_mut().for_each(|place| *place = TOLD);
        }
        if self.counts.unsorted {
            self.places.insert(key, TOLD);
            self.tell(&login, table);
        } else {
            self.lines += 1 + login.devices.len();
            self.places.insert(key, self.held.len() as u32);
            if self.held.len() == self.held.capacity() {
                // Not twice as much at a time, of which half would lie empty.
                self.held.reserve_exact(self.held.len() / 8 + 64);
            }
            self.held.push(login);
        }
    }

    /// Tells what is held, and counts all.
    pub fn finish(mut self, table: &mut Table) -> (Counts, HashSet<Key>) {
        self.tell_held(table);
        (self.counts, self.places.into_keys().collect())
    }

    fn tell_held(&mut self, table: &mut Table) {
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
        held.iter().for_each(|login| self.tell(login, table));
    }

    fn tell(&mut self, login: &Login, table: &mut Table) {
        self.counts.count(login.state);
        let database = self.counts.databases.get(login.database as usize);
        table.line(login, database);
    }
}
