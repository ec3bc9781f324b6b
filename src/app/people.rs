//! `who` and `revoke`: what they have in common.

mod revoke;
mod who;

pub(super) use revoke::revoke;
pub(super) use who::who;

use super::{progress, run};
use crate::exit::Exit;
use crate::people::{Document, Keys, Looking, Seen, Table};
use crate::reap::{self, End, Mode, Plan, Progress, Stop};
use crate::redact;
use crate::select::Selection;
use crate::settings::SettingsError;
use crate::store::Store;
use crate::tally::Tally;
use crate::time::Timestamp;

/// What holds for both walks.
struct Run<'a> {
    selection: &'a Selection,
    store: &'a Store,
    stop: &'a Stop,
    now: Timestamp,
    quiet: bool,
}

impl Run<'_> {
    /// The first walk, which shows whom it meets. `how` says whether to tell devices, and whether to read what would look
    /// younger for it.
    fn look(
        &self,
        plan: &Plan,
        keys: &Keys,
        table: Table,
        how: (bool, bool),
    ) -> (Seen, Tally, End) {
        let looking = Looking::new(self.selection, &plan.policy, keys, table, how);
        let progress = Progress::default();
        let (tally, end) = progress::shown(&progress, Mode::Audit, self.quiet, || {
            reap::choose(self.store, plan, &looking, &looking, self.stop, &progress)
        });
        let mut seen = looking.finish();
        seen.table.end();
        (seen, tally, end)
    }

    fn document(&self, command: &'static str, seen: &Seen, tally: &Tally, exit: Exit) -> Document {
        let missing = seen.missing.iter();
        Document {
            version: env!("CARGO_PKG_VERSION"),
            command,
            started: self.now,
            store: redact::path(&self.store.resolved),
            total: (&seen.counts).into(),
            visitors: None,
            missing: missing.map(|it| redact::printable(it.as_bytes())).collect(),
            revoked: None,
            denied: tally.denied(),
            failures: tally.failures(),
            exit_code: exit.code(),
        }
    }

    fn warn(&self, tally: &Tally) {
        if tally.is_shut() {
            let what = match tally.denied() {
                0 => "some directories of the store".to_owned(),
                files => format!("{files} session files"),
            };
            tracing::warn!(
                "{what} may not be read by this user, so nobody knows whose they are: run as the user that Odoo runs \
                 as, or as root"
            );
        }
    }
}

/// How the first walk ended, and whether all who were named are there: what was meant by another name is somebody else.
fn ended(seen: &Seen, tally: &Tally, end: End) -> (Exit, Result<(), SettingsError>) {
    let exit = run::exit(tally, Some(end));
    let named = match &seen.ambiguous[..] {
        // Who was not met so far may still be there.
        _ if matches!(exit, Exit::Interrupted(_)) => Ok(()),
        [] if seen.missing.is_empty() => Ok(()),
        [] => Err(SettingsError::failed(seen.missing.join("; "))),
        ambiguous => Err(SettingsError::usage(format!(
            "more than one session begins so: {}; give more of it, or another selector",
            ambiguous.join(", ")
        ))),
    };
    (
        named.as_ref().map_or_else(|error| error.exit, |()| exit),
        named,
    )
}
