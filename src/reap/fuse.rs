//! The fuse, `--max-logouts`: if more logins than this are due, none of them ends.
//!
//! A clock that jumped, a window with a typo, a restored backup: then it is better that nobody is logged out until
//! somebody has looked. So they are counted by a walk that deletes nothing, and the walk that deletes is bounded by the
//! same number, whatever becomes due in between.

use std::collections::HashMap;
use std::ffi::CStr;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};

use super::settle::Dir;
use super::{Due, Mode, Observer, Plan, Progress, Stop, walk};
use crate::policy::{Class, Reason};
use crate::store::{Store, name};

/// How many logins of one shard are told apart, as hashes; this bounds what a strange shard costs. Beyond it, the files
/// of one login may count as two.
const AT_ONCE: usize = 64 * 1024;

/// Logins that may still end.
#[derive(Debug)]
pub(super) struct Fuse {
    left: AtomicU64,
    only_counts: bool,
}

impl Fuse {
    pub(super) fn new(most: u64) -> Fuse {
        Fuse {
            left: AtomicU64::new(most),
            only_counts: false,
        }
    }

    /// Whether this is the walk before the run.
    pub(super) fn only_counts(&self) -> bool {
        self.only_counts
    }

    /// Never given back, also where the session stays after all: a bound needs no more.
    fn take(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.left.fetch_update(set, fetch, one_less).is_ok()
    }
}

/// The logins of a shard that were asked for, and whether they may end: files of one login share a shard.
#[derive(Debug, Default)]
pub(super) struct Asked(HashMap<u64, bool>);

impl Asked {
    /// Whether a file may go that is due for this reason. Adds a login that is met first and must stay to `kept`.
    pub(super) fn may_go(
        &mut self,
        fuse: Option<&Fuse>,
        (dir, name): (&Dir<'_>, &CStr),
        (class, reason): (Class, Reason),
        kept: &mut u64,
    ) -> bool {
        // Odoo refuses a superseded session already.
        let Some(fuse) = fuse.filter(|_| class.is_login() && reason != Reason::Superseded) else {
            return true;
        };
        let mut ask = || {
            let may = fuse.take();
            *kept += u64::from(!may);
            may
        };
        if dir.shard.is_none() {
            return ask();
        }
        if self.0.len() >= AT_ONCE {
            self.forget();
        }
        let login = self.0.hasher().hash_one(name::login(name.to_bytes()));
        *self.0.entry(login).or_insert_with(ask)
    }

    /// Another shard has other logins.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Nobody is told of what is only counted.
pub(super) struct Nobody;

impl Observer for Nobody {
    fn wants(&self, _: Class) -> bool {
        false
    }
    fn settled(&self, _: &Due) {}
}

/// How many logins are due, if they are more than `most`. What fails here fails once more in the run itself, which tells
/// of it.
pub(super) fn too_many(
    store: &Store,
    plan: &Plan,
    most: u64,
    stop: &Stop,
    progress: &Progress,
) -> Option<u64> {
    let plan = Plan {
        mode: Mode::DryRun,
        limit: None,
        ..plan.clone()
    };
    let fuse = Fuse {
        only_counts: true,
        ..Fuse::new(most)
    };
    let (tally, _) = walk(store, &plan, &Nobody, stop, progress, Some(&fuse));
    for counted in [&progress.seen, &progress.due] {
        counted.store(0, Ordering::Relaxed);
    }
    // Some are kept only after as many were let go as may.
    (tally.kept_logins > 0).then(|| most + tally.kept_logins)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::ffi::CString;
    use std::fs;
    use std::os::fd::AsFd as _;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::reap::tests::{Place, plan};
    use crate::time::Timestamp;

    #[test]
    fn a_shard_with_more_logins_than_are_told_apart_costs_no_more_memory() {
        let handle = fs::File::open("/").unwrap();
        let shard = Dir::new(handle.as_fd(), Some(b"aa"));
        let (fuse, mut asked, mut kept) = (Fuse::new(u64::MAX), Asked::default(), 0);
        let mut met = |login: usize, file: char| {
            let tail = file.to_string().repeat(42);
            let name = CString::new(format!("aa{login:040}{tail}")).unwrap();
            let due = (Class::Authenticated, Reason::Expired);
            assert!(asked.may_go(Some(&fuse), (&shard, &name), due, &mut kept));
            let left = fuse.left.load(Ordering::Relaxed);
            (u64::MAX - left, asked.0.len())
        };
        for login in 0..65_535 {
            met(login, 'a');
        }
        assert_eq!(met(0, 'b'), (65_535, 65_535), "the first is known");
        assert_eq!(met(65_535, 'a'), (65_536, 65_536));
        assert_eq!(met(0, 'c'), (65_537, 1), "and then all are forgotten");
    }

    /// As where logins became due after they were counted.
    #[test]
    fn the_walk_that_deletes_ends_no_more_logins_than_were_allowed() {
        const USER: &str = r#"{"uid": 7, "login": "bob", "context": {}}"#;
        for (threads, allowed) in [(1, 0), (1, 2), (4, 2), (4, 5)] {
            let place = Place::new();
            for number in 10..15 {
                let sid = number.to_string().repeat(42);
                let shard = place.sessions.join(&sid[..2]);
                fs::create_dir_all(&shard).unwrap();
                fs::write(shard.join(&sid), USER).unwrap();
                let flat = format!("werkzeug_{}.sess", &sid[..40]);
                fs::write(place.sessions.join(flat), USER).unwrap();
            }
            let store = place.store();
            let in_a_minute = SystemTime::now() + Duration::from_secs(60);
            let plan = Plan {
                max_logouts: Some(allowed),
                threads,
                share_flat: true,
                ..plan(Timestamp::of(in_a_minute), Duration::from_secs(1))
            };
            let (stop, progress) = (Stop::default(), Progress::default());
            let fuse = Fuse::new(allowed);
            let (tally, _) = walk(&store, &plan, &Nobody, &stop, &progress, Some(&fuse));
            let gone = tally.row(Class::Authenticated).settled.files;
            assert_eq!((gone, tally.kept_logins), (allowed, 10 - allowed));
            let left = |store: &Store| too_many(store, &plan, 0, &stop, &progress);
            assert_eq!(left(&store), Some(10 - allowed));
        }
    }
}
