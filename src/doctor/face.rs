//! The findings as a list for people, and as a JSON document.

use serde::Serialize;

use super::finding::{Check, Status};
use crate::redact::Shown;
use crate::report::Out;

/// The list: the stores, with a line for each check and what cures it below; the verdict last.
pub fn text(out: &mut Out, checks: &[Check], verdict: Option<&Shown>) {
    for store in checks.chunk_by(|one, next| one.store == next.store) {
        out.line(out.bold(&store[0].store));
        for Check { id, finding, .. } in store {
            let mark = match finding.status {
                Status::Ok => "✓",
                Status::Warning => "!",
                Status::Problem => "✗",
                Status::Unknown => "?",
            };
            out.line(format_args!("{mark} {id:<9} {}", finding.evidence));
            for line in finding.cure.iter().flat_map(|cure| cure.lines()) {
                out.line(format_args!("            {line}"));
            }
        }
    }
    if let Some(verdict) = verdict {
        out.line(out.bold(verdict));
    }
    out.flush();
}

/// One JSON document; docs/doctor.md describes it.
pub fn json(out: &mut Out, checks: &[Check], verdict: &Shown) {
    #[derive(Serialize)]
    struct Document<'a> {
        verdict: &'a Shown,
        checks: &'a [Check],
    }
    // Its maps have texts as keys, so that only memory could fail.
    if let Ok(text) = serde_json::to_string_pretty(&Document { verdict, checks }) {
        out.line(text);
    }
    out.flush();
}
