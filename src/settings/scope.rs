//! The values that hold for some sessions: those of one database, or those of all that have none of their own.

use std::time::Duration;

use super::SettingsError;
use super::given::{Given, Of};
use super::section::Section;
use super::source::{Effective, Value};
use crate::policy::{LoginPattern, Rules, Windows};
use crate::time::words;

/// Below this a user who works without loading a page is logged out: Odoo 18 and newer save at most once an
/// hour on routed requests, 16 and 17 every 60 to 90 minutes from an idle tab.
const SHORTEST_LOGIN: Duration = Duration::from_secs(2 * 3_600);

/// A visitor sends a form, and takes the next step of an order, with the session of the page before. Whoever writes less
/// mostly means months, and wrote `m`.
const SHORTEST_VISIT: Duration = Duration::from_secs(10 * 60);

/// What a database may have of its own.
pub(super) struct Scope {
    authenticated: Of<Duration>,
    anonymous: Of<Duration>,
    /// `None` is the authenticated window.
    cart: Of<Option<Duration>>,
    allow_short: Of<bool>,
    keep_logins: Of<Vec<LoginPattern>>,
    max_lifetime: Of<Option<Duration>>,
}

impl Scope {
    /// Reads what a section gives; a database has the values of its base, whoever gave them, but for its own.
    pub fn read(section: &Section, base: Option<&Scope>) -> Result<Scope, SettingsError> {
        Ok(Scope {
            allow_short: section.read(
                "allow_short_window",
                base.map(|base| &base.allow_short),
                Given::switch,
            )?,
            authenticated: section.read(
                "authenticated_window",
                base.map(|base| &base.authenticated),
                Given::duration,
            )?,
            anonymous: section.read(
                "anonymous_window",
                base.map(|base| &base.anonymous),
                Given::duration,
            )?,
            cart: section.read(
                "cart_window",
                base.map(|base| &base.cart),
                Given::duration_if_set,
            )?,
            keep_logins: section.read(
                "keep_login",
                base.map(|base| &base.keep_logins),
                Given::logins,
            )?,
            max_lifetime: section.read(
                "max_lifetime",
                base.map(|base| &base.max_lifetime),
                Given::duration_if_set,
            )?,
        })
    }

    /// Refuses what ends the sessions of people who are at work, unless that is meant.
    pub fn check(&self, whose: &str) -> Result<(), SettingsError> {
        if self.allow_short.value {
            return Ok(());
        }
        let of_users = (SHORTEST_LOGIN, "logs out users who are working");
        let of_visitors = (
            SHORTEST_VISIT,
            "ends sessions of visitors who are still there",
        );
        for (given, value, (shortest, ends), why) in [
            (
                &self.authenticated.given,
                Some(self.authenticated.value),
                of_users,
                "Odoo does not save a session on each request, and a tab can stay open for hours without a save",
            ),
            (
                &self.max_lifetime.given,
                self.max_lifetime.value,
                of_users,
                "it counts from the login, however active they are",
            ),
            (
                &self.anonymous.given,
                Some(self.anonymous.value),
                of_visitors,
                "Odoo does not save a session on each request",
            ),
            (
                &self.cart.given,
                self.cart.value,
                of_visitors,
                "Odoo does not save a session on each request",
            ),
        ] {
            let Some(value) = value.filter(|value| *value < shortest) else {
                continue;
            };
            return Err(SettingsError::usage(format!(
                "{} is {} ({}){whose}, which is under {} and {ends}: {why} (m is minutes, M months); \
                 if that is meant, {}",
                given.name(),
                given.text,
                words(value),
                words(shortest),
                given.source.switch(self.allow_short.given.key)
            )));
        }
        Ok(())
    }

    /// The rules, with the windows of files that name no database.
    pub fn rules(&self, (leftover, unreadable): (Duration, Option<Duration>)) -> Rules {
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

    /// All values as a report tells them.
    pub fn effective(&self, database: Option<&str>) -> [Effective; 6] {
        [
            self.authenticated.effective(database),
            self.anonymous.effective(database),
            Effective {
                value: Value::Duration(self.cart()),
                ..self.cart.effective(database)
            },
            self.allow_short.effective(database),
            self.keep_logins.effective(database),
            self.max_lifetime.effective(database),
        ]
    }
}
