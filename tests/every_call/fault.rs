//! Which calls a run makes, and with what each of them can fail.

use std::collections::BTreeMap;
use std::fmt;

use rustix::io::Errno;

use crate::scene::Run;

type Error = (&'static str, Errno);

const EIO: Error = ("EIO", Errno::IO);
const EINTR: Error = ("EINTR", Errno::INTR);
const ESTALE: Error = ("ESTALE", Errno::STALE);

/// The disk, memory, a security module, a file server and a signal may refuse any call on a file or directory.
const ANY: &[Error] = &[
    EIO,
    ("ENOMEM", Errno::NOMEM),
    ("EACCES", Errno::ACCESS),
    ESTALE,
    EINTR,
];
const HANDLES: &[Error] = &[("EMFILE", Errno::MFILE)];
const WRITES: &[Error] = &[("EROFS", Errno::ROFS)];

/// Calls on files and directories, and what they give.
const CALLS: [(&str, &[&[Error]]); 13] = [
    ("openat", &[ANY, HANDLES]),
    ("openat2", &[ANY, HANDLES]),
    ("unlinkat", &[ANY, WRITES]),
    ("faccessat2", &[ANY, WRITES]),
    ("statx", &[ANY]),
    ("newfstatat", &[ANY]),
    ("getdents64", &[ANY]),
    ("read", &[ANY]),
    ("flock", &[ANY]),
    ("fstatfs", &[ANY]),
    ("fadvise64", &[ANY]),
    ("lseek", &[&[EIO, ESTALE]]),
    // What was only read has nothing left to write.
    ("close", &[&[EINTR]]),
];

/// Calls whose failure changes nothing: hints, and handles that are given back.
const HINTS: [&str; 3] = ["fadvise64", "fstatfs", "close"];

/// Other things than files and directories: the report, the terminal, memory, and the program itself.
const OTHERS: [&str; 8] = [
    "write",
    "writev",
    "ioctl",
    "poll",
    "ppoll",
    "fcntl",
    "mmap",
    "prlimit64",
];

/// The program's own first call; those before are the loader's.
const FIRST: &str = "prlimit64(0, RLIMIT_CORE, {";

/// One call of a run, and what it says instead of what it did.
pub struct Case {
    pub call: &'static str,
    /// Which of these calls, counted from 1, with the loader's.
    pub number: usize,
    error: Error,
}

impl Case {
    /// As strace takes it.
    pub fn inject(&self) -> String {
        let Case { call, number, .. } = self;
        format!("inject={call}:error={}:when={number}", self.error.0)
    }

    pub fn errno(&self) -> i64 {
        self.error.1.raw_os_error().into()
    }

    /// Whether nobody may notice: the call is made again, or its failure changes nothing.
    pub fn is_harmless(&self) -> bool {
        self.error == EINTR || HINTS.contains(&self.call)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number {}, {}", self.call, self.number, self.error.0)
    }
}

/// Every call of this run with every error.
pub fn cases(run: &Run) -> Vec<Case> {
    let trace = run.trace();
    let mut numbers = BTreeMap::new();
    let mut cases = Vec::new();
    let mut ours = false;
    for line in trace.lines() {
        let call = called(line);
        let number = numbers.entry(call.to_owned()).or_insert(0);
        *number += 1;
        ours |= line.contains(FIRST);
        if !ours || OTHERS.contains(&call) {
            continue;
        }
        let known = CALLS.iter().find(|(known, _)| *known == call);
        let (call, errors) =
            known.unwrap_or_else(|| panic!("a call that nobody has thought of: {line}"));
        cases.extend(errors.iter().copied().flatten().map(|error| Case {
            call,
            number: *number,
            error: *error,
        }));
    }
    assert!(!cases.is_empty(), "{trace}");
    cases
}

/// The name of the call in a line of a trace that begins with a process id.
fn called(line: &str) -> &str {
    let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    call.split('(').next().unwrap_or_default()
}
