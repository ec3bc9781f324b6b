//! Out with them: the judges of the second walk and of the watch after it, and what they did.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Serialize;

use super::watch::Watches;
use super::{Caller, Key, Keys};
use crate::log;
use crate::policy::{Class, Content};
use crate::reap::{Chooser, Due, Met, Observer, Outcome};
use crate::report::revocation;
use crate::select::{People, Selection};
use crate::session::Session;
use crate::store::name;
use crate::time::Timestamp;

/// Those who are logged out.
pub(crate) struct Revoking<'a> {
    pub selection: &'a Selection,
    pub people: &'a People,
    pub keys: &'a Keys,
    pub caller: &'a Caller,
    /// What shows who comes back, unless nobody wants to know.
    pub watches: Option<&'a Watches<'a>>,
    revoked: Mutex<Revoked>,
}

#[derive(Default)]
struct Revoked {
    /// Logins that may not come back.
    keys: HashSet<Key>,
    /// Where their files lie, or would.
    shards: BTreeSet<Box<[u8]>>,
    sum: Sum,
    moment: Option<Timestamp>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Sum {
    /// Files of logins that were deleted.
    pub files: u64,
    /// Visitors' sessions that were deleted.
    pub visitors: u64,
    /// Of the files, those that a request in flight had brought back.
    pub came_back: u64,
}

impl<'a> Revoking<'a> {
    /// Logs out those who were `shown`, and whoever else is selected by the end of the second walk.
    pub fn new(
        (selection, people, keys): (&'a Selection, &'a People, &'a Keys),
        (shown, shards): (HashSet<Key>, BTreeSet<Box<[u8]>>),
        caller: &'a Caller,
        watches: Option<&'a Watches<'a>>,
    ) -> Revoking<'a> {
        // All watches stand before anything is deleted.
        if let Some(watches) = watches {
            watches.cover(None);
            shards.iter().for_each(|shard| watches.cover(Some(shard)));
        }
        let revoked = Revoked {
            keys: shown,
            shards,
            ..Revoked::default()
        };
        Revoking {
            selection,
            people,
            keys,
            caller,
            watches,
            revoked: Mutex::new(revoked),
        }
    }

    /// What was done so far.
    pub fn sum(&self) -> Sum {
        self.revoked().sum
    }

    /// How many logins are revoked.
    pub fn logins(&self) -> u64 {
        self.revoked().keys.len() as u64
    }

    /// From now on whoever logs in stays.
    pub(super) fn end(&self) {
        self.revoked().moment = Some(Timestamp::of(SystemTime::now()));
    }

    /// When the second walk was over.
    pub fn moment(&self) -> Option<Timestamp> {
        self.revoked().moment
    }

    pub(super) fn has_shard(&self, shard: &[u8]) -> bool {
        self.revoked().shards.contains(shard)
    }

    fn revoked(&self) -> MutexGuard<'_, Revoked> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_revoked(&self, sid: &[u8]) -> bool {
        let key = self.keys.of(sid);
        self.revoked().keys.contains(&key)
    }

    /// From now on nobody comes back with this session id.
    fn revoke(&self, sid: &[u8]) {
        let shard = name::shard(sid);
        if let Some(watches) = self.watches {
            watches.cover(Some(shard));
        }
        let key = self.keys.of(sid);
        let mut revoked = self.revoked();
        revoked.keys.insert(key);
        if !revoked.shards.contains(shard) {
            revoked.shards.insert(shard.into());
        }
    }

    /// Somebody else goes on with this session id: on 14 and 15, whoever was logged in when a password was given.
    fn forget(&self, sid: &[u8]) {
        let key = self.keys.of(sid);
        self.revoked().keys.remove(&key);
    }

    fn settled(&self, due: &Due, came_back: bool) {
        if !matches!(due.outcome, Outcome::Deleted | Outcome::WouldDelete) {
            return;
        }
        let is_login = due.class.is_login() || due.who.pending_2fa;
        let mut revoked = self.revoked();
        let sum = &mut revoked.sum;
        sum.files += u64::from(is_login);
        sum.visitors += u64::from(!is_login);
        sum.came_back += u64::from(came_back);
        drop(revoked);
        if is_login && due.outcome == Outcome::Deleted {
            self.tell(due, came_back);
        }
    }

    /// Each login that ends is an entry of the journal, also where nobody reads the log.
    fn tell(&self, due: &Due, came_back: bool) {
        let given = due.who.pre_login.as_ref().filter(|_| due.who.pending_2fa);
        let login = given.or(due.who.login.as_ref()).map(|it| &**it);
        let caller = self.caller.told();
        let message = match came_back {
            true => "deleted a revoked session that had come back",
            false => "deleted a revoked session",
        };
        if let Some(journal) = log::journal() {
            journal.tell(&revocation(due, (message, login), caller));
            if !journal.is_beside() {
                return;
            }
        }
        let [uid, login_uid, sudo_user] = caller;
        tracing::info!(
            login,
            database = due.who.db.as_deref(),
            sid = &*due.sid_prefix,
            reason = due.reason.name(),
            uid,
            login_uid,
            sudo_user,
            "{message}"
        );
    }
}

/// Somebody who is logged in, or gave a password.
fn is_somebody(session: &Session<'_>) -> bool {
    session.uid.is_some() || session.pre_uid.is_some()
}

/// Who goes in the second walk: those who are selected, and all files of their logins.
pub(crate) struct Going<'a>(pub &'a Revoking<'a>);

impl Chooser for Going<'_> {
    fn leaves_traces(&self) -> bool {
        true
    }

    fn takes(&self, met: &Met<'_>) -> bool {
        let Revoking {
            selection, people, ..
        } = self.0;
        match met.content {
            Content::Session(session) if is_somebody(session) => {
                let is_known = self.0.is_revoked(met.sid);
                // The other files of a login are the same person's.
                let is_twin = name::login(met.sid).len() < met.sid.len();
                // A prefix was of one login when it was looked at; it must not take in a later one.
                let may_be_later = selection.sids.is_empty();
                let goes = is_known && is_twin
                    || (is_known || may_be_later) && selection.takes(session, met.sid, people);
                match goes {
                    true => self.0.revoke(met.sid),
                    false => self.0.forget(met.sid),
                }
                goes
            }
            Content::Session(session) => selection.takes_visitor(Some(session)),
            Content::Empty => met.class == Class::Anonymous && selection.takes_visitor(None),
            Content::Unreadable(_) | Content::Unknown => false,
        }
    }
}

impl Observer for Going<'_> {
    fn wants(&self, _: Class) -> bool {
        true
    }

    fn settled(&self, due: &Due) {
        self.0.settled(due, false);
    }
}

/// Who goes after it: whoever comes back with a revoked session id, and is somebody.
pub(crate) struct Returning<'a>(pub &'a Revoking<'a>);

impl Chooser for Returning<'_> {
    fn leaves_traces(&self) -> bool {
        true
    }

    fn enters(&self, shard: &[u8]) -> bool {
        self.0.has_shard(shard)
    }

    fn wants(&self, sid: &[u8]) -> bool {
        self.0.is_revoked(sid)
    }

    fn takes(&self, met: &Met<'_>) -> bool {
        matches!(met.content, Content::Session(session) if is_somebody(session))
            && self.0.is_revoked(met.sid)
    }
}

impl Observer for Returning<'_> {
    fn wants(&self, _: Class) -> bool {
        true
    }

    fn settled(&self, due: &Due) {
        self.0.settled(due, true);
    }
}
