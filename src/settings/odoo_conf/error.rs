//! Why a file is not a valid `odoo.conf`, without quoting any of it but names: it holds database passwords.

use std::fmt;

/// The first thing in the file that stops Odoo, and so us, from reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfError {
    /// The 1-based line on which it stands.
    pub line: usize,
    /// What it is.
    pub kind: ConfErrorKind,
}

/// What can be wrong with an `odoo.conf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfErrorKind {
    /// A byte that is not UTF-8.
    NotUtf8,
    /// Something else than a comment before the first header (Python's `MissingSectionHeaderError`).
    NoSectionYet {
        /// It is a byte order mark that hides the header.
        byte_order_mark: bool,
    },
    /// Neither a header nor an option nor deep enough to continue one (Python's `ParsingError`).
    NotAnOption,
    /// A `=` or `:` with nothing before it (Python's `ParsingError`).
    NoName,
    /// The same option twice in one section (Python's `DuplicateOptionError`).
    DuplicateOption {
        /// The section, which may be `DEFAULT`.
        section: String,
        /// The option in lower case.
        option: String,
        /// The line it stands on first.
        first: usize,
    },
    /// The same section twice (Python's `DuplicateSectionError`).
    DuplicateSection {
        /// The section.
        section: String,
        /// The line it begins on first.
        first: usize,
    },
}

impl ConfError {
    pub(super) fn new(line: usize, kind: ConfErrorKind) -> ConfError {
        ConfError { line, kind }
    }
}

impl std::error::Error for ConfError {}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.kind {
            ConfErrorKind::NotUtf8 => write!(f, "not valid UTF-8: save the file as UTF-8"),
            ConfErrorKind::NoSectionYet {
                byte_order_mark: true,
            } => write!(
                f,
                "the file begins with a byte order mark, which Odoo does not understand: save it as UTF-8 without one"
            ),
            ConfErrorKind::NoSectionYet { .. } => {
                write!(f, "no section has begun yet: put [options] above this line")
            }
            ConfErrorKind::NotAnOption => write!(
                f,
                "neither [section] nor `name = value`: complete it, begin it with # to make it a comment, \
                 or indent it to continue the value above"
            ),
            ConfErrorKind::NoName => {
                write!(f, "a value without an option name: put one before it")
            }
            ConfErrorKind::DuplicateOption {
                section,
                option,
                first,
            } => write!(
                f,
                "option '{}' stands twice in section [{}] (first on line {first}): remove one of the two",
                Name(option),
                Name(section)
            ),
            ConfErrorKind::DuplicateSection { section, first } => write!(
                f,
                "section [{}] stands twice (first on line {first}): merge the two",
                Name(section)
            ),
        }
    }
}

/// A name fit for a terminal and a log: no control characters, and cut off, for a malformed line can make a name of anything.
struct Name<'a>(&'a str);

impl Name<'_> {
    const SHOWN: usize = 40;
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().take(Name::SHOWN) {
            write!(f, "{}", c.escape_debug())?;
        }
        let cut = self.0.chars().nth(Name::SHOWN).is_some();
        f.write_str(if cut { "…" } else { "" })
    }
}
