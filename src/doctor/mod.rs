//! `doctor`: is this host safe with Odoo's own garbage collection off, and does the reaper work?
//!
//! One file per check: `gather` reads the world, a pure `judge` says what it means. Nothing is changed. What could not be
//! seen is *unknown*, with the way to see it, and never guessed.

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
use face::Patient;
use finding::{Finding, Proven, Status, verdict};
use host::Host;
use host::journal::{self, Journal};
use host::master::{Master, identity};
use host::source::Version;
use host::store::{Audit, Store};
use host::systemd::Unit;
use host::told::Told;

/// One store on this host, for the checks to look at.
pub(crate) struct Case<'a> {
    host: &'a Host,
    store: &'a Store,
    /// All that are looked at.
    stores: &'a [Store],
    /// The unit that reaps it.
    unit: Option<&'a Unit>,
    journal: Journal,
}

impl Case<'_> {
    /// Whether a server saves in this store.
    fn is_its_store(&self, master: &Master) -> bool {
        let store = master.seen.as_ref().and_then(|seen| seen.store);
        store.is_some() && store == self.store.identity
    }

    /// Whether a path that somebody was told is this store's.
    fn is_this(&self, told: &Result<PathBuf, Shown>) -> bool {
        is_same(told, &self.store.sessions)
    }

    /// The versions of the servers of this store.
    fn versions(&self) -> impl Iterator<Item = Version> {
        let ours = self
            .host
            .masters
            .iter()
            .filter(|master| self.is_its_store(master));
        ours.filter_map(|master| Some(master.seen.as_ref()?.source.as_ref()?.version))
    }

    /// The data_dirs of servers that save in other stores.
    fn others_alive(&self) -> impl Iterator<Item = &Path> {
        let others = self
            .host
            .masters
            .iter()
            .filter(|master| !self.is_its_store(master));
        others.filter_map(|master| {
            let seen = master.seen.as_ref().filter(|seen| seen.store.is_some())?;
            seen.data_dir.as_deref().ok()
        })
    }

    /// Whether another store was looked at, and nothing has been saved there for long.
    fn is_left(&self, sessions: &Path) -> bool {
        let mut stores = self.stores.iter();
        let store = stores.find(|store| store.sessions == sessions);
        store.is_some_and(|store| store.audit.as_ref().is_ok_and(|it| it.store.dormant))
    }

    /// The store's path without symlinks.
    fn real(&self) -> PathBuf {
        let sessions = &self.store.sessions;
        std::fs::canonicalize(sessions).unwrap_or_else(|_| sessions.clone())
    }

    fn data_dir(&self) -> Shown {
        let sessions = &self.store.sessions;
        redact::path(sessions.parent().unwrap_or(sessions))
    }
}

fn is_same(told: &Result<PathBuf, Shown>, sessions: &Path) -> bool {
    let Ok(told) = told else { return false };
    told == sessions || identity(told).is_some_and(|it| identity(sessions) == Some(it))
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
    let (mut stores, found) = match located {
        Err(_) if args.names_no_store() && !of_the_host(&host).is_empty() => (Vec::new(), true),
        located => located?,
    };
    if found {
        for sessions in of_the_host(&host) {
            if !stores
                .iter()
                .any(|known| is_same(&Ok(known.clone()), &sessions))
            {
                stores.push(sessions);
            }
        }
    }
    let look = |sessions: &PathBuf| {
        let told = Reapers::of(&host, sessions).told();
        Store::look(sessions, told, args.store.config.as_deref())
    };
    let stores: Vec<_> = stores.iter().map(look).collect();
    let examined = stores.iter().map(|store| examine(&host, store, &stores));
    let (patients, proven): (Vec<Patient>, Vec<Proven>) = examined.unzip();
    let proven = proven.into_iter().find(|proven| *proven != Proven::Yes);
    let findings: Vec<_> = patients
        .iter()
        .flat_map(|patient| &patient.findings)
        .collect();
    let (verdict, exit) = verdict(&findings, proven.unwrap_or(Proven::Yes));
    match args.format {
        Format::Text => face::text(&mut out, &patients, &verdict, quiet),
        Format::Json => face::json(&mut out, &patients, &verdict, quiet),
    }
    Ok(exit)
}

/// The stores of running servers, and those of our units. One that lies elsewhere here than for its server, as in a
/// container, is looked at through the server's root.
fn of_the_host(host: &Host) -> Vec<PathBuf> {
    let of_masters = host.masters.iter().filter_map(|master| {
        let seen = master.seen.as_ref().filter(|seen| seen.store.is_some())?;
        let sessions = seen.data_dir.as_ref().ok()?.join("sessions");
        if identity(&sessions) == seen.store {
            return Some(sessions);
        }
        let root = PathBuf::from(format!("/proc/{}/root", master.pid));
        let inside = root.join(sessions.strip_prefix("/").ok()?);
        (identity(&inside) == seen.store).then_some(inside)
    });
    let units = host.units.iter().flatten().filter(|unit| unit.timer_active);
    let of_units = units.filter_map(|unit| unit.told.as_ref()?.sessions.clone().ok());
    of_masters
        .chain(of_units.filter(|sessions| sessions.is_dir()))
        .collect()
}

/// Who reaps a store.
struct Reapers<'a> {
    unit: Option<&'a Unit>,
    cron: Option<&'a Told>,
}

impl<'a> Reapers<'a> {
    fn of(host: &'a Host, sessions: &Path) -> Reapers<'a> {
        let works_here = |told: &&Told| is_same(&told.sessions, sessions);
        let units = host.units.iter().flatten();
        let units = units.filter(|unit| unit.told.as_ref().filter(works_here).is_some());
        let owner = rustix::fs::stat(sessions).ok().map(|stat| stat.st_uid);
        let is_let_in = |user: &str| reaper::wrong_user(user, owner).is_none();
        let lines = host.cron.iter().filter(|line| is_let_in(&line.user));
        Reapers {
            unit: units.max_by_key(|unit| unit.timer_active),
            cron: lines.map(|line| &line.told).find(works_here),
        }
    }

    fn told(&self) -> Option<&'a Told> {
        self.unit.and_then(|unit| unit.told.as_ref()).or(self.cron)
    }
}

fn examine(host: &Host, store: &Store, stores: &[Store]) -> (Patient, Proven) {
    let sessions = &store.sessions;
    let Reapers { unit, cron } = Reapers::of(host, sessions);
    let case = Case {
        host,
        store,
        stores,
        unit,
        journal: unit.map_or_else(Journal::default, |unit| {
            let real = std::fs::canonicalize(sessions).unwrap_or_else(|_| sessions.to_owned());
            journal::of(
                &format!("{}.service", unit.name),
                &redact::path(&real),
                host.now,
            )
        }),
    };
    let ended_well = unit
        .filter(|unit| unit.result == "success" && unit.status == 0)
        .and_then(|unit| unit.ended);
    // systemd does not know which store it was.
    let success = case
        .journal
        .success
        .or(ended_well.filter(|_| !case.journal.readable));
    let is_reaped = unit.is_some_and(|unit| unit.timer_active) || cron.is_some();
    let reaper = reaper::gather(&case);
    let patient = Patient {
        store: case.store.shown.clone(),
        findings: findings(&case, &reaper, is_reaped, success),
    };
    (patient, reaper::proven(&reaper, success))
}

fn findings(
    case: &Case<'_>,
    reaper: &reaper::Evidence,
    is_reaped: bool,
    success: Option<i64>,
) -> Vec<Finding> {
    // Where nobody could look, most checks have nothing to say.
    let by_audit = |id, judge: &dyn Fn(&Audit) -> Finding| match &case.store.audit {
        Ok(audit) => judge(audit),
        Err(why) => {
            let told = shown!["the store could not be looked at: ", why];
            odoo::seen_by_root(Finding::new(id, Status::Unknown, told), case.host.root)
        }
    };
    vec![
        odoo::judge(&odoo::gather(case)),
        odoo_gc::judge(&odoo_gc::gather(case)),
        reaper::judge(reaper),
        by_audit(keeps_up::ID, &|audit| {
            keeps_up::judge(&keeps_up::gather(case, audit, is_reaped, success))
        }),
        by_audit(room::ID, &|audit| {
            room::judge(&room::gather(case, audit, is_reaped))
        }),
        by_audit(makers::ID, &|audit| {
            makers::judge(&makers::gather(case, audit))
        }),
        clock::judge(&clock::gather(case)),
        by_audit(last_use::ID, &|audit| {
            last_use::judge(&last_use::gather(case, audit))
        }),
        by_audit(rules::ID, &|audit| {
            rules::judge(&rules::gather(case, audit))
        }),
        by_audit(unknown::ID, &|audit| {
            unknown::judge(&unknown::gather(case, audit))
        }),
    ]
}
