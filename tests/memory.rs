//! How much memory hostile files can take. A test of its own: the largest child of a process is measured.

#![allow(clippy::unwrap_used)]

mod testenv;

use nix::sys::resource::{UsageWho, getrusage};

use testenv::{DAY, Odoo};

/// A pickle that makes the reader's stack and its memo as large as they get, for its 2 MB; and JSON, whose reader
/// keeps a byte for each level.
fn monsters(odoo: &Odoo) {
    let pickle = [b"\x80\x04".as_slice(), &b"]\x94".repeat(1 << 20)].concat();
    let json = format!("{{\"uid\": null, \"x\": {}", "[".repeat(1 << 21));
    for number in 10..26 {
        odoo.session(
            &number.to_string(),
            if number % 4 == 0 {
                json.as_bytes()
            } else {
                &pickle
            },
            2 * DAY,
        );
    }
}

/// The largest program that this process has waited for until now, in KiB.
fn largest() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
}

#[test]
fn many_workers_take_no_more_memory_for_monsters_than_one() {
    let odoo = Odoo::new();
    monsters(&odoo);
    let mut peaks = Vec::new();
    for threads in ["1", "16"] {
        let audit = odoo.json("audit", &["--threads", threads], 0);
        assert_eq!(
            audit["unreadable"],
            serde_json::json!({"broken JSON": 4, "broken pickle": 12})
        );
        peaks.push(largest());
    }
    // All of them together are the sample, which is read before anything is deleted.
    let mut args = vec!["--by-age-only", "--threads", "16"];
    for window in [
        "--authenticated-window",
        "--anonymous-window",
        "--cart-window",
    ] {
        args.extend([window, "1d"]);
    }
    let by_age = odoo.run("reap", &args);
    assert_eq!(by_age.code, 1, "{}", by_age.all());
    peaks.push(largest());
    // Each of them more would be some 10 MB.
    assert!(peaks[2] < peaks[0] + 10_000, "{peaks:?} KiB");
}
