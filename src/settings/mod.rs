//! Flags, environment and `odoo.conf` merged into one value; every error is said once.

pub mod data_dir;
mod locate;
pub mod odoo_conf;
mod window;

pub use locate::{Location, Surroundings};

use std::fmt;

use clap::ArgMatches;

use crate::cli::{AuditArgs, ReapArgs, ReportArgs, StoreArgs, WindowArgs, WorkArgs};
use crate::exit::Exit;
use crate::policy::Windows;
use crate::reap::Mode;
use crate::store::Opening;

/// Everything that a run over a store needs to be told.
#[derive(Debug)]
pub struct Settings {
    /// Where the store is.
    pub location: Location,
    /// How it is to be opened.
    pub opening: Opening,
    /// What is done with files that are due.
    pub mode: Mode,
    /// Inactivity windows.
    pub windows: Windows,
    /// Delete at most this many files.
    pub limit: Option<u64>,
    /// Delete what is older than every window without reading it.
    pub unread: bool,
    /// Reap a dormant store too.
    pub force: bool,
    /// Number of workers, if somebody chose it.
    pub threads: Option<u16>,
    /// How the outcome is told.
    pub report: ReportArgs,
}

/// Settings that cannot be meant, or cannot be had.
#[derive(Debug)]
pub struct SettingsError {
    /// How the process ends for it.
    pub exit: Exit,
    message: String,
}

impl SettingsError {
    pub(crate) fn usage(message: String) -> SettingsError {
        SettingsError {
            exit: Exit::Usage,
            message,
        }
    }

    pub(crate) fn failed(message: String) -> SettingsError {
        SettingsError {
            exit: Exit::Failed,
            message,
        }
    }
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Settings {
    /// The settings of an audit.
    ///
    /// # Errors
    /// Settings that contradict each other or cannot be meant, an `odoo.conf` that cannot be read, and a
    /// store that nobody named and that is not where Odoo and its packages have it.
    pub fn audit(
        args: AuditArgs,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        let AuditArgs {
            store,
            windows,
            report,
            work,
        } = args;
        Settings::new(
            Mode::Audit,
            &store,
            &windows,
            report,
            &work,
            matches,
            around,
        )
    }

    /// The settings of a reap.
    ///
    /// # Errors
    /// As for an audit; a reap that deletes must also be told where the store is.
    pub fn reap(
        args: ReapArgs,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        let ReapArgs {
            store,
            windows,
            deleting,
            report,
            work,
        } = args;
        let settings = Settings::new(
            deleting.mode(),
            &store,
            &windows,
            report,
            &work,
            matches,
            around,
        )?;
        Ok(Settings {
            limit: deleting.limit,
            unread: deleting.unread,
            force: deleting.force,
            ..settings
        })
    }

    fn new(
        mode: Mode,
        store: &StoreArgs,
        windows: &WindowArgs,
        report: ReportArgs,
        work: &WorkArgs,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        Ok(Settings {
            windows: window::windows(windows)?,
            location: locate::locate(store, matches, around, mode)?,
            opening: Opening {
                accept_any_directory: store.accept_any_directory,
            },
            mode,
            limit: None,
            unread: false,
            force: false,
            threads: work.threads,
            report,
        })
    }
}
