//! What `demo::make` promises: whoever tests or measures on its stores relies on these.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use odoo_session_reaper::demo::{self, Layout, Recipe};
use odoo_session_reaper::store::name::{self, Kind};
use serde_json::Value;
use tempfile::TempDir;
use testenv::{DAY, HOUR, program, run};

const LAYOUTS: [Layout; 3] = [Layout::Flat, Layout::Sharded, Layout::Both];

/// In memory if possible, as ext4 takes up to half a millisecond for each new file while the inodes that other tests
/// have just deleted are fresh.
fn room() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn recipe(sessions: u64, layout: Layout) -> Recipe {
    Recipe {
        sessions,
        seed: 1,
        layout,
        expired_percent: None,
    }
}

/// A demo store of this moment.
struct Made {
    data_dir: TempDir,
    now: SystemTime,
}

impl Made {
    fn of(recipe: &Recipe) -> Made {
        let (data_dir, now) = (room(), SystemTime::now());
        let made = demo::make(data_dir.path(), recipe, now, &|| true).unwrap();
        assert_eq!(made, recipe.sessions);
        Made { data_dir, now }
    }

    /// All files but the foreign one, sorted by path.
    fn files(&self) -> Vec<Entry> {
        let sessions = self.data_dir.path().join("sessions");
        let walk = walkdir::WalkDir::new(&sessions).sort_by_file_name();
        let files = walk.into_iter().map(Result::unwrap);
        let files = files.filter(|file| !file.file_type().is_dir());
        files
            .map(|file| Entry::at(&sessions, file.path()))
            .filter(|entry| entry.path != "README.txt")
            .collect()
    }

    fn age(&self, entry: &Entry) -> i64 {
        let now = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        now.as_secs() as i64 - entry.saved.0
    }

    fn audit(&self, args: &[&str]) -> Value {
        let audit = ["audit", "--format", "json", "--data-dir"];
        let ran = run(program().args(audit).arg(self.data_dir.path()).args(args));
        assert_eq!(ran.code, 0, "{}", ran.all());
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

#[derive(Debug, PartialEq)]
struct Entry {
    /// Below `sessions`.
    path: String,
    mode: u32,
    saved: (i64, i64),
    content: Vec<u8>,
}

impl Entry {
    fn at(sessions: &Path, path: &Path) -> Entry {
        let about = fs::symlink_metadata(path).unwrap();
        assert!(about.is_file());
        let below = path.strip_prefix(sessions).unwrap();
        Entry {
            path: below.to_str().unwrap().to_owned(),
            mode: about.mode() & 0o7777,
            saved: (about.mtime(), about.mtime_nsec()),
            content: fs::read(path).unwrap(),
        }
    }

    fn kind(&self) -> Kind {
        kind(&self.path)
    }
}

fn kind(path: &str) -> Kind {
    match path.split_once('/') {
        Some((shard, name)) => name::in_shard(shard.as_bytes(), name.as_bytes()),
        None => name::at_top(path.as_bytes()),
    }
}

/// A file without what the demo may change: times in JSON, and the session id that a superseded session names.
fn what_stays(content: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(content);
    if !text.starts_with('{') {
        return content.to_vec();
    }
    let parts = text.split("\": ").map(|part| match part.get(..10) {
        Some(digits) if digits.parse::<u64>().is_ok() => &part[10..],
        _ => part,
    });
    let stays = parts.collect::<Vec<_>>().join("\": ");
    match stays.split_once("\"next_sid\": \"") {
        Some((before, after)) => before.to_owned() + after.split_once('"').unwrap().1,
        None => stays,
    }
    .into_bytes()
}

#[test]
fn an_audit_finds_files_of_all_classes_of_the_layout() {
    for (layout, classes) in LAYOUTS.into_iter().zip([7, 8, 9]) {
        let report = Made::of(&recipe(2000, layout)).audit(&[]);
        let rows = report["classes"].as_array().unwrap().iter();
        let there = rows.filter(|row| row["files"] != 0).count();
        assert_eq!(there, classes, "{layout:?}");
    }
}

#[test]
fn each_file_is_a_copy_of_a_real_one_in_a_place_for_its_kind() {
    let fixtures = walkdir::WalkDir::new("tests/fixtures").into_iter();
    let fixtures = fixtures.map(Result::unwrap);
    let real: HashSet<_> = fixtures
        .filter(|file| {
            file.file_type().is_file() && file.path().iter().any(|dir| dir == "sessions")
        })
        .map(|file| {
            let name = file
                .path()
                .to_str()
                .unwrap()
                .split("sessions/")
                .nth(1)
                .unwrap();
            (
                what_stays(&fs::read(file.path()).unwrap()),
                kind(name).name(),
            )
        })
        .collect();
    for entry in Made::of(&recipe(2000, Layout::Both)).files() {
        let copy = (what_stays(&entry.content), entry.kind().name());
        assert!(real.contains(&copy), "{}", entry.path);
    }
}

#[test]
fn the_same_recipe_makes_the_same_store() {
    let now = SystemTime::now();
    let [once, again, other] = [7, 7, 8].map(|seed| {
        let data_dir = room();
        let recipe = Recipe {
            seed,
            ..recipe(2000, Layout::Both)
        };
        demo::make(data_dir.path(), &recipe, now, &|| true).unwrap();
        Made { data_dir, now }.files()
    });
    assert_eq!(once.len(), 2000);
    assert!(once == again, "same seed, other store");
    let paths: HashSet<_> = once.iter().map(|entry| &entry.path).collect();
    assert!(other.iter().all(|entry| !paths.contains(&entry.path)));
}

#[test]
fn there_are_exactly_as_many_files_as_asked_for() {
    for (sessions, layout) in [
        (0, Layout::Both),
        (1, Layout::Flat),
        (1234, Layout::Sharded),
    ] {
        assert_eq!(
            Made::of(&recipe(sessions, layout)).files().len() as u64,
            sessions
        );
    }
}

#[test]
fn names_places_and_modes_are_those_of_odoo() {
    let made = Made::of(&recipe(1500, Layout::Both));
    let store = fs::metadata(made.data_dir.path().join("sessions")).unwrap();
    assert_eq!(store.mode() & 0o7777, 0o700);
    assert!(store.modified().unwrap() >= made.now, "Odoo is alive");
    let shapes = made.files().into_iter().map(|entry| {
        let name = entry.path.rsplit('/').next().unwrap();
        format!(
            "{:?}, {} letters, {:o}",
            entry.kind(),
            name.len(),
            entry.mode
        )
    });
    let expected = [
        "Flat, 54 letters, 644",
        "Irregular, 18 letters, 644",
        "Sharded, 40 letters, 644",
        "Sharded, 84 letters, 644",
        "Sharded, 86 letters, 644",
        "UnfinishedSave, 21 letters, 600",
        "UnfinishedSave, 23 letters, 600",
        "UploadStash, 87 letters, 644",
    ];
    let shapes: BTreeSet<String> = shapes.collect();
    assert!(shapes.iter().eq(&expected), "{shapes:?}");
    let flat = Made::of(&recipe(500, Layout::Flat)).files();
    assert!(flat.iter().all(|entry| !entry.path.contains('/')));
    let sharded = Made::of(&recipe(500, Layout::Sharded)).files();
    assert!(
        sharded
            .iter()
            .all(|entry| entry.path.contains('/') || entry.kind() == Kind::UnfinishedSave)
    );
}

#[test]
fn a_superseded_session_has_its_successor_beside_it() {
    let made = Made::of(&recipe(2000, Layout::Sharded));
    let files = made.files();
    let by_sid: HashMap<_, _> = files
        .iter()
        .map(|entry| (entry.path.rsplit('/').next().unwrap(), entry))
        .collect();
    let mut lengths = Vec::new();
    for (sid, old) in &by_sid {
        let Ok(session) = serde_json::from_slice::<Value>(&old.content) else {
            continue;
        };
        let Some(next_sid) = session["next_sid"].as_str() else {
            continue;
        };
        let new = by_sid[next_sid];
        let successor: Value = serde_json::from_slice(&new.content).unwrap();
        assert_eq!(sid[..42], next_sid[..42]);
        assert_eq!(session["login"], successor["login"]);
        assert!(old.saved <= new.saved);
        let refused = session["deletion_time"].as_f64().unwrap();
        assert!((refused - old.saved.0 as f64 - 120.0).abs() < 2.0);
        lengths.push((sid.len(), next_sid.len()));
    }
    lengths.sort_unstable();
    lengths.dedup();
    assert_eq!(lengths, [(84, 84), (84, 86), (86, 86)]);
}

#[test]
fn the_times_in_a_session_move_with_its_age() {
    let made = Made::of(&recipe(2000, Layout::Sharded));
    let mut moved = 0;
    for entry in made.files() {
        let text = String::from_utf8_lossy(&entry.content);
        let times = text
            .split("\": ")
            .filter_map(|after| after.get(..10)?.parse().ok());
        let last: Option<i64> = times.max();
        // Odoo takes a superseded session for two minutes after its last save.
        let later = if text.contains("next_sid") { 120 } else { 0 };
        if let Some(last) = last.filter(|_| text.starts_with('{')) {
            assert_eq!(last, entry.saved.0 + later, "{}", entry.path);
            moved += 1;
        }
    }
    assert!(moved > 1000, "{moved}");
}

#[test]
fn natural_ages_spread_from_minutes_to_two_months() {
    let made = Made::of(&recipe(5000, Layout::Both));
    let ages: Vec<_> = made.files().iter().map(|entry| made.age(entry)).collect();
    let bars = [0, HOUR, DAY, 7 * DAY, 30 * DAY, 61 * DAY];
    let counts = bars.windows(2).map(|bar| {
        let here = ages.iter().filter(|age| (bar[0]..bar[1]).contains(age));
        here.count()
    });
    let counts: Vec<_> = counts.collect();
    assert!(counts.iter().all(|&count| count > 150), "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 5000);
}

#[test]
fn the_expired_share_is_exact_and_spread() {
    for (sessions, percent, layout) in [
        (4000, 60, Layout::Sharded),
        (4000, 60, Layout::Flat),
        (1234, 1, Layout::Both),
        (999, 100, Layout::Sharded),
        (999, 0, Layout::Sharded),
        (7, 33, Layout::Both),
    ] {
        let made = Made::of(&Recipe {
            expired_percent: Some(percent),
            ..recipe(sessions, layout)
        });
        let files = made.files();
        let (old, young): (Vec<_>, Vec<_>) = files.iter().partition(|e| made.age(e) > 8 * DAY);
        let share = (sessions * u64::from(percent) + 50) / 100;
        assert_eq!(old.len() as u64, share, "{percent} % of {sessions}");
        assert!(young.iter().all(|entry| made.age(entry) <= 20 * HOUR));
        let report = made.audit(&[]);
        assert_eq!(report["total"]["due"]["files"], share);
        assert_eq!(testenv::row(&report, "unreadable", None)["files"], 0);
        if percent == 60 {
            let is_login = |entry: &&Entry| entry.content.windows(5).any(|word| word == b"admin");
            let count = |part: Vec<&Entry>| part.into_iter().filter(is_login).count();
            let (old, young) = (count(old), count(young));
            let share = old * 100 / (old + young);
            assert!((50..=70).contains(&share), "{share} % of the logins");
        }
    }
}

fn make(place: &Path, go_on: &dyn Fn() -> bool) -> anyhow::Result<u64> {
    demo::make(place, &recipe(200, Layout::Both), SystemTime::now(), go_on)
}

#[test]
fn stops_when_told_to() {
    let asked = Cell::new(0);
    let go_on = || asked.replace(asked.get() + 1) < 100;
    assert_eq!(make(room().path(), &go_on).unwrap(), 100);
}

#[test]
fn only_a_directory_that_is_absent_or_empty_is_taken() {
    let dir = room();
    let make = |place: &Path| make(place, &|| true);
    assert_eq!(make(&dir.path().join("a/b/c")).unwrap(), 200);

    let [target, link, file] = ["target", "link", "file"].map(|name| dir.path().join(name));
    fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    fs::write(&file, "").unwrap();
    for place in [&link, &file, dir.path()] {
        let error = format!("{:#}", make(place).unwrap_err());
        assert!(error.contains(place.to_str().unwrap()), "{error}");
    }
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
}
