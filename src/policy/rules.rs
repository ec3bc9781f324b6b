//! Inactivity windows, and what else holds for the sessions of a database.

use std::time::Duration;

use super::{Class, LoginPattern};
use crate::session::Session;

/// Inactivity windows: a file that was last used longer ago than its window is expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// For sessions of logged-in users.
    pub authenticated: Duration,
    /// For sessions of visitors, and for zero-byte files.
    pub anonymous: Duration,
    /// For visitors' sessions that hold a cart or a wishlist.
    pub cart: Duration,
    /// For unfinished saves and upload stashes.
    pub leftover: Duration,
    /// For files with a regular name whose content does not read as a session; kept for ever without it.
    pub unreadable: Option<Duration>,
}

impl Windows {
    /// The shortest window of a session: superseded sessions are due by it.
    pub fn shortest(&self) -> Duration {
        self.authenticated.min(self.anonymous).min(self.cart)
    }

    /// The longest window of a session.
    pub fn longest(&self) -> Duration {
        self.authenticated.max(self.anonymous).max(self.cart)
    }

    /// The window that applies to a class, or `None` for what is never due.
    pub fn of(&self, class: Class) -> Option<Duration> {
        match class {
            Class::Authenticated => Some(self.authenticated),
            Class::Superseded => Some(self.shortest()),
            Class::Cart => Some(self.cart),
            Class::Pending2fa | Class::Anonymous => Some(self.anonymous),
            Class::UnfinishedSave | Class::UploadStash => Some(self.leftover),
            Class::Unreadable => self.unreadable,
            Class::NotRead => Some(self.longest()),
            Class::Protected | Class::Recent | Class::Foreign => None,
        }
    }
}

/// What holds for sessions: those of one database, or those of all that have no rules of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Inactivity windows. Leftovers and unreadable files name no database, so the general ones count there.
    pub windows: Windows,
    /// Logins whose authenticated sessions never expire.
    pub keep_logins: Vec<LoginPattern>,
    /// The longest time since a login, however active the session is.
    pub max_lifetime: Option<Duration>,
}

impl Rules {
    pub(super) fn protect(&self, session: &Session<'_>) -> bool {
        session.login.as_ref().is_some_and(|login| {
            self.keep_logins
                .iter()
                .any(|pattern| pattern.matches(login))
        })
    }
}
