//! Started by root: whom it lets say whose sessions go. All of it needs root, to give files to others.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use testenv::{DAY, Odoo, Ran, VISITOR, is_root, program, run, skipped};

const ODOO_1: u32 = 54_321;
const ODOO_2: u32 = 54_322;

/// A store of `ODOO_2` with expired sessions, and a place of `ODOO_1`.
struct Host {
    odoo: Odoo,
    home: TempDir,
}

impl Host {
    fn new(test: &str) -> Option<Host> {
        if !is_root() {
            skipped(test, "not root");
            return None;
        }
        let odoo = Odoo::new();
        let home = tempfile::tempdir().unwrap();
        lchown(home.path(), Some(ODOO_1), Some(ODOO_1)).unwrap();
        let host = Host { odoo, home };
        host.fill();
        Some(host)
    }

    fn fill(&self) {
        for seed in 10..50 {
            self.odoo.session(&seed.to_string(), VISITOR, 2 * DAY);
        }
        for entry in walkdir::WalkDir::new(&self.odoo.sessions) {
            lchown(entry.unwrap().path(), Some(ODOO_2), Some(ODOO_2)).unwrap();
        }
    }

    fn link(&self, name: &str, to: &Path, uid: u32) -> PathBuf {
        link_in(self.home.path(), name, to, uid)
    }

    fn conf(&self, data_dir: &Path, uid: u32, mode: u32) -> PathBuf {
        let conf = self.home.path().join("odoo.conf");
        fs::write(
            &conf,
            format!("[options]\ndata_dir = {}\n", data_dir.display()),
        )
        .unwrap();
        lchown(&conf, Some(uid), Some(uid)).unwrap();
        fs::set_permissions(&conf, Permissions::from_mode(mode)).unwrap();
        conf
    }

    /// Each way to run, looking only ones first.
    #[track_caller]
    fn is_refused(&self, args: &[(&str, &Path)], why: &str) {
        for command in [&["audit"][..], &["reap", "--dry-run"], &["reap"]] {
            let ran = self.run(command, args);
            assert_eq!(ran.code, 1, "{command:?} {}", ran.all());
            assert!(ran.stderr.contains(why), "{}", ran.stderr);
            assert_eq!(ran.stdout, "");
            assert_eq!(self.odoo.files().len(), 40);
        }
    }

    #[track_caller]
    fn is_done(&self, args: &[(&str, &Path)]) {
        let ran = self.run(&["reap"], args);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(self.odoo.files().is_empty());
        self.fill();
    }

    fn run(&self, command: &[&str], args: &[(&str, &Path)]) -> Ran {
        let mut program = program();
        program.args(command);
        for (flag, path) in args {
            program.arg(flag).arg(path);
        }
        run(&mut program)
    }
}

fn link_in(dir: &Path, name: &str, to: &Path, uid: u32) -> PathBuf {
    let link = dir.join(name);
    symlink(to, &link).unwrap();
    lchown(&link, Some(uid), Some(uid)).unwrap();
    link
}

fn dir_of(uid: u32, mode: u32) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    lchown(dir.path(), Some(uid), Some(uid)).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
    dir
}

#[test]
fn root_is_not_led_to_a_store_by_somebody_elses_symlink() {
    let Some(host) = Host::new("root_is_not_led_to_a_store_by_somebody_elses_symlink") else {
        return;
    };
    let sessions = host.link("sessions", &host.odoo.sessions, ODOO_1);
    let why = format!(
        "root does not follow the symlink {} of user {ODOO_1} to {}, which belongs to user {ODOO_2}",
        sessions.display(),
        host.odoo.sessions.display()
    );
    host.is_refused(&[("--data-dir", host.home.path())], &why);
    host.is_refused(&[("--sessions-dir", &sessions)], &why);
    let conf = host.conf(host.home.path(), ODOO_1, 0o600);
    host.is_refused(&[("--config", &conf)], &why);
    // In the middle of the way, and behind a link of root's own.
    let middle = host.link("middle", host.odoo.data_dir(), ODOO_1);
    host.is_refused(&[("--data-dir", &middle)], "root does not follow");
    let of_root = link_in(host.odoo.data_dir(), "of-root", &middle, 0);
    let why = format!("the symlink {} of user {ODOO_1} to", middle.display());
    host.is_refused(&[("--data-dir", &of_root)], &why);
    host.is_done(&[("--data-dir", host.odoo.data_dir())]);
}

#[test]
fn root_follows_its_own_symlinks_and_those_of_the_stores_owner() {
    let test = "root_follows_its_own_symlinks_and_those_of_the_stores_owner";
    let Some(host) = Host::new(test) else { return };
    let of_owner = host.link("of-owner", host.odoo.data_dir(), ODOO_2);
    host.is_done(&[("--data-dir", &of_owner)]);
    // Also to an odoo.conf; where all may write, as in /tmp, nobody can move another's link.
    let conf = host.conf(host.odoo.data_dir(), 0, 0o640);
    let conf_of_owner = host.link("conf-of-owner", &conf, ODOO_2);
    host.is_done(&[("--config", &conf_of_owner)]);
    for (uid, mode) in [(0, 0o755), (ODOO_2, 0o700), (0, 0o1777), (ODOO_2, 0o1775)] {
        let dir = dir_of(uid, mode);
        let of_root = link_in(dir.path(), "of-root", &of_owner, 0);
        host.is_done(&[("--data-dir", &of_root)]);
        let of_root = link_in(dir.path(), "odoo.conf", &conf_of_owner, 0);
        host.is_done(&[("--config", &of_root)]);
    }
}

#[test]
fn root_is_not_led_to_a_store_by_its_own_symlink_where_others_can_move_it() {
    let test = "root_is_not_led_to_a_store_by_its_own_symlink_where_others_can_move_it";
    let Some(host) = Host::new(test) else { return };
    let conf = host.conf(host.odoo.data_dir(), 0, 0o640);
    for (uid, mode) in [
        (ODOO_1, 0o755),
        (ODOO_1, 0o1777),
        (0, 0o775),
        (0, 0o757),
        (ODOO_2, 0o777),
    ] {
        let dir = dir_of(uid, mode);
        let why = match uid {
            ODOO_1 => format!("in a directory of user {ODOO_1}"),
            _ => "in a directory that others may write to".to_owned(),
        };
        let link = link_in(dir.path(), "sessions", &host.odoo.sessions, 0);
        let of_store = format!("root does not follow the symlink {} {why}", link.display());
        host.is_refused(&[("--data-dir", dir.path())], &of_store);
        host.is_refused(&[("--sessions-dir", &link)], &of_store);
        let link = link_in(dir.path(), "odoo.conf", &conf, 0);
        let of_conf = format!("because the symlink {} {why} leads there", link.display());
        host.is_refused(&[("--config", &link)], &of_conf);
    }
}

#[test]
fn root_is_not_led_to_an_odoo_conf_by_somebody_elses_symlink() {
    let test = "root_is_not_led_to_an_odoo_conf_by_somebody_elses_symlink";
    let Some(host) = Host::new(test) else { return };
    let data_dir = host.odoo.data_dir();
    let etc = dir_of(0, 0o755);
    let conf = etc.path().join("odoo.conf");
    fs::write(
        &conf,
        format!("[options]\ndata_dir = {}\n", data_dir.display()),
    )
    .unwrap();
    for uid in [0, ODOO_2] {
        lchown(&conf, Some(uid), Some(uid)).unwrap();
        host.is_done(&[("--config", &conf)]);
    }
    let file = host.link("my.conf", &conf, ODOO_1);
    let why = format!(
        "root does not do what {0} says to sessions of user {ODOO_2}, because the symlink {0} of user {ODOO_1} leads \
         there",
        file.display()
    );
    host.is_refused(&[("--config", &file)], &why);
    host.is_refused(&[("--config", &file), ("--data-dir", data_dir)], &why);
    let mut by_variable = program();
    by_variable
        .arg("reap")
        .env("ODOO_SESSION_REAPER_CONFIG", &file);
    let ran = run(&mut by_variable);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.stderr.contains(&why), "{}", ran.stderr);
    assert_eq!(host.odoo.files().len(), 40);
    // A directory on the way, and behind a link of root's own.
    let dir = host.link("etc", etc.path(), ODOO_1);
    let why = format!("the symlink {} of user {ODOO_1} leads there", dir.display());
    host.is_refused(&[("--config", &dir.join("odoo.conf"))], &why);
    let of_root = link_in(etc.path(), "of-root", &dir.join("odoo.conf"), 0);
    host.is_refused(&[("--config", &of_root)], &why);
}

#[test]
fn root_does_not_do_what_an_odoo_conf_says_that_a_foreign_group_may_write_to() {
    let test = "root_does_not_do_what_an_odoo_conf_says_that_a_foreign_group_may_write_to";
    let Some(host) = Host::new(test) else { return };
    let data_dir = host.odoo.data_dir();
    for uid in [0, ODOO_2] {
        let conf = host.conf(data_dir, uid, 0o660);
        let both = [("--config", conf.as_path()), ("--data-dir", data_dir)];
        lchown(&conf, None, Some(ODOO_1)).unwrap();
        let why = format!("because group {ODOO_1} may write to it");
        host.is_refused(&both[..1], &why);
        host.is_refused(&both, &why);
        for gid in [0, ODOO_2] {
            lchown(&conf, None, Some(gid)).unwrap();
            host.is_done(&both[..1]);
        }
    }
}

#[test]
fn root_does_not_do_what_somebody_elses_odoo_conf_says() {
    let Some(host) = Host::new("root_does_not_do_what_somebody_elses_odoo_conf_says") else {
        return;
    };
    let data_dir = host.odoo.data_dir();
    let conf = host.conf(data_dir, ODOO_1, 0o644);
    let why = format!(
        "root does not do what {} of user {ODOO_1} says to sessions of user {ODOO_2}",
        conf.display()
    );
    host.is_refused(&[("--config", &conf)], &why);
    // Root has named both.
    host.is_done(&[("--config", &conf), ("--data-dir", data_dir)]);
    host.conf(data_dir, ODOO_1, 0o664);
    let both = [("--config", conf.as_path()), ("--data-dir", data_dir)];
    host.is_refused(&both, "others may write to it");
    host.conf(data_dir, 0, 0o666);
    host.is_refused(&[("--config", &conf)], "others may write to it");
    for (uid, mode) in [(ODOO_2, 0o640), (0, 0o640), (ODOO_2, 0o660)] {
        host.conf(data_dir, uid, mode);
        host.is_done(&[("--config", &conf)]);
    }
}
