//! Every session that real Odoo servers wrote reads exactly as its manifest says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use odoo_session_reaper::session::{Scratch, Session, Uid, Unreadable, read};
use serde_json::{Value, json};

/// The entries of kind "session", each with its file's bytes.
fn sessions(version: &str) -> Vec<(Value, Vec<u8>)> {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version);
    let entries = |list: &str| -> Vec<Value> {
        let list = fs::read(root.join(list)).unwrap_or_else(|_| b"[]".to_vec());
        serde_json::from_slice(&list).unwrap()
    };
    let manifest = entries("manifest.json");
    let beside = entries("beside.json");
    manifest
        .into_iter()
        .chain(beside)
        .filter(|entry| entry["kind"] == "session")
        .map(|entry| {
            let bytes = fs::read(root.join(entry["path"].as_str().unwrap())).unwrap();
            (entry, bytes)
        })
        .collect()
}

/// A session in the manifest's words.
fn told(session: &Session) -> Value {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    json!({
        "class": if session.uid.is_some() { "authenticated" } else { "anonymous" },
        "uid": match session.uid {
            Some(Uid::Number(number)) => json!(number),
            Some(Uid::Other) => json!("other"),
            None => Value::Null,
        },
        "login": session.login.as_ref().map(|login| text(login.as_bytes())),
        "db": session.db.as_ref().map(|db| text(db.as_bytes())),
        "cart": session.cart,
        "pending_2fa": session.pending_2fa,
        "superseded": session.deletion_time.is_some(),
    })
}

fn expected(entry: &Value) -> Value {
    let mut words = json!({"superseded": entry["superseded"] == true});
    for word in ["class", "uid", "login", "db", "cart", "pending_2fa"] {
        words[word] = entry[word].clone();
    }
    words
}

fn every_session_agrees(version: &str, count: usize) {
    let mut scratch = Scratch::default();
    let sessions = sessions(version);
    assert_eq!(sessions.len(), count);
    for (entry, bytes) in sessions {
        let session = read(&bytes, &mut scratch).unwrap_or_else(|why| panic!("{entry}: {why}"));
        assert_eq!(told(&session), expected(&entry), "{entry}");
    }
}

#[test]
fn odoo_14_reads_as_its_manifest_says() {
    every_session_agrees("odoo-14", 51);
}

#[test]
fn odoo_16_reads_as_its_manifest_says() {
    every_session_agrees("odoo-16", 37);
}

#[test]
fn odoo_18_reads_as_its_manifest_says() {
    every_session_agrees("odoo-18", 26);
}

#[test]
fn odoo_19_reads_as_its_manifest_says() {
    every_session_agrees("odoo-19", 30);
}

#[test]
fn odoo_20_reads_as_its_manifest_says() {
    every_session_agrees("odoo-20", 30);
}

/// Of the four that lived through the upgrade, `_trace` tells of days before `_devices` begins.
#[test]
fn odoo_20_tells_when_each_login_began() {
    let mut scratch = Scratch::default();
    let mut began = std::collections::BTreeMap::new();
    for (entry, bytes) in sessions("odoo-20") {
        let session = read(&bytes, &mut scratch).unwrap();
        let first = session.first_activity(|_| true).map(|time| time as u64);
        if session.uid.is_some() {
            *began.entry(first).or_insert(0) += 1;
        } else {
            assert_eq!(first, None, "{entry}");
        }
    }
    let upgraded = (Some(1_792_682_362), 4);
    assert!(
        began.contains_key(&upgraded.0) && began[&upgraded.0] == upgraded.1,
        "{began:?}"
    );
    eprintln!("{began:?}");
}

#[test]
fn no_truncated_session_reads_as_anything() {
    let mut scratch = Scratch::default();
    for version in ["odoo-14", "odoo-16", "odoo-18", "odoo-19", "odoo-20"] {
        for (entry, bytes) in sessions(version) {
            let broken = if bytes[0] == 0x80 {
                Unreadable::BrokenPickle
            } else {
                Unreadable::BrokenJson
            };
            for length in 1..bytes.len() {
                assert_eq!(
                    read(&bytes[..length], &mut scratch),
                    Err(broken),
                    "{length} of {entry}"
                );
            }
        }
    }
}
