//! The real program, run again and again in all its ways of working.

use std::fmt;

use serde_json::Value;

use crate::store::Store;

/// How it is judged what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By what files say.
    Reading,
    /// By their age alone.
    ByAgeOnly,
}

impl Way {
    /// Command lines, taken in turn.
    fn lines(self) -> &'static [&'static [&'static str]] {
        match self {
            Way::Reading => &[
                &[],
                &["--threads", "1"],
                &["--threads", "4"],
                &["--limit", "50"],
                &["--threads", "8"],
            ],
            Way::ByAgeOnly => &[
                &["--by-age-only"],
                &["--by-age-only", "--threads", "1"],
                &["--by-age-only", "--threads", "4"],
            ],
        }
    }
}

/// What the reapers did.
#[derive(Default)]
pub struct Reaped {
    pub runs: u64,
    pub deleted: u64,
    /// Kept by the last check.
    pub saved_again: u64,
}

impl fmt::Display for Reaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} reaper runs deleted {}, and kept {} that the last check found saved again",
            self.runs, self.deleted, self.saved_again
        )
    }
}

impl Reaped {
    /// A run while writers are at work.
    pub fn run(&mut self, store: &Store, way: Way) {
        let lines = way.lines();
        let line = lines[self.runs as usize % lines.len()];
        self.count(&store.odoo.json("reap", line, 0));
    }

    /// A run in the quiet after them, that sees everything.
    pub fn run_last(&mut self, store: &Store) {
        self.count(&store.odoo.json("reap", &[], 0));
    }

    pub fn count(&mut self, report: &Value) {
        assert_eq!(report["errors"], serde_json::json!([]));
        self.runs += 1;
        self.deleted += report["total"]["deleted"]["files"].as_u64().unwrap();
        self.saved_again += report["kept"]["saved_again"].as_u64().unwrap();
    }

    pub fn merge(&mut self, other: &Reaped) {
        self.runs += other.runs;
        self.deleted += other.deleted;
        self.saved_again += other.saved_again;
    }
}
