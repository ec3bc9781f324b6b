//! What each value of the policy is, and who said so.

use std::time::Duration;

use crate::cli;
use crate::policy::LastSeen;
use crate::redact::{self, Shown};

/// Who said a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An option of the command line.
    CommandLine,
    /// An environment variable.
    Environment,
    /// A line of `odoo.conf`.
    File {
        /// The file.
        file: Shown,
        /// The section, without its brackets.
        section: String,
        /// The 1-based line.
        line: usize,
    },
    /// Nobody.
    Default,
}

impl Source {
    /// The value's name where it was said, for an error to begin with.
    pub(super) fn name(&self, key: &str) -> String {
        let long = key.replace('_', "-");
        match self {
            Source::Environment => cli::variable(&long),
            Source::File {
                file,
                section,
                line,
            } => format!(
                "{file} line {line}: {key} in [{}]",
                redact::printable(section.as_bytes())
            ),
            Source::CommandLine | Source::Default => format!("--{long}"),
        }
    }

    /// How one more switch is set beside this value.
    pub(super) fn switch(&self, key: &str) -> String {
        match self {
            Source::File { .. } => format!("add {key} = True to that section"),
            _ => format!("add --{}", key.replace('_', "-")),
        }
    }
}

/// A value that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The option's name, with underscores.
    pub option: &'static str,
    /// The database that it is for; `None` for all that do not set it themselves.
    pub database: Option<String>,
    /// The value.
    pub value: Value,
    /// Who said so.
    pub source: Source,
}

/// The value of an option of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A window or a lifetime.
    Duration(Duration),
    /// Patterns of logins.
    Logins(Vec<String>),
    /// A switch.
    Switch(bool),
    /// What tells when a session was used last.
    LastSeen(LastSeen),
    /// Nothing, which for these options means: never.
    Never,
}

impl From<Option<Duration>> for Value {
    fn from(duration: Option<Duration>) -> Value {
        duration.map_or(Value::Never, Value::Duration)
    }
}
