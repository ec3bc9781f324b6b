//! Looking for session stores that nobody named. No other place of the program does.
//!
//! First come the places that Odoo itself would use: by its `odoo.conf`, its variables, the home of the user it runs
//! as. Only where none of them leads to a store are directories looked through, and then there may be several.

mod walk;

use std::fs;
use std::path::{Path, PathBuf};

use super::SettingsError;
use super::conf_file::ConfFile;
use super::locate::{Located, Location, Named, Surroundings, data_dir, data_dir_in};
use super::section::Sections;
use crate::redact::{self, Shown};
use walk::{Root, Walked};

/// Where Odoo's packages put `odoo.conf`.
const PACKAGED_CONFIGS: [&str; 2] = ["/etc/odoo/odoo.conf", "/etc/odoo.conf"];

/// The user that Odoo's packages, and our service, run as.
const SERVICE_USER: &str = "odoo";

/// Where Odoo keeps its data in a home.
const IN_HOME: &str = ".local/share/Odoo";

/// Where programs and people put an Odoo. What `DynamicUser=` keeps is not to be met at a lesser depth first.
const PLACES: [&str; 5] = ["/var/lib/private", "/var/lib", "/opt", "/srv", "/home"];

/// As deep as `/home/USER/NAME/.local/share/Odoo/sessions`, and, of `/var/lib`, all volumes of Docker.
const DEPTH: usize = 6;

/// From `/` on: as deep as `/data/odoo/sessions`.
const DEPTH_OF_ALL: usize = 3;

/// Looks for stores: only as Odoo would with the `odoo.conf` that was named, if one was, and then everywhere.
///
/// # Errors
/// Where there is none, with what was looked for; and for an `odoo.conf` that cannot be read.
pub(super) fn look(
    named: Option<(Named<'_>, Sections)>,
    around: &Surroundings,
) -> Result<Located, SettingsError> {
    let mut tried = Vec::new();
    let Some((named, sections)) = named else {
        if let Some(located) = by_configs(around, &mut tried)? {
            return Ok(located);
        }
        if let Some(location) = of_odoo(None, around, &mut tried) {
            return Ok(one(location, Sections::default(), None));
        }
        return everywhere(None, around, tried);
    };
    let owner = named.file.uid();
    let located = match of_odoo(Some((named.path, owner)), around, &mut tried) {
        Some(location) => one(location, sections, None),
        // What it says holds for whatever is found.
        None => Located {
            sections,
            ..everywhere(Some(owner), around, tried)?
        },
    };
    Ok(Located {
        conf_file: Some(named.file.naming_store()),
        ..located
    })
}

fn one(location: Location, sections: Sections, conf_file: Option<ConfFile>) -> Located {
    Located {
        location,
        several: Vec::new(),
        sections,
        conf_file,
    }
}

/// The store of the first `odoo.conf`, of those that Odoo and its packages read, that leads to one.
fn by_configs(
    around: &Surroundings,
    tried: &mut Vec<String>,
) -> Result<Option<Located>, SettingsError> {
    for (from, file) in configs(around) {
        let there = fs::metadata(&file);
        tried.push(attempt(&file, from, there.as_ref().err()));
        if !there.is_ok_and(|file| file.is_file()) {
            continue;
        }
        let (conf_file, conf) = ConfFile::read(&file)?;
        let conf_file = conf_file.naming_store();
        let sections = Sections::of(&conf, &file)?;
        if let Some((dir, line)) = data_dir(&conf, &file, around)? {
            let location = Location {
                sessions: dir.join("sessions"),
                from: [data_dir_in(&file, line), ", from ".into(), from.into()]
                    .into_iter()
                    .collect(),
                found: true,
            };
            return Ok(Some(one(location, sections, Some(conf_file))));
        }
        if let Some(location) = of_odoo(Some((&file, conf_file.uid())), around, tried) {
            return Ok(Some(one(location, sections, Some(conf_file))));
        }
        if !sections.are_empty() {
            tracing::warn!(
                "{} has settings for sessions, but names no data_dir, so neither is used: \
                 name it with --config, and the data_dir with --data-dir",
                redact::path(&file)
            );
        }
    }
    Ok(None)
}

/// The store that Odoo has without a `data_dir`, which goes by variables and by the home of the user it runs as:
/// likely the one whom `odoo.conf` was given to.
fn of_odoo(
    conf: Option<(&Path, u32)>,
    around: &Surroundings,
    tried: &mut Vec<String>,
) -> Option<Location> {
    let mut dirs = Vec::new();
    dirs.extend(
        around
            .path("ODOO_DATA_DIR")
            .map(|dir| (Shown::from("$ODOO_DATA_DIR"), dir)),
    );
    dirs.extend(
        around
            .path("XDG_DATA_HOME")
            .map(|dir| ("$XDG_DATA_HOME".into(), dir.join("Odoo"))),
    );
    let mut homes = Vec::new();
    if let Some((file, uid)) = conf {
        let of_owner: [Shown; 3] = [
            "the home of the owner of ".into(),
            redact::path(file),
            ", which names no data_dir".into(),
        ];
        homes.push((of_owner.into_iter().collect(), home_of_owner(uid, around)));
        let of_service: [Shown; 5] = [
            "the home of user ".into(),
            SERVICE_USER.into(),
            ", as ".into(),
            redact::path(file),
            " names no data_dir".into(),
        ];
        homes.push((of_service.into_iter().collect(), home_of_service(around)));
    }
    homes.push((Shown::from("Odoo's default"), around.home()));
    for (from, home) in homes {
        dirs.extend(home.map(|home| (from, home.join(IN_HOME))));
    }
    for (from, dir) in dirs {
        let sessions = dir.join("sessions");
        let there = fs::metadata(&sessions);
        let attempt = attempt(&sessions, &from, there.as_ref().err());
        if there.is_ok() {
            return Some(Location {
                sessions,
                from,
                found: true,
            });
        }
        tried.push(attempt);
    }
    None
}

/// Looks through directories; `owner` is that of the `odoo.conf` that was named.
fn everywhere(
    owner: Option<u32>,
    around: &Surroundings,
    mut tried: Vec<String>,
) -> Result<Located, SettingsError> {
    let homes = [
        owner.and_then(|uid| home_of_owner(uid, around)),
        home_of_service(around),
        around.own_home(),
    ];
    let places = PLACES.map(|place| around.in_system(place));
    let mut roots: Vec<_> = homes
        .into_iter()
        .flatten()
        .chain(places)
        .map(|path| Root { path, depth: DEPTH })
        .collect();
    roots.push(Root {
        path: around.system.clone(),
        depth: DEPTH_OF_ALL,
    });
    let Walked {
        stores,
        stopped,
        denied,
    } = walk::stores(&roots, around.patience);
    let stopped =
        stopped.map(|after| format!("stopped looking after {after}, so there may be more"));
    let Some(first) = stores.first() else {
        let denied = if denied {
            "; some of them may not be looked into, run as the Odoo user or as root"
        } else {
            ""
        };
        tried.push(format!(
            "any in /var/lib, /opt, /srv, /home and the homes of Odoo's users{denied}{}",
            stopped.map_or(String::new(), |stopped| format!("; {stopped}"))
        ));
        return Err(SettingsError::failed(format!(
            "no session store was found; looked for\n  {}\n\
             name it with --data-dir, --sessions-dir or --config",
            tried.join("\n  ")
        )));
    };
    if let Some(stopped) = stopped {
        tracing::warn!("{stopped}: name the one you mean with --data-dir");
    }
    let location = Location {
        sessions: first.clone(),
        from: "a directory `sessions` that is Odoo's".into(),
        found: true,
    };
    Ok(Located {
        several: if stores.len() > 1 { stores } else { Vec::new() },
        ..one(location, Sections::default(), None)
    })
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
        configs.push(("Odoo's packages", around.in_system(file)));
    }
    configs
}

/// The home of the user who owns an `odoo.conf`; root's is not Odoo's.
fn home_of_owner(uid: u32, around: &Surroundings) -> Option<PathBuf> {
    around.home_of(|_, of| uid != 0 && of == uid)
}

fn home_of_service(around: &Surroundings) -> Option<PathBuf> {
    around.home_of(|name, _| name == SERVICE_USER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
