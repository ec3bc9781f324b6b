//! What a name says, and what of it may be shown.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use odoo_session_reaper::redact;
use odoo_session_reaper::store::name::{at_top, in_shard, is_shard, sid};

/// As a stranger's bytes and as letters of an id, of which random bytes hardly ever make enough.
fn names(data: &[u8]) -> [Vec<u8>; 3] {
    let letters = |alphabet: &[u8]| {
        data.iter()
            .map(|&byte| alphabet[usize::from(byte) % alphabet.len()])
            .collect()
    };
    let url_safe = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    [
        data.to_vec(),
        letters(b"0123456789abcdef"),
        letters(url_safe),
    ]
}

/// Nothing that moves a cursor, and no more of an id than its first eight characters.
fn shown_safely(shown: &str, secret: &[u8]) {
    assert!(!shown.contains(char::is_control));
    let secret = String::from_utf8_lossy(secret);
    if let Some((end, _)) = secret.char_indices().nth(9) {
        assert!(
            !shown.contains(&secret[..end]),
            "more than a prefix is shown"
        );
    }
}

fuzz_target!(|data: &[u8]| {
    for mut name in names(data) {
        name.retain(|&byte| byte != b'/' && byte != 0);
        if matches!(&name[..], b"" | b"." | b"..") {
            continue;
        }
        assert!(!redact::printable(&name).contains(char::is_control));
        shown_safely(&redact::prefix(&name), &name);

        let shard = &name[..name.len().min(2)];
        let kind = in_shard(shard, &name);
        if is_shard(shard) && kind.is_regular_session() {
            let path = [b"/srv/sessions/", shard, b"/", &name].concat();
            shown_safely(&redact::path(Path::new(OsStr::from_bytes(&path))), &name);
        }
        for flat in [&name[..], &[b"werkzeug_", &name[..], b".sess"].concat()] {
            if at_top(flat).is_regular_session() {
                let path = [b"/srv/sessions/", flat].concat();
                shown_safely(
                    &redact::path(Path::new(OsStr::from_bytes(&path))),
                    sid(flat),
                );
            }
        }
    }
});
