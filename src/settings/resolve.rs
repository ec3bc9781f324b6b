//! The policy: command line, environment, `odoo.conf` and defaults, value by value, each checked where it was given.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::given::Given;
use super::scope::Scope;
use super::section::{Section, Sections, options};
use super::source::{Effective, Source};
use crate::policy::{LastSeen, Rules};
use crate::redact;
use crate::time::words;

/// A save takes milliseconds, but deleting its temporary file loses the session; one hour is ample.
const SHORTEST_LEFTOVER: Duration = Duration::from_secs(3_600);

/// The policy as it was given.
#[derive(Debug)]
pub(super) struct Resolved {
    /// For sessions of databases without rules of their own.
    pub general: Rules,
    /// For those of databases with rules of their own.
    pub databases: BTreeMap<String, Rules>,
    pub last_seen: LastSeen,
    /// Every value that is in force, with who said so.
    pub effective: Vec<Effective>,
}

/// Reads and checks the policy. `sections` are those of the `odoo.conf` that is in use, if there is one.
///
/// # Errors
/// A value that is no duration, pattern or switch, that is too short to be safe, or that cannot be meant.
pub(super) fn resolve(
    matches: &ArgMatches,
    sections: &Sections,
) -> Result<Resolved, SettingsError> {
    let given = given(matches, &sections.general);
    let leftover = given.read("leftover_window", None, Given::duration)?;
    if leftover.value < SHORTEST_LEFTOVER {
        return Err(SettingsError::usage(format!(
            "{} is {} ({}), but a save that is still under way must not lose its file: give at least 1h",
            leftover.given.name(),
            leftover.given.text,
            words(leftover.value)
        )));
    }
    let unreadable = given.read("unreadable_window", None, Given::duration_if_set)?;
    let last_seen = given.read("last_seen", None, Given::last_seen)?;
    let of_all = (leftover.value, unreadable.value);

    let general = Scope::read(&given, None)?;
    general.check("")?;
    let mut effective = general.effective(None).to_vec();
    effective.extend([
        leftover.effective(None),
        unreadable.effective(None),
        last_seen.effective(None),
    ]);

    let mut databases = BTreeMap::new();
    for (name, section) in &sections.databases {
        let own = Scope::read(section, Some(&general))?;
        let shown = redact::printable(name.as_bytes());
        own.check(&format!(", for database {shown}"))?;
        let values = own.effective(Some(name)).into_iter();
        effective.extend(values.filter(|value| section.has(value.option)));
        databases.insert(name.clone(), own.rules(of_all));
    }
    Ok(Resolved {
        general: general.rules(of_all),
        databases,
        last_seen: last_seen.value,
        effective,
    })
}

/// What was given for all: the command line beats the environment, which beats the section, which beats the default.
fn given(matches: &ArgMatches, section: &Section) -> Section {
    let mut given = section.clone();
    for option in options() {
        let source = match matches.value_source(&option) {
            Some(ValueSource::CommandLine) => Source::CommandLine,
            Some(ValueSource::EnvVariable) => Source::Environment,
            Some(_) if !section.has(&option) => Source::Default,
            _ => continue,
        };
        let values = matches.get_raw(&option).into_iter().flatten();
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        given.set(option, values.join("\n"), source);
    }
    given
}

#[cfg(test)]
mod tests;
