//! The world as the checks need it: looked at once, and not touched.

pub mod cron;
mod inside;
pub mod journal;
pub mod master;
mod output;
pub mod place;
mod process;
pub mod source;
pub mod store;
pub mod systemd;
pub mod told;
pub mod user;

use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::SystemTime;

use rustix::process::geteuid;

use crate::time::Timestamp;
use cron::Line;
use master::Master;
use output::output;
use place::Place;
use process::Seen;
use systemd::Unit;
use told::Told;

/// The most that is read of the arguments or variables of a process; the kernel starts none with more than 6 MiB.
const LARGEST: u64 = 6 << 20;

/// Where our package puts the drop-in that turns Odoo's garbage collection off.
pub const DROP_IN: &str = "/usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf";

/// What there is on this host, beside session stores.
#[derive(Debug, Default)]
pub struct Host {
    /// Seconds since the epoch.
    pub now: i64,
    pub root: bool,
    /// Among them workers whose master cannot be seen: they tell nothing.
    pub masters: Vec<Master>,
    /// Others' processes are out of sight, or all are.
    pub hidden: bool,
    /// `None` where there is no systemd.
    pub units: Option<Vec<Unit>>,
    pub cron: Vec<Line>,
    /// Whether something keeps the clock right; `None` where nobody says.
    pub synchronised: Option<bool>,
    pub has_drop_in: bool,
}

impl Host {
    pub fn look() -> Host {
        let seen = processes();
        let masters = process::masters(&seen).into_iter();
        let masters = masters.map(|(seen, start)| Master::of(seen, &start));
        let orphans = process::orphans(&seen).into_iter().map(Master::unseen);
        Host {
            now: Timestamp::of(SystemTime::now()).secs,
            root: geteuid().is_root(),
            masters: masters.chain(orphans).collect(),
            hidden: seen.is_empty() || others_are_hidden(),
            units: systemd::units(),
            cron: cron::lines(),
            synchronised: synchronised(),
            has_drop_in: Path::new(DROP_IN).exists(),
        }
    }

    /// The unit that works on this store. One that is on may do so beside one that was forgotten.
    pub fn unit(&self, store: &Place) -> Option<&Unit> {
        let units = self.units.iter().flatten();
        let ours = units.filter(|unit| unit.told.as_ref().is_some_and(|told| told.is_for(store)));
        ours.max_by_key(|unit| (unit.timer_active, unit.enabled == "enabled"))
    }

    /// The line of cron that works on this store. One of a stranger does not hide the one that is let in.
    pub fn line(&self, store: &Place) -> Option<&Line> {
        let lines = self.cron.iter().filter(|line| line.told.is_for(store));
        lines.min_by_key(|line| line.user.refusal(store).is_some())
    }

    /// What whoever reaps this store is told.
    fn told(&self, store: &Place) -> Option<&Told> {
        let line = self
            .line(store)
            .filter(|line| line.user.refusal(store).is_none());
        self.unit(store)
            .and_then(|unit| unit.told.as_ref())
            .or(line.map(|line| &line.told))
    }
}

fn synchronised() -> Option<bool> {
    let args = ["show", "--property", "NTPSynchronized", "--value"];
    match output("timedatectl", &args)?.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
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
