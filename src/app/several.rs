//! `audit` of several stores that were found: a line for each, and how to name one.
//!
//! Each is looked at by a child, this program once more, which becomes the store's owner if it is root: giving that
//! up is for good, so one process cannot do it for two owners.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::ArgMatches;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::again;
use crate::cli::{typed, variable};
use crate::exit::Exit;
use crate::reap::{Mode, Stop};
use crate::redact;
use crate::report::numbers::bytes;
use crate::report::{Numbers, Out, ReportSize};
use crate::settings::{Settings, data_dir_option};
use crate::stream::TICK;
use crate::tally::Pile;

/// Options that the child has of its own.
const OWN: [&str; 4] = ["path", "config", "format", "report"];

/// Of the JSON document of one store, what its line tells.
#[derive(Deserialize)]
struct Document {
    total: Total,
}

#[derive(Default, Deserialize)]
struct Total {
    #[serde(flatten)]
    all: Pile,
    due: Pile,
}

/// The command line of a child, but for its store: what this run was told of what is due.
///
/// `audit` is the definition of that command; `config` the `odoo.conf` in use.
pub(super) fn again(
    audit: &clap::Command,
    matches: &ArgMatches,
    config: Option<&Path>,
    quiet: u8,
) -> Vec<OsString> {
    let mut line: Vec<OsString> = ["audit", "--format=json", "--report=full", "--quiet"]
        .map(OsString::from)
        .to_vec();
    if quiet > 1 {
        line.push("--quiet".into());
    }
    if let Some(config) = config {
        let mut word = OsString::from("--config=");
        word.push(config);
        line.push(word);
    }
    let typed = typed(audit, matches).into_iter();
    line.extend(
        typed
            .filter(|(id, _)| !OWN.contains(id))
            .map(|(_, word)| word),
    );
    line
}

/// Audits each store by a child, tells a line of each, and ends as the worst of them. A child that dies ends nothing but
/// its own line.
pub(super) fn run(settings: &Settings, again: &[OsString], stop: &Stop) -> Result<Exit> {
    let stores = &settings.several;
    let mut out = match settings.report.report {
        Some(ReportSize::None) => Out::nowhere(),
        _ => Out::stdout(),
    };
    let title = out.bold(&row("Files", "Due", "On disk", "Store"));
    out.line(format_args!(
        "{} session stores, found by searching\n\n{title}",
        stores.len()
    ));
    out.flush();
    let (mut sum, mut worst, mut dead) = (Total::default(), Exit::Done, Vec::new());
    for store in stores {
        if stop.signal().is_some() {
            break;
        }
        let place = redact::path(store);
        let (exit, total) = audit(store, again, stop).unwrap_or_else(|error| {
            dead.push(format!("nobody knows what is in {place}: {error:#}"));
            (Exit::Failed, None)
        });
        worst = worst.max(exit);
        if let Some(total) = &total {
            sum.all.merge(&total.all);
            sum.due.merge(&total.due);
        }
        let failed = match exit {
            Exit::Done => String::new(),
            exit => format!("  (exit code {})", exit.code()),
        };
        let cells = cells(total.as_ref(), &place, out.numbers());
        out.line(format_args!("{cells}{failed}"));
        out.flush();
    }
    conclude(&mut out, &sum, stores);
    match stop.signal() {
        // Children die of it, too.
        Some(signal) => worst = Exit::Interrupted(signal),
        None => dead.iter().for_each(|dead| tracing::error!("{dead}")),
    }
    Ok(super::run::told(&out, Mode::Audit, worst))
}

/// The sum, and how to look at one of them.
fn conclude(out: &mut Out, sum: &Total, stores: &[PathBuf]) {
    let numbers = out.numbers();
    let sentence = out.bold(&format!(
        "{} of {} in {} stores are due; look at one of them:",
        numbers.count(sum.due.files),
        numbers.of(sum.all.files, "file"),
        stores.len()
    ));
    out.line(format_args!(
        "{}\n\n{sentence}",
        cells(Some(sum), "total", numbers)
    ));
    for store in stores {
        let data_dir = data_dir_option(store);
        out.line(format_args!("  odoo-session-reaper audit {data_dir}"));
    }
    out.flush();
}

fn row(files: &str, due: &str, on_disk: &str, store: &str) -> String {
    format!("{files:>12} {due:>12} {on_disk:>9}  {store}")
}

fn cells(total: Option<&Total>, store: &str, numbers: Numbers) -> String {
    let Some(Total { all, due }) = total else {
        return row("?", "?", "?", store);
    };
    let (files, due) = (numbers.count(all.files), numbers.count(due.files));
    row(&files, &due, &bytes(all.disk_bytes), store)
}

/// Has a child look at one store. Tells how it ended, and what it told if it came so far.
fn audit(store: &Path, told: &[OsString], stop: &Stop) -> Result<(Exit, Option<Total>)> {
    let mut child = again::command();
    child
        .args(told)
        .arg("--sessions-dir")
        .arg(store)
        .stdout(Stdio::piped());
    for counted in ["verbose", "quiet"] {
        child.env_remove(variable(counted));
    }
    let mut child = child
        .spawn()
        .context("cannot start this program once more")?;
    let told = listen(&mut child, stop);
    let exit = exit_of(child.wait()?)?;
    let told = told?;
    if told.is_empty() {
        return Ok((exit, None));
    }
    let Document { total } = serde_json::from_slice(&told)?;
    Ok((exit, Some(total)))
}

/// Reads all that the child prints. Who stops this process means the child as well; a terminal tells it by itself.
fn listen(child: &mut Child, stop: &Stop) -> Result<Vec<u8>> {
    let tick = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(TICK.subsec_nanos()),
    };
    let (mut told, mut passed_on) = (Vec::new(), false);
    let pid = Pid::from_child(child);
    let Some(stdout) = &mut child.stdout else {
        bail!("a child has no standard output");
    };
    loop {
        match poll(&mut [PollFd::new(stdout, PollFlags::IN)], Some(&tick)) {
            Ok(0) | Err(Errno::INTR) => {}
            _ => {
                let mut part = [0; 8_192];
                match stdout.read(&mut part)? {
                    0 => return Ok(told),
                    length => told.extend_from_slice(&part[..length]),
                }
            }
        }
        if stop.signal() == Some(Signal::TERM.as_raw()) && !passed_on {
            passed_on = true;
            // It may just have ended.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}

fn exit_of(status: ExitStatus) -> Result<Exit> {
    Ok(match status.code() {
        Some(0) => Exit::Done,
        Some(1) => Exit::Failed,
        Some(2) => Exit::Usage,
        Some(3) => Exit::Partly,
        Some(code @ (130 | 143)) => Exit::Interrupted(code - 128),
        _ => bail!("the child that looked there ended with {status}"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_told_what_this_run_was_told() {
        let line = [
            "odoo-session-reaper",
            "audit",
            "-qv",
            "--config",
            "/etc/x y.conf",
            "--anonymous-window=6h",
            "--keep-login",
            "a*",
            "--keep-login=-b",
            "--allow-short-window",
            "--report=summary",
            "--no-logins",
        ];
        let command = crate::cli::command();
        let matches = command.clone().try_get_matches_from(line).unwrap();
        let audit = command.find_subcommand("audit").unwrap();
        let own = matches.subcommand_matches("audit").unwrap();
        let mut again = again(audit, own, Some(Path::new("/etc/x y.conf")), 1);
        assert_eq!(
            again,
            [
                "audit",
                "--format=json",
                "--report=full",
                "--quiet",
                "--config=/etc/x y.conf",
                "--anonymous-window=6h",
                "--allow-short-window",
                "--keep-login=a*",
                "--keep-login=-b",
                "--no-logins",
            ]
        );
        again.insert(0, "odoo-session-reaper".into());
        assert!(command.try_get_matches_from(again).is_ok());
    }
}
