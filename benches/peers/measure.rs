//! What one run of a program costs.
//!
//! The bench starts itself once more for each run. That helper has no other child, so what the kernel says of its
//! children is of this run, its own children included; and it is small, which matters because a new process
//! begins with the peak of the one that it was split from.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What makes the bench a helper.
pub const HELPER: &str = "--measure-one-run";

/// What a run took; not a number is what was not measured.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Seconds.
    pub wall: f64,
    /// User and system time, in seconds.
    pub cpu: f64,
    /// The peak of its resident memory, in MiB.
    pub peak: f64,
    /// Of Odoo's reads beside it, p50 and p99, of its saves, and of its pages, in microseconds.
    pub odoo: [f64; 6],
}

/// Runs a command, which must succeed.
pub fn run(command: &[OsString]) -> Result<Run> {
    let out = Command::new(std::env::current_exe()?)
        .arg(HELPER)
        .args(command)
        .stdin(Stdio::null())
        .output()?;
    let failed = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{}: {}", out.status, failed.trim());
    let said = String::from_utf8_lossy(&out.stdout);
    let numbers: Vec<f64> = said.split_whitespace().flat_map(str::parse).collect();
    let [wall, cpu, peak] = numbers[..] else {
        bail!("cannot be measured");
    };
    let odoo = [f64::NAN; 6];
    Ok(Run {
        wall,
        cpu,
        peak,
        odoo,
    })
}

/// Is the helper: runs the command and says what it took.
pub fn help(command: &[String]) -> Result<()> {
    let (program, args) = command.split_first().context("no command")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    println!(
        "{wall} {} {}",
        cpu as f64 / 1e6,
        usage.max_rss() as f64 / 1024.0
    );
    ensure!(status.success(), "{program}: {status}");
    Ok(())
}
