//! What a scheduled `reap` is told, by its arguments and its environment, and which store it would work on.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::parser::ValueSource;
use clap::{ArgAction, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::{Cli, ReapArgs, variable};
use crate::redact::{self, Shown};
use crate::settings::{Settings, Surroundings};

/// Options of an audit that tell how its outcome is told.
const OF_THE_REPORT: [&str; 7] = [
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
        let line = match merged(words, environment) {
            Ok(line) => line,
            Err(error) => return Some(refused(&error)),
        };
        let audit = audit_of(&line);
        let matches = match parse("reap", &line) {
            Ok(matches) => matches,
            Err(error) => return Some(refused(&error)),
        };
        let args = match ReapArgs::from_arg_matches(&matches) {
            Ok(args) => args,
            Err(error) => return Some(refused(&error)),
        };
        let dry_run = args.deleting.dry_run;
        let values = environment.clone();
        let around = Surroundings {
            var: Box::new(move |name| values.get(name).map(OsString::from)),
            uid,
            system: PathBuf::from("/"),
            patience: Duration::ZERO,
        };
        let settings = Settings::reap(args, &matches, &around);
        Some(Told {
            sessions: settings
                .map(|settings| settings.location.sessions)
                .map_err(|error| redact::printable(first_line(&error).as_bytes())),
            dry_run,
            audit,
        })
    }
}

fn first_line(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// An option's name, and the option as it stands on a command line.
type Said = (String, OsString);

/// Options of the command line, and of the environment where the command line is silent.
fn merged(
    words: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Vec<Said>, clap::Error> {
    let given = words[1..].iter().map(|word| (String::new(), word.into()));
    let matches = parse("reap", &given.collect::<Vec<_>>())?;
    let command = Cli::command();
    let reap = command.find_subcommand("reap").unwrap_or(&command);
    let mut line = Vec::new();
    for arg in reap.get_arguments() {
        let Some(long) = arg.get_long() else { continue };
        let id = arg.get_id().as_str();
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
        let said = matches.value_source(id) == Some(ValueSource::CommandLine);
        let variable = environment.get(&variable(long));
        let variable = variable.filter(|value| !value.is_empty() && !said);
        if is_switch {
            if said || variable.is_some_and(|value| is_yes(value)) {
                line.push((long.to_owned(), format!("--{long}").into()));
            }
            continue;
        }
        let values = matches.get_raw(id).into_iter().flatten();
        let values = values.filter(|_| said).chain(variable.map(OsStr::new));
        line.extend(values.map(|value| {
            let mut word = OsString::from(format!("--{long}="));
            word.push(value);
            (long.to_owned(), word)
        }));
    }
    Ok(line)
}

/// What our variables take for yes.
fn is_yes(value: &str) -> bool {
    let value = BoolishValueParser::new().parse_ref(&Command::default(), None, OsStr::new(value));
    value.unwrap_or(false)
}

fn parse(command: &str, line: &[Said]) -> Result<clap::ArgMatches, clap::Error> {
    let begin = ["odoo-session-reaper", command].map(OsString::from);
    let words = begin
        .into_iter()
        .chain(line.iter().map(|(_, word)| word.clone()));
    let matches = Cli::command().try_get_matches_from(words)?;
    Ok(matches
        .subcommand_matches(command)
        .cloned()
        .unwrap_or_default())
}

fn audit_of(line: &[Said]) -> Vec<OsString> {
    let command = Cli::command();
    let audit = command.find_subcommand("audit");
    let known = |name: &str| {
        let mut options = audit.into_iter().flat_map(Command::get_arguments);
        options.any(|arg| arg.get_long() == Some(name)) && !OF_THE_REPORT.contains(&name)
    };
    let words = line.iter().filter(|(name, _)| known(name));
    words.map(|(_, word)| word.clone()).collect()
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
        assert_eq!(audit, ["--data-dir=/a", "--anonymous-window=3h"]);
        assert!(told("reap -n", &environment).unwrap().dry_run);
        assert!(
            told("reap", &[("DATA_DIR", "/a"), ("DRY_RUN", "yes")])
                .unwrap()
                .dry_run
        );
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
            (
                "reap",
                &[("DATA_DIR", "/a"), ("CART_WINDOW", "x")],
                "ODOO_SESSION",
            ),
        ] {
            let refused = told(words, environment).unwrap().sessions.unwrap_err();
            assert!(
                refused.contains(why.trim_start_matches("ODOO_SESSION")),
                "{refused}"
            );
        }
    }
}
