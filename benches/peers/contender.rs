//! Who is measured, and the command line of each.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::args::Options;
use crate::bare;
use crate::store::{Kind, Layout};
use crate::tool;

/// One program with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    Find,
    FindRm,
    Bfs,
    Fd,
    Tmpfiles,
    OdooGc,
    /// Listing, statting and unlinking without a check.
    BareLoop,
    PythonAudit,
    /// With default threads and one window for all classes.
    Reap,
    /// The same with the default windows.
    ReapDefaultWindows,
    /// With so many threads.
    ReapByAge(u16),
    /// With as many threads as were found best on a cold cache.
    ReapByAgeCold,
    /// With so many threads, or the default.
    Audit(Option<u16>),
}

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
    fn sessions(&self) -> PathBuf {
        self.data_dir.join("sessions")
    }

    fn minutes(&self) -> u64 {
        self.kind.window().as_secs() / 60
    }

    /// What tells systemd-tmpfiles to clean the store.
    pub fn tmpfiles_config(&self) -> String {
        let age = self.minutes();
        format!("e \"{}\" - - - m:{age}m\n", self.sessions().display())
    }
}

impl Contender {
    pub fn name(self) -> String {
        match self {
            Contender::Find => "find -delete".into(),
            Contender::FindRm => "find -exec rm -f {} +".into(),
            Contender::Bfs => "bfs -delete".into(),
            Contender::Fd => "fd -X rm -f".into(),
            Contender::Tmpfiles => "systemd-tmpfiles --clean".into(),
            Contender::OdooGc => "Odoo's own GC, in Python".into(),
            Contender::BareLoop => "list, stat and unlink alone".into(),
            Contender::PythonAudit => "audit in Python".into(),
            Contender::Reap => "reap".into(),
            Contender::ReapDefaultWindows => "reap, default windows".into(),
            Contender::ReapByAge(threads) => format!("reap --by-age-only --threads {threads}"),
            Contender::ReapByAgeCold => "reap --by-age-only, threads for a cold cache".into(),
            Contender::Audit(Some(threads)) => format!("audit --threads {threads}"),
            Contender::Audit(None) => "audit".into(),
        }
    }

    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Contender::Reap
                | Contender::ReapDefaultWindows
                | Contender::ReapByAge(_)
                | Contender::ReapByAgeCold
                | Contender::Audit(_)
        )
    }

    /// Whether it leaves what lies at the top level of a sharded store.
    pub fn leaves_the_top(self, layout: Layout) -> bool {
        self == Contender::OdooGc && layout == Layout::Sharded
    }

    /// Why it cannot be measured here, if so.
    pub fn is_missing(self, options: &Options) -> Option<String> {
        let program = match self {
            Contender::ReapByAge(_) | Contender::ReapByAgeCold => {
                let help = tool::run(
                    std::process::Command::new(&options.program).args(["reap", "--help"]),
                );
                let refuses = !help
                    .is_ok_and(|help| help.split_whitespace().any(|word| word == "--by-age-only"));
                return refuses.then(|| "this program has no --by-age-only yet".to_owned());
            }
            Contender::BareLoop => return None,
            ours if ours.is_ours() => return None,
            Contender::PythonAudit | Contender::OdooGc => "python3",
            _ => self.peer(),
        };
        (!tool::is_installed(program)).then(|| format!("{program} is not installed"))
    }

    fn peer(self) -> &'static str {
        match self {
            Contender::Bfs => "bfs",
            Contender::Fd => "fdfind",
            Contender::Tmpfiles => "systemd-tmpfiles",
            Contender::OdooGc | Contender::PythonAudit => tool::python(),
            _ => "find",
        }
    }

    /// Its program and arguments.
    pub fn command(self, place: &Place) -> (OsString, Vec<OsString>) {
        let program = match self {
            Contender::BareLoop => bare::program(),
            ours if ours.is_ours() => place.options.program.clone().into_os_string(),
            peer => peer.peer().into(),
        };
        (program, self.args(place))
    }

    fn args(self, place: &Place) -> Vec<OsString> {
        let sessions = place.sessions().into_os_string();
        let older = format!("+{}", place.minutes());
        let find = |then: &str| {
            let mut args = vec![sessions.clone()];
            let expression = format!("-type f -mmin {older} {then}");
            args.extend(expression.split_whitespace().map(OsString::from));
            args
        };
        let ours = |words: &str| {
            let mut args: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
            args.push("--data-dir".into());
            args.push(place.data_dir.clone().into());
            args
        };
        const ONE_WINDOW: &str = "--authenticated-window 1d --anonymous-window 1d --cart-window 1d";
        match self {
            Contender::Find | Contender::Bfs => find("-delete"),
            Contender::FindRm => find("-exec rm -f {} +"),
            Contender::Fd => {
                let words = "--unrestricted --type f --changed-before";
                let mut args: Vec<OsString> =
                    words.split_whitespace().map(OsString::from).collect();
                args.push(format!("{}min", place.minutes()).into());
                args.extend([".".into(), sessions]);
                args.extend(["-X", "rm", "-f"].map(OsString::from));
                args
            }
            Contender::Tmpfiles => vec!["--clean".into(), place.config.into()],
            Contender::OdooGc => vec![
                "-c".into(),
                include_str!("odoo_gc.py").into(),
                sessions,
                place.layout.name().into(),
                place.kind.window().as_secs().to_string().into(),
            ],
            Contender::BareLoop => bare::args(sessions, place.kind.window()),
            Contender::PythonAudit => {
                vec!["-c".into(), include_str!("audit.py").into(), sessions]
            }
            Contender::Reap => ours(&format!("reap {ONE_WINDOW}")),
            Contender::ReapDefaultWindows => ours("reap"),
            Contender::ReapByAge(threads) => ours(&format!(
                "reap --by-age-only --threads {threads} {ONE_WINDOW}"
            )),
            Contender::ReapByAgeCold => {
                // Two unlinkers in one directory already wait for each other more than for the disk.
                let threads = match place.layout {
                    Layout::Flat => 2,
                    Layout::Sharded => 8,
                };
                ours(&format!(
                    "reap --by-age-only --threads {threads} {ONE_WINDOW}"
                ))
            }
            Contender::Audit(Some(threads)) => ours(&format!("audit --threads {threads}")),
            Contender::Audit(None) => ours("audit"),
        }
    }
}
