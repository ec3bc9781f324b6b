//! The log on stderr: text or JSON; or entries of systemd's journal where stderr leads there.

pub mod journal;

use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::fs::{FileType, fstat};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as layer};

use crate::cli::{Format as LogFormat, LogArgs};
use crate::stream::Stream;
use journal::Journal;

/// The journal, if the log goes there.
static JOURNAL: OnceLock<Journal> = OnceLock::new();

/// Sets the log up: `RUST_LOG` beats `-v` and `-q`. Without any, warnings are logged, and under systemd's
/// journal also each deletion of an authenticated session.
///
/// Tells the text of a `RUST_LOG` that cannot be read, so that it can be logged.
pub fn init(args: &LogArgs) -> Option<String> {
    let stderr = std::io::stderr();
    let to_journal = is_journal(stderr.as_fd());
    let (filter, broken) = filter(args, to_journal, std::env::var("RUST_LOG").ok());
    let colours = stderr.is_terminal() && colours_wanted();
    let mut reached = Ok(());
    let layer = match (args.log_format, to_journal) {
        (LogFormat::Json, _) => layer::layer().json().with_writer(stderr_log).boxed(),
        (LogFormat::Text, true) => {
            let journal = JOURNAL.get_or_init(|| {
                // What journald gives a process to write to is always a socket.
                if is_socket(stderr.as_fd()) {
                    let journal;
                    (journal, reached) =
                        Journal::open(PathBuf::from(journal::SOCKET), &mut std::io::stderr());
                    journal
                } else {
                    Journal::lines_only()
                }
            });
            journal.boxed()
        }
        (LogFormat::Text, false) => {
            let layer = layer::layer()
                .with_target(false)
                .with_ansi(colours)
                .with_writer(stderr_log);
            if stderr.is_terminal() {
                layer.without_time().boxed()
            } else {
                layer.boxed()
            }
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

fn stderr_log() -> Stream {
    Stream::Error
}

/// The journal, if the log goes there.
pub fn journal() -> Option<&'static Journal> {
    JOURNAL.get()
}

/// The value of a field that only the journal's entries have; other logs never see it.
pub fn for_journal<T>(value: T) -> Option<T> {
    journal().map(|_| value)
}

/// Whether the environment allows colours (<https://no-color.org>).
pub fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn filter(args: &LogArgs, journal: bool, rust_log: Option<String>) -> (Targets, Option<String>) {
    let usual = if journal { 3 } else { 2 };
    let level = match usual + i16::from(args.verbose) - i16::from(args.quiet) {
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
pub fn is_journal(stream: impl AsFd) -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    fstat(stream).is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
}

fn is_socket(stream: impl AsFd) -> bool {
    fstat(stream).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_socket())
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn args(verbose: u8, quiet: u8) -> LogArgs {
        LogArgs {
            verbose,
            quiet,
            log_format: LogFormat::Text,
        }
    }

    fn logs(args: &LogArgs, journal: bool, rust_log: Option<&str>) -> [bool; 4] {
        let (filter, _) = filter(args, journal, rust_log.map(str::to_owned));
        [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG]
            .map(|level| filter.would_enable("odoo_session_reaper", &level))
    }

    #[test]
    fn warns_by_default_and_informs_the_journal() {
        assert_eq!(logs(&args(0, 0), false, None), [true, true, false, false]);
        assert_eq!(logs(&args(0, 0), true, None), [true, true, true, false]);
    }

    #[test]
    fn verbose_and_quiet_move_the_level() {
        assert_eq!(logs(&args(1, 0), false, None), [true, true, true, false]);
        assert_eq!(logs(&args(2, 0), false, None), [true; 4]);
        assert_eq!(logs(&args(0, 1), false, None), [true, false, false, false]);
        assert_eq!(logs(&args(0, 9), false, None), [false; 4]);
    }

    #[test]
    fn rust_log_beats_the_flags() {
        assert_eq!(
            logs(&args(0, 9), false, Some("info")),
            [true, true, true, false]
        );
        assert_eq!(
            logs(&args(0, 0), false, Some("")),
            [true, true, false, false]
        );
        let (_, broken) = filter(&args(0, 0), false, Some("a=b=c".into()));
        assert_eq!(broken.as_deref(), Some("a=b=c"));
    }
}
