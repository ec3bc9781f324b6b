//! What the service is told and a run by hand is not: `/etc/default/odoo-session-reaper`, which only systemd reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::Settings;
use super::locate::same_place;
use super::surroundings::Surroundings;
use crate::cli::{ENV_PREFIX, typed, variable};
use crate::reap::Mode;
use crate::redact::{self, Shown};

/// Where our units look for their environment; an instance `NAME` has a file with `-NAME` behind it.
const DIRECTORY: &str = "/etc/default";
const FILE: &str = "odoo-session-reaper";
const LARGEST: u64 = 1 << 20;

/// Options that change how a run tells what it finds, or how fast it is, and not what it finds.
const ONLY_TOLD: [&str; 9] = [
    "metrics-file",
    "report",
    "format",
    "list",
    "no-logins",
    "threads",
    "verbose",
    "quiet",
    "log-format",
];

/// What systemd makes of one file: options of ours by the names of their variables, with values.
type Variables = BTreeMap<String, Value>;

struct Value {
    text: String,
    /// A shell or `env` would not read the line as systemd does.
    special: bool,
}

/// Says what the service of this store is told, and this run is not, with a line for a shell that takes it over; and,
/// unless it deletes, the other way round. Values may name people; they are not shown.
///
/// `command` is the definition of the one that runs.
pub(crate) fn notices(
    settings: &Settings,
    command: &Command,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Vec<String> {
    let mut told = Vec::new();
    for file in files(around) {
        let Some(variables) = read(&file).filter(|variables| is_for(variables, settings)) else {
            continue;
        };
        let shown = redact::path(&file);
        told.extend(only_there(
            settings, command, matches, around, &shown, &variables,
        ));
        if settings.mode != Mode::Reap {
            told.extend(only_here(settings, &shown, &variables));
        }
        if !told.is_empty() {
            break;
        }
    }
    told
}

/// What the odoo.conf in use says, and the service never hears.
fn only_here(settings: &Settings, file: &Shown, variables: &Variables) -> Option<String> {
    let config = variable("config");
    let conf = settings.conf_file.as_ref()?.shown();
    let said = settings.effective.iter().filter(|it| it.source.is_file());
    let options: BTreeSet<&str> = said.map(|effective| effective.option).collect();
    let options: Vec<_> = options.into_iter().collect();
    (!variables.contains_key(&config) && !options.is_empty()).then(|| {
        format!(
            "the service of this store does not read {conf}, so this does not count there: {}; add the line \
             {config}={conf} to {file}",
            options.join(", "),
        )
    })
}

fn only_there(
    settings: &Settings,
    command: &Command,
    matches: &ArgMatches,
    around: &Surroundings,
    file: &Shown,
    variables: &Variables,
) -> Option<String> {
    let deciding = command.get_arguments().filter_map(|arg| {
        let long = arg.get_long().filter(|long| !ONLY_TOLD.contains(long))?;
        let name = variable(long);
        let value = variables.get(&name)?;
        Some((arg, name, value))
    });
    let set: Vec<_> = deciding.collect();
    let missing = set
        .iter()
        .filter(|(arg, _, value)| !has(settings, matches, arg, value));
    let missing: Vec<_> = missing.map(|(_, name, _)| name.as_str()).collect();
    if missing.is_empty() {
        return None;
    }
    let mut told = format!(
        "the service of this store is told more than this run, by {file}: {}",
        missing.join(", ")
    );
    let special = set.iter().any(|(_, _, value)| value.special);
    let line = (!special).then(|| command_line(settings, command, matches, around));
    if let Some(line) = line.flatten() {
        let names = set.iter().map(|(_, name, _)| &name[ENV_PREFIX.len()..]);
        let names: Vec<_> = names.collect();
        told.push_str(&format!(
            "; to look as it does:\n  grep -E '^{ENV_PREFIX}({})=' {} | xargs -d '\\n' sh -c {} sh",
            names.join("|"),
            redact::word(file),
            redact::word(&line)
        ));
    }
    Some(told)
}

/// This run without deleting, with the variables it is given. `None` if what was typed may not be shown.
fn command_line(
    settings: &Settings,
    command: &Command,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Option<String> {
    let sudo = (around.var)("SUDO_UID").map_or("", |_| "sudo ");
    let verb = match settings.mode {
        Mode::Audit => "audit",
        Mode::DryRun | Mode::Reap => "reap --dry-run",
    };
    let mut line = format!("{sudo}env \"$@\" odoo-session-reaper {verb}");
    for (id, word) in typed(command, matches) {
        let word = word.to_str()?;
        let hidden = settings.report.no_logins && id == "keep_login";
        if hidden || *redact::argument(word) != *word {
            return None;
        }
        if id != "dry_run" {
            line.push_str(&format!(" {}", redact::word(word)));
        }
    }
    Some(line)
}

/// Whether a file is that of the service of this run's store. One that names no store is meant for the one that is
/// found.
fn is_for(variables: &Variables, settings: &Settings) -> bool {
    let value = |long| {
        variables
            .get(&variable(long))
            .map(|value| Path::new(&value.text))
    };
    let store = value("sessions-dir").map(PathBuf::from);
    let store = store.or_else(|| Some(value("data-dir")?.join("sessions")));
    let location = &settings.location;
    match (store, value("config")) {
        (Some(store), _) => same_place(&store, &location.sessions),
        (None, Some(config)) => uses_conf(settings, config) || location.found,
        (None, None) => location.found,
    }
}

fn uses_conf(settings: &Settings, config: &Path) -> bool {
    let used = settings.conf_file.as_ref();
    used.is_some_and(|used| same_place(&used.path, config))
}

/// Whether this run goes by the same value, or by one that was given to it on purpose.
fn has(settings: &Settings, matches: &ArgMatches, arg: &Arg, value: &Value) -> bool {
    let id = arg.get_id().as_str();
    let text = OsStr::new(&value.text);
    match (id, matches.value_source(id)) {
        // The store is the same one.
        ("data_dir" | "sessions_dir", _) | (_, Some(ValueSource::CommandLine)) => true,
        ("config", _) => uses_conf(settings, Path::new(text)),
        // It may be the service itself, for which systemd has read the file.
        (_, Some(ValueSource::EnvVariable)) if value.special => true,
        _ if matches!(arg.get_action(), ArgAction::SetTrue) => {
            let on = BoolishValueParser::new().parse_ref(&Command::default(), None, text);
            on.is_ok_and(|on| on == matches.get_flag(id))
        }
        _ => {
            let said = matches.get_raw(id).into_iter().flatten();
            said.eq([text])
        }
    }
}

/// The environment files of our units; copies such as `.dpkg-old` are none.
fn files(around: &Surroundings) -> Vec<PathBuf> {
    let is_ours = |file: &PathBuf| {
        let name = file.file_name().and_then(OsStr::to_str);
        let instance = name.and_then(|name| name.strip_prefix(FILE));
        instance.is_some_and(|it| it.is_empty() || it.starts_with('-') && !it.contains(['.', '~']))
    };
    let there = fs::read_dir(around.in_system(DIRECTORY));
    let there = there.into_iter().flatten().flatten();
    let mut files: Vec<_> = there.map(|entry| entry.path()).filter(is_ours).collect();
    files.sort();
    files
}

fn read(file: &Path) -> Option<Variables> {
    let metadata = fs::metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let lines = text.lines().filter_map(|line| {
        let (name, text) = line.split_once('=')?;
        let special = text.contains(['\'', '"', '\\']) || line.trim() != line;
        let text = text.trim().trim_matches(['\'', '"']).to_owned();
        let name = name.trim();
        // An empty one counts as unset.
        let ours = name.starts_with(ENV_PREFIX) && !text.is_empty();
        ours.then(|| (name.to_owned(), Value { text, special }))
    });
    Some(lines.collect())
}
