//! On the files that real Odoo 14 to 20 wrote.

use std::fs;
use std::path::Path;

use odoo_session_reaper::session::{Scratch, read};

use crate::testenv::Odoo;

fn copy(version: &str) -> Odoo {
    let odoo = Odoo::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version)
        .join("sessions");
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.unwrap();
        let to = odoo
            .sessions
            .join(entry.path().strip_prefix(&from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
    odoo
}

/// Files of somebody who is logged in or gave a password, files of visitors, and others.
fn kinds(odoo: &Odoo) -> [usize; 3] {
    let mut scratch = Scratch::default();
    let mut kinds = [0; 3];
    for name in odoo.files() {
        let content = fs::read(odoo.path(&name)).unwrap();
        let leftover = name.starts_with("tmp") || name.ends_with(".file");
        let kind = match read(&content, &mut scratch) {
            _ if leftover => 2,
            // Odoo takes it for an empty session.
            _ if content.is_empty() => 1,
            Ok(session) if session.uid.is_some() || session.pre_uid.is_some() => 0,
            Ok(_) => 1,
            Err(_) => 2,
        };
        kinds[kind] += 1;
    }
    kinds
}

#[test]
fn everybody_goes_and_then_the_visitors() {
    for version in ["odoo-14", "odoo-16", "odoo-18", "odoo-19", "odoo-20"] {
        let odoo = copy(version);
        let [logins, visitors, others] = kinds(&odoo);
        assert!(logins > 10 && visitors > 5, "{version}");
        let now = ["--yes", "--watch", "0", "--everyone"];
        let report = odoo.json("revoke", &now, 0);
        assert_eq!(report["deleted"]["files"], logins, "{version}");
        assert_eq!(kinds(&odoo), [0, visitors, others], "{version}");
        let all: Vec<&str> = now.into_iter().chain(["--visitors"]).collect();
        let report = odoo.json("revoke", &all, 0);
        assert_eq!(report["deleted"]["visitors"], visitors, "{version}");
        assert_eq!(kinds(&odoo), [0, 0, others], "{version}");
    }
}

#[test]
fn one_person_goes_wherever_he_is() {
    for (version, login, uid) in [
        ("odoo-14", "totp@example.com", 8),
        ("odoo-16", "totpuser", 9),
        ("odoo-18", "totp", 9),
        ("odoo-19", "totp", 8),
        ("odoo-20", "totp", 8),
    ] {
        let odoo = copy(version);
        let before = kinds(&odoo);
        let report = odoo.json("revoke", &["--login", login, "--yes", "--watch", "0"], 0);
        let gone = report["deleted"]["files"].as_u64().unwrap() as usize;
        assert!(gone >= 2, "{version}: with the half-done ones");
        assert_eq!(
            kinds(&odoo),
            [before[0] - gone, before[1], before[2]],
            "{version}"
        );
        let ran = odoo.run("who", &["--uid", &uid.to_string()]);
        assert_eq!(ran.code, 1, "{version}: {}", ran.stdout);
    }
}
