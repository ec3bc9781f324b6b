//! The program: parses the command line, runs the command, and says how it ended.

mod metrics_file;
mod people;
mod progress;
mod run;
mod sandbox;
mod several;
mod story;
mod usage;

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::{ArgMatches, Command, FromArgMatches};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::cli::{self, Action, Cli, DeletingArgs, RunArgs};
use crate::doctor;
use crate::exit::Exit;
use crate::log;
use crate::reap::{Mode, Stop};
use crate::redact;
use crate::report::{Format, Out};
use crate::settings::{Settings, SettingsError, Surroundings, notices, stores, unknown_variables};
use crate::stream;
use metrics_file::MetricsFile;

/// Runs the program with the process's own arguments.
pub fn main() -> Exit {
    no_core_dumps();
    let command = cli::command();
    let matches = match command.clone().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage::tell(error, &command),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(error.format(&mut command.clone()), &command),
    };
    let wanted = log::Wanted {
        more: i16::from(cli.log.verbose) - i16::from(cli.log.quiet),
        json: cli.log.log_format == Format::Json,
        deletes: deletes(&cli.command),
    };
    if let Some(text) = log::init(wanted) {
        tracing::warn!(
            "RUST_LOG is {}, which is no list of levels; it is ignored",
            redact::printable(text.as_bytes())
        );
    }
    dispatch(cli, &matches, &command).unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        let settings = error.downcast_ref::<SettingsError>();
        settings.map_or(Exit::Failed, |error| error.exit)
    })
}

fn dispatch(cli: Cli, matches: &ArgMatches, command: &Command) -> anyhow::Result<Exit> {
    let (name, own) = matches.subcommand().unwrap_or(("", matches));
    let known = known_variables(&cli.command, command);
    let call = Call {
        command: command.find_subcommand(name).unwrap_or(command),
        matches: own,
        around: Surroundings::real(),
        quiet: cli.log.quiet,
    };
    let quiet = call.quiet > 0;
    match cli.command {
        Action::Audit(args) => call.over_store(None, args, known),
        Action::Reap(args) => call.over_store(Some(&args.deleting), args.run, known),
        Action::Who(args) => {
            let how = (quiet, &stop()?);
            people::who(args, own, &call.around, how, |it| {
                call.tell_of_the_service(it)
            })
        }
        Action::Revoke(args) => {
            known?;
            people::revoke(args, own, &call.around, quiet, &stop()?)
        }
        Action::Doctor(args) => {
            let stores = stores(&args.store, own, &call.around);
            Ok(doctor::run(&args, stores, quiet, Out::stdout())?)
        }
        Action::Demo(args) => story::tell(&args, quiet, &stop()?),
        Action::Completions { shell } => print(cli::completions::script(shell).as_bytes()),
        Action::Man { dir } => man(dir.as_deref()),
    }
}

/// What was called, and where.
struct Call<'a> {
    /// The definition of the one command.
    command: &'a Command,
    /// What it was told.
    matches: &'a ArgMatches,
    around: Surroundings,
    /// How often `--quiet` was given.
    quiet: u8,
}

impl Call<'_> {
    /// Audits, or reaps so.
    fn over_store(
        &self,
        deleting: Option<&DeletingArgs>,
        args: RunArgs,
        known: Result<(), SettingsError>,
    ) -> anyhow::Result<Exit> {
        let mode = deleting.map_or(Mode::Audit, Mode::from);
        let metrics = MetricsFile::new(args.report.metrics_file.as_deref(), mode);
        let config = args.plain.store.config.clone();
        let settings = || {
            let report = Some(args.report);
            Settings::new(deleting, args.plain, report, self.matches, &self.around)
        };
        let settings = or_say_why(known.and_then(|()| settings()), config.as_deref(), &metrics)?;
        if !settings.several.is_empty() {
            let config = settings.conf_file.as_ref().map(|file| file.path.as_path());
            let again = several::again(self.command, self.matches, config, self.quiet);
            return several::run(&settings, &again, &stop()?);
        }
        self.tell_of_the_service(&settings);
        run::run(&settings, self.quiet > 0, &stop()?, &metrics)
    }

    /// Says what only the service is told, so that nobody takes this for what the service will do.
    fn tell_of_the_service(&self, settings: &Settings) {
        for notice in notices(settings, self.command, self.matches, &self.around) {
            tracing::warn!("{notice}");
        }
    }
}

fn deletes(action: &Action) -> bool {
    match action {
        Action::Reap(args) => !args.deleting.dry_run,
        Action::Revoke(args) => !args.more.dry_run,
        _ => false,
    }
}

/// Says which environment variables are misspelt.
///
/// # Errors
/// In a run that deletes, which would go by what nobody meant.
fn known_variables(action: &Action, command: &Command) -> Result<(), SettingsError> {
    // One environment file serves an audit and a reap.
    let commands: &[&str] = match action {
        Action::Audit(_) | Action::Reap(_) => &["audit", "reap"],
        _ => &["audit", "reap", "who", "revoke", "demo"],
    };
    let unknown = unknown_variables(command, commands, std::env::vars_os()).join(", ");
    if unknown.is_empty() {
        return Ok(());
    }
    let told = format!("an environment variable belongs to no option: {unknown}");
    if deletes(action) {
        return Err(SettingsError::usage(format!(
            "{told}; correct or unset it, nothing was deleted"
        )));
    }
    tracing::warn!("{told}; it is ignored here, but a reap that deletes refuses it");
    Ok(())
}

/// Also says what to do about an odoo.conf that our unit keeps from being read, and leaves metrics.
fn or_say_why(
    settings: Result<Settings, SettingsError>,
    config: Option<&Path>,
    metrics: &MetricsFile,
) -> Result<Settings, SettingsError> {
    let unreadable = || sandbox::if_refused(config?, sandbox::READING);
    settings
        .map_err(|error| error.with(unreadable()))
        .inspect_err(|error| metrics.write(None, None, error.exit))
}

fn man(dir: Option<&Path>) -> anyhow::Result<Exit> {
    let pages = cli::man::pages()?;
    let Some(dir) = dir else {
        return print(&pages[0].text);
    };
    for page in pages {
        let path = dir.join(page.file);
        std::fs::write(&path, page.text)
            .with_context(|| format!("cannot write {}", redact::path(&path)))?;
    }
    Ok(Exit::Done)
}

fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(Exit::Done),
    }
}

/// From here on a signal ends the program in good order. Before, while settings are read, it just ends it.
fn stop() -> anyhow::Result<Stop> {
    let stop = Stop::on_signals().context("cannot listen for signals")?;
    stream::heed(&stop);
    Ok(stop)
}

/// Memory holds session ids and tokens; a core dump would put them on disk. Failing to forbid it is no
/// reason not to run.
fn no_core_dumps() {
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    );
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
