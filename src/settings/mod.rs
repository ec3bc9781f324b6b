//! Flags, environment and `odoo.conf` merged into one value; every error is said once.

mod around;
mod conf_file;
mod data_dir;
mod given;
mod locate;
pub mod odoo_conf;
mod path;
mod resolve;
mod scope;
mod section;
mod service_file;
mod source;
mod spelling;

pub(crate) use conf_file::ConfFile;
use locate::Located;
pub(crate) use locate::{Location, Surroundings};
pub(crate) use service_file::notices;
pub(crate) use source::{Effective, Source, Value};
pub(crate) use spelling::unknown_variables;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;

use crate::cli::{AuditArgs, DeletingArgs, ReapArgs, ReportArgs, StoreArgs, WorkArgs, variable};
use crate::exit::Exit;
use crate::policy::{LastSeen, Policy, Rules};
use crate::reap::Mode;
use crate::report::Format;
use crate::store::Opening;
use crate::store::name::Kind;
use crate::time::Timestamp;

/// Everything that a run over a store needs to be told.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the store is.
    pub location: Location,
    /// All stores that an audit has found, if nobody named one and there is more than one.
    pub several: Vec<PathBuf>,
    /// The `odoo.conf` in use, if there is one.
    pub conf_file: Option<ConfFile>,
    /// How it is to be opened.
    pub opening: Opening,
    /// What is done with files that are due.
    pub mode: Mode,
    /// What holds for sessions of databases without rules of their own.
    pub general: Rules,
    /// What holds for those of databases with rules of their own.
    pub databases: BTreeMap<String, Rules>,
    /// What tells when a session was used last.
    pub last_seen: LastSeen,
    /// Every value of the policy, with who said so.
    pub effective: Vec<Effective>,
    /// Delete at most this many files.
    pub limit: Option<u64>,
    /// End no login at all if more than this many are due.
    pub max_logouts: Option<u64>,
    /// Delete what is older than every window without reading it.
    pub by_age_only: bool,
    /// Reap a dormant store too.
    pub force: bool,
    /// Number of workers, if somebody chose it.
    pub threads: Option<u16>,
    /// How the outcome is told.
    pub report: ReportArgs,
}

/// Settings that cannot be meant, or cannot be had.
#[derive(Debug)]
pub(crate) struct SettingsError {
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

    /// The same error, with what else there is to say of it.
    pub(crate) fn with(mut self, advice: Option<String>) -> SettingsError {
        if let Some(advice) = advice {
            self.message = format!("{}; {advice}", self.message);
        }
        self
    }
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What a reap does with files that are due.
impl From<&DeletingArgs> for Mode {
    fn from(args: &DeletingArgs) -> Mode {
        if args.dry_run {
            Mode::DryRun
        } else {
            Mode::Reap
        }
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
            report,
            work,
            ..
        } = args;
        Settings::new(Mode::Audit, &store, report, &work, matches, around)
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
            deleting,
            report,
            work,
            ..
        } = args;
        let settings = Settings::new(
            Mode::from(&deleting),
            &store,
            report,
            &work,
            matches,
            around,
        )?;
        if deleting.by_age_only {
            if deleting.max_logouts.is_some() {
                return Err(SettingsError::usage(format!(
                    "--by-age-only does not read whose login it ends, but there is --max-logouts, perhaps as {}: run \
                     without one of them",
                    variable("max-logouts")
                )));
            }
            settings.must_not_need_reading()?;
        }
        Ok(Settings {
            limit: deleting.limit,
            max_logouts: deleting.max_logouts,
            by_age_only: deleting.by_age_only,
            force: deleting.force,
            ..settings
        })
    }

    fn new(
        mode: Mode,
        store: &StoreArgs,
        report: ReportArgs,
        work: &WorkArgs,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        let located = locate::locate(store, matches, around, mode)?;
        if !located.several.is_empty() {
            must_be_for_several(mode, &report, &located)?;
        }
        let resolved = resolve::resolve(matches, &located.sections)?;
        Ok(Settings {
            general: resolved.general,
            databases: resolved.databases,
            last_seen: resolved.last_seen,
            effective: resolved.effective,
            location: located.location,
            several: located.several,
            conf_file: located.conf_file,
            opening: Opening {
                accept_any_directory: store.accept_any_directory,
            },
            mode,
            limit: None,
            max_logouts: None,
            by_age_only: false,
            force: false,
            threads: work.threads,
            report,
        })
    }

    /// Refuses what only the content of a file can tell, for `--by-age-only` would pass over it.
    fn must_not_need_reading(&self) -> Result<(), SettingsError> {
        for Effective {
            option,
            value,
            source,
            ..
        } in &self.effective
        {
            let what = match (*option, value) {
                ("keep_login", Value::Logins(logins)) if !logins.is_empty() => "whose login it is",
                ("max_lifetime", Value::Duration(_)) => "when its user logged in",
                _ => continue,
            };
            return Err(SettingsError::usage(format!(
                "--by-age-only deletes a session without reading it, and so without knowing {what}, but there is {}: \
                 run without --by-age-only",
                source.name(option)
            )));
        }
        Ok(())
    }

    /// The policy, to be applied at this moment.
    pub fn policy(&self, now: Timestamp) -> Policy {
        let mut policy = Policy::new(self.general.clone(), self.databases.clone(), now);
        if self.by_age_only {
            policy.by_age_only = vec![Kind::Flat, Kind::Sharded];
        }
        policy.last_seen = self.last_seen;
        policy
    }
}

/// Refuses what can be told of one store only.
fn must_be_for_several(
    mode: Mode,
    report: &ReportArgs,
    located: &Located,
) -> Result<(), SettingsError> {
    let refused = |what: &str, stores: String| {
        Err(SettingsError::usage(format!(
            "{what} is for one session store, but looking around found {}; {stores}",
            located.several.len()
        )))
    };
    if mode != Mode::Audit {
        return refused("a dry run", located.to_add());
    }
    let (what, verb) = match report {
        ReportArgs { list: true, .. } => ("--list", "audit --list"),
        ReportArgs {
            format: Format::Json,
            ..
        } => ("JSON", "audit --format json"),
        ReportArgs {
            metrics_file: Some(_),
            ..
        } => ("--metrics-file", "audit"),
        _ => return Ok(()),
    };
    refused(what, format!("name one:{}", located.commands(verb)))
}
