//! The program, stopped after one of its system calls, so that something can happen before the next.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::testenv::{self, Ran, wait_until};

/// A program that runs until the first `call` on `path` and stops there.
pub struct Stopped {
    strace: Child,
    log: PathBuf,
    _dir: TempDir,
}

/// What is traced: the first `call` that names `path`, or works on a handle of it.
pub struct After<'a> {
    pub call: &'a str,
    pub path: &'a Path,
}

impl Stopped {
    /// Runs the program with `args`, in mounts of its own where `unshare` is such a command; `None` where that
    /// cannot be done here.
    pub fn start(
        test: &str,
        unshare: Option<Command>,
        after: &After<'_>,
        args: &[&str],
    ) -> Option<Stopped> {
        let strace = testenv::strace(test)?;
        let mut strace = match unshare {
            None => strace,
            Some(mut unshare) => {
                unshare.args(["strace", "-f", "-qq"]);
                unshare
            }
        };
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let call = after.call;
        // The signal comes into force when the call is done.
        let strace = strace
            .arg("-o")
            .arg(&log)
            .arg("-P")
            .arg(after.path)
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:signal=STOP:when=1")])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Some(Stopped {
            strace,
            log,
            _dir: dir,
        })
    }

    /// Lets `meanwhile` happen while it is stopped, with the process in whose mounts it runs; then lets it go on
    /// to its end.
    pub fn while_stopped(mut self, meanwhile: impl FnOnce(u32)) -> Ran {
        let mut pid = None;
        wait_until("a stop", || {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            pid = log
                .lines()
                .find(|line| line.ends_with("--- stopped by SIGSTOP ---"))
                .and_then(|line| line.split_once(' '))
                .and_then(|(pid, _)| Pid::from_raw(pid.parse().ok()?));
            let ended = self.strace.try_wait().unwrap();
            assert!(pid.is_some() || ended.is_none(), "it never stopped: {log}");
            pid.is_some()
        });
        meanwhile(self.strace.id());
        wait_until("its end", || {
            // strace counts calls by thread: another thread's first stops the program once more.
            let _ = kill_process(pid.unwrap(), Signal::CONT);
            self.strace.try_wait().unwrap().is_some()
        });
        let output = self.strace.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
