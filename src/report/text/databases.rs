//! The table of databases.

use comfy_table::Table;

use super::{gone, print};
use crate::policy::Class;
use crate::report::Out;
use crate::report::facts::{Database, Facts};
use crate::report::numbers::bytes;

/// How many databases have a line of their own.
const LINES: usize = 20;

/// What was read, by database, the largest first. Nothing where there is only one.
pub fn write(out: &mut Out, facts: &Facts) {
    let named = |found: &&Database| found.name.is_some() || found.others;
    if facts.found.databases.iter().filter(named).count() < 2 {
        return;
    }
    // One line for all that have none of their own, whether they are told apart or not.
    let (mut rest, mut rows): (Vec<&Database>, Vec<_>) =
        facts.found.databases.iter().partition(|found| found.others);
    // They come by name, and those of none last.
    rows.sort_by_key(|found| std::cmp::Reverse(found.total.files));
    rest.extend(rows.split_off(rows.len().min(LINES)));
    let mut table = Table::new();
    let columns = [
        "Database",
        "Files",
        "On disk",
        gone(facts.mode),
        "Authenticated",
    ];
    table.set_header(columns);
    let numbers = out.numbers();
    let mut add = |label: &str, rows: &[&Database]| {
        let sum = |of: fn(&Database) -> u64| rows.iter().map(|row| of(row)).sum();
        table.add_row([
            label.to_owned(),
            numbers.count(sum(|row| row.total.files)),
            bytes(sum(|row| row.disk_bytes)),
            numbers.count(sum(|row| row.total.settled)),
            numbers.count(sum(logged_in)),
        ]);
    };
    for row in rows {
        add(row.name.as_deref().unwrap_or("no database"), &[row]);
    }
    if !rest.is_empty() {
        add("other databases", &rest);
    }
    print(out, table, 1..=4, None);
    out.line("");
}

/// Logged-in sessions; those that Odoo moved to a new file are there a second time.
fn logged_in(found: &Database) -> u64 {
    let rows = found.classes.iter();
    rows.filter(|row| matches!(row.class, Class::Authenticated | Class::Protected))
        .map(|row| row.found.files)
        .sum()
}
