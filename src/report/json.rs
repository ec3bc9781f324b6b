//! The report for programs: the facts as one JSON document.

use super::facts::Facts;
use super::out::Out;

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const SCHEMA: u32 = 1;

/// Opens the document, before anything else is written. The list of due files comes first, because it is
/// streamed while the run goes on.
pub fn begin(out: &mut Out) {
    out.print(format_args!("{{\"schema\":{SCHEMA}"));
}

/// Writes the document, or closes the one that the list has begun.
pub fn write(out: &mut Out, facts: &Facts, begun: bool) {
    if !begun {
        begin(out);
    }
    // Strings and numbers of our own making: serialising them into memory cannot fail.
    let document = serde_json::to_string(facts).unwrap_or_default();
    out.line(format_args!(",{}", document.trim_start_matches('{')));
}
