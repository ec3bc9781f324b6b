//! Logins and databases that were named and match nobody, and those that were probably meant.

use std::collections::BTreeSet;

use strsim::osa_distance;

use crate::policy::LoginPattern;
use crate::redact::{self, Shown};
use crate::session::Session;

/// How many databases are told.
const DATABASES: usize = 16;

/// How many letters may be wrong in a login that another is told for.
const SLIPS: usize = 3;

/// How many logins are told for one.
const TOLD: usize = 3;

/// Letters of a login that are compared.
const LONGEST: usize = 64;

/// Every pattern that is one login, and whether somebody has it.
pub(crate) struct Misses(Vec<Named>);

struct Named {
    written: String,
    met: bool,
    /// The nearest so far, nearest first.
    near: Vec<Near>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Near {
    distance: usize,
    login: Shown,
    database: Shown,
}

impl Misses {
    pub fn of(patterns: &[LoginPattern]) -> Misses {
        let written = patterns.iter().map(LoginPattern::as_str);
        let named = written.filter(|written| !written.contains(['*', '?']));
        Misses(
            named
                .map(|written| Named {
                    written: written.to_owned(),
                    met: false,
                    near: Vec::new(),
                })
                .collect(),
        )
    }

    /// Sees a session of somebody, and whether it is meant.
    pub fn see(&mut self, session: &Session<'_>, taken: bool) {
        for named in self.0.iter_mut().filter(|named| !named.met) {
            for login in [&session.login, &session.pre_login].into_iter().flatten() {
                if login.as_bytes() == named.written.as_bytes() && taken {
                    named.met = true;
                    named.near.clear();
                    break;
                }
                named.compare(login.as_bytes(), session);
            }
        }
    }

    /// A sentence for each login that nobody has: `no bbo; there is bob@example.com in shop`.
    pub fn told(&self) -> Vec<String> {
        let missing = self.0.iter().filter(|named| !named.met);
        missing.map(Named::told).collect()
    }
}

/// The databases that were named and that no session is of, and what there is instead.
pub(crate) struct Databases {
    unmet: Vec<String>,
    met: BTreeSet<Shown>,
}

impl Databases {
    pub fn of(named: &[String]) -> Databases {
        Databases {
            unmet: named.to_vec(),
            met: BTreeSet::new(),
        }
    }

    /// Sees a session of anybody.
    pub fn see(&mut self, session: &Session<'_>) {
        let name = super::database(session);
        if self.unmet.is_empty() || name.is_empty() {
            return;
        }
        self.unmet.retain(|named| named.as_bytes() != name);
        // One more shows that there are more.
        if self.met.len() <= DATABASES {
            self.met.insert(redact::printable(name));
        }
    }

    /// A sentence, if one of them is not there: `no session is of shpo; there are sessions of shop, test`.
    pub fn told(&self) -> Option<String> {
        let unmet: Vec<_> = self
            .unmet
            .iter()
            .map(|name| redact::argument(name))
            .collect();
        let mut met: Vec<_> = self.met.iter().map(|name| &**name).collect();
        if met.len() > DATABASES {
            met[DATABASES] = "…";
        }
        let there = match met[..] {
            [] => "none names a database".to_owned(),
            _ => format!("there are sessions of {}", met.join(", ")),
        };
        let unmet = redact::joined(unmet, ", ");
        (!self.unmet.is_empty()).then(|| format!("no session is of {unmet}; {there}"))
    }
}

impl Named {
    fn compare(&mut self, login: &[u8], session: &Session<'_>) {
        let Some(distance) = distance(&self.written, &String::from_utf8_lossy(login)) else {
            return;
        };
        let farthest = self.near.last().map(|near| near.distance);
        if self.near.len() == TOLD && farthest.is_some_and(|farthest| distance >= farthest) {
            return;
        }
        let near = Near {
            distance,
            login: redact::printable(login),
            database: redact::printable(super::database(session)),
        };
        if !self.near.contains(&near) {
            self.near.push(near);
            self.near.sort();
            self.near.truncate(TOLD);
        }
    }

    fn told(&self) -> String {
        let near = self.near.iter();
        let near: Vec<_> = near
            .map(|near| format!("{} in {}", near.login, near.database))
            .collect();
        let written = redact::argument(&self.written);
        match near.len() {
            0 => format!("no login {written}, nor one like it"),
            1 => format!("no {written}; there is {}", near[0]),
            _ => format!("no {written}; there are {}", near.join(", ")),
        }
    }
}

/// How many letters differ, also before the `@` alone, if that is few enough to be a slip.
fn distance(wanted: &str, login: &str) -> Option<usize> {
    let [wanted, login] = [wanted, login].map(|text| -> String {
        let letters = text.chars().flat_map(char::to_lowercase);
        letters.take(LONGEST).collect()
    });
    let local = |text: &str| text.split('@').next().unwrap_or_default().to_owned();
    let pairs = [
        (wanted.clone(), login.clone()),
        (wanted.clone(), local(&login)),
        (local(&wanted), local(&login)),
    ];
    let distances = pairs.into_iter().filter_map(|(wanted, login)| {
        let letters = wanted.chars().count();
        let most = SLIPS.min(letters / 2);
        // The cheap answer first: a store has many logins.
        if letters == 0 || letters.abs_diff(login.chars().count()) > most {
            return None;
        }
        Some(osa_distance(&wanted, &login)).filter(|distance| *distance <= most)
    });
    distances.min()
}
