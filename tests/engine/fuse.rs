//! A store on FUSE, where a file that is deleted while somebody holds it open is renamed instead, and each call is slow.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::testenv::fuse::Mount;
use crate::testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, sharded};
use crate::trace::{Call, at_the_same_time, threads, traced_at};

/// How often something below these directories was renamed since `watch`.
struct Renames(OwnedFd);

impl Renames {
    fn watch(dirs: &[PathBuf]) -> Renames {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        for dir in dirs {
            inotify::add_watch(&inotify, dir, WatchFlags::MOVED_FROM).unwrap();
        }
        Renames(inotify)
    }

    fn count(&self) -> usize {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.0, &mut buffer);
        let mut count = 0;
        loop {
            match events.next() {
                Ok(event) => count += usize::from(event.events().contains(ReadFlags::MOVED_FROM)),
                Err(Errno::AGAIN) => return count,
                Err(errno) => panic!("{errno}"),
            }
        }
    }
}

#[test]
fn on_fuse_no_session_is_renamed_before_it_goes() {
    let test = "on_fuse_no_session_is_renamed_before_it_goes";
    for args in [
        &[][..],
        &["--threads", "1"],
        &["--limit", "1000"],
        &["--by-age-only"],
    ] {
        let odoo = Odoo::new();
        for number in 0..200 {
            odoo.file(&flat(&format!("{number:03}")), VISITOR, 8 * DAY)
                .session(&format!("aa{number:03}"), USER, 8 * DAY);
        }
        let Some(mount) = Mount::new(test, &odoo) else {
            return;
        };
        let renames = Renames::watch(&[odoo.sessions.clone(), odoo.path("aa")]);
        let ran = crate::testenv::run(
            crate::testenv::program()
                .arg("reap")
                .args(args)
                .arg("--data-dir")
                .arg(mount.data_dir.path()),
        );
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(odoo.files().is_empty() && !odoo.has(&sharded("aa000")));
        assert_eq!(renames.count(), 0, "{args:?}");
    }
}

/// What threads do, and that each deletion is slow.
const SLOWLY: [&str; 4] = [
    "-e",
    "trace=clone,clone3,openat,close,statx,unlinkat,write",
    "-e",
    "inject=unlinkat:delay_exit=2000",
];

/// How many workers a walk had: beside them is one that reads what is large.
fn workers(calls: &[Call], walks: usize) -> usize {
    threads(calls) / walks - 1
}

fn is_last_check(call: &Call) -> bool {
    call.name == "statx" && call.rest.contains("AT_STATX_FORCE_SYNC")
}

#[test]
fn workers_are_32_on_a_slow_store_and_four_elsewhere_unless_a_number_is_given() {
    let test = "workers_are_32_on_a_slow_store_and_four_elsewhere_unless_a_number_is_given";
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, HOUR);
    let Some(mount) = Mount::new(test, &odoo) else {
        return;
    };
    for (args, here, slow) in [(&[][..], 4, 32), (&["--threads", "3"], 3, 3)] {
        for (data_dir, expected) in [(odoo.data_dir(), here), (mount.data_dir.path(), slow)] {
            let Some((ran, calls)) = traced_at(test, data_dir, &SLOWLY, "audit", args) else {
                return;
            };
            assert_eq!(ran.code, 0, "{}", ran.all());
            assert_eq!(workers(&calls, 1), expected, "{args:?}");
        }
    }
}

#[test]
fn on_a_slow_store_many_read_and_one_deletes_what_it_has_just_checked_and_others_have_closed() {
    let test =
        "on_a_slow_store_many_read_and_one_deletes_what_it_has_just_checked_and_others_have_closed";
    for args in [&[][..], &["--by-age-only"], &["--limit", "1000"]] {
        let odoo = Odoo::new();
        for number in 0..200 {
            let age = if number % 5 == 0 { HOUR } else { 8 * DAY };
            odoo.file(&flat(&format!("{number:03}")), VISITOR, age);
        }
        let Some(mount) = Mount::new(test, &odoo) else {
            return;
        };
        let data_dir = mount.data_dir.path();
        let Some((ran, calls)) = traced_at(test, data_dir, &SLOWLY, "reap", args) else {
            return;
        };
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_eq!(odoo.files().len(), 40);
        let walks = if args.contains(&"--by-age-only") {
            2
        } else {
            1
        };
        assert_eq!(workers(&calls, walks), 32, "{args:?}");
        assert_eq!(at_the_same_time("unlinkat", &calls), 1, "{args:?}");
        // A file that stays is not asked for twice.
        let begun: Vec<_> = calls.iter().filter(|call| !call.is_resumed()).collect();
        assert_eq!(begun.iter().filter(|call| is_last_check(call)).count(), 160);
        let mut deleters: Vec<_> = begun
            .iter()
            .filter(|call| call.name == "unlinkat")
            .collect();
        assert_eq!(deleters.len(), 160);
        deleters.sort_by_key(|call| call.thread);
        deleters.dedup_by_key(|call| call.thread);
        assert!(deleters.len() > 4, "{args:?}: they take turns");
        for deleter in deleters {
            let theirs = |call: &&&Call| call.thread == deleter.thread;
            let theirs: Vec<_> = begun.iter().filter(theirs).collect();
            for three in theirs
                .windows(3)
                .filter(|three| three[2].name == "unlinkat")
            {
                let [before, check, unlink] = three else {
                    unreachable!()
                };
                let name = unlink.rest.split('"').nth(1).unwrap();
                assert!(is_last_check(check) && check.is_about(name), "{three:?}");
                let closed = before.name == "close" && before.is_about(name);
                assert!(!closed, "{args:?}: closed in the turn to delete: {three:?}");
            }
        }
    }
}

#[test]
fn the_sample_of_a_slow_store_is_read_by_many_and_as_large_as_elsewhere() {
    let test = "the_sample_of_a_slow_store_is_read_by_many_and_as_large_as_elsewhere";
    let odoo = Odoo::new();
    for number in 0..1_100 {
        odoo.file(&flat(&format!("{number:04}")), VISITOR, 8 * DAY);
    }
    for number in 0..150 {
        let content = if number % 15 == 0 { "junk" } else { USER };
        odoo.session(&format!("{:02}x{number:03}", number % 30), content, 8 * DAY)
            .session(&format!("{:02}y{number:03}", number % 30), USER, HOUR);
    }
    let Some(mount) = Mount::new(test, &odoo) else {
        return;
    };
    for data_dir in [odoo.data_dir(), mount.data_dir.path()] {
        let args = ["--by-age-only", "--dry-run"];
        let Some((ran, calls)) = traced_at(test, data_dir, &SLOWLY, "reap", &args) else {
            return;
        };
        assert_eq!(ran.code, 0, "{}", ran.all());
        for told in [
            "of 1000 looked at, 1000 read as sessions",
            "of 150 looked at, 140 read as sessions",
        ] {
            assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
        }
        let told = |call: &Call| call.name == "write" && call.rest.contains("without being read");
        let sampled = calls.iter().position(told).unwrap();
        let read = calls[..sampled]
            .iter()
            .filter(|call| call.name == "openat" && call.rest.contains("werkzeug_"));
        let mut readers: Vec<_> = read.map(|call| call.thread).collect();
        assert!(readers.len() >= 1_000);
        readers.sort_unstable();
        readers.dedup();
        // Of two walks, by four workers each or 32: few shards are looked into once more.
        let slow = data_dir != odoo.data_dir();
        assert_eq!(readers.len() > 2 * 4, slow, "{readers:?}");
    }
}
