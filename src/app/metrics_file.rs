//! `--metrics-file`: where the metrics of a run are left for node_exporter.
//!
//! Nothing that goes wrong with the file stops a run or changes its exit code, except that no run writes
//! it into the session store itself.

mod place;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use rustix::fs::{AtFlags, Stat};
use rustix::process::geteuid;

use super::sandbox;
use crate::exit::Exit;
use crate::reap::Mode;
use crate::redact;
use crate::report::Facts;
use crate::report::metrics::{self, Previous, Run};
use crate::settings::SettingsError;
use crate::time::Timestamp;
use place::Place;

/// Where a run leaves its metrics, if anybody wants them.
pub(super) struct MetricsFile {
    wanted: Option<(PathBuf, io::Result<Place>)>,
    mode: Mode,
    begun: Instant,
    /// Started by root, who becomes the store's owner for good.
    by_root: bool,
}

impl MetricsFile {
    /// Metrics of a run that begins now. Where they are to lie is looked up here, and never again.
    pub(super) fn new(path: Option<&Path>, mode: Mode) -> MetricsFile {
        MetricsFile {
            wanted: path.map(|path| (path.to_owned(), Place::open(path))),
            mode,
            begun: Instant::now(),
            by_root: geteuid().is_root(),
        }
    }

    /// Refuses a file that would lie in the store that it tells of.
    ///
    /// # Errors
    /// A usage error that names both.
    pub(super) fn check(&self, sessions: &Path) -> Result<(), SettingsError> {
        let Some((path, Ok(place))) = &self.wanted else {
            return Ok(());
        };
        // A store that is not there holds nothing.
        let Ok(store) = rustix::fs::stat(sessions) else {
            return Ok(());
        };
        if !place
            .lies_in(|directory, _| place::same(directory, &store))
            .unwrap_or(true)
        {
            return Ok(());
        }
        Err(SettingsError::usage(format!(
            "the metrics file {} would lie in the session store {}: give --metrics-file another place",
            redact::path(path),
            redact::path(sessions)
        )))
    }

    /// Writes the metrics of a run over `sessions`, which ends with `exit`; without `facts` of one that failed, perhaps
    /// before its store was known.
    pub(super) fn write(&self, sessions: Option<&Path>, facts: Option<&Facts>, exit: Exit) {
        let Some((path, place)) = &self.wanted else {
            return;
        };
        let written = match place {
            // Before the store is known, what looks like one is left alone.
            Ok(place)
                if sessions.is_none() && place.lies_in(is_called_sessions).unwrap_or(true) =>
            {
                Ok(())
            }
            Ok(place) => self.write_to(place, sessions, facts, exit),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        };
        if let Err(error) = written {
            let became = match self.by_root && !geteuid().is_root() {
                true => ", the owner of the store, which a run of root becomes",
                false => "",
            };
            tracing::warn!(
                "cannot write the metrics file {} as user {}{became}: {error}; nothing else is affected{}",
                redact::path(path),
                geteuid().as_raw(),
                sandbox::own_directory().map_or(String::new(), |advice| format!("; {advice}"))
            );
        }
    }

    fn write_to(
        &self,
        place: &Place,
        sessions: Option<&Path>,
        facts: Option<&Facts>,
        exit: Exit,
    ) -> io::Result<()> {
        place.is_for_a_file()?;
        place.may_be_written_by_root(sessions.and_then(owner))?;
        let ended = Timestamp::of(SystemTime::now());
        let previous = Previous::read(&place.content().unwrap_or_default(), ended);
        let store = match sessions {
            // The same label whether the store could be opened or not.
            Some(sessions) => redact::path(&std::path::absolute(sessions)?).into(),
            None => previous.store.clone().unwrap_or_default(),
        };
        let run = Run {
            store: &store,
            mode: self.mode,
            ended,
            took: self.begun.elapsed(),
            exit,
        };
        place.replace(&metrics::text(&run, facts, &previous))
    }
}

/// Who the store belongs to, or its data_dir if it is not there. Links are not followed: whose they are is what
/// can be said without trusting them.
fn owner(sessions: &Path) -> Option<u32> {
    let mut places = sessions.ancestors().take(2);
    places
        .find_map(|place| rustix::fs::lstat(place).ok())
        .map(|stat| stat.st_uid)
}

fn is_called_sessions(directory: &Stat, parent: BorrowedFd<'_>) -> bool {
    rustix::fs::statat(parent, "sessions", AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|sessions| place::same(directory, &sessions))
}
