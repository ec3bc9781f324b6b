//! The canary: foreign names that look like those of an Odoo that is newer than this version.

use crate::report::Numbers;
use crate::report::facts::Unknown;

/// The names of one shape.
pub fn note(shape: &Unknown, numbers: Numbers) -> String {
    let names = numbers.of(shape.count, shape.what);
    let is = if shape.count == 1 { "is" } else { "are" };
    let place = if shape.in_shards { " in shards" } else { "" };
    let mut note = format!(
        "unknown: {names} like {}{place} {is} unknown to this version, and not touched",
        shape.like
    );
    if shape.samples > 0 {
        note.push_str(&format!(
            "; {} of {} looked into read as sessions",
            shape.sessions, shape.samples
        ));
    }
    note
}
