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
        let link = self.home.path().join(name);
        symlink(to, &link).unwrap();
        lchown(&link, Some(uid), Some(uid)).unwrap();
        link
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
    let of_root = host.link("of-root", &middle, 0);
    host.is_refused(&[("--data-dir", &of_root)], "root does not follow");
    host.is_done(&[("--data-dir", host.odoo.data_dir())]);
}

#[test]
fn root_follows_its_own_symlinks_and_those_of_the_stores_owner() {
    let test = "root_follows_its_own_symlinks_and_those_of_the_stores_owner";
    let Some(host) = Host::new(test) else { return };
    let of_owner = host.link("of-owner", host.odoo.data_dir(), ODOO_2);
    host.is_done(&[("--data-dir", &of_owner)]);
    let of_root = host.link("of-root", &of_owner, 0);
    host.is_done(&[("--data-dir", &of_root)]);
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
