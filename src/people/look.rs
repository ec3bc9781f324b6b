//! Meeting everybody: the first walk. It changes nothing, learns which users bear the names that are meant, and makes a
//! line of each login that is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::rows::{Beginning, Counts, Login, Rows, State, devices};
use super::tell::Table;
use super::{Key, Keys};
use crate::policy::{Class, Content, Kept, Policy, Verdict};
use crate::reap::{Chooser, Due, Met, Observer};
use crate::redact;
use crate::select::{self, Databases, Misses, People, Selection};
use crate::session::{Session, Uid};
use crate::store::name;

/// The judge of the first walk, who lets everybody stay.
pub(crate) struct Looking<'a> {
    selection: &'a Selection,
    policy: &'a Policy,
    keys: &'a Keys,
    /// Whether to tell addresses and browsers.
    devices: bool,
    /// Whether to read what would look younger for it.
    leaves_traces: bool,
    met: Mutex<Everybody>,
}

struct Everybody {
    rows: Rows,
    people: People,
    misses: Misses,
    /// `--except-login`
    unspared: Misses,
    databases: Databases,
    /// Those in files that may be of either of two people. Whose they are is known when everybody was met.
    mixed: Vec<Somebody>,
    /// Selected visitors' sessions.
    visitors: u64,
    /// Users who were named, and not met so far.
    unmet: Vec<i64>,
    /// Up to two logins for each prefix of a session id.
    sids: BTreeMap<String, HashSet<Key>>,
    shards: BTreeSet<Box<[u8]>>,
}

/// Somebody whose login may be meant.
struct Somebody {
    key: Key,
    login: Login,
    database: Box<[u8]>,
    users: [Option<Uid>; 2],
    shard: Box<[u8]>,
    /// The prefixes that his session id begins with.
    sids: Vec<String>,
}

impl Everybody {
    fn take(&mut self, somebody: Somebody) {
        for user in somebody.users.into_iter().flatten() {
            self.unmet.retain(|uid| user != Uid::Number(*uid));
        }
        for prefix in somebody.sids {
            let logins = self.sids.entry(prefix).or_default();
            if logins.len() < 2 {
                logins.insert(somebody.key);
            }
        }
        self.shards.insert(somebody.shard);
        self.rows
            .add(somebody.key, somebody.login, &somebody.database);
    }
}

/// What the first walk brought.
pub(crate) struct Seen {
    pub table: Table,
    pub counts: Counts,
    /// The logins that are meant.
    pub keys: HashSet<Key>,
    /// Where their files lie, or would.
    pub shards: BTreeSet<Box<[u8]>>,
    pub people: People,
    /// Selected visitors' sessions.
    pub visitors: u64,
    /// Who was named and is not there.
    pub missing: Vec<String>,
    /// Who was to be spared and is not there.
    pub unspared: Vec<String>,
    /// Which databases were named and are not there, and which there are.
    pub no_database: Option<String>,
    /// Prefixes of session ids that could be several logins.
    pub ambiguous: Vec<String>,
}

impl<'a> Looking<'a> {
    pub fn new(
        selection: &'a Selection,
        policy: &'a Policy,
        keys: &'a Keys,
        table: Table,
        (devices, leaves_traces): (bool, bool),
    ) -> Looking<'a> {
        Looking {
            selection,
            policy,
            keys,
            devices,
            leaves_traces,
            met: Mutex::new(Everybody {
                rows: Rows::new(table),
                people: People::default(),
                misses: Misses::of(&selection.logins),
                unspared: Misses::of(&selection.except),
                databases: Databases::of(&selection.databases),
                mixed: Vec::new(),
                visitors: 0,
                unmet: selection.uids.clone(),
                sids: BTreeMap::new(),
                shards: BTreeSet::new(),
            }),
        }
    }

    /// Tells the rest of the lines.
    pub fn finish(self) -> Seen {
        let selection = self.selection;
        let all = self.met.into_inner();
        let mut all = all.unwrap_or_else(PoisonError::into_inner);
        for mixed in std::mem::take(&mut all.mixed) {
            if selection.knows(&mixed.database, mixed.users, true, &all.people) {
                all.take(mixed);
            }
        }
        let mut missing = all.misses.told();
        missing.extend(all.unmet.iter().map(|uid| format!("no user {uid}")));
        let mut ambiguous = Vec::new();
        for prefix in &selection.sids {
            let logins = all.sids.get(prefix).map_or(0, HashSet::len);
            let prefix = redact::beginning(prefix);
            match logins {
                0 => missing.push(format!("no session {prefix}…")),
                1 => {}
                _ => ambiguous.push(format!("{prefix}…")),
            }
        }
        let (table, counts, keys) = all.rows.finish();
        Seen {
            table,
            counts,
            keys,
            shards: all.shards,
            people: all.people,
            visitors: all.visitors,
            missing,
            unspared: all.unspared.told(),
            no_database: all.databases.told(),
            ambiguous,
        }
    }

    fn all(&self) -> MutexGuard<'_, Everybody> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self, met: &Met<'_>, session: &Session<'_>) {
        let users = [session.uid, session.pre_uid];
        if users == [None; 2] {
            let taken = self.selection.takes_visitor(Some(session));
            let mut all = self.all();
            all.visitors += u64::from(taken);
            all.databases.see(session);
            return;
        }
        let concerns = self.selection.concerns(session, met.sid);
        let named = concerns && self.selection.names(session);
        let mixed = select::is_mixed(session);
        let begins = |prefix: &&String| met.sid.starts_with(prefix.as_bytes());
        // Made before the others have to wait.
        let somebody = (named || concerns && mixed).then(|| Somebody {
            key: self.keys.of(met.sid),
            login: self.login(met, session),
            database: select::database(session).into(),
            users,
            shard: name::shard(met.sid).into(),
            sids: self.selection.sids.iter().filter(begins).cloned().collect(),
        });
        let mut all = self.all();
        all.databases.see(session);
        all.people.learn(self.selection, session);
        all.misses.see(session, named);
        all.unspared.see(session, concerns);
        match somebody {
            Some(somebody) if named => all.take(somebody),
            Some(somebody) => all.mixed.push(somebody),
            None => {}
        }
    }

    fn login(&self, met: &Met<'_>, session: &Session<'_>) -> Login {
        let pending = session.uid.is_none();
        let state = match met.class {
            _ if pending => State::Pending2fa,
            Class::Superseded if self.policy.refused(session) => State::Superseded,
            _ => State::LoggedIn,
        };
        let given = session.pre_login.as_ref().filter(|_| pending);
        let name = given.or(session.login.as_ref());
        let protected = met.by_age == Verdict::Keep(Kept::Protected);
        let due = self.policy.due_at(met.class, session, met.stat);
        Login {
            state,
            protected,
            database: 0,
            files: 1,
            uid: session.uid.or(session.pre_uid),
            since: self.policy.began(session).map(|time| time as i64),
            last_use: self.policy.seen(met.class, met.stat).secs,
            due: due.filter(|_| !protected).map(|at| at.secs),
            login: name.map(|login| redact::printable(login.as_bytes())),
            sid: Beginning::of(met.sid),
            devices: self.devices.then(|| devices(session.devices)),
        }
    }
}

impl Chooser for Looking<'_> {
    fn leaves_traces(&self) -> bool {
        self.leaves_traces
    }

    fn takes(&self, met: &Met<'_>) -> bool {
        match met.content {
            Content::Session(session) => self.session(met, session),
            Content::Empty if met.class == Class::Anonymous => {
                let taken = self.selection.takes_visitor(None);
                self.all().visitors += u64::from(taken);
            }
            _ => {}
        }
        false
    }
}

/// Nothing is settled here.
impl Observer for Looking<'_> {
    fn wants(&self, _: Class) -> bool {
        false
    }

    fn settled(&self, _: &Due) {}
}
