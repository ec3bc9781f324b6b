//! Hostile names, hostile directories, and directories that change under the run.
//!
//! Whoever may write in the store, or owns its data_dir, must not get anything outside of it deleted, opened
//! or so much as touched.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;
use tempfile::TempDir;
use testenv::{DAY, Odoo, Ran, VISITOR, flat, program, run, set_age, sharded};

/// How many sessions stand where a swapped name may lead to.
const BAITS: usize = 4;

/// A directory outside the store that looks like a part of it, and what its files looked like at first.
struct Outside {
    dir: TempDir,
    before: BTreeMap<PathBuf, (u64, i64, i64, u64)>,
}

impl Outside {
    /// Expired sessions in the places of `names`.
    fn new(names: &[String]) -> Outside {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, VISITOR).unwrap();
            set_age(&path, 30 * DAY);
        }
        let mut outside = Outside {
            dir,
            before: BTreeMap::new(),
        };
        outside.before = outside.now();
        assert_eq!(outside.before.len(), names.len());
        outside
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Inode, times and length of each file: reading one would move its access time.
    fn now(&self) -> BTreeMap<PathBuf, (u64, i64, i64, u64)> {
        walkdir::WalkDir::new(self.dir.path())
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| !entry.file_type().is_dir())
            .map(|entry| {
                let stat = entry.metadata().unwrap();
                let told = (stat.ino(), stat.mtime(), stat.atime(), stat.size());
                (entry.into_path(), told)
            })
            .collect()
    }

    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(self.now(), self.before);
    }
}

/// Swaps the names of each pair over and over while `meanwhile` runs, and leaves them as they were.
fn flipping(pairs: &[(PathBuf, PathBuf)], meanwhile: impl FnOnce()) {
    let flip = |one: &PathBuf, other: &PathBuf| {
        match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
            // Reaped, if it is an expired session.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => panic!("{errno}"),
        }
    };
    let enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut flips = 0_u64;
            while !enough.load(Ordering::Relaxed) || flips % 2 == 1 {
                for (one, other) in pairs {
                    flip(one, other);
                    // The moments to hit are short and stand anywhere.
                    for _ in 0..fastrand::u32(..500) {
                        std::hint::spin_loop();
                    }
                }
                flips += 1;
            }
        });
        let _stop = Stop(&enough);
        meanwhile();
    });
}

/// Ends the flipping also where an assertion fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How often each swapped name is tried.
const ROUNDS: usize = 12;

/// One reap in the middle of the flipping: by another command line each time, and every other time with all
/// calls slowed down, so that the moments between them, which are short, are met for sure.
fn reap_meanwhile(data_dir: &Path, round: usize) -> Ran {
    let test = "slowed down by strace";
    let slowed = (round % 2 == 1).then(|| testenv::strace(test)).flatten();
    let mut program = match slowed {
        None => program(),
        Some(mut strace) => {
            let calls = "/^open(at)?$,statx,unlinkat";
            strace
                .args(["-e", &format!("trace={calls}")])
                .args(["-e", &format!("inject={calls}:delay_enter=200")])
                .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"));
            strace
        }
    };
    let line = [&[][..], &["--threads", "1"], &["--by-age-only"]][round / 2 % 3];
    run(program
        .args(["reap", "--format", "json", "--data-dir"])
        .arg(data_dir)
        .args(line))
}

fn names(shard: &str) -> Vec<String> {
    (0..BAITS)
        .map(|number| format!("{shard}{number:082}"))
        .collect()
}

/// Something that may take the place of a directory or a file: mostly a symlink to `outside`.
fn impostor(place: &Path, number: usize, outside: &Path) -> PathBuf {
    let path = place.join(number.to_string());
    match number % 6 {
        0 => fs::write(&path, VISITOR).unwrap(),
        1 => mkfifo(&path),
        _ => symlink(outside, &path).unwrap(),
    }
    set_age(&path, 30 * DAY);
    path
}

fn mkfifo(path: &Path) {
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// Shards, or sessions, that change their type in one test.
const CHANGING: usize = 30;

#[test]
fn shards_that_change_their_type_lead_nobody_outside() {
    let shards: Vec<String> = (10..10 + CHANGING).map(|shard| shard.to_string()).collect();
    let baits: Vec<String> = shards.iter().flat_map(|shard| names(shard)).collect();
    let outside = Outside::new(&baits);
    let (odoo, place) = (Odoo::new(), tempfile::tempdir().unwrap());
    let (mut pairs, mut handles) = (Vec::new(), Vec::new());
    for (number, shard) in shards.iter().enumerate() {
        fs::create_dir(odoo.path(shard)).unwrap();
        // Whatever its name is at the moment, this is the shard.
        handles.push((shard, File::open(odoo.path(shard)).unwrap()));
        let impostor = impostor(place.path(), number, outside.dir.path());
        pairs.push((odoo.path(shard), impostor));
    }
    flipping(&pairs, || {
        for round in 0..ROUNDS {
            for (shard, handle) in &handles {
                for name in names(shard) {
                    expired_in(handle, &name);
                }
            }
            let ran = reap_meanwhile(odoo.data_dir(), round);
            assert_eq!(ran.code, 0, "{}", ran.all());
            outside.assert_untouched();
        }
    });
    odoo.json("reap", &[], 0);
    assert!(odoo.files().is_empty());
    outside.assert_untouched();
}

#[test]
fn sessions_that_change_their_type_lead_nobody_outside() {
    let sessions: Vec<String> = (0..CHANGING)
        .map(|number| format!("aa{number:082}"))
        .collect();
    let outside = Outside::new(&sessions);
    let (odoo, place) = (Odoo::new(), tempfile::tempdir().unwrap());
    let mut pairs = Vec::new();
    for (number, session) in sessions.iter().enumerate() {
        odoo.file(&format!("aa/{session}"), VISITOR, 30 * DAY);
        let impostor = impostor(place.path(), number, &outside.path(session));
        pairs.push((odoo.path("aa").join(session), impostor));
    }
    let shard = File::open(odoo.path("aa")).unwrap();
    flipping(&pairs, || {
        for round in 0..ROUNDS {
            for session in &sessions {
                expired_in(&shard, session);
            }
            let ran = reap_meanwhile(odoo.data_dir(), round);
            // With --by-age-only too few may read as sessions at the moment.
            assert!(matches!(ran.code, 0 | 1), "{}", ran.all());
            outside.assert_untouched();
        }
    });
}

#[test]
fn a_store_that_changes_its_type_leads_nobody_outside() {
    let shard = names("aa").into_iter().map(|name| format!("aa/{name}"));
    let flats = (0..BAITS).map(|number| flat(&format!("{number:02}")));
    let outside = Outside::new(&shard.chain(flats).collect::<Vec<_>>());
    for number in 0..3 {
        let (odoo, place) = (Odoo::new(), tempfile::tempdir().unwrap());
        fs::create_dir(odoo.path("aa")).unwrap();
        let store = File::open(&odoo.sessions).unwrap();
        let impostor = impostor(place.path(), number, outside.dir.path());
        flipping(&[(odoo.sessions.clone(), impostor)], || {
            for round in 0..ROUNDS {
                for name in names("aa") {
                    expired_in(&store, &format!("aa/{name}"));
                }
                let ran = reap_meanwhile(odoo.data_dir(), round);
                assert!(matches!(ran.code, 0 | 1), "{}", ran.all());
                outside.assert_untouched();
            }
        });
        odoo.json("reap", &[], 0);
        assert!(odoo.files().is_empty());
        outside.assert_untouched();
    }
}

/// The name of the store is checked on its resolved path; the directory that is opened must be that one.
#[test]
fn a_data_dir_that_is_swapped_for_a_filestore_is_not_reaped() {
    let names = names("aa").into_iter();
    let outside = Outside::new(
        &names
            .map(|name| format!("filestore/sessions/aa/{name}"))
            .collect::<Vec<_>>(),
    );
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("odoo");
    fs::create_dir_all(data_dir.join("sessions")).unwrap();
    let link = dir.path().join("link");
    symlink(outside.path("filestore"), &link).unwrap();
    flipping(&[(data_dir.clone(), link)], || {
        for round in 0..5 * ROUNDS {
            let ran = reap_meanwhile(&data_dir, round);
            assert!(matches!(ran.code, 0 | 1), "{}", ran.all());
            outside.assert_untouched();
        }
    });
}

/// Puts an expired session there, unless something else has taken its place.
fn expired_in(dir: &File, name: &str) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(dir, name, flags, Mode::from(0o644)) else {
        return;
    };
    rustix::io::write(&file, VISITOR.as_bytes()).unwrap();
    let long_ago = Timespec {
        tv_sec: 1_700_000_000,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: long_ago,
        last_modification: long_ago,
    };
    rustix::fs::futimens(&file, &times).unwrap();
}

#[test]
fn every_link_of_a_session_in_the_store_goes_and_none_elsewhere() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let session = odoo.path(&sharded("aa"));
    let elsewhere = odoo.data_dir().join("attachment");
    for link in [
        elsewhere.clone(),
        odoo.path(&flat("aa")),
        odoo.path(&format!("aa/aa{}", "1".repeat(82))),
        odoo.path("tmpabcdefgh.__wz_sess"),
    ] {
        fs::hard_link(&session, link).unwrap();
    }
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["total"]["deleted"]["files"], 4);
    assert!(odoo.files().is_empty());
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), VISITOR);
}

/// Names that an old Odoo 17 makes of any cookie, or that a shell, a terminal or a log would stumble over.
const NAMES: [&[u8]; 10] = [
    b"he/hello\nERROR all is lost",
    b"he/he\x1b[2J\x1b]0;title\x07",
    b"he/he\xff\xfe\x80",
    b"he/he\r\t\x01",
    b"he/hexxx",
    b"--/--help",
    b"-r/-rf",
    b"\n\n/\n\n\n",
    b"\xff\xfe/\xff\xfe\xfd",
    b"\xe2\x80\xae1/\xe2\x80\xae1 turned around",
];

#[test]
fn names_of_any_bytes_are_handled_and_told_in_one_clean_line_each() {
    let odoo = strangely_named(VISITOR);
    for (command, left) in [("audit", NAMES.len()), ("reap", 0)] {
        let ran = odoo.run(command, &["--list", "-vvv"]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_clean(&ran);
        let rows = ran
            .stdout
            .lines()
            .filter(|line| line.starts_with("anonymous "));
        let mut told: Vec<&str> = rows
            .map(|row| &row[..row.find(" expired ").unwrap()])
            .collect();
        told.sort_unstable();
        let mut expected: Vec<String> = [
            "…",
            "…",
            "…",
            "-…",
            "h…",
            "h…",
            "he\\u{1b}[…",
            "hello…",
            "hexxxxxx…",
            "\\u{202e}1 t…",
        ]
        .map(|prefix| format!("anonymous                 2d {prefix:<9}"))
        .into();
        expected.sort_unstable();
        assert_eq!(told, expected, "{}", ran.stdout);
        assert_eq!(odoo.files().len(), left);
    }
}

#[test]
fn names_of_any_bytes_whose_files_are_no_sessions_are_counted_and_not_told() {
    let odoo = strangely_named("no session");
    for command in ["audit", "reap"] {
        let ran = odoo.run(command, &["--list", "-vvv"]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_clean(&ran);
        assert!(ran.stdout.contains(" 0 of 0 files"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("hello"), "{}", ran.stdout);
        assert_eq!(odoo.files().len(), NAMES.len());
    }
}

/// Old files under all of [`NAMES`].
fn strangely_named(content: &str) -> Odoo {
    let odoo = Odoo::new();
    for name in NAMES {
        let mut name = name.to_vec();
        if name.ends_with(b"xxx") {
            // As long as a name can be.
            name.resize("he/".len() + 255, b'x');
        }
        let path = odoo.sessions.join(OsStr::from_bytes(&name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_age(&path, 2 * DAY);
    }
    odoo
}

/// Nothing that a terminal obeys, no line that a name made, and no more of a name than its beginning.
fn assert_clean(ran: &Ran) {
    let obeyed = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!ran.all().contains(obeyed), "{:?}", ran.all());
    for part in ["ERROR", "[2J", "title", "lost", "around", "xxxxxxxxx"] {
        assert!(!ran.all().contains(part), "{part} in {}", ran.all());
    }
}

/// `<data_dir>/filestore/<db>`: attachments lie there under the very names of sessions.
#[test]
fn a_filestore_in_place_of_the_store_keeps_its_attachments() {
    let dir = tempfile::tempdir().unwrap();
    let filestore = dir.path().join("filestore/shop");
    for (number, content) in [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"%PDF-1.7\n%\xe2\xe3",
        b"PK\x03\x04\x14\0\x06\0",
        b"GIF89a",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        b"/* web.assets_backend.min.css */",
        b"odoo.define('web', function (require) {});",
        b"{\"name\": \"manifest\", \"uid\": 3}",
        b"[{\"db\": \"shop\", \"uid\": 7}]",
        b"{}",
        b"null",
        b"id,name\n1,bob\n",
        b"\x80\x04\x95",
        b"\xef\xbb\xbf{\"db\": 1}",
    ]
    .into_iter()
    .enumerate()
    {
        let shard = format!("{:02x}", number * 16);
        let place = filestore.join(&shard);
        fs::create_dir_all(&place).unwrap();
        let path = place.join(format!("{shard}{number:038x}"));
        fs::write(&path, content).unwrap();
        set_age(&path, 900 * DAY);
    }
    // Odoo's own list of attachments to look at.
    let checklist = filestore.join("checklist/ab");
    fs::create_dir_all(&checklist).unwrap();
    fs::write(checklist.join(format!("ab{:038x}", 1)), "").unwrap();
    let link = dir.path().join("sessions");
    symlink(&filestore, &link).unwrap();
    let count = || {
        walkdir::WalkDir::new(&filestore)
            .into_iter()
            .filter(|entry| entry.as_ref().unwrap().file_type().is_file())
            .count()
    };
    assert_eq!(count(), 16);
    for (args, code) in [
        (&[][..], 1),
        (&["--force", "--by-age-only"], 1),
        (&["--accept-any-directory", "--force"], 0),
        (&["--accept-any-directory", "--force", "--by-age-only"], 1),
    ] {
        for place in [&filestore, &link] {
            let ran = run(program()
                .args(["reap", "--sessions-dir"])
                .arg(place)
                .args(args));
            assert_eq!(ran.code, code, "{}", ran.all());
            assert_eq!(count(), 16, "{}", ran.all());
        }
    }
}
