//! Where the store is: flags, environment, odoo.conf, and looking around.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use testenv::{DAY, Odoo, Ran, VISITOR, program, run};

fn conf(odoo: &Odoo, text: &str) -> std::path::PathBuf {
    let path = odoo.data_dir().join("odoo.conf");
    fs::write(&path, text).unwrap();
    path
}

fn conf_for(odoo: &Odoo, data_dir: &Path) -> std::path::PathBuf {
    conf(
        odoo,
        &format!(
            "; of the tests\n[options]\nadmin_passwd = hush\nData_Dir = {}\n",
            data_dir.display()
        ),
    )
}

fn audit(adjust: impl FnOnce(&mut Command) -> &mut Command) -> Ran {
    let mut program = program();
    program.args(["audit", "--report", "full"]);
    adjust(&mut program);
    run(&mut program)
}

#[test]
fn each_flag_names_the_store() {
    let odoo = Odoo::new();
    let config = conf_for(&odoo, odoo.data_dir());
    for (flag, value, from) in [
        ("--data-dir", odoo.data_dir(), "from --data-dir"),
        (
            "--sessions-dir",
            odoo.sessions.as_path(),
            "from --sessions-dir",
        ),
        ("--config", config.as_path(), "odoo.conf line 4"),
        ("-c", config.as_path(), "odoo.conf line 4"),
    ] {
        let ran = audit(|program| program.arg(flag).arg(value));
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(ran.stdout.contains(from), "{}", ran.stdout);
        assert!(
            ran.stdout.contains(odoo.sessions.to_str().unwrap()),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn each_flag_is_also_a_variable_and_beats_it() {
    let odoo = Odoo::new();
    let other = Odoo::new();
    let ran = audit(|program| program.env("ODOO_SESSION_REAPER_DATA_DIR", odoo.data_dir()));
    assert!(
        ran.stdout.contains("from ODOO_SESSION_REAPER_DATA_DIR"),
        "{}",
        ran.all()
    );
    let ran = audit(|program| {
        program.env("ODOO_SESSION_REAPER_DATA_DIR", other.data_dir());
        program.arg("--sessions-dir").arg(&odoo.sessions)
    });
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains(odoo.sessions.to_str().unwrap()),
        "{}",
        ran.all()
    );
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let ran = run(program()
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .env("ODOO_SESSION_REAPER_SESSIONS_DIR", "")
        .env("ODOO_SESSION_REAPER_DRY_RUN", "")
        .env("ODOO_SESSION_REAPER_LIMIT", "")
        .env("ODOO_SESSION_REAPER_ANONYMOUS_WINDOW", ""));
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(odoo.files().is_empty());
}

#[test]
fn variables_work_for_switches_and_values() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    for (variable, value) in [
        ("DRY_RUN", "yes"),
        ("DRY_RUN", "1"),
        ("ANONYMOUS_WINDOW", "3d"),
        ("LIMIT", "0"),
    ] {
        let ran = run(program()
            .args(["reap", "--data-dir"])
            .arg(odoo.data_dir())
            .env(format!("ODOO_SESSION_REAPER_{variable}"), value));
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_eq!(odoo.files().len(), 1, "{variable}={value}");
    }
    let ran = run(program()
        .arg("audit")
        .env("ODOO_SESSION_REAPER_FORMAT", "yaml"));
    assert_eq!(ran.code, 2);
    let ran = run(program()
        .args(["audit", "--data-dir"])
        .arg(odoo.data_dir())
        .env("ODOO_SESSION_REAPER_ANONYMUS_WINDOW", "3d"));
    assert!(
        ran.stderr.contains("ODOO_SESSION_REAPER_ANONYMUS_WINDOW"),
        "{}",
        ran.stderr
    );
}

#[test]
fn two_different_answers_on_one_level_are_an_error() {
    let (odoo, other) = (Odoo::new(), Odoo::new());
    let ran = audit(|program| {
        program
            .arg("--data-dir")
            .arg(odoo.data_dir())
            .arg("--sessions-dir")
            .arg(&other.sessions)
    });
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("two different session stores"),
        "{}",
        ran.stderr
    );
    let same = audit(|program| {
        program
            .arg("--data-dir")
            .arg(odoo.data_dir())
            .arg("--sessions-dir")
            .arg(&odoo.sessions);
        program
            .arg("--config")
            .arg(conf_for(&odoo, odoo.data_dir()))
    });
    assert_eq!(same.code, 0, "{}", same.all());
    let variables = audit(|program| {
        program.env("ODOO_SESSION_REAPER_DATA_DIR", odoo.data_dir());
        program.env("ODOO_SESSION_REAPER_SESSIONS_DIR", &other.sessions)
    });
    assert_eq!(variables.code, 2);
}

#[test]
fn a_wrong_path_is_named_with_what_to_do() {
    let odoo = Odoo::new();
    let empty = tempfile::tempdir().unwrap();
    let file = odoo.data_dir().join("file");
    fs::write(&file, "").unwrap();
    for (flag, path, says) in [
        (
            "--data-dir",
            odoo.data_dir().join("nowhere"),
            "there is no directory",
        ),
        (
            "--data-dir",
            empty.path().to_owned(),
            "with the first session",
        ),
        (
            "--sessions-dir",
            odoo.data_dir().join("nowhere"),
            "there is no directory",
        ),
        ("--sessions-dir", file.clone(), "is not a directory"),
        (
            "--sessions-dir",
            odoo.data_dir().to_owned(),
            "it is a data_dir",
        ),
        (
            "--config",
            odoo.data_dir().join("nowhere.conf"),
            "cannot read",
        ),
    ] {
        for command in ["audit", "reap"] {
            let ran = run(program().arg(command).arg(flag).arg(&path));
            assert_eq!(ran.code, 1, "{}", ran.all());
            assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
            assert!(
                ran.stderr
                    .contains(path.file_name().unwrap().to_str().unwrap()),
                "{}",
                ran.stderr
            );
            assert!(
                ran.stderr.contains("--sessions-dir") || ran.stderr.contains("--data-dir"),
                "{}",
                ran.stderr
            );
        }
    }
}

#[test]
fn a_conf_that_does_not_tell_its_data_dir_is_a_usage_error() {
    let odoo = Odoo::new();
    for (text, says) in [
        ("[options]\ndata_dir = odoo\n", "line 2"),
        ("data_dir = /var/lib/odoo\n", "line 1"),
        ("[options]\ndata_dir = /a\ndata_dir = /b\n", "line 3"),
    ] {
        let ran = audit(|program| program.arg("--config").arg(conf(&odoo, text)));
        assert_eq!(ran.code, 2, "{}", ran.all());
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
    }
}

#[test]
fn a_symlink_is_resolved_once_and_both_paths_are_shown() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let outer = tempfile::tempdir().unwrap();
    symlink(&odoo.sessions, outer.path().join("sessions")).unwrap();
    let ran = audit(|program| program.arg("--data-dir").arg(outer.path()));
    assert_eq!(ran.code, 0, "{}", ran.all());
    for path in [outer.path().join("sessions"), odoo.sessions.clone()] {
        assert!(
            ran.stdout.contains(path.to_str().unwrap()),
            "{}",
            ran.stdout
        );
    }
    let ran = run(program().args(["reap", "--data-dir"]).arg(outer.path()));
    assert_eq!(ran.code, 0);
    assert!(odoo.files().is_empty());
}

#[test]
fn looking_around_says_what_was_taken() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let config = conf_for(&odoo, odoo.data_dir());
    let ran = audit(|program| program.env("ODOO_RC", &config));
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stdout.contains("found by searching") && ran.stdout.contains("$ODOO_RC"),
        "{}",
        ran.stdout
    );
    let ran = run(program()
        .args(["reap", "--dry-run"])
        .env("ODOO_RC", &config));
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains("would delete 1 of 1 file"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("found by searching: data_dir in"),
        "also in one line: {}",
        ran.stdout
    );
}

#[test]
fn bad_windows_are_usage_errors() {
    let odoo = Odoo::new();
    for (window, value, says) in [
        ("--authenticated-window", "1h", "--allow-short-window"),
        ("--authenticated-window", "0s", "zero"),
        ("--anonymous-window", "never", "like 7d"),
        ("--anonymous-window", "", "like 7d"),
        ("--anonymous-window", "1m", "under 10 minutes"),
        ("--cart-window", "9m", "under 10 minutes"),
        ("--cart-window", "99999999999999999999d", "like 7d"),
        ("--leftover-window", "59m", "at least 1h"),
        ("--unreadable-window", "0d", "zero"),
    ] {
        let ran = odoo.run("reap", &[&format!("{window}={value}")]);
        assert_eq!(ran.code, 2, "{}", ran.all());
        assert!(
            ran.stderr.contains(window) && ran.stderr.contains(says),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(odoo.run("audit", &["--anonymous-window", "-1d"]).code, 2);
    let variable = "ODOO_SESSION_REAPER_ANONYMOUS_WINDOW";
    let mut reap = program();
    reap.args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .env(variable, "1m");
    let ran = run(&mut reap);
    assert_eq!(ran.code, 2, "{}", ran.all());
    let message = format!("{variable} is 1m (1 minute), which is under 10 minutes");
    assert!(ran.stderr.contains(&message), "{}", ran.stderr);
    let allowed = run(reap.env("ODOO_SESSION_REAPER_ALLOW_SHORT_WINDOW", "yes"));
    assert_eq!(allowed.code, 0, "{}", allowed.all());
}

#[test]
fn a_conf_without_a_data_dir_leads_where_odoo_goes_without_one() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let config = conf(
        &odoo,
        "[options]\n[session_reaper]\nanonymous_window = 3d\n",
    );
    let with = |command: &[&str]| {
        run(program()
            .args(command)
            .arg("--config")
            .arg(&config)
            .env("ODOO_DATA_DIR", odoo.data_dir()))
    };
    for command in [&["audit", "--report", "full"][..], &["reap", "--dry-run"]] {
        let ran = with(command);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(
            ran.stdout.contains("found by searching: $ODOO_DATA_DIR"),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains("0 of 1 file"), "{}", ran.stdout);
    }
    let ran = with(&["reap"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    // The odoo.conf is in the command already; twice would be an error.
    let ready = format!(
        "names no data_dir, so Odoo uses the home of the user it runs as. A command that deletes does not guess it: \
         name it with --data-dir, --sessions-dir or --config (audit and reap --dry-run search for it, and say what they found); \
         found by searching: add this to your command:\n  --data-dir {}\n",
        odoo.data_dir().display()
    );
    assert!(ran.stderr.ends_with(&ready), "{}", ran.stderr);
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn an_instance_that_nobody_told_its_store_says_which_line_of_which_file_does() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let ran = run(program()
        .arg("reap")
        .env("ODOO_DATA_DIR", odoo.data_dir())
        .env("REAPER_UNIT", "odoo-session-reaper@odoo17.service"));
    assert_eq!(ran.code, 2, "{}", ran.all());
    let line = format!(
        "found by searching: add this to /etc/default/odoo-session-reaper-odoo17:\n  ODOO_SESSION_REAPER_DATA_DIR={}\n",
        odoo.data_dir().display()
    );
    assert!(ran.stderr.ends_with(&line), "{}", ran.stderr);
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn an_audit_finds_out_what_a_path_is() {
    let (odoo, other) = (Odoo::new(), Odoo::new());
    let config = conf_for(&odoo, odoo.data_dir());
    let store = odoo.sessions.to_str().unwrap();
    for (path, from) in [
        (config.as_path(), "odoo.conf line 4"),
        (odoo.data_dir(), "from the PATH argument"),
        (&odoo.sessions, "from the PATH argument"),
    ] {
        // A variable of the service names another.
        let ran = audit(|program| {
            program.env("ODOO_SESSION_REAPER_DATA_DIR", other.data_dir());
            if path.is_file() {
                program.env("ODOO_SESSION_REAPER_CONFIG", "/nowhere/odoo.conf");
            }
            program.arg(path)
        });
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(
            ran.stdout.contains(from) && ran.stdout.contains(store),
            "{}",
            ran.stdout
        );
    }
    let ran = audit(|program| program.arg("/nowhere/sessions"));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("no directory /nowhere/sessions"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_path_and_a_flag_that_disagree_are_an_error() {
    let (odoo, other) = (Odoo::new(), Odoo::new());
    let config = conf_for(&odoo, odoo.data_dir());
    let others = conf_for(&other, other.data_dir());
    for (flag, value, message) in [
        (
            "--data-dir",
            other.data_dir(),
            "two different session stores: the PATH argument says",
        ),
        (
            "--sessions-dir",
            &other.sessions,
            "two different session stores: the PATH argument says",
        ),
        (
            "--config",
            &others,
            "two different session stores: the PATH argument says",
        ),
    ] {
        for path in [odoo.data_dir(), &odoo.sessions] {
            let ran = audit(|program| program.arg(path).arg(flag).arg(value));
            assert_eq!(ran.code, 2, "{}", ran.all());
            assert!(ran.stderr.contains(message), "{}", ran.stderr);
        }
    }
    let ran = audit(|program| program.arg(&config).arg("-c").arg(&others));
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("two different odoo.conf"),
        "{}",
        ran.stderr
    );
    let same = audit(|program| {
        program.arg(odoo.data_dir()).arg("-c").arg(&config);
        program.arg("--sessions-dir").arg(&odoo.sessions)
    });
    assert_eq!(same.code, 0, "{}", same.all());
}

#[test]
fn a_reap_takes_no_path_and_names_the_flag() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let config = conf_for(&odoo, odoo.data_dir());
    for (path, flag) in [
        (config.as_path(), "--config"),
        (odoo.data_dir(), "--data-dir"),
        (&odoo.sessions, "--sessions-dir"),
    ] {
        for more in [
            &[][..],
            &["--dry-run"],
            &["--data-dir", odoo.data_dir().to_str().unwrap()],
        ] {
            let ran = run(program().arg("reap").arg(path).args(more));
            assert_eq!(ran.code, 2, "{}", ran.all());
            let path = path.display();
            let advice = format!("write `{flag} {path}` instead of `{path}`\n");
            assert!(ran.stderr.ends_with(&advice), "{}", ran.stderr);
        }
    }
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn a_store_for_a_data_dir_and_the_reverse_are_told_apart() {
    let odoo = Odoo::new();
    let store = odoo.sessions.display();
    let data_dir = odoo.data_dir().display();
    for command in ["audit", "reap"] {
        let ran = run(program().args([command, "--data-dir"]).arg(&odoo.sessions));
        assert_eq!(ran.code, 1);
        let advice =
            format!("if {store} is the store itself, name that with --sessions-dir {store}\n");
        assert!(ran.stderr.ends_with(&advice), "{}", ran.stderr);
        let ran = run(program()
            .args([command, "--sessions-dir"])
            .arg(odoo.data_dir()));
        assert_eq!(ran.code, 1);
        let advice = format!("name it with --data-dir {data_dir}\n");
        assert!(ran.stderr.ends_with(&advice), "{}", ran.stderr);
    }
}

#[test]
fn a_switch_may_be_given_twice_and_a_value_may_not() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let ran = odoo.run(
        "reap",
        &[
            "-n",
            "-n",
            "--list",
            "--dry-run",
            "--list",
            "--force",
            "--force",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert_eq!(odoo.files().len(), 1);
    let ran = odoo.run("reap", &["--limit", "0", "--limit", "5"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .contains("'--limit <N>' cannot be used multiple times"),
        "{}",
        ran.stderr
    );
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn help_is_a_command_too() {
    for (args, of) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "audit"], &["audit", "--help"]),
    ] {
        let (helped, asked) = (run(program().args(args)), run(program().args(of)));
        assert_eq!(helped.code, 0, "{}", helped.all());
        assert_eq!(helped.stdout, asked.stdout);
    }
}
