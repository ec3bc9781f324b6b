//! The program: parses the command line, runs the command, and says how it ended.

mod over_store;
mod progress;
mod sandbox;
mod story;

use std::io::{IsTerminal, Write as _};

use anyhow::Context as _;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::cli::{self, Action, Cli};
use crate::exit::Exit;
use crate::log;
use crate::reap::Stop;
use crate::redact;
use crate::report::Out;
use crate::settings::{Settings, SettingsError, Surroundings};

/// Runs the program with the process's own arguments.
pub fn main() -> Exit {
    no_core_dumps();
    let command = cli::command();
    let matches = match command.clone().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error.format(&mut command.clone())),
    };
    if let Some(text) = log::init(&cli.log) {
        tracing::warn!(
            "RUST_LOG is {}, which is no list of levels; it is ignored",
            redact::printable(text.as_bytes())
        );
    }
    let variables: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    for name in cli::unknown_variables(&command, variables.iter().map(AsRef::as_ref)) {
        tracing::warn!(
            "the environment variable {} belongs to no option, and is ignored",
            redact::printable(name.as_encoded_bytes())
        );
    }
    run(cli, &matches).unwrap_or_else(|error| {
        tracing::error!("{error:#}");
        failure(&error)
    })
}

fn run(cli: Cli, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let quiet = cli.log.quiet > 0;
    let stop = Stop::on_signals().context("cannot listen for signals")?;
    let around = Surroundings::real();
    let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
    match cli.command {
        Action::Audit(args) => over_store::run(
            &Settings::audit(args, matches, &around)?,
            stdout(),
            quiet,
            &stop,
        ),
        Action::Reap(args) => over_store::run(
            &Settings::reap(args, matches, &around)?,
            stdout(),
            quiet,
            &stop,
        ),
        Action::Demo(args) => story::tell(&args, quiet, &stop),
        Action::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(
                shell,
                &mut cli::command(),
                Cli::command().get_name(),
                &mut script,
            );
            print(&script)
        }
        Action::Man => {
            let mut page = Vec::new();
            man(&mut page)?;
            print(&page)
        }
    }
}

/// One page for the whole program: the commands' options stand in it, too.
fn man(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = cli::command();
    command.build();
    let man = clap_mangen::Man::new(command.clone());
    man.render(page)?;
    let own = |arg: &clap::Arg| !arg.is_global_set() && arg.get_id() != "help";
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_arguments().any(own))
    {
        writeln!(page, ".SH \"{} OPTIONS\"", sub.get_name().to_uppercase())?;
        clap_mangen::Man::new(sub.clone()).render_options_section(page)?;
    }
    Ok(())
}

fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")?;
    Ok(Exit::Done)
}

fn stdout() -> Out {
    let stdout = std::io::stdout();
    let colours = stdout.is_terminal() && log::colours_wanted();
    Out::new(Box::new(stdout), colours)
}

fn usage(error: &clap::Error) -> Exit {
    // Help and version are "errors" to clap, too. A closed stream cannot be told anything.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

fn failure(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<SettingsError>() {
        Some(settings) => settings.exit,
        None => Exit::Failed,
    }
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
