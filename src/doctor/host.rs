//! The world as the checks need it: looked at once, and not touched.

pub mod cron;
mod inside;
pub mod journal;
pub mod master;
mod process;
pub mod source;
pub mod store;
pub mod systemd;
pub mod told;

use std::io::{ErrorKind, Read as _};
use std::time::SystemTime;

use rustix::process::geteuid;

use crate::time::Timestamp;
use master::Master;
use process::Seen;
use systemd::Unit;

/// The most that is read of the arguments or variables of a process; the kernel starts none with more than 6 MiB.
const LARGEST: u64 = 6 << 20;

/// What there is on this host, beside session stores.
#[derive(Debug)]
pub struct Host {
    /// Seconds since the epoch.
    pub now: i64,
    pub root: bool,
    pub masters: Vec<Master>,
    /// Workers whose master cannot be seen.
    pub orphans: Vec<i32>,
    /// Others' processes are out of sight, or all are.
    pub hidden: bool,
    /// `None` where there is no systemd.
    pub units: Option<Vec<Unit>>,
    pub cron: Vec<cron::Line>,
}

impl Host {
    pub fn look() -> Host {
        let seen = processes();
        let start_of = |(seen, start): &(&Seen, process::Start)| {
            let argv0 = seen.words.first().map_or("", String::as_str);
            Master::of(seen.pid, start, argv0)
        };
        Host {
            now: Timestamp::of(SystemTime::now()).secs,
            root: geteuid().is_root(),
            masters: process::masters(&seen).iter().map(start_of).collect(),
            orphans: process::orphans(&seen)
                .iter()
                .map(|worker| worker.pid)
                .collect(),
            hidden: seen.is_empty() || others_are_hidden(),
            units: systemd::units(),
            cron: cron::lines(),
        }
    }
}

/// What anybody may see of each process.
fn processes() -> Vec<Seen> {
    let all = procfs::process::all_processes()
        .into_iter()
        .flatten()
        .flatten();
    let seen = all.filter_map(|process| {
        let pid = process.pid();
        // procfs refuses those whose arguments are no UTF-8.
        let line = of_process(pid, "cmdline")?;
        let words = line.split(|byte| *byte == 0);
        let words = words.map(|word| String::from_utf8_lossy(word).into_owned());
        let exe = process.exe().ok();
        Some(Seen {
            pid,
            parent: process.stat().ok()?.ppid,
            words: words.filter(|word| !word.is_empty()).collect(),
            exe: exe.map(|exe| exe.to_string_lossy().into_owned()),
        })
    });
    seen.collect()
}

/// The beginning of a file of `/proc`, which a process can make as long as its memory.
fn of_process(pid: i32, file: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(format!("/proc/{pid}/{file}")).ok()?;
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Whether `/proc` is mounted with `hidepid`: everybody may know what the first process is called otherwise.
fn others_are_hidden() -> bool {
    match std::fs::read("/proc/1/cmdline") {
        Ok(_) => false,
        Err(error) => matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::PermissionDenied
        ),
    }
}
