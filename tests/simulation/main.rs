//! Nobody active is logged out: years of Odoo and of people, simulated, against the real engine and real files.
//!
//! `cargo test --release --test simulation -- --full` takes minutes and simulates over a thousand user-years; plain
//! `cargo test` some of them. Both end with the table that `docs/windows.md` has, and say how to replay what failed.
//!
//! What is modelled stands in `odoo` (servers), `people`, `mount` (access times) and `site` (the order of events);
//! `reaper` asks the engine as the program does; `judge` says what must hold.

#![allow(clippy::unwrap_used)]

mod content;
mod disk;
mod judge;
mod killed;
mod mount;
mod odoo;
mod people;
mod reaper;
mod scenarios;
mod site;
mod table;
mod time;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use odoo_session_reaper::policy::LastSeen;

use judge::Judge;
use mount::Mount;
use reaper::Setup;
use scenarios::{SHORT, Wanted};
use site::Case;
use table::{FAMILIES, Table, WINDOWS};
use time::{DAY, short};

/// A scenario, or a case of the table, of which nothing more is wanted.
struct Work {
    case: Case,
    wanted: Option<Wanted>,
}

/// A site of some people, for each family of versions, window and clock.
fn of_the_table() -> Vec<Work> {
    let mut all = Vec::new();
    for (index, window) in WINDOWS.into_iter().enumerate() {
        for versions in FAMILIES {
            for last_seen in [LastSeen::Mtime, LastSeen::Atime] {
                // The versions of a family take turns.
                let version = versions[index % versions.len()];
                let setup = Setup {
                    window,
                    last_seen,
                    mount: Mount::Relatime,
                    fuse: None,
                };
                let name = format!(
                    "{}, {}, {}",
                    version.number(),
                    short(window),
                    last_seen.name()
                );
                let case = Case {
                    name,
                    version,
                    setup,
                    days: 366,
                    people: 24,
                    seed: 0,
                    incidents: Vec::new(),
                };
                all.push(Work { case, wanted: None });
            }
        }
    }
    all
}

/// Some of all, for some days: what `cargo test` has the time for.
fn shortened(all: Vec<Work>) -> Vec<Work> {
    let shorter = |mut work: Work| {
        let short = SHORT.iter().find(|(name, _)| work.case.name == *name);
        work.case.days = match short {
            Some((_, days)) => *days,
            None if work.wanted.is_none() && work.case.setup.window == 3 * DAY => 12,
            None => return None,
        };
        Some(work)
    };
    all.into_iter().filter_map(shorter).collect()
}

/// What the command line asks for.
struct Asked {
    full: bool,
    /// Only this case.
    case: Option<String>,
    seed: Option<u64>,
}

fn asked() -> Asked {
    let args: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let seed = after("--seed").or_else(|| std::env::var("SIMULATION_SEED").ok());
    Asked {
        full: args.iter().any(|arg| arg == "--full"),
        case: after("--case"),
        seed: seed.map(|seed| seed.parse().unwrap()),
    }
}

fn main() -> ExitCode {
    // Cargo's own questions to a test program.
    if std::env::args().any(|arg| arg == "--list") {
        return ExitCode::SUCCESS;
    }
    let asked = asked();
    content::check();
    let mut all = of_the_table();
    for (case, wanted) in scenarios::all() {
        let wanted = Some(wanted);
        all.push(Work { case, wanted });
    }
    for (index, work) in all.iter_mut().enumerate() {
        // The same in each run, so that a change is what makes a difference; another number tries others.
        let seed = asked.seed.unwrap_or(2024);
        work.case.seed = if asked.case.is_some() {
            seed
        } else {
            seed * 1_000 + index as u64
        };
    }
    if let Some(name) = &asked.case {
        all.retain(|work| work.case.name == *name);
        assert!(!all.is_empty(), "there is no case {name:?}");
    } else if !asked.full {
        all = shortened(all);
    }
    report(&all, &at_the_same_time(&all))
}

/// As many cases at a time as there are processors.
fn at_the_same_time(all: &[Work]) -> Vec<Judge> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(work) = all.get(index) else { break };
                    let mut judge = site::simulate(&work.case);
                    if let Some((wanted, seen)) = work.wanted {
                        if !judge.has_failed() && !seen(&judge) {
                            judge.disappointed(&work.case, wanted);
                        }
                    }
                    done.lock().unwrap().push((index, judge));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, judge)| judge).collect()
}

fn report(all: &[Work], judges: &[Judge]) -> ExitCode {
    let mut table = Table::default();
    let (mut runs, mut deleted, mut person_days, mut failed) = (0, 0, 0, 0);
    for (work, judge) in all.iter().zip(judges) {
        runs += judge.runs;
        deleted += judge.deleted;
        person_days += judge.person_days;
        let wanted = work.wanted.map_or("", |(wanted, _)| wanted);
        println!("{}: {judge}; {wanted}", work.case.name);
        if work.wanted.is_none() {
            table.add(&work.case, judge);
        }
        for failure in judge.failures() {
            failed += 1;
            println!("FAILED {failure}");
        }
    }
    println!("\nactive people who were logged out, for 100 people in a year (`relatime`):");
    table.print();
    let years = person_days as f64 / 365.0;
    println!(
        "\nsimulation: {years:.0} user-years, {runs} hourly runs, {deleted} files deleted, {failed} failures"
    );
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
