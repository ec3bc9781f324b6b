//! Standard output that may be closed or full without stopping anything.

use std::fmt::{Arguments, Display};
use std::io::{self, BufWriter, IsTerminal as _, Write};

use super::numbers::Numbers;
use crate::log;
use crate::stream::Stream;

/// Columns where nobody says how many there are.
const WIDTH: usize = 80;

/// A buffered writer that remembers its first error and is silent from then on.
pub struct Out {
    writer: BufWriter<Box<dyn Write + Send>>,
    failed: Option<io::Error>,
    /// Whether colours and other escapes may be written.
    colours: bool,
    /// Whether somebody is watching.
    pub terminal: bool,
    /// Columns.
    pub width: usize,
}

impl Out {
    /// The process's standard output.
    pub fn stdout() -> Out {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
        let size = rustix::termios::tcgetwinsize(&stdout).map(|size| usize::from(size.ws_col));
        Out {
            colours: terminal && log::colours_wanted(),
            terminal,
            // Some terminals over a serial line or a container's pipe say 0.
            width: match size.ok().filter(|columns| *columns > 0).or_else(columns) {
                Some(columns) if terminal => columns.max(WIDTH / 2),
                _ => WIDTH,
            },
            writer: BufWriter::new(Box::new(Stream::Output)),
            failed: None,
        }
    }

    /// For who wants to be told nothing.
    pub fn nowhere() -> Out {
        Out {
            writer: BufWriter::new(Box::new(io::sink())),
            ..Out::stdout()
        }
    }

    /// How numbers are written here.
    pub fn numbers(&self) -> Numbers {
        match self.terminal {
            true => Numbers::Grouped,
            false => Numbers::Plain,
        }
    }

    /// Writes formatted text.
    pub fn print(&mut self, text: Arguments<'_>) {
        if self.failed.is_none() {
            self.failed = self.writer.write_fmt(text).err();
        }
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl Display) {
        self.print(format_args!("{text}\n"));
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.writer.flush().err();
        }
    }

    /// The first error, if there was one.
    pub fn failed(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    /// `text` in bold, where that is possible.
    pub fn bold(&self, text: &str) -> String {
        self.escaped(text, "1")
    }

    /// `text` in the colour of logins that end, where that is possible.
    pub fn alarming(&self, text: &str) -> String {
        self.escaped(text, "33")
    }

    fn escaped(&self, text: &str, code: &str) -> String {
        if self.colours {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
