//! Other programs as helpers, and what stops the bench.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, ensure};
use odoo_session_reaper::demo::Layout;

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// From now on SIGINT and SIGTERM only ask the bench to clean up and end.
pub fn stop_on_signals() -> Result<()> {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, STOP.clone())?;
    }
    Ok(())
}

/// Fails once a signal has come.
pub fn go_on() -> Result<()> {
    ensure!(!STOP.load(Ordering::Relaxed), "stopped by a signal");
    Ok(())
}

/// Runs a command of these words, and these at its end, and gives its output.
pub fn run(words: &str, more: &[&OsStr]) -> Result<String> {
    go_on()?;
    finish(words, more)
}

/// The same even after a signal, for cleaning up.
pub fn finish(words: &str, more: &[&OsStr]) -> Result<String> {
    let mut words = words.split_whitespace();
    let name = words.next().unwrap_or_default();
    let out = Command::new(name)
        .args(words)
        .args(more)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    let failed = String::from_utf8_lossy(&out.stderr);
    ensure!(
        out.status.success(),
        "{name}: {}: {}",
        out.status,
        failed.trim()
    );
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Whether there is such a program, on `PATH` if it is only a name.
pub fn is_installed(name: &OsStr) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// The layout as the command line has it.
pub fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::Flat => "flat",
        Layout::Sharded | Layout::Both => "sharded",
    }
}

/// Fails where this process may not mount an image.
pub fn can_mount() -> Result<()> {
    ensure!(is_root(), "not root");
    run("losetup --find", &[]).map(drop)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Starts this program anew with a mount table of its own: what is mounted here is nobody else's business, nobody else
/// can keep it busy, and it goes when this process goes, however that ends. Returns at once where that is done or cannot be.
pub fn in_own_mount_table() {
    const DONE: &str = "PEERS_OWN_MOUNT_TABLE";
    let unshare = ["--mount", "--propagation", "private", "--"];
    let may = || Command::new("unshare").args(unshare).arg("true").status();
    if is_root() && std::env::var_os(DONE).is_none() && may().is_ok_and(|status| status.success()) {
        let error = Command::new("unshare")
            .args(unshare)
            .args(std::env::current_exe())
            .args(std::env::args_os().skip(1))
            .env(DONE, "yes")
            .exec();
        eprintln!("no mount table of our own: {error}");
    }
}
