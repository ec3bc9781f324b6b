//! The file that is read as `odoo.conf`, and whether root may do what it says.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use super::SettingsError;
use super::locate::Location;
use super::odoo_conf::{OdooConf, Setting};
use super::section::Sections;
use super::surroundings::Surroundings;
use crate::redact::{self, Shown, shown};
use crate::store::stat;
use crate::store::way::{self, Link};

/// More than any `odoo.conf` has; somebody may name a device or a log.
const LARGEST: u64 = 1 << 20;

/// Write permission of the group, and of everybody.
const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;

/// An `odoo.conf` in use: what it says, who can have written it, and what it is relied on for.
#[derive(Debug)]
pub(crate) struct ConfFile {
    pub(crate) path: PathBuf,
    shown: Shown,
    conf: OdooConf,
    pub(super) sections: Sections,
    pub(super) uid: u32,
    gid: u32,
    mode: u32,
    /// The symlinks that led there, if that could be seen.
    links: Option<Vec<Link>>,
    /// It was named by a flag or by our variable.
    pub(super) named: bool,
    /// The store is the one that it names, and nobody else does.
    pub(super) names_store: bool,
}

impl ConfFile {
    /// The same file, as the only one that leads to the store.
    pub(super) fn naming_store(mut self) -> ConfFile {
        self.names_store = true;
        self
    }

    /// Reads a file. Whatever could block or has no end is refused.
    ///
    /// # Errors
    /// A file that cannot be read, is none or too large, or that Odoo could not read either; and slips in our sections.
    pub(super) fn read(path: &Path) -> Result<ConfFile, SettingsError> {
        let shown = redact::path(path);
        let unreadable = |error| {
            SettingsError::failed(format!(
                "cannot read {shown}, looked for as Odoo's configuration: {error}; \
                 name the right file with --config, or the data_dir with --data-dir"
            ))
        };
        let no_file = |kind| {
            SettingsError::usage(format!(
                "{shown} is {kind}: write odoo.conf to a file, and name that with --config"
            ))
        };
        // A FIFO that nobody writes to would block for ever.
        let open = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
            .open(path)
            .map_err(unreadable)?;
        let metadata = open.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            let kind =
                "a directory, a pipe (as <(…) and /dev/stdin can be) or a device, and not a file";
            return Err(no_file(kind));
        }
        let links = links_to(path, &open);
        let mut bytes = Vec::new();
        open.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST {
            return Err(no_file("larger than 1 MiB, which no odoo.conf is"));
        }
        let conf = OdooConf::parse(&bytes)
            .map_err(|error| SettingsError::usage(format!("{shown}: {error}")))?;
        Ok(ConfFile {
            path: path.to_owned(),
            sections: Sections::of(&conf, path)?,
            conf,
            shown,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mode: metadata.mode(),
            links,
            named: false,
            names_store: false,
        })
    }

    /// How long Odoo lets a request run, if the file says so; 0 is without a limit there.
    pub(crate) fn limit_time_real(&self) -> Option<Duration> {
        let said = self.conf.get("options", "limit_time_real")?;
        said.value.parse().ok().map(Duration::from_secs)
    }

    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The store in the data_dir that it names, if it names one.
    ///
    /// # Errors
    /// A data_dir that only Odoo can tell.
    pub(super) fn store(&self, around: &Surroundings) -> Result<Option<Location>, SettingsError> {
        let wrong = |what: String| SettingsError::usage(format!("{}: {what}", self.shown));
        let data_dir = self.conf.data_dir(around.home().as_deref(), &around.var);
        let Some((dir, Setting { value, line })) =
            data_dir.map_err(|error| wrong(error.to_string()))?
        else {
            return Ok(None);
        };
        if around.uid == 0 && value.contains(['~', '$']) {
            return Err(wrong(format!(
                "line {line}: data_dir depends on who reads it ({}), and root is not the user that Odoo runs as: \
                 run as that user, or name the data_dir with --data-dir",
                redact::printable(value.as_bytes())
            )));
        }
        let from = shown!("data_dir in {} line {}", &self.shown, line);
        Ok(Some(Location::named(dir.join("sessions"), from)))
    }

    /// Whether root may do what this file says to the store of user `owner` and of `group`: nobody else must be able to
    /// choose whose sessions go, and when.
    ///
    /// A file of root's or the owner's is believed; one of somebody else's only if root named both it and the store.
    /// No group but root's and the store's may write to it, and somebody else's symlink leads to none.
    ///
    /// # Errors
    /// Says who could, and what to do about it.
    pub(crate) fn must_be_trusted_by_root(
        &self,
        owner: u32,
        group: u32,
    ) -> Result<(), SettingsError> {
        let (file, mode) = (&self.shown, self.mode);
        let sessions = format!("sessions of user {owner}");
        let refused = |why: String, what_to_do: &str| {
            Err(SettingsError::failed(format!(
                "root does not do what {file} {why}: {what_to_do}, or run as user {owner}, the owner of the sessions"
            )))
        };
        let Some(links) = &self.links else {
            let why = "says, because the way there could not be looked at".to_owned();
            return refused(why, "name the file itself with --config");
        };
        let doubted = |link: &Link| Some((redact::path(&link.path), link.doubt(owner)?));
        if let Some((link, doubt)) = links.iter().find_map(doubted) {
            let why = format!("says to {sessions}, because the symlink {link} {doubt} leads there");
            return refused(why, "name the file itself with --config if it is meant");
        }
        let of_another = self.uid != 0 && self.uid != owner;
        if mode & ALL_WRITE != 0 || of_another && mode & GROUP_WRITES != 0 {
            return refused(
                "says, because others may write to it".to_owned(),
                "`chmod go-w` it",
            );
        }
        if mode & GROUP_WRITES != 0 && ![0, group].contains(&self.gid) {
            let why = format!("says, because group {} may write to it", self.gid);
            return refused(why, "`chmod g-w` it");
        }
        let root_named_both = self.named && !self.names_store;
        if of_another && !root_named_both {
            let why = format!("of user {} says to {sessions}", self.uid);
            return refused(
                why,
                "give the file to root, name it and the store with --config and --data-dir",
            );
        }
        Ok(())
    }
}

/// The symlinks that lead to a file that is open. `None` if the path leads elsewhere by now, or nobody can tell.
fn links_to(path: &Path, open: &File) -> Option<Vec<Link>> {
    let way = way::follow_to_any(path).ok()?;
    let led = stat::of(way.end.as_fd()).ok()?;
    let meant = stat::of(open.as_fd()).ok()?;
    ((led.mount, led.ino) == (meant.mount, meant.ino)).then_some(way.links)
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn root_believes_itself_the_owner_and_what_it_named() {
        const OWNER: u32 = 1_000;
        const OTHER: u32 = 1_001;
        const GROUP: u32 = 2_000;
        const OTHERS: u32 = 2_001;
        // Whose and of which group, its mode, named by root, naming the store alone; believed.
        for (uid, gid, mode, named, names_store, believed) in [
            (0, OTHERS, 0o640, false, true, true),
            (OWNER, OTHERS, 0o640, false, true, true),
            (OWNER, GROUP, 0o664, false, true, true),
            (OWNER, 0, 0o664, false, true, true),
            (OWNER, OTHERS, 0o664, false, true, false),
            (0, GROUP, 0o664, true, true, true),
            (0, 0, 0o664, true, true, true),
            (0, OTHERS, 0o664, true, true, false),
            (0, OTHERS, 0o660, true, false, false),
            (OTHER, OTHERS, 0o644, true, false, true),
            (OTHER, OTHERS, 0o644, true, true, false),
            (OTHER, OTHERS, 0o644, false, true, false),
            (OTHER, OTHERS, 0o644, false, false, false),
            (OTHER, GROUP, 0o664, true, false, false),
            (0, 0, 0o666, true, true, false),
            (OWNER, GROUP, 0o646, true, false, false),
        ] {
            let file = ConfFile {
                path: PathBuf::from("odoo.conf"),
                shown: "odoo.conf".into(),
                conf: OdooConf::parse(b"").expect("it is empty"),
                sections: Sections::default(),
                uid,
                gid,
                mode: 0o100_000 | mode,
                links: Some(Vec::new()),
                named,
                names_store,
            };
            assert_eq!(
                file.must_be_trusted_by_root(OWNER, GROUP).is_ok(),
                believed,
                "{file:?}"
            );
        }
    }

    #[test]
    fn root_does_not_take_its_own_home_for_odoos() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("odoo.conf");
        std::fs::write(&path, "[options]\ndata_dir = ~/data\n").expect("a file");
        let file = ConfFile::read(&path).expect("it is sound");
        let around = |uid| Surroundings {
            var: Box::new(|name| (name == "HOME").then(|| "/home/odoo".into())),
            uid,
            system: PathBuf::from("/"),
            patience: std::time::Duration::ZERO,
        };
        let store = file.store(&around(1_000)).expect("it is known");
        let store = store.expect("it is named");
        assert_eq!(store.sessions, Path::new("/home/odoo/data/sessions"));
        assert!(store.from.ends_with("odoo.conf line 2"), "{}", store.from);
        let error = file.store(&around(0)).expect_err("root has another home");
        let error = error.to_string();
        assert!(
            error.contains("line 2") && error.contains("--data-dir"),
            "{error}"
        );
    }
}
