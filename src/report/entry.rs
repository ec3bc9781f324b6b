//! The closing sentence as an entry of systemd's journal.

use std::io;

use tracing::Level;

use super::facts::Facts;
use super::numbers::Numbers;
use super::text;
use crate::log::journal::{Entry, Journal};

/// `MESSAGE_ID=` of the event that a run has come to its end; docs/journal.md names it.
pub const SUMMARY: &str = "3e3b1b1f4e6c4f75ac98521207696ff7";

/// Sends the closing sentence with the run's numbers as fields. Where that fails, nothing was sent.
pub fn send(journal: &Journal, facts: &Facts, level: Level) -> io::Result<()> {
    let total = &facts.found.total;
    let entry = Entry::new(level, text::summary(facts, Numbers::Plain))
        .with("MESSAGE_ID", SUMMARY)
        .with("SESSION_STORE", &facts.store.resolved)
        .with("SESSIONS_SEEN", total.all.files)
        .with("SESSIONS_DUE", total.due.files)
        .with("SESSIONS_DELETED", total.deleted.files)
        .with("FAILURES", facts.found.failures())
        .with("DURATION_USEC", facts.took.as_micros())
        .with("EXIT_CODE", facts.exit_code);
    journal.send(&entry)
}
