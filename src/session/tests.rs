#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn fails(bytes: &[u8]) -> Unreadable {
    read(bytes, &mut Scratch::default()).unwrap_err()
}

#[test]
fn formats_are_told_by_their_bytes() {
    for (bytes, why) in [
        (&b""[..], Unreadable::UnknownFormat),
        (b" \n", Unreadable::UnknownFormat),
        (b"\0\0\0\0", Unreadable::UnknownFormat),
        (b"\x89PNG", Unreadable::UnknownFormat),
        (b"nul", Unreadable::UnknownFormat),
        (b"(dp0\n.", Unreadable::UnknownFormat),
        (b"\xef\xbb\xbf{}", Unreadable::UnknownFormat),
        (b"\x0c{}", Unreadable::UnknownFormat),
        (b"null", Unreadable::NotADictionary),
        (b"\t true", Unreadable::NotADictionary),
        (b"-Infinity", Unreadable::NotADictionary),
        (b"NaN", Unreadable::NotADictionary),
        (b"[]", Unreadable::NotADictionary),
        (b"\"uid\"", Unreadable::NotADictionary),
        (b"12", Unreadable::NotADictionary),
        (b"{}", Unreadable::NotOdoosKeys),
        (b" {", Unreadable::BrokenJson),
        (b"\x80\x04}.", Unreadable::NotOdoosKeys),
        (b"\x80\x04].", Unreadable::NotADictionary),
        (b"\x80", Unreadable::BrokenPickle),
    ] {
        assert_eq!(fails(bytes), why, "{}", bytes.escape_ascii());
    }
}

#[test]
fn more_than_16_mib_are_too_large() {
    let mut file = vec![b' '; MAX_BYTES];
    let session = br#"{"uid": 1, "db": 1, "login": 1}"#;
    file[..session.len()].copy_from_slice(session);
    assert_eq!(
        read(&file, &mut Scratch::default()).unwrap().uid,
        Some(Uid::Number(1))
    );
    file.push(b' ');
    assert_eq!(fails(&file), Unreadable::TooLarge);
}

#[test]
fn nothing_of_a_session_shows_in_debug_output() {
    let file = br#"{"uid": 4711, "db": "secretdb", "login": "secret", "session_token": "secret", "_devices": {"secret": 1}}"#;
    let mut scratch = Scratch::default();
    let session = read(file, &mut scratch).unwrap();
    assert_eq!(
        format!("{session:?} {:?} {:?}", session.login, session.devices),
        "Session { authenticated: true, cart: false, pending_2fa: false, superseded: false, .. } \
         Some(Text(6 bytes)) Devices(0 and 13 bytes)"
    );
}
