//! First it shows, then it asks.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::testenv::{HOUR, Odoo, USER, missing, program, run, sharded};

/// A session that is one file.
fn bob() -> Odoo {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    odoo
}

/// Runs it on a terminal of its own, types `answer` when it is asked, and tells how it ended and what was shown.
fn on_a_terminal(odoo: &Odoo, answer: &str) -> Option<(i32, String)> {
    after_a_while(odoo, "--login bob", answer, || {})
}

/// The same of `whom`, and something happens before the answer.
fn after_a_while(
    odoo: &Odoo,
    whom: &str,
    answer: &str,
    meanwhile: impl Fn(),
) -> Option<(i32, String)> {
    let line = format!(
        "{} revoke --data-dir {} {whom} --watch 1s",
        env!("CARGO_BIN_EXE_odoo-session-reaper"),
        odoo.data_dir().display()
    );
    let script = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env_clear()
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut script) = script else {
        missing("on_a_terminal", "script");
        return None;
    };
    let (mut shown, mut bytes) = (String::new(), [0; 4096]);
    let mut output = script.stdout.take().unwrap();
    let mut typed = false;
    while let Ok(read @ 1..) = output.read(&mut bytes) {
        shown.push_str(&String::from_utf8_lossy(&bytes[..read]));
        if shown.contains("[y/N] ") && !std::mem::replace(&mut typed, true) {
            assert!(odoo.has(&sharded("b0")), "it is asked before anybody goes");
            meanwhile();
            let mut keyboard = script.stdin.as_ref().unwrap();
            keyboard.write_all(answer.as_bytes()).unwrap();
        }
    }
    let code = script.wait().unwrap().code().unwrap();
    Some((code, shown))
}

#[test]
fn shows_the_table_and_asks() {
    let odoo = bob();
    let Some((code, shown)) = on_a_terminal(&odoo, "y\n") else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    let table = shown.find("b0b0b0b0…").unwrap();
    let question = shown
        .find("Log out 1 session of 1 person in shop? [y/N] ")
        .unwrap();
    assert!(table < question);
    assert!(shown.contains("They can log in again"), "{shown}");
    assert!(
        shown.contains("logged out 1 session of 1 person in shop: 1 file deleted"),
        "{shown}"
    );
    assert!(!odoo.has(&sharded("b0")));
}

#[test]
fn a_prefix_means_the_login_that_was_shown_and_no_later_one() {
    let odoo = bob();
    let later = || {
        odoo.session("b0b1", USER, 0);
    };
    let Some((code, shown)) = after_a_while(&odoo, "--sid b0b", "y\n", later) else {
        return;
    };
    assert_eq!(code, 0, "{shown}");
    assert_eq!(odoo.files(), [sharded("b0b1")].into(), "{shown}");
}

/// An incident brings more than one administrator.
#[test]
fn a_store_that_was_moved_away_meanwhile_is_told_and_ends_with_3() {
    let odoo = bob();
    let moved = || {
        std::fs::rename(&odoo.sessions, odoo.data_dir().join("sessions.old")).unwrap();
        std::fs::create_dir(&odoo.sessions).unwrap();
    };
    let Some((code, shown)) = after_a_while(&odoo, "--login bob", "y\n", moved) else {
        return;
    };
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("was moved away meanwhile"), "{shown}");
}

#[test]
fn whatever_is_not_a_yes_is_a_no() {
    for answer in ["\n", "n\n", "nay, y\n", "\u{4}"] {
        let odoo = bob();
        let Some((code, shown)) = on_a_terminal(&odoo, answer) else {
            return;
        };
        assert_eq!(code, 1, "{shown}");
        assert!(shown.contains("nobody was logged out"), "{shown}");
        assert!(odoo.has(&sharded("b0")));
    }
}

#[test]
fn ctrl_c_at_the_question_is_a_no() {
    let odoo = bob();
    let Some((code, shown)) = on_a_terminal(&odoo, "\u{3}") else {
        return;
    };
    assert_eq!(code, 130, "{shown}");
    assert!(odoo.has(&sharded("b0")));
}

#[test]
fn without_a_terminal_it_must_be_told_yes() {
    let odoo = bob();
    for args in [&["--login", "bob"][..], &["--everyone", "--format", "json"]] {
        let ran = odoo.run("revoke", args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("give --yes"), "{}", ran.stderr);
    }
    let ran = odoo.run("revoke", &["--login", "bob"]);
    assert!(ran.stderr.contains("docker exec -it"), "{}", ran.stderr);
    assert!(odoo.has(&sharded("b0")));
}

#[test]
fn somebody_must_be_named() {
    let odoo = bob();
    for args in [
        &["--yes"][..],
        &["--yes", "--visitors"],
        &["--yes", "--except-login", "bob"],
    ] {
        let ran = odoo.run("revoke", args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.stderr.contains("or say --everyone"), "{}", ran.stderr);
    }
    // Both would be one too many.
    assert_eq!(
        odoo.run("revoke", &["--everyone", "--login", "bob", "--yes"])
            .code,
        2
    );
    assert!(odoo.has(&sharded("b0")));
}

#[test]
fn a_store_that_nobody_named_is_not_guessed() {
    let ran = run(program().args(["revoke", "--everyone", "--yes"]));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("where is the session store?"),
        "{}",
        ran.stderr
    );
}
