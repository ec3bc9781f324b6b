//! Telling somebody of each file that is due.

use std::time::Duration;

use super::Outcome;
use crate::policy::{Class, Reason};
use crate::redact::{self, Shown};
use crate::session::{Session, Text, Uid};
use crate::store::name::Kind;
use crate::time::Timestamp;

/// Somebody who is told of each file that is due, after it was settled.
pub trait Observer: Sync {
    /// Whether to say who the session of a file of this class belongs to.
    fn wants(&self, class: Class) -> bool;
    /// A file was settled. Called from several threads.
    fn settled(&self, due: &Due);
}

/// A file that is due, as an observer may tell it.
#[derive(Debug)]
pub struct Due {
    /// What its place and name say.
    pub kind: Kind,
    /// What it turned out to be.
    pub class: Class,
    /// Why it is due.
    pub reason: Reason,
    /// The window that its age exceeds.
    pub window: Duration,
    /// Time since its last use.
    pub age: Duration,
    /// Its last save.
    pub mtime: Timestamp,
    /// Length in bytes.
    pub size: u64,
    /// The first characters of its session id.
    pub sid_prefix: Shown,
    /// What it says.
    pub who: Who,
    /// What came of it.
    pub outcome: Outcome,
}

/// What a session says of its user.
#[derive(Debug, Default)]
pub struct Who {
    /// The user's id, if logged in.
    pub uid: Option<Uid>,
    /// The login.
    pub login: Option<Shown>,
    /// The login that a password was given for, where the second factor is missing.
    pub pre_login: Option<Shown>,
    /// The database.
    pub db: Option<Shown>,
    /// Whether it holds a cart or a wishlist.
    pub cart: bool,
    /// Whether it waits for a second factor.
    pub pending_2fa: bool,
}

impl From<&Session<'_>> for Who {
    fn from(session: &Session<'_>) -> Who {
        let shown = |text: &Option<Text<'_>>| Some(redact::printable(text.as_ref()?.as_bytes()));
        Who {
            uid: session.uid,
            login: shown(&session.login),
            pre_login: shown(&session.pre_login),
            db: shown(&session.db),
            cart: session.cart,
            pending_2fa: session.pending_2fa,
        }
    }
}
