//! How a run ends, as a process exit code.

use std::process::ExitCode;

/// What the caller of the program (cron, systemd, a person) learns from its exit code; the worse, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything that was due was done; files that do not read as a session are a count, not a failure.
    Done,
    /// The run went to its end, but a directory, a file or a deletion failed, no session file could be read, or
    /// more logins were due than may end at once.
    Partly,
    /// Another reap holds the lock of this store (`EX_TEMPFAIL` of sysexits.h).
    Busy,
    /// The command line, an environment variable or `odoo.conf` says something that cannot be meant.
    Usage,
    /// Nothing, or not enough to speak of, could be done; also where the whole store lies on other mounts.
    Failed,
    /// A signal asked the run to stop; holds the signal's number.
    Interrupted(i32),
}

impl Exit {
    /// The number, as the help text and the README list it.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::Busy => 75,
            // Shells report a death by signal the same way. Signals handled here are 2 and 15.
            Exit::Interrupted(signal) => 128u8.saturating_add(u8::try_from(signal).unwrap_or(0)),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// The exit codes and their meanings, for `--help` and the man page.
pub const MEANINGS: [(u8, &str); 7] = [
    (
        0,
        "done (files that do not read as a session are counted, not a failure)",
    ),
    (
        1,
        "failed: the store could not be found, opened or worked on; doctor: a problem, or unknown",
    ),
    (
        2,
        "usage: the command line, an environment variable or odoo.conf is wrong",
    ),
    (
        3,
        "done in part: something could not be looked at or deleted, or --max-logouts kept logins",
    ),
    (75, "another run holds the store; try again later"),
    (
        130,
        "interrupted by SIGINT, after the report of what was done",
    ),
    (
        143,
        "interrupted by SIGTERM, after the report of what was done",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_meaning() {
        let exits = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Partly,
            Exit::Busy,
            Exit::Interrupted(2),
            Exit::Interrupted(15),
        ];
        assert_eq!(exits.map(Exit::code), MEANINGS.map(|(code, _)| code));
    }

    #[test]
    fn the_whole_ends_as_the_worst_of_its_parts() {
        use Exit::{Done, Failed, Interrupted, Partly};
        assert_eq!(Done.max(Partly), Partly);
        assert_eq!(Failed.max(Partly), Failed);
        assert_eq!(Failed.max(Interrupted(2)), Interrupted(2));
    }

    #[test]
    fn signals_end_as_a_shell_would_report_them() {
        assert_eq!(Exit::Interrupted(2).code(), 130);
        assert_eq!(Exit::Interrupted(15).code(), 143);
    }
}
