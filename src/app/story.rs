//! `demo`: makes a store, then audits, reaps and audits it, as an administrator would.

use std::ffi::OsStr;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use clap::FromArgMatches;

use super::metrics_file::MetricsFile;
use super::run;
use crate::cli::{self, Action, Cli, DemoArgs, ReapArgs, RunArgs};
use crate::demo::{self, Recipe};
use crate::exit::Exit;
use crate::reap::Stop;
use crate::redact;
use crate::report::Out;
use crate::settings::{Settings, Surroundings};

/// Makes the store and tells its story, or only makes it.
pub(super) fn tell(args: &DemoArgs, quiet: bool, stop: &Stop) -> Result<Exit> {
    if let Some(dir) = &args.dir {
        return keep(args, dir, stop);
    }
    let dir = tempfile::Builder::new()
        .prefix("odoo-session-reaper-demo-")
        .tempdir()
        .context("cannot make a throw-away directory; set TMPDIR to a place for it")?;
    let told = tell_in(&dir.path().join("odoo"), args, quiet, stop);
    let place = redact::path(dir.path());
    dir.close()
        .with_context(|| format!("cannot remove the throw-away directory {place}"))?;
    told
}

fn keep(args: &DemoArgs, dir: &Path, stop: &Stop) -> Result<Exit> {
    let made = make(args, dir, stop)?;
    let place = redact::path(dir);
    let mut out = Out::stdout();
    let made = out.numbers().of(made, "session");
    out.line(format_args!("made {made} in {place}/sessions"));
    out.flush();
    Ok(stop.signal().map_or(Exit::Done, Exit::Interrupted))
}

fn tell_in(data_dir: &Path, args: &DemoArgs, quiet: bool, stop: &Stop) -> Result<Exit> {
    make(args, data_dir, stop)?;
    let place = redact::path(data_dir);
    let mut out = Out::stdout();
    out.line(format_args!(
        "A throw-away Odoo data_dir with {}: {place}",
        out.numbers().of(args.sessions, "session")
    ));
    out.flush();
    for command in ["audit", "reap", "audit"] {
        if let Some(signal) = stop.signal() {
            return Ok(Exit::Interrupted(signal));
        }
        let mut out = Out::stdout();
        let line = out.bold(&format!(
            "$ odoo-session-reaper {command} --data-dir {place} --report full"
        ));
        out.line(format_args!("\n{line}"));
        out.flush();
        let settings = settings(command, data_dir)?;
        let no_metrics = MetricsFile::new(None, settings.mode);
        let exit = run::run(&settings, quiet, stop, &no_metrics)?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

fn make(args: &DemoArgs, data_dir: &Path, stop: &Stop) -> Result<u64> {
    let recipe = Recipe {
        sessions: args.sessions,
        seed: args.seed,
        layout: args.layout,
        expired_percent: args.expired,
    };
    demo::make(data_dir, &recipe, SystemTime::now(), &|| {
        stop.signal().is_none()
    })
}

/// The settings of the very command line that the story shows.
fn settings(command: &str, data_dir: &Path) -> Result<Settings> {
    let line = ["odoo-session-reaper", command, "--report=full"].map(OsStr::new);
    let line = line
        .into_iter()
        .chain([OsStr::new("--data-dir"), data_dir.as_os_str()]);
    let matches = cli::command().try_get_matches_from(line)?;
    let around = Surroundings::real();
    let own = matches.subcommand().map_or(&matches, |(_, own)| own);
    Ok(match Cli::from_arg_matches(&matches)?.command {
        Action::Audit(RunArgs { plain, report }) => {
            Settings::new(None, plain, Some(report), own, &around)?
        }
        Action::Reap(ReapArgs { deleting, run }) => {
            Settings::new(Some(&deleting), run.plain, Some(run.report), own, &around)?
        }
        _ => anyhow::bail!("the demo has no command {command}"),
    })
}
