//! The facts, gathered from all that took part in a run.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::exit::Exit;
use crate::policy::Policy;
use crate::reap::Plan;
use crate::redact;
use crate::settings::{Effective, Settings, Value};
use crate::store::{Room, Store};
use crate::tally::databases;
use crate::tally::reads::SHORTER;
use crate::tally::{Operation, Tally};

/// A run that has come to its end, with all that there is to tell of it.
pub struct Finished<'a> {
    pub settings: &'a Settings,
    pub store: &'a Store,
    pub plan: &'a Plan,
    pub tally: &'a Tally,
    /// How it ended; `None` for a dormant store that was left alone.
    pub end: Option<End>,
    /// Nothing was saved in the store for longer than the shortest window.
    pub dormant: bool,
    pub took: Duration,
    /// The file system's room afterwards.
    pub room: Room,
    /// How the process ends.
    pub exit: Exit,
}

impl Facts {
    pub fn of(run: &Finished<'_>) -> Facts {
        let (plan, tally) = (run.plan, run.tally);
        let mut found = Found::of(tally, plan.mode, &plan.policy);
        found.reads = ReadFacts::of(run);
        let logins = !run.settings.report.no_logins;
        let effective = run.settings.rules.effective.iter();
        Facts {
            version: env!("CARGO_PKG_VERSION"),
            command: match plan.mode {
                Mode::Audit => "audit",
                Mode::DryRun | Mode::Reap => "reap",
            },
            mode: plan.mode,
            dry_run: plan.mode == Mode::DryRun,
            started: plan.policy.now,
            took: run.took,
            end: run.end,
            signal: match run.end {
                Some(End::Interrupted(signal)) => Some(signal),
                _ => None,
            },
            exit_code: run.exit.code(),
            limit: plan.limit,
            max_logouts: plan.max_logouts,
            store: StoreFacts::of(run),
            room: run.room,
            windows: general_windows(&plan.policy),
            shortest: plan.policy.shortest(),
            policy: effective
                .map(|it| Effective {
                    value: it.value.with_logins(logins),
                    ..it.clone()
                })
                .collect(),
            found,
            nobody: nobody(run),
            last_seen: match plan.policy.reads_count() {
                true => LastSeen::Atime,
                false => LastSeen::Mtime,
            },
        }
    }
}

impl StoreFacts {
    fn of(run: &Finished<'_>) -> StoreFacts {
        let (store, tally) = (run.store, run.tally);
        StoreFacts {
            path: redact::path(&store.given),
            resolved: redact::path(&store.resolved),
            from: run.settings.location.from.clone(),
            found: run.settings.location.found,
            uid: store.stat.uid,
            gid: store.stat.gid,
            last_change: store.stat.mtime,
            dormant: run.dormant,
            flat_files: tally.flat,
            sharded_files: tally.sharded,
            shards: tally.shards,
        }
    }
}

impl Found {
    pub fn of(tally: &Tally, mode: Mode, policy: &Policy) -> Found {
        let class_row = |class| ClassRow {
            class,
            window: policy.window(class).map(|window| window.as_secs()),
            windows: windows(tally, policy, class),
            row: tally.row(class).told(mode),
        };
        let databases = tally.databases.rows();
        Found {
            classes: Class::ALL.into_iter().map(class_row).collect(),
            total: tally.total().told(mode),
            databases: databases.map(|row| Database::of(row, mode)).collect(),
            logins: tally.logins,
            logouts: Logouts {
                logins: tally.row(Class::Authenticated).settled.files,
                people: tally.people.count(),
                kept: tally.kept_logins,
                at_least: tally.people.are_more() || tally.row(Class::NotRead).settled.files > 0,
            },
            reads: ReadFacts::default(),
            lifetime_unknown: tally.lifetime_unknown,
            unknown: tally.unknown.told(),
            kept: Kept {
                implausible_time: tally.implausible_times,
                saved_again: tally.saved_again,
            },
            vanished: tally.vanished,
            unreadable: tally.unreadable.clone(),
            errors: tally.errors.iter().map(failure).collect(),
        }
    }
}

impl ReadFacts {
    fn of(run: &Finished<'_>) -> ReadFacts {
        let (plan, tally) = (run.plan, run.tally);
        if plan.policy.reads.grain().is_none() {
            return ReadFacts::default();
        }
        let reads = &tally.reads;
        let facts = ReadFacts {
            due_but_active: Some(reads.due_but_active),
            due_but_active_up_to: Some(reads.due_but_active + reads.perhaps_active),
            ..ReadFacts::default()
        };
        if plan.mode != Mode::Audit || !reads.any {
            return facts;
        }
        let (read, together) = reads.day.reads();
        let window = plan.policy.general().windows.anonymous;
        let effective = &run.settings.rules.effective;
        // Databases with a window of their own do not go by the general one.
        let holds = window > SHORTER.0
            && !effective
                .iter()
                .any(|it| it.database.is_some() && it.option == "anonymous_window");
        let visitors = tally.row(Class::Anonymous);
        let left_now = visitors.all.files - visitors.due.files;
        let left = reads.left_by_shorter;
        ReadFacts {
            bounced: Some(reads.bounced),
            read: Some(read),
            read_together: Some(together),
            left_by_shorter: (holds && left < left_now).then_some(left),
            ..facts
        }
    }
}

impl Database {
    fn of(
        (name, others, found): (Option<Shown>, bool, &databases::Database),
        mode: Mode,
    ) -> Database {
        let classes = Class::ALL.into_iter().zip(found.classes);
        let classes = classes.filter(|(_, found)| found.files > 0);
        let of_class = |(class, found): (Class, Fates)| DatabaseClass {
            class,
            found: found.told(mode),
        };
        Database {
            name,
            others,
            disk_bytes: found.disk,
            total: found.total().told(mode),
            classes: classes.map(of_class).collect(),
        }
    }
}

fn general_windows(policy: &Policy) -> [(&'static str, Option<u64>); 5] {
    let windows = &policy.general().windows;
    let seconds = |window: Duration| Some(window.as_secs());
    [
        ("authenticated", seconds(windows.authenticated)),
        ("anonymous", seconds(windows.anonymous)),
        ("cart", seconds(windows.cart)),
        ("leftover", seconds(windows.leftover)),
        ("unreadable", windows.unreadable.and_then(seconds)),
    ]
}

/// The shortest and the longest window that counted for files of a class.
fn windows(tally: &Tally, policy: &Policy, class: Class) -> Option<[Duration; 2]> {
    let general = policy.window(class)?;
    let mut left = tally.row(class).all.files;
    let mut windows = Vec::new();
    for (name, rules) in policy.databases() {
        let found = tally.databases.of(name);
        let files = found.map_or(0, |found| found.classes[class as usize].files);
        left -= files.min(left);
        windows.extend(rules.windows.of(class).filter(|_| files > 0));
    }
    windows.extend((left > 0).then_some(general));
    Some([*windows.iter().min()?, *windows.iter().max()?])
}

fn failure(((operation, errno), count): (&(Operation, i32), &u64)) -> Failure {
    let error = std::io::Error::from_raw_os_error(*errno);
    Failure {
        operation: operation.name(),
        errno: *errno,
        message: redact::printable(error.to_string().as_bytes()),
        count: *count,
    }
}

fn nobody(run: &Finished<'_>) -> Nobody {
    let (plan, tally) = (run.plan, run.tally);
    let knows_all = plan.mode == Mode::Audit
        && run.end == Some(End::Complete)
        && tally.denied() + tally.failures() + tally.elsewhere == 0;
    if !knows_all {
        return Nobody::default();
    }
    let databases = plan.policy.databases().keys();
    let absent = databases.filter(|name| tally.databases.of(name).is_none());
    let rules = plan.policy.all_rules();
    let patterns = rules.flat_map(|rules| &rules.keep_logins);
    let unmatched: BTreeSet<&str> = patterns
        .map(|pattern| pattern.as_str())
        .filter(|pattern| !tally.matched.contains(*pattern))
        .collect();
    let shown = !run.settings.report.no_logins;
    Nobody {
        databases: absent.map(printable).collect(),
        keep_login: (!unmatched.is_empty()).then(|| Value::logins(unmatched).with_logins(shown)),
    }
}

fn printable(text: &String) -> Shown {
    redact::printable(text.as_bytes())
}
