//! What a check has found, and what all of them say together.

use std::time::Duration;

use serde::Serialize;

use super::words::count;
use crate::exit::Exit;
use crate::redact::{Shown, shown};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    Warning,
    Problem,
    /// It could not be seen.
    Unknown,
}

impl Status {
    /// What its line begins with.
    pub fn mark(self) -> &'static str {
        match self {
            Status::Ok => "✓",
            Status::Warning => "!",
            Status::Problem => "✗",
            Status::Unknown => "?",
        }
    }
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub id: &'static str,
    pub status: Status,
    pub evidence: Shown,
    /// The command that cures it, or that shows what could not be seen.
    pub cure: Option<Shown>,
}

impl Finding {
    pub fn new(id: &'static str, status: Status, evidence: Shown) -> Finding {
        Finding {
            id,
            status,
            evidence,
            cure: None,
        }
    }

    pub fn cured_by(self, cure: Shown) -> Finding {
        Finding {
            cure: Some(cure),
            ..self
        }
    }

    /// Whether it says that Odoo's garbage collection is on.
    fn is_only_on(&self) -> bool {
        self.id == super::odoo_gc::ID && self.status == Status::Problem
    }

    /// Whether Odoo's garbage collection must not be off as long as this is so.
    fn is_in_the_way(&self) -> bool {
        let must_be_known = [super::odoo_gc::ID, super::reaper::ID].contains(&self.id);
        self.status == Status::Problem || self.status == Status::Unknown && must_be_known
    }
}

/// How long the reaper has been on, as far as it matters to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven {
    /// A run of it succeeded, and it has been on for a day.
    Yes,
    /// It was turned on this long ago, or has not run to its end yet.
    OnSince(Option<Duration>),
}

/// All findings in a sentence, and how the program ends.
pub fn verdict(findings: &[&Finding], proven: Proven) -> (Shown, Exit) {
    let (in_the_way, others): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.is_in_the_way());
    let sentence = match &in_the_way[..] {
        [] => all_well(&others, proven),
        [first, ..] if in_the_way.iter().all(|finding| finding.is_only_on()) => {
            let how = first.cure.clone().unwrap_or_default();
            match proven {
                Proven::OnSince(None) => {
                    "not yet: the reaper has not run to its end; ask again after its next run"
                        .into()
                }
                _ if !keeps_up(&others) => {
                    "not yet: the reaper was not seen to keep up; see `keeps-up`".into()
                }
                _ => shown!["safe to turn Odoo's GC off: ", how],
            }
        }
        some => shown!["not yet: ", count(some.len() as u64, "thing")],
    };
    let warnings = others
        .iter()
        .filter(|finding| finding.status == Status::Warning);
    let warned = match warnings.count() {
        0 => Shown::default(),
        some => shown![" (", count(some as u64, "warning"), ")"],
    };
    let exit = if in_the_way.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    };
    (shown![sentence, warned], exit)
}

fn keeps_up(findings: &[&Finding]) -> bool {
    let mut findings = findings.iter();
    findings.all(|finding| finding.id != super::keeps_up::ID || finding.status == Status::Ok)
}

/// What there is to say where nothing is in the way.
fn all_well(findings: &[&Finding], proven: Proven) -> Shown {
    let is_doubted =
        |finding: &&Finding| finding.id == super::odoo_gc::ID && finding.status != Status::Ok;
    match proven {
        _ if findings.iter().any(is_doubted) => {
            "nothing is in the way, but it is not sure that Odoo's GC is off; see `odoo-gc`".into()
        }
        Proven::OnSince(Some(since)) => shown![
            "Odoo's GC is off; the reaper is on since ",
            since,
            "; ask again tomorrow"
        ],
        Proven::OnSince(None) => {
            "Odoo's GC is off; the reaper is on, but has not run yet; ask again tomorrow".into()
        }
        Proven::Yes if !keeps_up(findings) => {
            "Odoo's GC is off and the reaper is on, but it was not seen to keep up".into()
        }
        Proven::Yes => "Odoo's GC is off and the reaper keeps up".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_counts_what_is_in_the_way() {
        use Status::{Ok, Problem, Unknown, Warning};
        let day = Duration::from_secs(600);
        let (yes, new) = (Proven::Yes, Proven::OnSince(Some(day)));
        let never = Proven::OnSince(None);
        for (findings, proven, sentence, exit) in [
            (
                vec![("odoo-gc", Ok), ("reaper", Ok), ("makers", Unknown)],
                yes,
                "Odoo's GC is off and the reaper keeps up",
                Exit::Done,
            ),
            (
                vec![("odoo-gc", Ok), ("reaper", Ok), ("room", Warning)],
                yes,
                "Odoo's GC is off and the reaper keeps up (1 warning)",
                Exit::Done,
            ),
            (
                vec![("odoo-gc", Ok), ("reaper", Ok), ("keeps-up", Unknown)],
                yes,
                "Odoo's GC is off and the reaper is on, but it was not seen to keep up",
                Exit::Done,
            ),
            (
                vec![("odoo-gc", Ok), ("reaper", Ok)],
                new,
                "Odoo's GC is off; the reaper is on since 10 minutes; ask again tomorrow",
                Exit::Done,
            ),
            (
                vec![("odoo-gc", Ok), ("reaper", Ok)],
                never,
                "Odoo's GC is off; the reaper is on, but has not run yet; ask again tomorrow",
                Exit::Done,
            ),
            (
                vec![("odoo-gc", Problem), ("reaper", Ok)],
                new,
                "safe to turn Odoo's GC off: do it",
                Exit::Failed,
            ),
            (
                vec![("odoo-gc", Problem), ("reaper", Ok)],
                never,
                "not yet: the reaper has not run to its end; ask again after its next run",
                Exit::Failed,
            ),
            (
                vec![("odoo-gc", Problem), ("reaper", Ok), ("keeps-up", Unknown)],
                yes,
                "not yet: the reaper was not seen to keep up; see `keeps-up`",
                Exit::Failed,
            ),
            (
                vec![("odoo-gc", Warning), ("reaper", Ok), ("keeps-up", Ok)],
                yes,
                "nothing is in the way, but it is not sure that Odoo's GC is off; see `odoo-gc` (1 warning)",
                Exit::Done,
            ),
            (
                vec![("odoo-gc", Problem), ("reaper", Problem), ("room", Warning)],
                yes,
                "not yet: 2 things (1 warning)",
                Exit::Failed,
            ),
            (
                vec![("odoo-gc", Unknown), ("reaper", Ok)],
                yes,
                "not yet: 1 thing",
                Exit::Failed,
            ),
            (
                vec![("odoo-gc", Ok), ("reaper", Unknown)],
                yes,
                "not yet: 1 thing",
                Exit::Failed,
            ),
            (
                vec![("odoo-gc", Ok), ("reaper", Ok), ("room", Problem)],
                yes,
                "not yet: 1 thing",
                Exit::Failed,
            ),
        ] {
            let findings: Vec<_> = findings
                .into_iter()
                .map(|(id, status)| {
                    Finding::new(id, status, Shown::default()).cured_by("do it".into())
                })
                .collect();
            let (said, ends) = verdict(&findings.iter().collect::<Vec<_>>(), proven);
            assert_eq!((&*said, ends), (sentence, exit), "{findings:?}");
        }
    }
}
