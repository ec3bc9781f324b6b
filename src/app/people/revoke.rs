//! `revoke`: looks at everybody, shows who is meant, asks, logs them out, and watches.

use std::time::Duration;

use anyhow::Result;
use clap::ArgMatches;

use super::{Run, ended, warn};
use crate::app::{progress, run};
use crate::cli::{DeletingArgs, RevokeArgs};
use crate::exit::Exit;
use crate::people::{
    self, Caller, Did, Document, Ended, Means, Revoked, Revoking, Seen, Sum, Watches,
};
use crate::policy::LastSeen;
use crate::reap::{End, Mode, Progress, Stop};
use crate::redact;
use crate::report::Format;
use crate::select::Selection;
use crate::settings::{ConfFile, Settings, SettingsError, Surroundings};
use crate::tally::Tally;
use crate::time::{Timestamp, words};

/// How long nothing may come back, unless odoo.conf lets requests run for longer: Odoo's own `limit_time_real`.
const QUIET: Duration = Duration::from_secs(120);

/// Between the two walks, at least. Odoo 20 unlinks a session and saves it again; whose file is there in neither walk
/// would stay.
const APART: Duration = Duration::from_millis(250);

/// What a revoke does not do, said before the question.
const NOTES: &str = "\
They can log in again: change the password, or archive the user, first. API keys and XML-RPC have no session. An open
websocket stays open, and silent, until its next message. Odoo's list of devices keeps the device until its own cron.
";

/// What it is told, and what it did.
struct Done {
    dry_run: bool,
    /// How long nothing may come back for the watch to end. Zero does not watch at all.
    quiet: Duration,
    did: Did,
    sum: Sum,
    sessions: u64,
    /// The end of the second walk, if there was one that came to its end.
    moment: Option<Timestamp>,
    ended: Ended,
}

/// Logs people out.
pub(in crate::app) fn revoke(
    args: RevokeArgs,
    matches: &ArgMatches,
    around: &Surroundings,
    quiet: bool,
    stop: &Stop,
) -> Result<Exit> {
    must_be_meant(&args)?;
    let caller = Caller::now();
    let more = args.more;
    let deleting = DeletingArgs {
        dry_run: more.dry_run,
        force: true,
        ..DeletingArgs::default()
    };
    let settings = Settings::new(Some(&deleting), args.plain, None, matches, around)?;
    let selection = Selection {
        except: more.except_login,
        visitors: more.visitors,
        ..args.selectors.selection()
    };
    let run = Run::open(&settings, selection, args.format, (quiet, stop))?;
    run::must_be_writable(&run.store)?;
    let watched = watch(more.watch, settings.conf_file.as_ref());
    run.revoke(Done::nothing(more.dry_run, watched), &caller, more.yes)
}

/// Refuses what would log out whom nobody named, or whom nobody could be asked about.
fn must_be_meant(args: &RevokeArgs) -> Result<(), SettingsError> {
    let more = &args.more;
    if !args.selectors.are_given() && !more.everyone {
        return Err(SettingsError::usage(
            "who is to be logged out? Name them with --login, --uid, --database or --sid, or say --everyone".to_owned(),
        ));
    }
    let why = if more.yes || more.dry_run {
        return Ok(());
    } else if args.format == Format::Json {
        "there is no question in JSON"
    } else if people::somebody_is_there() {
        return Ok(());
    } else {
        "there is no terminal to ask on (in a container, `docker exec -it` gives one)"
    };
    Err(SettingsError::usage(format!(
        "{why}: give --yes, or --dry-run to see who would be logged out"
    )))
}

/// What was told, or as long as Odoo lets requests run.
fn watch(told: Option<Duration>, conf_file: Option<&ConfFile>) -> Duration {
    let allowed = conf_file.and_then(ConfFile::limit_time_real);
    if let (None, Some(file), Some(Duration::ZERO)) = (told, conf_file, allowed) {
        tracing::warn!(
            "{} lets requests run without a limit (limit_time_real = 0): one that ends later than {} after the others \
             can bring its session back; --watch waits longer",
            file.shown(),
            words(QUIET)
        );
    }
    told.unwrap_or(QUIET.max(allowed.unwrap_or_default()))
}

impl Run<'_> {
    fn revoke(mut self, mut done: Done, caller: &Caller, yes: bool) -> Result<Exit> {
        let (mut seen, mut tally, end) = self.look(false, true);
        let (mut exit, named) = ended(&seen, &tally, end);
        for said in &seen.unspared {
            tracing::warn!("--except-login spares nobody: {said}");
        }
        done.sessions = seen.counts.sessions();
        done.sum.visitors = seen.visitors;
        let nobody = done.sessions + seen.visitors == 0;
        if !(done.dry_run || nobody || named.is_err() || matches!(exit, Exit::Interrupted(_))) {
            if let Some(exit) = self.refused(yes, &mut seen) {
                return Ok(exit);
            }
            tally = self.out(caller, &mut seen, &mut done);
            exit = run::exit(&tally, Some(End::Complete));
        }
        exit = done.exit(exit, &tally);
        if self.format == Format::Json || named.is_ok() {
            let numbers = seen.table.out.numbers();
            let document = Document {
                revoked: Some(done.revoked()),
                ..self.document("revoke", &seen, &tally, exit)
            };
            let how = (done.did, done.moment.map(|_| done.ended));
            let said = people::revoked(&seen.counts, done.sessions, done.sum, how, numbers);
            seen.table.close(&said, &document);
            done.warn();
        }
        warn(&seen, &tally);
        named?;
        Ok(run::told(&seen.table.out, Mode::Reap, exit))
    }

    /// Asks, unless that was answered. How it ends if the answer is no.
    fn refused(&self, yes: bool, seen: &mut Seen) -> Option<Exit> {
        if yes {
            return None;
        }
        let out = &mut seen.table.out;
        out.line(NOTES);
        out.flush();
        let question = people::question(&seen.counts, seen.visitors, out.numbers());
        match people::ask(&question, self.stop) {
            Ok(true) => None,
            Ok(false) => {
                tracing::error!("nobody was logged out");
                Some(Exit::Failed)
            }
            Err(signal) => Some(Exit::Interrupted(signal)),
        }
    }

    /// The second walk, and the watch.
    fn out(&mut self, caller: &Caller, seen: &mut Seen, done: &mut Done) -> Tally {
        std::thread::sleep(APART);
        self.plan.mode = Mode::Reap;
        // It is told whom: a read meanwhile keeps nobody.
        self.plan.policy.last_seen = LastSeen::Mtime;
        let watches = (!done.quiet.is_zero()).then(|| Watches::new(&self.store));
        let shown = (
            std::mem::take(&mut seen.keys),
            std::mem::take(&mut seen.shards),
        );
        let whom = (&self.selection, &seen.people, &self.keys);
        let revoking = Revoking::new(whom, shown, caller, watches.as_ref());
        let means = Means {
            store: &self.store,
            plan: &self.plan,
            stop: self.stop,
            progress: &Progress::default(),
        };
        let countdown = progress::Countdown::new(self.quiet);
        let show = |left, came_back| countdown.show(left, came_back);
        let (tally, end, ended) = people::out_with_them(means, &revoking, done.quiet, &show);
        countdown.end();
        done.sum = revoking.sum();
        done.sessions = revoking.logins();
        done.ended = match end {
            End::Interrupted(signal) => Ended::Interrupted(signal),
            _ => {
                done.moment = revoking.moment();
                ended
            }
        };
        let left = tally.failures() > 0 || (ended == Ended::Off && tally.saved_again > 0);
        done.did = match end {
            End::Complete if !left && self.is_in_place() => Did::All,
            _ => Did::Part,
        };
        tally
    }

    /// Whether Odoo saves where the store was opened; else says so.
    fn is_in_place(&self) -> bool {
        let moved = self.store.was_moved();
        if moved {
            tracing::error!(
                "{} was moved away meanwhile; whoever is in what stands there now is still logged in: revoke once more",
                redact::path(&self.store.given)
            );
        }
        !moved
    }
}

impl Done {
    fn nothing(dry_run: bool, quiet: Duration) -> Done {
        Done {
            dry_run,
            quiet,
            did: Did::Nothing,
            sum: Sum::default(),
            sessions: 0,
            moment: None,
            ended: Ended::Off,
        }
    }

    /// Somebody who is meant may still be there where a session could not be read, or was saved again and again.
    fn exit(&self, exit: Exit, tally: &Tally) -> Exit {
        let left = self.did == Did::Part || self.ended == Ended::Never || tally.denied() > 0;
        match (self.ended, exit) {
            (Ended::Interrupted(signal), _) => Exit::Interrupted(signal),
            (_, Exit::Done) if left => Exit::Partly,
            (_, exit) => exit,
        }
    }

    fn revoked(&self) -> Revoked {
        Revoked {
            dry_run: self.dry_run,
            moment: self.moment,
            // What was deleted, and not what would have been.
            deleted: match self.did {
                Did::Nothing => Sum::default(),
                Did::Part | Did::All => self.sum,
            },
            watch: self.ended.name(),
            watch_seconds: self.quiet.as_secs(),
        }
    }

    /// Says what it means that it did not come to its end.
    fn warn(&self) {
        match self.ended {
            Ended::Interrupted(_) if self.moment.is_none() => tracing::warn!(
                "it was ended before the whole store was seen, so some are still logged in: `who` tells, and another \
                 revoke ends it"
            ),
            Ended::Interrupted(_) => tracing::warn!(
                "the watch was ended early: whoever had a request under way can be logged in again; `who` tells, and \
                 another revoke ends it"
            ),
            Ended::Never => tracing::error!(
                "sessions still came back after {}: something saves them again and again; `who` tells which, restart \
                 Odoo and revoke once more",
                words(people::longest(self.quiet))
            ),
            Ended::Off | Ended::Quiet => {}
        }
    }
}
