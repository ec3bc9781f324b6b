//! SIGKILL in the middle of a run of the real program, which has the machine's own clock.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::disk::File;
use crate::odoo::Odoo;
use crate::reaper::Setup;
use crate::time::{SECOND, Time};

/// Starts the program on the store as if it were now, kills it at a random moment, and tells what it had deleted.
pub fn in_the_middle(odoo: &mut Odoo, setup: &Setup, now: Time) -> Vec<(String, File)> {
    let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let by = machine.as_millis() as Time - (now + odoo.disk.host);
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
    std::thread::sleep(Duration::from_micros(odoo.random.u64(..6_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = odoo.disk.gone(now);
    odoo.disk.shifted(0);
    gone
}
