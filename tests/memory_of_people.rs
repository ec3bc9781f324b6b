//! What `who` and `revoke` hold for each login. A test of its own: the largest child of a process is measured.

#![allow(clippy::unwrap_used)]

mod testenv;

use nix::sys::resource::{UsageWho, getrusage};

use testenv::{Odoo, VISITOR};

/// As many as are held to be sorted; of more, only what tells them apart is held.
const LOGINS: usize = 50_000;

/// The largest program that this process has waited for until now, in bytes.
fn largest() -> i64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() * 1024
}

fn fill(odoo: &Odoo, content: impl Fn(usize) -> String) {
    for number in 0..LOGINS {
        let name = format!("werkzeug_{number:040x}.sess");
        std::fs::write(odoo.path(&name), content(number)).unwrap();
    }
}

#[test]
fn memory_grows_by_little_for_each_login_and_by_nothing_for_others() {
    let odoo = Odoo::new();
    let all = ["--everyone", "--yes", "--watch", "0"];
    odoo.json("revoke", &all, 0);
    let nobody = largest();
    fill(&odoo, |_| VISITOR.to_owned());
    odoo.json("revoke", &all, 0);
    let before = largest();
    let visitors = before - nobody;
    assert!(
        visitors < 2_000_000,
        "{visitors} bytes for {LOGINS} visitors"
    );
    let user = |number: usize| {
        format!(
            r#"{{"db": "shop", "uid": {number}, "login": "user{number}@example.com", "context": {{}}, "debug": ""}}"#
        )
    };
    fill(&odoo, user);
    let report = odoo.json("revoke", &all, 0);
    assert_eq!(report["deleted"]["files"], LOGINS);
    let each = (largest() - before) / LOGINS as i64;
    // 183 where this was written.
    assert!(each < 200, "{each} bytes for each login");
}
