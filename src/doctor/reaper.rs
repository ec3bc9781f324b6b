//! `reaper`: who reaps this store, whether he is on, how his last run ended, and whether he would be let in.

mod cure;

use std::time::Duration;

use super::finding::{Finding, Proven};
use super::host::cron::Line;
use super::host::place::Place;
use super::host::systemd::Unit;
use super::words::{ago, moment};
use super::{Case, DAY};
use crate::redact::{self, Shown, joined, shell, shown};
pub use cure::defaults;
use cure::{let_in, turn_on};

/// How long the reaper of this store has been on, for the verdict.
pub fn proven(case: &Case<'_>) -> Proven {
    let now = case.host.now;
    let success = case.success();
    let Some(unit) = case.unit().filter(|unit| unit.timer_active) else {
        // Nobody knows when a line of cron was written.
        return Proven::Yes;
    };
    match (unit.since.map(|since| now - since), success) {
        (_, Some(success)) if now - success > DAY => Proven::Yes,
        (Some(DAY..), Some(_)) => Proven::Yes,
        (Some(since), Some(_)) => {
            Proven::OnSince(u64::try_from(since).ok().map(Duration::from_secs))
        }
        _ => Proven::OnSince(None),
    }
}

pub fn judge(case: &Case<'_>) -> Finding {
    match (case.unit(), case.line()) {
        (Some(unit), line) if unit.timer_active || line.is_none() => of_unit(unit, case),
        (_, Some(line)) => of_line(line, &case.store.place),
        _ => nobody(case),
    }
}

fn of_line(line: &Line, store: &Place) -> Finding {
    let file = redact::path(&line.file);
    let user = redact::printable(line.user.name.as_bytes());
    let told = shown!("a line of cron in {}, as user {}", &file, user);
    match line.user.refusal(store) {
        None => Finding::ok(told),
        Some(refusal) => Finding::problem(
            shown!("{}, {}", told, refusal.why),
            shown!("sudoedit {}", shell(&file)),
        ),
    }
}

/// What there is to say where neither a unit nor a line of cron was seen.
fn nobody(case: &Case<'_>) -> Finding {
    if case.store.place.path.starts_with("/proc") {
        return Finding::unknown(
            "only its own server sees this store, as in a container",
            "# ask in that container: odoo-session-reaper doctor",
        );
    }
    let Some(units) = &case.host.units else {
        return Finding::unknown(
            "systemd does not answer here, and no line of cron was seen that reaps this store",
            shown!(
                "# if another host or container reaps it, ask there; else let cron run every hour:\n# odoo-session-reaper reap --data-dir {}",
                case.data_dir()
            ),
        );
    };
    let refusing = units.iter().filter_map(|unit| {
        let why = unit.told.as_ref()?.store.as_ref().err()?;
        Some(shown!("; {} refuses: {}", unit.shown(), why))
    });
    let refusing = joined(refusing, "");
    if !case.host.root {
        // Other users' crontabs are out of sight, and settings may be.
        return case.unseen(shown!(
            "nothing that this user may see reaps this store{}",
            refusing
        ));
    }
    Finding::problem(
        shown!("nothing reaps this store{}", refusing),
        turn_on(case, units),
    )
}

/// What `systemctl is-enabled` says of a timer that starts with the host.
const ENABLED: [&str; 4] = ["enabled", "static", "linked", "generated"];

fn of_unit(unit: &Unit, case: &Case<'_>) -> Finding {
    let now = case.host.now;
    let name = unit.shown();
    if let Some((told, cure)) = wrong(unit, case) {
        return Finding::problem(shown!("{}{}", name, told), cure);
    }
    let last = match (unit.ended, unit.last) {
        (Some(ended), _) if unit.status == 0 => shown!("last run succeeded {}", ago(now - ended)),
        // Busy, or told to stop: the unit takes that for a success.
        (Some(ended), _) => {
            let ago = ago(now - ended);
            shown!(
                "last run was stopped before its end, exit code {}, {}",
                unit.status,
                ago
            )
        }
        (None, Some(last)) => shown!("last run began {}", ago(now - last)),
        (None, None) => "no run yet".into(),
    };
    let next = unit.next.map(|next| shown!(", next at {}", moment(next)));
    Finding::ok(shown!(
        "{}.timer is on; {}{}",
        name,
        last,
        next.unwrap_or_default()
    ))
}

/// What is wrong with a unit, behind its name, and what cures it.
fn wrong(unit: &Unit, case: &Case<'_>) -> Option<(Shown, Shown)> {
    let name = shell(&unit.shown());
    if let Some(refusal) = unit.refusal(case.store) {
        return Some((shown!(".service {}", &refusal.why), let_in(&refusal, &name)));
    }
    if unit.told.as_ref().is_some_and(|told| told.dry_run) {
        let told = ".service is told to delete nothing (dry run)".into();
        return Some((told, shown!("sudoedit {}", defaults(&unit.name))));
    }
    if !["", "success"].contains(&&*unit.result) {
        let result = redact::printable(unit.result.as_bytes());
        // What runs before the program may have failed.
        let code = Some(unit.status).filter(|status| *status != 0);
        let code = code.map(|status| shown!(", exit code {}", status));
        let when = unit
            .ended
            .map(|ended| shown!(", {}", ago(case.host.now - ended)));
        let more = shown!("{}{}", code.unwrap_or_default(), when.unwrap_or_default());
        return Some((
            shown!(".service failed: {}{}", result, more),
            shown!(
                "sudo journalctl -n 20 -u {}    # says why; then: sudo systemctl start {}",
                &name,
                &name
            ),
        ));
    }
    let told = match (unit.timer_active, ENABLED.contains(&&*unit.enabled)) {
        (true, true) => return None,
        (true, false) => ".timer is off after the next boot",
        (false, _) => ".timer is off",
    };
    let cure = shown!("sudo systemctl enable --now {}.timer", name);
    Some((told.into(), cure))
}

#[cfg(test)]
mod tests;
