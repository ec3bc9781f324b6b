//! What the times of reads say of a run's sessions. It comes with the metadata, and costs no system call.

use std::time::Duration;

use crate::policy::{Active, Class};
use crate::store::stat::Stat;

/// A shorter window for visitors, and how it is written: long enough for a form or a payment that is under way.
pub const SHORTER: (Duration, &str) = (Duration::from_secs(3 * 3_600), "3h");

/// What was read since its last save, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Some session was. Where none was, as after a restore, nobody came back, or nobody noted it.
    pub any: bool,
    /// Sessions of visitors that were not.
    pub bounced: u64,
    /// Sessions of visitors that a window of [`SHORTER`] would leave.
    pub left_by_shorter: u64,
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
        self.bounced += other.bounced;
        self.left_by_shorter += other.left_by_shorter;
        self.due_but_active += other.due_but_active;
        self.perhaps_active += other.perhaps_active;
    }
}
