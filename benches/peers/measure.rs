//! What one run of a program costs.
//!
//! The bench starts itself once more for each run. That helper has no other child, so what the kernel says of its
//! children is of this run, its own children included; and it is small, which matters because a new process
//! begins with the peak of the one that it was split from.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// What makes the bench a helper.
const HELPER: &str = "--measure-one-run";

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The peak of its resident memory.
    pub peak_bytes: u64,
}

/// Runs a command, which must succeed.
pub fn run(program: &OsStr, args: &[OsString]) -> Result<Cost> {
    let out = Command::new(std::env::current_exe()?)
        .arg(HELPER)
        .arg(program)
        .args(args)
        .stdin(Stdio::null())
        .output()?;
    let program = program.to_string_lossy();
    let said = String::from_utf8_lossy(&out.stdout);
    let numbers: Vec<u64> = said
        .split_whitespace()
        .map_while(|number| number.parse().ok())
        .collect();
    let [wall, cpu, peak_bytes] = numbers[..] else {
        bail!("cannot measure {program}");
    };
    if !out.status.success() {
        bail!(
            "{program} failed ({}): {}",
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(Cost {
        wall: Duration::from_nanos(wall),
        cpu: Duration::from_micros(cpu),
        peak_bytes,
    })
}

/// Is the helper, if this process was started as one.
pub fn as_helper() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != HELPER {
        return None;
    }
    let program = args.next()?;
    let measured = measure(Command::new(program).args(args));
    Some(measured.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    }))
}

fn measure(command: &mut Command) -> Result<ExitCode> {
    let start = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("cannot start it")?;
    let wall = start.elapsed();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = |time: TimeVal| time.num_microseconds();
    println!(
        "{} {} {}",
        wall.as_nanos(),
        microseconds(usage.user_time()) + microseconds(usage.system_time()),
        usage.max_rss() * 1024
    );
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(u8::MAX)))
}
