//! What programs of the system print.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it prints, in words of its own and in UTC, if it succeeds, and in time.
pub fn output(program: &str, args: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("SYSTEMD_COLORS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut pipe = child.stdout.take()?;
    let (send, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.read_to_end(&mut bytes);
        send.send(read.map(|_| bytes))
    });
    let Ok(said) = said.recv_timeout(PATIENCE) else {
        // Not waited for: where the kernel holds it, it does not end.
        let _ = child.kill();
        return None;
    };
    let succeeded = child.wait().ok()?.success();
    succeeded.then_some(String::from_utf8_lossy(&said.ok()?).into_owned())
}
