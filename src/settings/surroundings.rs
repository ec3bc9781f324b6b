//! What surrounds the process, so that tests can tell it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long directories are looked through for stores, in all.
const PATIENCE: Duration = Duration::from_secs(2);

type Variables = Box<dyn Fn(&str) -> Option<OsString>>;

pub(crate) struct Surroundings {
    /// Looks an environment variable up.
    pub var: Variables,
    /// The effective user. Root's home is not Odoo's.
    pub uid: u32,
    /// What absolute paths of the system are relative to; `/` but for tests.
    pub system: PathBuf,
    pub patience: Duration,
}

impl Surroundings {
    pub fn real() -> Surroundings {
        Surroundings {
            var: Box::new(|name| std::env::var_os(name)),
            uid: rustix::process::geteuid().as_raw(),
            system: PathBuf::from("/"),
            patience: PATIENCE,
        }
    }

    pub(super) fn path(&self, variable: &str) -> Option<PathBuf> {
        let value = (self.var)(variable)?;
        (!value.is_empty()).then(|| value.into())
    }

    pub(super) fn home(&self) -> Option<PathBuf> {
        self.path("HOME")
    }

    /// The home of the process's own user, unless that is root.
    pub(super) fn own_home(&self) -> Option<PathBuf> {
        let by_number = || self.home_of(|_, uid| uid == self.uid);
        (self.uid != 0).then(|| self.home().or_else(by_number))?
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
