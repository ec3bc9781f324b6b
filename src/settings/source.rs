//! What each value of the policy is, and who said so.

use std::time::Duration;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::cli;
use crate::redact::{self, Shown};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    CommandLine,
    Environment,
    File {
        file: Shown,
        /// Without its brackets.
        section: Shown,
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
            } => format!("{file} line {line}: {key} in [{section}]"),
            Source::CommandLine | Source::Default => format!("--{}", key.replace('_', "-")),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self, Source::File { .. })
    }

    /// Who it is, in JSON.
    pub fn who(&self) -> &'static str {
        match self {
            Source::CommandLine => "command-line",
            Source::Environment => "environment",
            Source::File { .. } => "file",
            Source::Default => "default",
        }
    }
}

/// As who it is, and as the place in the `odoo.conf`, if it was said there.
impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = match self {
            Source::File {
                file,
                section,
                line,
            } => Some((file, section, line)),
            _ => None,
        };
        let mut source = serializer.serialize_struct("Source", 4)?;
        source.serialize_field("source", self.who())?;
        source.serialize_field("file", &place.map(|(file, ..)| file))?;
        source.serialize_field("section", &place.map(|(_, section, _)| section))?;
        source.serialize_field("line", &place.map(|(.., line)| line))?;
        source.end()
    }
}

/// A value that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Effective {
    /// The option's name, with underscores.
    pub option: &'static str,
    /// The database that it is for; `None` for all that do not set it themselves.
    pub database: Option<Shown>,
    pub value: Value,
    #[serde(flatten)]
    pub source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// A window or a lifetime, in seconds.
    Duration(#[serde(serialize_with = "seconds")] Duration),
    /// Patterns of logins.
    Logins(Vec<Shown>),
    /// How many patterns of logins there are, where logins may not be shown.
    Hidden(usize),
    Switch(bool),
    Word(&'static str),
    /// Nothing, which for these options means: never.
    Never,
}

impl Value {
    pub(super) fn or_never(duration: Option<Duration>) -> Value {
        duration.map_or(Value::Never, Value::Duration)
    }

    pub fn logins<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Value {
        let patterns = patterns.into_iter().map(str::as_bytes);
        Value::Logins(patterns.map(redact::printable).collect())
    }

    /// Without logins, unless they may be `shown`.
    pub fn with_logins(&self, shown: bool) -> Value {
        match self {
            Value::Logins(patterns) if !shown => Value::Hidden(patterns.len()),
            value => value.clone(),
        }
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}
