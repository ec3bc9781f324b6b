//! What each value of the policy is, and who said so.

use std::time::Duration;

use crate::cli;
use crate::policy::{LastSeen, LoginPattern};
use crate::redact::{self, Shown};

/// Who said a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    CommandLine,
    Environment,
    File {
        file: Shown,
        /// Without its brackets.
        section: String,
        /// 1-based.
        line: usize,
    },
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
    pub value: Value,
    pub source: Source,
}

/// The value of an option of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A window or a lifetime.
    Duration(Duration),
    Logins(Vec<String>),
    Switch(bool),
    LastSeen(LastSeen),
    /// Nothing, which for these options means: never.
    Never,
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Value {
        Value::Duration(duration)
    }
}

impl From<Option<Duration>> for Value {
    fn from(duration: Option<Duration>) -> Value {
        duration.map_or(Value::Never, Value::Duration)
    }
}

impl From<Vec<LoginPattern>> for Value {
    fn from(logins: Vec<LoginPattern>) -> Value {
        let written = logins.iter().map(|login| login.as_str().to_owned());
        Value::Logins(written.collect())
    }
}

impl From<bool> for Value {
    fn from(on: bool) -> Value {
        Value::Switch(on)
    }
}

impl From<LastSeen> for Value {
    fn from(last_seen: LastSeen) -> Value {
        Value::LastSeen(last_seen)
    }
}
