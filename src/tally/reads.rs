//! What the times of reads say of a run's sessions. It comes with the metadata, and costs no system call.

use std::time::Duration;

use crate::policy::{Active, Class};
use crate::store::stat::Stat;

/// A shorter window for visitors, and how it is written: long enough for a form or a payment that is under way.
pub const SHORTER: (Duration, &str) = (Duration::from_secs(3 * 3_600), "3h");

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A day has so many slots, of ten minutes each. Whatever reads the whole store needs one or two.
const SLOTS: usize = 144;
const SLOT: u64 = DAY.as_secs() / SLOTS as u64;

/// When, within the last day, sessions were read that were not saved in that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day([u64; SLOTS]);

impl Default for Day {
    fn default() -> Day {
        Day([0; SLOTS])
    }
}

impl Day {
    /// How many were read, and how many of them within the same twenty minutes.
    pub fn reads(&self) -> (u64, u64) {
        let pairs = self.0.windows(2).map(|pair| pair[0] + pair[1]);
        (self.0.iter().sum(), pairs.max().unwrap_or(0))
    }
}

/// What was read since its last save, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Some session was. Where none was, as after a restore, nobody came back, or nobody noted it.
    pub any: bool,
    /// Sessions of visitors that were not.
    pub bounced: u64,
    /// Sessions of visitors that a window of [`SHORTER`] would leave.
    pub left_by_shorter: u64,
    /// The reads of the last day.
    pub day: Day,
    /// Authenticated sessions that are due for their age, though their users were active within their window.
    pub due_but_active: u64,
    /// The same, where the mount cannot tell.
    pub perhaps_active: u64,
}

impl Reads {
    /// Notes a file of Odoo's; `age` is that of its last save, or `None` where that is implausible, and so keeps it.
    pub fn found(&mut self, class: Class, stat: &Stat, age: Option<Duration>) {
        let read = stat.atime.map(|atime| atime > stat.mtime);
        self.any |= read == Some(true) && class.is_session();
        if let (Some(atime), Some(age), true) = (stat.atime, age, class.is_session()) {
            // A save comes with a read of its own.
            let ago = age.saturating_sub(stat.mtime.age(atime));
            if age > DAY && ago < DAY {
                self.day.0[(ago.as_secs() / SLOT) as usize] += 1;
            }
        }
        if class == Class::Anonymous {
            self.bounced += u64::from(read == Some(false));
            self.left_by_shorter += u64::from(age.is_none_or(|age| age <= SHORTER.0));
        }
    }

    /// Notes whether the user of an authenticated session was active that is due for its age.
    pub fn due(&mut self, active: Active) {
        match active {
            Active::Yes => self.due_but_active += 1,
            Active::Perhaps => self.perhaps_active += 1,
            Active::No => {}
        }
    }

    /// Adds another worker's.
    pub fn merge(&mut self, other: &Reads) {
        self.any |= other.any;
        for (slot, other) in self.day.0.iter_mut().zip(other.day.0) {
            *slot += other;
        }
        self.bounced += other.bounced;
        self.left_by_shorter += other.left_by_shorter;
        self.due_but_active += other.due_but_active;
        self.perhaps_active += other.perhaps_active;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::tests::stat;

    #[test]
    fn what_reads_all_at_once_stands_out() {
        let mut reads = Reads::default();
        let mut found = |saved: i64, read: i64, class| {
            let mut stat = stat(saved, 1);
            stat.atime = Some(crate::time::Timestamp::from_secs(1_000_000 - read));
            reads.found(
                class,
                &stat,
                Some(Duration::from_secs(saved.unsigned_abs())),
            );
        };
        const HOUR: i64 = 3_600;
        for second in 0..90 {
            found(50 * HOUR, 5 * HOUR + second, Class::Authenticated);
        }
        found(50 * HOUR, 9 * HOUR, Class::Anonymous);
        // Saved since, never read since, read before, and not a session.
        found(2 * HOUR, HOUR, Class::Authenticated);
        found(50 * HOUR, 50 * HOUR, Class::Authenticated);
        found(50 * HOUR, 30 * HOUR, Class::Authenticated);
        found(50 * HOUR, HOUR, Class::UnfinishedSave);
        assert_eq!(reads.day.reads(), (91, 90));
        let mut twice = reads;
        twice.merge(&reads);
        assert_eq!(twice.day.reads(), (182, 180));
    }
}
