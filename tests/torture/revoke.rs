//! Everybody is logged out while people work, some requests take their time, and a reap runs beside it.

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use crate::odoo::{Client, Version, logged_in};
use crate::testenv::{DAY, Odoo, VISITOR, flat};

/// Who work in one store at the same time; each begins 50 requests a second.
const CLIENTS: u64 = 4;

/// How long a request may run here; see `Client::begin`.
const LONGEST_REQUEST: Duration = Duration::from_millis(1_500);

/// What came of it.
pub struct Revoked {
    version: Version,
    logins: usize,
    came_back: u64,
    new_logins: usize,
    reaps: usize,
}

impl fmt::Display for Revoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}: 0 of {} logins left, {} files came back, 0 of {} later logins lost, beside {} reaps",
            self.version, self.logins, self.came_back, self.new_logins, self.reaps
        )
    }
}

/// Directories by their inodes, and the files that are nobody's business.
fn stays(odoo: &Odoo) -> BTreeMap<String, u64> {
    let entries = walkdir::WalkDir::new(&odoo.sessions);
    let stays = entries.into_iter().filter_map(Result::ok).filter(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.file_type().is_dir() || name.starts_with("foreign")
    });
    stays
        .map(|entry| {
            let path = entry.path().to_string_lossy().into_owned();
            (path, entry.metadata().unwrap().ino())
        })
        .collect()
}

/// Revokes all of a store with `logins` for each client.
pub fn everyone(version: Version, logins: usize, watch: &str) -> Revoked {
    let odoo = Odoo::new();
    odoo.file("foreign.txt", "mine", 900 * DAY)
        .file("aa/foreign", VISITOR, 900 * DAY)
        .file("lost+found/aa", VISITOR, 900 * DAY);
    // For the reap, and visitors who go with the others.
    for number in 0..100 {
        odoo.file(&flat(&format!("d{number:039x}")), VISITOR, 8 * DAY)
            .file(&flat(&format!("e{number:039x}")), VISITOR, 1);
    }
    let enough = AtomicBool::new(false);
    let (before, kept, report, clients, reaps) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| Client::new(&odoo, version, seed, logins))
            .map(|mut client| {
                let enough = &enough;
                scope.spawn(move || {
                    client.work(enough);
                    client
                })
            })
            .collect();
        std::thread::sleep(LONGEST_REQUEST);
        let (before, kept) = (logged_in(&odoo), stays(&odoo));
        let reaping = scope.spawn(|| {
            let mut reaps = 0;
            while !enough.load(Ordering::Relaxed) {
                let report = odoo.json("reap", &[], 0);
                assert_eq!(report["errors"].as_array().unwrap().len(), 0, "{report}");
                reaps += 1;
            }
            reaps
        });
        let all = ["--everyone", "--visitors", "--yes", "--watch", watch];
        let report = odoo.json("revoke", &all, 0);
        enough.store(true, Ordering::Relaxed);
        let clients: Vec<_> = clients.into_iter().map(|it| it.join().unwrap()).collect();
        (before, kept, report, clients, reaping.join().unwrap())
    });
    assert_eq!(report["watch"], "quiet", "{report}");
    assert_eq!(report["failures"], 0, "{report}");
    let came_back = report["deleted"]["came_back"].as_u64().unwrap();
    assert!(came_back > 0, "nothing came back: nothing was tried");
    let left = logged_in(&odoo);
    let still_in: Vec<_> = before.intersection(&left).collect();
    assert!(still_in.is_empty(), "{version:?}: {still_in:?}");
    let now = stays(&odoo);
    assert!(kept.iter().all(|(path, ino)| now.get(path) == Some(ino)));
    // The moment is told to the second.
    let moment: DateTime<Utc> = report["moment"].as_str().unwrap().parse().unwrap();
    let moment = SystemTime::from(moment) + Duration::from_secs(1);
    let (mut new_logins, mut lost_visits) = (0, 0);
    for client in &clients {
        for (login, at) in client.logins.iter().filter(|(_, at)| *at > moment) {
            assert!(
                left.contains(login),
                "{version:?}: a login at {at:?} is lost"
            );
            new_logins += 1;
        }
        let visits = client.visits.iter().filter(|(_, at)| **at > moment);
        lost_visits += visits.filter(|(place, _)| !odoo.has(place)).count();
    }
    assert!(new_logins > 0, "nobody logged in after it");
    // One can fall between the last look at a file that came back and its deletion.
    assert!(
        lost_visits <= 1,
        "{version:?}: {lost_visits} visits are lost"
    );
    Revoked {
        version,
        logins: before.len(),
        came_back,
        new_logins,
        reaps,
    }
}

/// All versions at the same time.
pub fn all_versions(logins: usize, watch: &str) -> Vec<Revoked> {
    std::thread::scope(|scope| {
        let running: Vec<_> = Version::ALL
            .map(|version| scope.spawn(move || everyone(version, logins, watch)))
            .into_iter()
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).collect()
    })
}
