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
fn an_entry_has_fields_of_its_own() {
    let journald = Journald::new();
    let entry = Entry::new(Level::INFO, "deleted it".to_owned())
        .saying("login", Some("b\"ob"))
        .saying("database", None)
        .with("ODOO_LOGIN", "b\"ob")
        .with_some("ODOO_DB", None)
        .with("SESSION_AGE", 691_200);
    journald.open().send(&entry).unwrap();
    let fields = parse(&journald.received().unwrap());
    let expected = [
        ("MESSAGE", "deleted it login=\"b\\\"ob\""),
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
fn beside_a_log_nothing_is_told_where_no_journald_listens() {
    let Journald { dir, socket } = Journald::new();
    let path = dir.path().join("socket");
    let journal = Journal::beside(path.clone(), true).unwrap();
    assert!(journal.is_beside() && journal.wants_deletions());
    // One that is behind listens, too.
    let others = UnixDatagram::unbound().unwrap();
    others.set_nonblocking(true).unwrap();
    while others.send_to(b"", &path).is_ok() {}
    assert!(Journal::beside(path.clone(), true).is_some());
    drop(socket);
    assert!(Journal::beside(path, true).is_none());
    assert!(Journal::beside(dir.path().join("none"), true).is_none());
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
        journal.tell_or_write(&entry, &mut stream);
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
    journal.tell_or_write(&entry("one"), &mut stream);
    drop(socket);
    journal.tell_or_write(&entry("two"), &mut stream);
    std::fs::remove_file(&path).unwrap();
    journal.tell_or_write(&entry("three"), &mut stream);
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let journald = Journald { dir, socket };
    journal.tell_or_write(&entry("four"), &mut stream);
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
    journal.tell_or_write(&entry, &mut stream);
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
                journal.tell_or_write(&Entry::new(Level::INFO, number.to_string()), &mut stream);
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
