//! What a scheduled `reap` is told, by its arguments and its environment, and which store it would work on.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::{self, Cli, ReapArgs, variable};
use crate::redact::{self, Shown};
use crate::settings::{Settings, Surroundings, unknown_variables};

/// Options of an audit that tell how its outcome is told.
pub const OF_THE_REPORT: [&str; 7] = [
    "report",
    "format",
    "list",
    "metrics-file",
    "verbose",
    "quiet",
    "log-format",
];

/// What a scheduled `reap` is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// The `sessions` directory that it would work on, or why it would refuse to.
    pub sessions: Result<PathBuf, Shown>,
    /// It would not delete.
    pub dry_run: bool,
    /// Options for an audit that goes by the same policy.
    pub audit: Vec<OsString>,
}

impl Told {
    /// Reads the command line `words`, which begin behind the program's name, as the program would as user `uid`.
    pub fn of(words: &[String], environment: &BTreeMap<String, String>, uid: u32) -> Option<Told> {
        let command = words.iter().position(|word| !word.starts_with('-'))?;
        let words = &words[command..];
        if words[0] != "reap" {
            return None;
        }
        let refused = |error: &dyn std::fmt::Display| Told {
            sessions: Err(redact::printable(first_line(error).as_bytes())),
            dry_run: false,
            audit: Vec::new(),
        };
        let read = || {
            let line = merged(words, environment)?;
            let matches = parse("reap", line.iter().cloned())?;
            let args = ReapArgs::from_arg_matches(&matches)?;
            Ok((line, matches, args))
        };
        let (line, matches, args) = match read() {
            Ok(read) => read,
            Err(error) => return Some(refused(&error as &clap::Error)),
        };
        let unknown = unknown(environment);
        if !unknown.is_empty() && !args.deleting.dry_run {
            let told = format!("an environment variable belongs to no option: {unknown}");
            return Some(refused(&told));
        }
        let ReapArgs { deleting, run } = args;
        let values = environment.clone();
        let around = Surroundings {
            var: Box::new(move |name| values.get(name).map(OsString::from)),
            uid,
            system: PathBuf::from("/"),
            patience: Duration::ZERO,
        };
        let (plain, report) = (run.plain, Some(run.report));
        let settings = Settings::new(Some(&deleting), plain, report, &matches, &around);
        Some(Told {
            sessions: settings
                .map(|settings| settings.location.sessions)
                .map_err(|error| redact::printable(first_line(&error).as_bytes())),
            dry_run: deleting.dry_run,
            audit: audit_of(&line),
        })
    }
}

/// The misspelt variables, for which a run that deletes ends.
fn unknown(environment: &BTreeMap<String, String>) -> String {
    let variables = environment
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    unknown_variables(&Cli::command(), &["audit", "reap"], variables).join(", ")
}

fn first_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Options of the command line, and of the environment where the command line is silent.
fn merged(
    words: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Vec<OsString>, clap::Error> {
    let matches = parse("reap", words[1..].iter().map(OsString::from))?;
    let command = Cli::command();
    let reap = command.find_subcommand("reap").unwrap_or(&command);
    let typed = cli::typed(reap, &matches);
    // Whoever types a store does not mean that of the environment.
    let is_store = |id: &str| ["path", "data_dir", "sessions_dir", "config"].contains(&id);
    let names_store = typed.iter().any(|(id, _)| is_store(id));
    let of_environment = reap.get_arguments().filter_map(|arg| {
        let long = arg.get_long()?;
        let value = environment.get(&variable(long));
        let value = value.filter(|value| !value.is_empty())?;
        let is_typed = typed.iter().any(|(id, _)| *id == arg.get_id().as_str());
        let word = match arg.get_action() {
            _ if is_typed => return None,
            _ if names_store && ["data-dir", "sessions-dir"].contains(&long) => return None,
            ArgAction::SetTrue => is_yes(value).then(|| format!("--{long}"))?,
            _ => format!("--{long}={value}"),
        };
        Some(OsString::from(word))
    });
    let of_environment: Vec<_> = of_environment.collect();
    Ok(typed
        .into_iter()
        .map(|(_, word)| word)
        .chain(of_environment)
        .collect())
}

/// What our variables take for yes.
fn is_yes(value: &str) -> bool {
    let value = BoolishValueParser::new().parse_ref(&Command::default(), None, OsStr::new(value));
    value.unwrap_or(false)
}

fn parse(
    command: &str,
    words: impl Iterator<Item = OsString>,
) -> Result<clap::ArgMatches, clap::Error> {
    let begin = ["odoo-session-reaper", command].map(OsString::from);
    let matches = Cli::command().try_get_matches_from(begin.into_iter().chain(words))?;
    Ok(matches
        .subcommand_matches(command)
        .cloned()
        .unwrap_or_default())
}

/// Of these options, those that make an audit go by the same policy.
fn audit_of(line: &[OsString]) -> Vec<OsString> {
    let command = Cli::command();
    let audit = command.find_subcommand("audit");
    let longs = audit
        .into_iter()
        .flat_map(Command::get_arguments)
        .filter_map(Arg::get_long);
    let longs: Vec<_> = longs.filter(|long| !OF_THE_REPORT.contains(long)).collect();
    let is_known = |word: &&OsString| {
        let word = word.to_string_lossy();
        let name = word
            .split('=')
            .next()
            .and_then(|option| option.strip_prefix("--"));
        name.is_some_and(|name| longs.contains(&name))
    };
    line.iter().filter(is_known).cloned().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(words: &str, environment: &[(&str, &str)]) -> Option<Told> {
        let words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        let variables = environment
            .iter()
            .map(|(name, value)| (format!("ODOO_SESSION_REAPER_{name}"), (*value).to_owned()));
        Told::of(&words, &variables.collect(), 1)
    }

    #[test]
    fn a_command_line_beats_its_environment() {
        let environment = [
            ("DATA_DIR", "/a"),
            ("ANONYMOUS_WINDOW", "6h"),
            ("DRY_RUN", "no"),
        ];
        let reap = told("reap --anonymous-window 3h --limit 5", &environment).unwrap();
        assert_eq!(reap.sessions, Ok(PathBuf::from("/a/sessions")));
        assert!(!reap.dry_run);
        let audit: Vec<_> = reap
            .audit
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        assert_eq!(audit, ["--anonymous-window=3h", "--data-dir=/a"]);
        assert!(told("reap -n", &environment).unwrap().dry_run);
        assert!(
            told("reap", &[("DATA_DIR", "/a"), ("DRY_RUN", "yes")])
                .unwrap()
                .dry_run
        );
        let typed = told("reap --sessions-dir /b/sessions", &environment).unwrap();
        assert_eq!(typed.sessions, Ok(PathBuf::from("/b/sessions")));
        assert!(told("-q reap", &environment).is_some());
        assert!(told("audit", &environment).is_none());
    }

    #[test]
    fn what_it_would_refuse_is_told() {
        for (words, environment, why) in [
            ("reap", &[][..], "where is the session store?"),
            (
                "reap --anonymous-window",
                &[("DATA_DIR", "/a")],
                "error: a value is required",
            ),
            ("reap", &[("DATA_DIR", "/a"), ("CART_WINDOW", "x")], "x"),
            (
                "reap",
                &[("DATA_DIR", "/a"), ("CART_WINDOWS", "1d")],
                "ODOO_SESSION_REAPER_CART_WINDOWS",
            ),
        ] {
            let refused = told(words, environment).unwrap().sessions.unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
