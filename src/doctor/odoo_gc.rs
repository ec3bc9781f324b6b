//! `odoo-gc`: whether Odoo's own garbage collection of sessions is off, in each server of this store, and what the pile
//! says to that.

use super::finding::Finding;
use super::host::DROP_IN;
use super::host::master::Master;
use super::host::source::{NEW_SWITCH, OLD_SWITCH, Version, switch_of};
use super::words::count;
use super::{Case, DAY};
use crate::redact::{self, Shown, joined, shown};

/// The texts that Odoo 14 and 15 take for yes and for no, in any case (`distutils.util.strtobool`).
const YES: [&str; 6] = ["y", "yes", "1", "true", "t", "on"];
const NO: [&str; 6] = ["n", "no", "0", "false", "f", "off"];

/// A clock of the kernel and one of a file system differ by this much, in seconds.
const JITTER: i64 = 2;

/// The garbage collection of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gc {
    Off,
    /// The variable is not set, or to nothing.
    Unset,
    /// It is set to a text that means no.
    SaysNo,
    /// The build does not know the variable.
    NoSwitch,
    /// It cannot be told, for this reason.
    Untold(&'static str),
}

/// What the files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pile {
    /// So many are older than 14 days, where something is saved: nothing deletes at 7.
    Old(u64),
    /// None is older than 7 days, though this reaper deleted no login for 8.
    Cut,
    /// It cannot tell.
    Silent,
}

pub fn judge(case: &Case<'_>) -> Finding {
    judged(case, pile(case))
}

fn judged(case: &Case<'_>, pile: Pile) -> Finding {
    let (ours, _) = case.masters();
    let servers: Vec<_> = ours
        .iter()
        .map(|master| (*master, gc(master, case)))
        .collect();
    let is_on = |(master, gc): &&(&Master, Gc)| match gc {
        Gc::Unset | Gc::SaysNo => true,
        Gc::NoSwitch => !is_off_by_parameter(master, pile),
        Gc::Off | Gc::Untold(_) => false,
    };
    let all = |servers: &[(&Master, Gc)]| joined(servers.iter().map(told), "; ");
    let on: Vec<_> = servers.iter().filter(is_on).cloned().collect();
    if let [first, ..] = &on[..] {
        return Finding::problem(
            with_pile(shown!("on: {}", all(&on)), pile),
            cure(first, case),
        );
    }
    if let Some(why) = untold(&servers, case) {
        let said = [all(&servers), why].into_iter().filter(|it| !it.is_empty());
        return case.unseen(with_pile(joined(said, "; "), pile));
    }
    let told = with_pile(shown!("off: {}", all(&servers)), pile);
    if let Some(server) = ours.into_iter().find(|master| is_restart_pending(master)) {
        return Finding::warning(told, restart(server));
    }
    if pile == Pile::Cut {
        let cure = "# look for another cleaner: a cron job, systemd-tmpfiles, a second Odoo";
        return Finding::warning(told, cure);
    }
    Finding::ok(told)
}

fn with_pile(told: Shown, pile: Pile) -> Shown {
    let pile = match pile {
        Pile::Old(files) => {
            let files = count(files, "file");
            shown!("{} older than 14 days, so nothing of Odoo's deletes", files)
        }
        Pile::Cut => "something deletes logins at 7 days, and it is not this reaper".into(),
        Pile::Silent => "the pile cannot tell".into(),
    };
    shown!(
        "{}; {}; parameters in the databases were not looked at",
        told,
        pile
    )
}

fn gc(master: &Master, case: &Case<'_>) -> Gc {
    let Some(seen) = &master.seen else {
        return Gc::Untold("this user may not look into it");
    };
    // Anybody can start something that looks like an Odoo, but not as the user whom the store lets in.
    if master.uid != Some(0) && (master.uid.is_none() || master.uid != case.store.place.owner) {
        return Gc::Untold("the store belongs to another user, so it may be a fake");
    }
    if seen.without_environment {
        return Gc::Untold("its environment is empty, which proves nothing");
    }
    match &seen.source {
        Some(source) => switched(source.version, source.knows_switch, seen.switch.as_deref()),
        None => Gc::Untold("its source was not found"),
    }
}

/// The switch of a version, with the value of its variable.
fn switched(version: Version, knows: bool, value: Option<&str>) -> Gc {
    if !knows {
        return Gc::NoSwitch;
    }
    let lower = value.unwrap_or_default().to_lowercase();
    match (switch_of(version), value) {
        (NEW_SWITCH, Some(text)) if !text.is_empty() => Gc::Off,
        (OLD_SWITCH, Some(_)) if YES.contains(&&*lower) => Gc::Off,
        (OLD_SWITCH, Some(_)) if NO.contains(&&*lower) => Gc::SaysNo,
        (OLD_SWITCH, Some(_)) => Gc::Untold("with this text, such an Odoo would not start"),
        _ => Gc::Unset,
    }
}

fn pile(case: &Case<'_>) -> Pile {
    let Ok(audit) = &case.store.audit else {
        return Pile::Silent;
    };
    let saved = audit.store.last_change;
    let is_alive = saved.is_some_and(|saved| case.host.now - saved < DAY);
    // Files of another layout than the running Odoo's are never deleted by it.
    let mixed = audit.store.flat_files > 0 && audit.store.sharded_files > 0;
    if !is_alive || mixed {
        return Pile::Silent;
    }
    let classes = ["authenticated", "anonymous"];
    let old = classes.map(|class| audit.sum(class, |row| row.older_than(14 * DAY)));
    let old: u64 = old.iter().sum();
    let files = classes.map(|class| audit.sum(class, |row| row.files));
    // A few may be what Odoo is not let at, or what came back from a backup.
    if old * 20 > files.iter().sum() {
        return Pile::Old(old);
    }
    // Of fewer, all may be young by chance.
    let many = files[0] >= 100;
    let none = old + audit.sum("authenticated", |row| row.older_than(7 * DAY)) == 0;
    let window = audit.longest("authenticated_window");
    let kept = window.is_some_and(|window| window > 8 * DAY);
    match none && many && kept && case.journal.no_login_in_8_days {
        true => Pile::Cut,
        false => Pile::Silent,
    }
}

/// Whether the old pile proves that a build without a switch deletes nothing. It would every day, from 16 on; before,
/// only if it has many visitors.
fn is_off_by_parameter(master: &Master, pile: Pile) -> bool {
    let daily = master.version().is_some_and(|version| version >= (16, 0));
    daily && matches!(pile, Pile::Old(_))
}

/// Whether its source is newer than the process.
fn is_restart_pending(master: &Master) -> bool {
    let seen = master.seen.as_ref();
    let pending =
        seen.and_then(|seen| Some(seen.source.as_ref()?.changed > seen.started? + JITTER));
    pending.unwrap_or(false)
}

/// Why it cannot be told, beside what is said of each server, if that is so.
fn untold(servers: &[(&Master, Gc)], case: &Case<'_>) -> Option<Shown> {
    if servers.iter().any(|(_, gc)| matches!(gc, Gc::Untold(_))) {
        return Some(Shown::default());
    }
    // Where its store is not there, it is likely to be another one.
    let masters = case.host.masters.iter();
    Some(
        match masters.filter(|master| master.store().is_none()).count() {
            0 if servers.is_empty() && !case.host.hidden => {
                "no Odoo of this store runs, so nobody can be asked".into()
            }
            0 if servers.is_empty() => "no Odoo can be seen from here".into(),
            0 if case.host.hidden => "other users' servers are out of sight".into(),
            0 => return None,
            dark => shown!(
                "{} may use this store: its data_dir could not be told, or is not there",
                count(dark as u64, "more server")
            ),
        },
    )
}

fn told((master, gc): &(&Master, Gc)) -> Shown {
    let version = master.version();
    let variable = version.map_or("the switch", switch_of);
    let version = version.map(|(major, minor)| shown!(" ({}.{})", major, minor));
    let said = match gc {
        Gc::Off => shown!(" has {}", variable),
        Gc::Unset if master.unit_sets_switch => {
            shown!(" was started before its unit set {}", variable)
        }
        Gc::Unset => shown!(" has no {}", variable),
        Gc::SaysNo => shown!(" has {}, which says no", variable),
        Gc::NoSwitch => shown!(" is a build that does not know {}", variable),
        Gc::Untold(why) => shown!(": {}", *why),
    };
    let pending = match is_restart_pending(master) {
        true => {
            " (restart pending: its source is newer than the process, so that this may not be what runs)"
        }
        false => "",
    };
    shown!(
        "process {}{}{}{}",
        master.pid,
        version.unwrap_or_default(),
        said,
        pending
    )
}

/// The unit of a server, as one word of a shell.
fn unit(master: &Master) -> Option<Shown> {
    let unit = master.unit.as_ref()?;
    Some(redact::shell(&redact::printable(unit.as_bytes())))
}

fn restart(master: &Master) -> Shown {
    match unit(master) {
        Some(unit) => shown!("sudo systemctl restart {}", unit),
        None => "# restart this Odoo".into(),
    }
}

/// What there is to do about a build without a switch.
fn without_switch((major, _): Version) -> &'static str {
    match major {
        ..14 => "# update Odoo to 14 or newer: this version has no switch",
        16 | 17 => {
            "# update Odoo, or set the system parameter sessions.max_inactivity_seconds to 315360000 in every database"
        }
        _ => "# this build has no switch: update Odoo",
    }
}

/// What turns it off, by version and by what started the server.
fn cure((master, gc): &(&Master, Gc), case: &Case<'_>) -> Shown {
    let version = master.version().unwrap_or_default();
    if *gc == Gc::NoSwitch {
        return without_switch(version).into();
    }
    let variable = switch_of(version);
    let Some(unit) = unit(master) else {
        return shown!(
            "# start Odoo with {}=1 in its environment (docker: -e {}=1)",
            variable,
            variable
        );
    };
    if *gc == Gc::Unset && master.unit_sets_switch {
        return restart(master);
    }
    let place = shown!("/etc/systemd/system/{}.d", unit);
    let put = match case.host.has_drop_in {
        true => shown!("sudo ln -sf {} {}/", DROP_IN, &place),
        false => shown!(
            "printf '[Service]\\nEnvironment={}=1\\n' | sudo tee {}/session-gc-off.conf",
            variable,
            &place
        ),
    };
    shown!(
        "sudo mkdir -p {} && {} && sudo systemctl daemon-reload && {}",
        place,
        put,
        restart(master)
    )
}

#[cfg(test)]
mod tests;
