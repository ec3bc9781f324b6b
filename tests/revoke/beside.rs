//! An incident cannot wait for a reap, and neither harms the other; and who called is known afterwards.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::FlockOperation;

use crate::testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, in_own_mounts, sharded, strace};

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

/// Logs Bob out, over whose session `after` is saved between its reading and the last check. Tells whether that has gone.
fn saved_meanwhile(after: &str) -> Option<bool> {
    let mut strace = strace("saved_meanwhile")?;
    let odoo = Odoo::new();
    let name = flat("b0");
    odoo.file(&name, USER, HOUR);
    let mut child = strace
        // Of each walk, after the file was opened and before it is read.
        .args(["-e", "inject=fadvise64:delay_enter=2000000"])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args([
            "revoke",
            "--login",
            "bob",
            "--yes",
            "--watch",
            "0",
            "--threads",
            "1",
        ])
        .arg("--data-dir")
        .arg(odoo.data_dir())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The first walk is over.
    lines.find(|line| line.as_ref().unwrap().starts_with("b0b0b0b0"));
    std::thread::sleep(Duration::from_millis(1_200));
    let saved = odoo.path("tmpabcdefgh.__wz_sess");
    std::fs::write(&saved, after).unwrap();
    std::fs::rename(saved, odoo.path(&name)).unwrap();
    lines.for_each(|line| drop(line.unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    Some(!odoo.has(&name))
}

#[test]
fn what_is_saved_meanwhile_is_read_again_and_goes_only_if_it_is_still_selected() {
    const ALICE: &str = r#"{"db": "shop", "uid": 6, "login": "alice", "context": {}}"#;
    const LATER: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "debug": "1"}"#;
    std::thread::scope(|scope| {
        for (after, goes) in [(LATER, true), (VISITOR, false), (ALICE, false)] {
            scope.spawn(move || {
                let gone = saved_meanwhile(after);
                assert_eq!(gone.unwrap_or(goes), goes, "{after}");
            });
        }
    });
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
    let revoke = [
        "revoke",
        "--everyone",
        "--visitors",
        "--yes",
        "--watch",
        "0",
    ];
    let ran = in_own_mounts(test, script, |unshare| {
        unshare
            .args([&path, Path::new(env!("CARGO_BIN_EXE_odoo-session-reaper"))])
            .args(revoke)
            .arg("--data-dir")
            .arg(odoo.data_dir())
            .env("SUDO_USER", "eve");
    });
    let Some(ran) = ran else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
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
