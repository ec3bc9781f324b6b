#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::{Devices, Text, Uid};
use super::*;

const NOBODY: Session<'static> = Session {
    uid: None,
    login: None,
    db: None,
    cart: false,
    pending_2fa: false,
    pre_uid: None,
    pre_login: None,
    deletion_time: None,
    devices: Devices::NONE,
};

fn parts(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn key(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    parts(&[b"\x8c", &[length], name.as_bytes()])
}

/// A pickle of a dictionary with what makes it Odoo's, and these keys and values.
fn with(items: &[u8]) -> Vec<u8> {
    parts(&[
        b"\x80\x04}(",
        &key("db"),
        b"N",
        &key("context"),
        b"}",
        items,
        b"u.",
    ])
}

fn reads(pickle: &[u8]) -> Result<Session<'_>, Unreadable> {
    read(pickle, &mut Buffers::default())
}

/// What a session says whose `name` is made by these operations.
fn set(name: &str, value: &[u8]) -> Result<Session<'static>, Unreadable> {
    let items = parts(&[&key("uid"), b"N", &key(name), value]);
    reads(with(&items).leak())
}

#[test]
fn only_none_and_false_are_anonymous() {
    let number = |number| Some(Uid::Number(number));
    for (uid, user) in [
        (&b"N"[..], None),
        (b"\x89", None),
        (b"\x88", Some(Uid::Other)),
        (b"K\x00", number(0)),
        (b"K\xff", number(255)),
        (b"M\xff\xff", number(65535)),
        (b"J\x70\x11\x01\x00", number(70000)),
        (b"J\xfe\xff\xff\xff", number(-2)),
        (b"\x8a\x00", number(0)),
        (b"\x8a\x05\x00\x00\x00\x00\x01", number(1 << 32)),
        (
            b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00",
            Some(Uid::Other),
        ),
        (b"\x8b\x01\x00\x00\x00\xff", number(-1)),
        (b"G\x40\x00\x00\x00\x00\x00\x00\x00", Some(Uid::Other)),
        (b"\x8c\x012", Some(Uid::Other)),
        (b"\x8c\x00", Some(Uid::Other)),
        (b"]", Some(Uid::Other)),
        (b")", Some(Uid::Other)),
        (b"cos\nsystem\n)R", Some(Uid::Other)),
    ] {
        assert_eq!(
            set("uid", uid),
            Ok(Session {
                uid: user,
                ..NOBODY
            }),
            "{}",
            uid.escape_ascii()
        );
    }
}

#[test]
fn a_cart_is_what_python_takes_for_true() {
    for empty in [
        &b"N"[..],
        b"\x89",
        b"K\x00",
        b"\x8a\x00",
        b"G\x80\0\0\0\0\0\0\0",
        b"\x8c\x00",
        b"C\x00",
        b"]",
        b"}",
        b")",
        b"\x8f",
        b"(\x91",
        b"(t",
        b"(l",
        b"(d",
        b"](e",
        b"}(u",
    ] {
        assert_eq!(
            set("sale_order_id", empty),
            Ok(NOBODY),
            "{}",
            empty.escape_ascii()
        );
    }
    let cart = Ok(Session {
        cart: true,
        ..NOBODY
    });
    for full in [
        &b"\x88"[..],
        b"K\x01",
        b"G\x7f\xf8\0\0\0\0\0\0",
        b"\x8c\x010",
        b"C\x01a",
        b"]Na",
        b"](NNe",
        b"}NNs",
        b"N\x85",
        b"]\x85",
        b"\x8f(N\x90",
        b"(N\x91",
        b"(Nt",
        b"(Nl",
        b"(NNd",
        b"cos\nsystem\n",
    ] {
        assert_eq!(set("sale_order_id", full), cart, "{}", full.escape_ascii());
    }
    assert_eq!(set("wishlist_ids", b"]K\x01a"), cart);
    for none in [&b"]"[..], b"K\x01\x85", b"\x8c\x01a", b"\x88"] {
        assert_eq!(
            set("wishlist_ids", none),
            Ok(NOBODY),
            "{}",
            none.escape_ascii()
        );
    }
}

#[test]
fn a_list_that_is_filled_after_it_was_memoised_is_not_empty() {
    // The same list under two keys, filled before, between and after.
    let items = parts(&[
        &key("uid"),
        b"N",
        &key("x"),
        b"]\x94K\x01a",
        &key("wishlist_ids"),
        b"h\x00",
    ]);
    assert_eq!(
        reads(&with(&items)),
        Ok(Session {
            cart: true,
            ..NOBODY
        })
    );
    let late = parts(&[
        &key("uid"),
        b"N",
        &key("wishlist_ids"),
        b"]\x94",
        &key("x"),
        b"h\x00K\x01a",
    ]);
    assert_eq!(
        reads(&with(&late)),
        Ok(Session {
            cart: true,
            ..NOBODY
        })
    );
}

#[test]
fn memoised_strings_and_numbers_are_read_where_they_were_made() {
    let items = parts(&[
        &key("login"),
        b"\x8c\x05admin\x94",
        &key("pre_login"),
        b"h\x00",
        &key("pre_uid"),
        b"J\x70\x11\x01\x00r\x01\x00\x00\x00",
        &key("uid"),
        b"j\x01\x00\x00\x00",
        &key("db"),
        b"h\x00",
    ]);
    let admin = Some(Text::from(&b"admin"[..]));
    let expected = Session {
        uid: Some(Uid::Number(70000)),
        pre_uid: Some(Uid::Number(70000)),
        pre_login: admin.clone(),
        login: admin.clone(),
        db: admin,
        ..NOBODY
    };
    assert_eq!(reads(&with(&items)), Ok(expected));
}

#[test]
fn the_dictionary_returned_counts_not_the_first_one() {
    let session = parts(&[
        b"}(",
        &key("uid"),
        b"K\x07",
        &key("db"),
        b"N",
        &key("debug"),
        b"Nu.",
    ]);
    let user = Ok(Session {
        uid: Some(Uid::Number(7)),
        ..NOBODY
    });
    let decoy = parts(&[
        b"}(",
        &key("uid"),
        b"K\x01",
        &key("db"),
        b"N",
        &key("login"),
        b"Nu",
    ]);
    assert_eq!(reads(&parts(&[b"\x80\x04", &decoy, b"0", &session])), user);
    assert_eq!(reads(&parts(&[b"\x80\x04", &decoy, &session])), user);
    let made_last = parts(&[
        b"\x80\x04(",
        &key("uid"),
        b"K\x07",
        &key("db"),
        &decoy,
        &key("debug"),
        b"Nd.",
    ]);
    assert_eq!(reads(&made_last), user);
}

#[test]
fn the_last_of_duplicate_keys_wins() {
    let items = parts(&[
        &key("uid"),
        b"K\x01",
        &key("uid"),
        b"K\x02u(",
        &key("uid"),
        b"N",
    ]);
    assert_eq!(reads(&with(&items)), Ok(NOBODY));
}

#[test]
fn nested_keys_of_an_attacker_count_for_nothing() {
    let evil = parts(&[
        b"}(",
        &key("uid"),
        b"K\x01",
        &key("login"),
        b"\x8c\x01x",
        &key("sale_order_id"),
        b"K\x01u",
    ]);
    let object = parts(&[b"cx\ny\n)R(", &key("uid"), b"K\x01u", &evil, b"b"]);
    for hidden in [&evil, &parts(&[b"]", &evil, b"a"]), &object] {
        let items = parts(&[
            &key("uid"),
            b"N",
            &key("auth_login"),
            hidden,
            b"C\x03uidK\x01",
        ]);
        assert_eq!(reads(&with(&items)), Ok(NOBODY));
    }
}

#[test]
fn pickled_devices_say_nothing() {
    let device = parts(&[b"}", &key("first_activity"), b"K\x01s"]);
    for (name, value) in [
        ("_trace", parts(&[b"]", &device, b"a"])),
        ("_devices", parts(&[b"}", &key("a"), &device, b"s"])),
    ] {
        let session = set(name, &value).unwrap();
        assert_eq!(session.first_activity(|_| true), None);
        assert_eq!(session, NOBODY);
    }
}

#[test]
fn strings_keep_nuls_and_lone_surrogates() {
    for text in [
        &b"zo\xc3\xab"[..],
        b"\0\xed\xa0\x80uid\n",
        b"\xed\xb0\x80",
        b"",
    ] {
        let length = u8::try_from(text.len()).unwrap();
        for head in [
            &[0x8c, length][..],
            &[b'X', length, 0, 0, 0],
            &[0x8d, length, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let value = parts(&[head, text]).leak();
            assert_eq!(
                set("login", value),
                Ok(Session {
                    login: Some(Text::from(text)),
                    ..NOBODY
                })
            );
        }
    }
    assert_eq!(
        set("login", b"U\x01a"),
        Ok(Session {
            login: Some(Text::from(&b"a"[..])),
            ..NOBODY
        })
    );
    assert_eq!(set("login", b"C\x01a"), Ok(NOBODY));
}

#[test]
fn what_python_refuses_is_broken() {
    for value in [
        &b""[..],
        b"NN",
        b"h\x00",
        b"\x8c\x01\xff",
        b"\x8c\x02\xed\xa0",
        b"U\x01\xff",
        b"T\xff\xff\xff\xff",
        b"X\xff\xff\xff\xff",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x95\xff\xff\xff\xff\xff\xff\xff\xffN",
        b"\x95\x00\x01\x00\x00\x00\x00\x00\x00N",
        b"\x80\x06N",
        b"1N",
        b"a",
        b"NNa",
        b"]N\x90",
        b"N(Ne",
        b"N(NNu",
        b"}(Nu",
        b"}]Ns",
        b"}}Ns",
        b"}\x8fNs",
        b"}]\x85Ns",
        b"}\x96\0\0\0\0\0\0\0\0Ns",
        b"(]Nd",
        b"(Nd",
        b"\x8f(]\x90",
        b"(]\x91",
        b"(u",
        b"\x93",
        b"NN\x93",
        b"c\n\n",
        b"cos\n",
        b"c\xff\nx\n",
        b"cos\nsystem\nNR",
        b"N)R",
        b"NNb",
        b"cos\nx\n))\x92",
        b"Nq\xff",
        b"Nr\xff\xff\xff\xff",
        b"\xff",
        b"Jx",
        b"(\x87",
        b"(NN\x87",
        b"(2",
        b"(a",
    ] {
        assert_eq!(
            set("x", value),
            Err(Unreadable::BrokenPickle),
            "{}",
            value.escape_ascii()
        );
    }
    for pickle in [
        &b"\x80\x04."[..],
        b"\x80\x04(.",
        b"\x80\x04N0.",
        b"\x80\x04}((.",
        b"\x80\x04}",
    ] {
        assert_eq!(
            reads(pickle),
            Err(Unreadable::BrokenPickle),
            "{}",
            pickle.escape_ascii()
        );
    }
}

#[test]
fn what_no_session_has_is_not_supported() {
    for value in [
        &b"I1\n"[..],
        b"L1L\n",
        b"F1\n",
        b"S'a'\n",
        b"Va\n",
        b"p0\n",
        b"g0\n",
        b"(ix\ny\n",
        b"(o",
        b"Px\n",
        b"NQ",
        b"\x82\x01",
        b"\x83\x01\0",
        b"\x84\x01\0\0\0",
        b"\x97",
        b"\x98",
    ] {
        assert_eq!(
            set("x", value),
            Err(Unreadable::UnsupportedOpcode),
            "{}",
            value.escape_ascii()
        );
    }
}

#[test]
fn sound_but_strange_programs_are_followed() {
    for value in [
        &b"N20"[..],
        b"N(NN1",
        b"(0N",
        b"N(0",
        b"cos\nx\n(e",
        b"cos\nx\n)}\x92",
        b"\x8c\x02os\x8c\x06system\x93)\x81}b",
        b"\x80\x05N",
        b"Nq\x090h\x09\x85",
    ] {
        assert_eq!(set("x", value), Ok(NOBODY), "{}", value.escape_ascii());
    }
    assert_eq!(
        reads(&parts(&[
            &with(&parts(&[&key("uid"), b"N"])),
            b"whatever follows"
        ])),
        Ok(NOBODY)
    );
}

#[test]
fn any_nesting_and_any_length_is_nothing_special() {
    for (open, close) in [
        (&b"]"[..], &b"a"[..]),
        (b"}\x8c\x03uid", b"s"),
        (b"", b"\x85"),
        (b"](K\x01", b"e"),
    ] {
        for levels in [300, 1_000_000] {
            let nest = parts(&[&open.repeat(levels), b"N", &close.repeat(levels)]);
            assert_eq!(set("auth_login", &nest), Ok(NOBODY));
        }
    }
    let long = parts(&[b"X\x00\x00\x30\x00", &vec![b'x'; 3 << 20]]);
    assert_eq!(set("auth_login", &long), Ok(NOBODY));
}

#[test]
fn hostile_programs_end_at_the_bounds() {
    let mut buffers = Buffers::default();
    let most = 5 << 20;
    for repeated in [
        &b"("[..],
        b"N",
        b"2",
        b"N\x94",
        b"(1",
        b"]Na",
        b"}NNs",
        b"N\x940",
        b"\x8fN\x85",
    ] {
        let pickle = parts(&[b"\x80\x04}", &repeated.repeat((most - 3) / repeated.len())]);
        assert_eq!(read(&pickle, &mut buffers), Err(Unreadable::BrokenPickle));
        buffers.shrink();
    }
}
