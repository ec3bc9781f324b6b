//! What is swapped between two system calls: a file for a symlink, the store for another.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use odoo_session_reaper::store::file;
use serde_json::Value;

use crate::stopped::{After, Stopped};
use crate::testenv::{DAY, Odoo, Ran, VISITOR, flat, row, set_age, sharded};
use crate::watched::Watched;

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

/// Replaces `session` by a symlink to a file outside when the program is between `after` and its next call, and
/// checks that nobody went through it.
fn is_not_followed(test: &str, odoo: &Odoo, session: &str, after: &After<'_>, command: &str) {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("file");
    fs::write(&target, VISITOR).unwrap();
    set_age(&target, 2 * DAY);
    let watched = Watched::new(&target);
    let args = ["--threads", "1", "--format", "json", "--data-dir"];
    let args = [&[command], &args[..], &[odoo.data_dir().to_str().unwrap()]].concat();
    let Some(program) = Stopped::start(test, None, after, &args) else {
        return;
    };
    let ran = program.while_stopped(|_| {
        fs::remove_file(odoo.path(session)).unwrap();
        symlink(&target, odoo.path(session)).unwrap();
    });
    assert_eq!(ran.code, 0, "{}", ran.all());
    let report = report(&ran);
    assert_eq!(report["total"]["files"], 0, "{command} {session}");
    assert_eq!(row(&report, "foreign", None)["files"], 1);
    assert!(!watched.was_opened(), "{command} {session}");
    assert!(odoo.has(session) && target.exists());
}

#[test]
fn a_symlink_that_takes_the_place_of_a_file_before_it_is_opened_is_not_followed() {
    let test = "a_symlink_that_takes_the_place_of_a_file_before_it_is_opened_is_not_followed";
    for session in [flat("aa"), sharded("aa")] {
        let odoo = Odoo::new();
        odoo.file(&session, VISITOR, 2 * DAY);
        let name = Path::new(&session).file_name().unwrap();
        // A reap looks at a file before it opens it.
        let looked = After {
            call: "statx",
            path: name.as_ref(),
        };
        is_not_followed(test, &odoo, &session, &looked, "reap");
    }
    for session in [flat("aa"), sharded("aa")] {
        let odoo = Odoo::new();
        odoo.file(&session, VISITOR, 2 * DAY);
        // An audit opens what the directory calls a file, without a look.
        let path = odoo.path(&session);
        let listed = After {
            call: "getdents64",
            path: path.parent().unwrap(),
        };
        is_not_followed(test, &odoo, &session, &listed, "audit");
    }
}

#[test]
fn a_symlink_that_takes_the_place_of_a_shard_before_it_is_opened_is_not_followed() {
    let test = "a_symlink_that_takes_the_place_of_a_shard_before_it_is_opened_is_not_followed";
    let [odoo, other] = [Odoo::new(), Odoo::new()];
    odoo.session("bb", VISITOR, 2 * DAY);
    other.session("bb", VISITOR, 2 * DAY);
    let looked = After {
        call: "statx",
        path: Path::new("bb"),
    };
    let place = odoo.data_dir().to_str().unwrap();
    let args = ["reap", "--threads", "1", "--format", "json", "--data-dir"];
    let args = [&args[..], &[place]].concat();
    let Some(program) = Stopped::start(test, None, &looked, &args) else {
        return;
    };
    let ran = program.while_stopped(|_| {
        fs::rename(odoo.path("bb"), odoo.path("moved")).unwrap();
        symlink(other.path("bb"), odoo.path("bb")).unwrap();
    });
    assert_eq!(ran.code, 0, "{}", ran.all());
    let report = report(&ran);
    assert_eq!(report["total"]["files"], 0);
    assert_eq!(row(&report, "foreign", None)["files"], 1);
    assert!(other.has(&sharded("bb")));
}

#[test]
fn a_store_whose_path_leads_elsewhere_by_the_time_it_is_open_is_the_one_that_was_looked_at() {
    let test =
        "a_store_whose_path_leads_elsewhere_by_the_time_it_is_open_is_the_one_that_was_looked_at";
    let [odoo, other] = [Odoo::new(), Odoo::new()];
    odoo.session("aa", VISITOR, 2 * DAY);
    other.session("aa", VISITOR, 2 * DAY);
    let outer = tempfile::tempdir().unwrap();
    let link = outer.path().join("link");
    symlink(&odoo.sessions, &link).unwrap();
    // The directory that the link led to when it was resolved, opened for reading.
    let resolved = odoo.sessions.canonicalize().unwrap();
    let opened = After {
        call: "openat",
        path: &resolved,
    };
    let args = ["reap", "--sessions-dir", link.to_str().unwrap()];
    let Some(program) = Stopped::start(test, None, &opened, &args) else {
        return;
    };
    let ran = program.while_stopped(|_| {
        fs::remove_file(&link).unwrap();
        symlink(&other.sessions, &link).unwrap();
    });
    assert_eq!(ran.code, 0, "{}", ran.all());
    let looked_at = odoo.sessions.to_str().unwrap();
    assert!(ran.stdout.contains(looked_at), "{}", ran.stdout);
    assert!(!odoo.has(&sharded("aa")) && other.has(&sharded("aa")));
}

#[test]
fn a_file_that_has_become_shorter_is_read_as_it_is_now() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "{}").unwrap();
    let open = fs::File::open(&path).unwrap().into();
    // The buffer still holds the file before.
    let mut buffer = VISITOR.as_bytes().to_vec();
    file::read(&open, 100, &mut buffer).unwrap();
    assert_eq!(buffer, b"{}");
}
