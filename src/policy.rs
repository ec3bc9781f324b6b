//! What is due: inactivity windows, and the judgement of one file. Pure functions, no clock, no file system.

use std::time::Duration;

use crate::session::{Session, Unreadable};
use crate::store::name::Kind;
use crate::time::Timestamp;

/// A clock that is this far behind the one that stamped the files is still believed: hosts drift, and a
/// run takes time.
const FUTURE_TOLERANCE: Duration = Duration::from_secs(300);

/// No Odoo session can be older than this (2010-01-01 UTC); such a time comes from a broken clock or a
/// restored file, and says nothing about the user.
const EARLIEST: Timestamp = Timestamp::from_secs(1_262_304_000);

/// Inactivity windows: a file whose last save is longer ago than its window is expired.
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
    /// The shortest window of a session: superseded sessions are due by it, and a store that has not
    /// changed for longer is dormant.
    pub fn shortest(&self) -> Duration {
        self.authenticated.min(self.anonymous).min(self.cart)
    }

    /// The longest window of a session: what is older is due whatever it says.
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
            Class::Unclassified => Some(self.longest()),
            Class::Recent | Class::Foreign => None,
        }
    }
}

/// A row of the report: what a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A session of a logged-in user.
    Authenticated,
    /// A logged-in session that Odoo 19 has moved to a new file; the old one is refused.
    Superseded,
    /// A visitor's session with a cart or a wishlist.
    Cart,
    /// A visitor who gave the password, but not yet the second factor.
    Pending2fa,
    /// Any other visitor's session, and zero-byte files.
    Anonymous,
    /// A session that is younger than every window, and was not read for that.
    Recent,
    /// A session that its age alone has condemned (`reap --unread`).
    Unclassified,
    /// A regular name with content that does not read as a session, or could not be read.
    Unreadable,
    /// The temporary file of a save that never came to its rename.
    UnfinishedSave,
    /// A file that a visitor uploaded before logging in.
    UploadStash,
    /// Not Odoo's.
    Foreign,
}

impl Class {
    /// All classes, in the order of the report.
    pub const ALL: [Class; 11] = [
        Class::Authenticated,
        Class::Superseded,
        Class::Cart,
        Class::Pending2fa,
        Class::Anonymous,
        Class::Recent,
        Class::Unclassified,
        Class::Unreadable,
        Class::UnfinishedSave,
        Class::UploadStash,
        Class::Foreign,
    ];

    /// The name in JSON and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Class::Authenticated => "authenticated",
            Class::Superseded => "superseded",
            Class::Cart => "anonymous-cart",
            Class::Pending2fa => "anonymous-pending-2fa",
            Class::Anonymous => "anonymous",
            Class::Recent => "recent",
            Class::Unclassified => "unclassified",
            Class::Unreadable => "unreadable",
            Class::UnfinishedSave => "unfinished-save",
            Class::UploadStash => "upload-stash",
            Class::Foreign => "foreign",
        }
    }

    /// What it is without its property: `authenticated`, `anonymous`, or the name itself.
    pub fn base(self) -> &'static str {
        match self {
            Class::Superseded => Class::Authenticated.name(),
            Class::Cart | Class::Pending2fa => Class::Anonymous.name(),
            _ => self.name(),
        }
    }

    /// What is special about this row of its base class.
    pub fn property(self) -> Option<&'static str> {
        match self {
            Class::Superseded => Some("superseded"),
            Class::Cart => Some("cart"),
            Class::Pending2fa => Some("pending-2fa"),
            _ => None,
        }
    }

    fn of(session: &Session<'_>) -> Class {
        if session.uid.is_some() {
            match session.deletion_time {
                Some(_) => Class::Superseded,
                None => Class::Authenticated,
            }
        } else if session.cart {
            Class::Cart
        } else if session.pending_2fa {
            Class::Pending2fa
        } else {
            Class::Anonymous
        }
    }
}

/// What reading a file brought.
pub enum Content<'a> {
    /// It reads as a session.
    Session(Session<'a>),
    /// It has no bytes at all; Odoo takes it for an empty session.
    Empty,
    /// It was read and is none.
    Unreadable(Unreadable),
    /// It could not be opened or read, so nobody knows.
    Unknown,
}

/// Why a file stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Its last save is within its window.
    Young,
    /// Its last save lies in the future or before 2010: the clock or the file is wrong.
    ImplausibleTime,
    /// It does not read as a session.
    Unreadable,
    /// It is not Odoo's.
    Foreign,
}

/// Why a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its last save is longer ago than its window.
    Expired,
    /// Odoo 19 has moved the session to a new file, and refuses this one.
    Superseded,
}

impl Reason {
    /// The name in JSON, in the log and in `--list`.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Expired => "expired",
            Reason::Superseded => "superseded",
        }
    }
}

/// What is to be done with a file, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Keep(Kept),
    /// It goes: `window` is the one that its age exceeds.
    Due {
        /// Why.
        reason: Reason,
        /// The inactivity window that decided.
        window: Duration,
    },
}

/// What can be said of a file before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// No need to read it.
    Settled(Class, Verdict),
    /// Its content decides.
    MustRead,
}

/// The windows and the moment they are applied at.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Inactivity windows.
    pub windows: Windows,
    /// The moment of the run, read once at its start.
    pub now: Timestamp,
    /// Condemn regular names that are older than every window without reading them.
    pub unread: bool,
}

impl Policy {
    /// The time since a last save, or `None` where that time is implausible.
    pub fn age(&self, mtime: Timestamp) -> Option<Duration> {
        let plausible = mtime >= EARLIEST && self.now.age(mtime) <= FUTURE_TOLERANCE;
        plausible.then(|| mtime.age(self.now))
    }

    /// Judges by kind, last save and size alone, as far as that is possible.
    pub fn glance(&self, kind: Kind, mtime: Timestamp, size: u64) -> Glance {
        let class = match kind {
            Kind::Foreign => {
                return Glance::Settled(Class::Foreign, Verdict::Keep(Kept::Foreign));
            }
            Kind::UnfinishedSave => Class::UnfinishedSave,
            Kind::UploadStash => Class::UploadStash,
            Kind::Flat | Kind::Sharded if size == 0 => Class::Anonymous,
            Kind::Flat | Kind::Sharded | Kind::Irregular => {
                if self
                    .age(mtime)
                    .is_some_and(|age| age <= self.windows.shortest())
                {
                    return Glance::Settled(Class::Recent, Verdict::Keep(Kept::Young));
                }
                let condemned = self.by_window(Class::Unclassified, mtime);
                let regular = kind.is_regular_session();
                if self.unread && regular && matches!(condemned, Verdict::Due { .. }) {
                    return Glance::Settled(Class::Unclassified, condemned);
                }
                return Glance::MustRead;
            }
        };
        Glance::Settled(class, self.by_window(class, mtime))
    }

    /// Judges a file of a kind that may be a session by what it says.
    pub fn judge(&self, kind: Kind, content: &Content<'_>, mtime: Timestamp) -> (Class, Verdict) {
        match content {
            Content::Session(session) => {
                let class = Class::of(session);
                (class, self.judge_session(class, session, mtime))
            }
            // Only a regular name makes an empty or a broken file Odoo's.
            _ if !kind.is_regular_session() => (Class::Foreign, Verdict::Keep(Kept::Foreign)),
            Content::Empty => (Class::Anonymous, self.by_window(Class::Anonymous, mtime)),
            Content::Unreadable(_) => (Class::Unreadable, self.by_window(Class::Unreadable, mtime)),
            Content::Unknown => (Class::Unreadable, Verdict::Keep(Kept::Unreadable)),
        }
    }

    fn judge_session(&self, class: Class, session: &Session<'_>, mtime: Timestamp) -> Verdict {
        match self.by_window(class, mtime) {
            Verdict::Due { window, .. } if class == Class::Superseded => {
                let refused = session
                    .deletion_time
                    .is_some_and(|at| at < self.now.secs as f64);
                if refused {
                    Verdict::Due {
                        reason: Reason::Superseded,
                        window,
                    }
                } else {
                    // Until its deletion time Odoo still accepts it.
                    self.by_window(Class::Authenticated, mtime)
                }
            }
            verdict => verdict,
        }
    }

    fn by_window(&self, class: Class, mtime: Timestamp) -> Verdict {
        match self.windows.of(class) {
            Some(window) => self.by_age(mtime, window),
            // Nothing else that is judged goes without a window.
            None => Verdict::Keep(Kept::Unreadable),
        }
    }

    fn by_age(&self, mtime: Timestamp, window: Duration) -> Verdict {
        match self.age(mtime) {
            None => Verdict::Keep(Kept::ImplausibleTime),
            Some(age) if age > window => Verdict::Due {
                reason: Reason::Expired,
                window,
            },
            Some(_) => Verdict::Keep(Kept::Young),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Uid;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const HOUR: i64 = 3_600;
    const DAY: i64 = 86_400;

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 86_400)
    }

    fn policy() -> Policy {
        let windows = Windows {
            authenticated: days(7),
            anonymous: days(1),
            cart: days(3),
            leftover: days(2),
            unreadable: None,
        };
        Policy {
            windows,
            now: NOW,
            unread: false,
        }
    }

    fn ago(secs: i64) -> Timestamp {
        Timestamp::from_secs(NOW.secs - secs)
    }

    fn visitor() -> Session<'static> {
        Session {
            uid: None,
            login: None,
            db: None,
            cart: false,
            pending_2fa: false,
            deletion_time: None,
        }
    }

    fn user() -> Session<'static> {
        Session {
            uid: Some(Uid::Number(2)),
            ..visitor()
        }
    }

    fn judged(session: Session<'static>, age: i64) -> (Class, Verdict) {
        policy().judge(Kind::Sharded, &Content::Session(session), ago(age))
    }

    fn expired(window: Duration) -> Verdict {
        Verdict::Due {
            reason: Reason::Expired,
            window,
        }
    }

    const YOUNG: Verdict = Verdict::Keep(Kept::Young);

    #[test]
    fn each_class_has_its_window() {
        let cart = || Session {
            cart: true,
            ..visitor()
        };
        for (session, class, window) in [
            (user(), Class::Authenticated, 7),
            (
                Session {
                    cart: true,
                    ..user()
                },
                Class::Authenticated,
                7,
            ),
            (visitor(), Class::Anonymous, 1),
            (
                Session {
                    pending_2fa: true,
                    ..visitor()
                },
                Class::Pending2fa,
                1,
            ),
            (cart(), Class::Cart, 3),
            (
                Session {
                    pending_2fa: true,
                    ..cart()
                },
                Class::Cart,
                3,
            ),
        ] {
            let edge = window * DAY;
            let at_edge = policy().judge(
                Kind::Flat,
                &Content::Session(Session {
                    login: None,
                    db: None,
                    ..session
                }),
                ago(edge),
            );
            assert_eq!(
                at_edge,
                (class, YOUNG),
                "exactly as old as the window is not older"
            );
            let session = match class {
                Class::Authenticated => user(),
                Class::Cart => cart(),
                Class::Pending2fa => Session {
                    pending_2fa: true,
                    ..visitor()
                },
                _ => visitor(),
            };
            assert_eq!(
                judged(session, edge + 1),
                (class, expired(days(window as u64)))
            );
        }
    }

    #[test]
    fn a_superseded_session_is_due_at_the_shortest_window_once_odoo_refuses_it() {
        let superseded = |at: i64| Session {
            deletion_time: Some((NOW.secs - at) as f64),
            ..user()
        };
        let due = Verdict::Due {
            reason: Reason::Superseded,
            window: days(1),
        };
        assert_eq!(judged(superseded(DAY), DAY), (Class::Superseded, YOUNG));
        assert_eq!(judged(superseded(DAY), DAY + 1), (Class::Superseded, due));
        assert_eq!(
            judged(superseded(-HOUR), DAY + 1),
            (Class::Superseded, YOUNG)
        );
        assert_eq!(
            judged(superseded(-HOUR), 7 * DAY + 1),
            (Class::Superseded, expired(days(7)))
        );
    }

    #[test]
    fn keeps_what_does_not_read_as_a_session() {
        let broken = Content::Unreadable(Unreadable::NotADictionary);
        let old = ago(900 * DAY);
        assert_eq!(
            policy().judge(Kind::Sharded, &broken, old),
            (Class::Unreadable, Verdict::Keep(Kept::Unreadable))
        );
        assert_eq!(
            policy().judge(Kind::Irregular, &broken, old),
            (Class::Foreign, Verdict::Keep(Kept::Foreign))
        );
        assert_eq!(
            policy().judge(Kind::Irregular, &Content::Empty, old),
            (Class::Foreign, Verdict::Keep(Kept::Foreign))
        );
    }

    #[test]
    fn an_unreadable_window_covers_what_was_read_and_nothing_else() {
        let mut policy = policy();
        policy.windows.unreadable = Some(days(30));
        let broken = Content::Unreadable(Unreadable::NotADictionary);
        let old = ago(31 * DAY);
        assert_eq!(
            policy.judge(Kind::Flat, &broken, old),
            (Class::Unreadable, expired(days(30)))
        );
        assert_eq!(
            policy.judge(Kind::Flat, &broken, ago(DAY)),
            (Class::Unreadable, YOUNG)
        );
        assert_eq!(
            policy.judge(Kind::Flat, &Content::Unknown, old),
            (Class::Unreadable, Verdict::Keep(Kept::Unreadable))
        );
        assert_eq!(
            policy.judge(Kind::Irregular, &broken, old),
            (Class::Foreign, Verdict::Keep(Kept::Foreign))
        );
    }

    #[test]
    fn an_implausible_time_keeps_the_file() {
        let keep = Verdict::Keep(Kept::ImplausibleTime);
        assert_eq!(judged(visitor(), -301).1, keep);
        assert_eq!(judged(visitor(), -300).1, YOUNG);
        let broken_clock = Timestamp::from_secs(EARLIEST.secs - 1);
        assert_eq!(
            policy()
                .judge(Kind::Flat, &Content::Session(visitor()), broken_clock)
                .1,
            keep
        );
        assert_eq!(
            policy().glance(Kind::UnfinishedSave, broken_clock, 0),
            Glance::Settled(Class::UnfinishedSave, keep)
        );
    }

    #[test]
    fn a_glance_settles_what_content_cannot_change() {
        let policy = policy();
        let settled = |kind, age, size| policy.glance(kind, ago(age), size);
        assert_eq!(
            settled(Kind::Foreign, 900 * DAY, 0),
            Glance::Settled(Class::Foreign, Verdict::Keep(Kept::Foreign))
        );
        assert_eq!(
            settled(Kind::Flat, DAY, 9),
            Glance::Settled(Class::Recent, YOUNG)
        );
        assert_eq!(settled(Kind::Flat, DAY + 1, 9), Glance::MustRead);
        assert_eq!(settled(Kind::Irregular, DAY + 1, 0), Glance::MustRead);
        assert_eq!(
            settled(Kind::Sharded, DAY + 1, 0),
            Glance::Settled(Class::Anonymous, expired(days(1)))
        );
        for (kind, class) in [
            (Kind::UnfinishedSave, Class::UnfinishedSave),
            (Kind::UploadStash, Class::UploadStash),
        ] {
            assert_eq!(settled(kind, 2 * DAY, 5), Glance::Settled(class, YOUNG));
            assert_eq!(
                settled(kind, 2 * DAY + 1, 5),
                Glance::Settled(class, expired(days(2)))
            );
        }
    }

    #[test]
    fn unread_condemns_regular_names_older_than_every_window() {
        let policy = Policy {
            unread: true,
            ..policy()
        };
        let seven = 7 * DAY;
        let condemned = Glance::Settled(Class::Unclassified, expired(days(7)));
        assert_eq!(policy.glance(Kind::Flat, ago(seven + 1), 9), condemned);
        assert_eq!(policy.glance(Kind::Flat, ago(seven), 9), Glance::MustRead);
        assert_eq!(
            policy.glance(Kind::Irregular, ago(seven + 1), 9),
            Glance::MustRead
        );
        let broken_clock = Timestamp::from_secs(EARLIEST.secs - 1);
        assert_eq!(policy.glance(Kind::Flat, broken_clock, 9), Glance::MustRead);
    }
}
