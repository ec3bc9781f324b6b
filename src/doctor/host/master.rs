//! One Odoo server: its version, its store and its switch, by what the process itself was given.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use procfs::process::Process;

use super::inside::Inside;
use super::process::Start;
use super::source::{self, Source, Version, Ways};
use crate::redact::{self, Shown, shown};
use crate::settings::odoo_conf::OdooConf;

/// A running Odoo server.
#[derive(Debug)]
pub struct Master {
    pub pid: i32,
    /// Whose it is.
    pub uid: Option<u32>,
    /// The systemd unit that it belongs to.
    pub unit: Option<String>,
    /// `None` where this user may not look into it.
    pub seen: Option<Insight>,
}

/// What the process shows to those who may look.
#[derive(Debug)]
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

/// The device and inode of a directory.
pub type Identity = (u64, u64);

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
    pub fn of(pid: i32, start: &Start, argv0: &str) -> Master {
        let process = Process::new(pid).ok();
        let process = process.as_ref();
        let uid = process.and_then(|process| Some(process.status().ok()?.euid));
        Master {
            pid,
            uid,
            unit: process.and_then(unit_of),
            seen: process.and_then(|process| look(process, start, argv0, uid)),
        }
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

fn look(process: &Process, start: &Start, argv0: &str, uid: Option<u32>) -> Option<Insight> {
    let environment = environment(process.pid())?;
    let inside = Inside::of(process.pid()).ok()?;
    let root = process.root().ok()?;
    let cwd = process.cwd().ok()?;
    let cwd = Path::new("/").join(cwd.strip_prefix(&root).unwrap_or(&cwd));
    let interpreter = process.exe().ok()?;
    let interpreter = Path::new("/").join(interpreter.strip_prefix(&root).unwrap_or(&interpreter));
    let home = match environment.get(OsStr::new("HOME")) {
        Some(home) => Some(PathBuf::from(home)),
        None => home_of(uid?, &inside),
    };
    let it = Circumstances {
        start,
        environment,
        cwd,
        home,
        inside: &inside,
    };
    let source = it.source(argv0, interpreter);
    let switch = source
        .as_ref()
        .map(|source| source::switch_of(source.version));
    let switch = switch.and_then(|name| Some(it.variable(name)?.to_string_lossy().into_owned()));
    let data_dir = it.data_dir(source.as_ref().map(|source| source.version));
    let store = data_dir.as_ref().ok().and_then(|dir| {
        let stat = inside.stat(&dir.join("sessions")).ok()?;
        Some((stat.st_dev, stat.st_ino))
    });
    Some(Insight {
        source,
        switch,
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

    fn source(&self, argv0: &str, interpreter: PathBuf) -> Option<Source> {
        let script_dir = match &self.start.script {
            Some(script) => self.real_dir(&self.cwd.join(script)),
            None => self.cwd.clone(),
        };
        let python_path = self.variable("PYTHONPATH");
        let python_path = python_path.map(|paths| std::env::split_paths(paths).collect());
        let python_path: Vec<PathBuf> = python_path.unwrap_or_default();
        let mut interpreters = Vec::new();
        if argv0.contains('/') {
            interpreters.push(self.cwd.join(argv0));
        }
        interpreters.push(interpreter);
        source::find(&Ways {
            script_dir,
            python_path: python_path.iter().map(|dir| self.cwd.join(dir)).collect(),
            interpreters,
            inside: self.inside,
        })
    }

    /// The directory that Python looks in first: that of the file which a script's symlink leads to.
    fn real_dir(&self, script: &Path) -> PathBuf {
        let real = self
            .inside
            .real(script)
            .unwrap_or_else(|| script.to_owned());
        real.parent().unwrap_or(Path::new("/")).to_owned()
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
        Ok(match home {
            Some(home) => {
                let data = self.path("XDG_DATA_HOME");
                data.unwrap_or_else(|| home.join(".local/share"))
                    .join("Odoo")
            }
            None if newer => "/var/lib/Odoo".into(),
            None => "/var/lib/odoo".into(),
        })
    }

    /// A path of the command line, as Odoo expands it.
    fn resolved(&self, path: &str) -> Result<PathBuf, Shown> {
        let path = path.trim();
        let absolute = match path.chars().next() {
            Some('/' | '~' | '$') => path.to_owned(),
            _ => self.cwd.join(path).to_string_lossy().into_owned(),
        };
        crate::settings::resolve_data_dir(&absolute, self.home.as_deref(), |name| {
            self.variable(name).cloned()
        })
        .map_err(Shown::from)
    }

    /// The data_dir of its odoo.conf.
    fn configured(&self) -> Result<Option<PathBuf>, Shown> {
        let file = match self.start.option('c', "config", "conf") {
            Some(file) => self.resolved(file)?,
            None => {
                let named = self.path("ODOO_RC").or_else(|| self.path("OPENERP_SERVER"));
                match named {
                    Some(file) => self.cwd.join(file),
                    None => match self.own_conf() {
                        Some(file) => file,
                        None => return Ok(None),
                    },
                }
            }
        };
        let place = redact::path(&file);
        let bytes = match self.inside.read(&file) {
            Ok((bytes, _)) => bytes,
            // Odoo goes on without it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err(shown![&place, " cannot be read"]),
        };
        let conf = OdooConf::parse(&bytes)
            .map_err(|_| shown![&place, " does not read as an odoo.conf"])?;
        let dir = conf.data_dir(self.home.as_deref(), |name| self.variable(name).cloned());
        dir.map(|dir| Some(dir?.0))
            .map_err(|_| shown!["the data_dir in ", &place, " cannot be told"])
    }

    fn own_conf(&self) -> Option<PathBuf> {
        let home = self.home.as_ref()?;
        [".odoorc", ".openerp_serverrc"]
            .map(|name| home.join(name))
            .into_iter()
            .find(|file| self.inside.stat(file).is_ok())
    }
}

/// The directory that a path leads to, as this process sees it.
pub fn identity(path: &Path) -> Option<Identity> {
    let stat = rustix::fs::stat(path).ok()?;
    Some((stat.st_dev, stat.st_ino))
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
