//! An incident cannot wait for a reap, and neither harms the other; and who called is known afterwards.

use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use rustix::fs::FlockOperation;

use crate::testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, missing, sharded, skipped};

#[test]
fn it_waits_for_no_lock_and_holds_none() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let held = File::open(&odoo.sessions).unwrap();
    rustix::fs::flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert_eq!(odoo.run("reap", &[]).code, 75);
    assert_eq!(
        odoo.run("revoke", &["--login", "bob", "--yes", "--watch", "0"])
            .code,
        0
    );
    assert!(!odoo.has(&sharded("b0")));
}

#[test]
fn a_reap_beside_it_harms_neither() {
    let odoo = Odoo::new();
    for number in 0..2_000 {
        let seed = format!("{number:04x}");
        odoo.session(&format!("b{seed}"), USER, HOUR)
            .session(&format!("e{seed}"), VISITOR, 2 * DAY)
            .file(&flat(&format!("a{seed}")), VISITOR, 2 * DAY);
    }
    let (reaps, report) = std::thread::scope(|scope| {
        let reaps = scope.spawn(|| {
            let mut deleted = 0;
            for _ in 0..20 {
                let report = odoo.json("reap", &[], 0);
                deleted += report["total"]["deleted"]["files"].as_u64().unwrap();
            }
            deleted
        });
        let report = odoo.json("revoke", &["--login", "bob", "--yes", "--watch", "2s"], 0);
        (reaps.join().unwrap(), report)
    });
    assert_eq!(reaps, 4_000);
    assert_eq!(report["deleted"]["files"], 2_000);
    assert!(odoo.files().is_empty());
}

/// The journal's socket is where it is everywhere, in a mount namespace of its own, and leads to `journald`.
#[test]
fn each_login_is_an_entry_of_the_journal_with_who_called() {
    let test = "each_login_is_an_entry_of_the_journal_with_who_called";
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR).session("e0", VISITOR, HOUR);
    let path = odoo.data_dir().join("journald");
    let journald = UnixDatagram::bind(&path).unwrap();
    journald.set_nonblocking(true).unwrap();
    let script = r#"
        mount -t tmpfs none /run && mkdir -p /run/systemd/journal && : >/run/systemd/journal/socket &&
            mount --bind "$1" /run/systemd/journal/socket || exit 99
        shift
        exec "$@"
    "#;
    let ran = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .args([&path, Path::new(env!("CARGO_BIN_EXE_odoo-session-reaper"))])
        .args([
            "revoke",
            "--everyone",
            "--visitors",
            "--yes",
            "--watch",
            "0",
            "--data-dir",
        ])
        .arg(odoo.data_dir())
        .env("SUDO_USER", "eve")
        .output();
    let Ok(ran) = ran else {
        return missing(test, "unshare");
    };
    let said = String::from_utf8(ran.stderr).unwrap();
    if ran.status.code() == Some(99) || said.contains("unshare:") {
        return skipped(test, &said);
    }
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let mut entries = Vec::new();
    let mut datagram = [0; 65_536];
    while let Ok(length) = journald.recv(&mut datagram) {
        let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
        entries.extend((length > 0).then_some(text));
    }
    // Visitors are nobody.
    assert_eq!(entries.len(), 1, "{entries:?}");
    for field in [
        "REASON",
        "revoked",
        "ODOO_LOGIN",
        "bob",
        "CALLER_UID",
        "CALLER_SUDO_USER",
        "eve",
        "b0b0b0b0",
    ] {
        assert!(entries[0].contains(field), "{field} in {}", entries[0]);
    }
    assert!(!entries[0].contains("b0b0b0b0b") && !entries[0].contains("SECRETTOKEN"));
}
