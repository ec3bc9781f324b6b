//! The program's system calls, in their order, as strace saw them.

use std::fs;

use crate::testenv::{self, Odoo, Ran, run};

/// One system call, or one half of it where other threads came between.
#[derive(Debug)]
pub struct Call {
    pub thread: u32,
    /// Its name.
    pub name: String,
    /// Its arguments, and its result if it had one yet.
    pub rest: String,
}

impl Call {
    /// Whether it names this file, as an argument or by its handle.
    pub fn is_about(&self, file: &str) -> bool {
        self.rest.contains(&format!("\"{file}\"")) || self.rest.contains(&format!("/{file}>"))
    }

    /// Whether it began here and ended later, after other threads' calls.
    pub fn is_unfinished(&self) -> bool {
        self.rest.ends_with("<unfinished ...>")
    }

    /// Whether this is the end of a call that began earlier.
    pub fn is_resumed(&self) -> bool {
        self.rest.starts_with("resumed>")
    }
}

/// Runs the program on `odoo` under strace with `options`; `None` where strace does not work.
pub fn traced(
    test: &str,
    odoo: &Odoo,
    options: &[&str],
    command: &str,
    args: &[&str],
) -> Option<(Ran, Vec<Call>)> {
    let log = odoo.data_dir().join("trace");
    let mut strace = testenv::strace(test)?;
    let ran = run(strace
        .args(["-y", "-s", "300", "-o"])
        .arg(&log)
        .args(options)
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .arg(command)
        .args(args)
        .arg("--data-dir")
        .arg(odoo.data_dir())
        .env_remove("RUST_LOG"));
    let calls = fs::read_to_string(&log).unwrap();
    fs::remove_file(log).unwrap();
    Some((ran, calls.lines().filter_map(call).collect()))
}

fn call(line: &str) -> Option<Call> {
    let (thread, line) = line.split_once(' ')?;
    let line = line.trim_start();
    let (name, rest) = match line.strip_prefix("<... ") {
        Some(resumed) => resumed.split_once(' ')?,
        // Signals and the end of a process are no calls.
        None => line.split_once('(')?,
    };
    Some(Call {
        thread: thread.parse().ok()?,
        name: name.to_owned(),
        rest: rest.trim_end().to_owned(),
    })
}
