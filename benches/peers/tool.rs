//! Other programs as helpers, and what stops the bench.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail, ensure};

static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on SIGINT and SIGTERM only ask the bench to clean up and end.
pub fn stop_on_signals() -> Result<()> {
    let stop = STOP.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Ok(())
}

/// Fails once a signal has come.
pub fn go_on() -> Result<()> {
    let stopped = STOP.get().is_some_and(|stop| stop.load(Ordering::Relaxed));
    ensure!(!stopped, "stopped by a signal");
    Ok(())
}

/// Runs a command to its end and gives its output.
pub fn run(command: &mut Command) -> Result<String> {
    go_on()?;
    finish(command)
}

/// The same even after a signal, for cleaning up.
pub fn finish(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    if !out.status.success() {
        bail!(
            "{name}: {}: {}",
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Whether there is such a program on `PATH`.
pub fn is_installed(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// The Python itself, not a wrapper that chooses among several.
pub fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let ask = ["-c", "import sys; print(sys.executable)"];
        run(Command::new("python3").args(ask)).unwrap_or_else(|_| "python3".to_owned())
    })
}

/// Whether this process may mount and drop caches.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Starts this program anew with a mount table of its own: what is mounted here is nobody else's business, nobody else
/// can keep it busy, and it goes when this process goes, however that ends. Returns at once where that is done or cannot be.
pub fn in_own_mount_table() {
    use std::os::unix::process::CommandExt;
    const DONE: &str = "PEERS_OWN_MOUNT_TABLE";
    if !is_root() || std::env::var_os(DONE).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let unshare = ["--mount", "--propagation", "private", "--"];
    let may = Command::new("unshare").args(unshare).arg("true").status();
    if may.is_ok_and(|status| status.success()) {
        let error = Command::new("unshare")
            .args(unshare)
            .arg(program)
            .args(std::env::args_os().skip(1))
            .env(DONE, "yes")
            .exec();
        eprintln!("no mount table of our own: {error}");
    }
}
