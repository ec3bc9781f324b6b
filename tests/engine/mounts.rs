//! Stores whose parts lie on other mounts, and kernels that do not tell.

use std::process::Command;

use crate::testenv::{self, DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, run, sharded, skipped};

/// Runs the program after these names of the store became mounts of their own.
fn with_mounts(test: &str, odoo: &Odoo, names: &[&str]) -> Option<Ran> {
    let script = r#"
        for name in $1; do mount --bind "$2/$name" "$2/$name" || exit 99; done
        shift 2
        exec "$@"
    "#;
    let ran = run(Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(names.join(" "))
        .arg(&odoo.sessions)
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir()));
    if ran.code == 99 || ran.stderr.starts_with("unshare:") {
        skipped(test, &ran.stderr);
        return None;
    }
    Some(ran)
}

#[test]
fn a_store_of_which_every_part_is_another_mount_is_a_failure() {
    let test = "a_store_of_which_every_part_is_another_mount_is_a_failure";
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 8 * DAY)
        .session("bb", USER, HOUR)
        .file(&flat("cc"), VISITOR, 8 * DAY);
    let all = ["aa", "bb", &flat("cc")];
    let Some(ran) = with_mounts(test, &odoo, &all) else {
        return;
    };
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(
        ran.stderr.contains("nothing in")
            && ran
                .stderr
                .contains("each of its shards and sessions (3) is on another mount"),
        "{}",
        ran.stderr
    );
    assert_eq!(odoo.files().len(), 3);
    // One that counts is enough.
    let Some(ran) = with_mounts(test, &odoo, &all[..2]) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.all());
    let left: Vec<_> = odoo.files().into_iter().collect();
    assert_eq!(left, [sharded("aa"), sharded("bb")]);
}

#[test]
fn a_kernel_that_tells_no_mounts_is_a_failure_that_names_the_cure() {
    let test = "a_kernel_that_tells_no_mounts_is_a_failure_that_names_the_cure";
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 8 * DAY);
    for command in ["audit", "reap"] {
        let Some(mut strace) = testenv::strace(test) else {
            return;
        };
        let ran = run(strace
            .args(["-e", "trace=statx", "-e", "inject=statx:error=ENOSYS"])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args([command, "--data-dir"])
            .arg(odoo.data_dir()));
        assert_eq!(ran.code, 1, "{}", ran.all());
        assert!(ran.stderr.contains("Linux 5.8 or newer"), "{}", ran.stderr);
    }
    assert_eq!(odoo.files().len(), 1);
}
