//! What each value of the policy is, and who said so.

use std::time::Duration;

use crate::cli;
use crate::policy::{LastSeen, LoginPattern};
use crate::redact::{self, Shown};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
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
        match self {
            Source::Environment => cli::variable(key),
            Source::File {
                file,
                section,
                line,
            } => format!(
                "{file} line {line}: {key} in [{}]",
                redact::printable(section.as_bytes())
            ),
            Source::CommandLine | Source::Default => format!("--{}", key.replace('_', "-")),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Source::File { .. })
    }
}

/// A value that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effective {
    /// The option's name, with underscores.
    pub option: &'static str,
    /// The database that it is for; `None` for all that do not set it themselves.
    pub database: Option<String>,
    pub value: Value,
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// A window or a lifetime.
    Duration(Duration),
    Logins(Vec<String>),
    Switch(bool),
    LastSeen(LastSeen),
    /// Nothing, which for these options means: never.
    Never,
}

impl Value {
    pub(super) fn or_never(duration: Option<Duration>) -> Value {
        duration.map_or(Value::Never, Value::Duration)
    }

    pub(super) fn logins(logins: Vec<LoginPattern>) -> Value {
        let written = logins.iter().map(|login| login.as_str().to_owned());
        Value::Logins(written.collect())
    }
}
