//! The JSON reader.
#![no_main]

mod reading;

use libfuzzer_sys::fuzz_target;
use odoo_session_reaper::session::{Scratch, Unreadable, read};

fuzz_target!(|data: &[u8]| {
    let mut file = data.to_vec();
    file.resize(file.len().max(1), b'}');
    file[0] = b'{';
    let Ok(session) = reading::hold(&file) else {
        return;
    };

    // Half a file is none: nothing that a crash cut off is ever taken for a session.
    let end = file.trim_ascii_end().len();
    let half = read(&file[..end - 1], &mut Scratch::default());
    assert!(half == Err(Unreadable::BrokenJson));

    // Whatever a visitor has Odoo store below a key of its own decides nothing.
    let nested = [
        br#"{"uid": null, "db": 1, "x": [{"y":"#,
        &file[..],
        br#"}], "login": "me"}"#,
    ]
    .concat();
    let mut scratch = Scratch::default();
    let outer = read(&nested, &mut scratch).expect("a session around a session is one");
    assert!(
        outer.uid.is_none() && !outer.cart && !outer.pending_2fa && outer.deletion_time.is_none()
    );
    assert!(outer.db.is_none() && outer.login.is_some_and(|login| login.as_bytes() == b"me"));
    drop(session);
});
