//! `who` and `revoke`: look at everybody, show them, ask, log them out, and watch.

use std::io::IsTerminal as _;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use clap::ArgMatches;

use super::{progress, run};
use crate::cli::{DeletingArgs, RevokeArgs, WhoArgs};
use crate::exit::Exit;
use crate::people::{
    self, Answer, Caller, Document, Ended, Keys, Looking, Means, Revoked, Revoking, Seen, Sum,
    Table, Visitors, Watch, Watches,
};
use crate::policy::{Class, LastSeen};
use crate::reap::{self, End, Mode, Plan, Progress, Stop};
use crate::redact;
use crate::report::{Format, Out};
use crate::select::Selection;
use crate::settings::{Settings, SettingsError, Surroundings};
use crate::store::Store;
use crate::tally::Tally;
use crate::time::{Timestamp, words};

/// How long nothing may come back, unless odoo.conf lets requests run for longer: Odoo's own `limit_time_real`.
const QUIET: Duration = Duration::from_secs(120);

/// Between the two walks, at least.
const APART: Duration = Duration::from_millis(250);

/// What a revoke does not do, said before the question.
const NOTES: &str = "\
They can log in again: change the password, or archive the user, first. API keys and XML-RPC have no session. An open
websocket stays open, and silent, until its next message. Odoo's list of devices keeps the device until its own cron.
";

/// What holds for both walks.
struct Run<'a> {
    selection: &'a Selection,
    store: &'a Store,
    stop: &'a Stop,
    now: Timestamp,
    quiet: bool,
}

/// Lists who is logged in.
pub(super) fn who(
    args: WhoArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    quiet: bool,
    stop: &Stop,
) -> Result<Exit> {
    let settings = Settings::people(None, args.plain.into(), matches, around)?;
    let all = !args.selectors.are_given();
    let selection = args.selectors.selection();
    let store = run::open(&settings)?;
    let now = Timestamp::of(SystemTime::now());
    let run = Run {
        selection: &selection,
        store: &store,
        stop,
        now,
        quiet,
    };
    let plan = run::plan(&settings, &store, now);
    let table = Table::new(Out::stdout(), Some(args.format), now, args.devices);
    let looking = (args.devices, false);
    let (mut seen, tally, end) = run.look(&plan, &Keys::default(), table, looking);
    let visitors = visitors(&plan, &tally).filter(|_| all);
    let exit = match run::exit(&tally, Some(end)) {
        Exit::Done if !seen.missing.is_empty() || !seen.ambiguous.is_empty() => Exit::Failed,
        exit => exit,
    };
    let out = &mut seen.table.out;
    match args.format {
        Format::Text => {
            let said = people::who(&seen.counts, visitors, out.numbers());
            out.line(format_args!("{said}"));
            out.flush();
        }
        Format::Json => {
            let document = Document {
                visitors,
                ..run.document("who", &seen, &tally, exit)
            };
            seen.table.close(&document);
        }
    }
    run.warn(&tally);
    seen.must_be_who_was_named()?;
    Ok(run::told(&seen.table.out, Mode::Audit, exit))
}

/// How many visitors there are, and how many never came back, where anybody notes that.
fn visitors(plan: &Plan, tally: &Tally) -> Option<Visitors> {
    let noted = plan.policy.reads.grain().is_some() && tally.reads.any;
    noted.then(|| Visitors {
        sessions: tally.row(Class::Anonymous).all.files,
        never_came_back: tally.reads.bounced,
    })
}

/// Logs people out.
pub(super) fn revoke(
    args: RevokeArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    quiet: bool,
    stop: &Stop,
) -> Result<Exit> {
    must_be_meant(&args)?;
    let caller = Caller::now();
    let dry_run = args.more.dry_run;
    let deleting = DeletingArgs {
        dry_run,
        limit: None,
        max_logouts: None,
        by_age_only: false,
        force: true,
    };
    let settings = Settings::people(Some(&deleting), args.plain.into(), matches, around)?;
    let allowed = settings
        .conf_file
        .as_ref()
        .and_then(|file| file.limit_time_real());
    let watch = Watch {
        quiet: args
            .more
            .watch
            .unwrap_or(QUIET.max(allowed.unwrap_or_default())),
    };
    let selection = Selection {
        except: args.more.except_login,
        visitors: args.more.visitors,
        ..args.selectors.selection()
    };
    let store = run::open(&settings)?;
    run::must_be_writable(&store)?;
    let now = Timestamp::of(SystemTime::now());
    let run = Run {
        selection: &selection,
        store: &store,
        stop,
        now,
        quiet,
    };
    let mut plan = run::plan(&settings, &store, now);
    plan.mode = Mode::Audit;
    let keys = Keys::default();
    let table = Table::new(Out::stdout(), Some(args.format), now, false);
    let (mut seen, mut tally, end) = run.look(&plan, &keys, table, (false, true));
    seen.must_be_who_was_named()?;
    let mut done = Done {
        sum: Sum::default(),
        sessions: seen.counts.sessions(),
        moment: None,
        ended: Ended::Off,
        dry_run,
        watch,
    };
    let mut exit = run::exit(&tally, Some(end));
    let nobody = done.sessions == 0 && seen.visitors == 0;
    if matches!(exit, Exit::Interrupted(_)) || nobody || dry_run {
        done.sum.visitors = seen.visitors;
    } else {
        if !args.more.yes {
            match run.ask(&mut seen) {
                Answer::Yes => {}
                Answer::No => {
                    tracing::error!("nobody was logged out");
                    return Ok(Exit::Failed);
                }
                Answer::Interrupted(signal) => return Ok(Exit::Interrupted(signal)),
            }
        }
        run.let_saves_end();
        plan.mode = Mode::Reap;
        // It is told whom: a read meanwhile keeps nobody.
        plan.policy.last_seen = LastSeen::Mtime;
        tally = run.out(&plan, &keys, &caller, &mut seen, &mut done);
        exit = done.exit(run::exit(&tally, Some(End::Complete)));
    }
    run.tell(args.format, &mut seen, &tally, &done, exit);
    run.warn(&tally);
    Ok(run::told(&seen.table.out, Mode::Reap, exit))
}

/// Refuses what would log out whom nobody named, or whom nobody could be asked about.
fn must_be_meant(args: &RevokeArgs) -> Result<(), SettingsError> {
    let more = &args.more;
    if !args.selectors.are_given() && !more.everyone {
        return Err(SettingsError::usage(
            "who is to be logged out? Name them with --login, --uid, --database or --sid, or say --everyone".to_owned(),
        ));
    }
    if more.yes || more.dry_run {
        return Ok(());
    }
    let refused = |why: &str| {
        let advice = "give --yes, or --dry-run to see who would be logged out";
        Err(SettingsError::usage(format!("{why}: {advice}")))
    };
    if args.format == Format::Json {
        return refused("there is no question in JSON");
    }
    if !people::somebody_is_there() {
        return refused(
            "there is no terminal to ask on (in a container, `docker exec -it` gives one)",
        );
    }
    Ok(())
}

/// What a revoke did.
struct Done {
    sum: Sum,
    sessions: u64,
    moment: Option<Timestamp>,
    ended: Ended,
    dry_run: bool,
    watch: Watch,
}

impl Done {
    fn exit(&self, exit: Exit) -> Exit {
        match self.ended {
            Ended::Interrupted(signal) => Exit::Interrupted(signal),
            Ended::Never if exit == Exit::Done => Exit::Partly,
            _ => exit,
        }
    }
}

impl Seen {
    /// Refuses a name that nobody has: what was meant is somebody else.
    fn must_be_who_was_named(&self) -> Result<(), SettingsError> {
        if !self.ambiguous.is_empty() {
            return Err(SettingsError::usage(format!(
                "more than one session begins so: {}; give more of it, or another selector",
                self.ambiguous.join(", ")
            )));
        }
        if !self.missing.is_empty() {
            return Err(SettingsError::failed(self.missing.join("; ")));
        }
        Ok(())
    }
}

impl Run<'_> {
    /// The first walk.
    fn look(
        &self,
        plan: &Plan,
        keys: &Keys,
        table: Table,
        how: (bool, bool),
    ) -> (Seen, Tally, End) {
        let looking = Looking::new(self.selection, &plan.policy, keys, table, how);
        let progress = Progress::default();
        let silent = self.quiet;
        let (tally, end) = progress::shown(&progress, Mode::Audit, silent, || {
            reap::choose(self.store, plan, &looking, &looking, self.stop, &progress)
        });
        let mut seen = looking.finish();
        seen.table.end();
        (seen, tally, end)
    }

    fn ask(&self, seen: &mut Seen) -> Answer {
        let out = &mut seen.table.out;
        out.line(format_args!("{NOTES}"));
        out.flush();
        let question = people::question(&seen.counts, seen.visitors, out.numbers());
        people::ask(&question, self.stop)
    }

    /// Odoo 20 unlinks a session and saves it again. Whose file is not there in either walk would stay, so they are
    /// further apart than that takes.
    fn let_saves_end(&self) {
        std::thread::sleep(APART);
    }

    /// The second walk, and the watch.
    fn out(
        &self,
        plan: &Plan,
        keys: &Keys,
        caller: &Caller,
        seen: &mut Seen,
        done: &mut Done,
    ) -> Tally {
        let watches = (!done.watch.quiet.is_zero()).then(|| Watches::new(self.store));
        let shown = (
            std::mem::take(&mut seen.keys),
            std::mem::take(&mut seen.shards),
        );
        let revoking = Revoking::new(
            (self.selection, &seen.people, keys),
            shown,
            caller,
            watches.as_ref(),
        );
        let progress = Progress::default();
        let means = Means {
            store: self.store,
            plan,
            stop: self.stop,
            progress: &progress,
        };
        let countdown = progress::Countdown::new(self.quiet);
        let (tally, end, ended) =
            people::out_with_them(means, &revoking, done.watch, &|left, came_back| {
                countdown.show(left, came_back);
            });
        countdown.end();
        done.sum = revoking.sum();
        done.sessions = revoking.logins();
        done.moment = revoking.moment();
        done.ended = match end {
            End::Interrupted(signal) => Ended::Interrupted(signal),
            _ => ended,
        };
        tally
    }

    fn document(&self, command: &'static str, seen: &Seen, tally: &Tally, exit: Exit) -> Document {
        let missing = seen.missing.iter();
        Document {
            version: env!("CARGO_PKG_VERSION"),
            command,
            started: self.now,
            store: redact::path(&self.store.resolved),
            total: (&seen.counts).into(),
            visitors: None,
            missing: missing.map(|it| redact::printable(it.as_bytes())).collect(),
            revoked: None,
            denied: tally.denied(),
            failures: tally.failures(),
            exit_code: exit.code(),
        }
    }

    fn tell(&self, format: Format, seen: &mut Seen, tally: &Tally, done: &Done, exit: Exit) {
        match format {
            Format::Text => {
                let out = &mut seen.table.out;
                let how = (done.moment.is_some(), done.ended);
                let said =
                    people::revoked(&seen.counts, done.sessions, done.sum, how, out.numbers());
                out.line(format_args!("{said}"));
                out.flush();
            }
            Format::Json => {
                let document = Document {
                    revoked: Some(Revoked {
                        dry_run: done.dry_run,
                        moment: done.moment,
                        deleted: done.sum,
                        watch: done.ended.name(),
                        watch_seconds: done.watch.quiet.as_secs(),
                    }),
                    ..self.document("revoke", seen, tally, exit)
                };
                seen.table.close(&document);
            }
        }
        match done.ended {
            Ended::Interrupted(_) if done.moment.is_some() => tracing::warn!(
                "the watch was ended early: whoever had a request under way can be logged in again; `who` tells, and \
                 another revoke ends it"
            ),
            Ended::Never => tracing::error!(
                "sessions still came back after {}: something saves them again and again; `who` tells which, restart \
                 Odoo and revoke once more",
                words(done.watch.quiet.saturating_mul(10))
            ),
            _ => {}
        }
    }

    fn warn(&self, tally: &Tally) {
        if tally.denied() > 0 {
            tracing::warn!(
                "{} session files may not be read by this user, so nobody knows whose they are: run as the user that \
                 Odoo runs as, or as root",
                tally.denied()
            );
        }
        if tally.failures() > 0 && std::io::stderr().is_terminal() {
            tracing::warn!("{} failures; see above", tally.failures());
        }
    }
}
