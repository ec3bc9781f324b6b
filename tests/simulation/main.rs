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
use scenarios::Scenario;
use site::Case;
use table::{FAMILIES, Table, WINDOWS};
use time::short;

/// A case of the table, or a scenario.
struct Work {
    case: Case,
    scenario: Option<Scenario>,
}

/// A site of some people, for each family of versions, window and clock.
fn of_the_table(full: bool) -> Vec<Work> {
    let mut all = Vec::new();
    for (index, window) in WINDOWS.into_iter().enumerate() {
        for (family, versions) in FAMILIES.iter().enumerate() {
            // In short, each window is tried with one family, and each family with one window or two.
            if !full && index % FAMILIES.len() != family {
                continue;
            }
            for last_seen in [LastSeen::Mtime, LastSeen::Atime] {
                let version = versions[index % versions.len()];
                let (days, people) = if full { (366, 24) } else { (45, 16) };
                let setup = Setup {
                    window,
                    last_seen,
                    mount: Mount::Relatime,
                    fuse: None,
                };
                let case = Case {
                    name: format!(
                        "{}, {}, {}",
                        version.number(),
                        short(window),
                        last_seen.name()
                    ),
                    version,
                    setup,
                    days,
                    people,
                    seed: 0,
                    incidents: Vec::new(),
                };
                all.push(Work {
                    case,
                    scenario: None,
                });
            }
        }
    }
    all
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
    let mut all = of_the_table(asked.full || asked.case.is_some());
    all.extend(scenarios::all().into_iter().map(|scenario| Work {
        case: scenario.case.clone(),
        scenario: Some(scenario),
    }));
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
                    if let Some(scenario) = &work.scenario {
                        if !judge.has_failed() && !(scenario.expected)(&judge) {
                            judge.disappointed(&work.case, scenario.wanted);
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
        match &work.scenario {
            Some(scenario) => println!("{}: {judge}; wanted: {}", work.case.name, scenario.wanted),
            None => table.add(&work.case, judge),
        }
        if work.scenario.is_none() {
            println!("{}: {judge}", work.case.name);
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
