//! The log on stderr: text or JSON; or entries of systemd's journal where stderr leads there. Beside any other log, a
//! reap that deletes tells the journal, too.

pub(crate) mod journal;

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::fs::{FileType, fstat};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as layer};

use crate::stream::Stream;
use journal::Journal;

/// The journal, if the log goes there, or if entries go there beside it.
static JOURNAL: OnceLock<Journal> = OnceLock::new();

/// How the log is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Levels above the usual one, or below it: `-v` and `-q`.
    pub more: i16,
    /// JSON for programs; then stderr has lines, also where it leads to the journal.
    pub json: bool,
    /// The run deletes, which the journal is told in any case, if there is one.
    pub deletes: bool,
}

/// Sets the log up: `RUST_LOG` beats `-v` and `-q`. Without any, warnings are logged, and in the journal also each
/// deletion of an authenticated session.
///
/// Tells the text of a `RUST_LOG` that cannot be read, so that it can be logged.
pub(crate) fn init(wanted: Wanted) -> Option<String> {
    let stderr = std::io::stderr();
    let to_journal = is_journal(stderr.as_fd());
    let rust_log = std::env::var("RUST_LOG").ok();
    if wanted.deletes && !to_journal {
        let (entries, _) = filter(wanted.more, true, rust_log.clone());
        let deletions = entries.would_enable(module_path!(), &Level::INFO);
        if let Some(journal) = Journal::beside(PathBuf::from(journal::SOCKET), deletions) {
            // Nobody has set it before.
            let _ = JOURNAL.set(journal);
        }
    }
    let (filter, broken) = filter(wanted.more, to_journal, rust_log);
    let mut reached = Ok(());
    let layer = if wanted.json {
        layer::layer().json().with_writer(|| Stream::Error).boxed()
    } else if to_journal {
        let journal;
        (journal, reached) = of_stderr();
        JOURNAL.get_or_init(|| journal).boxed()
    } else {
        let layer = layer::layer()
            .with_target(false)
            .with_ansi(stderr.is_terminal() && colours_wanted())
            .with_writer(|| Stream::Error);
        match stderr.is_terminal() {
            true => layer.without_time().boxed(),
            false => layer.boxed(),
        }
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .init();
    if let Err(error) = reached {
        tracing::debug!(
            "entries of the journal have no fields: {} cannot be reached: {error}",
            journal::SOCKET
        );
    }
    broken
}

/// The journal that stderr leads to, and what is in the way of its entries.
fn of_stderr() -> (Journal, std::io::Result<()>) {
    let mut stderr = std::io::stderr();
    let stat = fstat(&stderr);
    // What journald gives a process to write to is always a socket.
    match stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_socket()) {
        true => Journal::open(PathBuf::from(journal::SOCKET), &mut stderr),
        false => (Journal::lines_only(), Ok(())),
    }
}

/// The journal, if the log goes there, or if entries go there beside it.
pub(crate) fn journal() -> Option<&'static Journal> {
    JOURNAL.get()
}

/// Whether the environment allows colours (<https://no-color.org>).
pub(crate) fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn filter(more: i16, journal: bool, rust_log: Option<String>) -> (Targets, Option<String>) {
    let usual = if journal { 3 } else { 2 };
    let level = match usual + more {
        ..=0 => LevelFilter::OFF,
        1 => LevelFilter::ERROR,
        2 => LevelFilter::WARN,
        3 => LevelFilter::INFO,
        4 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let own = Targets::new().with_default(level);
    match rust_log.filter(|text| !text.trim().is_empty()) {
        None => (own, None),
        Some(text) => match text.parse() {
            Ok(targets) => (targets, None),
            Err(_) => (own, Some(text)),
        },
    }
}

/// Whether this stream leads to systemd's journal, as sd-daemon(7) says: `JOURNAL_STREAM` holds its device
/// and inode number.
pub(crate) fn is_journal(stream: impl AsFd) -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(stream).is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(more: i16, journal: bool, rust_log: Option<&str>) -> [bool; 4] {
        let (filter, _) = filter(more, journal, rust_log.map(str::to_owned));
        [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG]
            .map(|level| filter.would_enable(module_path!(), &level))
    }

    #[test]
    fn warns_by_default_and_informs_the_journal() {
        assert_eq!(logs(0, false, None), [true, true, false, false]);
        assert_eq!(logs(0, true, None), [true, true, true, false]);
    }

    #[test]
    fn verbose_and_quiet_move_the_level() {
        assert_eq!(logs(1, false, None), [true, true, true, false]);
        assert_eq!(logs(2, false, None), [true; 4]);
        assert_eq!(logs(-1, false, None), [true, false, false, false]);
        assert_eq!(logs(-9, false, None), [false; 4]);
    }

    #[test]
    fn rust_log_beats_the_flags() {
        assert_eq!(logs(-9, false, Some("info")), [true, true, true, false]);
        assert_eq!(logs(0, false, Some("")), [true, true, false, false]);
        let (_, broken) = filter(0, false, Some("a=b=c".into()));
        assert_eq!(broken.as_deref(), Some("a=b=c"));
    }
}
