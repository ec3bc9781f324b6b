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

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::stream::{self, Patience, Stream};

/// Where journald listens.
pub(crate) const SOCKET: &str = "/run/systemd/journal/socket";

/// The way to the journal.
pub struct Journal {
    socket: Option<UnixDatagram>,
    path: PathBuf,
}

/// What becomes an entry of the journal.
pub struct Entry {
    level: Level,
    message: String,
    fields: Vec<u8>,
}

impl Entry {
    /// An entry that says this. Fields can be added.
    pub fn new(level: Level, message: String) -> Entry {
        Entry {
            level,
            message,
            fields: Vec::new(),
        }
    }

    /// Adds a field. Names are of our own making: capital letters and underscores.
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Entry {
        put(&mut self.fields, name, value.to_string().as_bytes());
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
        }
    }

    /// Entries to this socket; and what is in the way if it cannot be reached, which is tried again with each
    /// entry. `stderr` is a stream that journald has opened for this process.
    pub(crate) fn open(path: PathBuf, stderr: &mut impl io::Write) -> (Journal, io::Result<()>) {
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
        let socket = Some(socket);
        (Journal { socket, path }, reached)
    }

    /// Sends an entry. Waits while journald is behind, but not for long after a stop signal.
    ///
    /// # Errors
    ///
    /// Where the journal's socket cannot be reached, or the entry is too large for a datagram. Then nothing of it
    /// was sent.
    pub fn send(&self, entry: &Entry) -> io::Result<()> {
        let socket = self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let datagram = entry.datagram();
        let mut patience = Patience::default();
        loop {
            match socket.send_to(&datagram, &self.path) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && patience.lasts() => {}
                sent => return sent.map(drop),
            }
        }
    }

    /// Sends an entry, or writes it to `stream` if that is not possible.
    fn tell(&self, entry: &Entry, stream: &mut impl io::Write) {
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
        self.tell(&entry, &mut Stream::Error);
    }
}

/// Fields with names in capitals are the journal's; the others are told in the message, as in the text log.
impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        if is_journals(field) {
            put(&mut self.fields, field.name(), value.as_bytes());
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            name if is_journals(field) => {
                put(&mut self.fields, name, format!("{value:?}").as_bytes());
                Ok(())
            }
            // tracing puts the message first.
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.message, " {name}={value:?}"),
        };
    }
}

fn is_journals(field: &Field) -> bool {
    field
        .name()
        .starts_with(|first: char| first.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::redact;

    /// Reads a datagram as journald does.
    fn parse(mut datagram: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut fields = BTreeMap::new();
        while !datagram.is_empty() {
            let end = datagram.iter().position(|byte| *byte == b'\n').unwrap();
            let line = std::str::from_utf8(&datagram[..end]).unwrap();
            let (name, value, rest) = match line.split_once('=') {
                Some((name, value)) => (name, value.as_bytes(), &datagram[end + 1..]),
                None => {
                    let (length, rest) = datagram[end + 1..].split_at(8);
                    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
                    let (value, rest) = rest.split_at(length);
                    (line, value, rest.strip_prefix(b"\n").unwrap())
                }
            };
            assert_eq!(
                fields.insert(name.to_owned(), value.to_vec()),
                None,
                "{name} twice"
            );
            datagram = rest;
        }
        fields
    }

    /// A journald that keeps nothing to itself.
    struct Journald {
        dir: tempfile::TempDir,
        socket: UnixDatagram,
    }

    impl Journald {
        fn new() -> Journald {
            let dir = tempfile::tempdir().unwrap();
            let socket = UnixDatagram::bind(dir.path().join("socket")).unwrap();
            socket.set_nonblocking(true).unwrap();
            Journald { dir, socket }
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("socket")
        }

        fn open(&self) -> Journal {
            let mut stream = Vec::new();
            let (journal, reached) = Journal::open(self.path(), &mut stream);
            reached.unwrap();
            assert_eq!(stream, b"\n");
            assert_eq!(self.received(), Some(Vec::new()));
            journal
        }

        fn received(&self) -> Option<Vec<u8>> {
            let mut buffer = vec![0; 1 << 20];
            let length = self.socket.recv(&mut buffer).ok()?;
            buffer.truncate(length);
            Some(buffer)
        }
    }

    #[test]
    fn an_event_has_fields_of_its_own() {
        let journald = Journald::new();
        let journal: &'static Journal = Box::leak(Box::new(journald.open()));
        let subscriber = tracing_subscriber::registry().with(journal);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                login = "b\"ob",
                database = None::<&str>,
                age = 5,
                ODOO_LOGIN = "b\"ob",
                ODOO_DB = None::<&str>,
                SESSION_AGE = 691_200_u64,
                "deleted {}",
                "it"
            );
        });
        let fields = parse(&journald.received().unwrap());
        let expected = [
            ("MESSAGE", "deleted it login=\"b\\\"ob\" age=5"),
            ("ODOO_LOGIN", "b\"ob"),
            ("PRIORITY", "6"),
            ("SESSION_AGE", "691200"),
            ("SYSLOG_IDENTIFIER", "odoo-session-reaper"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(fields, BTreeMap::from(expected));
        assert_eq!(journald.received(), None);
    }

    #[test]
    fn the_message_is_that_of_the_text_log() {
        let journald = Journald::new();
        let journal: &'static Journal = Box::leak(Box::new(journald.open()));
        let text = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let writer = text.clone();
        let layer = tracing_subscriber::fmt::layer()
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || Shared(writer.clone()));
        let subscriber = tracing_subscriber::registry().with(journal).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(
                login = Some("a\\b\n\u{9b}"),
                count = 3,
                yes = true,
                "words {}",
                1
            );
            tracing::warn!("a \"quoted\" {:?}", "text");
        });
        let mut messages = Vec::new();
        while let Some(datagram) = journald.received() {
            messages.extend_from_slice(&parse(&datagram)["MESSAGE"]);
            messages.push(b'\n');
        }
        assert_eq!(
            String::from_utf8(messages).unwrap(),
            String::from_utf8(text.lock().unwrap().clone()).unwrap()
        );
    }

    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_text_breaks_out_of_its_field() {
        let journald = Journald::new();
        let journal = journald.open();
        for text in [
            "bob\nPRIORITY=0",
            "\n\nMESSAGE=pwned\n_UID=0\n",
            "\nMESSAGE\n\u{5}\0\0\0\0\0\0\0pwned\n",
            "=",
            "",
            "\0",
            "…",
        ] {
            let entry = Entry::new(Level::INFO, format!("login={text}")).with("ODOO_LOGIN", text);
            journal.send(&entry).unwrap();
            let fields = parse(&journald.received().unwrap());
            assert_eq!(fields.len(), 4, "{text:?}");
            assert_eq!(fields["PRIORITY"], b"6");
            assert_eq!(fields["ODOO_LOGIN"], text.as_bytes());
            assert_eq!(fields["MESSAGE"], format!("login={text}").as_bytes());
        }
    }

    #[test]
    fn the_worst_login_fits_a_datagram() {
        let journald = Journald::new();
        let journal = journald.open();
        for worst in [vec![0xff; 9_999], "\u{10ffff}".repeat(9_999).into_bytes()] {
            let worst = redact::printable(&worst);
            let entry = Entry::new(Level::INFO, format!("{worst:?} {worst:?}"))
                .with("ODOO_LOGIN", &worst)
                .with("ODOO_DB", &worst);
            assert!(entry.datagram().len() < 16 * 1024, "far below 208 KiB");
            journal.send(&entry).unwrap();
            assert_eq!(
                parse(&journald.received().unwrap())["ODOO_DB"],
                worst.as_bytes()
            );
        }
    }

    #[test]
    fn without_a_journald_there_are_lines() {
        let dir = tempfile::tempdir().unwrap();
        let mut stream = Vec::new();
        let (journal, reached) = Journal::open(dir.path().join("socket"), &mut stream);
        assert_eq!(reached.unwrap_err().kind(), io::ErrorKind::NotFound);
        let entry = Entry::new(Level::WARN, "one\ntwo".to_owned()).with("ODOO_DB", "shop");
        for journal in [journal, Journal::lines_only()] {
            stream.clear();
            journal.tell(&entry, &mut stream);
            assert_eq!(String::from_utf8_lossy(&stream), "<4>one\n<4>two\n");
        }
    }

    #[test]
    fn a_journald_that_goes_and_comes_back_loses_and_doubles_nothing() {
        let Journald { dir, socket } = Journald::new();
        let path = dir.path().join("socket");
        let mut stream = Vec::new();
        let (journal, _) = Journal::open(path.clone(), &mut stream);
        stream.clear();
        let entry = |text: &str| Entry::new(Level::INFO, text.to_owned());
        journal.tell(&entry("one"), &mut stream);
        drop(socket);
        journal.tell(&entry("two"), &mut stream);
        std::fs::remove_file(&path).unwrap();
        journal.tell(&entry("three"), &mut stream);
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let journald = Journald { dir, socket };
        journal.tell(&entry("four"), &mut stream);
        assert_eq!(String::from_utf8_lossy(&stream), "<6>two\n<6>three\n");
        assert_eq!(parse(&journald.received().unwrap())["MESSAGE"], b"four");
        assert_eq!(journald.received(), None);
    }

    #[test]
    fn what_is_too_large_for_a_datagram_is_a_line() {
        let journald = Journald::new();
        let journal = journald.open();
        let mut stream = Vec::new();
        let entry = Entry::new(Level::ERROR, "x".repeat(1 << 20));
        journal.tell(&entry, &mut stream);
        assert_eq!(stream.len(), (1 << 20) + "<3>\n".len());
        assert_eq!(journald.received(), None);
    }

    #[test]
    fn waits_for_a_journald_that_is_behind() {
        let journald = Journald::new();
        journald.socket.set_nonblocking(false).unwrap();
        journald
            .socket
            .set_read_timeout(Some(std::time::Duration::from_secs(60)))
            .unwrap();
        let mut stream = Vec::new();
        let (journal, _) = Journal::open(journald.path(), &mut stream);
        journald.received();
        // Far more than a socket's queue and buffer hold.
        const ENTRIES: usize = 5_000;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut stream = Vec::new();
                for number in 0..ENTRIES {
                    journal.tell(&Entry::new(Level::INFO, number.to_string()), &mut stream);
                }
                assert!(stream.is_empty());
            });
            std::thread::sleep(std::time::Duration::from_millis(100));
            for number in 0..ENTRIES {
                let fields = parse(&journald.received().unwrap());
                assert_eq!(fields["MESSAGE"], number.to_string().as_bytes());
            }
        });
    }
}
