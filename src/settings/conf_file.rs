//! The file that is read as `odoo.conf`, and whether root may do what it says.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::SettingsError;
use super::odoo_conf::OdooConf;
use crate::redact::{self, Shown};
use crate::store::stat;
use crate::store::way::{self, Link};

/// More than any `odoo.conf` has; somebody may name a device or a log.
const LARGEST: u64 = 1 << 20;

/// Write permission of the group, and of everybody.
const GROUP_WRITES: u32 = 0o020;
const ALL_WRITE: u32 = 0o002;

/// An `odoo.conf` in use: who can have written it, and what it is relied on for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfFile {
    /// Where it lies.
    pub(crate) path: PathBuf,
    file: Shown,
    uid: u32,
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
    /// Reads a file. Whatever could block or has no end is refused.
    ///
    /// # Errors
    /// A file that cannot be read, is none or too large, or that Odoo could not read either.
    pub(super) fn read(path: &Path) -> Result<(ConfFile, OdooConf), SettingsError> {
        let shown = redact::path(path);
        let unreadable = |error| {
            SettingsError::failed(format!(
                "cannot read {shown}, looked for as Odoo's configuration: {error}; \
                 name the right file with --config, or the data_dir with --data-dir"
            ))
        };
        // A FIFO that nobody writes to would block for ever.
        let open = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
            .open(path)
            .map_err(unreadable)?;
        let metadata = open.metadata().map_err(unreadable)?;
        let file_type = metadata.file_type();
        let kind = if file_type.is_fifo() {
            Some("a pipe or FIFO, as <(…) and /dev/stdin can be")
        } else if file_type.is_dir() {
            Some("a directory")
        } else {
            (!file_type.is_file()).then_some("a device or socket")
        };
        if let Some(kind) = kind {
            return Err(SettingsError::usage(format!(
                "{shown} is {kind}, and not a file: write odoo.conf to a file, and name that with --config"
            )));
        }
        let links = links_to(path, &open);
        let mut bytes = Vec::new();
        open.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST {
            return Err(SettingsError::usage(format!(
                "{shown} is larger than 1 MiB, which no odoo.conf is: name the right file with --config"
            )));
        }
        let conf = OdooConf::parse(&bytes)
            .map_err(|error| SettingsError::usage(format!("{shown}: {error}")))?;
        let file = ConfFile {
            path: path.to_owned(),
            file: shown,
            uid: metadata.uid(),
            gid: metadata.gid(),
            mode: metadata.mode(),
            links,
            named: false,
            names_store: false,
        };
        Ok((file, conf))
    }

    /// The same file, as the only one that leads to the store.
    pub(super) fn naming_store(mut self) -> ConfFile {
        self.names_store = true;
        self
    }

    /// Whose it is.
    pub(super) fn uid(&self) -> u32 {
        self.uid
    }

    /// Its path.
    pub fn shown(&self) -> &Shown {
        &self.file
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
        let ConfFile {
            file,
            uid,
            gid,
            mode,
            links,
            ..
        } = self;
        let Some(links) = links else {
            return Err(SettingsError::failed(format!(
                "root does not do what {file} says, because the way there could not be looked at: \
                 name the file itself with --config, or run as user {owner}, the owner of the sessions"
            )));
        };
        let doubted = |link: &Link| Some((redact::path(&link.path), link.doubt(owner)?));
        if let Some((link, doubt)) = links.iter().find_map(doubted) {
            return Err(SettingsError::failed(format!(
                "root does not do what {file} says to sessions of user {owner}, because the symlink {link} {doubt} \
                 leads there: name the file itself with --config if it is meant, or run as user {owner}"
            )));
        }
        let of_another = *uid != 0 && *uid != owner;
        if mode & ALL_WRITE != 0 || of_another && mode & GROUP_WRITES != 0 {
            return Err(SettingsError::failed(format!(
                "root does not do what {file} says, because others may write to it: `chmod go-w` it, \
                 or run as user {owner}, the owner of the sessions"
            )));
        }
        if mode & GROUP_WRITES != 0 && *gid != 0 && *gid != group {
            return Err(SettingsError::failed(format!(
                "root does not do what {file} says, because group {gid} may write to it: `chmod g-w` it, \
                 or run as user {owner}, the owner of the sessions"
            )));
        }
        let root_named_both = self.named && !self.names_store;
        if of_another && !root_named_both {
            return Err(SettingsError::failed(format!(
                "root does not do what {file} of user {uid} says to sessions of user {owner}: \
                 run as user {owner}, give the file to root, or name it and the store with --config and --data-dir"
            )));
        }
        Ok(())
    }
}

/// The symlinks that lead to a file that is open. `None` if the path leads elsewhere by now, or nobody can tell.
fn links_to(path: &Path, open: &File) -> Option<Vec<Link>> {
    let way = way::follow_to_any(path).ok()?;
    let (led, meant) = (
        stat::of(way.end.as_fd()).ok()?,
        stat::of(open.as_fd()).ok()?,
    );
    ((led.mount, led.ino) == (meant.mount, meant.ino)).then_some(way.links)
}

#[cfg(test)]
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
                file: "odoo.conf".into(),
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
}
