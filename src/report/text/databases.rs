//! The table of databases.

use comfy_table::{Table, presets};

use super::{gone, print};
use crate::policy::Class;
use crate::reap::Mode;
use crate::report::numbers::{bytes, grouped};
use crate::report::{Finished, Out};
use crate::tally::databases::{Database, Name};

/// How many databases have a line of their own.
const LINES: usize = 20;

/// What was read, by database, the largest first.
pub fn write(out: &mut Out, finished: &Finished<'_>) {
    let mode = finished.plan.mode;
    let found = finished.tally.databases.rows();
    // One line for all that have none of their own, whether they are told apart or not.
    let (mut rest, mut rows): (Vec<_>, Vec<_>) = found
        .map(|(name, database)| (name, *database))
        .partition(|(name, _)| *name == Name::Others);
    rows.sort_by(|(a, one), (b, two)| {
        let files = |database: &Database| database.total().files;
        files(two).cmp(&files(one)).then(a.cmp(b))
    });
    rest.extend(rows.split_off(rows.len().min(LINES)));
    if !rest.is_empty() {
        let mut sum = Database::default();
        for (_, database) in &rest {
            sum.merge(database);
        }
        rows.push((Name::Others, sum));
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "Database",
        "Files",
        "On disk",
        gone(mode),
        "Authenticated",
    ]);
    for (name, database) in rows {
        let total = database.total();
        let gone = match mode {
            Mode::Audit => total.due,
            Mode::DryRun | Mode::Reap => total.deleted,
        };
        let logins = database.of(Class::Authenticated).files + database.of(Class::Protected).files;
        table.add_row([
            match name {
                Name::Database(name) => name,
                Name::Others => "other databases".to_owned(),
                Name::None => "no database".to_owned(),
            },
            grouped(total.files),
            bytes(database.disk),
            grouped(gone),
            grouped(logins),
        ]);
    }
    print(out, &mut table, 1..=4);
}
