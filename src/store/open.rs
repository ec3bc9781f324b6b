//! Opening the store: the path is resolved once, checked to be a session store, and opened.

use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{anyhow, bail};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::{Store, stat, way};
use crate::redact;

/// How a store is to be opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Take the word of the administrator that the directory is a session store, whatever its path.
    pub accept_any_directory: bool,
}

/// What else to do about a path that is wrong.
const NAME_IT: &str = "name the right one with --data-dir, --sessions-dir or --config";

impl Store {
    /// Opens the store at `path`, which may be a symlink.
    ///
    /// Root is led by symlinks of its own, where nobody else could have put them, and of the store's owner only:
    /// whoever may be reaped as root could else choose whose sessions go.
    ///
    /// # Errors
    /// Where there is no directory, where it does not look like a session store, or where the system
    /// refuses; each error names the path, what was looked for and the flag to use.
    pub fn open(path: &Path, opening: &Opening) -> anyhow::Result<Store> {
        let way = way::follow(path).map_err(|errno| refused(path, errno))?;
        if !opening.accept_any_directory {
            looks_like_a_store(path, &way.resolved)?;
        }
        // The way needs permission to search only, the store to be listed as well.
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = retry_on_intr(|| rustix::fs::openat(&way.end, c".", flags, Mode::empty()))
            .map_err(|errno| refused(path, errno))?;
        let resolved = way.resolved;
        let stat = stat::of(handle.as_fd()).map_err(|errno| cannot_open(path, errno))?;
        let owner = stat.uid;
        let doubted = |link: &way::Link| Some((redact::path(&link.path), link.doubt(owner)?));
        if let Some((link, doubt)) = way.links.iter().find_map(doubted) {
            if geteuid().is_root() {
                bail!(
                    "root does not follow the symlink {link} {doubt} to {}, which belongs to user {owner}: \
                     name the latter with --sessions-dir if it is meant, or run as user {owner}",
                    redact::path(&resolved)
                );
            }
        }
        Ok(Store {
            handle,
            given: path.to_owned(),
            resolved,
            stat,
        })
    }
}

fn refused(path: &Path, errno: Errno) -> anyhow::Error {
    let shown = redact::path(path);
    match errno {
        // A data_dir was asked for, and the store itself given.
        Errno::NOENT if path.ends_with("sessions/sessions") => {
            let store = redact::path(path.parent().unwrap_or(path));
            anyhow!(
                "{shown} is not a session store: it is not there; if {store} is the store itself, name that with \
                 --sessions-dir {store}"
            )
        }
        Errno::NOENT if path.ends_with("sessions") && path.parent().is_some_and(Path::is_dir) => {
            anyhow!(
                "there is no directory {shown}: Odoo makes it in its data_dir with the first session; \
                 name another place with --data-dir, --sessions-dir or --config"
            )
        }
        Errno::NOENT => {
            anyhow!("there is no directory {shown}, looked for as Odoo's session store: {NAME_IT}")
        }
        Errno::NOTDIR => not_a_directory(path),
        errno => cannot_open(path, errno),
    }
}

fn cannot_open(path: &Path, errno: Errno) -> anyhow::Error {
    let shown = redact::path(path);
    let advice = match errno {
        stat::NO_MOUNT => {
            return anyhow!(
                "cannot work on the session store {shown}: this kernel, or the container around it, does not tell which \
                 mount a file is on; that takes Linux 5.8 or newer"
            );
        }
        Errno::ACCESS => "; it belongs to the Odoo user: run as that user or as root",
        _ => "",
    };
    let error = std::io::Error::from(errno);
    anyhow!("cannot open the session store {shown}: {error}{advice}")
}

fn not_a_directory(path: &Path) -> anyhow::Error {
    let shown = redact::path(path);
    anyhow!("{shown} is not a directory, and so not Odoo's session store: {NAME_IT}")
}

/// Odoo's attachments lie in `filestore/<db>/ab/<40 hex>`, exactly like sessions of Odoo 16 and 17, so the
/// path is the first line of defence (what a file says is the second).
fn looks_like_a_store(given: &Path, resolved: &Path) -> anyhow::Result<()> {
    let not_a_store = |reason: &str| {
        anyhow!(
            "{} is refused: {reason}; if it really is an Odoo session store, say so with --accept-any-directory",
            redact::path(resolved)
        )
    };
    if resolved
        .components()
        .any(|component| component.as_os_str() == "filestore")
    {
        return Err(not_a_store(
            "it lies in a filestore, where Odoo keeps attachments under the same kind of names",
        ));
    }
    if resolved.file_name().is_some_and(|name| name == "sessions") {
        return Ok(());
    }
    if !resolved.is_dir() {
        return Err(not_a_directory(given));
    }
    if resolved.join("sessions").is_dir() {
        let shown = redact::path(given);
        bail!("{shown} is not a session store: it is a data_dir; name it with --data-dir {shown}");
    }
    Err(not_a_store(
        "an Odoo session store is a directory called `sessions`",
    ))
}
