//! How long it takes to tell what a session file says, beside libraries that decode the whole of it.
//!
//! The sessions are real ones (`tests/fixtures`), but for the one that has grown to 8 KB by its devices. The peers are
//! `serde_json` and `serde-pickle` into their `Value`, which is what one would write with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a bench may end in a panic, and nobody links it"
)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use odoo_session_reaper::session::{self, Scratch};
use serde_json::{Value, json};

/// What the fixtures' manifests call these sessions.
const REAL: [(&str, &str, &str); 5] = [
    ("JSON, anonymous", "odoo-18", "anon-debug"),
    ("JSON, authenticated", "odoo-18", "auth-admin"),
    (
        "pickle 4, flat, anonymous",
        "odoo-14",
        "py37-anon-web-login",
    ),
    (
        "pickle 4, flat, authenticated",
        "odoo-14",
        "py37-auth-admin-debug",
    ),
    ("pickle 5, authenticated", "odoo-16", "auth-admin"),
];

fn classification(criterion: &mut Criterion) {
    let real = REAL.map(|(name, odoo, label)| (name, fixture(odoo, label)));
    let grown = ("JSON, authenticated, 8 KB of devices", many_devices());
    for (name, file) in real.into_iter().chain([grown]) {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(file.len() as u64));
        let mut scratch = Scratch::default();
        session::read(&file, &mut scratch).expect("it is a session");
        group.bench_function("session::read", |bencher| {
            bencher.iter(|| session::read(black_box(&file), &mut scratch).is_ok());
        });
        if file.starts_with(b"\x80") {
            group.bench_function("serde-pickle", |bencher| {
                bencher.iter(|| -> serde_pickle::Value {
                    serde_pickle::from_slice(black_box(&file), serde_pickle::DeOptions::new())
                        .unwrap()
                });
            });
        } else {
            group.bench_function("serde_json", |bencher| {
                bencher.iter(|| -> Value { serde_json::from_slice(black_box(&file)).unwrap() });
            });
        }
        group.finish();
    }
}

fn fixture(odoo: &str, label: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(odoo);
    let manifest = std::fs::read(dir.join("manifest.json")).expect("a manifest");
    let manifest: Vec<Value> = serde_json::from_slice(&manifest).expect("a list");
    let entry = manifest
        .iter()
        .find(|entry| entry["label"] == label)
        .unwrap_or_else(|| panic!("{odoo} has no {label}"));
    let path = entry["path"].as_str().expect("a path");
    std::fs::read(dir.join(path)).expect("a session")
}

/// An authenticated session of Odoo 18, with as many devices as make 8 KB.
fn many_devices() -> Vec<u8> {
    let mut session: Value = serde_json::from_slice(&fixture("odoo-18", "auth-admin")).unwrap();
    let device = json!({
        "platform": "linux", "browser": "chrome", "ip_address": "203.0.113.7",
        "first_activity": 1_790_000_000, "last_activity": 1_790_003_600,
    });
    session["_trace"] = Value::Array(vec![device; 60]);
    let file = serde_json::to_vec(&session).unwrap();
    assert!((7000..9500).contains(&file.len()), "{} bytes", file.len());
    file
}

criterion_group!(benches, classification);
criterion_main!(benches);
