//! Flags, environment and `odoo.conf` merged into one value; every error is said once.

mod around;
mod conf_file;
mod data_dir;
mod given;
mod locate;
pub mod odoo_conf;
mod rules;
mod section;
mod service_file;
mod source;
mod spelling;
mod surroundings;

pub(crate) use conf_file::ConfFile;
pub(crate) use data_dir::resolve as resolve_data_dir;
use locate::Located;
pub(crate) use locate::{Location, stores};
pub(crate) use service_file::{notices, of_unit as environment_file, variables};
pub(crate) use source::{Effective, Source, Value};
pub(crate) use spelling::{closest, unknown_variables};
pub(crate) use surroundings::Surroundings;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;

use crate::cli::{DeletingArgs, ReportArgs, RunArgs, variable};
use crate::exit::Exit;
use crate::policy::{LastSeen, Policy, Rules};
use crate::reap::Mode;
use crate::redact;
use crate::report::Format;
use crate::store::Opening;
use crate::store::name::Kind;
use crate::time::Timestamp;
use section::Sections;

/// Everything that a run over a store needs to be told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub location: Location,
    /// All stores that an audit has found, if nobody named one and there is more than one.
    pub several: Vec<PathBuf>,
    /// The `odoo.conf` in use, if there is one.
    pub conf_file: Option<ConfFile>,
    pub opening: Opening,
    /// What is done with files that are due.
    pub mode: Mode,
    /// What holds for sessions of databases without rules of their own.
    pub general: Rules,
    /// What holds for those of databases with rules of their own.
    pub databases: BTreeMap<String, Rules>,
    pub last_seen: LastSeen,
    /// Every value of the policy, with who said so.
    pub effective: Vec<Effective>,
    pub limit: Option<u64>,
    /// End no login at all if more than this many are due.
    pub max_logouts: Option<u64>,
    /// Delete what is older than every window without reading it.
    pub by_age_only: bool,
    /// Reap a dormant store too.
    pub force: bool,
    /// Number of workers, if somebody chose it.
    pub threads: Option<u16>,
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

impl From<&DeletingArgs> for Mode {
    fn from(args: &DeletingArgs) -> Mode {
        match args.dry_run {
            true => Mode::DryRun,
            false => Mode::Reap,
        }
    }
}

impl Settings {
    /// The settings of a reap that deletes so, or else of an audit.
    ///
    /// # Errors
    /// Settings that contradict each other or cannot be meant, an `odoo.conf` that cannot be read, and a
    /// store that nobody named and that is not where Odoo and its packages have it. A reap that deletes must be told where it is.
    pub fn new(
        deleting: Option<&DeletingArgs>,
        run: RunArgs,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        let RunArgs {
            store,
            report,
            work,
            policy: _,
        } = run;
        let mode = deleting.map_or(Mode::Audit, Mode::from);
        let located = locate::locate(&store, matches, around, mode)?;
        if !located.several.is_empty() {
            must_be_for_several(mode, &report, &located)?;
        }
        let no_sections = Sections::default();
        let file = located.conf_file.as_ref();
        let sections = file.map_or(&no_sections, |file| &file.sections);
        let resolved = rules::resolve(matches, sections)?;
        let by_age_only = deleting.is_some_and(|it| it.by_age_only);
        if let Some(error) = resolved.needs_reading.filter(|_| by_age_only) {
            return Err(error);
        }
        let max_logouts = deleting.and_then(|it| it.max_logouts);
        if by_age_only && max_logouts.is_some() {
            return Err(SettingsError::usage(format!(
                "--by-age-only does not read whose login it ends, but there is --max-logouts, perhaps as {}: run \
                 without one of them",
                variable("max-logouts")
            )));
        }
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
            limit: deleting.and_then(|it| it.limit),
            max_logouts,
            by_age_only,
            force: deleting.is_some_and(|it| it.force),
            threads: work.threads,
            report,
        })
    }

    /// The settings of `who`, or of a `revoke` that deletes as it is told.
    ///
    /// # Errors
    /// As for an audit or a reap, and where a search found several stores.
    pub fn people(
        deleting: Option<&DeletingArgs>,
        run: RunArgs,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        let settings = Settings::new(deleting, run, matches, around)?;
        if settings.several.is_empty() {
            return Ok(settings);
        }
        let stores = settings.several.iter();
        let lines = stores.map(|sessions| {
            let data_dir = redact::path(sessions.parent().unwrap_or(sessions));
            let data_dir = redact::word(&data_dir);
            format!("\n  odoo-session-reaper who --data-dir {data_dir}")
        });
        Err(SettingsError::usage(format!(
            "who is for one session store, but a search found {}; name one:{}",
            settings.several.len(),
            lines.collect::<String>()
        )))
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
    let what = if mode != Mode::Audit {
        "a dry run"
    } else if report.list {
        "--list"
    } else if report.format == Format::Json {
        "JSON"
    } else if report.metrics_file.is_some() {
        "--metrics-file"
    } else {
        return Ok(());
    };
    Err(SettingsError::usage(format!(
        "{what} is for one session store, but a search found {}; {}",
        located.several.len(),
        located.to_add(None)
    )))
}
