//! Work goes on where the system refuses to start threads.

use std::process::Command;

use crate::testenv::{self, DAY, HOUR, Odoo, USER, VISITOR, flat, skipped};
use crate::trace::traced;

fn store() -> Odoo {
    let odoo = Odoo::new();
    for seed in 10..60 {
        odoo.session(&seed.to_string(), VISITOR, 8 * DAY).file(
            &flat(&seed.to_string()),
            VISITOR,
            8 * DAY,
        );
    }
    odoo.session("young", USER, HOUR);
    odoo
}

#[test]
fn a_run_goes_on_with_as_many_threads_as_it_gets() {
    let test = "a_run_goes_on_with_as_many_threads_as_it_gets";
    for error in ["EPERM", "EAGAIN"] {
        for when in ["1+", "2+", "3+", "5"] {
            let odoo = store();
            let inject = format!("inject=clone,clone3:error={error}:when={when}");
            let args = ["--threads", "8", "-v"];
            let Some((ran, _)) = traced(test, &odoo, &["-e", &inject], "reap", &args) else {
                return;
            };
            assert_eq!(ran.code, 0, "{error} {when}: {}", ran.all());
            assert!(ran.stderr.contains("working with"), "{}", ran.stderr);
            assert_eq!(odoo.files().len(), 1);
        }
    }
}

#[test]
fn a_run_on_a_terminal_goes_on_without_showing_how() {
    let test = "a_run_on_a_terminal_goes_on_without_showing_how";
    let odoo = store();
    let Some(mut strace) = testenv::strace(test) else {
        return;
    };
    strace
        .args(["-e", "inject=clone,clone3:error=EAGAIN"])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir());
    let line: Vec<_> = std::iter::once(strace.get_program())
        .chain(strace.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let Ok(on_terminal) = Command::new("script")
        .args(["-qec", &line.join(" "), "/dev/null"])
        .output()
    else {
        return skipped(test, "no script(1) to make a terminal");
    };
    let told = String::from_utf8_lossy(&on_terminal.stdout);
    assert!(on_terminal.status.success(), "{told}");
    assert!(told.contains("deleted 100 of 101 files"), "{told}");
    assert_eq!(odoo.files().len(), 1);
}
