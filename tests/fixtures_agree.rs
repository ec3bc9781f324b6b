//! Every session that real Odoo servers wrote reads exactly as its manifest says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use odoo_session_reaper::session::{Scratch, Session, Uid, Unreadable, read};
use serde_json::{Value, json};

/// The manifest's entries of kind "session", each with its file's bytes.
fn sessions(version: &str) -> Vec<(Value, Vec<u8>)> {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version);
    let manifest = fs::read(root.join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    entries
        .into_iter()
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
fn no_truncated_session_reads_as_anything() {
    let mut scratch = Scratch::default();
    for version in ["odoo-14", "odoo-16", "odoo-18", "odoo-19"] {
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
