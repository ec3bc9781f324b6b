//! Where the session store is: what was said, or else what Odoo and its packages would use.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::around;
use super::conf_file::ConfFile;
use super::odoo_conf::OdooConf;
use super::path::{self, Plain};
use super::section::Sections;
use crate::cli::{StoreArgs, variable};
use crate::reap::Mode;
use crate::redact::{self, Shown};

/// How long directories are looked through for stores, in all.
const PATIENCE: Duration = Duration::from_secs(2);

/// The session store's place and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The `sessions` directory.
    pub sessions: PathBuf,
    /// Who says so: a flag, a variable, a line of `odoo.conf`, or a usual place.
    pub from: Shown,
    /// Nobody named it; it is where Odoo and its packages have it.
    pub found: bool,
}

/// The store, and what the `odoo.conf` in use says beside it.
pub(super) struct Located {
    pub location: Location,
    /// All stores that were found, if there is more than one.
    pub several: Vec<PathBuf>,
    pub sections: Sections,
    pub conf_file: Option<ConfFile>,
}

/// The `odoo.conf` that somebody named.
pub(super) struct Named<'a> {
    pub path: &'a Path,
    pub file: ConfFile,
    pub conf: OdooConf,
}

/// Looks an environment variable up.
pub type Variables = Box<dyn Fn(&str) -> Option<OsString>>;

/// What surrounds the process, so that tests can tell it.
pub struct Surroundings {
    /// Environment variables.
    pub var: Variables,
    /// The effective user. Root's home is not Odoo's.
    pub uid: u32,
    /// What absolute paths of the system are relative to; `/` but for tests.
    pub system: PathBuf,
    /// How long directories are looked through for stores.
    pub patience: Duration,
}

impl Surroundings {
    /// The real ones.
    pub fn real() -> Surroundings {
        Surroundings {
            var: Box::new(|name| std::env::var_os(name)),
            uid: rustix::process::geteuid().as_raw(),
            system: PathBuf::from("/"),
            patience: PATIENCE,
        }
    }

    pub(super) fn path(&self, variable: &str) -> Option<PathBuf> {
        (self.var)(variable)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.path("HOME")
    }

    /// The home of the process's own user, unless that is root.
    pub(super) fn own_home(&self) -> Option<PathBuf> {
        if self.uid == 0 {
            return None;
        }
        self.home()
            .or_else(|| self.home_of(|_, uid| uid == self.uid))
    }

    /// The home of the first user in `/etc/passwd` whom `is_meant` takes by name and number. `/` is nobody's home.
    pub(super) fn home_of(&self, is_meant: impl Fn(&str, u32) -> bool) -> Option<PathBuf> {
        let users = std::fs::read(self.in_system("/etc/passwd")).ok()?;
        let users = String::from_utf8_lossy(&users);
        let home = users.lines().find_map(|user| {
            let mut fields = user.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let home = fields.nth(2)?;
            is_meant(name, uid).then_some(home)
        })?;
        let is_home = Path::new(home).is_absolute() && Path::new(home).file_name().is_some();
        is_home.then(|| self.in_system(home))
    }

    pub(super) fn in_system(&self, path: &str) -> PathBuf {
        self.system.join(path.trim_start_matches('/'))
    }
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
    let plain = Plain::of(args, mode)?;
    let config = path::config(plain, args, matches)?;
    let mut named = config.map(read_named).transpose()?;
    let sections = match &named {
        Some(named) => Sections::of(&named.conf, named.path)?,
        None => Sections::default(),
    };
    if let Some((location, by_conf)) = said(args, plain, named.as_ref(), matches, around)? {
        if let Some(named) = named.as_mut() {
            named.file.names_store = by_conf;
            if !sections.are_empty() {
                must_be_of(&location, &named.conf, named.path, around)?;
            }
        }
        return Ok(Located {
            location,
            several: Vec::new(),
            sections,
            conf_file: named.map(|named| named.file),
        });
    }
    let conf = named.map(|named| (named, sections));
    if mode == Mode::Reap {
        return Err(no_guess(conf, around));
    }
    around::look(conf, around)
}

/// Refuses to delete in a store that nobody named, and tells what to add to the command to name what is found.
fn no_guess(conf: Option<(Named<'_>, Sections)>, around: &Surroundings) -> SettingsError {
    let why = match &conf {
        Some((named, _)) => format!(
            "{} names no data_dir, so Odoo uses the home of the user it runs as. ",
            redact::path(named.path)
        ),
        None => String::new(),
    };
    let found = match around::look(conf, around) {
        Ok(located) => format!("; found by looking around: {}", located.to_add()),
        // What is wrong with a file that nobody named is for an audit to say.
        Err(_) => String::new(),
    };
    SettingsError::usage(format!(
        "where is the session store? {why}A deleting reap does not guess: name it with --data-dir, --sessions-dir or \
         --config (audit and reap --dry-run look around, and say what they found){found}"
    ))
}

impl Located {
    /// A command of an audit for each store that was found, each on a line of its own.
    pub fn commands(&self, verb: &str) -> String {
        let config = self.config(|_| true);
        self.lines(&format!("odoo-session-reaper {verb}{config} "))
    }

    /// What a reap must be told in addition to name one of the stores that were found. As a whole command it would
    /// lack what was typed, such as the logins to keep.
    pub fn to_add(&self) -> String {
        // One that was named is in the command already, or in a variable.
        let config = self.config(|file| !file.named);
        let what = match self.several[..] {
            [] => "this",
            _ => "one of these",
        };
        let lines = self.lines(format!("{config} ").trim_start());
        format!("add {what} to your command:{lines}")
    }

    /// The option for the `odoo.conf` in use, if it has settings for sessions.
    fn config(&self, is_missing: impl Fn(&ConfFile) -> bool) -> String {
        let file = self.conf_file.as_ref();
        let file = file.filter(|file| !self.sections.are_empty() && is_missing(file));
        file.map_or(String::new(), |file| {
            format!(" --config {}", redact::word(file.shown()))
        })
    }

    /// A line for each store that was found, which begins so and names it.
    fn lines(&self, begin: &str) -> String {
        let found = match &self.several[..] {
            [] => std::slice::from_ref(&self.location.sessions),
            several => several,
        };
        let lines = found.iter().map(|sessions| {
            let data_dir = redact::path(sessions.parent().unwrap_or(sessions));
            format!("\n  {begin}--data-dir {}", redact::word(&data_dir))
        });
        lines.collect()
    }
}

fn read_named(path: &Path) -> Result<Named<'_>, SettingsError> {
    let (mut file, conf) = ConfFile::read(path)?;
    file.named = true;
    Ok(Named { path, file, conf })
}

/// The store that somebody named, and whether only the `odoo.conf` says which.
fn said(
    args: &StoreArgs,
    plain: Option<Plain<'_>>,
    named: Option<&Named<'_>>,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Result<Option<(Location, bool)>, SettingsError> {
    for level in [ValueSource::CommandLine, ValueSource::EnvVariable] {
        let said = |name: &str| matches.value_source(name) == Some(level);
        let mut answers = Vec::new();
        let plain = plain.filter(|_| level == ValueSource::CommandLine);
        if let Some(sessions) = plain.and_then(Plain::sessions) {
            answers.push(Location {
                sessions,
                from: path::FROM.into(),
                found: false,
            });
        }
        if let Some(dir) = args.data_dir.as_ref().filter(|_| said("data_dir")) {
            answers.push(Location {
                sessions: dir.join("sessions"),
                from: name("data-dir", level),
                found: false,
            });
        }
        if let Some(dir) = args.sessions_dir.as_ref().filter(|_| said("sessions_dir")) {
            answers.push(Location {
                sessions: dir.clone(),
                from: name("sessions-dir", level),
                found: false,
            });
        }
        let by_conf = answers.is_empty();
        let says_config = said("config") || matches!(plain, Some(Plain::Config(_)));
        if let Some(Named { path, conf, .. }) = named.filter(|_| says_config) {
            match data_dir(conf, path, around) {
                Ok(Some((dir, line))) => answers.push(Location {
                    sessions: dir.join("sessions"),
                    from: data_dir_in(path, line),
                    found: false,
                }),
                // Then it is there for what else it says.
                _ if !answers.is_empty() => {}
                // Nor does it name a store; somebody else may.
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        let mut answers = answers.into_iter();
        let Some(first) = answers.next() else {
            continue;
        };
        if let Some(other) = answers.find(|other| !same_place(&first.sessions, &other.sessions)) {
            return Err(SettingsError::usage(format!(
                "two different session stores: {} says {}, {} says {}; give one of them",
                first.from,
                redact::path(&first.sessions),
                other.from,
                redact::path(&other.sessions)
            )));
        }
        return Ok(Some((first, by_conf)));
    }
    Ok(None)
}

/// Refuses an `odoo.conf` with settings for the sessions of another store: a variable may name it for the service,
/// and a flag a copy or another Odoo's store, where these settings could log people out.
fn must_be_of(
    location: &Location,
    conf: &OdooConf,
    file: &Path,
    around: &Surroundings,
) -> Result<(), SettingsError> {
    // One that cannot be told names no other.
    let Ok(Some((dir, line))) = data_dir(conf, file, around) else {
        return Ok(());
    };
    let sessions = dir.join("sessions");
    if same_place(&sessions, &location.sessions) {
        return Ok(());
    }
    let file = redact::path(file);
    Err(SettingsError::usage(format!(
        "{file} has settings for the sessions in {} (data_dir in line {line}), but {} says {}: name the odoo.conf of \
         that one with --config, or none",
        redact::path(&sessions),
        location.from,
        redact::path(&location.sessions)
    )))
}

/// The option or the variable, as whoever said it knows it.
fn name(long: &'static str, level: ValueSource) -> Shown {
    match level {
        ValueSource::EnvVariable => redact::printable(variable(long).as_bytes()),
        _ => ["--".into(), long.into()].into_iter().collect(),
    }
}

/// The line that says so.
pub(super) fn data_dir_in(file: &Path, line: usize) -> Shown {
    let parts = [
        "data_dir in ".into(),
        redact::path(file),
        " line ".into(),
        line.into(),
    ];
    parts.into_iter().collect()
}

pub(super) fn same_place(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one.components().eq(other.components()) || resolved(one) == resolved(other)
}

/// The data_dir that an `odoo.conf` names, and on which line.
pub(super) fn data_dir(
    conf: &OdooConf,
    file: &Path,
    around: &Surroundings,
) -> Result<Option<(PathBuf, usize)>, SettingsError> {
    let wrong = |what: String| SettingsError::usage(format!("{}: {what}", redact::path(file)));
    let Some(dir) = conf
        .data_dir(around.home().as_deref(), |name| (around.var)(name))
        .map_err(|error| wrong(error.to_string()))?
    else {
        return Ok(None);
    };
    let Some(setting) = conf.get("options", "data_dir") else {
        return Ok(None);
    };
    if around.uid == 0 && setting.value.contains(['~', '$']) {
        return Err(wrong(format!(
            "line {}: data_dir depends on who reads it ({}), and root is not the user that Odoo runs as: \
             run as that user, or name the data_dir with --data-dir",
            setting.line,
            redact::printable(setting.value.as_bytes())
        )));
    }
    Ok(Some((dir, setting.line)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
