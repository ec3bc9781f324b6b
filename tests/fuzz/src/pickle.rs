//! The pickle reader.
#![no_main]

mod reading;

use libfuzzer_sys::fuzz_target;
use odoo_session_reaper::session::{Scratch, read};

fuzz_target!(|data: &[u8]| {
    let mut file = data.to_vec();
    file.resize(file.len().max(1), 0);
    file[0] = 0x80;
    let Ok(session) = reading::hold(&file) else {
        return;
    };

    // A pickle ends itself: what follows decides nothing.
    let mut longer = file.clone();
    longer.extend_from_slice(b"\x8c\x03uidK\x01s.");
    assert!(read(&longer, &mut Scratch::default()) == Ok(session));
});
