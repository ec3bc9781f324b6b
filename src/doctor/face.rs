//! The findings as a list for people, and as a JSON document.

use serde::Serialize;

use super::finding::{Finding, Status};
use crate::redact::Shown;
use crate::report::Out;

/// The findings of one store.
pub struct Patient {
    /// The `sessions` directory.
    pub store: Shown,
    pub findings: Vec<Finding>,
}

/// The list: a line for each check, with what cures it below; the verdict last.
pub fn text(out: &mut Out, patients: &[Patient], verdict: &Shown, quiet: bool) {
    for patient in patients {
        let told = |finding: &&Finding| !quiet || finding.status != Status::Ok;
        let mut findings = patient.findings.iter().filter(told).peekable();
        if findings.peek().is_some() {
            let title = out.bold(&patient.store);
            out.line(title);
        }
        for Finding {
            id,
            status,
            evidence,
            cure,
        } in findings
        {
            let mark = status.mark();
            out.line(format_args!("{mark} {id:<9} {evidence}"));
            for line in cure.iter().flat_map(|cure| cure.lines()) {
                out.line(format_args!("            {line}"));
            }
        }
    }
    if !quiet || patients.iter().any(|patient| !is_well(patient)) {
        let verdict = out.bold(verdict);
        out.line(verdict);
    }
    out.flush();
}

fn is_well(patient: &Patient) -> bool {
    let mut findings = patient.findings.iter();
    findings.all(|finding| finding.status == Status::Ok)
}

/// One JSON document; docs/doctor.md describes it.
pub fn json(out: &mut Out, patients: &[Patient], verdict: &Shown, quiet: bool) {
    #[derive(Serialize)]
    struct Document<'a> {
        verdict: &'a Shown,
        checks: Vec<Check<'a>>,
    }
    #[derive(Serialize)]
    struct Check<'a> {
        store: &'a Shown,
        #[serde(flatten)]
        finding: &'a Finding,
    }
    let mut checks = Vec::new();
    for Patient { store, findings } in patients {
        let told = findings
            .iter()
            .filter(|finding| !quiet || finding.status != Status::Ok);
        checks.extend(told.map(|finding| Check { store, finding }));
    }
    let document = Document { verdict, checks };
    // Its maps have texts as keys, so that only memory could fail.
    if let Ok(text) = serde_json::to_string_pretty(&document) {
        out.line(text);
    }
    out.flush();
}
