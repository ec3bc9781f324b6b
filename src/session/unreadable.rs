//! Why a file is no session.

use std::fmt;

/// Why a file does not read as a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unreadable {
    /// Begins like neither format; an empty file, too.
    UnknownFormat,
    /// Sound so far, but a list, a number, an object: Odoo answers HTTP 500 to its owner.
    NotADictionary,
    /// A dictionary without `uid`, or with fewer than two of Odoo's other keys.
    NotOdoosKeys,
    /// Begins like JSON that Python would not read.
    BrokenJson,
    /// Begins like a pickle that Python would not read.
    BrokenPickle,
    /// A pickle with operations that no Odoo session has.
    UnsupportedOpcode,
    /// Longer than [`MAX_BYTES`](super::MAX_BYTES).
    TooLarge,
}

impl Unreadable {
    /// The reason in a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Unreadable::UnknownFormat => "neither JSON nor pickle",
            Unreadable::NotADictionary => "not a dictionary",
            Unreadable::NotOdoosKeys => "not Odoo's keys",
            Unreadable::BrokenJson => "broken JSON",
            Unreadable::BrokenPickle => "broken pickle",
            Unreadable::UnsupportedOpcode => "unsupported pickle opcode",
            Unreadable::TooLarge => "larger than 16 MiB",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::error::Error for Unreadable {}
