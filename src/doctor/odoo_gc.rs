//! `odoo-gc`: whether Odoo's own garbage collection of sessions is off, in each server of this store, and what the pile
//! says to that.

use super::Case;
use super::finding::{Finding, Status};
use super::host::master::{Insight, Master};
use super::host::source::{NEW_SWITCH, OLD_SWITCH, Version, switch_of};
use super::host::systemd;
use super::odoo::seen_by_root;
use super::words::count;
use crate::redact::{self, Shown, joined, shown};

pub const ID: &str = "odoo-gc";

/// Where our package puts the drop-in that turns it off.
const DROP_IN: &str = "/usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf";

const DAY: u64 = 86_400;

/// The texts that Odoo 14 and 15 take for yes and for no, in any case (`distutils.util.strtobool`).
const YES: [&str; 6] = ["y", "yes", "1", "true", "t", "on"];
const NO: [&str; 6] = ["n", "no", "0", "false", "f", "off"];

/// A clock of the kernel and one of a file system differ by this much, in seconds.
const JITTER: i64 = 2;

/// The garbage collection of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gc {
    Off,
    On(Why),
    /// It cannot be told, for this reason.
    Untold(Shown),
}

/// Why it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The variable is not set, or to nothing.
    Unset,
    /// It is set to a text that means no.
    SaysNo,
    /// The build does not know the variable.
    NoSwitch,
}

/// A server of this store.
#[derive(Clone, Debug)]
pub struct Server {
    pub pid: u64,
    pub version: Option<Version>,
    pub gc: Gc,
    /// Its source is newer than the process.
    pub restart_pending: bool,
    pub unit: Option<Shown>,
    /// That unit sets the switch, but the process was started without it.
    pub unit_sets_it: bool,
}

/// What the files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pile {
    /// So many are older than 14 days, where something is saved: nothing deletes at 7.
    Old(u64),
    /// None is older than 7 days, though this reaper deleted no login for 8.
    Cut,
    /// It cannot tell.
    Silent,
}

pub struct Evidence {
    pub servers: Vec<Server>,
    /// Servers that may use this store, too: nobody could look.
    pub dark: u64,
    pub hidden: bool,
    pub root: bool,
    pub pile: Pile,
    /// The drop-in of the package is there.
    pub drop_in: bool,
}

pub fn gather(case: &Case<'_>) -> Evidence {
    let host = case.host;
    let masters = host.masters.iter();
    // Where its store is not there, it is likely to be another one.
    let dark = masters.clone().filter(|master| {
        let seen = master.seen.as_ref();
        seen.is_none_or(|seen| seen.data_dir.is_err() || seen.store.is_none())
    });
    Evidence {
        servers: masters
            .filter(|master| case.is_its_store(master))
            .map(|master| server(master, case.store.owner))
            .collect(),
        dark: (dark.count() + host.orphans.len()) as u64,
        hidden: host.hidden,
        root: host.root,
        pile: pile(case),
        drop_in: std::path::Path::new(DROP_IN).exists(),
    }
}

fn server(master: &Master, owner: Option<u32>) -> Server {
    let seen = master.seen.as_ref();
    let source = seen.and_then(|seen| seen.source.as_ref());
    let version = source.map(|source| source.version);
    let started = seen.and_then(|seen| seen.started);
    let is_newer = |started: i64| source.is_some_and(|source| source.changed > started + JITTER);
    // Anybody can start something that looks like an Odoo, but not as the user whom the store lets in.
    let is_stranger = master.uid.is_none_or(|uid| uid != 0 && Some(uid) != owner);
    let gc = match seen {
        Some(_) if is_stranger => {
            Gc::Untold("the store belongs to another user, so it may be a fake".into())
        }
        Some(seen) => gc(seen),
        None => Gc::Untold("this user may not look into it".into()),
    };
    let unit = master.unit.as_deref();
    let sets_it = |unit| version.is_some_and(|version| systemd::sets(unit, switch_of(version)));
    Server {
        pid: u64::try_from(master.pid).unwrap_or(0),
        version,
        restart_pending: started.is_some_and(is_newer),
        unit_sets_it: gc == Gc::On(Why::Unset) && unit.is_some_and(sets_it),
        unit: unit.map(|unit| redact::printable(unit.as_bytes())),
        gc,
    }
}

fn gc(seen: &Insight) -> Gc {
    if seen.without_environment {
        return Gc::Untold("its environment is empty, which proves nothing".into());
    }
    let Some(source) = &seen.source else {
        return Gc::Untold("its source was not found".into());
    };
    switched(source.version, source.knows_switch, seen.switch.as_deref())
}

/// The switch of a version, with the value of its variable.
fn switched(version: Version, knows: bool, value: Option<&str>) -> Gc {
    if !knows {
        return Gc::On(Why::NoSwitch);
    }
    let lower = value.unwrap_or_default().to_lowercase();
    match (switch_of(version), value) {
        (NEW_SWITCH, Some(text)) if !text.is_empty() => Gc::Off,
        (OLD_SWITCH, Some(_)) if YES.contains(&&*lower) => Gc::Off,
        (OLD_SWITCH, Some(_)) if NO.contains(&&*lower) => Gc::On(Why::SaysNo),
        (OLD_SWITCH, Some(_)) => Gc::Untold("with this text, such an Odoo would not start".into()),
        _ => Gc::On(Why::Unset),
    }
}

fn pile(case: &Case<'_>) -> Pile {
    let Ok(audit) = &case.store.audit else {
        return Pile::Silent;
    };
    let saved = audit
        .store
        .last_change
        .is_some_and(|saved| case.host.now - saved < DAY as i64);
    // Files of another layout than the running Odoo's are never deleted by it.
    let mixed = audit.store.flat_files > 0 && audit.store.sharded_files > 0;
    if !saved || mixed {
        return Pile::Silent;
    }
    let logins = audit.files_of("authenticated");
    let visitors = audit.files_of("anonymous");
    let old = logins.older_than(14 * DAY) + visitors.older_than(14 * DAY);
    // Of fewer, all may be young by chance.
    let many = logins.files >= 100;
    let kept = audit
        .longest("authenticated_window")
        .is_some_and(|window| window > 8 * DAY);
    // A few may be what Odoo is not let at, or what came back from a backup.
    let few = old * 20 <= logins.files + visitors.files;
    match old {
        0 if logins.older_than(7 * DAY) == 0 && many && kept && case.journal.no_login_in_8_days => {
            Pile::Cut
        }
        _ if few => Pile::Silent,
        old => Pile::Old(old),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let Evidence { servers, root, .. } = evidence;
    let find = |status, evidence| Finding::new(ID, status, evidence);
    let mut on = servers
        .iter()
        .filter(|server| matches!(server.gc, Gc::On(_)) && !is_off_by_parameter(server, evidence))
        .peekable();
    if let Some(first) = on.peek().copied() {
        let told = joined(on.map(told), "; ");
        return find(
            Status::Problem,
            with_pile(shown!["on: ", told], evidence.pile),
        )
        .cured_by(cure(first, evidence.drop_in));
    }
    if let Some(why) = untold(evidence) {
        return seen_by_root(find(Status::Unknown, with_pile(why, evidence.pile)), *root);
    }
    let all = joined(servers.iter().map(told), "; ");
    let told = with_pile(shown!["off: ", all], evidence.pile);
    if let Some(server) = servers.iter().find(|server| server.restart_pending) {
        return find(Status::Warning, told).cured_by(restart(server));
    }
    if evidence.pile == Pile::Cut {
        return find(Status::Warning, told).cured_by(
            "# look for another cleaner: a cron job, systemd-tmpfiles, a second Odoo".into(),
        );
    }
    find(Status::Ok, told)
}

/// Whether the old pile proves that a build without a switch deletes nothing. It would every day, from 16 on; before,
/// only if it has many visitors.
fn is_off_by_parameter(server: &Server, evidence: &Evidence) -> bool {
    let daily = server.version.is_some_and(|version| version >= (16, 0));
    server.gc == Gc::On(Why::NoSwitch) && daily && matches!(evidence.pile, Pile::Old(_))
}

/// Why it cannot be told, if that is so.
fn untold(evidence: &Evidence) -> Option<Shown> {
    let servers = &evidence.servers;
    let all = joined(servers.iter().map(told), "; ");
    if servers
        .iter()
        .any(|server| matches!(server.gc, Gc::Untold(_)))
    {
        return Some(all);
    }
    let more = if evidence.dark > 0 {
        shown![
            count(evidence.dark, "more server"),
            " may use this store: its data_dir could not be told, or is not there"
        ]
    } else if servers.is_empty() && !evidence.hidden {
        "no Odoo of this store runs, so nobody can be asked".into()
    } else if servers.is_empty() {
        "no Odoo can be seen from here".into()
    } else if evidence.hidden {
        "other users' servers are out of sight".into()
    } else {
        return None;
    };
    Some(joined(
        [all, more].into_iter().filter(|it| !it.is_empty()),
        "; ",
    ))
}

fn with_pile(told: Shown, pile: Pile) -> Shown {
    let pile = match pile {
        Pile::Old(files) => shown![
            count(files, "file"),
            " older than 14 days, so nothing of Odoo's deletes"
        ],
        Pile::Cut => "something deletes logins at 7 days, and it is not this reaper".into(),
        Pile::Silent => "the pile cannot tell".into(),
    };
    shown![
        told,
        "; ",
        pile,
        "; parameters in the databases were not looked at"
    ]
}

fn told(server: &Server) -> Shown {
    let version = match server.version {
        Some((major, minor)) => shown![" (", u64::from(major), ".", u64::from(minor), ")"],
        None => Shown::default(),
    };
    let variable = server.version.map_or("the switch", switch_of);
    let said = match &server.gc {
        Gc::Off => shown![" has ", variable],
        Gc::On(Why::Unset) if server.unit_sets_it => {
            shown![" was started before its unit set ", variable]
        }
        Gc::On(Why::Unset) => shown![" has no ", variable],
        Gc::On(Why::SaysNo) => shown![" has ", variable, ", which says no"],
        Gc::On(Why::NoSwitch) => shown![" is a build that does not know ", variable],
        Gc::Untold(why) => shown![": ", why],
    };
    let pending = match server.restart_pending {
        true => {
            " (restart pending: its source is newer than the process, so that this may not be what runs)"
        }
        false => "",
    };
    shown!["process ", server.pid, version, said, pending]
}

fn restart(server: &Server) -> Shown {
    match &server.unit {
        Some(unit) => shown!["sudo systemctl restart ", redact::shell(unit)],
        None => "# restart this Odoo".into(),
    }
}

/// What there is to do about a build without a switch.
fn without_switch((major, _): Version) -> Shown {
    match major {
        ..14 => "# update Odoo to 14 or newer: this version has no switch".into(),
        16 | 17 => "# update Odoo, or set the system parameter sessions.max_inactivity_seconds to 315360000 in every database"
            .into(),
        _ => "# this build has no switch: update Odoo".into(),
    }
}

/// What turns it off, by version and by what started the server.
fn cure(server: &Server, drop_in: bool) -> Shown {
    let version = server.version.unwrap_or_default();
    if server.gc == Gc::On(Why::NoSwitch) {
        return without_switch(version);
    }
    let variable = switch_of(version);
    let Some(unit) = &server.unit else {
        return shown![
            "# start Odoo with ",
            variable,
            "=1 in its environment (docker: -e ",
            variable,
            "=1)"
        ];
    };
    if server.unit_sets_it {
        return restart(server);
    }
    let unit = redact::shell(unit);
    let place = shown!["/etc/systemd/system/", &unit, ".d"];
    let put = match drop_in {
        true => shown!["sudo ln -sf ", DROP_IN, " ", &place, "/"],
        false => shown![
            "printf '[Service]\\nEnvironment=",
            variable,
            "=1\\n' | sudo tee ",
            &place,
            "/session-gc-off.conf"
        ],
    };
    shown![
        "sudo mkdir -p ",
        &place,
        " && ",
        put,
        " && sudo systemctl daemon-reload && sudo systemctl restart ",
        unit
    ]
}

#[cfg(test)]
mod tests;
