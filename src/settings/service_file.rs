//! What the service is told and a run by hand is not: `/etc/default/odoo-session-reaper`, which only systemd reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::locate::{Surroundings, same_place};
use super::{Effective, Settings, Source};
use crate::cli::{ENV_PREFIX, variable};
use crate::reap::Mode;
use crate::redact::{self, Shown};

/// Where our units look for their environment; an instance `NAME` has a file with `-NAME` behind it.
const DIRECTORY: &str = "/etc/default";
const FILE: &str = "odoo-session-reaper";

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

/// What systemd makes of one file: names of ours, with values.
type Variables = BTreeMap<String, Value>;

struct Value {
    text: String,
    /// A shell or `env` would not read the line as systemd does.
    special: bool,
}

/// Says what the service of this store is told, and this run is not, with a line for a shell that takes it over; and the
/// other way round. Values may name people; they are not shown.
///
/// `command` is the definition of the one that runs.
pub fn notices(
    settings: &Settings,
    command: &Command,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Vec<String> {
    for file in files(around) {
        if let Some(variables) = read(&file).filter(|variables| is_for(variables, settings)) {
            let shown = redact::path(&file);
            let more = only_there(settings, command, matches, around, &shown, &variables);
            let less = only_here(settings, &shown, &variables);
            let told: Vec<_> = more.into_iter().chain(less).collect();
            if !told.is_empty() {
                return told;
            }
        }
    }
    Vec::new()
}

/// What the odoo.conf in use says, and the service never hears.
fn only_here(settings: &Settings, file: &Shown, variables: &Variables) -> Option<String> {
    if variables.contains_key(&variable("config")) {
        return None;
    }
    let conf = settings.conf_file.as_ref()?.shown();
    let of_file = |effective: &&Effective| matches!(effective.source, Source::File { .. });
    let options = settings.effective.iter().filter(of_file);
    let options: BTreeSet<&str> = options.map(|effective| effective.option).collect();
    if options.is_empty() {
        return None;
    }
    let options: Vec<_> = options.into_iter().collect();
    Some(format!(
        "the service of this store does not read {conf}, so this does not count there: {}; add the line \
         {}={conf} to {file}",
        options.join(", "),
        variable("config")
    ))
}

fn only_there(
    settings: &Settings,
    command: &Command,
    matches: &ArgMatches,
    around: &Surroundings,
    shown: &Shown,
    variables: &Variables,
) -> Option<String> {
    let deciding = command.get_arguments().filter(|arg| {
        arg.get_long()
            .is_some_and(|long| !ONLY_TOLD.contains(&long))
    });
    let set: Vec<_> = deciding
        .filter_map(|arg| {
            let name = variable(arg.get_long()?);
            let value = variables.get(&name)?;
            Some((arg, name, value))
        })
        .collect();
    let missing: Vec<_> = set
        .iter()
        .filter(|(arg, _, value)| !has(settings, matches, arg, &value.text))
        .map(|(_, name, _)| name.as_str())
        .collect();
    if missing.is_empty() {
        return None;
    }
    let mut told = format!(
        "the service of this store is told more than this run, by {shown}: {}",
        missing.join(", ")
    );
    if !set.iter().any(|(_, _, value)| value.special) {
        let names: Vec<_> = set
            .iter()
            .map(|(_, name, _)| &name[ENV_PREFIX.len()..])
            .collect();
        let sudo = (around.var)("SUDO_UID").map_or("", |_| "sudo ");
        told.push_str(&format!(
            "; to look as it does:\n  grep -E '^{ENV_PREFIX}({})=' {} | xargs -d '\\n' \
             sh -c '{sudo}env \"$@\" odoo-session-reaper {}' sh",
            names.join("|"),
            redact::word(shown),
            if settings.mode == Mode::Audit {
                "audit"
            } else {
                "reap --dry-run"
            }
        ));
    }
    Some(told)
}

/// Whether a file is that of the service of this run's store. One that names no store is meant for the one that is
/// found.
fn is_for(variables: &Variables, settings: &Settings) -> bool {
    let value = |long| {
        variables
            .get(&variable(long))
            .map(|value| value.text.as_str())
    };
    let store = value("sessions-dir").map(PathBuf::from);
    let store = store.or_else(|| value("data-dir").map(|dir| Path::new(dir).join("sessions")));
    let location = &settings.location;
    match (store, value("config")) {
        (Some(store), _) => same_place(&store, &location.sessions),
        (None, Some(config)) => uses_conf(settings, config) || location.found,
        (None, None) => location.found,
    }
}

fn uses_conf(settings: &Settings, config: &str) -> bool {
    let used = settings.conf_file.as_ref();
    used.is_some_and(|used| same_place(&used.path, Path::new(config)))
}

/// Whether this run goes by the same value, or by one that was given to it on purpose.
fn has(settings: &Settings, matches: &ArgMatches, arg: &Arg, text: &str) -> bool {
    let id = arg.get_id().as_str();
    match id {
        // The store is the same one.
        "data_dir" | "sessions_dir" => true,
        "config" => uses_conf(settings, text),
        _ if matches.value_source(id) == Some(ValueSource::CommandLine) => true,
        _ if matches!(arg.get_action(), ArgAction::SetTrue) => {
            let on =
                BoolishValueParser::new().parse_ref(&Command::default(), None, OsStr::new(text));
            on.is_ok_and(|on| on == matches.get_flag(id))
        }
        _ => {
            let mut said = matches.get_raw(id).into_iter().flatten();
            said.next() == Some(OsStr::new(text)) && said.next().is_none()
        }
    }
}

/// The environment files of our units; copies such as `.dpkg-old` are none.
fn files(around: &Surroundings) -> Vec<PathBuf> {
    let names = fs::read_dir(around.in_system(DIRECTORY));
    let is_ours = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            name == FILE || name.starts_with(&format!("{FILE}-")) && !name.contains(['.', '~'])
        })
    };
    let mut files: Vec<_> = names
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| is_ours(&entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// What an environment file of systemd says to the program.
pub(crate) fn variables(file: &Path) -> Option<BTreeMap<String, String>> {
    let variables = read(file)?.into_iter();
    Some(variables.map(|(name, value)| (name, value.text)).collect())
}

fn read(file: &Path) -> Option<Variables> {
    const LARGEST: u64 = 1 << 20;
    let metadata = fs::metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    let lines = text.lines().filter_map(|line| {
        let (name, text) = line.split_once('=')?;
        let special = text.contains(['\'', '"', '\\']) || line.trim() != line;
        let (name, text) = (name.trim(), text.trim());
        let text = text.trim_matches(['\'', '"']).to_owned();
        // An empty one counts as unset.
        let ours = name.starts_with(ENV_PREFIX) && !text.is_empty();
        ours.then(|| (name.to_owned(), Value { text, special }))
    });
    Some(lines.collect())
}
