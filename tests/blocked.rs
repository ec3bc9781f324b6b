//! Files and pipes that would block for ever.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fs::{CWD, FileType, Mode};
use rustix::process::{Pid, Signal, kill_process};
use testenv::{DAY, Odoo, VISITOR, program};

/// A child that does not outlive a test that fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn ended(&mut self, what: &str) -> ExitStatus {
        let mut status = None;
        testenv::wait_until(what, || {
            status = self.0.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

fn refuses(config: &Path, why: &str) {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let mut reap = program();
    reap.args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .arg("--config")
        .arg(config)
        .stderr(Stdio::piped());
    let mut reap = Running(reap.spawn().unwrap());
    assert_eq!(reap.ended("the end of a reap").code(), Some(2));
    let mut said = String::new();
    let stderr = reap.0.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains(why), "{said}");
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn an_odoo_conf_that_is_no_file_is_refused_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("odoo.conf");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    refuses(&fifo, "or a device, and not a file");
    refuses(dir.path(), "is a directory, a pipe");
    refuses(Path::new("/dev/zero"), "or a device, and not a file");
    refuses(Path::new("/dev/null"), "or a device, and not a file");
}

#[test]
fn a_process_substitution_is_refused_with_what_to_do() {
    let odoo = Odoo::new();
    let ran = testenv::run(
        Command::new("bash")
            .args(["-c", "exec \"$0\" audit --config <(echo '[options]')"])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .current_dir(odoo.data_dir()),
    );
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(
        ran.stderr.contains("write odoo.conf to a file"),
        "{}",
        ran.stderr
    );
}

/// Starts a run whose list fills a pipe that nobody reads yet.
fn blocked(command: &str, odoo: &Odoo, threads: &str, stderr: &str) -> Running {
    let run = Command::new("/bin/sh")
        .env_clear()
        .args(["-c", &format!("exec \"$0\" \"$@\" 2>{stderr}")])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args([command, "--list", "--threads", threads, "--data-dir"])
        .arg(odoo.data_dir())
        .stdout(Stdio::piped())
        .spawn();
    let run = Running(run.unwrap());
    // Linux gives a pipe 16 pages; the last one may have some bytes to spare.
    testenv::wait_until("a full pipe", || {
        rustix::io::ioctl_fionread(run.0.stdout.as_ref().unwrap()).unwrap() > 60_000
    });
    run
}

#[test]
fn a_stop_signal_ends_a_run_whose_report_nobody_reads() {
    for (command, threads, stderr) in [
        ("reap", "1", "/dev/null"),
        ("reap", "4", "&1"),
        ("audit", "4", "/dev/null"),
    ] {
        let odoo = Odoo::new();
        for number in 0..2_000 {
            odoo.session(&format!("{}q{number}q", 10 + number % 40), VISITOR, 2 * DAY);
        }
        let mut run = blocked(command, &odoo, threads, stderr);
        let pid = Pid::from_raw(i32::try_from(run.0.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        let ended = run.ended("the end of a run that was stopped");
        assert_eq!(ended.code(), Some(143), "{command}");
        // Neither is the lock taken, nor anything broken.
        odoo.json("reap", &[], 0);
        assert!(odoo.files().is_empty());
    }
}

#[test]
fn a_reader_who_comes_late_gets_everything() {
    let odoo = Odoo::new();
    for number in 0..2_000 {
        odoo.session(&format!("{}q{number}q", 10 + number % 40), VISITOR, 2 * DAY);
    }
    let mut audit = blocked("audit", &odoo, "4", "/dev/null");
    std::thread::sleep(std::time::Duration::from_millis(700));
    let mut said = String::new();
    let stdout = audit.0.stdout.as_mut().unwrap();
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(audit.ended("the end of an audit").code(), Some(0));
    let listed = said.lines().filter(|line| line.starts_with("anonymous "));
    assert_eq!(listed.count(), 2_000);
    assert!(said.contains("would delete 2000 of 2000 files"), "{said}");
}
