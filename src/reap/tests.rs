//! The engine's own tests, and what the tests of this room share.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::fuse::Nobody;
use super::*;
use crate::policy::{Policy, Rules, Windows};
use crate::store::Opening;
use crate::time::Timestamp;

/// A data_dir of its own, gone with the test.
pub(super) struct Place {
    _data_dir: tempfile::TempDir,
    pub(super) sessions: PathBuf,
}

impl Place {
    pub(super) fn new() -> Place {
        let data_dir = tempfile::tempdir().unwrap();
        let sessions = data_dir.path().join("sessions");
        fs::create_dir(&sessions).unwrap();
        Place {
            _data_dir: data_dir,
            sessions,
        }
    }

    pub(super) fn store(&self) -> Store {
        Store::open(&self.sessions, &Opening::default()).unwrap()
    }
}

/// A reap by one thread at this time, with one window for all classes.
pub(super) fn plan(now: Timestamp, window: Duration) -> Plan {
    let rules = Rules {
        windows: Windows {
            authenticated: window,
            anonymous: window,
            cart: window,
            leftover: window,
            unreadable: None,
        },
        keep_logins: Vec::new(),
        max_lifetime: None,
    };
    Plan {
        mode: Mode::Reap,
        policy: Policy::new(rules, BTreeMap::new(), now),
        limit: None,
        max_logouts: None,
        threads: 1,
        share_flat: false,
        gentle: false,
    }
}

#[test]
fn there_are_no_more_workers_than_handles_for_them() {
    for (limit, wanted, workers, at_once) in [
        (usize::MAX, 4, 4, AT_ONCE),
        (1024, 4, 4, AT_ONCE),
        (1024, 32, 32, 14),
        (1024, 64, 64, 6),
        (64, 64, 12, 1),
        (20, 64, 1, 1),
        (3, 2, 1, 1),
    ] {
        assert_eq!(
            within(limit, wanted),
            (workers, at_once),
            "{limit}, {wanted}"
        );
    }
}

/// Such a run, or the fuse's first walk, takes longer than clocks may drift.
#[test]
fn what_was_saved_since_a_long_run_began_is_not_from_the_future() {
    let place = Place::new();
    let real = SystemTime::now();
    for (name, ahead) in [("a", 0), ("b", 240), ("c", 1_000)] {
        let name = format!("werkzeug_{}.sess", name.repeat(40));
        let file = fs::File::create(place.sessions.join(name)).unwrap();
        file.set_modified(real + Duration::from_secs(ahead))
            .unwrap();
    }
    let begun = Timestamp::of(real - Duration::from_secs(600));
    let plan = plan(begun, Duration::from_secs(3_600));
    let (stop, progress) = (Stop::default(), Progress::default());
    let (tally, _) = run(&place.store(), &plan, &Nobody, &stop, &progress);
    assert_eq!((tally.total().all.files, tally.implausible_times), (3, 1));
}
