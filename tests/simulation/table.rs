//! Who was logged out though active: what an administrator wants to know before he chooses a window.

use std::collections::BTreeMap;

use odoo_session_reaper::policy::LastSeen;

use crate::judge::Judge;
use crate::odoo::Version;
use crate::site::Case;
use crate::time::{DAY, HOUR, Time, short};

pub const WINDOWS: [Time; 6] = [12 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY];

/// Versions that save alike.
pub const FAMILIES: [&[Version]; 4] = [
    &[Version::V14, Version::V15],
    &[Version::V16, Version::V17],
    &[Version::V18],
    &[Version::V19, Version::V20],
];

#[derive(Default)]
struct Cell {
    of_active: u64,
    person_days: i64,
}

/// By family, clock and window.
#[derive(Default)]
pub struct Table {
    cells: BTreeMap<(usize, &'static str, Time), Cell>,
}

impl Table {
    pub fn add(&mut self, case: &Case, judge: &Judge) {
        let family = FAMILIES
            .iter()
            .position(|family| family.contains(&case.version));
        let clock = match case.setup.last_seen {
            LastSeen::Mtime => "`mtime`",
            LastSeen::Atime => "`atime`",
        };
        let key = (family.unwrap_or_default(), clock, case.setup.window);
        let cell = self.cells.entry(key).or_default();
        cell.of_active += judge.of_active;
        cell.person_days += judge.person_days;
    }

    /// As the documents show it: for 100 people in a year.
    pub fn print(&self) {
        let windows: Vec<Time> = WINDOWS
            .into_iter()
            .filter(|window| self.cells.keys().any(|key| key.2 == *window))
            .collect();
        let heads: Vec<String> = windows.iter().map(|window| short(*window)).collect();
        println!("\n| Odoo | `--last-seen` | {} |", heads.join(" | "));
        println!("|---|---|{}", "---:|".repeat(windows.len()));
        for (family, versions) in FAMILIES.iter().enumerate() {
            for clock in ["`mtime`", "`atime`"] {
                let cells =
                    windows
                        .iter()
                        .map(|window| match self.cells.get(&(family, clock, *window)) {
                            Some(cell) => per_100_years(cell),
                            None => "–".to_owned(),
                        });
                let cells: Vec<String> = cells.collect();
                let numbers: Vec<String> = versions
                    .iter()
                    .map(|version| version.number().to_string())
                    .collect();
                println!(
                    "| {} | {clock} | {} |",
                    numbers.join(", "),
                    cells.join(" | ")
                );
            }
        }
    }
}

fn per_100_years(cell: &Cell) -> String {
    let years = cell.person_days as f64 / 365.0;
    format!("{:.0}", cell.of_active as f64 * 100.0 / years)
}
