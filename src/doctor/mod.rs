//! `doctor`: is this host safe with Odoo's own garbage collection off, and does the reaper work?
//!
//! [`host`] looks at the world; then there is a file per check, a pure function that judges what was seen. Nothing is
//! changed. What could not be seen is *unknown*, with the way to see it, and never guessed.

mod clock;
mod face;
mod finding;
mod host;
mod keeps_up;
mod last_use;
mod makers;
mod odoo;
mod odoo_gc;
mod reaper;
mod room;
mod rules;
mod unknown;
mod words;

use std::path::{Path, PathBuf};

use crate::cli::DoctorArgs;
use crate::exit::Exit;
use crate::redact::{self, Shown, shown};
use crate::report::{Format, Out};
use crate::settings::SettingsError;
use finding::{Check, Finding, Proven, Status, verdict};
use host::Host;
use host::cron::Line;
use host::journal::Journal;
use host::master::Master;
use host::place::Place;
use host::source::Version;
use host::store::{Audit, Store};
use host::systemd::Unit;

const DAY: i64 = 86_400;

/// One store on this host, for the checks to look at.
pub(crate) struct Case<'a> {
    host: &'a Host,
    store: &'a Store,
    /// All that are looked at.
    stores: &'a [Store],
    /// What the unit that reaps it has left there.
    journal: Journal,
}

impl<'a> Case<'a> {
    fn of(host: &'a Host, store: &'a Store, stores: &'a [Store]) -> Case<'a> {
        let unit = host.unit(&store.place);
        let journal = |unit| Journal::of(unit, &redact::path(&store.real), host.now);
        Case {
            host,
            store,
            stores,
            journal: unit.map(journal).unwrap_or_default(),
        }
    }

    /// The unit that reaps it.
    fn unit(&self) -> Option<&'a Unit> {
        self.host.unit(&self.store.place)
    }

    /// The line of cron that does.
    fn line(&self) -> Option<&'a Line> {
        self.host.line(&self.store.place)
    }

    fn is_reaped(&self) -> bool {
        self.unit().is_some_and(|unit| unit.timer_active)
            || (self.line()).is_some_and(|line| line.user.refusal(&self.store.place).is_none())
    }

    /// When a run succeeded last, as far as that was seen.
    fn success(&self) -> Option<i64> {
        // systemd does not know which store it was.
        let ended_well = self
            .unit()
            .filter(|unit| !self.journal.readable && unit.result == "success" && unit.status == 0);
        self.journal.success.or_else(|| ended_well?.ended)
    }

    /// The servers that save in this store, and those that save elsewhere.
    fn masters(&self) -> (Vec<&'a Master>, Vec<&'a Master>) {
        let is_ours = |master: &&Master| master.is_in(&self.store.place);
        self.host.masters.iter().partition(is_ours)
    }

    /// The versions of the servers of this store.
    fn versions(&self) -> impl Iterator<Item = Version> {
        let (ours, _) = self.masters();
        ours.into_iter().filter_map(Master::version)
    }

    /// The store's data_dir, as one word of a shell.
    fn data_dir(&self) -> Shown {
        redact::shell(&redact::path(self.store.place.data_dir()))
    }

    /// Where the settings of the service of this store are.
    fn defaults(&self) -> Shown {
        reaper::defaults(self.unit().map_or("odoo-session-reaper", |unit| &unit.name))
    }

    /// What cannot be seen, and how it can be: by root, or somewhere else.
    fn unseen(&self, evidence: Shown) -> Finding {
        let way = match self.host.root {
            true => "# ask where Odoo runs (its host, its container): odoo-session-reaper doctor",
            false => "sudo odoo-session-reaper doctor",
        };
        Finding::unknown(evidence, way)
    }

    /// All checks, in the order in which they are told.
    fn findings(&self) -> [(&'static str, Finding); 10] {
        // Where nobody could look, most checks have nothing to say.
        let by_audit = |judge: fn(&Case<'_>, &Audit) -> Finding| match &self.store.audit {
            Ok(audit) => judge(self, audit),
            Err(why) => self.unseen(shown!("the store could not be looked at: {}", why)),
        };
        [
            ("odoo", odoo::judge(self)),
            ("odoo-gc", odoo_gc::judge(self)),
            ("reaper", reaper::judge(self)),
            ("keeps-up", by_audit(keeps_up::judge)),
            ("room", by_audit(room::judge)),
            ("makers", by_audit(makers::judge)),
            ("clock", clock::judge(self)),
            ("last-use", by_audit(last_use::judge)),
            ("rules", by_audit(rules::judge)),
            ("unknown", by_audit(unknown::judge)),
        ]
    }
}

/// Looks at all stores that are named, or found, and at those of running servers and of our units; then tells.
///
/// # Errors
/// Where the store that was named cannot be told, and where there is none at all.
pub fn run(
    args: &DoctorArgs,
    located: Result<(Vec<PathBuf>, bool), SettingsError>,
    quiet: bool,
    mut out: Out,
) -> Result<Exit, SettingsError> {
    let host = Host::look();
    let places = places(args, located, &host)?;
    let look = |place| Store::look(place, &host, args.store.config.as_deref());
    let stores: Vec<_> = places.into_iter().map(look).collect();
    let (mut checks, mut proven) = (Vec::new(), Proven::Yes);
    for store in &stores {
        let case = Case::of(&host, store, &stores);
        checks.extend(case.findings().map(|(id, finding)| Check {
            store: redact::path(&store.place.path),
            id,
            finding,
        }));
        if proven == Proven::Yes {
            proven = reaper::proven(&case);
        }
    }
    let (verdict, exit) = verdict(&checks, proven);
    checks.retain(|check| !quiet || check.finding.status != Status::Ok);
    match args.format {
        Format::Text => {
            let says_something = !quiet || !checks.is_empty();
            face::text(&mut out, &checks, says_something.then_some(&verdict));
        }
        Format::Json => face::json(&mut out, &checks, &verdict),
    }
    Ok(exit)
}

/// The stores to look at.
fn places(
    args: &DoctorArgs,
    located: Result<(Vec<PathBuf>, bool), SettingsError>,
    host: &Host,
) -> Result<Vec<Place>, SettingsError> {
    let of_the_host = of_the_host(host);
    let (stores, found) = match located {
        Err(_) if args.names_no_store() && !of_the_host.is_empty() => (Vec::new(), true),
        located => located?,
    };
    let mut places: Vec<_> = stores.into_iter().map(Place::of).collect();
    for place in of_the_host.into_iter().filter(|_| found) {
        if !places.iter().any(|known| known.is(&place)) {
            places.push(place);
        }
    }
    Ok(places)
}

/// The stores of running servers, and those of our units. One that lies elsewhere here than for its server, as in a
/// container, is looked at through the server's root.
fn of_the_host(host: &Host) -> Vec<Place> {
    let of_masters = host.masters.iter().filter_map(|master| {
        let store = master.store()?;
        let inside = Path::new("/proc").join(master.pid.to_string()).join("root");
        let inside = inside.join(store.path.strip_prefix("/").ok()?);
        let here = [store.path.clone(), inside].map(Place::of);
        here.into_iter()
            .find(|here| here.identity == store.identity)
    });
    let units = host.units.iter().flatten().filter(|unit| unit.timer_active);
    let of_units = units.filter_map(|unit| unit.told.as_ref()?.store.clone().ok());
    let of_units = of_units.filter(|store| store.identity.is_some());
    of_masters.chain(of_units).collect()
}

#[cfg(test)]
mod tests;
