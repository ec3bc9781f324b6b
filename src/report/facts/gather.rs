//! The facts, gathered from all that took part in a run.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::exit::Exit;
use crate::reap::Plan;
use crate::redact;
use crate::settings::{Effective, Location, Source, Value};
use crate::store::{Room, Store};
use crate::tally::databases::{self, Name};
use crate::tally::reads::SHORTER;
use crate::tally::{self, Tally};

/// A run that has come to its end, with all that there is to tell of it.
pub struct Finished<'a> {
    /// Where the store is, and who said so.
    pub location: &'a Location,
    /// The store.
    pub store: &'a Store,
    /// What was to be done.
    pub plan: &'a Plan,
    /// Every value of the policy, with who said so.
    pub effective: &'a [Effective],
    /// Whether logins may be shown, and patterns of logins with them.
    pub logins: bool,
    /// What was found and done.
    pub tally: &'a Tally,
    /// How it ended; `None` for a dormant store that was left alone.
    pub end: Option<End>,
    /// Nothing was saved in the store for longer than the shortest window.
    pub dormant: bool,
    /// How long it took.
    pub took: Duration,
    /// The file system's room afterwards.
    pub room: Room,
    /// How the process ends.
    pub exit: Exit,
}

impl Facts {
    /// The facts of a run.
    pub fn of(run: &Finished<'_>) -> Facts {
        let Finished {
            location,
            store,
            plan,
            tally,
            ..
        } = run;
        let windows = &plan.policy.general().windows;
        let window = |class| plan.policy.window(class).map(|window| window.as_secs());
        let mut found = Found::of(tally, plan.mode, window);
        found.take_reads(run);
        let knows_all = plan.mode == Mode::Audit
            && run.end == Some(End::Complete)
            && found.denied() + found.failures() + tally.elsewhere == 0;
        Facts {
            version: env!("CARGO_PKG_VERSION"),
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
            store: StoreFacts {
                path: redact::path(&store.given),
                resolved: redact::path(&store.resolved),
                from: location.from.clone(),
                found: location.found,
                uid: store.stat.uid,
                gid: store.stat.gid,
                last_change: store.stat.mtime,
                dormant: run.dormant,
                flat_files: tally.flat,
                sharded_files: tally.sharded,
                shards: tally.shards,
            },
            file_system: FileSystem {
                inodes: run.room.inodes.map(|inodes| inodes.total),
                inodes_free: run.room.inodes.map(|inodes| inodes.free),
                bytes: run.room.bytes.map(|bytes| bytes.total),
                bytes_free: run.room.bytes.map(|bytes| bytes.free),
            },
            windows: Windows {
                authenticated: windows.authenticated.as_secs(),
                anonymous: windows.anonymous.as_secs(),
                cart: windows.cart.as_secs(),
                leftover: windows.leftover.as_secs(),
                unreadable: windows.unreadable.map(|window| window.as_secs()),
                shortest: plan.policy.shortest().as_secs(),
            },
            policy: run
                .effective
                .iter()
                .map(|effective| setting(effective, run.logins))
                .collect(),
            found,
            nobody: match knows_all {
                true => nobody(plan, tally, run.logins),
                false => Nobody::default(),
            },
            last_seen: match plan.policy.reads_count() {
                true => LastSeen::Atime,
                false => LastSeen::Mtime,
            },
        }
    }
}

impl Found {
    /// What was found and done, with the window of each class in seconds.
    pub fn of(tally: &Tally, mode: Mode, window: impl Fn(Class) -> Option<u64>) -> Found {
        let class_row = |class| ClassRow {
            class,
            window: window(class),
            row: Row::of(tally.row(class), mode),
        };
        let of_name = |(name, found)| Database::of(name, found, mode);
        Found {
            classes: Class::ALL.into_iter().map(class_row).collect(),
            total: Row::of(&tally.total(), mode),
            databases: tally.databases.rows().map(of_name).collect(),
            logins: tally.logins,
            logouts: Logouts {
                logins: tally.row(Class::Authenticated).settled.files,
                people: tally.people.count(),
                at_least: tally.people.are_more() || tally.row(Class::NotRead).settled.files > 0,
            },
            due_but_active: None,
            due_but_active_up_to: None,
            bounced: None,
            left_by_shorter: None,
            lifetime_unknown: tally.lifetime_unknown,
            unknown: tally
                .unknown
                .told()
                .into_iter()
                .map(|shape| Unknown {
                    what: shape.place.what(),
                    in_shards: shape.place.is_in_shard(),
                    like: shape.pattern(),
                    count: shape.count,
                    samples: shape.samples,
                    sessions: shape.sessions,
                })
                .collect(),
            kept: Kept {
                implausible_time: tally.implausible_times,
                saved_again: tally.saved_again,
            },
            vanished: tally.vanished,
            unreadable: tally.unreadable.clone(),
            errors: tally
                .errors
                .iter()
                .map(|((operation, errno), count)| {
                    let error = std::io::Error::from_raw_os_error(*errno);
                    Failure {
                        operation: operation.name(),
                        errno: *errno,
                        message: redact::printable(error.to_string().as_bytes()),
                        count: *count,
                    }
                })
                .collect(),
        }
    }
}

impl Found {
    /// What the times of reads say, as far as the mount keeps them.
    fn take_reads(&mut self, run: &Finished<'_>) {
        let Finished { plan, tally, .. } = run;
        if plan.policy.reads.grain().is_none() {
            return;
        }
        let reads = &tally.reads;
        self.due_but_active = Some(reads.due_but_active);
        self.due_but_active_up_to = Some(reads.due_but_active + reads.perhaps_active);
        if plan.mode != Mode::Audit || !reads.any {
            return;
        }
        self.bounced = Some(reads.bounced);
        let window = plan.policy.general().windows.anonymous;
        let mut of_databases = run.effective.iter().filter(|it| it.database.is_some());
        let visitors = tally.row(Class::Anonymous);
        let left_now = visitors.all.files - visitors.due.files;
        // Databases with a window of their own do not go by the general one.
        let holds = of_databases.all(|it| it.option != "anonymous_window") && window > SHORTER.0;
        self.left_by_shorter =
            (holds && reads.left_by_shorter < left_now).then_some(reads.left_by_shorter);
    }
}

impl Row {
    fn of(row: &tally::Row, mode: Mode) -> Row {
        Row {
            all: row.all,
            due: row.due,
            deleted: mode.deleted(row.settled),
            oldest: row.oldest,
            ages: row.ages,
            settled: row.settled,
            spared: row.spared,
        }
    }
}

impl Database {
    fn of(name: Name, found: &databases::Database, mode: Mode) -> Database {
        let total = found.total();
        let of_class = |class: Class| {
            let fates = found.of(class);
            (fates.files > 0).then(|| DatabaseClass {
                class,
                files: fates.files,
                due: fates.due,
                deleted: mode.deleted(fates.settled),
            })
        };
        Database {
            others: name == Name::Others,
            name: match name {
                Name::Database(name) => Some(name),
                Name::Others | Name::None => None,
            },
            files: total.files,
            disk_bytes: found.disk,
            due: total.due,
            deleted: mode.deleted(total.settled),
            classes: Class::ALL.into_iter().filter_map(of_class).collect(),
            settled: total.settled,
        }
    }
}

fn setting(effective: &Effective, logins_shown: bool) -> Setting {
    let (source, place) = match &effective.source {
        Source::CommandLine => ("command-line", None),
        Source::Environment => ("environment", None),
        Source::File {
            file,
            section,
            line,
        } => ("file", Some((file, section, *line))),
        Source::Default => ("default", None),
    };
    Setting {
        option: effective.option,
        database: effective.database.as_ref().map(printable),
        value: match &effective.value {
            Value::Duration(duration) => SettingValue::Seconds(duration.as_secs()),
            Value::Logins(logins) => patterns(logins, logins_shown),
            Value::Switch(on) => SettingValue::Switch(*on),
            Value::LastSeen(last_seen) => SettingValue::Word(last_seen.name()),
            Value::Never => SettingValue::Never,
        },
        source,
        file: place.map(|(file, ..)| file.clone()),
        section: place.map(|(_, section, _)| printable(section)),
        line: place.map(|(.., line)| line),
    }
}

fn nobody(plan: &Plan, tally: &Tally, logins_shown: bool) -> Nobody {
    let databases = plan.policy.databases().keys();
    let absent = databases.filter(|name| !tally.databases.has(name));
    let patterns_of_all = plan.policy.all_rules().flat_map(|rules| &rules.keep_logins);
    let unmatched: BTreeSet<String> = patterns_of_all
        .map(|pattern| pattern.as_str().to_owned())
        .filter(|pattern| !tally.matched.contains(pattern))
        .collect();
    let unmatched: Vec<String> = unmatched.into_iter().collect();
    Nobody {
        databases: absent.map(printable).collect(),
        keep_login: (!unmatched.is_empty()).then(|| patterns(&unmatched, logins_shown)),
    }
}

fn patterns(logins: &[String], shown: bool) -> SettingValue {
    match shown {
        true => SettingValue::Logins(logins.iter().map(printable).collect()),
        false => SettingValue::Hidden(logins.len()),
    }
}

fn printable(text: &String) -> Shown {
    redact::printable(text.as_bytes())
}
