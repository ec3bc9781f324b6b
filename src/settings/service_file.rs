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

/// The options below these headings change how a run tells what it finds, or how fast it is, and not what it finds.
const ONLY_TOLD: [&str; 3] = ["Report", "Work", "Log"];

/// The environment file of one of our units, by its name without `.service`.
pub(crate) fn of_unit(name: &str) -> String {
    format!("{DIRECTORY}/{}", name.replace('@', "-"))
}

/// What systemd makes of one file: options of ours by the names of their variables, with values.
type Variables = BTreeMap<String, Value>;

struct Value {
    text: String,
    /// A shell or `env` would not read the line as systemd does.
    special: bool,
}

/// This run, to be held against what the service is told.
struct Run<'a> {
    settings: &'a Settings,
    /// The definition of its command.
    command: &'a Command,
    matches: &'a ArgMatches,
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
    let run = Run {
        settings,
        command,
        matches,
    };
    let sudo = (around.var)("SUDO_UID").map_or("", |_| "sudo ");
    let told = files(around).into_iter().filter_map(|file| {
        let variables = read(&file).filter(|variables| run.is_for(variables))?;
        let file = redact::path(&file);
        let more = run.only_there(&file, &variables, sudo);
        let less = run.only_here(&file, &variables);
        let told: Vec<_> = more.into_iter().chain(less).collect();
        (!told.is_empty()).then_some(told)
    });
    told.take(1).flatten().collect()
}

impl Run<'_> {
    /// Whether a file is that of the service of this run's store. One that names no store is meant for the one that is
    /// found.
    fn is_for(&self, variables: &Variables) -> bool {
        let value = |option| Some(Path::new(&variables.get(&variable(option))?.text));
        let in_data_dir = || Some(value("data_dir")?.join("sessions"));
        let location = &self.settings.location;
        match value("sessions_dir")
            .map(PathBuf::from)
            .or_else(in_data_dir)
        {
            Some(store) => same_place(&store, &location.sessions),
            None => location.found || value("config").is_some_and(|config| self.uses(config)),
        }
    }

    fn uses(&self, config: &Path) -> bool {
        let used = self.settings.conf_file.as_ref();
        used.is_some_and(|used| same_place(&used.path, config))
    }

    /// What the odoo.conf in use says, and the service never hears.
    fn only_here(&self, file: &Shown, variables: &Variables) -> Option<String> {
        let config = variable("config");
        let conf = self.settings.conf_file.as_ref()?.shown();
        let said = self.settings.rules.effective.iter();
        let said = said.filter(|it| it.source.is_file()).map(|it| it.option);
        let options: Vec<_> = said.collect::<BTreeSet<_>>().into_iter().collect();
        let silent = self.settings.mode == Mode::Reap || options.is_empty();
        (!silent && !variables.contains_key(&config)).then(|| {
            format!(
                "the service of this store does not read {conf}, so this does not count there: {}; add the line \
                 {config}={conf} to {file}",
                options.join(", "),
            )
        })
    }

    fn only_there(&self, file: &Shown, variables: &Variables, sudo: &str) -> Option<String> {
        let deciding = self.command.get_arguments().filter_map(|arg| {
            let heading = arg.get_help_heading().unwrap_or_default();
            let only_told = ONLY_TOLD.iter().any(|it| heading.starts_with(it));
            let name = variable(arg.get_long().filter(|_| !only_told)?);
            let value = variables.get(&name)?;
            Some((arg, name, value))
        });
        let set: Vec<_> = deciding.collect();
        let missing = set.iter().filter(|(arg, _, value)| !self.has(arg, value));
        let missing: Vec<_> = missing.map(|(_, name, _)| name.as_str()).collect();
        if missing.is_empty() {
            return None;
        }
        let told = format!(
            "the service of this store is told more than this run, by {file}: {}",
            missing.join(", ")
        );
        let special = set.iter().any(|(_, _, value)| value.special);
        let Some(line) = self.line(sudo).filter(|_| !special) else {
            return Some(told);
        };
        let names = set.iter().map(|(_, name, _)| &name[ENV_PREFIX.len()..]);
        let names: Vec<_> = names.collect();
        Some(format!(
            "{told}; to look as it does:\n  grep -E '^{ENV_PREFIX}({})=' {} | xargs -d '\\n' sh -c {} sh",
            names.join("|"),
            redact::word(file),
            redact::word(&line)
        ))
    }

    /// Whether it goes by the same value, or by one that was given to it on purpose.
    fn has(&self, arg: &Arg, value: &Value) -> bool {
        let id = arg.get_id().as_str();
        let text = OsStr::new(&value.text);
        match (id, self.matches.value_source(id)) {
            // The store is the same one.
            ("data_dir" | "sessions_dir", _) | (_, Some(ValueSource::CommandLine)) => true,
            ("config", _) => self.uses(Path::new(text)),
            // It may be the service itself, for which systemd has read the file.
            (_, Some(ValueSource::EnvVariable)) if value.special => true,
            _ if matches!(arg.get_action(), ArgAction::SetTrue) => {
                let on = BoolishValueParser::new().parse_ref(&Command::default(), None, text);
                on.is_ok_and(|on| on == self.matches.get_flag(id))
            }
            _ => self.matches.get_raw(id).into_iter().flatten().eq([text]),
        }
    }

    /// This run without deleting, with the variables it is given. `None` if what was typed may not be shown.
    fn line(&self, sudo: &str) -> Option<String> {
        let verb = match self.settings.mode {
            Mode::Audit => self.command.get_name(),
            Mode::DryRun | Mode::Reap => "reap --dry-run",
        };
        let mut line = format!("{sudo}env \"$@\" odoo-session-reaper {verb}");
        for (id, word) in typed(self.command, self.matches) {
            let word = word.to_str()?;
            let hidden = self.settings.report.no_logins && id == "keep_login";
            if hidden || *redact::argument(word) != *word {
                return None;
            }
            if id != "dry_run" {
                line.push_str(&format!(" {}", redact::word(word)));
            }
        }
        Some(line)
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

/// What an environment file of systemd says to the program.
pub(crate) fn variables(file: &Path) -> Option<BTreeMap<String, String>> {
    let variables = read(file)?.into_iter();
    Some(variables.map(|(name, value)| (name, value.text)).collect())
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
