//! Who is measured, and the command line of each.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use odoo_session_reaper::demo::Layout;

use crate::args::Options;
use crate::store::Kind;
use crate::tool;

/// One program with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contender {
    pub name: &'static str,
    /// A word in braces stands for something of the [`Place`].
    command: &'static str,
    /// Whether it is the other build of ours.
    is_other: bool,
}

const fn contender(name: &'static str, command: &'static str) -> Contender {
    Contender {
        name,
        command,
        is_other: false,
    }
}

/// With one window for all classes, as the peers have it.
macro_rules! reap {
    ($more:literal) => {
        concat!(
            "{ours} reap --data-dir {data} --authenticated-window 1d --anonymous-window 1d --cart-window 1d ",
            $more
        )
    };
}

#[rustfmt::skip]
mod all {
    use super::{Contender, contender};
    // Else it fails where a save of the Odoo beside it comes to its rename between its listing and its stat.
    pub const FIND: Contender = contender("find -delete", "find {sessions} -ignore_readdir_race -type f -mmin {older} -delete");
    pub const FIND_RM: Contender = contender("find -exec rm -f {} +", "find {sessions} -type f -mmin {older} -exec rm -f {} +");
    pub const BFS: Contender = contender("bfs -delete", "bfs {sessions} -type f -mmin {older} -delete");
    pub const FD: Contender = contender("fd -X rm -f", "fdfind --unrestricted --type f --changed-before {minutes} . {sessions} -X rm -f");
    pub const TMPFILES: Contender = contender("systemd-tmpfiles --clean", "systemd-tmpfiles --clean {config}");
    pub const ODOO_GC: Contender = contender("Odoo's own GC, in Python", "/usr/bin/python3 -c {gc} {sessions} {layout} {seconds}");
    pub const PYTHON_AUDIT: Contender = contender("audit in Python", "/usr/bin/python3 -c {audit} {sessions}");
    pub const REAP: Contender = contender("reap", reap!(""));
    /// As the systemd units start it; `CPUWeight=10` beside the usual 100 is what `nice -n 10` is beside the usual 0.
    pub const UNIT: Contender = contender("reap in the unit", concat!("nice -n 10 ionice -c 3 ", reap!("--gentle")));
    pub const NOBODY: Contender = contender("nobody", "sleep 10");
    pub const REAP_DEFAULT_WINDOWS: Contender = contender("reap, default windows", "{ours} reap --data-dir {data}");
    pub const REAP_BY_AGE: Contender = contender("reap --by-age-only", reap!("--by-age-only"));
    pub const REAP_BY_AGE_1: Contender = contender("reap --by-age-only --threads 1", reap!("--by-age-only --threads 1"));
    pub const REAP_BY_AGE_2: Contender = contender("reap --by-age-only --threads 2", reap!("--by-age-only --threads 2"));
    pub const REAP_BY_AGE_COLD: Contender = contender("reap --by-age-only, threads for a cold cache", reap!("--by-age-only --threads {threads}"));
    pub const AUDIT: Contender = contender("audit", "{ours} audit --data-dir {data}");
    pub const AUDIT_1: Contender = contender("audit --threads 1", "{ours} audit --data-dir {data} --threads 1");
}
pub use all::*;

/// Where a contender is to work.
pub struct Place<'a> {
    pub options: &'a Options,
    pub kind: Kind,
    pub layout: Layout,
    pub data_dir: PathBuf,
    /// Of systemd-tmpfiles.
    pub config: &'a Path,
}

impl Place<'_> {
    pub fn sessions(&self) -> PathBuf {
        self.data_dir.join("sessions")
    }

    /// What tells systemd-tmpfiles to clean the store.
    pub fn tmpfiles_config(&self) -> String {
        let age = self.kind.window().as_secs() / 60;
        format!("e \"{}\" - - - m:{age}m\n", self.sessions().display())
    }

    fn fill(&self, word: &str) -> OsString {
        let seconds = self.kind.window().as_secs();
        match word {
            "{ours}" => self.options.program.clone().into(),
            "{gc}" => include_str!("odoo_gc.py").into(),
            "{audit}" => include_str!("audit.py").into(),
            "{data}" => self.data_dir.clone().into(),
            "{sessions}" => self.sessions().into(),
            "{config}" => self.config.into(),
            "{layout}" => tool::name(self.layout).into(),
            "{seconds}" => seconds.to_string().into(),
            "{older}" => format!("+{}", seconds / 60).into(),
            "{minutes}" => format!("{}min", seconds / 60).into(),
            // Two unlinkers in one directory already wait for each other more than for the disk.
            "{threads}" if self.layout == Layout::Flat => "2".into(),
            "{threads}" => "8".into(),
            plain => plain.into(),
        }
    }
}

impl Contender {
    pub fn is_ours(self) -> bool {
        self.command.contains("{ours}") && !self.is_other
    }

    /// Whether it leaves every file where it is.
    pub fn deletes_nothing(self) -> bool {
        self == NOBODY
    }

    pub fn of_other_build(self) -> Contender {
        Contender {
            is_other: true,
            ..self
        }
    }

    /// Its name among all that are measured.
    pub fn title(self) -> String {
        let build = if self.is_other { ", other build" } else { "" };
        format!("{}{build}", self.name)
    }

    /// Whether it leaves what lies at the top level of a sharded store.
    pub fn leaves_the_top(self, layout: Layout) -> bool {
        self == ODOO_GC && layout == Layout::Sharded
    }

    /// Its program and arguments.
    pub fn command(self, place: &Place) -> Vec<OsString> {
        let other = place.options.against.as_ref().filter(|_| self.is_other);
        let words = self.command.split_whitespace();
        let fill = |word| match other {
            Some(other) if word == "{ours}" => other.into(),
            _ => place.fill(word),
        };
        words.map(fill).collect()
    }
}
