//! A site: a server, its people, and the reaper's timer, in the order of events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fastrand::Rng;
use odoo_session_reaper::reap::Mode;

use crate::content::What;
use crate::disk::{Backup, Disk};
use crate::judge::Judge;
use crate::killed;
use crate::odoo::{Odoo, Version};
use crate::people::{Guest, Kind, Person, World, wait};
use crate::reaper::Setup;
use crate::time::{DAY, HOUR, MINUTE, START, Time};

/// What is simulated. The same case and seed do the same.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub version: Version,
    pub setup: Setup,
    pub days: i64,
    /// People with a login.
    pub people: u8,
    pub seed: u64,
    /// What goes wrong or changes, and when it does after the start.
    pub incidents: Vec<(Time, Incident)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// The host's clock is so far ahead from now on.
    Clock(Time),
    /// The file server's clock is so far ahead of the host's.
    Server(Time),
    Upgrade(Version),
    /// The timer is off, or on again.
    Timer(bool),
    /// From now on everything in the store is read every night.
    ReadingBackup,
    /// A backup is made.
    Backup,
    /// It is restored; Odoo is down for so long.
    Restore(Time),
    /// So many health checks or bots at once.
    Flood(usize),
    /// A run of the program is killed.
    Kill,
    /// The administrator sets the fuse.
    Fuse(Option<u64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Save(usize),
    Person(usize),
    Guest(usize),
    GuestComes,
    Bot,
    HealthCheck,
    Script,
    NightlyRead,
    Incident(usize),
    Reap,
    Compare,
}

impl Event {
    fn needs_odoo(self) -> bool {
        use Event::{Compare, Incident, NightlyRead, Reap};
        !matches!(self, NightlyRead | Incident(_) | Reap | Compare)
    }
}

pub struct Site<'a> {
    case: &'a Case,
    setup: Setup,
    odoo: Odoo,
    people: Vec<Person>,
    guests: Vec<Guest>,
    queue: BinaryHeap<Reverse<(Time, u64, Event)>>,
    count: u64,
    saves: Vec<(Time, usize)>,
    timer: bool,
    /// Until when Odoo is down.
    down: Time,
    backup: Option<Backup>,
    judge: Judge,
}

/// Runs a case to its end.
pub fn simulate(case: &Case) -> Judge {
    let mut site = Site::new(case);
    let end = START + case.days * DAY;
    while let Some(Reverse((now, _, event))) = site.queue.pop() {
        if now >= end || site.judge.has_failed() {
            break;
        }
        site.happens(event, now);
        for (at, id) in std::mem::take(&mut site.saves) {
            site.at(at, Event::Save(id));
        }
    }
    site.judge.person_days = i64::from(case.people) * case.days;
    site.judge
}

impl Site<'_> {
    fn new(case: &Case) -> Site<'_> {
        let mut random = Rng::with_seed(case.seed);
        let kinds = (0..case.people).map(|number| match number % 8 {
            0..5 => (Kind::Office, number),
            5 => (Kind::Kiosk, number),
            _ => (Kind::Portal, number),
        });
        let people: Vec<Person> = kinds
            .map(|(kind, number)| Person::new(kind, number, &mut random))
            .collect();
        let disk = Disk::new(case.setup.mount);
        let mut site = Site {
            case,
            setup: case.setup,
            odoo: Odoo::new(case.version, disk, case.setup.window, random),
            guests: Vec::new(),
            queue: BinaryHeap::new(),
            count: 0,
            saves: Vec::new(),
            timer: true,
            down: 0,
            backup: None,
            judge: Judge::new(case),
            people: Vec::new(),
        };
        for index in 0..people.len() {
            site.at(START + 6 * HOUR, Event::Person(index));
        }
        site.people = people;
        for (index, (at, _)) in case.incidents.iter().enumerate() {
            site.at(START + at, Event::Incident(index));
        }
        for (after, event) in [
            (HOUR, Event::GuestComes),
            (HOUR, Event::Bot),
            (MINUTE, Event::HealthCheck),
            (3 * HOUR, Event::Script),
            // As the packaged timer: hourly, some minutes after the hour.
            (17 * MINUTE, Event::Reap),
            (23 * HOUR, Event::Compare),
        ] {
            site.at(START + after, event);
        }
        site
    }

    fn at(&mut self, time: Time, event: Event) {
        self.count += 1;
        self.queue.push(Reverse((time, self.count, event)));
    }

    fn happens(&mut self, event: Event, now: Time) {
        if event.needs_odoo() && now < self.down {
            // Requests in flight are lost, people try again in the first hours.
            if !matches!(event, Event::Save(_)) {
                let later = self.down + self.odoo.random.i64(MINUTE..3 * HOUR);
                self.at(later, event);
            }
            return;
        }
        match event {
            Event::Save(id) if self.odoo.sessions[id].ended => {}
            Event::Save(id) => self.odoo.save(id, now),
            Event::Person(_) | Event::Guest(_) => self.somebody(event, now),
            Event::GuestComes => {
                let guest = Guest::new(&mut self.odoo, now);
                self.guests.push(guest);
                self.at(now + 5 * MINUTE, Event::Guest(self.guests.len() - 1));
                self.again(event, now, DAY / 12);
            }
            Event::Bot => self.bot(now),
            Event::HealthCheck => {
                // 15 and newer have `/web/health`, which makes none (live, *When a session file goes*); 14 makes one.
                if self.odoo.version == Version::V14 {
                    self.odoo.new_session(What::Visitor, 0, now);
                }
                self.at(now + HOUR, event);
            }
            Event::Script => {
                // Logs in every night, works, and never logs out.
                let id = self.odoo.new_session(What::Login, 99, now);
                self.odoo.sessions[id].ended = true;
                self.at(now + DAY, event);
            }
            Event::NightlyRead => {
                self.odoo.disk.read_all(now);
                self.at(now + DAY, event);
            }
            Event::Incident(index) => self.incident(self.case.incidents[index].1, now),
            Event::Reap => self.timer(now),
            Event::Compare => {
                self.judge.compare(&self.odoo.disk, now);
                self.at(now + DAY, event);
            }
        }
    }

    fn again(&mut self, event: Event, now: Time, mean: Time) {
        let next = now + wait(&mut self.odoo.random, mean);
        self.at(next, event);
    }

    fn somebody(&mut self, event: Event, now: Time) {
        let mut world = World {
            odoo: &mut self.odoo,
            saves: &mut self.saves,
            logins: &mut self.judge.logins,
        };
        let next = match event {
            Event::Person(index) => Some(self.people[index].act(&mut world, now)),
            Event::Guest(index) => self.guests[index].act(&mut world, now),
            _ => None,
        };
        if let Some(next) = next {
            self.at(next, event);
        }
    }

    /// "≤ 15: every dynamic request without a cookie makes a file …; 16+: plain visits make none; `/shop` … do" (facts, *Who
    /// creates files*).
    fn bot(&mut self, now: Time) {
        let old = self.odoo.version <= Version::V15;
        if old && self.odoo.random.u32(..200) == 0 {
            self.odoo.stash(now);
        }
        self.odoo.new_session(What::Visitor, 0, now);
        self.again(Event::Bot, now, if old { HOUR } else { 4 * HOUR });
    }

    fn incident(&mut self, incident: Incident, now: Time) {
        self.judge.incident(incident, now);
        match incident {
            Incident::Clock(ahead) => self.odoo.disk.host = ahead,
            Incident::Server(ahead) => self.odoo.disk.server = ahead,
            Incident::Upgrade(version) => self.odoo.upgrade(version, now),
            Incident::Timer(on) => self.timer = on,
            Incident::ReadingBackup => self.at(now + DAY, Event::NightlyRead),
            Incident::Backup => self.backup = Some(self.odoo.disk.snapshot()),
            Incident::Restore(down) => {
                self.down = now + down;
                if let Some(backup) = &self.backup {
                    self.odoo.disk.restore(backup, now);
                }
            }
            Incident::Flood(visitors) => {
                for _ in 0..visitors {
                    self.odoo.new_session(What::Visitor, 0, now);
                }
            }
            Incident::Kill => {
                let gone = killed::in_the_middle(&mut self.odoo, &self.setup, now);
                self.judge.killed(&gone, &self.odoo, &self.setup, now);
            }
            Incident::Fuse(fuse) => self.setup.fuse = fuse,
        }
    }

    fn timer(&mut self, now: Time) {
        self.at(now + HOUR, Event::Reap);
        if !self.timer {
            return;
        }
        let disk = &self.odoo.disk;
        let host = now + disk.host;
        disk.settle();
        let audit = self.setup.run(&disk.sessions, Mode::Audit, host, 1);
        // Most runs with one thread, which is quicker where there is little to do.
        let threads = 1 + usize::from(self.odoo.random.u32(..100) == 0);
        let run = (self.setup).run(&disk.sessions, Mode::Reap, host, threads);
        let mut gone = Vec::new();
        if run.told > 0 {
            gone = self.odoo.disk.gone(now);
        }
        self.judge
            .ran(&audit, &run, &gone, &self.odoo, &self.setup, now);
    }
}
