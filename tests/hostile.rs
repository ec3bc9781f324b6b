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

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;
use tempfile::TempDir;
use testenv::{DAY, Odoo, Ran, VISITOR, flat, program, run, set_age, sharded};

/// How many sessions stand where a swapped name may lead to.
const BAITS: usize = 24;

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

/// Swaps two names over and over while `meanwhile` runs, and leaves them as they were.
fn flipping(one: &Path, other: &Path, meanwhile: impl FnOnce()) {
    let flip = || {
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
                flip();
                flips += 1;
                // The moments to hit are short and stand anywhere.
                for _ in 0..fastrand::u32(..2_000) {
                    std::hint::spin_loop();
                }
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

fn names(shard: &str) -> Vec<String> {
    (0..BAITS)
        .map(|number| format!("{shard}{number:082}"))
        .collect()
}

/// What may take the place of a directory or a file.
fn impostors(outside: &Path) -> [(TempDir, PathBuf); 4] {
    ["symlink", "relative symlink", "file", "fifo"].map(|kind| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(kind);
        let beside = outside.strip_prefix(dir.path().parent().unwrap());
        match kind {
            "symlink" => symlink(outside, &path).unwrap(),
            "relative symlink" => symlink(Path::new("..").join(beside.unwrap()), &path).unwrap(),
            "file" => fs::write(&path, VISITOR).unwrap(),
            _ => mkfifo(&path),
        }
        set_age(&path, 30 * DAY);
        (dir, path)
    })
}

fn mkfifo(path: &Path) {
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_shard_that_changes_its_type_leads_nobody_outside() {
    let outside = Outside::new(&names("aa"));
    for (_dir, impostor) in impostors(outside.dir.path()) {
        let odoo = Odoo::new();
        fs::create_dir(odoo.path("aa")).unwrap();
        // Whatever its name is at the moment, this is the shard.
        let shard = File::open(odoo.path("aa")).unwrap();
        flipping(&odoo.path("aa"), &impostor, || {
            for round in 0..20 {
                for name in names("aa") {
                    let _ = rustix::fs::unlinkat(&shard, &name, AtFlags::empty());
                    expired_in(&shard, &name);
                }
                let args = [&[][..], &["--threads", "1"], &["--unread"]][round % 3];
                let report = odoo.json("reap", args, 0);
                assert_eq!(report["errors"], serde_json::json!([]));
                outside.assert_untouched();
            }
        });
        odoo.json("reap", &[], 0);
        assert!(odoo.files().is_empty());
        outside.assert_untouched();
    }
}

#[test]
fn a_session_that_changes_its_type_leads_nobody_outside() {
    let target = names("aa").remove(0);
    let outside = Outside::new(std::slice::from_ref(&target));
    for (_dir, impostor) in impostors(&outside.path(&target)) {
        let odoo = Odoo::new();
        fs::create_dir(odoo.path("aa")).unwrap();
        let session = odoo.path("aa").join(&target);
        fs::write(&session, VISITOR).unwrap();
        flipping(&session, &impostor, || {
            for round in 0..20 {
                for name in &names("aa")[1..] {
                    odoo.file(&format!("aa/{name}"), VISITOR, 30 * DAY);
                }
                let args = [&[][..], &["--threads", "1"], &["--unread"]][round % 3];
                let report = odoo.json("reap", args, 0);
                assert_eq!(report["errors"], serde_json::json!([]));
                outside.assert_untouched();
            }
        });
        outside.assert_untouched();
    }
}

#[test]
fn a_store_that_is_swapped_for_a_symlink_leads_nobody_outside() {
    let shard = names("aa").into_iter().map(|name| format!("aa/{name}"));
    let flats = (0..BAITS).map(|number| flat(&format!("{number:02}")));
    let outside = Outside::new(&shard.chain(flats).collect::<Vec<_>>());
    for (_dir, impostor) in impostors(outside.dir.path()) {
        let odoo = Odoo::new();
        fs::create_dir(odoo.path("aa")).unwrap();
        let store = File::open(&odoo.sessions).unwrap();
        flipping(&odoo.sessions, &impostor, || {
            for round in 0..20 {
                for name in names("aa") {
                    let _ = rustix::fs::unlinkat(&store, format!("aa/{name}"), AtFlags::empty());
                    expired_in(&store, &format!("aa/{name}"));
                }
                let args = [&[][..], &["--threads", "1"], &["--unread"]][round % 3];
                let ran = odoo.run("reap", args);
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
    flipping(&data_dir, &link, || {
        for _ in 0..100 {
            let ran = run(program().args(["reap", "--data-dir"]).arg(&data_dir));
            assert!(matches!(ran.code, 0 | 1), "{}", ran.all());
            outside.assert_untouched();
        }
    });
}

fn expired_in(dir: &File, name: &str) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let file = rustix::fs::openat(dir, name, flags, Mode::from(0o644)).unwrap();
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
            .map(|row| &row[..row.find(" shop ").unwrap()])
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
        .map(|prefix| format!("anonymous                2d  {prefix:<9}"))
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
        (&["--force", "--unread"], 1),
        (&["--accept-any-directory", "--force"], 0),
        (&["--accept-any-directory", "--force", "--unread"], 1),
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
