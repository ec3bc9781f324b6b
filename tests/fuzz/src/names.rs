//! What a name says, and what of it may be shown.
#![no_main]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use odoo_session_reaper::redact;
use odoo_session_reaper::store::name::{Kind, at_top, characters, in_shard, is_shard, login, sid};
use odoo_session_reaper::unknown::{Place, Unknown};

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
    // What stands for the rest, and can be a character of the name as well.
    let shown = shown.replace('…', "");
    let secret = String::from_utf8_lossy(secret);
    if let Some((end, _)) = secret.char_indices().nth(9) {
        assert!(
            !shown.contains(&secret[..end]),
            "more than a prefix is shown"
        );
    }
}

/// Of names that are alike no more is shown than of one, however much they share.
fn as_one_of_many(name: &[u8]) {
    let mut unknown = Unknown::default();
    for number in 0..20_u8 {
        let mut other = name.to_vec();
        for byte in other.iter_mut().rev().take(usize::from(name[0]) % 48) {
            if *byte != b'.' {
                *byte = b'a' + (*byte ^ number) % 26;
            }
        }
        unknown.see(Place::File, &other);
    }
    for shape in unknown.told() {
        let pattern = shape.like;
        assert!(pattern.is_ascii() || pattern.ends_with('…'));
        assert!(!pattern.contains(char::is_control));
        for part in pattern.split('.') {
            // How many are hidden, in braces, tells nothing.
            let mut in_braces = false;
            let shown = part.chars().filter(|&c| {
                in_braces = c == '{' || in_braces && c != '}';
                !in_braces && (c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            });
            let shown = shown.count();
            assert!(shown <= 8, "{pattern}");
        }
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

        for end in 1..name.len().min(9) {
            let shard = &name[..end];
            let kind = in_shard(shard, &name);
            if kind.is_regular_session() {
                assert!(shard.len() == 2 && login(&name).len() >= 40);
            }
            if is_shard(shard) && kind != Kind::Foreign {
                assert!(matches!(characters(shard), 1 | 2));
                let path = [b"/srv/sessions/", shard, b"/", &name].concat();
                shown_safely(&redact::path(Path::new(OsStr::from_bytes(&path))), &name);
            }
        }
        as_one_of_many(&name);
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
