//! Session files that the program may not read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown};

use crate::testenv::{DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, is_root, sharded};

/// Nobody but root may read these; as root, the store is handed to somebody else, whom the program becomes.
fn lock(odoo: &Odoo, names: &[String]) {
    for name in names {
        fs::set_permissions(odoo.path(name), Permissions::from_mode(0o000)).unwrap();
    }
    if is_root() {
        for entry in walkdir::WalkDir::new(&odoo.sessions) {
            lchown(entry.unwrap().path(), Some(54_321), Some(54_321)).unwrap();
        }
    }
}

fn expired(odoo: &Odoo, count: usize) -> Vec<String> {
    let names: Vec<_> = (10..10 + count)
        .map(|seed| sharded(&seed.to_string()))
        .collect();
    for name in &names {
        odoo.file(name, VISITOR, 8 * DAY);
    }
    names
}

#[track_caller]
fn assert_told(ran: &Ran, count: usize) {
    let told = format!("; {count} could not be read");
    assert!(ran.stdout.trim_end().ends_with(&told), "{}", ran.stdout);
    let warnings: Vec<_> = ran.stderr.lines().collect();
    assert_eq!(warnings.len(), 1, "{}", ran.stderr);
    assert!(
        warnings[0].contains("may not read some session files")
            && warnings[0].contains("or as root"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_store_of_which_nothing_can_be_read_is_no_success() {
    for command in [&["reap"][..], &["reap", "--dry-run"], &["audit"]] {
        let odoo = Odoo::new();
        let names = expired(&odoo, 51);
        lock(&odoo, &names);
        let ran = odoo.run(command[0], &command[1..]);
        assert_eq!(ran.code, 3, "{}", ran.all());
        assert!(ran.stdout.contains(" 0 of 51 files"), "{}", ran.stdout);
        assert_told(&ran, 51);
        assert_eq!(odoo.files().len(), 51);
    }
    // Nor is it where others are younger, and so do not have to be read.
    let odoo = Odoo::new();
    let mut names = expired(&odoo, 3);
    names.extend([flat("aa"), flat("bb")]);
    for young in &names[3..] {
        odoo.file(young, USER, HOUR);
    }
    lock(&odoo, &names);
    let ran = odoo.run("reap", &[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert_told(&ran, 3);
}

#[test]
fn a_stray_file_that_cannot_be_read_is_told_and_fails_no_run() {
    for threads in ["1", "4"] {
        let odoo = Odoo::new();
        let names = expired(&odoo, 51);
        odoo.session("young", USER, HOUR);
        lock(&odoo, &names[..1]);
        let ran = odoo.run("reap", &["--threads", threads]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_told(&ran, 1);
        // From now on nothing else has to be read; but it could be.
        let again = odoo.run("reap", &["--threads", threads]);
        assert_eq!(again.code, 0, "{}", again.all());
        assert_told(&again, 1);
        assert_eq!(odoo.files().len(), 2);
    }
}

#[test]
fn a_stray_file_fails_no_run_by_age_alone_either() {
    let odoo = Odoo::new();
    expired(&odoo, 20);
    let stray = flat("aa");
    odoo.file(&stray, USER, 2 * DAY);
    lock(&odoo, &[stray]);
    let ran = odoo.run("reap", &["--by-age-only"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stdout.contains("; 1 could not be read"),
        "{}",
        ran.stdout
    );
    assert_eq!(odoo.files().len(), 1);
}
