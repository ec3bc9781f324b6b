//! Session files that the program may not read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;

use crate::testenv::{DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, is_root, run, sharded, skipped};

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
            && warnings[0].contains(match is_root() {
                true => "sudo chown -hR 54321 ",
                false => "sudo chown -hR ",
            }),
        "{}",
        ran.stderr
    );
}

#[test]
fn shards_that_may_not_be_listed_are_told_once_with_what_to_do() {
    let odoo = Odoo::new();
    expired(&odoo, 30);
    let entries = fs::read_dir(&odoo.sessions).unwrap();
    let shards: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(shards.len() > 10);
    lock(&odoo, &[]);
    let allow = |mode| {
        for shard in &shards {
            fs::set_permissions(shard, Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o000);
    let ran = odoo.run("reap", &[]);
    let who = odoo.run("who", &[]);
    allow(0o755);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let advice = "may not read some session files";
    assert!(
        ran.stderr.contains(advice) && ran.stderr.contains("sudo chown -hR "),
        "{}",
        ran.stderr
    );
    assert_eq!(who.stderr.lines().count(), 1, "{}", who.stderr);
    let advice = "some directories of the store may not be read by this user";
    assert!(who.stderr.contains(advice), "{}", who.stderr);
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

/// A store of `owner` with 25 files that are due, which everybody may read, and the program in a place that everybody
/// reaches.
fn readable_by_all(owner: u32) -> (Odoo, PathBuf) {
    let odoo = Odoo::new();
    let program = odoo.data_dir().join("odoo-session-reaper");
    fs::copy(env!("CARGO_BIN_EXE_odoo-session-reaper"), &program).unwrap();
    expired(&odoo, 20);
    for seed in ["1", "2", "3", "4", "5"] {
        odoo.file(&flat(seed), VISITOR, 8 * DAY);
    }
    for entry in walkdir::WalkDir::new(odoo.data_dir()) {
        let entry = entry.unwrap();
        lchown(entry.path(), Some(owner), Some(owner)).unwrap();
        let mode = if entry.path() == program || entry.file_type().is_dir() {
            0o755
        } else {
            0o644
        };
        fs::set_permissions(entry.path(), Permissions::from_mode(mode)).unwrap();
    }
    (odoo, program)
}

#[test]
fn somebody_who_may_read_but_not_delete_is_told_once_who_may() {
    const STRANGER: u32 = 54_321;
    if !is_root() {
        return skipped(
            "somebody_who_may_read_but_not_delete_is_told_once_who_may",
            "not root",
        );
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields = |user: &str| user.split(':').map(str::to_owned).collect::<Vec<_>>();
    let named = users.lines().map(fields).find(|user| user[2] != "0");
    let named = named.unwrap();
    for (owner, told) in [
        (54_322, "user 54322, its owner, or as root".to_owned()),
        (0, "root".to_owned()),
        (
            named[2].parse().unwrap(),
            format!("{} (user {}), its owner, or as root", named[0], named[2]),
        ),
    ] {
        for command in [&["reap"][..], &["reap", "--dry-run"]] {
            let (odoo, program) = readable_by_all(owner);
            let mut stranger = std::process::Command::new(program);
            stranger.env_clear().uid(STRANGER).gid(STRANGER);
            stranger.args(command).arg("--data-dir");
            let ran = run(stranger.arg(odoo.data_dir()));
            assert_eq!(ran.code, 3, "{}", ran.all());
            assert!(ran.stdout.ends_with("; 25 failures\n"), "{}", ran.stdout);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
            let place = odoo.sessions.canonicalize().unwrap();
            let told = format!(
                "user {STRANGER} may not delete in {}: run as {told}\n",
                place.display()
            );
            assert!(ran.stderr.ends_with(&told), "{}", ran.stderr);
        }
    }
    // Its owner has no use for that advice.
    let (odoo, _) = readable_by_all(STRANGER);
    for shard in fs::read_dir(&odoo.sessions).unwrap() {
        let shard = shard.unwrap();
        if shard.file_type().unwrap().is_dir() {
            fs::set_permissions(shard.path(), Permissions::from_mode(0o555)).unwrap();
        }
    }
    let ran = odoo.run("reap", &["--threads", "1"]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert_eq!(ran.stderr.matches("cannot delete session ").count(), 10);
    assert_eq!(ran.stderr.lines().count(), 10, "{}", ran.stderr);
}
