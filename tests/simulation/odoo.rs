//! A model of Odoo 14 to 20: what saves a session, what reads it, names, cookies, rotation, upgrades.
//!
//! Each rule names the section it stands on of the pages of facts, which were measured on real servers: *facts*
//! (odoo-sessions), *live* (odoo-live), *20* (odoo-20).

use fastrand::Rng;

use crate::content::{self, What};
use crate::disk::Disk;
use crate::time::{DAY, HOUR, MINUTE, SECOND, Time};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    V14,
    V15,
    V16,
    V17,
    V18,
    V19,
    V20,
}

use Version::*;

impl Version {
    pub const ALL: [Version; 7] = [V14, V15, V16, V17, V18, V19, V20];

    pub fn number(self) -> usize {
        14 + self as usize
    }

    /// Flat files of 40 hex up to 15, shards from 16, 84 characters from 18, 86 from 19.1 (facts, *Where the files are*;
    /// 20, *Where and how*).
    fn new_sid(self, random: &mut Rng) -> String {
        let letters = |random: &mut Rng, count: usize| -> String {
            const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            (0..count)
                .map(|_| char::from(ALL[random.usize(..ALL.len())]))
                .collect()
        };
        // Few shards, so that a reap of a small store is as quick as it is with a large one, for its files.
        if self <= V17 {
            let first = ["c0", "d1", "e2", "f3"][random.usize(..4)];
            let rest: String = (0..38).map(|_| random.digit(16)).collect();
            return format!("{first}{rest}");
        }
        let first = ["A-", "_b", "Qx", "-9", "Zz", "7_"][random.usize(..6)];
        first.to_owned() + &letters(random, self.length() - 2)
    }

    fn length(self) -> usize {
        match self {
            V14 | V15 | V16 | V17 => 40,
            V18 | V19 => 84,
            V20 => 86,
        }
    }

    fn file(self, sid: &str) -> String {
        match self {
            V14 | V15 => flat(sid),
            _ => format!("{}/{sid}", &sid[..2]),
        }
    }

    /// What saves the session (facts, *mtime is the last save*; 20, *Who rewrites the file*).
    fn saves(self, request: Request, logged_in: bool) -> bool {
        match request {
            // "GET /web (/odoo), get_session_info"
            Request::WebClient => logged_in,
            // "a websocket connect (16+)"
            Request::Connect => self >= V16,
            // "cart … changes"
            Request::Cart => true,
            // "on 16 and newer no website or portal page, … while 14 and 15 save on each of them"; of visitors
            // "browsing never moves it".
            Request::SitePage => logged_in && self <= V15,
            // "What does not: call_kw, …, long polling"
            Request::Click | Request::LongPoll => false,
        }
    }
}

fn flat(sid: &str) -> String {
    format!("werkzeug_{sid}.sess")
}

/// A request that carries a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `/web`, `/odoo`, and what a page load asks for.
    WebClient,
    /// `call_kw`: all the clicks in the web client.
    Click,
    /// 14 and 15, where a tab is open.
    LongPoll,
    /// A new websocket, 16 and newer.
    Connect,
    /// A website or portal page.
    SitePage,
    /// Something is put into a cart.
    Cart,
}

/// A session, as its owner's browser and Odoo know it.
pub struct Session {
    pub sid: String,
    pub name: String,
    what: What,
    person: u8,
    pub cookie_until: Time,
    /// When its device was noted last (18 and newer).
    device: Time,
    /// When it was rotated last (19 and newer).
    created: Time,
    /// Files that a rotation left, and from when on Odoo refuses them.
    superseded: Vec<(String, Time)>,
    /// The last request that Odoo accepted, also one that a tab makes by itself.
    pub used: Time,
    /// The last one of a person.
    pub worked: Time,
    /// No longer anybody's: logged out, or not opened by this version.
    pub ended: bool,
}

/// What a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// The session, which is to be saved at this time, when the request is done.
    Session(Option<Time>),
    /// No such session: the login page.
    Nothing,
}

pub struct Odoo {
    pub version: Version,
    pub disk: Disk,
    pub sessions: Vec<Session>,
    /// `sessions.max_inactivity_seconds`.
    parameter: Time,
    pub random: Rng,
}

impl Odoo {
    /// `parameter` is what an administrator would set for his window; 7 days is the default.
    pub fn new(version: Version, disk: Disk, window: Time, random: Rng) -> Odoo {
        Odoo {
            version,
            disk,
            sessions: Vec::new(),
            parameter: window.max(7 * DAY),
            random,
        }
    }

    /// How long the browser keeps the cookie (facts, the paragraph on the cookie).
    fn cookie(&self) -> Time {
        match self.version {
            V14 | V15 => 90 * DAY,
            V16 | V17 => 7 * DAY,
            _ => self.parameter,
        }
    }

    fn host_time(&self, now: Time) -> Time {
        now + self.disk.host
    }

    /// A new session under a new sid, saved at once.
    pub fn new_session(&mut self, what: What, person: u8, now: Time) -> usize {
        let sid = self.version.new_sid(&mut self.random);
        let id = self.sessions.len();
        self.sessions.push(Session {
            name: self.version.file(&sid),
            sid,
            what,
            person,
            cookie_until: now + self.cookie(),
            device: now,
            created: now,
            superseded: Vec::new(),
            used: now,
            worked: now,
            ended: false,
        });
        self.save(id, now);
        id
    }

    /// A save of a session under its present name, whether it is still there or not: "a save in flight brings the
    /// file back" (facts, *What deleting does*).
    pub fn save(&mut self, id: usize, now: Time) {
        let Session {
            name, what, person, ..
        } = &self.sessions[id];
        let (name, what, person) = (name.clone(), *what, *person);
        let content = content::of(self.version, what, person, self.host_time(now));
        self.disk.save(&name, &content, what, Some(id), now);
        // 14 and 15 "read the file again within the request that saved it" (live, *When a session file goes*).
        if self.version <= V15 {
            self.disk.read(&name, now + 1);
        }
        // One save in 4000 is killed before its rename.
        if self.random.u32(..4_000) == 0 {
            let suffix = if self.version == V20 {
                ".__tx_sess__"
            } else {
                ".__wz_sess"
            };
            let random: String = (0..8).map(|_| self.random.digit(36)).collect();
            let leftover = format!("tmp{random}{suffix}");
            self.disk.save(&leftover, b"", What::Leftover, None, now);
        }
    }

    /// What a visitor uploads before logging in (facts, *Where the files are*).
    pub fn stash(&mut self, now: Time) {
        let sid = V14.new_sid(&mut self.random);
        let upload: String = (0..32).map(|_| self.random.digit(16)).collect();
        let name = format!("werkzeug_{sid}_{upload}.file");
        self.disk.save(&name, b"", What::Stash, None, now);
    }

    /// A request with the cookie of session `id`.
    pub fn request(&mut self, id: usize, request: Request, now: Time) -> Met {
        if self.sessions[id].ended || now >= self.sessions[id].cookie_until {
            return Met::Nothing;
        }
        self.move_into_its_shard(id, now);
        let name = self.sessions[id].name.clone();
        if !self.disk.has(&name) {
            return Met::Nothing;
        }
        // "every request that carries the cookie reads the file" (facts, `atime`)
        self.disk.read(&name, now);
        let logged_in = self.sessions[id].what == What::Login;
        self.sessions[id].used = now;
        if self.version <= V15 {
            // "renewed by each response"
            self.sessions[id].cookie_until = now + self.cookie();
        }
        if logged_in && self.version >= V19 && self.rotates(id, now) {
            return Met::Session(None);
        }
        // "18+ additionally rewrites at most once an hour on routed requests"
        let hourly = self.version >= V18 && logged_in && now - self.sessions[id].device > HOUR;
        if !hourly && !self.version.saves(request, logged_in) {
            return Met::Session(None);
        }
        if hourly {
            self.sessions[id].device = now;
        }
        // "renewed only when the session is saved or its sid changes"
        self.sessions[id].cookie_until = now + self.cookie();
        if request == Request::Cart && !logged_in {
            self.sessions[id].what = What::Cart;
        }
        // Most requests are quick, some run for `limit_time_real`.
        let takes = if self.random.u32(..100) == 0 {
            2 * MINUTE
        } else {
            SECOND
        };
        Met::Session(Some(now + self.random.i64(20..takes)))
    }

    /// "16 and 17 move a flat file into its shard when its cookie comes back (rename, mtime kept)" (live, *What was
    /// confirmed*).
    fn move_into_its_shard(&mut self, id: usize, now: Time) {
        let session = &mut self.sessions[id];
        let flat = flat(&session.sid);
        if matches!(self.version, V16 | V17) && session.name == flat && self.disk.has(&flat) {
            session.name = self.version.file(&session.sid);
            let to = session.name.clone();
            self.disk.rename(&flat, &to, now);
        }
    }

    /// Rotation (20, *Rotation*): after 3 h the old file is saved once more with `next_sid`, and a new one that shares
    /// the first 42 characters; 120 s later the next request deletes all of them, and saves the new one again.
    fn rotates(&mut self, id: usize, now: Time) -> bool {
        let session = &self.sessions[id];
        if now - session.created >= 3 * HOUR {
            let (old, person) = (session.name.clone(), session.person);
            let login = session.sid[..42].to_owned();
            let refused = now + 120 * SECOND;
            let content = content::of(self.version, What::Superseded, person, self.host_time(now));
            self.disk
                .save(&old, &content, What::Superseded, Some(id), now);
            let fresh = self.version.new_sid(&mut self.random);
            let cookie = now + self.cookie();
            let session = &mut self.sessions[id];
            session.superseded.push((old, refused));
            // 84 characters of 18 and 19.0 become 86.
            session.sid = login + &fresh[42..];
            session.name = self.version.file(&session.sid);
            session.created = now;
            session.cookie_until = cookie;
            self.save(id, now);
            return true;
        }
        if session.superseded.iter().any(|(_, refused)| now > *refused) {
            let name = session.name.clone();
            for (old, _) in std::mem::take(&mut self.sessions[id].superseded) {
                self.disk.unlink(&old, now);
            }
            self.disk.unlink(&name, now);
            self.save(id, now);
            return true;
        }
        false
    }

    /// Odoo deletes the file of whoever logs out.
    pub fn log_out(&mut self, id: usize, now: Time) {
        let name = self.sessions[id].name.clone();
        self.disk.unlink(&name, now);
        self.sessions[id].ended = true;
    }

    /// Another version starts on the same data_dir: "18/19 never open them again" (facts, *Where the files are*); of
    /// 18 and 19.0 all sessions live on (20, *Where and how*).
    pub fn upgrade(&mut self, to: Version, now: Time) {
        for session in &mut self.sessions {
            session.ended |= to >= V18 && session.sid.len() == 40;
            // 18 writes no `create_time`.
            session.created = now;
        }
        self.version = to;
    }
}
