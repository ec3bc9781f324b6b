//! What access times say of people: who would be logged out while active, and which visitors never came back.

use super::Finished;
use super::facts::Facts;
use super::numbers::Numbers;
use super::room;
use crate::policy::{Class, LastSeen};
use crate::reap::Mode;
use crate::tally::reads::SHORTER;

/// How to keep those who would be logged out while active, as a command, where that can be done.
pub(super) fn advice(run: &Finished<'_>) -> Option<String> {
    let policy = &run.plan.policy;
    let reads = &run.tally.reads;
    let active = amount(
        reads.due_but_active,
        reads.due_but_active + reads.perhaps_active,
        Numbers::Plain,
    )?;
    let would_help = policy.last_seen == LastSeen::Mtime && policy.reads.grain().is_some();
    if run.plan.mode != Mode::Audit || !would_help {
        return None;
    }
    let atime = Some(("last_seen", LastSeen::Atime.name(), false));
    let reap = room::command(run, "reap", atime)
        .unwrap_or_else(|| "--last-seen atime with your --keep-login".to_owned());
    Some(format!(
        "due but active: {active} of logged-in users; {reap} keeps people who only click"
    ))
}

/// How many files, or between which numbers; `None` for none.
fn amount(at_least: u64, up_to: u64, numbers: Numbers) -> Option<String> {
    let files = numbers.of(up_to, "file");
    match at_least {
        _ if up_to == 0 => None,
        same if same == up_to => Some(files),
        0 => Some(format!("up to {files}")),
        at_least => Some(format!(
            "at least {}, up to {files}",
            numbers.count(at_least)
        )),
    }
}

/// Who would be logged out while active.
pub(super) fn due_but_active(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let found = &facts.found;
    let (Some(at_least), Some(up_to)) =
        (found.reads.due_but_active, found.reads.due_but_active_up_to)
    else {
        let why = "this mount does not tell when a file was read (noatime, chattr +A, NFS, FUSE)";
        return vec![format!("due but active: unknown, {why}")];
    };
    let Some(files) = amount(at_least, up_to, numbers) else {
        return Vec::new();
    };
    let what = match facts.last_seen {
        LastSeen::Mtime => {
            "read within the window (by Odoo, or by a backup), not saved; --last-seen atime keeps them for 90 days after a save"
        }
        LastSeen::Atime => "read within the window, but reads count for 90 days after a save only",
    };
    let mut notes = vec![format!(
        "due but active: {files} of logged-in users, {what}"
    )];
    if at_least < up_to {
        let why =
            "relatime notes a read once a day, and a file of another user cannot be read unseen";
        notes.push(format!("  nobody knows more: {why}"));
    }
    notes
}

/// Which visitors never came back, and what to do about it.
pub(super) fn bounced(facts: &Facts, numbers: Numbers) -> Vec<String> {
    let found = &facts.found;
    let Some(bounced) = found.reads.bounced.filter(|bounced| *bounced > 0) else {
        return Vec::new();
    };
    let visitors = numbers.of(found.row(Class::Anonymous).all.files, "visitor");
    let mut notes = vec![format!(
        "bounced: {} of {visitors} never came back: mostly health checks and bots",
        numbers.count(bounced)
    )];
    if let Some(left) = found.reads.left_by_shorter {
        let (_, window) = SHORTER;
        let left = numbers.of(left, "file");
        notes.push(format!(
            "  --anonymous-window {window} would leave {left} of visitors"
        ));
    }
    notes.push("  health checks of /web/health leave no file (Odoo 15 and newer)".to_owned());
    notes
}
