//! The policy: command line, environment, `odoo.conf` and defaults, value by value, each checked where it was said.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::said::Said;
use super::section::{Section, Sections};
use super::source::{Effective, Source, Value};
use crate::policy::{LastSeen, LoginPattern, Rules, Windows};
use crate::redact;
use crate::time::words;

/// Below this a user who works without loading a page is logged out: Odoo 18 and newer save at most once an
/// hour on routed requests, 16 and 17 every 60 to 90 minutes from an idle tab.
const SHORTEST_LOGIN: Duration = Duration::from_secs(2 * 3_600);

/// A save takes milliseconds, but deleting its temporary file loses the session; one hour is ample.
const SHORTEST_LEFTOVER: Duration = Duration::from_secs(3_600);

/// The policy as it was told.
#[derive(Debug)]
pub(super) struct Told {
    /// For sessions of databases without rules of their own.
    pub general: Rules,
    /// For those of databases with rules of their own.
    pub databases: BTreeMap<String, Rules>,
    /// What tells when a session was used last.
    pub last_seen: LastSeen,
    /// Every value that is in force, with who said so.
    pub effective: Vec<Effective>,
}

/// Reads and checks the policy. `sections` are those of the `odoo.conf` that is in use, if there is one.
///
/// # Errors
/// A value that is no duration, pattern or switch, that is too short to be safe, or that cannot be meant.
pub(super) fn told(matches: &ArgMatches, sections: &Sections) -> Result<Told, SettingsError> {
    let said = |key| said(key, matches, &sections.general);
    let leftover = Of::read(said("leftover_window"), Said::duration)?;
    if leftover.value < SHORTEST_LEFTOVER {
        return Err(SettingsError::usage(format!(
            "{} is {} ({}), but a save that is still under way must not lose its file: give at least 1h",
            leftover.source.name("leftover_window"),
            leftover.text,
            words(leftover.value)
        )));
    }
    let unreadable = Of::read(said("unreadable_window"), Said::duration_if_set)?;
    let last_seen = Of::read(said("last_seen"), Said::last_seen)?;
    let of_all = (leftover.value, unreadable.value);

    let general = Scope {
        allow_short: Of::read(said("allow_short_window"), Said::switch)?,
        authenticated: Of::read(said("authenticated_window"), Said::duration)?,
        anonymous: Of::read(said("anonymous_window"), Said::duration)?,
        cart: Of::read(said("cart_window"), Said::duration_if_set)?,
        keep_logins: Of::read(said("keep_login"), Said::logins)?,
        max_lifetime: Of::read(said("max_lifetime"), Said::duration_if_set)?,
    };
    general.check("")?;
    let mut effective = general.effective(None);
    let mut add = |option, value, source| {
        effective.push(Effective {
            option,
            database: None,
            value,
            source,
        });
    };
    add(
        "leftover_window",
        Value::Duration(leftover.value),
        leftover.source,
    );
    add(
        "unreadable_window",
        unreadable.value.into(),
        unreadable.source,
    );
    add(
        "last_seen",
        Value::LastSeen(last_seen.value),
        last_seen.source,
    );

    let mut databases = BTreeMap::new();
    for (name, section) in &sections.databases {
        let own = general.overridden_by(section)?;
        let shown = redact::printable(name.as_bytes());
        own.check(&format!(", for database {shown}"))?;
        let values = own.effective(Some(name)).into_iter();
        effective.extend(values.filter(|value| section.get(value.option).is_some()));
        databases.insert(name.clone(), own.rules(of_all));
    }
    Ok(Told {
        general: general.rules(of_all),
        databases,
        last_seen: last_seen.value,
        effective,
    })
}

/// What was said for all: the command line beats the environment, which beats the section, which beats the default.
fn said(key: &'static str, matches: &ArgMatches, section: &Section) -> Said {
    let source = match matches.value_source(key) {
        Some(ValueSource::CommandLine) => Source::CommandLine,
        Some(ValueSource::EnvVariable) => Source::Environment,
        _ => match section.get(key) {
            Some(said) => return said.clone(),
            None => Source::Default,
        },
    };
    let values = matches.get_raw(key).into_iter().flatten();
    let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    Said {
        key,
        text: values.join("\n"),
        source,
    }
}

/// A value and who said it.
#[derive(Clone)]
struct Of<T> {
    value: T,
    /// As it was written.
    text: String,
    source: Source,
}

impl<T: Clone> Of<T> {
    fn read(
        said: Said,
        read: impl Fn(&Said) -> Result<T, SettingsError>,
    ) -> Result<Of<T>, SettingsError> {
        Ok(Of {
            value: read(&said)?,
            text: said.text,
            source: said.source,
        })
    }

    fn or_own(
        &self,
        own: Option<&Said>,
        read: impl Fn(&Said) -> Result<T, SettingsError>,
    ) -> Result<Of<T>, SettingsError> {
        own.map_or_else(|| Ok(self.clone()), |own| Of::read(own.clone(), read))
    }
}

/// The values that a database may have of its own.
struct Scope {
    allow_short: Of<bool>,
    authenticated: Of<Duration>,
    anonymous: Of<Duration>,
    /// `None` is the authenticated window.
    cart: Of<Option<Duration>>,
    keep_logins: Of<Vec<LoginPattern>>,
    max_lifetime: Of<Option<Duration>>,
}

impl Scope {
    /// A database has the general values, whoever said them, but for those that its own section says.
    fn overridden_by(&self, section: &Section) -> Result<Scope, SettingsError> {
        let own = |key| section.get(key);
        Ok(Scope {
            allow_short: self
                .allow_short
                .or_own(own("allow_short_window"), Said::switch)?,
            authenticated: self
                .authenticated
                .or_own(own("authenticated_window"), Said::duration)?,
            anonymous: self
                .anonymous
                .or_own(own("anonymous_window"), Said::duration)?,
            cart: self
                .cart
                .or_own(own("cart_window"), Said::duration_if_set)?,
            keep_logins: self.keep_logins.or_own(own("keep_login"), Said::logins)?,
            max_lifetime: self
                .max_lifetime
                .or_own(own("max_lifetime"), Said::duration_if_set)?,
        })
    }

    /// Refuses what logs out users who are working, unless that is meant.
    fn check(&self, whose: &str) -> Result<(), SettingsError> {
        if self.allow_short.value {
            return Ok(());
        }
        let too_short = |key: &str, text: &str, value: Duration, source: &Source, why: &str| {
            SettingsError::usage(format!(
                "{} is {text} ({}){whose}, which is under 2 hours and logs out users who are working: {why} \
                 (m is minutes, M months); if that is meant, {}",
                source.name(key),
                words(value),
                source.switch("allow_short_window")
            ))
        };
        let Of {
            value,
            text,
            source,
        } = &self.authenticated;
        if *value < SHORTEST_LOGIN {
            let why = "Odoo does not save a session on each request, and a tab can stay open for hours \
                       without a save";
            return Err(too_short("authenticated_window", text, *value, source, why));
        }
        match &self.max_lifetime {
            Of {
                value: Some(value),
                text,
                source,
            } if *value < SHORTEST_LOGIN => {
                let why = "it counts from the login, however active they are";
                Err(too_short("max_lifetime", text, *value, source, why))
            }
            _ => Ok(()),
        }
    }

    fn rules(&self, (leftover, unreadable): (Duration, Option<Duration>)) -> Rules {
        Rules {
            windows: Windows {
                authenticated: self.authenticated.value,
                anonymous: self.anonymous.value,
                cart: self.cart(),
                leftover,
                unreadable,
            },
            keep_logins: self.keep_logins.value.clone(),
            max_lifetime: self.max_lifetime.value,
        }
    }

    fn cart(&self) -> Duration {
        self.cart.value.unwrap_or(self.authenticated.value)
    }

    fn effective(&self, database: Option<&String>) -> Vec<Effective> {
        let value = |option, value, source: &Source| Effective {
            option,
            database: database.cloned(),
            value,
            source: source.clone(),
        };
        let logins = self.keep_logins.value.iter();
        let logins = logins.map(|login| login.as_str().to_owned()).collect();
        vec![
            value(
                "authenticated_window",
                Value::Duration(self.authenticated.value),
                &self.authenticated.source,
            ),
            value(
                "anonymous_window",
                Value::Duration(self.anonymous.value),
                &self.anonymous.source,
            ),
            value(
                "cart_window",
                Value::Duration(self.cart()),
                &self.cart.source,
            ),
            value(
                "allow_short_window",
                Value::Switch(self.allow_short.value),
                &self.allow_short.source,
            ),
            value(
                "keep_login",
                Value::Logins(logins),
                &self.keep_logins.source,
            ),
            value(
                "max_lifetime",
                self.max_lifetime.value.into(),
                &self.max_lifetime.source,
            ),
        ]
    }
}

#[cfg(test)]
mod tests;
