//! `--metrics-file`: where the metrics of a run are left for node_exporter.
//!
//! Nothing that goes wrong with the file stops a run or changes its exit code, except that no run writes
//! it into the session store itself.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::sandbox;
use crate::exit::Exit;
use crate::reap::Mode;
use crate::redact;
use crate::report::Finished;
use crate::report::metrics::{self, Previous, Run};
use crate::settings::SettingsError;
use crate::time::Timestamp;

/// More than a metrics file of ours ever has.
const LARGEST_FILE: u64 = 1 << 20;

/// As many symlinks in a row as Linux follows.
const MOST_LINKS: usize = 40;

/// Where a run leaves its metrics, if anybody wants them.
pub struct MetricsFile<'a> {
    path: Option<&'a Path>,
    mode: Mode,
    begun: Instant,
}

impl<'a> MetricsFile<'a> {
    /// Metrics of a run that begins now.
    pub fn new(path: Option<&'a Path>, mode: Mode) -> MetricsFile<'a> {
        MetricsFile {
            path,
            mode,
            begun: Instant::now(),
        }
    }

    /// Refuses a file that would lie in the store that it tells of.
    ///
    /// # Errors
    /// A usage error that names both.
    pub fn check(&self, sessions: &Path) -> Result<(), SettingsError> {
        let Some(path) = self.path else {
            return Ok(());
        };
        if !lies_in(path, sessions) {
            return Ok(());
        }
        Err(SettingsError::usage(format!(
            "the metrics file {} would lie in the session store {}: give --metrics-file another place",
            redact::path(path),
            redact::path(sessions)
        )))
    }

    /// Writes the metrics of a run that came to its end, and ends with `exit`.
    pub fn finished(&self, finished: &Finished<'_>, exit: Exit) {
        self.write(Some(&finished.location.sessions), Some(finished), exit);
    }

    /// Writes the metrics of a run that failed; `sessions` is its store, if it came so far.
    pub fn failed(&self, sessions: Option<&Path>, exit: Exit) {
        // Before the store is known, what looks like one is left alone.
        let maybe_inside = |path| directory(path).iter().any(|name| name == "sessions");
        if sessions.is_none() && self.path.is_some_and(maybe_inside) {
            return;
        }
        self.write(sessions, None, exit);
    }

    fn write(&self, sessions: Option<&Path>, finished: Option<&Finished<'_>>, exit: Exit) {
        let Some(path) = self.path else {
            return;
        };
        let written = resolved(path).and_then(|target| {
            let ended = Timestamp::of(SystemTime::now());
            let previous = Previous::read(&content(&target).unwrap_or_default(), ended);
            let store = match sessions {
                // The same label whether the store could be opened or not.
                Some(sessions) => redact::path(&absolute(sessions)),
                None => previous.store.clone().unwrap_or_default(),
            };
            let run = Run {
                store: &store,
                mode: self.mode,
                ended,
                took: self.begun.elapsed(),
                exit,
            };
            replace(&target, &metrics::text(&run, finished, &previous))
        });
        if let Err(error) = written {
            tracing::warn!(
                "cannot write the metrics file {} as user {}: {error}; nothing else is affected{}",
                redact::path(path),
                geteuid().as_raw(),
                sandbox::own_directory().map_or(String::new(), |advice| format!("; {advice}"))
            );
        }
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where a path leads: an administrator may link node_exporter's directory to the file, or the file to that
/// directory, and a link is to stay a link.
///
/// Root follows only its own links: others could make it overwrite anything.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(path)?;
    for _ in 0..MOST_LINKS {
        if geteuid().is_root() && path.ancestors().any(is_link_of_another) {
            return Err(io::Error::other("a symlink of another user leads there"));
        }
        let Ok(next) = path.read_link() else {
            return Ok(path);
        };
        path = path.parent().unwrap_or(&path).join(next);
    }
    Err(io::Error::from(rustix::io::Errno::LOOP))
}

/// Before a run becomes the store's owner, it is root that writes; and whoever owns a store can make a run fail
/// before that.
fn is_link_of_another(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|found| found.is_symlink() && found.uid() != 0)
}

/// The directory that the file would lie in, without links where it exists.
fn directory(path: &Path) -> PathBuf {
    let path = resolved(path).unwrap_or_else(|_| absolute(path));
    let parent = path.parent().unwrap_or(&path);
    parent.canonicalize().unwrap_or_else(|_| parent.to_owned())
}

fn lies_in(path: &Path, sessions: &Path) -> bool {
    let directory = directory(path);
    let really = sessions.canonicalize();
    directory.starts_with(absolute(sessions))
        || really.is_ok_and(|sessions| directory.starts_with(sessions))
}

/// What is there already. A FIFO in its place must not block.
fn content(path: &Path) -> io::Result<String> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
        .open(path)?;
    regular(&file.metadata()?)?;
    let mut text = String::new();
    file.take(LARGEST_FILE).read_to_string(&mut text)?;
    Ok(text)
}

fn regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else {
        Err(io::Error::other("something else than a file is there"))
    }
}

/// Puts a new file in the place of the old one, which stays whole until then.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A rename would replace a FIFO or /dev/null as well.
    match path.symlink_metadata() {
        Ok(metadata) => regular(&metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // node_exporter reads *.prom only, so it never sees this one. If anything fails, it is removed.
    let mut file = tempfile::Builder::new()
        .prefix(".odoo-session-reaper-")
        .tempfile_in(path.parent().unwrap_or(path))
        // The error would name the temporary file.
        .map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(text.as_bytes())?;
    // Whatever the umask is: node_exporter is another user.
    File::set_permissions(file.as_file(), Permissions::from_mode(0o644))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
