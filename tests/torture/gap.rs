//! The gap that cannot be closed: how long the last look and the deletion after it take.
//!
//! Measured from before the `statx` to after the `unlinkat`, the very calls of the last check with the file
//! held open as the reaper does, and nobody else in the directory. A save is only lost if it falls between
//! the moments, somewhere inside these calls, in which the kernel looks the name up.

use std::fmt;
use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, StatxFlags};

use crate::testenv::{Odoo, USER};

pub struct Gap {
    median: Duration,
    p99: Duration,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (median), {:?} (p99)", self.median, self.p99)
    }
}

pub fn measure(pairs: usize) -> Gap {
    let odoo = Odoo::new();
    let dir = File::open(&odoo.sessions).unwrap();
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::STATX_FORCE_SYNC;
    let mask = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    let mut took: Vec<Duration> = (0..pairs)
        .map(|number| {
            let name = format!("werkzeug_{number:040x}.sess");
            std::fs::write(odoo.path(&name), USER).unwrap();
            let _held = File::open(odoo.path(&name)).unwrap();
            let begin = Instant::now();
            rustix::fs::statx(dir.as_fd(), &name, flags, mask).unwrap();
            rustix::fs::unlinkat(dir.as_fd(), &name, AtFlags::empty()).unwrap();
            begin.elapsed()
        })
        .collect();
    took.sort_unstable();
    Gap {
        median: took[took.len() / 2],
        p99: took[took.len() * 99 / 100],
    }
}
