//! Who is meant: by login, user id, database or session id. Pure: it knows no windows and deletes nothing.
//!
//! People are matched as Odoo matches them. On 14 and 15 a login over a live login, while its second factor is missing,
//! leaves a file with the `uid` of one person and the `login` of the other; a name alone does not tell whose it is.
//! So [`People`] first learns from all other files which users bear the names that are meant, and [`Selection::takes`]
//! then goes by names and by users. Such a mixed file goes with either person.

mod miss;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

pub(crate) use miss::{Databases, Misses};

use crate::policy::LoginPattern;
use crate::session::{Session, Text, Uid};

/// What was said of those who are meant. Within a kind one must hold, of each kind that was given.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// `--login`
    pub logins: Vec<LoginPattern>,
    /// `--except-login`: who is not meant after all
    pub except: Vec<LoginPattern>,
    /// `--uid`
    pub uids: Vec<i64>,
    /// `--database`
    pub databases: Vec<String>,
    /// `--sid`: what a session id begins with
    pub sids: Vec<String>,
    /// `--visitors`: anonymous sessions are meant, too
    pub visitors: bool,
}

/// Which users bear a name that is meant, and which one that is excepted.
#[derive(Debug, Default)]
pub(crate) struct People {
    meant: Users,
    excepted: Users,
}

/// Users by their database. Few: only those whose logins were named.
#[derive(Debug, Default)]
struct Users(HashMap<Box<[u8]>, HashSet<i64>>);

impl Users {
    fn add(&mut self, database: &[u8], uid: i64) {
        self.0.entry(database.into()).or_default().insert(uid);
    }

    fn has(&self, database: &[u8], uid: Option<Uid>) -> bool {
        let users = self.0.get(database);
        users.is_some_and(|users| matches!(uid, Some(Uid::Number(uid)) if users.contains(&uid)))
    }
}

/// Odoo's superuser, as whom nobody logs in; administrators become him (`/web/become`) and keep their logins.
const SUPERUSER: Uid = Uid::Number(1);

impl People {
    /// Learns whose name a file bears, unless it may bear another person's, or the user is several people.
    pub fn learn(&mut self, selection: &Selection, session: &Session<'_>) {
        let (Some(Uid::Number(uid)), Some(login)) = (session.uid, &session.login) else {
            return;
        };
        if is_mixed(session) || session.uid == Some(SUPERUSER) {
            return;
        }
        let excepted = any(&selection.except, login);
        if !selection.logins.is_empty() && !excepted && any(&selection.logins, login) {
            self.meant.add(database(session), uid);
        }
        // Where names are given, whoever is excepted is not meant anyway.
        if selection.logins.is_empty() && excepted {
            self.excepted.add(database(session), uid);
        }
    }
}

impl Selection {
    /// Whether this session of somebody who is logged in, or gave a password, goes.
    pub fn takes(&self, session: &Session<'_>, sid: &[u8], people: &People) -> bool {
        let users = [session.uid, session.pre_uid];
        let knows = || self.knows(database(session), users, is_mixed(session), people);
        self.concerns(session, sid) && (self.names(session) || knows())
    }

    /// Whether this is a session of the kinds that have nothing to do with names.
    pub fn concerns(&self, session: &Session<'_>, sid: &[u8]) -> bool {
        let users = [session.uid, session.pre_uid];
        let is_meant = |uid: &i64| users.contains(&Some(Uid::Number(*uid)));
        let begins = |prefix: &String| sid.starts_with(prefix.as_bytes());
        (self.uids.is_empty() || self.uids.iter().any(is_meant))
            && (self.sids.is_empty() || self.sids.iter().any(begins))
            && self.is_of(session)
    }

    /// Whether this visitor's session goes; a visitor has no name.
    pub fn takes_visitor(&self, session: Option<&Session<'_>>) -> bool {
        let of_anybody = self.logins.is_empty() && self.uids.is_empty() && self.sids.is_empty();
        self.visitors
            && of_anybody
            && match session {
                Some(session) => self.is_of(session),
                // An empty file names no database.
                None => self.databases.is_empty(),
            }
    }

    fn is_of(&self, session: &Session<'_>) -> bool {
        let is_meant = |name: &String| database(session) == name.as_bytes();
        self.databases.is_empty() || self.databases.iter().any(is_meant)
    }

    /// Whether a name in it is meant, or it has none that could be excepted.
    pub fn names(&self, session: &Session<'_>) -> bool {
        let mut names = [&session.login, &session.pre_login].into_iter().flatten();
        if self.logins.is_empty() && session.login.is_none() && session.pre_login.is_none() {
            return true;
        }
        names.any(|login| {
            (self.logins.is_empty() || any(&self.logins, login)) && !any(&self.except, login)
        })
    }

    /// Whether these users, the one who is logged in and the one who gave a password, are known to be meant, whatever
    /// names the file bears.
    pub fn knows(
        &self,
        database: &[u8],
        users: [Option<Uid>; 2],
        mixed: bool,
        people: &People,
    ) -> bool {
        let [user, _] = users;
        // The excepted name beside a live user is that of the other person.
        let unexcepted = self.logins.is_empty()
            && mixed
            && user.is_some()
            && !people.excepted.has(database, user);
        unexcepted || { users }
            .iter()
            .any(|user| people.meant.has(database, *user))
    }
}

/// Whether a name in it may be another person's than the user who is logged in.
pub(crate) fn is_mixed(session: &Session<'_>) -> bool {
    session.pre_uid.is_some() || session.pre_login.is_some()
}

fn any(patterns: &[LoginPattern], login: &Text<'_>) -> bool {
    patterns.iter().any(|pattern| pattern.matches(login))
}

/// No database has an empty name.
pub(crate) fn database<'s>(session: &'s Session<'_>) -> &'s [u8] {
    session.db.as_ref().map_or(b"", |name| name.as_bytes())
}
