//! `audit` and `reap` of one store: open, guard, plan, reap, tell.

use std::io::IsTerminal;
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rustix::process::geteuid;
use tracing::Level;

use super::metrics_file::MetricsFile;
use super::{progress, sandbox};
use crate::cli::ReportArgs;
use crate::exit::Exit;
use crate::log;
use crate::policy::{Basis, LastSeen};
use crate::reap::sample::{self, Sample};
use crate::reap::{self, End, Mode, Plan, Progress, Stop};
use crate::redact::{self, Shown};
use crate::report::{self, Facts, Finished, Format, Listing, Numbers, Out, ReportSize};
use crate::settings::Settings;
use crate::store::mount::Reads;
use crate::store::name::Kind;
use crate::store::{Lock, Store, file, owner};
use crate::tally::Tally;
use crate::time::{Timestamp, words};

/// Number of workers unless `--threads` says otherwise: more than cores, because on a cold cache they wait for the
/// disk (on 2 cores, sharded: 4 took 0.84 of the time of 2 there, and 1.05 of it on a warm cache).
const THREADS: usize = 4;

/// Where each call waits for a server (`cargo bench --bench peers -- --rows slow`).
const THREADS_IF_SLOW: usize = 32;

/// Audits or reaps one store, reports, and leaves `metrics` of it.
pub(super) fn run(
    settings: &Settings,
    quiet: bool,
    stop: &Stop,
    metrics: &MetricsFile,
) -> Result<Exit> {
    let sessions = &settings.location.sessions;
    metrics.check(sessions)?;
    work(settings, quiet, stop, metrics)
        .inspect_err(|_| metrics.write(Some(sessions), None, Exit::Failed))
}

fn work(settings: &Settings, quiet: bool, stop: &Stop, metrics: &MetricsFile) -> Result<Exit> {
    let clock = Instant::now();
    let now = Timestamp::of(SystemTime::now());
    let store = open(settings)?;
    if !guard(settings, &store)? {
        // The metrics are for the run that holds the lock to write.
        return Ok(Exit::Busy);
    }
    let mut plan = plan(settings, &store, now);
    let dormant = plan.policy.dormant(&store.stat);
    let left_alone = dormant && settings.mode != Mode::Audit && !settings.deleting.force;
    let proved = settings.deleting.by_age_only && !left_alone && prove(&store, &mut plan, stop)?;
    let args = &settings.report;
    let listing = Listing::new(Out::stdout(), args);
    let (mut tally, end) = match left_alone {
        true => (Tally::default(), None),
        false => reap(&store, &plan, &listing, quiet, args.list, stop),
    };
    tally.readable |= proved;
    let finished = Finished {
        settings,
        store: &store,
        plan: &plan,
        tally: &tally,
        end,
        dormant,
        took: clock.elapsed(),
        room: store.room(),
        exit: exit(&tally, end),
    };
    warn(&finished);
    let facts = Facts::of(&finished);
    let out = tell(listing.into_out(), &facts, finished.exit, args);
    for advice in report::advice(&finished) {
        tracing::warn!("{advice}");
    }
    let exit = told(&out, settings.mode, finished.exit);
    metrics.write(Some(&settings.location.sessions), Some(&facts), exit);
    Ok(exit)
}

/// Opens the store, and becomes its owner for good.
pub(super) fn open(settings: &Settings) -> Result<Store> {
    let sessions = &settings.location.sessions;
    let store = Store::open(sessions, &settings.opening)
        .map_err(
            |error| match sandbox::if_refused(sessions, sandbox::DELETING) {
                Some(advice) => anyhow!("cannot open {}: {advice}", redact::path(sessions)),
                None => error,
            },
        )
        .with_context(|| format!("from {}", settings.location.from))?;
    if let Some(file) = settings.conf_file.as_ref().filter(|_| geteuid().is_root()) {
        file.must_be_trusted_by_root(store.stat.uid, store.stat.gid)?;
    }
    let owner = format!(
        "user {}, the owner of {}",
        store.stat.uid,
        redact::path(&store.resolved)
    );
    if owner::become_owner(&store.stat).with_context(|| format!("cannot become {owner}"))? {
        tracing::info!("working as {owner}");
    }
    Ok(store)
}

/// Refuses a store where the work could not be done, and locks it for a reap. Tells whether nobody else works there.
fn guard(settings: &Settings, store: &Store) -> Result<bool> {
    let place = redact::path(&store.resolved);
    let last_seen = settings.rules.last_seen;
    heed(last_seen, store.reads(), settings.mode, &place)?;
    let by_reads = last_seen == LastSeen::Atime && store.reads().grain().is_some();
    if by_reads && file::open_unseen(store.handle(), c".").is_err() {
        tracing::warn!(
            "--last-seen atime: user {} may not read the files of others unseen, so only their last save counts; run as {}",
            geteuid().as_raw(),
            owner::who_may_delete(&store.stat)
        );
    }
    if settings.mode != Mode::Audit {
        must_be_writable(store)?;
    }
    if settings.mode != Mode::Reap {
        return Ok(true);
    }
    let lock = store.lock();
    match lock.with_context(|| format!("cannot lock {place}"))? {
        Lock::Held => {}
        Lock::Busy => {
            tracing::warn!("another reap is working on {place}; try again when it is done");
            return Ok(false);
        }
        Lock::Unsupported => tracing::warn!(
            "{place} is on a file system without locks: run no other reap there meanwhile"
        ),
    }
    Ok(true)
}

/// Says once, and not for each file, that nothing can be deleted; a dry run fails where the real one would.
pub(super) fn must_be_writable(store: &Store) -> Result<()> {
    if store.read_only() {
        let advice = sandbox::if_read_only(&store.resolved);
        bail!(
            "cannot delete in {}: it is mounted read-only{}",
            redact::path(&store.resolved),
            advice.map_or(String::new(), |advice| format!("; {advice}"))
        );
    }
    Ok(())
}

pub(super) fn plan(settings: &Settings, store: &Store, now: Timestamp) -> Plan {
    let mut policy = settings.policy(now);
    policy.reads = store.reads();
    let usual = match store.is_slow() {
        true => THREADS_IF_SLOW,
        false => THREADS,
    };
    Plan {
        mode: settings.mode,
        policy,
        limit: settings.deleting.limit,
        max_logouts: settings.deleting.max_logouts,
        threads: settings.threads.map_or(usual, usize::from),
        share_flat: settings.threads.is_some() && !settings.deleting.gentle,
        gentle: settings.deleting.gentle,
    }
}

/// Runs the engine, and shows on a terminal how far it is, unless a list on the same terminal does.
fn reap(
    store: &Store,
    plan: &Plan,
    listing: &Listing,
    quiet: bool,
    listed: bool,
    stop: &Stop,
) -> (Tally, Option<End>) {
    let progress = Progress::default();
    let silent = quiet || (listed && std::io::stdout().is_terminal());
    let (tally, end) = progress::shown(&progress, plan.mode, silent, || {
        reap::run(store, plan, listing, stop, &progress)
    });
    (tally, Some(end))
}

pub(super) fn exit(tally: &Tally, end: Option<End>) -> Exit {
    match end {
        Some(End::Interrupted(signal)) => Exit::Interrupted(signal),
        _ if nothing_was_there(tally) => Exit::Failed,
        _ if tally.failures() > 0 => Exit::Partly,
        _ if tally.denied() > 0 && !tally.readable => Exit::Partly,
        _ if tally.kept_logins > 0 => Exit::Partly,
        _ => Exit::Done,
    }
}

/// Whether the store lists shards or sessions, but each of them is on another mount.
fn nothing_was_there(tally: &Tally) -> bool {
    tally.elsewhere > 0 && tally.shards == 0 && tally.flat == 0
}

/// Says in the log what kept the run from most of its work.
fn warn(run: &Finished<'_>) {
    let place = redact::path(&run.store.resolved);
    if run.exit == Exit::Failed {
        tracing::error!(
            "nothing in {place} could be looked at: each of its shards and sessions ({}) is on another mount, which is \
             never entered; run where the whole of it is one mount",
            run.tally.elsewhere
        );
    }
    if run.tally.is_shut() {
        let user = geteuid().as_raw();
        // Root has become that user, so running as root does not help.
        let advice = match run.store.is_ours() {
            true => {
                let place = redact::word(&place);
                format!("sudo chown -hR {user} {place} && sudo chmod -R u+rwX {place}")
            }
            false => "run as the user that Odoo runs as, or as root".to_owned(),
        };
        tracing::warn!(
            "user {user} may not read some session files in {place}, and so they are kept: {advice}"
        );
    }
    if run.tally.is_forbidden() && !run.store.is_ours() {
        tracing::warn!(
            "user {} may not delete in {place}: run as {}",
            geteuid().as_raw(),
            owner::who_may_delete(&run.store.stat)
        );
    }
}

/// Reports a run: to the journal if that is where its closing sentence would go, else to `out`; of a reap that deletes,
/// the journal has the sentence in any case.
fn tell(mut out: Out, facts: &Facts, exit: Exit, args: &ReportArgs) -> Out {
    let usual = match facts.mode == Mode::Audit || std::io::stdout().is_terminal() {
        true => ReportSize::Full,
        false => ReportSize::Summary,
    };
    let size = args.report.unwrap_or(usual);
    let alarming = matches!(exit, Exit::Failed | Exit::Partly) || facts.end.is_none();
    let text = args.format == Format::Text;
    let line_of_journal = size == ReportSize::Summary && log::is_journal(std::io::stdout());
    let instead = line_of_journal && text;
    if let Some(journal) = log::journal().filter(|journal| instead || journal.is_beside()) {
        // What was listed comes first.
        out.flush();
        let level = if alarming { Level::WARN } else { Level::INFO };
        if report::send(journal, facts, level).is_ok() && instead {
            return out;
        }
    }
    if line_of_journal && alarming {
        // The journal takes a line without a priority for information.
        out.print(format_args!("<4>"));
    }
    let listed = args.list && !text;
    report::write(&mut out, facts, size, args.format, listed);
    out
}

/// Refuses to delete by reads that nobody notes, and says where they do not count.
fn heed(last_seen: LastSeen, reads: Reads, mode: Mode, place: &Shown) -> Result<()> {
    match last_seen.on(reads) {
        Basis::AsAsked => {}
        Basis::SavesAlone => tracing::warn!(
            "--last-seen atime: the file system of {place} (NFS, FUSE or another) does not tell when a session was \
             read, so only its last save counts"
        ),
        Basis::Refused if mode == Mode::Audit => tracing::warn!(
            "--last-seen atime: {place} is mounted with noatime, or marked by chattr +A, so this audit goes by the last \
             save, and a reap is refused"
        ),
        Basis::Refused => bail!(
            "--last-seen atime cannot work on {place}: it is mounted with noatime, or marked by chattr +A, so nobody knows \
             when Odoo read a session; mount it with relatime, and chattr -R -A it; or leave the option out"
        ),
    }
    Ok(())
}

/// Says what `--by-age-only` is about to do. A layout whose files do not prove to be sessions is read as usual; if none
/// is left, the run is refused. Tells whether any file could be read.
fn prove(store: &Store, plan: &mut Plan, stop: &Stop) -> Result<bool> {
    let samples = sample::sample(store, plan, stop);
    if stop.signal().is_some() {
        // The run stops before its first file, however small the sample was.
        return Ok(true);
    }
    let longest = words(plan.policy.longest());
    let (mut proofs, mut doubts) = (Vec::new(), Vec::new());
    for (kind, layout, sample) in [
        (Kind::Flat, "flat", samples[0]),
        (Kind::Sharded, "sharded", samples[1]),
    ] {
        let Sample { files, sessions } = sample;
        if !sample.is_proof() {
            let files = Numbers::Plain.of(files, &format!("{layout} file"));
            doubts.push(format!(
                "of {files} older than {longest}, only {sessions} read as sessions"
            ));
            plan.policy
                .by_age_only
                .retain(|condemned| *condemned != kind);
        } else if files > 0 {
            proofs.push(format!(
                "{layout} files older than every window ({longest}) go without being read; of {files} looked at, \
                 {sessions} read as sessions"
            ));
        }
    }
    ensure!(
        !proofs.is_empty() || doubts.is_empty(),
        "{}, too few to delete without reading; run without --by-age-only, which keeps what is no session",
        doubts.join(", and ")
    );
    for proof in proofs {
        tracing::warn!("--by-age-only: {proof}");
    }
    for doubt in doubts {
        tracing::warn!("--by-age-only: {doubt}, so this layout is read as usual");
    }
    Ok(samples.iter().any(|sample| sample.sessions > 0))
}

/// What a report that could not be written does to the exit code: an audit is its report, but a reap is
/// not undone by a closed pipe.
pub(super) fn told(out: &Out, mode: Mode, exit: Exit) -> Exit {
    let Some(error) = out.failed() else {
        return exit;
    };
    let reader_left = error.kind() == std::io::ErrorKind::BrokenPipe;
    if !reader_left {
        tracing::warn!("the report could not be written to standard output: {error}");
    }
    if mode == Mode::Audit && exit == Exit::Done && !reader_left {
        Exit::Failed
    } else {
        exit
    }
}
