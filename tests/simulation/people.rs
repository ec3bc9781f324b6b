//! A model of people: who comes when, and what they do then.

use fastrand::Rng;

use crate::content::What;
use crate::odoo::{Met, Odoo, Request, Version};
use crate::time::{DAY, HOUR, MINUTE, SECOND, START, Time, midnight, weekday};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Office hours, in the web client.
    Office,
    /// A screen at the wall or a till, every day but Sunday.
    Kiosk,
    /// A customer, on portal pages.
    Portal,
}

pub struct Person {
    pub kind: Kind,
    number: u8,
    /// The session that the browser's cookie names.
    pub session: Option<usize>,
    /// Begin and end of the day.
    hours: (Time, Time),
    /// The mean time between two requests.
    gap: Time,
    /// How long a tab stays open.
    tab: Time,
    tab_until: Time,
    /// One in so many clicks is a page load.
    reloads: u32,
    /// The machine stays on at night, and its tab polls.
    stays_on: bool,
    /// A proxy in between lets no websocket through.
    websocket: bool,
    connected: Time,
    logs_out: bool,
    second_factor: bool,
    holidays: Vec<(Time, Time)>,
}

/// What happens around a person.
pub struct World<'a> {
    pub odoo: &'a mut Odoo,
    /// Saves under way: which session, and when.
    pub saves: &'a mut Vec<(Time, usize)>,
    /// How often somebody had to log in, the first time included.
    pub logins: &'a mut u64,
}

/// An exponentially distributed time with this mean.
pub fn wait(random: &mut Rng, mean: Time) -> Time {
    let even = random.f64().max(1e-9);
    ((-even.ln() * mean as f64) as Time).clamp(SECOND, 40 * mean)
}

impl Person {
    pub fn new(kind: Kind, number: u8, random: &mut Rng) -> Person {
        let hours = match kind {
            Kind::Office => (
                7 * HOUR + random.i64(0..2 * HOUR),
                15 * HOUR + random.i64(0..4 * HOUR),
            ),
            Kind::Kiosk => (6 * HOUR, 22 * HOUR),
            Kind::Portal => (8 * HOUR, 22 * HOUR),
        };
        // Half close the browser every evening; some keep one tab for weeks, a few for months.
        let tab = match (kind, random.u32(..20)) {
            (Kind::Kiosk, 0..6) => 7 * DAY,
            (Kind::Kiosk, _) => random.i64(20 * DAY..300 * DAY),
            (_, 0..10) => 8 * HOUR,
            (_, 10..16) => random.i64(2 * DAY..20 * DAY),
            (_, 16..19) => random.i64(20 * DAY..60 * DAY),
            _ => random.i64(60 * DAY..300 * DAY),
        };
        let mut holidays = Vec::new();
        if kind == Kind::Office {
            // Christmas, three weeks in summer, and some days now and then.
            let mut away = |from: i64, days: i64| {
                holidays.push((START + from * DAY, START + (from + days) * DAY));
            };
            away(358, 9);
            away(random.i64(170..230), random.i64(9..23));
            for _ in 0..3 {
                away(random.i64(0..366), random.i64(1..9));
            }
        }
        Person {
            kind,
            number,
            session: None,
            hours,
            gap: match kind {
                Kind::Office => 40 * MINUTE,
                Kind::Kiosk => HOUR,
                Kind::Portal => 3 * DAY,
            },
            tab,
            tab_until: 0,
            reloads: if tab < DAY { 30 } else { 3_000 },
            stays_on: random.u32(..4) == 0 || (kind == Kind::Kiosk && random.bool()),
            websocket: random.u32(..10) > u32::from(kind == Kind::Kiosk) * 4,
            connected: 0,
            logs_out: kind == Kind::Office && random.u32(..12) == 0,
            second_factor: random.u32(..5) == 0,
            holidays,
        }
    }

    fn is_away(&self, now: Time) -> bool {
        let free = match self.kind {
            Kind::Office => weekday(now) >= 5,
            Kind::Kiosk => weekday(now) == 6,
            Kind::Portal => false,
        };
        free || self
            .holidays
            .iter()
            .any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Does what is to be done now, and tells when to be asked again.
    pub fn act(&mut self, world: &mut World<'_>, now: Time) -> Time {
        let mut random = world.odoo.random.fork();
        let (begin, end) = (midnight(now) + self.hours.0, midnight(now) + self.hours.1);
        if !(begin..end).contains(&now) || self.is_away(now) {
            self.idle(world, now, &mut random);
            // A tab polls all the time; what is told apart here is hours.
            let later = now + 60 * MINUTE + random.i64(0..30 * MINUTE);
            let next_day = if now < begin { begin } else { begin + DAY };
            let arrives = next_day + random.i64(0..HOUR);
            return if self.stays_on {
                later.min(arrives)
            } else {
                arrives
            };
        }
        if self.kind == Kind::Portal {
            return self.visit_portal(world, now, &mut random);
        }
        self.work(world, now, &mut random);
        now + wait(&mut random, self.gap)
    }

    /// What an open tab does by itself.
    fn idle(&mut self, world: &mut World<'_>, now: Time, random: &mut Rng) {
        if now >= self.tab_until || self.kind == Kind::Portal {
            if self.logs_out && now >= self.tab_until {
                if let Some(id) = self.session.take() {
                    world.odoo.log_out(id, now);
                }
            }
            return;
        }
        if self.stays_on {
            self.poll(world, now, random);
        }
    }

    /// "an idle tab rewrites on websocket reconnect only (every 60–90 min)" on 16 and newer; 14 and 15 poll (facts,
    /// *mtime is the last save*).
    fn poll(&mut self, world: &mut World<'_>, now: Time, random: &mut Rng) {
        if world.odoo.version <= Version::V15 {
            self.request(world, Request::LongPoll, now);
        } else if self.websocket && now - self.connected > random.i64(60 * MINUTE..90 * MINUTE) {
            self.connected = now;
            self.request(world, Request::Connect, now);
        }
    }

    fn work(&mut self, world: &mut World<'_>, now: Time, random: &mut Rng) {
        if now >= self.tab_until {
            self.tab_until = now + self.tab;
            self.by_hand(world, Request::WebClient, now);
        } else {
            self.poll(world, now, random);
            let request = match random.u32(..) {
                some if some % self.reloads == 0 => Request::WebClient,
                some if self.tab < DAY && some % 40 == 1 => Request::SitePage,
                _ => Request::Click,
            };
            self.by_hand(world, request, now);
        }
    }

    /// A page of a visit to the portal, and when the next one follows.
    fn visit_portal(&mut self, world: &mut World<'_>, now: Time, random: &mut Rng) -> Time {
        let request = match random.u32(..40) {
            0 => Request::Cart,
            _ => Request::SitePage,
        };
        self.by_hand(world, request, now);
        match random.u32(..5) {
            0 => now + wait(random, self.gap),
            _ => now + 20 * SECOND,
        }
    }

    /// A request that somebody makes; he logs in if Odoo asks for it.
    fn by_hand(&mut self, world: &mut World<'_>, request: Request, now: Time) {
        if !self.request(world, request, now) {
            *world.logins += 1;
            if self.second_factor {
                // One in ten does not find his telephone, and begins anew.
                let pending = world.odoo.new_session(What::Pending, self.number, now);
                if world.odoo.random.u32(..10) > 0 {
                    world.odoo.log_out(pending, now);
                }
            }
            self.session = Some(world.odoo.new_session(What::Login, self.number, now));
        }
        if let Some(id) = self.session {
            world.odoo.sessions[id].worked = now;
        }
    }

    /// Whether Odoo knew the session.
    fn request(&mut self, world: &mut World<'_>, request: Request, now: Time) -> bool {
        let Some(id) = self.session else {
            return false;
        };
        match world.odoo.request(id, request, now) {
            Met::Session(save) => {
                world.saves.extend(save.map(|at| (at, id)));
                true
            }
            Met::Nothing => false,
        }
    }
}

/// A guest of the shop: looks, perhaps fills a cart, comes back some times in the next days.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    pub session: usize,
    pub visits: u32,
    pub cart: bool,
}

impl Guest {
    /// "`/shop`, carts … do" make a file, on 14 and 15 any page (facts, *Who creates files*).
    pub fn new(odoo: &mut Odoo, now: Time) -> Guest {
        let session = odoo.new_session(What::Visitor, 0, now);
        let cart = odoo.random.u32(..4) == 0;
        let most = if cart { 8 } else { 2 };
        let visits = odoo.random.u32(..most);
        Guest {
            session,
            visits,
            cart,
        }
    }

    /// Comes back, and tells when the next time.
    pub fn act(&mut self, world: &mut World<'_>, now: Time) -> Option<Time> {
        let request = if self.cart && self.visits % 3 == 0 {
            Request::Cart
        } else {
            Request::SitePage
        };
        let Met::Session(save) = world.odoo.request(self.session, request, now) else {
            return None;
        };
        world.saves.extend(save.map(|at| (at, self.session)));
        self.visits = self.visits.checked_sub(1)?;
        Some(now + wait(&mut world.odoo.random, DAY))
    }
}
