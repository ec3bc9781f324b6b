//! The rows of the report.

use crate::session::Session;

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
    pub const ALL: [Class; 12] = [
        Class::Authenticated,
        Class::Protected,
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
            Class::Protected => "authenticated-protected",
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
            Class::Protected | Class::Superseded => Class::Authenticated.name(),
            Class::Cart | Class::Pending2fa => Class::Anonymous.name(),
            _ => self.name(),
        }
    }

    /// What is special about this row of its base class.
    pub fn property(self) -> Option<&'static str> {
        match self {
            Class::Protected => Some("protected"),
            Class::Superseded => Some("superseded"),
            Class::Cart => Some("cart"),
            Class::Pending2fa => Some("pending-2fa"),
            _ => None,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_a_row_of_its_base_and_no_two_have_one_name() {
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
                ("unclassified", None),
                ("unreadable", None),
                ("unfinished-save", None),
                ("upload-stash", None),
                ("foreign", None),
            ]
        );
        let mut names = Class::ALL.map(Class::name);
        assert_eq!(names[1], "authenticated-protected");
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]));
    }
}
