//! Entries of systemd's journal: a login that ended, and the closing sentence.

use std::io;

use tracing::Level;

use super::facts::Facts;
use super::numbers::Numbers;
use super::text;
use crate::log::journal::{Entry, Journal};
use crate::reap::Due;
use crate::time::words;

/// `MESSAGE_ID=` of the event that an authenticated session was deleted; docs/journal.md names it.
pub const DELETION: &str = "33246ad624654233957020b56b8fc55e";

/// What is said of it.
pub(super) const DELETED: &str = "deleted an authenticated session";

/// `MESSAGE_ID=` of the event that a run has come to its end; docs/journal.md names it.
pub const SUMMARY: &str = "3e3b1b1f4e6c4f75ac98521207696ff7";

/// A login that ended, with what any such entry says.
fn ended(due: &Due, said: &str, login: Option<&str>) -> Entry {
    let database = due.who.db.as_deref();
    Entry::new(Level::INFO, said.to_owned())
        .saying("login", login)
        .saying("database", database)
        .saying("sid", Some(&due.sid_prefix))
        .with("MESSAGE_ID", DELETION)
        .with_some("ODOO_DB", database)
        .with_some("ODOO_LOGIN", login)
        .with("SESSION_CLASS", due.class.label())
        .with("SESSION_AGE", due.age.as_secs())
        .with("SESSION_SID", &due.sid_prefix)
        .with("REASON", due.reason.name())
}

/// A login that was due; its message is that of the text log.
pub(super) fn deletion(due: &Due, login: Option<&str>) -> Entry {
    ended(due, DELETED, login)
        .saying("age", Some(&words(due.age)))
        .saying("reason", Some(due.reason.name()))
        .saying("window", Some(&words(due.window)))
        .with("SESSION_WINDOW", due.window.as_secs())
}

/// A login that somebody ended, and who: his user id here, that with which he logged in, and who called sudo.
pub(crate) fn revocation(
    due: &Due,
    (said, login): (&str, Option<&str>),
    [uid, login_uid, sudo_user]: [Option<&str>; 3],
) -> Entry {
    ended(due, said, login)
        .saying("reason", Some(due.reason.name()))
        .with_some("CALLER_UID", uid)
        .with_some("CALLER_LOGIN_UID", login_uid)
        .with_some("CALLER_SUDO_USER", sudo_user)
}

/// Sends the closing sentence with the run's numbers as fields. Where that fails, nothing was sent.
pub fn send(journal: &Journal, facts: &Facts, level: Level) -> io::Result<()> {
    let total = &facts.found.total;
    let entry = Entry::new(level, text::summary(facts, Numbers::Plain))
        .with("MESSAGE_ID", SUMMARY)
        .with("SESSION_STORE", &facts.store.resolved)
        .with("SESSIONS_SEEN", total.all.files)
        .with("SESSIONS_DUE", total.due.files)
        .with("SESSIONS_DELETED", total.deleted.files)
        .with("LOGINS_KEPT", facts.found.logouts.kept)
        .with("FAILURES", facts.found.failures())
        .with("DURATION_USEC", facts.took.as_micros())
        .with("EXIT_CODE", facts.exit_code);
    journal.send(&entry)
}
