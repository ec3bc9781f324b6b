//! `unknown`: traces of an Odoo that this program does not know.

use super::Case;
use super::finding::{Finding, Status};
use crate::redact::{self, Shown, joined, shown};

const ID: &str = "unknown";

/// The newest Odoo whose session files this program was tried with.
const NEWEST: u32 = 20;

pub struct Evidence {
    /// What foreign files of one shape look like, and how many there are; `None` if nobody could look.
    pub shapes: Option<Vec<(Shown, u64)>>,
    /// Versions that are newer than this program knows.
    pub newer: Vec<u64>,
    pub data_dir: Shown,
    pub root: bool,
}

pub fn gather(case: &Case<'_>) -> Evidence {
    let audit = case.store.audit.as_ref().ok();
    let text = |text: &str| redact::printable(text.as_bytes());
    let newer = case.versions().map(|(major, _)| major);
    Evidence {
        shapes: audit.map(|audit| {
            let shapes = audit.unknown.iter();
            shapes
                .map(|shape| (text(&shape.like), shape.count))
                .collect()
        }),
        newer: newer
            .filter(|major| *major > NEWEST)
            .map(u64::from)
            .collect(),
        data_dir: case.data_dir(),
        root: case.host.root,
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let mut doubts: Vec<Shown> = evidence
        .newer
        .iter()
        .map(|major| shown!["Odoo ", *major, " is newer than this program knows"])
        .collect();
    let shapes = evidence.shapes.iter().flatten();
    doubts.extend(shapes.map(|(like, count)| shown![*count, " foreign files are like ", like]));
    if !doubts.is_empty() {
        return Finding::new(ID, Status::Warning, joined(doubts, "; ")).cured_by(shown![
            "sudo odoo-session-reaper audit --data-dir ",
            redact::shell(&evidence.data_dir),
            "    # and look for a newer version of this program"
        ]);
    }
    match evidence.shapes {
        Some(_) => Finding::new(
            ID,
            Status::Ok,
            "nothing that a newer Odoo would make".into(),
        ),
        None => {
            let told = "the store could not be looked at".into();
            super::odoo::seen_by_root(Finding::new(ID, Status::Unknown, told), evidence.root)
        }
    }
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
            root: true,
        };
        let many: (Shown, u64) = ("tmp?{8}.__new".into(), 40);
        for (evidence, status, told) in [
            (
                seen(Some(vec![]), vec![]),
                Status::Ok,
                "nothing that a newer Odoo would make",
            ),
            (
                seen(None, vec![]),
                Status::Unknown,
                "the store could not be looked at",
            ),
            (
                seen(Some(vec![many]), vec![21]),
                Status::Warning,
                "Odoo 21 is newer than this program knows; 40 foreign files are like tmp?{8}.__new",
            ),
        ] {
            let finding = judge(&evidence);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
    }
}
