//! What must hold, and what is counted.

use std::fmt::{self, Write as _};

use odoo_session_reaper::policy::Class;
use odoo_session_reaper::tally::Tally;

use crate::content::What;
use crate::disk::{Disk, File};
use crate::odoo::{Odoo, Session};
use crate::reaper::{Run, Setup};
use crate::site::{Case, Incident};
use crate::time::{DAY, HOUR, START, Time};

/// For how long reads alone can keep a session: what somebody in one tab on 14 and 15 must know.
const READS_KEEP: Time = 90 * DAY;

/// Session files that a run deleted, or a kill.
type Gone = [(String, File)];

#[derive(Default)]
pub struct Judge {
    case: String,
    seed: u64,
    failures: Vec<String>,
    pub person_days: i64,
    /// How often somebody logged in.
    pub logins: u64,
    pub runs: u64,
    pub left_alone: u64,
    pub deleted: u64,
    /// Logins that ended while the browser still had the cookie.
    pub logouts: u64,
    /// Of these, people who had worked within their window.
    pub of_active: u64,
    /// Of these, those whose last save was over 90 days before their window: nothing but one open tab.
    pub of_old_tabs: u64,
    /// Runs that the fuse kept from ending a login.
    pub fused: u64,
    pub most_files: usize,
    /// Runs that were killed when they had deleted some files, and not all that were due.
    pub killed: u64,
    /// Until then clocks were wrong lately, or a backup came back: ages say nothing.
    distrust: Time,
    /// How far a file server's clock is off.
    off: Time,
    /// Others read the files too, or clocks lied: the audit's number has an upper bound only.
    others_read: bool,
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs (left alone {}, fused {}, killed {}), {} files deleted, at most {} there, {} logins by hand, {} logouts, {} of active people ({} of old tabs)",
            self.runs,
            self.left_alone,
            self.fused,
            self.killed,
            self.deleted,
            self.most_files,
            self.logins,
            self.logouts,
            self.of_active,
            self.of_old_tabs
        )
    }
}

impl Judge {
    pub fn new(case: &Case) -> Judge {
        Judge {
            case: case.name.clone(),
            seed: case.seed,
            ..Judge::default()
        }
    }

    fn fail(&mut self, now: Time, what: &str) {
        let (day, hour) = ((now - START) / DAY, (now - START) % DAY / HOUR);
        let mut told = format!("{}, day {day}, {hour} h: {what}", self.case);
        let _ = write!(
            told,
            "\n    replay: cargo test --release --test simulation -- --case {:?} --seed {}",
            self.case, self.seed
        );
        self.failures.push(told);
    }

    /// A scenario did not come to what it must.
    pub fn disappointed(&mut self, case: &Case, wanted: &str) {
        self.fail(
            START + case.days * DAY,
            &format!("wanted: {wanted}, but {self}"),
        );
    }

    pub fn has_failed(&self) -> bool {
        !self.failures.is_empty()
    }

    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    pub fn incident(&mut self, incident: Incident, now: Time) {
        match incident {
            // What was saved meanwhile has wrong times until they are past, and its window with them.
            Incident::Clock(_) => self.distrust = now + 60 * DAY,
            Incident::Restore(_) => self.distrust = now + 60 * DAY,
            Incident::Server(ahead) => {
                self.off = ahead.abs();
                self.others_read = true;
            }
            Incident::ReadingBackup => self.others_read = true,
            _ => {}
        }
    }

    /// After each run of the timer.
    pub fn ran(
        &mut self,
        audit: &Run,
        run: &Run,
        gone: &Gone,
        odoo: &Odoo,
        setup: &Setup,
        now: Time,
    ) {
        self.runs += 1;
        self.left_alone += u64::from(run.tally.is_none());
        self.fused += u64::from(run.fused);
        self.most_files = self.most_files.max(odoo.disk.files.len() + gone.len());
        self.counts(run, gone, now);
        let mut read_within = 0;
        for (name, file) in gone {
            self.deleted += 1;
            self.age(name, file, odoo, setup, now);
            let session = file.session.map(|id| &odoo.sessions[id]);
            if let Some(session) = session.filter(|session| session.name == *name) {
                read_within += u64::from(self.owner(file, session, odoo, setup, now));
            }
        }
        self.announced(audit, read_within, setup, now);
        if run.complete && !run.fused && now > self.distrust {
            self.bounded(odoo, setup, now);
        }
    }

    /// Nothing goes twice, and what has gone was told.
    fn counts(&mut self, run: &Run, gone: &Gone, now: Time) {
        let tally = run.tally.as_ref();
        let settled = tally.map_or(0, |tally| tally.total().settled.files);
        let errors = tally.map_or(0, Tally::failures);
        if (settled, run.told) != (gone.len() as u64, gone.len() as u64) || errors > 0 {
            let told = run.told;
            self.fail(
                now,
                &format!(
                    "{} files have gone, {settled} were counted, {told} told, {errors} errors",
                    gone.len()
                ),
            );
        }
        let due = |class| tally.map_or(0, |tally| tally.row(class).due.files);
        if due(Class::Foreign) + due(Class::Unreadable) > 0 {
            self.fail(now, "something was due that is no session");
        }
    }

    /// Nothing goes within its window.
    fn age(&mut self, name: &str, file: &File, odoo: &Odoo, setup: &Setup, now: Time) {
        let window = setup.window_of(file.what);
        if now > self.distrust && now - file.saved + self.off <= window {
            self.fail(
                now,
                &format!(
                    "{name} went {} minutes after its save",
                    (now - file.saved) / 60_000
                ),
            );
        }
        let host = now + odoo.disk.host;
        if host - file.stamps.mtime <= window {
            self.fail(
                now,
                &format!("{name} went within its window, by the times that the reaper saw"),
            );
        }
    }

    /// Somebody's session has gone; tells whether Odoo had read it within its window, as far as logins go.
    fn owner(
        &mut self,
        file: &File,
        session: &Session,
        odoo: &Odoo,
        setup: &Setup,
        now: Time,
    ) -> bool {
        if !matches!(file.what, What::Login | What::Cart) {
            return false;
        }
        let since_save = odoo.disk.stamp(now) - file.stamps.mtime;
        let in_use = now - session.used <= setup.window;
        let old_tab = since_save > READS_KEEP + setup.window;
        let live = !session.ended && session.cookie_until > now;
        let promised = setup.by_reads() && setup.mount.keeps_reads() && now > self.distrust;
        if in_use && live && promised && !old_tab {
            let minutes = (now - session.used) / 60_000;
            self.fail(
                now,
                &format!(
                    "a {:?} went {minutes} minutes after its last use",
                    file.what
                ),
            );
        }
        if file.what != What::Login {
            return false;
        }
        if live {
            self.logouts += 1;
            let worked = now - session.worked <= setup.window;
            self.of_active += u64::from(worked);
            self.of_old_tabs += u64::from(worked && old_tab);
        }
        in_use
    }

    /// Who was active and has gone was announced by the audit before: exactly where each read is noted, else within its
    /// bounds.
    fn announced(&mut self, audit: &Run, read_within: u64, setup: &Setup, now: Time) {
        if now <= self.distrust || !setup.mount.keeps_reads() {
            return;
        }
        let Some(reads) = audit.tally.as_ref().map(|tally| tally.reads) else {
            return;
        };
        let least = reads.due_but_active;
        let most = least + reads.perhaps_active;
        let wrong = if self.others_read {
            read_within > most
        } else {
            !(least..=most).contains(&read_within)
        };
        if wrong {
            self.fail(now, &format!("the audit said that {least} to {most} were due but active, and it was {read_within}"));
        }
    }

    /// The pile: after a whole run nothing is left that is older than its window allows.
    fn bounded(&mut self, odoo: &Odoo, setup: &Setup, now: Time) {
        let reads_count = setup.by_reads() && setup.mount.keeps_reads();
        let mut left = None;
        for (name, file) in &odoo.disk.files {
            let read = match file.what {
                What::Login | What::Cart | What::Superseded if reads_count => {
                    (file.read + setup.mount.grain()).min(file.saved + READS_KEEP)
                }
                _ => file.saved,
            };
            let idle = now - file.saved.max(read);
            if idle > setup.window_of(file.what) + self.off {
                left = Some(format!(
                    "{name}, a {:?}, was left after {} hours",
                    file.what,
                    idle / HOUR
                ));
            }
        }
        if let Some(left) = left {
            self.fail(now, &left);
        }
    }

    /// What a killed run deleted was due as well.
    pub fn killed(&mut self, gone: &Gone, odoo: &Odoo, setup: &Setup, now: Time) {
        let is_due =
            |file: &File| odoo.disk.stamp(now) - file.stamps.mtime > setup.window_of(file.what);
        let left = odoo.disk.files.values().any(is_due);
        self.killed += u64::from(left && !gone.is_empty());
        for (name, file) in gone {
            self.deleted += 1;
            self.age(name, file, odoo, setup, now);
        }
        self.compare(&odoo.disk, now);
    }

    pub fn compare(&mut self, disk: &Disk, now: Time) {
        if let Err(different) = disk.compare() {
            self.fail(now, &different);
        }
    }
}
