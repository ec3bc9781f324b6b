//! The canary: foreign names that look like those of an Odoo that is newer than this version.

use crate::report::numbers::grouped;
use crate::tally::unknown::Shape;

/// The names of one shape.
pub fn note(shape: &Shape) -> String {
    let (count, what) = match (shape.count, shape.place.what()) {
        (1, what) => ("1".to_owned(), what.to_owned()),
        (many, "directory") => (grouped(many), "directories".to_owned()),
        (many, what) => (grouped(many), format!("{what}s")),
    };
    let is = if shape.count == 1 { "is" } else { "are" };
    let place = if shape.place.is_in_shard() {
        " in shards"
    } else {
        ""
    };
    let mut note = format!(
        "unknown: {count} {what} like {}{place} {is} unknown to this version, and not touched",
        shape.pattern()
    );
    if shape.samples > 0 {
        note.push_str(&format!(
            "; {} of {} looked into read as sessions",
            shape.sessions, shape.samples
        ));
    }
    note
}
