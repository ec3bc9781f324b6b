//! The policy: command line, environment, `odoo.conf` and defaults, value by value, each checked where it was given.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::given::Given;
use super::section::{Section, Sections, options};
use super::source::{Effective, Source, Value};
use crate::policy::{LastSeen, LoginPattern, Rules, Windows};
use crate::redact;
use crate::time::words;

/// Below this a user who works without loading a page is logged out: Odoo 18 and newer save at most once an
/// hour on routed requests, 16 and 17 every 60 to 90 minutes from an idle tab.
const SHORTEST_LOGIN: Duration = Duration::from_secs(2 * 3_600);

/// A visitor sends a form, and takes the next step of an order, with the session of the page before. Whoever writes less
/// mostly means months, and wrote `m`.
const SHORTEST_VISIT: Duration = Duration::from_secs(10 * 60);

/// A save takes milliseconds, but deleting its temporary file loses the session; one hour is ample.
const SHORTEST_LEFTOVER: Duration = Duration::from_secs(3_600);

/// The policy as it was given.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// For sessions of databases without rules of their own.
    pub general: Rules,
    /// For those of databases with rules of their own.
    pub databases: BTreeMap<String, Rules>,
    pub last_seen: LastSeen,
    /// Every value that is in force, with who said so.
    pub effective: Vec<Effective>,
}

impl Resolved {
    /// Refuses rules that go by what a file says, for a run that does not read it.
    pub fn must_not_need_reading(&self) -> Result<(), SettingsError> {
        let rule = self.effective.iter().find_map(|it| match &it.value {
            Value::Logins(logins) if !logins.is_empty() => Some((it, "whose login it is")),
            Value::Duration(_) if it.option == "max_lifetime" => {
                Some((it, "when its user logged in"))
            }
            _ => None,
        });
        let Some((rule, what)) = rule else {
            return Ok(());
        };
        Err(SettingsError::usage(format!(
            "--by-age-only deletes a session without reading it, and so without knowing {what}, but there is {}: \
             run without --by-age-only",
            rule.source.name(rule.option)
        )))
    }
}

/// Reads and checks the policy. `sections` are those of the `odoo.conf` that is in use.
///
/// # Errors
/// A value that is no duration, pattern or switch, that is too short to be safe, or that cannot be meant.
pub(super) fn resolve(
    matches: &ArgMatches,
    sections: &Sections,
) -> Result<Resolved, SettingsError> {
    let all = given(matches, &sections.general);
    let mut general = Scope::new(&all, None);
    let mut resolved = Resolved {
        general: general.rules()?,
        databases: BTreeMap::new(),
        last_seen: general.read("last_seen", Given::last_seen, |it| Value::Word(it.name()))?,
        effective: general.effective,
    };
    for (name, own) in &sections.databases {
        // It has the general values, whoever gave them, but for its own.
        let mut section = all.clone();
        section.extend(own.clone());
        let mut scope = Scope::new(&section, Some(name));
        resolved.databases.insert(name.clone(), scope.rules()?);
        let values = scope.effective.into_iter();
        resolved
            .effective
            .extend(values.filter(|value| own.contains_key(value.option)));
    }
    Ok(resolved)
}

/// What was given for all: the command line beats the environment, which beats the section, which beats the default.
fn given(matches: &ArgMatches, section: &Section) -> Section {
    let mut given = section.clone();
    for key in options() {
        let source = match matches.value_source(&key) {
            Some(ValueSource::CommandLine) => Source::CommandLine,
            Some(ValueSource::EnvVariable) => Source::Environment,
            _ if section.contains_key(&key) => continue,
            _ => Source::Default,
        };
        let values = matches.get_raw(&key).into_iter().flatten();
        let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
        let text = values.join("\n");
        given.insert(key.clone(), Given { key, text, source });
    }
    given
}

/// The values that hold for some sessions: those of one database, or those of all that have none of their own.
struct Scope<'a> {
    given: &'a Section,
    database: Option<&'a str>,
    effective: Vec<Effective>,
}

impl<'a> Scope<'a> {
    fn new(given: &'a Section, database: Option<&'a str>) -> Scope<'a> {
        Scope {
            given,
            database,
            effective: Vec::new(),
        }
    }

    /// Each option, named here and in the command line's definition.
    fn rules(&mut self) -> Result<Rules, SettingsError> {
        let authenticated = self.read("authenticated_window", Given::duration, Value::Duration)?;
        let anonymous = self.read("anonymous_window", Given::duration, Value::Duration)?;
        let as_users = |given: &Given| Ok(given.duration_if_set()?.unwrap_or(authenticated));
        let cart = self.read("cart_window", as_users, Value::Duration)?;
        let allow_short = self.read("allow_short_window", Given::switch, Value::Switch)?;
        let told =
            |logins: Vec<LoginPattern>| Value::logins(logins.iter().map(LoginPattern::as_str));
        let keep_logins = self.read("keep_login", Given::logins, told)?;
        let max_lifetime = self.read("max_lifetime", Given::duration_if_set, Value::or_never)?;
        let leftover = self.read("leftover_window", Given::duration, Value::Duration)?;
        let unreadable = self.read("unreadable_window", Given::duration_if_set, Value::or_never)?;

        let rules = Rules {
            windows: Windows {
                authenticated,
                anonymous,
                cart,
                leftover,
                unreadable,
            },
            keep_logins,
            max_lifetime,
        };
        self.check(&rules, allow_short)?;
        Ok(rules)
    }

    /// Refuses what ends the sessions of people who are at work, unless that is meant, and what breaks a save.
    fn check(&self, rules: &Rules, allow_short: bool) -> Result<(), SettingsError> {
        let windows = &rules.windows;
        if windows.leftover < SHORTEST_LEFTOVER {
            let given = self.given("leftover_window");
            return Err(SettingsError::usage(format!(
                "{} is {} ({}), but a save that is still under way must not lose its file: give at least 1h",
                given.name(),
                given.text,
                words(windows.leftover)
            )));
        }
        if allow_short {
            return Ok(());
        }
        let users = "logs out users who are working: Odoo does not save on each click";
        let logins =
            "logs out users who are working: it counts from the login, however active they are";
        let visitors =
            "ends sessions of visitors who are still there: Odoo does not save on each click";
        let (user, visitor) = (SHORTEST_LOGIN, SHORTEST_VISIT);
        self.not_under(user, "authenticated_window", windows.authenticated, users)?;
        if let Some(lifetime) = rules.max_lifetime {
            self.not_under(user, "max_lifetime", lifetime, logins)?;
        }
        self.not_under(visitor, "anonymous_window", windows.anonymous, visitors)?;
        self.not_under(visitor, "cart_window", windows.cart, visitors)
    }

    /// What is given for an option; `read` also decides what it means that nobody gave any.
    fn read<T: Clone>(
        &mut self,
        option: &'static str,
        read: impl Fn(&Given) -> Result<T, SettingsError>,
        told: impl Fn(T) -> Value,
    ) -> Result<T, SettingsError> {
        let given = self.given(option);
        let value = read(&given)?;
        self.effective.push(Effective {
            option,
            database: self.database.map(|name| redact::printable(name.as_bytes())),
            value: told(value.clone()),
            source: given.source,
        });
        Ok(value)
    }

    fn given(&self, option: &str) -> Given {
        self.given.get(option).cloned().unwrap_or_else(|| Given {
            key: option.to_owned(),
            text: String::new(),
            source: Source::Default,
        })
    }

    fn not_under(
        &self,
        shortest: Duration,
        option: &str,
        value: Duration,
        why: &str,
    ) -> Result<(), SettingsError> {
        if value >= shortest {
            return Ok(());
        }
        let given = self.given(option);
        let whose = self.database.map_or(String::new(), |name| {
            format!(", for database {}", redact::printable(name.as_bytes()))
        });
        let switch = match given.source.is_file() {
            true => "add allow_short_window = True to that section",
            false => "add --allow-short-window",
        };
        Err(SettingsError::usage(format!(
            "{} is {} ({}){whose}, which is under {} and {why}. If that is meant, \
             {switch}; m is minutes, M is months",
            given.name(),
            given.text,
            words(value),
            words(shortest),
        )))
    }
}

#[cfg(test)]
mod tests;
