//! Looking for session stores that nobody named. No other place of the program does.
//!
//! First come the places that Odoo itself would use: by its `odoo.conf`, its variables, the home of the user it runs
//! as. Only where none of them leads to a store are directories looked through, and then there may be several.

mod walk;

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::SettingsError;
use super::conf_file::ConfFile;
use super::locate::{Located, Location};
use super::surroundings::Surroundings;
use crate::redact::{self, Shown, shown};
use walk::{Root, Walked};

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

const DENIED: &str = "may not be looked into, run as the Odoo user or as root";

/// Looks for stores: only as Odoo would with the `odoo.conf` that was named, if one was, and then everywhere.
///
/// # Errors
/// Where there is none, with what was looked for; and for an `odoo.conf` that cannot be read.
pub(super) fn look(
    named: Option<ConfFile>,
    around: &Surroundings,
) -> Result<Located, SettingsError> {
    let mut tried = Vec::new();
    if named.is_none() {
        if let Some(located) = by_configs(around, &mut tried)? {
            return Ok(located);
        }
    }
    let located = match of_odoo(named.as_ref(), around, &mut tried) {
        Some(location) => location.into(),
        None => everywhere(named.as_ref(), around, tried)?,
    };
    // What it says holds for whatever is found.
    Ok(Located {
        conf_file: named.map(ConfFile::naming_store),
        ..located
    })
}

/// The store of the first `odoo.conf`, of those that Odoo and its packages read, that leads to one.
fn by_configs(
    around: &Surroundings,
    tried: &mut Vec<String>,
) -> Result<Option<Located>, SettingsError> {
    for (from, path) in configs(around) {
        let Some(path) = path else { continue };
        let there = fs::metadata(&path);
        tried.push(attempt(&path, from, there.as_ref().err()));
        if !there.is_ok_and(|file| file.is_file()) {
            continue;
        }
        let file = ConfFile::read(&path)?.naming_store();
        let location = match file.store(around)? {
            Some(Location {
                sessions, from: by, ..
            }) => Some(Location::found(sessions, shown!("{}, from {}", by, from))),
            None => of_odoo(Some(&file), around, tried),
        };
        if let Some(location) = location {
            return Ok(Some(Located {
                conf_file: Some(file),
                ..location.into()
            }));
        }
        if !file.sections.are_empty() {
            tracing::warn!(
                "{} has settings for sessions, but names no data_dir, so neither is used: \
                 name it with --config, and the data_dir with --data-dir",
                file.shown()
            );
        }
    }
    Ok(None)
}

/// The `odoo.conf`s that Odoo and its packages read, in their order, and who says so.
fn configs(around: &Surroundings) -> [(&'static str, Option<PathBuf>); 6] {
    let at_home = |file| Some(around.home()?.join(file));
    let packaged = |path| Some(around.in_system(path));
    [
        ("$ODOO_RC", around.path("ODOO_RC")),
        ("$OPENERP_SERVER", around.path("OPENERP_SERVER")),
        ("the home directory", at_home(".odoorc")),
        ("the home directory", at_home(".openerp_serverrc")),
        ("Odoo's packages", packaged("/etc/odoo/odoo.conf")),
        ("Odoo's packages", packaged("/etc/odoo.conf")),
    ]
}

/// The store that Odoo has without a `data_dir`, which goes by variables and by the home of the user it runs as:
/// likely the one whom `odoo.conf` was given to.
fn of_odoo(
    conf_file: Option<&ConfFile>,
    around: &Surroundings,
    tried: &mut Vec<String>,
) -> Option<Location> {
    let data_home = around.path("XDG_DATA_HOME").map(|dir| dir.join("Odoo"));
    let mut dirs: Vec<(Shown, _)> = vec![
        ("$ODOO_DATA_DIR".into(), around.path("ODOO_DATA_DIR")),
        ("$XDG_DATA_HOME".into(), data_home),
    ];
    let in_home = |home: Option<PathBuf>| home.map(|home| home.join(IN_HOME));
    if let Some(file) = conf_file {
        for (whose, home) in [
            ("owner of ", home_of_owner(file, around)),
            ("user odoo, for ", home_of_service(around)),
        ] {
            let from = shown!(
                "the home of the {}{}, which names no data_dir",
                whose,
                file.shown()
            );
            dirs.push((from, in_home(home)));
        }
    }
    dirs.push(("Odoo's default".into(), in_home(around.home())));
    for (from, dir) in dirs {
        let Some(sessions) = dir.map(|dir| dir.join("sessions")) else {
            continue;
        };
        match fs::metadata(&sessions) {
            Ok(_) => return Some(Location::found(sessions, from)),
            Err(error) => tried.push(attempt(&sessions, &from, Some(&error))),
        }
    }
    None
}

/// Looks through directories; `named` is the `odoo.conf` that was.
fn everywhere(
    named: Option<&ConfFile>,
    around: &Surroundings,
    mut tried: Vec<String>,
) -> Result<Located, SettingsError> {
    let Walked {
        stores,
        stopped,
        denied,
    } = walk::stores(&roots(named, around), around.patience);
    let stopped =
        stopped.map(|after| format!("stopped looking after {after}, so there may be more"));
    let Some(first) = stores.first() else {
        let denied = denied.then(|| format!("some of them {DENIED}"));
        let everywhere = "any in /var/lib, /opt, /srv, /home and the homes of Odoo's users";
        let places = [Some(everywhere.to_owned()), denied, stopped];
        tried.push(places.into_iter().flatten().collect::<Vec<_>>().join("; "));
        let no_data_dir = named.map_or(String::new(), |file| {
            format!("{} names no data_dir, and ", file.shown())
        });
        return Err(SettingsError::failed(format!(
            "{no_data_dir}no session store was found; looked for\n  {}\n\
             name it with --data-dir or --sessions-dir; to see all candidates: sudo find / -type d -name sessions",
            tried.join("\n  ")
        )));
    };
    if let Some(stopped) = stopped {
        tracing::warn!("{stopped}: name the one you mean with --data-dir");
    }
    let from = "a directory `sessions` that is Odoo's".into();
    let location = Location::found(first.clone(), from);
    Ok(Located {
        several: if stores.len() > 1 { stores } else { Vec::new() },
        ..location.into()
    })
}

/// Where stores are looked for, the likeliest places first.
fn roots(named: Option<&ConfFile>, around: &Surroundings) -> Vec<Root> {
    let homes = [
        named.and_then(|file| home_of_owner(file, around)),
        home_of_service(around),
        around.own_home(),
    ];
    let places = PLACES.map(|place| around.in_system(place));
    let root = |depth| move |path| Root { path, depth };
    homes
        .into_iter()
        .flatten()
        .chain(places)
        .map(root(DEPTH))
        .chain([root(DEPTH_OF_ALL)(around.system.clone())])
        .collect()
}

/// A place that was looked at; one that may not be looked into could be the right one for another user.
fn attempt(path: &Path, from: &str, error: Option<&Error>) -> String {
    let path = redact::path(path);
    match error.map(Error::kind) {
        Some(ErrorKind::PermissionDenied) => format!("{path} ({from}): {DENIED}"),
        _ => format!("{path} ({from})"),
    }
}

/// The home of the user who owns an `odoo.conf`; root's is not Odoo's.
fn home_of_owner(file: &ConfFile, around: &Surroundings) -> Option<PathBuf> {
    around.home_of(|_, uid| uid != 0 && uid == file.uid)
}

fn home_of_service(around: &Surroundings) -> Option<PathBuf> {
    around.home_of(|name, _| name == SERVICE_USER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
