//! The program's system calls, in their order, as strace saw them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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
    traced_at(test, odoo.data_dir(), options, command, args)
}

/// The same, with the store of this data_dir.
pub fn traced_at(
    test: &str,
    data_dir: &Path,
    options: &[&str],
    command: &str,
    args: &[&str],
) -> Option<(Ran, Vec<Call>)> {
    let log = data_dir.join("trace");
    let mut strace = testenv::strace(test)?;
    let ran = run(strace
        .args(["-y", "-s", "300", "-o"])
        .arg(&log)
        .args(options)
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .arg(command)
        .args(args)
        .arg("--data-dir")
        .arg(data_dir)
        .env_remove("RUST_LOG"));
    let calls = fs::read_to_string(&log).unwrap();
    fs::remove_file(log).unwrap();
    Some((ran, calls.lines().filter_map(call).collect()))
}

/// The most calls of this name that were under way at the same moment.
pub fn at_the_same_time(name: &str, calls: &[Call]) -> usize {
    let (mut under_way, mut most) = (BTreeSet::new(), 0);
    for call in calls.iter().filter(|call| call.name == name) {
        under_way.insert(call.thread);
        most = most.max(under_way.len());
        if !call.is_unfinished() || call.is_resumed() {
            under_way.remove(&call.thread);
        }
    }
    most
}

/// How many threads were started.
pub fn threads(calls: &[Call]) -> usize {
    let starts = |call: &&Call| matches!(&*call.name, "clone" | "clone3") && !call.is_resumed();
    calls.iter().filter(starts).count()
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
