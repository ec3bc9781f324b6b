//! `reaper`: who reaps this store, whether he is on, how his last run ended, and whether he would be let in.

mod cure;

use std::path::{Path, PathBuf};

use super::Case;
use super::finding::{Finding, Proven, Status};
use super::host::systemd::{Unit, name_of, uid_of};
use super::words::{ago, moment};
use crate::redact::{self, Shown, joined, shell, shown};
pub use cure::defaults;
use cure::{let_in, turn_on};

pub const ID: &str = "reaper";

const DAY: i64 = 86_400;

/// A unit that works on this store, and why it would not be let in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub unit: Unit,
    pub refusal: Option<Refusal>,
}

/// Why a run would not be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchUser(Shown),
    /// The unit's user, and the store's owner.
    WrongUser(Shown, u64),
    /// The sandbox keeps the store read-only, or out of sight.
    ReadOnly,
    Hidden,
}

/// A line of cron.
#[derive(Clone, Debug)]
pub struct Cron {
    pub file: Shown,
    pub user: Shown,
    pub refusal: Option<Refusal>,
}

pub struct Evidence {
    pub now: i64,
    pub units: Vec<Seen>,
    pub cron: Vec<Cron>,
    /// Our units there are, whatever store they work on; `None` without systemd.
    pub installed: Option<bool>,
    /// The default unit works on another store that is there, and not known to be left.
    pub default_is_taken: bool,
    /// What all of our units are called.
    pub names: Vec<Shown>,
    /// Units that work on no store at all, and why.
    pub refusing: Vec<(Shown, Shown)>,
    pub data_dir: Shown,
    pub sessions: Shown,
    /// The same without symlinks, as a unit's lines want it.
    pub unit_path: Option<Shown>,
    pub owner: Option<u64>,
    pub owner_name: Option<String>,
    pub root: bool,
}

pub fn gather(case: &Case<'_>) -> Evidence {
    let host = case.host;
    let store = case.store;
    let all: &[Unit] = host.units.as_deref().unwrap_or_default();
    let ours = |unit: &&Unit| {
        let told = unit.told.as_ref();
        told.is_some_and(|told| case.is_this(&told.sessions))
    };
    let sessions = case.real();
    let seen = |unit: &Unit| Seen {
        refusal: refusal(unit, &sessions, store.owner),
        unit: unit.clone(),
    };
    let refusing = all.iter().filter_map(|unit| {
        let why = unit.told.as_ref()?.sessions.as_ref().err()?;
        Some((unit.shown(), why.clone()))
    });
    let lines = host
        .cron
        .iter()
        .filter(|line| case.is_this(&line.told.sessions));
    Evidence {
        now: host.now,
        units: all.iter().filter(ours).map(seen).collect(),
        cron: lines
            .map(|line| Cron {
                file: redact::path(&line.file),
                user: redact::printable(line.user.as_bytes()),
                refusal: wrong_user(&line.user, store.owner),
            })
            .collect(),
        installed: host.units.as_ref().map(|units| !units.is_empty()),
        default_is_taken: all.iter().any(|unit| is_taken(case, unit)),
        names: all.iter().map(Unit::shown).collect(),
        refusing: refusing.collect(),
        data_dir: case.data_dir(),
        sessions: store.shown.clone(),
        unit_path: redact::unit_path(&sessions),
        owner: store.owner.map(u64::from),
        owner_name: store.owner.and_then(name_of),
        root: host.root,
    }
}

/// Whether this is the default unit, and reaps a store that is there and not known to be left.
fn is_taken(case: &Case<'_>, unit: &Unit) -> bool {
    let told = unit.told.as_ref();
    let sessions = told.and_then(|told| told.sessions.as_ref().ok());
    let is_used = |it: &PathBuf| it.is_dir() && !case.is_left(it);
    unit.name == "odoo-session-reaper" && unit.timer_active && sessions.is_some_and(is_used)
}

fn refusal(unit: &Unit, sessions: &Path, owner: Option<u32>) -> Option<Refusal> {
    // Who a dynamic user is shows only while the service runs.
    let user = if unit.dynamic_user {
        None
    } else {
        wrong_user(&unit.user, owner)
    };
    user.or_else(|| {
        let places = unit.writable.as_ref()?;
        let is_home = ["/home", "/root"]
            .iter()
            .any(|home| sessions.starts_with(home));
        let within = |place: &std::path::PathBuf| {
            let real = std::fs::canonicalize(place).unwrap_or_else(|_| place.clone());
            sessions.starts_with(real)
        };
        match places.iter().any(within) {
            true => None,
            false if is_home && unit.without_homes => Some(Refusal::Hidden),
            false => Some(Refusal::ReadOnly),
        }
    })
}

/// Whether this user is neither root nor the owner, and so is let into no store.
pub fn wrong_user(user: &str, owner: Option<u32>) -> Option<Refusal> {
    let shown = || redact::printable(user.as_bytes());
    let Some(uid) = uid_of(user) else {
        return Some(Refusal::NoSuchUser(shown()));
    };
    let owner = owner.filter(|owner| uid != 0 && *owner != uid)?;
    Some(Refusal::WrongUser(shown(), u64::from(owner)))
}

/// How long the reaper of this store has been on, for the verdict.
pub fn proven(evidence: &Evidence, success: Option<i64>) -> Proven {
    let Some(unit) = evidence.units.iter().find(|it| it.unit.timer_active) else {
        // Nobody knows when a line of cron was written.
        return Proven::Yes;
    };
    let since = unit.unit.since.map(|since| evidence.now - since);
    match since {
        _ if success.is_some_and(|success| evidence.now - success > DAY) => Proven::Yes,
        Some(since) if since >= DAY && success.is_some() => Proven::Yes,
        Some(since) => Proven::OnSince(
            success.and(
                u64::try_from(since)
                    .ok()
                    .map(std::time::Duration::from_secs),
            ),
        ),
        None => Proven::OnSince(None),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    // One that is on may work beside one that was forgotten.
    let unit = evidence
        .units
        .iter()
        .max_by_key(|it| (it.unit.timer_active, it.unit.enabled == "enabled"));
    if let Some(unit) = unit.filter(|it| it.unit.timer_active || evidence.cron.is_empty()) {
        return of_unit(unit, evidence);
    }
    if let Some(Cron {
        file,
        user,
        refusal,
    }) = evidence
        .cron
        .iter()
        .min_by_key(|line| line.refusal.is_some())
    {
        let told = shown!["a line of cron in ", file, ", as user ", user];
        return match refusal {
            None => find(Status::Ok, told),
            Some(refusal) => find(Status::Problem, shown![told, ", ", why(refusal)])
                .cured_by(shown!["sudoedit ", shell(file)]),
        };
    }
    nobody(evidence)
}

/// What there is to say where neither a unit nor a line of cron was seen.
fn nobody(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    if evidence.sessions.starts_with("/proc/") {
        let told = "only its own server sees this store, as in a container".into();
        return find(Status::Unknown, told)
            .cured_by("# ask in that container: odoo-session-reaper doctor".into());
    }
    let Some(installed) = evidence.installed else {
        let told =
            "systemd does not answer here, and no line of cron was seen that reaps this store"
                .into();
        return find(Status::Unknown, told).cured_by(shown![
            "# if another host or container reaps it, ask there; else let cron run every hour:\n# odoo-session-reaper reap --data-dir ",
            shell(&evidence.data_dir)
        ]);
    };
    let refusing = evidence
        .refusing
        .iter()
        .map(|(name, why)| shown!["; ", name, " refuses: ", why]);
    if !evidence.root {
        // Other users' crontabs are out of sight, and settings may be.
        let told = shown![
            "nothing that this user may see reaps this store",
            joined(refusing, "")
        ];
        return super::odoo::seen_by_root(find(Status::Unknown, told), false);
    }
    let told = shown!["nothing reaps this store", joined(refusing, "")];
    find(Status::Problem, told).cured_by(turn_on(evidence, installed))
}

/// What `systemctl is-enabled` says of a timer that starts with the host.
const ENABLED: [&str; 4] = ["enabled", "static", "linked", "generated"];

fn of_unit(seen: &Seen, evidence: &Evidence) -> Finding {
    let unit = &seen.unit;
    let name = unit.shown();
    if let Some((told, cure)) = wrong(seen, evidence) {
        return Finding::new(ID, Status::Problem, shown![name, told]).cured_by(cure);
    }
    let last = match (unit.ended, unit.last) {
        (Some(ended), _) if unit.status == 0 => {
            shown!["last run succeeded ", ago(evidence.now - ended)]
        }
        // Busy, or told to stop: the unit takes that for a success.
        (Some(ended), _) => shown![
            "last run was stopped before its end, exit code ",
            u64::try_from(unit.status).unwrap_or(0),
            ", ",
            ago(evidence.now - ended)
        ],
        (None, Some(last)) => shown!["last run began ", ago(evidence.now - last)],
        (None, None) => "no run yet".into(),
    };
    let next = match unit.next {
        Some(next) => shown![", next at ", moment(next)],
        None => Shown::default(),
    };
    Finding::new(ID, Status::Ok, shown![name, ".timer is on; ", last, next])
}

/// What is wrong with a unit, behind its name, and what cures it.
fn wrong(seen: &Seen, evidence: &Evidence) -> Option<(Shown, Shown)> {
    let unit = &seen.unit;
    let name = shell(&unit.shown());
    if let Some(refusal) = &seen.refusal {
        let told = shown![".service ", why(refusal)];
        return Some((told, let_in(refusal, evidence, &name)));
    }
    if unit.told.as_ref().is_some_and(|told| told.dry_run) {
        let told = ".service is told to delete nothing (dry run)".into();
        return Some((told, shown!["sudoedit ", defaults(&unit.name)]));
    }
    if !unit.result.is_empty() && unit.result != "success" {
        let when = unit.ended.map_or(Shown::default(), |ended| {
            shown![", ", ago(evidence.now - ended)]
        });
        // What runs before the program may have failed.
        let code = match unit.status {
            0 => Shown::default(),
            status => shown![", exit code ", u64::try_from(status).unwrap_or(0)],
        };
        let told = shown![
            ".service failed: ",
            redact::printable(unit.result.as_bytes()),
            code,
            when
        ];
        let why = shown!["sudo journalctl -n 20 -u ", &name, "    # says why; then: "];
        return Some((told, shown![why, "sudo systemctl start ", name]));
    }
    let told = match (unit.timer_active, ENABLED.contains(&&*unit.enabled)) {
        (true, true) => return None,
        (true, false) => ".timer is off after the next boot",
        (false, _) => ".timer is off",
    };
    Some((
        told.into(),
        shown!["sudo systemctl enable --now ", name, ".timer"],
    ))
}

fn why(refusal: &Refusal) -> Shown {
    match refusal {
        Refusal::NoSuchUser(user) => shown!["runs as user ", user, ", who does not exist"],
        Refusal::WrongUser(user, owner) => {
            shown![
                "runs as user ",
                user,
                ", but the store belongs to user ",
                *owner
            ]
        }
        Refusal::ReadOnly => {
            "may not write to this store: its sandbox lets it into others only".into()
        }
        Refusal::Hidden => "does not see this store: its sandbox hides homes".into(),
    }
}

#[cfg(test)]
mod tests;
