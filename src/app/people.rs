//! `who` and `revoke`: what they have in common.

mod revoke;
mod who;

pub(super) use revoke::revoke;
pub(super) use who::who;

use std::time::SystemTime;

use anyhow::Result;

use super::{progress, run};
use crate::exit::Exit;
use crate::people::{Document, Keys, Looking, Seen, Table};
use crate::reap::{self, End, Mode, Plan, Progress, Stop};
use crate::redact;
use crate::report::{Format, Out};
use crate::select::Selection;
use crate::settings::{Settings, SettingsError};
use crate::store::Store;
use crate::tally::Tally;
use crate::time::Timestamp;

/// What holds for both walks.
struct Run<'a> {
    selection: Selection,
    format: Format,
    store: Store,
    /// Of the first walk, which deletes nothing.
    plan: Plan,
    keys: Keys,
    stop: &'a Stop,
    quiet: bool,
}

impl<'a> Run<'a> {
    fn open(
        settings: &Settings,
        selection: Selection,
        format: Format,
        (quiet, stop): (bool, &'a Stop),
    ) -> Result<Run<'a>> {
        let store = run::open(settings)?;
        let plan = run::plan(settings, &store, Timestamp::of(SystemTime::now()));
        Ok(Run {
            selection,
            format,
            store,
            plan: Plan {
                mode: Mode::Audit,
                ..plan
            },
            keys: Keys::default(),
            stop,
            quiet,
        })
    }

    /// The first walk, which shows whom it meets: whether to tell devices, and whether to read what would look younger
    /// for it.
    fn look(&self, devices: bool, leaves_traces: bool) -> (Seen, Tally, End) {
        let table = Table::new(Out::stdout(), self.format, self.plan.policy.now);
        let how = (devices, leaves_traces);
        let looking = Looking::new(&self.selection, &self.plan.policy, &self.keys, table, how);
        let progress = Progress::default();
        let (tally, end) = progress::shown(&progress, Mode::Audit, self.quiet, || {
            let (plan, stop) = (&self.plan, self.stop);
            reap::choose(&self.store, plan, &looking, &looking, stop, &progress)
        });
        (looking.finish(), tally, end)
    }

    fn document(&self, command: &'static str, seen: &Seen, tally: &Tally, exit: Exit) -> Document {
        let missing = seen.missing.iter();
        Document {
            version: env!("CARGO_PKG_VERSION"),
            command,
            started: self.plan.policy.now,
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
}

/// Says who could not be seen, and what is likely to be a slip.
fn warn(seen: &Seen, tally: &Tally) {
    if let Some(said) = &seen.no_database {
        tracing::warn!("--database means nobody: {said}");
    }
    if tally.is_shut() {
        let what = match tally.denied() {
            0 => "some directories of the store".to_owned(),
            files => format!("{files} session files"),
        };
        tracing::warn!(
            "{what} may not be read by this user, so nobody knows whose they are: run as the user that Odoo runs as, or \
             as root"
        );
    }
}

/// How the first walk ended, and whether all who were named are there: what was meant by another name is somebody else.
fn ended(seen: &Seen, tally: &Tally, end: End) -> (Exit, Result<(), SettingsError>) {
    let exit = run::exit(tally, Some(end));
    let error = match &seen.ambiguous[..] {
        // Who was not met so far may still be there.
        _ if matches!(exit, Exit::Interrupted(_)) => return (exit, Ok(())),
        [] if seen.missing.is_empty() => return (exit, Ok(())),
        [] => SettingsError::failed(seen.missing.join("; ")),
        ambiguous => SettingsError::usage(format!(
            "more than one session begins so: {}; give more of it, or another selector",
            ambiguous.join(", ")
        )),
    };
    (error.exit, Err(error))
}
