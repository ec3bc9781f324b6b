//! Where the session store is: what was said, or else what Odoo and its packages would use.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::around;
use super::conf_file::ConfFile;
use super::service_file;
use super::source::Source;
use super::surroundings::Surroundings;
use crate::cli::{StoreArgs, variable};
use crate::reap::Mode;
use crate::redact::{self, Shown};

/// Who said so, where a path without a flag did.
const BY_PATH: &str = "the PATH argument";

/// The session store's place and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The `sessions` directory.
    pub sessions: PathBuf,
    /// Who says so: a flag, a variable, a line of `odoo.conf`, or a usual place.
    pub from: Shown,
    /// Nobody named it; it is where Odoo and its packages have it.
    pub found: bool,
}

/// The store, and the `odoo.conf` in use.
#[derive(Debug)]
pub(super) struct Located {
    pub location: Location,
    /// All stores that were found, if there is more than one.
    pub several: Vec<PathBuf>,
    pub conf_file: Option<ConfFile>,
}

/// The stores that somebody named, or else all that are found, and whether they were found.
pub fn stores(
    args: &StoreArgs,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Result<(Vec<PathBuf>, bool), SettingsError> {
    let located = locate(args, matches, around, Mode::Audit)?;
    let found = located.location.found;
    Ok(match located.several.is_empty() {
        true => (vec![located.location.sessions], found),
        false => (located.several, found),
    })
}

/// Finds the store: flags beat the environment, which beats looking around; a deleting reap works on nothing that was
/// found so.
///
/// The `odoo.conf` in use is the one that was named, whoever named the store; or else the one that names the store.
pub(super) fn locate(
    args: &StoreArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    mode: Mode,
) -> Result<Located, SettingsError> {
    let plain = args.path.as_deref().map(|path| (flag_for(path), path));
    if let Some((flag, path)) = plain.filter(|_| mode != Mode::Audit) {
        return Err(SettingsError::usage(format!(
            "a command that deletes takes no path without an option: write `{} {path}` instead of `{path}`",
            Source::CommandLine.name(flag),
            path = redact::word(&redact::path(path))
        )));
    }
    let config = match plain {
        Some(("config", path)) => Some(path),
        _ => args.config.as_deref(),
    };
    let mut conf_file = config.map(ConfFile::read).transpose()?;
    if let Some(file) = &mut conf_file {
        file.named = true;
        let by_flag = matches.value_source("config") == Some(ValueSource::CommandLine);
        let named = args.config.as_deref().filter(|_| by_flag);
        if let Some(other) = named.filter(|named| !same_place(named, &file.path)) {
            return Err(two("odoo.conf", (BY_PATH, &file.path), ("--config", other)));
        }
    }
    if let Some((location, by_conf)) = said(args, plain, conf_file.as_ref(), matches, around)? {
        if let Some(file) = &mut conf_file {
            file.names_store = by_conf;
            must_not_be_of_another(&location, file, around)?;
        }
        return Ok(Located {
            conf_file,
            ..location.into()
        });
    }
    if mode == Mode::Reap {
        return Err(no_guess(conf_file, around));
    }
    around::look(conf_file, around)
}

/// Which option a path without one stands for. What is not there is taken for the store.
fn flag_for(path: &Path) -> &'static str {
    if std::fs::metadata(path).is_ok_and(|there| !there.is_dir()) {
        return "config";
    }
    match std::fs::metadata(path.join("sessions")) {
        Ok(there) if there.is_dir() => "data_dir",
        // Of the two, the one that is usually closed to others.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => "data_dir",
        _ => "sessions_dir",
    }
}

/// The stores that flags, or variables, name.
fn named(
    args: &StoreArgs,
    plain: Option<(&'static str, &Path)>,
    source: &Source,
    said: impl Fn(&str) -> bool,
) -> Vec<Location> {
    let plain = plain.map(|(id, path)| (id, path, BY_PATH.into()));
    let options = [
        ("data_dir", &args.data_dir),
        ("sessions_dir", &args.sessions_dir),
    ];
    let options = options.into_iter().filter(|(id, _)| said(id));
    let options = options.filter_map(|(id, path)| {
        let from = redact::printable(source.name(id).as_bytes());
        Some((id, path.as_deref()?, from))
    });
    let named = plain.into_iter().chain(options);
    named
        .filter_map(|(id, path, from)| match id {
            "data_dir" => Some(Location::named(path.join("sessions"), from)),
            "sessions_dir" => Some(Location::named(path.to_owned(), from)),
            _ => None,
        })
        .collect()
}

/// The store that somebody named, and whether only the `odoo.conf` says which.
fn said(
    args: &StoreArgs,
    plain: Option<(&'static str, &Path)>,
    conf_file: Option<&ConfFile>,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Result<Option<(Location, bool)>, SettingsError> {
    for (level, source) in [
        (ValueSource::CommandLine, Source::CommandLine),
        (ValueSource::EnvVariable, Source::Environment),
    ] {
        let plain = plain.filter(|_| level == ValueSource::CommandLine);
        let said = |id: &str| matches.value_source(id) == Some(level);
        let mut answers = named(args, plain, &source, said);
        let by_conf = answers.is_empty();
        let says_config = said("config") || plain.is_some_and(|(flag, _)| flag == "config");
        if let Some(file) = conf_file.filter(|_| says_config) {
            match file.store(around) {
                Ok(store) => answers.extend(store),
                Err(error) if by_conf => return Err(error),
                // Then it is there for what else it says.
                Err(_) => {}
            }
        }
        let mut answers = answers.into_iter();
        let Some(first) = answers.next() else {
            continue;
        };
        if let Some(other) = answers.find(|other| !same_place(&first.sessions, &other.sessions)) {
            let [one, other] = [&first, &other].map(|it| (&*it.from, it.sessions.as_path()));
            return Err(two("session stores", one, other));
        }
        return Ok(Some((first, by_conf)));
    }
    Ok(None)
}

fn two(what: &str, (by, one): (&str, &Path), (other_by, other): (&str, &Path)) -> SettingsError {
    SettingsError::usage(format!(
        "two different {what}: {by} says {}, {other_by} says {}; give one of them",
        redact::path(one),
        redact::path(other)
    ))
}

/// Refuses an `odoo.conf` with settings for the sessions of another store: a variable may name it for the service,
/// and a flag a copy or another Odoo's store, where these settings could log people out.
fn must_not_be_of_another(
    location: &Location,
    file: &ConfFile,
    around: &Surroundings,
) -> Result<(), SettingsError> {
    match file.store(around) {
        Ok(Some(own))
            if !file.sections.are_empty() && !same_place(&own.sessions, &location.sessions) =>
        {
            Err(SettingsError::usage(format!(
                "{} has settings for the sessions in {}, but {} says {}: name the odoo.conf of that one with --config, \
                 or none",
                file.shown(),
                redact::path(&own.sessions),
                location.from,
                redact::path(&location.sessions)
            )))
        }
        // One that cannot be told names no other.
        _ => Ok(()),
    }
}

/// Refuses to delete in a store that nobody named, and tells what to add to the command to name what is found.
fn no_guess(conf_file: Option<ConfFile>, around: &Surroundings) -> SettingsError {
    let why = conf_file.as_ref().map_or(String::new(), |file| {
        format!(
            "{} names no data_dir, so Odoo uses the home of the user it runs as. ",
            file.shown()
        )
    });
    let unit = (around.var)("REAPER_UNIT").map(|unit| redact::printable(unit.as_encoded_bytes()));
    let file = unit.and_then(|unit| Some(service_file::of_unit(unit.strip_suffix(".service")?)));
    let found = match around::look(conf_file, around) {
        Ok(located) => format!("; found by searching: {}", located.to_add(file.as_deref())),
        // What is wrong with a file that nobody named is for an audit to say.
        Err(_) => String::new(),
    };
    SettingsError::usage(format!(
        "where is the session store? {why}A command that deletes does not guess it: name it with --data-dir, --sessions-dir \
         or --config (audit and reap --dry-run search for it, and say what they found){found}"
    ))
}

impl Location {
    pub(super) fn named(sessions: PathBuf, from: Shown) -> Location {
        Location {
            sessions,
            from,
            found: false,
        }
    }

    pub(super) fn found(sessions: PathBuf, from: Shown) -> Location {
        Location {
            found: true,
            ..Location::named(sessions, from)
        }
    }
}

impl From<Location> for Located {
    fn from(location: Location) -> Located {
        Located {
            location,
            several: Vec::new(),
            conf_file: None,
        }
    }
}

impl Located {
    /// What a command, or a unit by its environment file, must be told in addition to name one of the stores that were
    /// found. As a whole command it would lack what was typed, such as the logins to keep.
    pub fn to_add(&self, file: Option<&str>) -> String {
        let say = |option: &str, value: &Shown| match file {
            None => format!("--{option} {}", redact::word(value)),
            Some(_) => format!("{}={}", variable(option), redact::word(value)),
        };
        let between = file.map_or(" ", |_| "\n  ");
        let (what, found) = match &self.several[..] {
            [] => ("this", std::slice::from_ref(&self.location.sessions)),
            several => ("one of these", several),
        };
        // One that was named is in the command already, or in a variable.
        let conf = self.conf_file.as_ref().filter(|file| !file.named);
        let conf = conf.filter(|file| !file.sections.are_empty());
        let config = conf.map_or(String::new(), |file| say("config", file.shown()) + between);
        let lines = found.iter().map(|sessions| {
            let data_dir = redact::path(sessions.parent().unwrap_or(sessions));
            format!("\n  {config}{}", say("data-dir", &data_dir))
        });
        let to = file.unwrap_or("your command");
        format!("add {what} to {to}:{}", lines.collect::<String>())
    }
}

/// What names a store that was found to a command.
pub(crate) fn data_dir_option(sessions: &Path) -> String {
    let data_dir = redact::path(sessions.parent().unwrap_or(sessions));
    format!("--data-dir {}", redact::word(&data_dir))
}

pub(super) fn same_place(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one.components().eq(other.components()) || resolved(one) == resolved(other)
}
