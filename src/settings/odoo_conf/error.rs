//! Why there is no reading an `odoo.conf`, without quoting any of it but names: it holds database passwords.

use std::fmt;

/// The first thing in the file that stops Odoo, and so us, from reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfError {
    /// The 1-based line on which it stands.
    pub line: usize,
    what: String,
}

impl ConfError {
    pub(in crate::settings) fn new(line: usize, what: impl Into<String>) -> ConfError {
        ConfError {
            line,
            what: what.into(),
        }
    }
}

impl std::error::Error for ConfError {}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A name fit for a terminal and a log: no control characters, and cut off, for a malformed line can make a name of anything.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = name
        .chars()
        .take(LONGEST)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
