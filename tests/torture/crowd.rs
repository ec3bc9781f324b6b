//! A directory of a million entries, and memory that does not grow with it.

use crate::reaper::Reaped;
use crate::testenv::{DAY, Odoo, VISITOR, flat, set_age};

/// Reaps a flat store of `entries` sessions, every other of them expired.
pub fn reap(entries: usize) -> Reaped {
    let odoo = Odoo::new();
    for number in 0..entries {
        let path = odoo.path(&flat(&format!("{number:040x}")));
        std::fs::write(&path, VISITOR).unwrap();
        if number % 2 == 0 {
            set_age(&path, 2 * DAY);
        }
    }
    let mut reaped = Reaped::default();
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["total"]["files"], entries);
    assert_eq!(report["total"]["deleted"]["files"], entries.div_ceil(2));
    reaped.count(&report);
    assert_eq!(odoo.files().len(), entries / 2);
    reaped
}
