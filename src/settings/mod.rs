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
pub(crate) use locate::{Location, data_dir_option, stores};
pub(crate) use service_file::{notices, of_unit as environment_file, variables};
pub(crate) use source::{Effective, Source, Value};
pub(crate) use spelling::{closest, unknown_variables};
pub(crate) use surroundings::Surroundings;

use std::fmt;
use std::path::PathBuf;

use clap::ArgMatches;

use crate::cli::{DeletingArgs, PlainArgs, ReportArgs, variable};
use crate::exit::Exit;
use crate::policy::Policy;
use crate::reap::Mode;
use crate::report::Format;
use crate::store::Opening;
use crate::store::name::Kind;
use crate::time::Timestamp;
use rules::Resolved;
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
    /// What is due.
    pub rules: Resolved,
    /// How that is deleted; the defaults for an audit.
    pub deleting: DeletingArgs,
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
    /// The settings of what deletes so, or else of what only looks; `who` and `revoke` have no report of a run.
    ///
    /// # Errors
    /// Settings that contradict each other or cannot be meant, an `odoo.conf` that cannot be read, and a
    /// store that nobody named and that is not where Odoo and its packages have it. A reap that deletes must be told where it is.
    pub fn new(
        deleting: Option<&DeletingArgs>,
        PlainArgs { store, work, .. }: PlainArgs,
        report: Option<ReportArgs>,
        matches: &ArgMatches,
        around: &Surroundings,
    ) -> Result<Settings, SettingsError> {
        let mode = deleting.map_or(Mode::Audit, Mode::from);
        let located = locate::locate(&store, matches, around, mode)?;
        if !located.several.is_empty() {
            must_be_for_several(mode, report.as_ref(), &located)?;
        }
        let no_sections = Sections::default();
        let file = located.conf_file.as_ref();
        let sections = file.map_or(&no_sections, |file| &file.sections);
        let rules = rules::resolve(matches, sections)?;
        let deleting = deleting.cloned().unwrap_or_default();
        if deleting.by_age_only {
            rules.must_not_need_reading()?;
            must_not_count_logouts(&deleting)?;
        }
        Ok(Settings {
            location: located.location,
            several: located.several,
            conf_file: located.conf_file,
            opening: Opening {
                accept_any_directory: store.accept_any_directory,
            },
            mode,
            rules,
            deleting,
            threads: work.threads,
            report: report.unwrap_or_default(),
        })
    }

    /// The policy, to be applied at this moment.
    pub fn policy(&self, now: Timestamp) -> Policy {
        let rules = &self.rules;
        let mut policy = Policy::new(rules.general.clone(), rules.databases.clone(), now);
        if self.deleting.by_age_only {
            policy.by_age_only = vec![Kind::Flat, Kind::Sharded];
        }
        policy.last_seen = rules.last_seen;
        policy
    }
}

/// Refuses a bound that nobody can keep who does not read.
fn must_not_count_logouts(deleting: &DeletingArgs) -> Result<(), SettingsError> {
    match deleting.max_logouts {
        None => Ok(()),
        Some(_) => Err(SettingsError::usage(format!(
            "--by-age-only does not read whose login it ends, but there is --max-logouts, perhaps as {}: run \
             without one of them",
            variable("max-logouts")
        ))),
    }
}

/// Refuses what can be told of one store only.
fn must_be_for_several(
    mode: Mode,
    report: Option<&ReportArgs>,
    located: &Located,
) -> Result<(), SettingsError> {
    let what = match report {
        _ if mode != Mode::Audit => "a dry run",
        None => "who",
        Some(report) if report.list => "--list",
        Some(report) if report.format == Format::Json => "JSON",
        Some(report) if report.metrics_file.is_some() => "--metrics-file",
        Some(_) => return Ok(()),
    };
    Err(SettingsError::usage(format!(
        "{what} is for one session store, but a search found {}; {}",
        located.several.len(),
        located.to_add(None)
    )))
}
