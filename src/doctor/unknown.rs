//! `unknown`: traces of an Odoo that this program does not know.

use super::Case;
use super::finding::{Finding, Status};
use super::host::store::{Audit, Shape};
use crate::redact::{self, Shown, joined, shown};

pub const ID: &str = "unknown";

/// The newest Odoo whose session files this program was tried with.
const NEWEST: u32 = 20;

pub struct Evidence {
    /// What foreign files of one shape look like, and how many there are.
    pub shapes: Vec<(Shown, u64)>,
    /// Versions that are newer than this program knows.
    pub newer: Vec<u64>,
    pub data_dir: Shown,
}

pub fn gather(case: &Case<'_>, audit: &Audit) -> Evidence {
    let shape = |shape: &Shape| (redact::printable(shape.like.as_bytes()), shape.count);
    let newer = case.versions().map(|(major, _)| major);
    let newer = newer.filter(|major| *major > NEWEST);
    Evidence {
        shapes: audit.unknown.iter().map(shape).collect(),
        newer: newer.map(u64::from).collect(),
        data_dir: case.data_dir(),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let mut doubts: Vec<Shown> = evidence
        .newer
        .iter()
        .map(|major| shown!["Odoo ", *major, " is newer than this program knows"])
        .collect();
    let shapes = evidence.shapes.iter();
    doubts.extend(shapes.map(|(like, count)| shown![*count, " foreign files are like ", like]));
    if !doubts.is_empty() {
        return Finding::new(ID, Status::Warning, joined(doubts, "; ")).cured_by(shown![
            "sudo odoo-session-reaper audit --data-dir ",
            redact::shell(&evidence.data_dir),
            "    # and look for a newer version of this program"
        ]);
    }
    let told = "no files of an unknown kind, and no Odoo newer than 20";
    Finding::new(ID, Status::Ok, told.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_is_said() {
        let seen = |shapes, newer| Evidence {
            shapes,
            newer,
            data_dir: "/o".into(),
        };
        let many: (Shown, u64) = ("tmp?{8}.__new".into(), 40);
        for (evidence, status, told) in [
            (
                seen(vec![], vec![]),
                Status::Ok,
                "no files of an unknown kind, and no Odoo newer than 20",
            ),
            (
                seen(vec![many], vec![21]),
                Status::Warning,
                "Odoo 21 is newer than this program knows; 40 foreign files are like tmp?{8}.__new",
            ),
        ] {
            let finding = judge(&evidence);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
    }
}
