//! Misspelt environment variables: most would make a run delete more than was meant.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;

use testenv::{DAY, Odoo, Ran, VISITOR, program, run};

fn ran(odoo: &Odoo, command: &[&str], variables: &[(&str, &str)]) -> Ran {
    run(program()
        .args(command)
        .arg("--data-dir")
        .arg(odoo.data_dir())
        .envs(variables.iter().copied()))
}

#[test]
fn a_reap_that_deletes_refuses_misspelt_variables_and_names_them_all() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let misspelt = [
        ("ODOO_SESSION_REAPER_DRYRUN", "true"),
        ("ODOO_SESSION_REAPER_KEEP_LOGINS", "kiosk*"),
        ("ODOO_SESSION_REAPER_AUTH_WINDOW", "30d"),
        ("ODOO_SESSION_REAPER_SESSIONS", "5"),
        ("ODOO_REAPER_DRY_RUN", "true"),
        ("ODOO_SESSION_CLEANER_DRY_RUN", "true"),
    ];
    for (name, value) in misspelt {
        let ran = ran(&odoo, &["reap"], &[(name, value)]);
        assert_eq!(ran.code, 2, "{}", ran.all());
        assert!(
            ran.stderr
                .contains(&format!("{name} (did you mean ODOO_SESSION_REAPER_"))
        );
        assert_eq!(odoo.files().len(), 1);
    }
    let ran = ran(&odoo, &["reap"], &misspelt);
    assert_eq!(ran.code, 2, "{}", ran.all());
    for meant in [
        "DRY_RUN",
        "KEEP_LOGIN",
        "AUTHENTICATED_WINDOW",
        "SESSIONS_DIR",
    ] {
        let meant = format!("(did you mean ODOO_SESSION_REAPER_{meant}?)");
        assert!(ran.stderr.contains(&meant), "{}", ran.stderr);
    }
    assert!(
        !ran.stderr.contains("kiosk"),
        "a value is nobody's business"
    );
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn an_audit_and_a_dry_run_warn_of_misspelt_variables() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let misspelt = [("ODOO_SESSION_REAPER_KEEP_LOGINS", "kiosk*")];
    for command in [&["audit"][..], &["reap", "--dry-run"]] {
        let ran = ran(&odoo, command, &misspelt);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(ran.stderr.contains("WARN"), "{}", ran.stderr);
        assert!(
            ran.stderr
                .contains("KEEP_LOGINS (did you mean ODOO_SESSION_REAPER_KEEP_LOGIN?)"),
            "{}",
            ran.stderr
        );
    }
    let ran = ran(
        &odoo,
        &["reap"],
        &[misspelt[0], ("ODOO_SESSION_REAPER_DRY_RUN", "yes")],
    );
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn what_is_of_the_other_command_or_empty_or_not_ours_is_no_slip() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let variables = [
        // Only a reap has it.
        ("ODOO_SESSION_REAPER_LIMIT", "5"),
        ("ODOO_SESSION_REAPER_KEEP_LOGINS", ""),
        ("ODOO_SESSION_REDIS_HOST", "localhost"),
        ("ODOO_RC", "/etc/odoo.conf"),
        ("REAPER_UNIT", "odoo-session-reaper.service"),
        ("ODOO_DISABLE_SESSION_GC", "1"),
    ];
    for command in ["audit", "reap"] {
        let ran = ran(&odoo, &[command], &variables);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
    assert!(odoo.files().is_empty());
}

#[test]
fn the_metrics_tell_of_a_run_that_was_refused() {
    let odoo = Odoo::new();
    let file = odoo.data_dir().join("odoo.prom");
    let variables = [
        ("ODOO_SESSION_REAPER_DRYRUN", "true"),
        ("ODOO_SESSION_REAPER_METRICS_FILE", file.to_str().unwrap()),
    ];
    assert_eq!(ran(&odoo, &["reap"], &variables).code, 2);
    let metrics = fs::read_to_string(&file).unwrap();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("odoo_session_reaper_last_run_exit_code"));
    assert!(line.unwrap().ends_with(" 2"), "{metrics}");
}

#[test]
fn a_value_that_is_wrong_is_told_by_the_name_of_who_said_it() {
    let odoo = Odoo::new();
    for (option, value) in [
        ("DRY_RUN", "ja"),
        ("LIMIT", "many"),
        ("THREADS", "0"),
        ("VERBOSE", "yes"),
        ("FORMAT", "yaml"),
    ] {
        let variable = format!("ODOO_SESSION_REAPER_{option}");
        let wrong = ran(&odoo, &["reap"], &[(&variable, value)]);
        assert_eq!(wrong.code, 2, "{}", wrong.all());
        let told = format!("invalid value '{value}' for '{variable}'");
        assert!(wrong.stderr.contains(&told), "{}", wrong.stderr);
    }
    let limit = [("ODOO_SESSION_REAPER_LIMIT", "many")];
    let typed = ran(&odoo, &["reap", "--limit=few"], &limit);
    let told = "invalid value 'few' for '--limit <N>'";
    assert!(typed.stderr.contains(told), "{}", typed.stderr);
}
