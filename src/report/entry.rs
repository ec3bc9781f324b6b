//! The closing sentence as an entry of systemd's journal.

use std::io;

use tracing::Level;

use super::{Finished, text};
use crate::log::journal::{Entry, Journal};
use crate::reap::Mode;
use crate::redact;

/// `MESSAGE_ID=` of the event that a run has come to its end; docs/journal.md names it.
const SUMMARY: &str = "3e3b1b1f4e6c4f75ac98521207696ff7";

/// Sends the closing sentence with the run's numbers as fields. Where that fails, nothing was sent.
pub fn send(journal: &Journal, finished: &Finished<'_>, level: Level) -> io::Result<()> {
    let total = finished.tally.total();
    let deleted = match finished.plan.mode {
        Mode::Reap => total.deleted.files,
        Mode::Audit | Mode::DryRun => 0,
    };
    let entry = Entry::new(level, text::summary(finished))
        .with("MESSAGE_ID", SUMMARY)
        .with("SESSION_STORE", redact::path(&finished.store.resolved))
        .with("SESSIONS_SEEN", total.all.files)
        .with("SESSIONS_DUE", total.due.files)
        .with("SESSIONS_DELETED", deleted)
        .with("FAILURES", finished.tally.failures())
        .with("DURATION_USEC", finished.took.as_micros())
        .with("EXIT_CODE", finished.exit.code());
    journal.send(&entry)
}
