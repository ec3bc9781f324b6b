//! Opening the store: the path is resolved once, checked to be a session store, and opened.

use std::fmt;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::geteuid;

use super::way::{self, Link};
use super::{Store, stat};
use crate::redact;

/// How a store is to be opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Take the word of the administrator that the directory is a session store, whatever its path.
    pub accept_any_directory: bool,
}

/// Why a store was not opened.
#[derive(Debug)]
pub enum OpenError {
    /// Nothing is there.
    Missing {
        /// The path as it was given.
        path: PathBuf,
        /// Whether it would have been `sessions` in an existing data_dir.
        in_data_dir: bool,
    },
    /// It is a file or something else.
    NotADirectory(PathBuf),
    /// A data_dir was given where its `sessions` is wanted, or the reverse.
    Misplaced {
        /// The path as it was given.
        path: PathBuf,
        /// What to give instead.
        advice: String,
    },
    /// It does not look like a session store.
    NotAStore {
        /// The path with symlinks resolved.
        resolved: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Root was led there by a symlink of a user who has no say in it.
    LinkOfAnother {
        /// The symlink.
        link: PathBuf,
        /// Whose it is.
        uid: u32,
        /// Where it led.
        resolved: PathBuf,
        /// Whose that is.
        owner: u32,
    },
    /// The system refused.
    Refused {
        /// The path as it was given.
        path: PathBuf,
        /// Why.
        errno: Errno,
    },
}

impl std::error::Error for OpenError {}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Missing {
                path,
                in_data_dir: true,
            } => write!(
                f,
                "there is no directory {}: Odoo makes it in its data_dir with the first session; \
                 name another place with --data-dir, --sessions-dir or --config",
                redact::path(path)
            ),
            OpenError::Missing {
                path,
                in_data_dir: false,
            } => write!(
                f,
                "there is no directory {}, looked for as Odoo's session store: \
                 name the right one with --data-dir, --sessions-dir or --config",
                redact::path(path)
            ),
            OpenError::NotADirectory(path) => write!(
                f,
                "{} is not a directory, and so not Odoo's session store: \
                 name the right one with --data-dir, --sessions-dir or --config",
                redact::path(path)
            ),
            OpenError::Misplaced { path, advice } => {
                write!(f, "{} is not a session store: {advice}", redact::path(path))
            }
            OpenError::NotAStore { resolved, reason } => write!(
                f,
                "{} is refused: {reason}; if it really is an Odoo session store, \
                 say so with --accept-any-directory",
                redact::path(resolved)
            ),
            OpenError::LinkOfAnother {
                link,
                uid,
                resolved,
                owner,
            } => write!(
                f,
                "root does not follow the symlink {} of user {uid} to {}, which belongs to user {owner}: \
                 name the latter with --sessions-dir if it is meant, or run as user {owner}",
                redact::path(link),
                redact::path(resolved)
            ),
            OpenError::Refused {
                path,
                errno: stat::NO_MOUNT,
            } => write!(
                f,
                "cannot work on the session store {}: this kernel, or the container around it, does not tell which \
                 mount a file is on; that takes Linux 5.8 or newer",
                redact::path(path)
            ),
            OpenError::Refused { path, errno } => {
                write!(
                    f,
                    "cannot open the session store {}: {}",
                    redact::path(path),
                    std::io::Error::from(*errno)
                )?;
                if *errno == Errno::ACCESS {
                    f.write_str("; it belongs to the Odoo user: run as that user or as root")?;
                }
                Ok(())
            }
        }
    }
}

impl Store {
    /// Opens the store at `path`, which may be a symlink.
    ///
    /// Root is led by symlinks of its own and of the store's owner only: whoever may be reaped as root could else
    /// choose whose sessions go.
    ///
    /// # Errors
    /// Where there is no directory, where it does not look like a session store, or where the system
    /// refuses; each error names the path, what was looked for and the flag to use.
    pub fn open(path: &Path, opening: &Opening) -> Result<Store, OpenError> {
        let way = way::follow(path).map_err(|errno| refused(path, errno))?;
        if !opening.accept_any_directory {
            looks_like_a_store(path, &way.resolved)?;
        }
        // The way needs permission to search only, the store to be listed as well.
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = retry_on_intr(|| rustix::fs::openat(&way.end, c".", flags, Mode::empty()))
            .map_err(|errno| refused(path, errno))?;
        let resolved = way.resolved;
        let refused = |errno| OpenError::Refused {
            path: path.to_owned(),
            errno,
        };
        let stat = stat::of(handle.as_fd()).map_err(refused)?;
        let others = |link: &Link| link.uid != 0 && link.uid != stat.uid;
        if let Some(link) = way.links.into_iter().find(others) {
            if geteuid().is_root() {
                return Err(OpenError::LinkOfAnother {
                    link: link.path,
                    uid: link.uid,
                    resolved,
                    owner: stat.uid,
                });
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

fn refused(path: &Path, errno: Errno) -> OpenError {
    let path = path.to_owned();
    match errno {
        Errno::NOENT => {
            let in_data_dir = path.ends_with("sessions") && path.parent().is_some_and(Path::is_dir);
            OpenError::Missing { path, in_data_dir }
        }
        Errno::NOTDIR => OpenError::NotADirectory(path),
        errno => OpenError::Refused { path, errno },
    }
}

/// Odoo's attachments lie in `filestore/<db>/ab/<40 hex>`, exactly like sessions of Odoo 16 and 17, so the
/// path is the first line of defence (what a file says is the second).
fn looks_like_a_store(given: &Path, resolved: &Path) -> Result<(), OpenError> {
    if resolved
        .components()
        .any(|component| component.as_os_str() == "filestore")
    {
        return Err(OpenError::NotAStore {
            resolved: resolved.to_owned(),
            reason: "it lies in a filestore, where Odoo keeps attachments under the same kind of names",
        });
    }
    if resolved.file_name().is_some_and(|name| name == "sessions") {
        return Ok(());
    }
    if !resolved.is_dir() {
        return Err(OpenError::NotADirectory(given.to_owned()));
    }
    if resolved.join("sessions").is_dir() {
        return Err(OpenError::Misplaced {
            path: given.to_owned(),
            advice:
                "it is a data_dir; name it with --data-dir, or its `sessions` with --sessions-dir"
                    .to_owned(),
        });
    }
    Err(OpenError::NotAStore {
        resolved: resolved.to_owned(),
        reason: "an Odoo session store is a directory called `sessions`",
    })
}
