//! Standard output that may be closed or full without stopping anything.

use std::fmt::Arguments;
use std::io::{self, BufWriter, Write};

/// A buffered writer that remembers its first error and is silent from then on.
pub struct Out {
    writer: BufWriter<Box<dyn Write + Send>>,
    failed: Option<io::Error>,
    /// Whether colours and other escapes may be written.
    pub colours: bool,
}

impl Out {
    /// Writes to `writer`.
    pub fn new(writer: Box<dyn Write + Send>, colours: bool) -> Out {
        Out {
            writer: BufWriter::new(writer),
            failed: None,
            colours,
        }
    }

    /// Writes formatted text.
    pub fn print(&mut self, text: Arguments<'_>) {
        if self.failed.is_none() {
            self.failed = self.writer.write_fmt(text).err();
        }
    }

    /// Writes formatted text and ends the line.
    pub fn line(&mut self, text: Arguments<'_>) {
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
        if self.colours {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
