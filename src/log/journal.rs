//! systemd's journal: each event is an entry with fields of its own, so that `journalctl ODOO_LOGIN=bob`
//! finds it; or a line with a priority where the journal's socket cannot be reached.
//!
//! The protocol is <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>. The `tracing-journald` crate speaks it,
//! too, but drops an event that it could not send, and a deletion that nobody hears of is worse than one
//! without fields; its messages also lose what `deleted an authenticated session login="bob"` says after the
//! fifth word.

use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::stream::{self, Patience, Stream};
use crate::time::words;

/// Where journald listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// The way to the journal.
pub(crate) struct Journal {
    socket: Option<UnixDatagram>,
    path: PathBuf,
    beside: bool,
    deletions: bool,
    /// It took nothing for too long, and is told no more.
    given_up: AtomicBool,
}

/// What becomes an entry of the journal.
pub(crate) struct Entry {
    level: Level,
    message: String,
    fields: Vec<u8>,
}

impl Entry {
    /// An entry that says this. Fields can be added.
    pub(crate) fn new(level: Level, message: String) -> Entry {
        Entry {
            level,
            message,
            fields: Vec::new(),
        }
    }

    /// Adds a field. Names are of our own making: capital letters and underscores.
    pub(crate) fn with(mut self, name: &str, value: impl fmt::Display) -> Entry {
        put(&mut self.fields, name, value.to_string().as_bytes());
        self
    }

    /// Adds a field that not every entry has.
    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Entry {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds to the message what the text log says of an event's field.
    pub(crate) fn saying(mut self, name: &str, value: Option<&str>) -> Entry {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(self.message, " {name}={value:?}");
        }
        self
    }

    /// As journald wants it.
    fn datagram(&self) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(512);
        put(&mut datagram, "MESSAGE", self.message.as_bytes());
        let priority = priority(self.level).to_string();
        put(&mut datagram, "PRIORITY", priority.as_bytes());
        put(
            &mut datagram,
            "SYSLOG_IDENTIFIER",
            env!("CARGO_PKG_NAME").as_bytes(),
        );
        datagram.extend_from_slice(&self.fields);
        datagram
    }

    /// As lines of a stream that leads to the journal; each is an entry of its own to journald.
    fn lines(&self) -> String {
        let priority = priority(self.level);
        let mut lines = String::new();
        for line in self.message.lines() {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "<{priority}>{line}");
        }
        lines
    }
}

/// A field in the form with a length, which no value can break out of.
fn put(datagram: &mut Vec<u8>, name: &str, value: &[u8]) {
    datagram.extend_from_slice(name.as_bytes());
    datagram.push(b'\n');
    datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    datagram.extend_from_slice(value);
    datagram.push(b'\n');
}

/// The syslog priority of a level.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

impl Journal {
    /// Without a socket: lines with priorities on stderr.
    pub(super) fn lines_only() -> Journal {
        Journal {
            socket: None,
            path: PathBuf::new(),
            beside: false,
            deletions: false,
            given_up: AtomicBool::new(false),
        }
    }

    /// Entries to this socket beside a log that goes elsewhere, of deletions or only of the end. None where no journald
    /// listens, as in a container.
    pub(super) fn beside(path: PathBuf, deletions: bool) -> Option<Journal> {
        let (journal, reached) = Journal::open(path, &mut io::sink());
        let is_there = match reached {
            // It is behind.
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            Ok(()) => true,
        };
        is_there.then_some(Journal {
            beside: true,
            deletions,
            ..journal
        })
    }

    /// Whether the log goes elsewhere, and says by itself what an entry says.
    pub(crate) fn is_beside(&self) -> bool {
        self.beside
    }

    /// Whether each deletion of an authenticated session is an entry, though the log beside it may say less.
    pub(crate) fn wants_deletions(&self) -> bool {
        self.deletions
    }

    /// Entries to this socket; and what is in the way if it cannot be reached, which is tried again with each
    /// entry. `stderr` is a stream that journald has opened for this process.
    pub(super) fn open(path: PathBuf, stderr: &mut impl io::Write) -> (Journal, io::Result<()>) {
        let socket = match UnixDatagram::unbound() {
            Ok(socket) => socket,
            // The sandbox of an older unit allows no sockets.
            Err(error) => return (Journal::lines_only(), Err(error)),
        };
        // journald learns which unit a datagram is from by looking at its sender, and a short run may be over by
        // then, so that `journalctl -u` does not find it (1 run in 20 on a busy systemd 257). With a stream it
        // was told the unit, which it keeps in mind for the process from the first line on; also an empty one,
        // which is no entry. The empty datagram, no entry either, gives the line its turn.
        let _ = stderr.write_all(b"\n");
        let reached = socket
            .set_write_timeout(Some(stream::TICK))
            .and_then(|()| socket.send_to(b"", &path).map(drop));
        let journal = Journal {
            socket: Some(socket),
            path,
            ..Journal::lines_only()
        };
        (journal, reached)
    }

    /// Sends an entry. Waits while journald is behind, but not for long after a stop signal, nor beside another log: a
    /// journald that hangs must not keep a run from its work, and the store's lock from the next one.
    ///
    /// # Errors
    ///
    /// Where the journal's socket cannot be reached, or the entry is too large for a datagram. Then nothing of it
    /// was sent.
    pub(crate) fn send(&self, entry: &Entry) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let datagram = entry.datagram();
        let (begin, mut patience) = (Instant::now(), Patience::default());
        while !self.given_up.load(Ordering::Relaxed) {
            match socket.send_to(&datagram, &self.path) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && patience.lasts() => {
                    if self.beside && begin.elapsed() >= stream::GRACE {
                        self.give_up();
                    }
                }
                sent => return sent.map(drop),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn give_up(&self) {
        if !self.given_up.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the journal takes no more entries ({} waited in vain): it is not told of the rest of this run",
                words(stream::GRACE)
            );
        }
    }

    /// Sends an entry. Where that is not possible, what the log would say goes to stderr.
    pub(crate) fn tell(&self, entry: &Entry) {
        if self.beside {
            // The log says it.
            let _ = self.send(entry);
        } else {
            self.tell_or_write(entry, &mut Stream::Error);
        }
    }

    /// Sends an entry, or writes it to `stream` if that is not possible.
    fn tell_or_write(&self, entry: &Entry, stream: &mut impl io::Write) {
        if self.send(entry).is_err() {
            // All at once, so that threads do not mix their lines. Nobody can be told that stderr is closed.
            let _ = stream.write_all(entry.lines().as_bytes());
        }
    }
}

impl<S: Subscriber> Layer<S> for &'static Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::new(*event.metadata().level(), String::new());
        event.record(&mut entry);
        self.tell(&entry);
    }
}

/// Fields are told in the message, as in the text log.
impl Visit for Entry {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            // tracing puts the message first.
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.message, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests;
