//! The log on stderr: text or JSON, or lines with a priority where stderr is the journal.

use std::fmt;
use std::io::IsTerminal;
use std::os::fd::AsFd;

use rustix::fs::fstat;
use tracing::{Event, Level, Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as layer};

use crate::cli::{Format as LogFormat, LogArgs};

/// Sets the log up: `RUST_LOG` beats `-v` and `-q`. Without any, warnings are logged, and under systemd's
/// journal also each deletion of an authenticated session.
///
/// Tells the text of a `RUST_LOG` that cannot be read, so that it can be logged.
pub fn init(args: &LogArgs) -> Option<String> {
    let stderr = std::io::stderr();
    let journal = is_journal(stderr.as_fd());
    let (filter, broken) = filter(args, journal, std::env::var("RUST_LOG").ok());
    let colours = stderr.is_terminal() && colours_wanted();
    let layer = match (args.log_format, journal) {
        (LogFormat::Json, _) => layer::layer().json().with_writer(std::io::stderr).boxed(),
        (LogFormat::Text, true) => {
            let format = Prioritised(
                layer::format()
                    .without_time()
                    .with_level(false)
                    .with_target(false)
                    .with_ansi(false),
            );
            layer::layer()
                .event_format(format)
                .with_ansi(false)
                .with_writer(std::io::stderr)
                .boxed()
        }
        (LogFormat::Text, false) => {
            let layer = layer::layer()
                .with_target(false)
                .with_ansi(colours)
                .with_writer(std::io::stderr);
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
    broken
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

/// A syslog priority in front of each line, from which journald takes the entry's own.
struct Prioritised(Format<Full, ()>);

impl<S, N> FormatEvent<S, N> for Prioritised
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut lines = String::new();
        self.0
            .format_event(context, Writer::new(&mut lines), event)?;
        let priority = priority(event.metadata());
        // Each line is an entry of its own to journald.
        lines
            .lines()
            .try_for_each(|line| writeln!(writer, "<{priority}>{line}"))
    }
}

fn priority(metadata: &Metadata<'_>) -> u8 {
    match *metadata.level() {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

#[cfg(test)]
mod tests {
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
