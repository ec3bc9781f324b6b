//! The command line: clap types with their help texts, and nothing else.

pub mod completions;
mod doctor;
mod examples;
pub mod man;
mod people;
mod policy;

pub use people::{RevokeArgs, WhoArgs};
pub use policy::PolicyArgs;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{BoolishValueParser, OsStr as ClapOsStr, Resettable};
use clap::parser::ValueSource;
use clap::{
    ArgAction, ArgMatches, Args, Command, CommandFactory, Parser, Subcommand, value_parser,
};
use clap_complete::Shell;

pub use doctor::DoctorArgs;

use crate::demo::Layout;
use crate::exit;
use crate::report::{Format, ReportSize};

/// What every environment variable of the program begins with.
pub const ENV_PREFIX: &str = "ODOO_SESSION_REAPER_";

/// Show and delete Odoo's old session files.
///
/// Odoo writes a file for every login and every visitor into `<data_dir>/sessions`. `audit` shows what is there.
/// `reap` deletes what was not used for longer than its time limit, the window. Run it every hour, and
/// Odoo's own garbage collection of sessions can be turned off. `demo` shows it at work without an Odoo.
#[derive(Debug, Parser)]
#[command(name = "odoo-session-reaper", version, max_term_width = 100)]
pub struct Cli {
    /// How much is logged.
    #[command(flatten)]
    pub log: LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show what is in the session store and what is due; never deletes anything
    Audit(RunArgs),
    /// Delete the sessions that are due
    Reap(ReapArgs),
    /// List who is logged in; changes nothing
    ///
    /// A line for each login, however many files it has. --devices tells personal data, and nothing else does. The options
    /// of what is due only set the column "Due in".
    Who(WhoArgs),
    /// Log people out, also where a running request saves the session again
    ///
    /// It shows whom, asks, and deletes their sessions. Then it watches, and deletes what running requests save again. They can log in
    /// again: change the password, or archive the user, first. API keys and XML-RPC have no session. An open websocket
    /// stays open until its next message. Odoo's list of devices keeps the device until its own cron.
    Revoke(RevokeArgs),
    /// Tell whether Odoo's own garbage collection can be off: does the reaper work here?
    ///
    /// It looks at running servers, units, cron and the store, changes nothing, and names the command that cures what is
    /// wrong. --quiet prints only what is not well. The exit code is 1 if something is in the way.
    Doctor(DoctorArgs),
    /// Make a throw-away store of real session files, audit it, reap it, audit it again, and clean up
    Demo(DemoArgs),
    /// Print a completion script for a shell
    #[command(after_help = completions::PLACES)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page
    Man {
        /// Write it into this directory instead, and the page of each command
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
}

/// What a run is told, but for its report: `who` and `revoke` have their own.
#[derive(Debug, Args)]
pub struct PlainArgs {
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What is due.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// How the work is done.
    #[command(flatten)]
    pub work: WorkArgs,
}

/// Arguments of `audit`, and of `reap` as well.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where the store is, what is due, and how the work is done.
    #[command(flatten)]
    pub plain: PlainArgs,
    /// How the outcome is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Arguments of `reap`.
#[derive(Debug, Args)]
pub struct ReapArgs {
    /// What is done with what is due.
    #[command(flatten)]
    pub deleting: DeletingArgs,
    /// Where the store is, and what is due.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What is done with sessions that are due.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Deleting")]
pub struct DeletingArgs {
    /// Do everything but delete, and test whether deleting would be allowed
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Delete at most this many files
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub limit: Option<u64>,
    /// If more than N logins are due, end none of them, and exit with 3. Other files that are due are deleted
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub max_logouts: Option<u64>,
    /// In an emergency: delete what is older than every window without reading it
    #[arg(long)]
    pub by_age_only: bool,
    /// Also reap a dormant store: one where nothing was saved for longer than the shortest window
    #[arg(long)]
    pub force: bool,
    /// After each deletion in a flat store (of Odoo 15 and older), pause as long as it took: Odoo's saves go first
    #[arg(long, help_heading = "Work")]
    pub gentle: bool,
}

/// Where the session store is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Session store")]
pub struct StoreArgs {
    /// An odoo.conf, a data_dir or the session store, whichever it is
    #[arg(help_heading = None, value_hint = clap::ValueHint::AnyPath)]
    pub path: Option<PathBuf>,
    /// Odoo's data_dir; the store is its directory `sessions`
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// The session store itself, if it is not in a data_dir
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub sessions_dir: Option<PathBuf>,
    /// An odoo.conf, for its data_dir and its sections `[session_reaper]` and `[session_reaper:DBNAME]`
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Work on a directory that is not called `sessions`, or that lies in a filestore
    #[arg(long)]
    pub accept_any_directory: bool,
}

/// How the outcome is told.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Report")]
pub struct ReportArgs {
    /// How much to print [default: full; for reap without a terminal: summary]
    #[arg(long, value_enum, value_name = "SIZE")]
    pub report: Option<ReportSize>,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,
    /// Also list each file that is due
    #[arg(long)]
    pub list: bool,
    /// Leave logins out of every output
    #[arg(long)]
    pub no_logins: bool,
    /// Write Prometheus metrics for node_exporter's textfile collector, even if the run fails
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub metrics_file: Option<PathBuf>,
}

/// How the work is done.
#[derive(Debug, Args)]
#[command(next_help_heading = "Work")]
pub struct WorkArgs {
    /// Files worked on at the same time [default: 4, on NFS and the like 32; 1 deletes in a flat store]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=64))]
    pub threads: Option<u16>,
}

/// How much is logged.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log (on stderr)")]
pub struct LogArgs {
    /// Log more: once each login that is deleted, twice everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Log less: once errors only, twice nothing
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub quiet: u8,
    /// Text for people, or JSON for programs
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub log_format: Format,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many sessions to make
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub sessions: u64,
    /// Same seed, same sessions
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Where the files lie in `sessions`
    #[arg(long, value_enum, value_name = "LAYOUT", default_value_t = Layout::Both)]
    pub layout: Layout,
    /// Make exactly this share of them older than 8 days, and the rest younger than 20 hours
    #[arg(long, value_name = "PERCENT", value_parser = value_parser!(u8).range(0..=100))]
    pub expired: Option<u8>,
    /// Only make the store, and keep it
    #[arg(long, requires = "dir")]
    pub keep: bool,
    /// Make the data_dir here; it must be absent or empty
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, requires = "keep")]
    pub dir: Option<PathBuf>,
}

/// A number of files, logins or a user, which the standard library calls digits if it is wrong.
fn whole<N: FromStr>(written: &str) -> Result<N, &'static str> {
    let no_number = "it is no whole number, such as 20";
    written.parse().map_err(|_| no_number)
}

/// How options are given by environment variables.
pub const ENVIRONMENT: &str = "\
Every option can also be given as an environment variable: ODOO_SESSION_REAPER_DATA_DIR for --data-dir, and \
so on. Those that name people for who and revoke, and --yes, have none. An empty one counts as unset; with a misspelt one, \
reap deletes nothing. A switch takes yes or no, --verbose and --quiet take a number. The command line beats the environment, which \
beats odoo.conf; a [session_reaper:DBNAME] section overrides all of them for that database. RUST_LOG and NO_COLOR are respected.";

/// The command line's definition, complete with environment variables.
pub fn command() -> Command {
    let codes = exit::MEANINGS.map(|(code, meaning)| format!("  {code:<4} {meaning}"));
    let command = Cli::command()
        .after_long_help(format!(
            "{ENVIRONMENT}\n\nExit codes:\n{}",
            codes.join("\n")
        ))
        .mut_subcommands(examples::with_examples)
        // It is there to be refused with a word on what to write instead.
        .mut_subcommand("reap", |reap| reap.mut_arg("path", |path| path.hide(true)))
        .mut_subcommand("revoke", |revoke| {
            // Its table says what is due, but it does not go by that.
            let of_policy = PolicyArgs::augment_args(Command::new(""));
            let hidden = of_policy.get_arguments().map(|arg| arg.get_id().clone());
            hidden.chain(["path".into()]).fold(revoke, |revoke, id| {
                revoke.mut_arg(id, |arg| arg.hide(true))
            })
        });
    with_environment(command)
}

/// Gives each option its environment variable, unless that is empty.
fn with_environment(command: Command) -> Command {
    command
        .mut_args(|arg| {
            let Some(long) = arg.get_long().filter(|long| has_variable(long)) else {
                return arg;
            };
            let variable = variable(long);
            let empty = std::env::var_os(&variable).is_some_and(|value| value.is_empty());
            let arg = match arg.get_action() {
                ArgAction::SetTrue => {
                    let itself = arg.get_id().clone();
                    arg.value_parser(BoolishValueParser::new())
                        .overrides_with(itself)
                }
                _ => arg,
            };
            if empty {
                arg.env(Resettable::Reset)
            } else {
                arg.env(ClapOsStr::from(variable)).hide_env(true)
            }
        })
        .mut_subcommands(with_environment)
}

/// What was typed, word by word with the id of its option, such as `--limit=5`; but for counted options.
pub(crate) fn typed<'c>(command: &'c Command, matches: &ArgMatches) -> Vec<(&'c str, OsString)> {
    let mut words = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let long = arg.get_long().unwrap_or_default();
        match arg.get_action() {
            ArgAction::Count => {}
            ArgAction::SetTrue => words.push((id, OsString::from(format!("--{long}")))),
            _ => {
                let option = match long {
                    "" => OsString::new(),
                    long => OsString::from(format!("--{long}=")),
                };
                for value in matches.get_raw(id).into_iter().flatten() {
                    let mut word = option.clone();
                    word.push(value);
                    words.push((id, word));
                }
            }
        }
    }
    words
}

/// Whether the option `--long` has an environment variable.
pub(crate) fn has_variable(long: &str) -> bool {
    !matches!(long, "help" | "version") && !people::TYPED_ONLY.contains(&long)
}

/// The environment variable of an option.
pub fn variable(option: &str) -> String {
    format!("{ENV_PREFIX}{}", option.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_its_variable() {
        for sub in command().get_subcommands() {
            for arg in sub.get_arguments() {
                let Some(long) = arg.get_long().filter(|long| *long != "help") else {
                    continue;
                };
                let variable = has_variable(long).then(|| variable(long));
                assert_eq!(
                    arg.get_env(),
                    variable.as_deref().map(OsStr::new),
                    "--{long}"
                );
            }
        }
    }
}
