//! What is shown, and what never is.

use super::*;

#[test]
fn shows_eight_characters_of_a_session_id() {
    assert_eq!(prefix(&[b'a'; 40]), "aaaaaaaa");
    assert_eq!(prefix(&[b'-'; 84]), "--------");
}

#[test]
fn shows_no_more_than_a_quarter_of_a_short_name() {
    assert_eq!(prefix(b"hello"), "h");
    assert_eq!(prefix(b"abc"), "");
    assert_eq!(prefix("ééééé".as_bytes()), "é");
}

#[test]
fn escapes_what_a_terminal_would_obey() {
    assert_eq!(
        printable("a\x1b[31m\n\u{9b}\u{202e}\u{2028}".as_bytes()),
        "a\\u{1b}[31m\\n\\u{9b}\\u{202e}\\u{2028}"
    );
    assert_eq!(printable(b"a\xed\xa0\x80\xff"), "a\\xed\\xa0\\x80\\xff");
}

#[test]
fn leaves_ordinary_logins_alone() {
    for login in [
        "zoë@exämple.com",
        "日本@例え.jp",
        "CORP\\o'brien",
        "a \"b\"",
    ] {
        assert_eq!(printable(login.as_bytes()), login);
    }
}

#[test]
fn cuts_long_text() {
    let long = printable(&[b'x'; 1000]);
    assert_eq!(long.chars().count(), TEXT_CHARS + 1);
    assert!(long.ends_with('…'));
    assert_eq!(
        printable(&[0xff; 1000]).matches("\\xff").count(),
        TEXT_CHARS
    );
}

#[test]
fn a_word_stays_one_word_of_a_shell() {
    for (word, shown) in [
        ("/var/lib/odoo", "/var/lib/odoo"),
        ("30days", "30days"),
        ("kiosk*", "'kiosk*'"),
        ("o'brien", r"'o'\''brien'"),
        ("a b", "'a b'"),
        ("$(x)", "'$(x)'"),
        ("", "''"),
    ] {
        assert_eq!(super::word(word), shown);
    }
}

#[test]
fn a_path_never_ends_in_a_session_id() {
    let sid = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";
    let shown = path(Path::new(&format!("/var/lib/odoo/sessions/0a/{sid}")));
    assert_eq!(shown, "/var/lib/odoo/sessions/0a/0a796d6e…");
    let shown = path(Path::new(&format!("sessions/werkzeug_{sid}.sess")));
    assert_eq!(shown, "sessions/werkzeug…");
}

#[test]
fn a_path_never_ends_in_an_irregular_session_id() {
    assert_eq!(
        path(Path::new("/o/sessions/he/hellosecret")),
        "/o/sessions/he/he…"
    );
    assert_eq!(
        path(Path::new("/srv/sessions/odoo/sessions")),
        "/srv/sessions/odoo/sessions"
    );
}

#[test]
fn a_path_shows_no_more_of_a_short_id_by_its_shard() {
    for (path_of_id, shown) in [
        (&b"\xc3\xa91/\xc3\xa91secr"[..], "é…/é…"),
        (b"\xc3\xa91/\xc3\xa91secret", "é1/é1…"),
        (
            b"\xff\xfe/\xff\xfe123456789",
            "\\xff\\xfe/\u{fffd}\u{fffd}…",
        ),
        (b"he/hello", "h…/h…"),
        (b"ab/ab", "…/…"),
        (b"a/a", "…/…"),
        (b"\xc3\xa9/\xc3\xa9", "…/…"),
        (b"a", "…"),
        (b"ab", "ab"),
        (b"ab/other", "ab/other"),
    ] {
        let whole = [b"/o/sessions/", path_of_id].concat();
        let whole = path(Path::new(std::ffi::OsStr::from_bytes(&whole)));
        assert_eq!(whole.to_string(), format!("/o/sessions/{shown}"));
    }
    assert_eq!(
        path(Path::new("/srv/sessions/a/sessions")),
        "/srv/sessions/a/sessions"
    );
}

#[test]
fn a_shard_is_shown_unless_it_is_a_whole_id() {
    for (name, shown) in [("ab", "ab"), ("é1", "é1"), ("a", "…"), ("é", "…")] {
        assert_eq!(shard(name.as_bytes()), shown);
    }
    assert_eq!(shard(b"\xff"), "…");
}

#[test]
fn a_session_id_is_cut_wherever_it_stands_in_a_path() {
    let sid = "Zq9Xw-3_".repeat(11);
    let (new, old) = (&sid[..84], "0a796d6eb7fd55225f25e5a661da803c19cc56f5");
    for (given, shown) in [
        (format!("Zq/{new}/sessions"), "Zq/Zq9Xw-3_…/sessions"),
        (format!("{new}/x/y"), "Zq9Xw-3_…/x/y"),
        (format!("/tmp/0a/{old}/x"), "/tmp/0a/0a796d6e…/x"),
        ("he/hello-secret-id".to_owned(), "he/hel…"),
        ("/srv/data/my/mydata".to_owned(), "/srv/data/my/mydata"),
    ] {
        assert_eq!(path(Path::new(&given)), shown);
    }
}

#[test]
fn a_long_name_further_up_stays_whole() {
    let volume = format!("/volumes/{}/_data/sessions", "4f53cda1".repeat(8));
    assert_eq!(path(Path::new(&volume)), &*volume);
}

#[test]
fn an_ordinary_path_is_shown_as_it_is() {
    assert_eq!(
        path(Path::new("/var/lib/odoo/sessions")),
        "/var/lib/odoo/sessions"
    );
    assert_eq!(path(Path::new("../a\nb")), "../a\\nb");
}
