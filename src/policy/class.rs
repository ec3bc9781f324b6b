//! The rows of the report, and their words: each class has one, wherever it is told.

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::session::Session;

/// What a class is called.
struct Words {
    base: &'static str,
    property: Option<&'static str>,
    label: &'static str,
    meaning: &'static str,
}

/// A row of the report: what a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A session of a logged-in user.
    Authenticated,
    /// A session of a logged-in user whose login is protected: it never expires.
    Protected,
    /// A logged-in session that Odoo (19 or newer) has moved to a new file; the old one is refused.
    Superseded,
    /// A visitor's session with a cart or a wishlist.
    Cart,
    /// A visitor who gave the password, but not yet the second factor.
    Pending2fa,
    /// Any other visitor's session, and zero-byte files.
    Anonymous,
    /// A session that is younger than every window, and was not read for that.
    Recent,
    /// A session that its age alone has condemned (`reap --by-age-only`).
    NotRead,
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
    pub const ALL: [Class; 12] = [
        Class::Authenticated,
        Class::Protected,
        Class::Superseded,
        Class::Cart,
        Class::Pending2fa,
        Class::Anonymous,
        Class::Recent,
        Class::NotRead,
        Class::Unreadable,
        Class::UnfinishedSave,
        Class::UploadStash,
        Class::Foreign,
    ];

    /// All its words, in one place.
    fn words(self) -> Words {
        #[rustfmt::skip]
        let (base, property, label, meaning) = match self {
            Class::Authenticated => ("authenticated", None, "authenticated", "somebody is logged in"),
            Class::Protected => ("authenticated", Some("protected"), "authenticated, protected", "logged in, and --keep-login protects the login"),
            Class::Superseded => ("authenticated", Some("superseded"), "superseded", "Odoo 19 or newer moved the login to a new file"),
            Class::Cart => ("anonymous", Some("cart"), "anonymous, cart", "a visitor with a cart or a wishlist"),
            Class::Pending2fa => ("anonymous", Some("pending-2fa"), "anonymous, pending 2FA", "the password was right, the second factor is missing"),
            Class::Anonymous => ("anonymous", None, "anonymous", "a visitor; also an empty file"),
            Class::Recent => ("recent", None, "recent", "younger than every window, so not read; an audit classifies them"),
            Class::NotRead => ("not-read", None, "not read", "older than every window: their age alone condemned them"),
            Class::Unreadable => ("unreadable", None, "unreadable", "named like a session, but does not read as one"),
            Class::UnfinishedSave => ("unfinished-save", None, "unfinished save", "what a crashed save left behind"),
            Class::UploadStash => ("upload-stash", None, "upload stash", "what a visitor uploaded before logging in"),
            Class::Foreign => ("foreign", None, "foreign", "not Odoo's, and never touched"),
        };
        Words {
            base,
            property,
            label,
            meaning,
        }
    }

    /// What it is without its property: `authenticated`, `anonymous`, or the name itself.
    pub fn base(self) -> &'static str {
        self.words().base
    }

    /// What is special about this row of its base class.
    pub fn property(self) -> Option<&'static str> {
        self.words().property
    }

    /// The class in a report for people.
    pub fn label(self) -> &'static str {
        self.words().label
    }

    /// The label, explained.
    pub fn meaning(self) -> &'static str {
        self.words().meaning
    }

    /// Whether it is a login, whatever its property.
    pub fn is_login(self) -> bool {
        self.base() == Class::Authenticated.base()
    }

    /// Whether it is a session that was read, whoever it belongs to.
    pub(crate) fn is_session(self) -> bool {
        self.is_login() || self.base() == Class::Anonymous.base()
    }

    /// Whether reads tell that it is in use. Who is active reads the new file of a superseded session, and no older one. What
    /// was not read may be a login.
    pub(super) fn reads_count(self) -> bool {
        matches!(
            self,
            Class::Authenticated | Class::Protected | Class::Cart | Class::NotRead
        )
    }

    /// What the session says it is; that its login is protected, only the policy knows.
    pub(super) fn of(session: &Session<'_>) -> Class {
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

/// As its base and its property.
impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Class", 2)?;
        row.serialize_field("class", self.base())?;
        row.serialize_field("property", &self.property())?;
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_a_row_of_its_base_and_no_two_have_one_word() {
        let rows = Class::ALL.map(|class| (class.base(), class.property()));
        assert_eq!(
            rows,
            [
                ("authenticated", None),
                ("authenticated", Some("protected")),
                ("authenticated", Some("superseded")),
                ("anonymous", Some("cart")),
                ("anonymous", Some("pending-2fa")),
                ("anonymous", None),
                ("recent", None),
                ("not-read", None),
                ("unreadable", None),
                ("unfinished-save", None),
                ("upload-stash", None),
                ("foreign", None),
            ]
        );
        let logins = Class::ALL.map(Class::is_login);
        assert!(logins[..3].iter().all(|login| *login) && !logins[3..].contains(&true));
        let sessions = Class::ALL.map(Class::is_session);
        assert!(sessions[..6].iter().all(|session| *session) && !sessions[6..].contains(&true));
        for word in [Class::label, Class::meaning] {
            let mut words = Class::ALL.map(word);
            words.sort_unstable();
            assert!(words.windows(2).all(|two| two[0] != two[1]), "{words:?}");
        }
    }
}
