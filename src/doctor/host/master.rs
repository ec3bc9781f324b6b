//! One Odoo server: its version, its store and its switch, by what the process itself was given.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use procfs::process::Process;

use super::inside::Inside;
use super::place::{Identity, Place};
use super::process::{Seen, Start};
use super::source::{self, Source, Version, switch_of};
use super::systemd;
use crate::redact::{self, Shown, shown};
use crate::settings::odoo_conf::OdooConf;

/// A running Odoo server.
#[derive(Clone, Debug, Default)]
pub struct Master {
    pub pid: i32,
    /// Whose it is.
    pub uid: Option<u32>,
    /// The systemd unit that it belongs to.
    pub unit: Option<String>,
    /// That unit sets the switch, but the process was started without it.
    pub unit_sets_switch: bool,
    /// `None` where this user may not look into it.
    pub seen: Option<Insight>,
}

/// What the process shows to those who may look.
#[derive(Clone, Debug)]
pub struct Insight {
    pub source: Option<Source>,
    /// The value of the switch of its version; of none without a source.
    pub switch: Option<String>,
    /// It shows no variable at all, as a process does that has overwritten them.
    pub without_environment: bool,
    /// When it was started, in epoch seconds.
    pub started: Option<i64>,
    /// Its data_dir, in its own root, and the device and inode of the store, if there is one.
    pub data_dir: Result<PathBuf, Shown>,
    pub store: Option<Identity>,
}

/// What was found out of a process without a look at its files.
struct Circumstances<'a> {
    start: &'a Start,
    environment: HashMap<OsString, OsString>,
    /// The working directory, in its root.
    cwd: PathBuf,
    home: Option<PathBuf>,
    inside: &'a Inside,
}

impl Master {
    pub fn of(process: &Seen, start: &Start) -> Master {
        let unseen = Master::unseen(process);
        let Ok(process) = Process::new(process.pid) else {
            return unseen;
        };
        let uid = process.status().ok().map(|status| status.euid);
        let mut master = Master {
            uid,
            unit: unit_of(&process),
            seen: look(&process, start, uid),
            ..unseen
        };
        let switch = master.seen.as_ref().and_then(|seen| seen.switch.as_deref());
        if let (None | Some(""), Some(unit), Some(version)) =
            (switch, &master.unit, master.version())
        {
            master.unit_sets_switch = systemd::sets(unit, switch_of(version));
        }
        master
    }

    /// One that is there, and that nobody may look into.
    pub fn unseen(process: &Seen) -> Master {
        Master {
            pid: process.pid,
            ..Master::default()
        }
    }

    pub fn version(&self) -> Option<Version> {
        Some(self.seen.as_ref()?.source.as_ref()?.version)
    }

    /// The store in which it saves, by its own path.
    pub fn store(&self) -> Option<Place> {
        let seen = self.seen.as_ref()?;
        Some(Place {
            path: seen.data_dir.as_ref().ok()?.join("sessions"),
            identity: Some(seen.store?),
            owner: None,
        })
    }

    pub fn is_in(&self, store: &Place) -> bool {
        self.store()
            .is_some_and(|its| its.identity == store.identity)
    }
}

/// The service in whose control group a process is, if systemd started it for its own sake.
fn unit_of(process: &Process) -> Option<String> {
    let groups = process.cgroups().ok()?;
    let path = groups.into_iter().map(|group| group.pathname);
    let path = path.into_iter().find(|path| path.contains(".service"))?;
    unit_in(&path)
}

fn unit_in(path: &str) -> Option<String> {
    let below = path.strip_prefix("/system.slice/")?;
    // What lies below the first one is named by whoever runs in it.
    let unit = below.split('/').find(|part| !part.ends_with(".slice"))?;
    let of_others = ["cron", "crond", "ssh", "sshd", "docker", "containerd"];
    let name = unit.strip_suffix(".service")?;
    (!of_others.contains(&name)).then(|| unit.to_owned())
}

fn look(process: &Process, start: &Start, uid: Option<u32>) -> Option<Insight> {
    let environment = environment(process.pid())?;
    let inside = Inside::of(process.pid()).ok()?;
    let root = process.root().ok()?;
    let in_root = |path: PathBuf| Path::new("/").join(path.strip_prefix(&root).unwrap_or(&path));
    let home = match environment.get(OsStr::new("HOME")) {
        Some(home) => Some(PathBuf::from(home)),
        None => home_of(uid?, &inside),
    };
    let it = Circumstances {
        start,
        environment,
        cwd: in_root(process.cwd().ok()?),
        home,
        inside: &inside,
    };
    let source = it.source(in_root(process.exe().ok()?));
    let version = source.as_ref().map(|source| source.version);
    let switch = version.and_then(|version| it.variable(switch_of(version)));
    let data_dir = it.data_dir(version);
    let store = data_dir.as_ref().ok().and_then(|dir| {
        let stat = inside.stat(&dir.join("sessions")).ok()?;
        Some((stat.st_dev, stat.st_ino))
    });
    Some(Insight {
        switch: switch.map(|value| value.to_string_lossy().into_owned()),
        source,
        without_environment: it.environment.is_empty(),
        started: started(process),
        data_dir,
        store,
    })
}

/// Its variables; of those that are there twice Python takes the first.
fn environment(pid: i32) -> Option<HashMap<OsString, OsString>> {
    let mut environment = HashMap::new();
    for line in super::of_process(pid, "environ")?.split(|byte| *byte == 0) {
        if let Some(at) = line.iter().position(|byte| *byte == b'=') {
            let word = |bytes| OsStr::from_bytes(bytes).to_owned();
            let value = word(&line[at + 1..]);
            environment.entry(word(&line[..at])).or_insert(value);
        }
    }
    Some(environment)
}

fn started(process: &Process) -> Option<i64> {
    let ticks = process.stat().ok()?.starttime;
    let secs = procfs::boot_time_secs().ok()? + ticks / procfs::ticks_per_second();
    i64::try_from(secs).ok()
}

fn home_of(uid: u32, inside: &Inside) -> Option<PathBuf> {
    let users = inside.text(Path::new("/etc/passwd"))?;
    users.lines().find_map(|user| {
        let fields: Vec<_> = user.split(':').collect();
        (fields.get(2)?.parse() == Ok(uid)).then(|| fields.get(5).map(PathBuf::from))?
    })
}

impl Circumstances<'_> {
    fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.get(OsStr::new(name))
    }

    /// A variable that Odoo takes for unset if it is empty.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.variable(name).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    }

    fn source(&self, interpreter: PathBuf) -> Option<Source> {
        let script_dir = match &self.start.script {
            // Python looks first in the directory of the file which a script's symlink leads to.
            Some(script) => {
                let script = self.cwd.join(script);
                let real = self.inside.real(&script).unwrap_or(script);
                real.parent().unwrap_or(Path::new("/")).to_owned()
            }
            None => self.cwd.clone(),
        };
        let called = Some(&self.start.interpreter).filter(|called| called.contains('/'));
        let called = called.map(|called| self.cwd.join(called));
        let python_path = self.variable("PYTHONPATH").into_iter();
        let python_path = python_path.flat_map(std::env::split_paths);
        let python_path = python_path.map(|dir| self.cwd.join(dir));
        let interpreters: Vec<_> = called.into_iter().chain([interpreter]).collect();
        let dirs = [script_dir].into_iter().chain(python_path).collect();
        source::find(self.inside, dirs, &interpreters)
    }

    fn data_dir(&self, version: Option<Version>) -> Result<PathBuf, Shown> {
        if let Some(dir) = self.start.option('D', "data-dir", "data-") {
            return self.resolved(dir);
        }
        let newer = version.is_some_and(|version| version >= (19, 0));
        if let Some(dir) = self.path("ODOO_DATA_DIR").filter(|_| newer) {
            return Ok(self.cwd.join(dir));
        }
        if let Some(dir) = self.configured()? {
            return Ok(dir);
        }
        let home = self.home.as_ref().filter(|home| self.inside.is_dir(home));
        let data = home.map(|home| {
            let named = self.path("XDG_DATA_HOME");
            named.unwrap_or_else(|| home.join(".local/share"))
        });
        Ok(match data {
            Some(data) => data.join("Odoo"),
            None if newer => "/var/lib/Odoo".into(),
            None => "/var/lib/odoo".into(),
        })
    }

    /// A path of the command line, as Odoo expands it.
    fn resolved(&self, path: &str) -> Result<PathBuf, Shown> {
        let path = path.trim();
        let absolute = match path.starts_with(['/', '~', '$']) {
            true => PathBuf::from(path),
            false => self.cwd.join(path),
        };
        let var = |name: &str| self.variable(name).cloned();
        let home = self.home.as_deref();
        let dir = crate::settings::resolve_data_dir(&absolute.to_string_lossy(), home, var);
        dir.map_err(Shown::from)
    }

    /// The data_dir of its odoo.conf.
    fn configured(&self) -> Result<Option<PathBuf>, Shown> {
        let named = self.path("ODOO_RC").or_else(|| self.path("OPENERP_SERVER"));
        let file = match self.start.option('c', "config", "conf") {
            Some(file) => Some(self.resolved(file)?),
            None => named
                .map(|file| self.cwd.join(file))
                .or_else(|| self.own_conf()),
        };
        let Some(file) = file else { return Ok(None) };
        let place = redact::path(&file);
        let bytes = match self.inside.read(&file) {
            Ok((bytes, _)) => bytes,
            // Odoo goes on without it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(shown!("{} cannot be read", &place)),
        };
        let conf = OdooConf::parse(&bytes)
            .map_err(|_| shown!("{} does not read as an odoo.conf", &place))?;
        let dir = conf.data_dir(self.home.as_deref(), |name| self.variable(name).cloned());
        dir.map(|dir| Some(dir?.0))
            .map_err(|_| shown!("the data_dir in {} cannot be told", &place))
    }

    fn own_conf(&self) -> Option<PathBuf> {
        let home = self.home.as_ref()?;
        let mut files = [".odoorc", ".openerp_serverrc"]
            .map(|name| home.join(name))
            .into_iter();
        files.find(|file| self.inside.stat(file).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_first_of_the_group() {
        for (path, unit) in [
            ("/system.slice/odoo.service", Some("odoo.service")),
            (
                "/system.slice/system-odoo.slice/odoo@a.service",
                Some("odoo@a.service"),
            ),
            ("/system.slice/cron.service", None),
            (
                "/user.slice/user-0.slice/user@0.service/app.slice/odoo.service",
                None,
            ),
            ("/system.slice/docker-0123.scope", None),
            (
                "/system.slice/docker-0123.scope/system.slice/odoo.service",
                None,
            ),
            (
                "/system.slice/odoo.service/evil.service",
                Some("odoo.service"),
            ),
        ] {
            assert_eq!(unit_in(path).as_deref(), unit, "{path}");
        }
    }
}
