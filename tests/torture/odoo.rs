//! An Odoo that people work in: requests read a session, take their time, and save it again, whatever happened to the
//! file meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use odoo_session_reaper::session::{Scratch, read};

use crate::store::SID;
use crate::testenv::{Odoo, PENDING_2FA, USER, VISITOR};

const SUPERSEDED: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "session_token": "t", "context": {}, "debug": "", "next_sid": "x", "deletion_time": 4e9}"#;

/// Between two requests that one client begins; four of them make 200 a second.
const PAUSE: Duration = Duration::from_millis(20);

/// An Odoo, by what it does with session files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// And 15: flat.
    V14,
    /// And 17: sharded; flat files of before the upgrade are moved into their shards when their cookies come back.
    V16,
    V18,
    /// Moves logins from file to file.
    V19,
    /// Also unlinks all files of a login, and saves the one at hand again.
    V20,
}

impl Version {
    pub const ALL: [Version; 5] = [
        Version::V14,
        Version::V16,
        Version::V18,
        Version::V19,
        Version::V20,
    ];

    fn new_sid(self, random: &mut fastrand::Rng) -> String {
        let (letters, length) = match self {
            Version::V14 | Version::V16 => (&b"0123456789abcdef"[..], 40),
            Version::V18 | Version::V19 => (SID, 84),
            Version::V20 => (SID, 86),
        };
        // Few shards, so that clients meet.
        let start = *random.choice(&["aa", "b0", "0c", "ff"]).unwrap();
        let rest = (2..length).map(|_| char::from(letters[random.usize(..letters.len())]));
        start.chars().chain(rest).collect()
    }

    fn place(self, sid: &str) -> String {
        match self {
            Version::V14 => flat(sid),
            _ => format!("{}/{sid}", &sid[..2]),
        }
    }
}

fn flat(sid: &str) -> String {
    format!("werkzeug_{sid}.sess")
}

/// What stays of a session id: its first 42 characters, or all of it.
fn login(sid: &str) -> &str {
    &sid[..sid.len().min(42)]
}

/// The logins in a store, as Odoo would take them: whoever has a `uid`, or gave a password.
pub fn logged_in(odoo: &Odoo) -> BTreeSet<String> {
    let mut scratch = Scratch::default();
    let mut logins = BTreeSet::new();
    for file in odoo.files() {
        let name = file.rsplit('/').next().unwrap();
        let sid = name
            .trim_start_matches("werkzeug_")
            .trim_end_matches(".sess");
        let content = fs::read(odoo.path(&file)).unwrap_or_default();
        let somebody = read(&content, &mut scratch)
            .is_ok_and(|session| session.uid.is_some() || session.pre_uid.is_some());
        if somebody && sid.len() >= 40 {
            logins.insert(login(sid).to_owned());
        }
    }
    logins
}

/// What a client's request does when it comes to its end.
enum Does {
    Save(&'static str),
    Rotate,
    CleanUp,
    LogIn,
    /// A visit under the old session id.
    Visit,
}

struct Request {
    ends: Instant,
    index: usize,
    /// As it was when the request began.
    session: Session,
    does: Does,
}

#[derive(Clone)]
struct Session {
    sid: String,
    superseded: Option<String>,
}

/// People at work.
pub struct Client<'a> {
    odoo: &'a Odoo,
    version: Version,
    random: fastrand::Rng,
    sessions: Vec<Session>,
    under_way: Vec<Request>,
    /// New logins, under new session ids.
    pub logins: Vec<(String, SystemTime)>,
    /// Files that were saved last by a visit.
    pub visits: BTreeMap<String, SystemTime>,
}

impl<'a> Client<'a> {
    /// Whose `sessions` people are logged in.
    pub fn new(odoo: &'a Odoo, version: Version, seed: u64, sessions: usize) -> Client<'a> {
        let mut client = Client {
            odoo,
            version,
            random: fastrand::Rng::with_seed(seed),
            sessions: Vec::new(),
            under_way: Vec::new(),
            logins: Vec::new(),
            visits: BTreeMap::new(),
        };
        for number in 0..sessions {
            let sid = version.new_sid(&mut client.random);
            let content = if number % 8 == 7 { PENDING_2FA } else { USER };
            let old = version == Version::V16 && number % 4 == 0;
            let place = if old { flat(&sid) } else { version.place(&sid) };
            client.save(&place, content);
            client.sessions.push(Session {
                sid,
                superseded: None,
            });
        }
        client
    }

    /// Begins and ends requests until there is enough; then those that are under way end.
    pub fn work(&mut self, enough: &AtomicBool) {
        while !enough.load(Ordering::Relaxed) {
            self.begin();
            let next = Instant::now() + PAUSE;
            self.end_until(next);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        while !self.under_way.is_empty() {
            self.end_until(Instant::now());
            std::thread::sleep(PAUSE);
        }
    }

    fn begin(&mut self) {
        let index = self.random.usize(..self.sessions.len());
        let sid = self.sessions[index].sid.clone();
        let place = self.version.place(&sid);
        if self.version == Version::V16 {
            let _ = fs::rename(self.path(&flat(&sid)), self.path(&place));
        }
        let content = fs::read(self.path(&place)).ok();
        let rotated = self.sessions[index].superseded.is_some();
        let is = |wanted: &str| content.as_deref() == Some(wanted.as_bytes());
        let does = match self.random.u8(..8) {
            0..=1 if is(USER) && matches!(self.version, Version::V19 | Version::V20) => {
                Does::Rotate
            }
            2..=5 if is(USER) && rotated && self.version == Version::V20 => Does::CleanUp,
            _ if is(USER) => Does::Save(USER),
            _ if is(PENDING_2FA) => Does::Save(PENDING_2FA),
            0..=3 => Does::LogIn,
            // A new session id on 14 and 15; no file at all is made on the others, but by a shop.
            _ if self.version != Version::V14 => Does::Visit,
            _ => Does::LogIn,
        };
        let takes = match self.random.u8(..20) {
            0 => self.random.u64(500..1_500),
            _ => self.random.u64(1..250),
        };
        let session = self.sessions[index].clone();
        if let Does::CleanUp = does {
            // Once after each rotation.
            self.sessions[index].superseded = None;
        }
        self.under_way.push(Request {
            ends: Instant::now() + Duration::from_millis(takes),
            index,
            session,
            does,
        });
    }

    fn end_until(&mut self, until: Instant) {
        let under_way = std::mem::take(&mut self.under_way).into_iter();
        let (ended, not_yet) = under_way.partition(|request| request.ends <= until);
        self.under_way = not_yet;
        Vec::into_iter(ended).for_each(|request| self.end(request));
    }

    fn end(&mut self, request: Request) {
        let Request {
            index,
            session,
            does,
            ..
        } = request;
        let place = self.version.place(&session.sid);
        match does {
            Does::Save(content) => self.save(&place, content),
            Does::Rotate => {
                let rest = self.version.new_sid(&mut self.random);
                let next = format!("{}{}", login(&session.sid), &rest[42..]);
                self.save(&self.version.place(&next), USER);
                self.save(&place, SUPERSEDED);
                self.goes_on(index, &session.sid, next, true);
            }
            Does::CleanUp => {
                if let Some(superseded) = &session.superseded {
                    let _ = fs::remove_file(self.path(&self.version.place(superseded)));
                }
                let _ = fs::remove_file(self.path(&place));
                std::thread::sleep(Duration::from_millis(1));
                self.save(&place, USER);
            }
            Does::LogIn => {
                let sid = self.version.new_sid(&mut self.random);
                self.save(&self.version.place(&sid), USER);
                self.logins
                    .push((login(&sid).to_owned(), SystemTime::now()));
                self.goes_on(index, &session.sid, sid, false);
            }
            Does::Visit => {
                self.save(&place, VISITOR);
                self.visits.insert(place, SystemTime::now());
            }
        }
    }

    /// The browser goes on with another session id, unless it has another one by now.
    fn goes_on(&mut self, index: usize, before: &str, next: String, superseded: bool) {
        let session = &mut self.sessions[index];
        if session.sid == before {
            *session = Session {
                sid: next,
                superseded: superseded.then(|| before.to_owned()),
            };
        }
    }

    /// As Odoo saves: a temporary file at the top level, renamed.
    fn save(&mut self, place: &str, content: &str) {
        self.visits.remove(place);
        let name: String = (0..8).map(|_| self.random.digit(36)).collect();
        let temporary = self.path(&format!("tmp{name}.__wz_sess"));
        fs::write(&temporary, content).unwrap();
        let path = self.path(place);
        if fs::rename(&temporary, &path).is_err() {
            fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
            fs::rename(&temporary, &path).unwrap();
        }
    }

    fn path(&self, place: &str) -> PathBuf {
        self.odoo.path(place)
    }
}
