//! SIGKILL in the middle of a run of the real program, which has the machine's own clock.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::disk::File;
use crate::odoo::Odoo;
use crate::reaper::Setup;
use crate::time::{SECOND, Time};

/// Starts the program on the store as if it were now, kills it when it has deleted some of what is due, and tells what.
pub fn in_the_middle(odoo: &mut Odoo, setup: &Setup, now: Time) -> Vec<(String, File)> {
    let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let by = machine.as_millis() as Time - (now + odoo.disk.host);
    let stamp = odoo.disk.stamp(now);
    let files = odoo.disk.files.iter();
    let due = files.filter(|(_, file)| stamp - file.stamps.mtime > setup.window_of(file.what));
    let due: Vec<PathBuf> = due.map(|(name, _)| odoo.disk.sessions.join(name)).collect();
    let Some(one) = odoo.random.choice(&due) else {
        return Vec::new();
    };
    odoo.disk.shifted(by);
    let window = format!("{}s", setup.window / SECOND);
    let visitors = format!("{}s", setup.shortest() / SECOND);
    let mut child = Command::new(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .env_clear()
        .args(["reap", "--quiet", "--threads", "1", "--sessions-dir"])
        .arg(&odoo.disk.sessions)
        .args(["--authenticated-window", &window, "--cart-window", &window])
        .args(["--anonymous-window", &visitors])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while one.symlink_metadata().is_ok() && child.try_wait().unwrap().is_none() {}
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = odoo.disk.gone(now);
    odoo.disk.shifted(0);
    gone
}
