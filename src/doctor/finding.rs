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

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub status: Status,
    pub evidence: Shown,
    /// The command that cures it, or that shows what could not be seen.
    pub cure: Option<Shown>,
}

impl Finding {
    pub fn new(status: Status, evidence: impl Into<Shown>) -> Finding {
        Finding {
            status,
            evidence: evidence.into(),
            cure: None,
        }
    }

    pub fn cured_by(self, cure: impl Into<Shown>) -> Finding {
        Finding {
            cure: Some(cure.into()),
            ..self
        }
    }

    pub fn ok(evidence: impl Into<Shown>) -> Finding {
        Finding::new(Status::Ok, evidence)
    }

    pub fn warning(evidence: impl Into<Shown>, cure: impl Into<Shown>) -> Finding {
        Finding::new(Status::Warning, evidence).cured_by(cure)
    }

    pub fn problem(evidence: impl Into<Shown>, cure: impl Into<Shown>) -> Finding {
        Finding::new(Status::Problem, evidence).cured_by(cure)
    }

    pub fn unknown(evidence: impl Into<Shown>, cure: impl Into<Shown>) -> Finding {
        Finding::new(Status::Unknown, evidence).cured_by(cure)
    }
}

/// What a check has found of a store: a line of the list, and an element of the JSON document.
#[derive(Debug, Serialize)]
pub struct Check {
    /// The `sessions` directory.
    pub store: Shown,
    pub id: &'static str,
    #[serde(flatten)]
    pub finding: Finding,
}

impl Check {
    /// Whether Odoo's garbage collection must not be off as long as this is so.
    fn is_in_the_way(&self) -> bool {
        match self.finding.status {
            Status::Problem => true,
            Status::Unknown => ["odoo-gc", "reaper"].contains(&self.id),
            Status::Ok | Status::Warning => false,
        }
    }

    fn is_not_ok(&self, id: &str) -> bool {
        self.id == id && self.finding.status != Status::Ok
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
pub fn verdict(checks: &[Check], proven: Proven) -> (Shown, Exit) {
    let (in_the_way, others): (Vec<&Check>, Vec<&Check>) =
        checks.iter().partition(|check| check.is_in_the_way());
    let is_warning = |check: &&&Check| check.finding.status == Status::Warning;
    let warned = match others.iter().filter(is_warning).count() {
        0 => Shown::default(),
        some => shown!(" ({})", count(some as u64, "warning")),
    };
    let exit = match &in_the_way[..] {
        [] => Exit::Done,
        _ => Exit::Failed,
    };
    let sentence = sentence(&in_the_way, &others, proven);
    (shown!("{}{}", sentence, warned), exit)
}

fn sentence(in_the_way: &[&Check], others: &[&Check], proven: Proven) -> Shown {
    let is_on = |check: &&Check| check.id == "odoo-gc" && check.finding.status == Status::Problem;
    let lags = others.iter().any(|check| check.is_not_ok("keeps-up"));
    let doubted = others.iter().any(|check| check.is_not_ok("odoo-gc"));
    let own = match (in_the_way, proven) {
        ([], _) if doubted => {
            "nothing is in the way, but it is not sure that Odoo's GC is off; see `odoo-gc`"
        }
        ([], Proven::OnSince(Some(since))) => {
            return shown!(
                "Odoo's GC is off; the reaper is on since {}; ask again tomorrow",
                since
            );
        }
        ([], Proven::OnSince(None)) => {
            "Odoo's GC is off; the reaper is on, but has not run yet; ask again tomorrow"
        }
        ([], Proven::Yes) if lags => {
            "Odoo's GC is off and the reaper is on, but it was not seen to keep up"
        }
        ([], Proven::Yes) => "Odoo's GC is off and the reaper keeps up",
        (some, _) if !some.iter().all(is_on) => {
            return shown!("not yet: {}", count(some.len() as u64, "thing"));
        }
        (_, Proven::OnSince(None)) => {
            "not yet: the reaper has not run to its end; ask again after its next run"
        }
        _ if lags => "not yet: the reaper was not seen to keep up; see `keeps-up`",
        ([first, ..], _) => {
            let how = first.finding.cure.clone().unwrap_or_default();
            return shown!("safe to turn Odoo's GC off: {}", how);
        }
    };
    own.into()
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
            let check = |(id, status)| Check {
                store: Shown::default(),
                id,
                finding: Finding::new(status, "").cured_by("do it"),
            };
            let checks: Vec<_> = findings.into_iter().map(check).collect();
            let (said, ends) = verdict(&checks, proven);
            assert_eq!((&*said, ends), (sentence, exit), "{checks:?}");
        }
    }
}
