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

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use odoo_session_reaper::session::{self, Scratch};
use serde_json::{Value, json};

macro_rules! real {
    ($path:literal) => {
        include_bytes!(concat!("../tests/fixtures/", $path))
    };
}

const JSON_AUTHENTICATED: &[u8] = real!(
    "odoo-18/sessions/M9/M9yNLEqAUYHtdzD8jb5-_LKfFHoF_YLbp2sWSCvrRDCqZQxmCSKl7MXIH2SgVzF6rluqF-hKY9Q6sAzpwnSP"
);

#[rustfmt::skip]
const REAL: [(&str, &[u8]); 5] = [
    ("JSON, anonymous", real!("odoo-18/sessions/2g/2g_zWyiCm0oOoWJFVD2QT_HSpQ72IGgjfX3INXe-o3J4SIBKa4Kptcc_kUzUnHuNZXMm_XQoCNV7dfJirgGf")),
    ("JSON, authenticated", JSON_AUTHENTICATED),
    ("pickle 4, flat, anonymous", real!("odoo-14/sessions/werkzeug_872ee771da9b0c57ed4aa204a9e29a655b0c21be.sess")),
    ("pickle 4, flat, authenticated", real!("odoo-14/sessions/werkzeug_35360bd52440cf1d3a837ece9b8fedbc1b6e7b78.sess")),
    ("pickle 5, authenticated", real!("odoo-16/sessions/5d/5d239f097fb0aff96ebf81636bcd40c0b65b6edb")),
];

fn classification(criterion: &mut Criterion) {
    let real = REAL.map(|(name, file)| (name, file.to_vec()));
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

/// An authenticated session of Odoo 18, with as many devices as make 8 KB.
fn many_devices() -> Vec<u8> {
    let mut session: Value = serde_json::from_slice(JSON_AUTHENTICATED).unwrap();
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
