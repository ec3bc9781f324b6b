//! What `demo::make` promises: whoever tests or measures on its stores relies on these.

#![allow(clippy::unwrap_used)]

mod testenv;

use odoo_session_reaper::demo::{self, Layout, Made, Recipe};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// 2026-11-21.
const NOW: u64 = 1_795_220_000;

/// A directory for a store: in memory if possible, as ext4 takes up to half a millisecond for each new file while the
/// inodes that other tests have just deleted are fresh.
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

fn make(data_dir: &Path, recipe: &Recipe) -> anyhow::Result<Made> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    demo::make(data_dir, recipe, now, &|_| true)
}

/// A file of a store.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Below `sessions`.
    path: String,
    mode: u32,
    saved: (i64, i64),
    content: Vec<u8>,
}

impl Entry {
    fn age(&self) -> i64 {
        NOW as i64 - self.saved.0
    }

    fn is_unfinished(&self) -> bool {
        self.path.ends_with(".__wz_sess")
    }

    fn is_upload(&self) -> bool {
        self.path.ends_with(".file")
    }

    fn sid(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap();
        name.trim_start_matches("werkzeug_")
            .trim_end_matches(".sess")
    }

    fn is_irregular(&self) -> bool {
        let sid = self.sid();
        let hex = sid.len() == 40 && sid.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let base64 = sid.len() == 84
            && sid
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        !hex && !base64
    }
}

/// All files but the foreign one, sorted by path.
fn list(data_dir: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    for child in fs::read_dir(data_dir.join("sessions")).unwrap() {
        let child = child.unwrap();
        let name = child.file_name().into_string().unwrap();
        if name == "README.txt" {
            continue;
        }
        if child.file_type().unwrap().is_dir() {
            assert_eq!(name.len(), 2);
            for inner in fs::read_dir(child.path()).unwrap() {
                let inner_name = inner.unwrap().file_name().into_string().unwrap();
                assert!(inner_name.starts_with(&name));
                entries.push(entry(data_dir, format!("{name}/{inner_name}")));
            }
        } else {
            entries.push(entry(data_dir, name));
        }
    }
    entries.sort();
    entries
}

fn entry(data_dir: &Path, path: String) -> Entry {
    let file = data_dir.join("sessions").join(&path);
    let metadata = fs::symlink_metadata(&file).unwrap();
    assert!(metadata.is_file());
    Entry {
        path,
        mode: metadata.mode() & 0o7777,
        saved: (metadata.mtime(), metadata.mtime_nsec()),
        content: fs::read(&file).unwrap(),
    }
}

#[test]
fn the_same_recipe_makes_the_same_store() {
    let dir = room();
    let stores: Vec<_> = ["a", "b", "c"]
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let data_dir = dir.path().join(name);
            let mut recipe = recipe(2000, Layout::Both);
            recipe.seed = if index < 2 { 7 } else { 8 };
            make(&data_dir, &recipe).unwrap();
            list(&data_dir)
        })
        .collect();
    assert!(stores[0] == stores[1], "same seed, other store");
    assert!(stores[0] != stores[2], "other seed, same store");
}

#[test]
fn there_are_exactly_as_many_files_as_asked_for() {
    for layout in [Layout::Flat, Layout::Sharded, Layout::Both] {
        for sessions in [0, 1, 2, 999, 1000, 2345] {
            let dir = room();
            let made = make(dir.path(), &recipe(sessions, layout)).unwrap();
            assert_eq!(list(dir.path()).len() as u64, sessions);
            assert_eq!(made.files, sessions);
            assert!(dir.path().join("sessions/README.txt").exists());
        }
    }
}

#[test]
fn progress_ends_with_the_number_of_files() {
    let dir = room();
    let told = RefCell::new(Vec::new());
    let tell = |count| {
        told.borrow_mut().push(count);
        true
    };
    let recipe = recipe(2500, Layout::Sharded);
    demo::make(dir.path(), &recipe, SystemTime::now(), &tell).unwrap();
    assert_eq!(*told.borrow(), [1024, 2048, 2500]);
}

#[test]
fn stops_when_told_to() {
    let dir = room();
    let recipe = recipe(2500, Layout::Sharded);
    let made = demo::make(dir.path(), &recipe, SystemTime::now(), &|_| false).unwrap();
    assert_eq!(made.files, 1024);
}

#[test]
fn ten_thousand_files_have_every_kind() {
    let dir = room();
    let made = make(dir.path(), &recipe(10_000, Layout::Both)).unwrap();
    let expected = Made {
        files: 10_000,
        anonymous: 8000,
        authenticated: 1420 + 40,
        superseded: 40,
        carts: 180,
        wishlists: 60,
        pending_two_factor: 60,
        empty: 50,
        unreadable: 30,
        irregular: 10,
        unfinished_saves: 80,
        upload_stashes: 30,
        expired: None,
    };
    assert_eq!(made, expected);

    let files = list(dir.path());
    let count = |of: fn(&Entry) -> bool| files.iter().filter(|entry| of(entry)).count() as u64;
    assert_eq!(count(Entry::is_unfinished), made.unfinished_saves);
    assert_eq!(count(Entry::is_upload), made.upload_stashes);
    assert_eq!(
        count(|entry| !entry.is_unfinished() && !entry.is_upload() && entry.is_irregular()),
        made.irregular
    );
    assert!(files.iter().any(|entry| entry.path == "he/hello"));
    let flat = count(|entry| entry.path.ends_with(".sess"));
    assert!((2200..2800).contains(&flat), "{flat} flat sessions");
    let old_shards = count(|entry| entry.path.len() == 43);
    assert!((1200..1800).contains(&old_shards), "{old_shards} of 16");
}

#[test]
fn each_layout_keeps_to_its_places() {
    let dir = room();
    make(&dir.path().join("flat"), &recipe(3000, Layout::Flat)).unwrap();
    let flat = list(&dir.path().join("flat"));
    assert!(flat.iter().all(|entry| !entry.path.contains('/')));

    make(&dir.path().join("sharded"), &recipe(3000, Layout::Sharded)).unwrap();
    let sharded = list(&dir.path().join("sharded"));
    assert!(
        sharded
            .iter()
            .all(|entry| entry.path.contains('/') || entry.is_unfinished())
    );
}

#[test]
fn modes_are_those_of_odoo() {
    let dir = room();
    make(dir.path(), &recipe(3000, Layout::Both)).unwrap();
    let store = fs::metadata(dir.path().join("sessions")).unwrap();
    assert_eq!(store.permissions().mode() & 0o7777, 0o700);
    for entry in list(dir.path()) {
        let expected = if entry.is_unfinished() { 0o600 } else { 0o644 };
        assert_eq!(entry.mode, expected);
    }
}

#[test]
fn the_store_itself_is_of_the_present_whatever_now_is() {
    let dir = room();
    make(dir.path(), &recipe(100, Layout::Both)).unwrap();
    let store = fs::metadata(dir.path().join("sessions")).unwrap();
    assert!(store.modified().unwrap().elapsed().unwrap() < Duration::from_secs(60));
}

#[test]
fn a_superseded_session_has_its_successor_beside_it() {
    let dir = room();
    let made = make(dir.path(), &recipe(5000, Layout::Sharded)).unwrap();
    let files = list(dir.path());
    let by_sid: HashMap<_, _> = files.iter().map(|entry| (entry.sid(), entry)).collect();
    let mut pairs = 0;
    for old in &files {
        let Ok(session) = serde_json::from_slice::<serde_json::Value>(&old.content) else {
            continue;
        };
        let Some(next_sid) = session.get("next_sid") else {
            continue;
        };
        let new = by_sid[next_sid.as_str().unwrap()];
        let successor: serde_json::Value = serde_json::from_slice(&new.content).unwrap();
        assert_eq!(old.sid()[..42], new.sid()[..42]);
        assert_eq!(session["login"], successor["login"]);
        assert_eq!(session["uid"], successor["uid"]);
        assert_eq!(session["db"], successor["db"]);
        assert!(old.saved <= new.saved);
        let deletion = session["deletion_time"].as_f64().unwrap();
        assert!((deletion - old.saved.0 as f64 - 120.0).abs() < 2.0);
        pairs += 1;
    }
    assert_eq!(pairs, made.superseded);
    assert_eq!(pairs, 20);
}

#[test]
fn natural_ages_spread_from_minutes_to_two_months() {
    let dir = room();
    make(dir.path(), &recipe(10_000, Layout::Both)).unwrap();
    let ages: Vec<_> = list(dir.path()).iter().map(Entry::age).collect();
    let between = |from, to| {
        let here = ages.iter().filter(|&&age| (from..to).contains(&age));
        here.count()
    };
    assert_eq!(between(0, 61 * DAY), 10_000);
    for bar in [
        (0, HOUR),
        (HOUR, DAY),
        (DAY, 7 * DAY),
        (7 * DAY, 30 * DAY),
        (30 * DAY, 61 * DAY),
    ] {
        let count = between(bar.0, bar.1);
        assert!(count > 300, "only {count} between {bar:?}");
    }
}

#[test]
fn the_expired_share_is_exact_and_spread_over_the_shards() {
    for (sessions, percent, layout) in [
        (4000, 60, Layout::Sharded),
        (4000, 60, Layout::Flat),
        (1234, 1, Layout::Both),
        (999, 100, Layout::Sharded),
        (999, 0, Layout::Sharded),
    ] {
        let dir = room();
        let recipe = Recipe {
            expired_percent: Some(percent),
            ..recipe(sessions, layout)
        };
        let made = make(dir.path(), &recipe).unwrap();
        let files = list(dir.path());
        let (old, young): (Vec<_>, Vec<_>) = files.iter().partition(|e| e.age() > 8 * DAY);
        let expected = (sessions * u64::from(percent) + 50) / 100;
        assert_eq!(old.len() as u64, expected);
        assert_eq!(made.expired, Some(expected));
        assert!(young.iter().all(|entry| entry.age() <= 20 * HOUR));
        assert_eq!(made.unreadable, 0);
        if percent == 60 && layout == Layout::Sharded {
            let letters: HashSet<_> = old.iter().map(|entry| &entry.path[..1]).collect();
            assert_eq!(letters.len(), 64);
        }
    }
}

#[test]
fn a_share_beyond_the_whole_is_refused() {
    let dir = room();
    let recipe = Recipe {
        expired_percent: Some(101),
        ..recipe(10, Layout::Both)
    };
    make(dir.path(), &recipe).unwrap_err();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_directory_that_is_not_empty_is_left_alone() {
    let dir = room();
    fs::write(dir.path().join(".hidden"), "").unwrap();
    let error = make(dir.path(), &recipe(10, Layout::Both)).unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error:#}");
    assert!(
        error.to_string().contains(dir.path().to_str().unwrap()),
        "{error:#}"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn neither_a_symbolic_link_nor_a_file_is_taken_for_a_directory() {
    let dir = room();
    let (target, link, file) = (
        dir.path().join("target"),
        dir.path().join("link"),
        dir.path().join("file"),
    );
    fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    fs::write(&file, "").unwrap();
    for place in [&link, &file] {
        let error = make(place, &recipe(10, Layout::Both)).unwrap_err();
        assert!(
            format!("{error:#}").contains(place.to_str().unwrap()),
            "{error:#}"
        );
    }
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn a_missing_directory_is_made_with_its_parents() {
    let dir = room();
    let deep = dir.path().join("a/b/c");
    make(&deep, &recipe(10, Layout::Both)).unwrap();
    assert_eq!(list(&deep).len(), 10);
}

/// Python reads every file back, writes it again to the same bytes, and counts the same kinds.
#[test]
fn python_reads_every_session_and_would_write_the_same_bytes() {
    for layout in [Layout::Flat, Layout::Sharded, Layout::Both] {
        let dir = room();
        let made = make(dir.path(), &recipe(5000, layout)).unwrap();
        let test = "python_reads_every_session_and_would_write_the_same_bytes";
        let Some(mut python) = testenv::python3(test) else {
            return;
        };
        let run = python
            .args(["-c", READ_BACK])
            .arg(dir.path().join("sessions"))
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        let counts: HashMap<String, u64> = serde_json::from_slice(&run.stdout).unwrap();
        let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
        let expected = [
            ("authenticated", made.authenticated),
            ("superseded", made.superseded),
            ("cart", made.carts),
            ("wishlist", made.wishlists),
            ("pending", made.pending_two_factor),
            ("anonymous", made.anonymous + made.irregular),
            ("empty", made.empty),
            ("unreadable", made.unreadable),
            ("unfinished", made.unfinished_saves),
            ("upload", made.upload_stashes),
        ];
        for (kind, number) in expected {
            assert_eq!(count(kind), number, "{kind} in {layout:?}");
        }
    }
}

const READ_BACK: &str = r#"
import collections, json, os, pickle, sys

def read(data):
    if data[:1] == b"\x80":
        session = pickle.loads(data)
        assert pickle.dumps(session, data[1]) == data, "pickled otherwise"
    else:
        session = json.loads(data)
        assert json.dumps(session).encode("ascii") == data, "dumped otherwise"
    return session

def kind(name, data):
    if name.endswith(".file"):
        assert not data
        return "upload"
    if name.endswith(".__wz_sess"):
        assert not data or read(data)["session_token"]
        return "unfinished"
    if not data:
        return "empty"
    try:
        session = read(data)
    except (pickle.UnpicklingError, ValueError, EOFError):
        return "unreadable"
    if not isinstance(session, dict):
        return "unreadable"
    for key in "db", "uid", "login", "session_token", "context", "debug":
        assert key in session, key
    if session["uid"]:
        assert session["context"]["uid"] == session["uid"]
        assert len(session["session_token"]) == 64
        return "superseded" if "next_sid" in session else "authenticated"
    assert session["session_token"] is None
    if session.get("sale_order_id"):
        return "cart"
    if session.get("wishlist_ids"):
        return "wishlist"
    return "pending" if "pre_uid" in session else "anonymous"

counts = collections.Counter()
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name != "README.txt":
            with open(os.path.join(folder, name), "rb") as file:
                counts[kind(name, file.read())] += 1
print(json.dumps(counts))
"#;
