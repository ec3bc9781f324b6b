//! Where the session store is: what was said, or else what Odoo and its packages would use.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::conf_file::ConfFile;
use super::odoo_conf::OdooConf;
use super::section::Sections;
use crate::cli::{StoreArgs, variable};
use crate::reap::Mode;
use crate::redact::{self, Shown};

/// Where Odoo's packages put `odoo.conf`.
const PACKAGED_CONFIGS: [&str; 2] = ["/etc/odoo/odoo.conf", "/etc/odoo.conf"];

/// Where Odoo keeps its data without a setting: the Debian package, the Docker image, Odoo 19 without a
/// home, nixpkgs.
const PACKAGED_DATA_DIRS: [&str; 4] = [
    "/var/lib/odoo/.local/share/Odoo",
    "/var/lib/odoo",
    "/var/lib/Odoo",
    "/var/lib/private/odoo",
];

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
    pub sections: Sections,
    pub conf_file: Option<ConfFile>,
}

/// The `odoo.conf` that somebody named.
struct Named<'a> {
    path: &'a Path,
    file: ConfFile,
    conf: OdooConf,
}

/// Looks an environment variable up.
pub type Variables = Box<dyn Fn(&str) -> Option<OsString>>;

/// What surrounds the process, so that tests can tell it.
pub struct Surroundings {
    /// Environment variables.
    pub var: Variables,
    /// Whether the process is root, whose home is not Odoo's.
    pub root: bool,
    /// What absolute paths of the system are relative to; `/` but for tests.
    pub system: PathBuf,
}

impl Surroundings {
    /// The real ones.
    pub fn real() -> Surroundings {
        Surroundings {
            var: Box::new(|name| std::env::var_os(name)),
            root: rustix::process::geteuid().is_root(),
            system: PathBuf::from("/"),
        }
    }

    fn path(&self, variable: &str) -> Option<PathBuf> {
        (self.var)(variable)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    fn home(&self) -> Option<PathBuf> {
        self.path("HOME")
    }
}

/// Finds the store: flags beat the environment, which beats looking around; a deleting reap never looks
/// around.
///
/// The `odoo.conf` in use is the one that was named, whoever named the store; or else the one that names the store.
pub(super) fn locate(
    args: &StoreArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    mode: Mode,
) -> Result<Located, SettingsError> {
    let mut named = args.config.as_deref().map(read_named).transpose()?;
    let sections = match &named {
        Some(named) => Sections::of(&named.conf, named.path)?,
        None => Sections::default(),
    };
    if let Some((location, by_conf)) = said(args, named.as_ref(), matches, around)? {
        if let Some(named) = named.as_mut() {
            named.file.names_store = by_conf;
            if !sections.are_empty() {
                must_be_of(&location, &named.conf, named.path, around)?;
            }
        }
        return Ok(Located {
            location,
            sections,
            conf_file: named.map(|named| named.file),
        });
    }
    if mode == Mode::Reap {
        return Err(SettingsError::usage(
            "where is the session store? A deleting reap does not guess: name it with --data-dir, \
             --sessions-dir or --config (audit and reap --dry-run look where Odoo looks, and say what they found)"
                .to_owned(),
        ));
    }
    look_around(around)
}

fn read_named(path: &Path) -> Result<Named<'_>, SettingsError> {
    let (mut file, conf) = ConfFile::read(path)?;
    file.named = true;
    Ok(Named { path, file, conf })
}

/// The store that somebody named, and whether only the `odoo.conf` says which.
fn said(
    args: &StoreArgs,
    named: Option<&Named<'_>>,
    matches: &ArgMatches,
    around: &Surroundings,
) -> Result<Option<(Location, bool)>, SettingsError> {
    for level in [ValueSource::CommandLine, ValueSource::EnvVariable] {
        let said = |name: &str| matches.value_source(name) == Some(level);
        let mut answers = Vec::new();
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
        if let Some(Named { path, conf, .. }) = named.filter(|_| said("config")) {
            match data_dir(conf, path, around) {
                Ok(Some((dir, line))) => answers.push(Location {
                    sessions: dir.join("sessions"),
                    from: data_dir_in(path, line),
                    found: false,
                }),
                // Then it is there for what else it says.
                _ if !answers.is_empty() => {}
                Ok(None) => {
                    return Err(SettingsError::usage(format!(
                        "{} names no data_dir, so Odoo uses the home of the user it runs as: \
                         name the data_dir with --data-dir beside {}",
                        redact::path(path),
                        name("config", level)
                    )));
                }
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
fn data_dir_in(file: &Path, line: usize) -> Shown {
    let parts = [
        "data_dir in ".into(),
        redact::path(file),
        " line ".into(),
        line.into(),
    ];
    parts.into_iter().collect()
}

fn same_place(one: &Path, other: &Path) -> bool {
    let resolved = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    one.components().eq(other.components()) || resolved(one) == resolved(other)
}

/// The data_dir that an `odoo.conf` names, and on which line.
fn data_dir(
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
    if around.root && setting.value.contains(['~', '$']) {
        return Err(wrong(format!(
            "line {}: data_dir depends on who reads it ({}), and root is not the user that Odoo runs as: \
             run as that user, or name the data_dir with --data-dir",
            setting.line,
            redact::printable(setting.value.as_bytes())
        )));
    }
    Ok(Some((dir, setting.line)))
}

/// Looks where Odoo and its packages look, in their order.
fn look_around(around: &Surroundings) -> Result<Located, SettingsError> {
    let mut tried = Vec::new();
    for (from, file) in configs(around) {
        let there = std::fs::metadata(&file);
        tried.push(attempt(&file, from, there.as_ref().err()));
        if !there.is_ok_and(|file| file.is_file()) {
            continue;
        }
        let (mut conf_file, conf) = ConfFile::read(&file)?;
        conf_file.names_store = true;
        let sections = Sections::of(&conf, &file)?;
        if let Some((dir, line)) = data_dir(&conf, &file, around)? {
            let location = Location {
                sessions: dir.join("sessions"),
                from: [data_dir_in(&file, line), ", from ".into(), from.into()]
                    .into_iter()
                    .collect(),
                found: true,
            };
            return Ok(Located {
                location,
                sections,
                conf_file: Some(conf_file),
            });
        }
        if !sections.are_empty() {
            tracing::warn!(
                "{} has settings for sessions, but names no data_dir, so neither is used: \
                 name it with --config, and the data_dir with --data-dir",
                redact::path(&file)
            );
        }
    }
    for (from, dir) in data_dirs(around) {
        let sessions = dir.join("sessions");
        let there = std::fs::metadata(&sessions);
        tried.push(attempt(&sessions, from, there.as_ref().err()));
        if there.is_ok() {
            let location = Location {
                sessions,
                from: from.into(),
                found: true,
            };
            return Ok(Located {
                location,
                sections: Sections::default(),
                conf_file: None,
            });
        }
    }
    Err(SettingsError::failed(format!(
        "no session store where Odoo and its packages have theirs; looked for\n  {}\n\
         name it with --data-dir, --sessions-dir or --config",
        tried.join("\n  ")
    )))
}

/// A place that was looked at; one that may not be looked into could be the right one for another user.
fn attempt(path: &Path, from: &str, error: Option<&std::io::Error>) -> String {
    let denied = error.is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
    let denied = if denied {
        ": may not be looked into, run as the Odoo user or as root"
    } else {
        ""
    };
    format!("{} ({from}){denied}", redact::path(path))
}

fn configs(around: &Surroundings) -> Vec<(&'static str, PathBuf)> {
    let mut configs = Vec::new();
    for (variable, from) in [
        ("ODOO_RC", "$ODOO_RC"),
        ("OPENERP_SERVER", "$OPENERP_SERVER"),
    ] {
        configs.extend(around.path(variable).map(|path| (from, path)));
    }
    if let Some(home) = around.home() {
        for file in [".odoorc", ".openerp_serverrc"] {
            configs.push(("the home directory", home.join(file)));
        }
    }
    for file in PACKAGED_CONFIGS {
        configs.push(("Odoo's packages", in_system(around, file)));
    }
    configs
}

fn data_dirs(around: &Surroundings) -> Vec<(&'static str, PathBuf)> {
    let mut dirs = Vec::new();
    dirs.extend(
        around
            .path("ODOO_DATA_DIR")
            .map(|dir| ("$ODOO_DATA_DIR", dir)),
    );
    dirs.extend(
        around
            .path("XDG_DATA_HOME")
            .map(|dir| ("$XDG_DATA_HOME", dir.join("Odoo"))),
    );
    if let Some(home) = around.home() {
        dirs.push(("Odoo's default", home.join(".local/share/Odoo")));
    }
    for dir in PACKAGED_DATA_DIRS {
        dirs.push(("a usual data_dir", in_system(around, dir)));
    }
    dirs
}

fn in_system(around: &Surroundings, path: &str) -> PathBuf {
    around.system.join(path.trim_start_matches('/'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
