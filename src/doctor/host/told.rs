//! What a scheduled `reap` is told, by its arguments and its environment, and which store it would work on.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::{ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::place::Place;
use super::user::User;
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
    /// The store that it would work on, or why it would refuse to.
    pub store: Result<Place, Shown>,
    /// It would not delete.
    pub dry_run: bool,
    /// Options for an audit that goes by the same policy.
    pub audit: Vec<OsString>,
}

/// Variables of a process.
pub type Environment = BTreeMap<String, String>;

impl Told {
    /// Reads the command line `words`, which begin behind the program's name, as the program would as this user.
    pub fn of(words: &[String], environment: &Environment, user: &User) -> Option<Told> {
        let mut words = words.iter().skip_while(|word| word.starts_with('-'));
        if words.next()? != "reap" {
            return None;
        }
        let told = read(words.map(OsString::from).collect(), environment, user);
        Some(told.unwrap_or_else(|error| Told {
            store: Err(first_line(&error)),
            dry_run: false,
            audit: Vec::new(),
        }))
    }

    pub fn is_for(&self, store: &Place) -> bool {
        self.store.as_ref().is_ok_and(|told| told.is(store))
    }
}

fn read(words: Vec<OsString>, environment: &Environment, user: &User) -> anyhow::Result<Told> {
    let line = merged(words, environment)?;
    let matches = parse(line.clone())?;
    let ReapArgs { deleting, run } = ReapArgs::from_arg_matches(&matches)?;
    let variables = environment.iter();
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    let unknown = unknown_variables(&Cli::command(), &["audit", "reap"], variables).join(", ");
    ensure!(
        unknown.is_empty() || deleting.dry_run,
        "an environment variable belongs to no option: {unknown}"
    );
    let values = environment.clone();
    let around = Surroundings {
        var: Box::new(move |name| values.get(name).map(OsString::from)),
        uid: user.uid.unwrap_or(u32::MAX),
        system: PathBuf::from("/"),
        patience: Duration::ZERO,
    };
    let (plain, report) = (run.plain, Some(run.report));
    let settings = Settings::new(Some(&deleting), plain, report, &matches, &around)?;
    Ok(Told {
        store: Ok(Place::of(settings.location.sessions)),
        dry_run: deleting.dry_run,
        audit: audit_of(line),
    })
}

fn first_line(error: &anyhow::Error) -> Shown {
    let text = error.to_string();
    redact::printable(text.lines().next().unwrap_or_default().as_bytes())
}

/// Options of the command line, and of the environment where the command line is silent.
fn merged(words: Vec<OsString>, environment: &Environment) -> Result<Vec<OsString>, clap::Error> {
    let matches = parse(words)?;
    let reap = definition("reap");
    let typed = cli::typed(&reap, &matches);
    // Whoever types a store does not mean that of the environment.
    let is_store = |id: &str| ["path", "data_dir", "sessions_dir", "config"].contains(&id);
    let names_store = typed.iter().any(|(id, _)| is_store(id));
    let of_environment = reap.get_arguments().filter_map(|arg| {
        let long = arg.get_long()?;
        let value = environment.get(&variable(long));
        let value = value.filter(|value| !value.is_empty())?;
        let is_typed = typed.iter().any(|(id, _)| *id == arg.get_id().as_str());
        let is_other_store = names_store && ["data-dir", "sessions-dir"].contains(&long);
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
        let word = match is_switch {
            _ if is_typed || is_other_store => return None,
            true => is_yes(value).then(|| format!("--{long}"))?,
            false => format!("--{long}={value}"),
        };
        Some(OsString::from(word))
    });
    let of_environment: Vec<_> = of_environment.collect();
    let typed = typed.into_iter().map(|(_, word)| word);
    Ok(typed.chain(of_environment).collect())
}

/// What our variables take for yes.
fn is_yes(value: &str) -> bool {
    let value = BoolishValueParser::new().parse_ref(&Command::default(), None, OsStr::new(value));
    value.unwrap_or(false)
}

/// A command of ours, without environment variables.
fn definition(command: &str) -> Command {
    let all = Cli::command();
    all.find_subcommand(command).cloned().unwrap_or_default()
}

fn parse(words: Vec<OsString>) -> Result<ArgMatches, clap::Error> {
    let begin = ["odoo-session-reaper", "reap"].map(OsString::from);
    let mut matches = Cli::command().try_get_matches_from(begin.into_iter().chain(words))?;
    Ok(matches.remove_subcommand().unwrap_or_default().1)
}

/// Of these options, those that make an audit go by the same policy.
fn audit_of(mut line: Vec<OsString>) -> Vec<OsString> {
    let audit = definition("audit");
    let longs = audit.get_arguments().filter_map(|arg| arg.get_long());
    let longs: Vec<_> = longs.filter(|long| !OF_THE_REPORT.contains(long)).collect();
    line.retain(|word| {
        let word = word.to_string_lossy();
        let option = word.split('=').next().unwrap_or_default();
        let name = option.strip_prefix("--");
        name.is_some_and(|name| longs.contains(&name))
    });
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sessions(told: Told) -> Result<PathBuf, Shown> {
        told.store.map(|store| store.path)
    }

    fn told(words: &str, environment: &[(&str, &str)]) -> Option<Told> {
        let words: Vec<_> = words.split(' ').map(str::to_owned).collect();
        let variables = environment
            .iter()
            .map(|(name, value)| (format!("ODOO_SESSION_REAPER_{name}"), (*value).to_owned()));
        Told::of(&words, &variables.collect(), &User::of("1"))
    }

    #[test]
    fn a_command_line_beats_its_environment() {
        let environment = [
            ("DATA_DIR", "/a"),
            ("ANONYMOUS_WINDOW", "6h"),
            ("DRY_RUN", "no"),
        ];
        let reap = told("reap --anonymous-window 3h --limit 5", &environment).unwrap();
        assert!(!reap.dry_run);
        let audit: Vec<_> = reap
            .audit
            .iter()
            .map(|word| word.to_str().unwrap())
            .collect();
        assert_eq!(audit, ["--anonymous-window=3h", "--data-dir=/a"]);
        assert_eq!(sessions(reap), Ok(PathBuf::from("/a/sessions")));
        assert!(told("reap -n", &environment).unwrap().dry_run);
        assert!(
            told("reap", &[("DATA_DIR", "/a"), ("DRY_RUN", "yes")])
                .unwrap()
                .dry_run
        );
        let typed = told("reap --sessions-dir /b/sessions", &environment).unwrap();
        assert_eq!(sessions(typed), Ok(PathBuf::from("/b/sessions")));
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
            let refused = sessions(told(words, environment).unwrap()).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
