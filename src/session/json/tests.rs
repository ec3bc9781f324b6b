#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::facts::Value;
use super::super::{Text, Uid};
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

/// A file with these keys besides what makes it Odoo's.
fn with(keys: &str) -> String {
    format!(r#"{{"session_token": null, "context": {{}}, {keys}}}"#)
}

fn reads(keys: &str) -> Session<'static> {
    let session = read(with(keys).leak().as_bytes());
    session.unwrap_or_else(|why| panic!("{keys}: {why}"))
}

fn breaks(keys: &str) {
    assert_eq!(
        read(with(keys).as_bytes()),
        Err(Unreadable::BrokenJson),
        "{keys}"
    );
}

#[test]
fn only_null_and_false_are_anonymous() {
    let number = |number| Some(Uid::Number(number));
    for (uid, user) in [
        ("null", None),
        ("false", None),
        ("true", Some(Uid::Other)),
        ("0", number(0)),
        ("-0", number(0)),
        ("-7", number(-7)),
        ("70000", number(70000)),
        ("9223372036854775807", number(i64::MAX)),
        ("9223372036854775808", Some(Uid::Other)),
        ("1e400", Some(Uid::Other)),
        ("2.0", Some(Uid::Other)),
        ("\"2\"", Some(Uid::Other)),
        ("\"\"", Some(Uid::Other)),
        ("[]", Some(Uid::Other)),
        ("{}", Some(Uid::Other)),
        ("NaN", Some(Uid::Other)),
        ("Infinity", Some(Uid::Other)),
        ("-Infinity", Some(Uid::Other)),
    ] {
        assert_eq!(
            reads(&format!("\"uid\": {uid}")),
            Session {
                uid: user,
                ..NOBODY
            },
            "{uid}"
        );
    }
}

#[test]
fn a_cart_is_what_python_takes_for_true() {
    for empty in [
        "null", "false", "0", "-0", "0.0", "-0.0", "0e9", "1e-400", "\"\"", "[]", "[ \n]", "{}",
        "{\t}",
    ] {
        assert!(
            !reads(&format!(r#""uid": 1, "sale_order_id": {empty}"#)).cart,
            "{empty}"
        );
    }
    for cart in [
        "true",
        "1",
        "-1",
        "0.1",
        "1e400",
        "99999999999999999999",
        "\"0\"",
        "[0]",
        "{\"a\": 0}",
        "NaN",
        "-Infinity",
        "[NaN]",
    ] {
        assert!(
            reads(&format!(r#""uid": 1, "sale_order_id": {cart}"#)).cart,
            "{cart}"
        );
    }
    for (wishlist, cart) in [
        ("[]", false),
        ("[ ]", false),
        ("[0]", true),
        ("\"1\"", false),
        ("1", false),
        ("{\"a\": 1}", false),
    ] {
        assert_eq!(
            reads(&format!(r#""uid": 1, "wishlist_ids": {wishlist}"#)).cart,
            cart,
            "{wishlist}"
        );
    }
}

#[test]
fn a_second_factor_is_pending_only_for_the_anonymous() {
    for (keys, pending) in [
        (r#""uid": null, "pre_uid": 2"#, true),
        (r#""uid": false, "pre_uid": 0"#, true),
        (r#""uid": null, "pre_uid": null"#, false),
        (r#""uid": null, "pre_uid": false"#, false),
        (r#""uid": null"#, false),
        (r#""uid": 1, "pre_uid": 2"#, false),
    ] {
        assert_eq!(reads(keys).pending_2fa, pending, "{keys}");
    }
}

#[test]
fn whoever_gave_a_password_is_told_beside_whoever_is_logged_in() {
    let both = reads(r#""uid": 1, "login": "b", "pre_uid": 2, "pre_login": "b""#);
    assert_eq!(both.uid, Some(Uid::Number(1)));
    assert_eq!(both.pre_uid, Some(Uid::Number(2)));
    assert_eq!(both.pre_login, Some(Text::from(&b"b"[..])));
    let nobody = reads(r#""uid": 1, "pre_uid": false, "pre_login": null"#);
    assert_eq!((nobody.pre_uid, nobody.pre_login), (None, None));
}

#[test]
fn superseded_needs_a_successor_and_a_time() {
    for (keys, time) in [
        (
            r#""next_sid": "x", "deletion_time": 1795221627.5"#,
            Some(1_795_221_627.5),
        ),
        (
            r#""next_sid": "x", "deletion_time": 1795221627"#,
            Some(1_795_221_627.0),
        ),
        (r#""next_sid": null, "deletion_time": 1"#, None),
        (r#""deletion_time": 1"#, None),
        (r#""next_sid": "x""#, None),
        (r#""next_sid": "x", "deletion_time": "1""#, None),
        (r#""next_sid": "x", "deletion_time": true"#, None),
        (r#""next_sid": "x", "deletion_time": NaN"#, None),
        (r#""next_sid": "x", "deletion_time": Infinity"#, None),
        (r#""next_sid": "x", "deletion_time": 1e400"#, None),
    ] {
        assert_eq!(
            reads(&format!("\"uid\": 1, {keys}")).deletion_time,
            time,
            "{keys}"
        );
    }
}

#[test]
fn the_last_of_duplicate_keys_wins_however_it_is_spelled() {
    let last = reads(r#""uid": 5, "login": "a", "u\u0069d": null, "login": 3"#);
    assert_eq!(last, NOBODY);
}

#[test]
fn nested_keys_of_an_attacker_count_for_nothing() {
    let evil = r#"{"uid": 1, "login": "admin", "sale_order_id": 1, "wishlist_ids": [1]}"#;
    let keys = format!(r#""auth_login": {evil}, "uid": null, "x": [{evil}], "\ud800": {evil}"#);
    assert_eq!(reads(&keys), NOBODY);
    let nested =
        format!(r#"{{"auth_login": {{"uid": 1, "db": 1, "login": 1}}, "db": 1, "login": {evil}}}"#);
    assert_eq!(read(nested.as_bytes()), Err(Unreadable::NotOdoosKeys));
}

#[test]
fn strings_keep_nuls_escapes_and_lone_surrogates() {
    for (login, bytes) in [
        (r#""zo\u00eb@ex.com""#, &b"zo\xc3\xab@ex.com"[..]),
        ("\"zo\u{eb}\"", b"zo\xc3\xab"),
        (r#""\u0000uid\n\"""#, b"\0uid\n\""),
        (r#""\ud800""#, b"\xed\xa0\x80"),
        (r#""\udc00\ud800x""#, b"\xed\xb0\x80\xed\xa0\x80x"),
        (r#""\ud83d\ude00""#, b"\xf0\x9f\x98\x80"),
        ("\"\x7f\"", b"\x7f"),
        ("\"\"", b""),
    ] {
        let session = reads(&format!(r#""uid": 1, "login": {login}, "db": {login}"#));
        let text = Some(Text::from(bytes));
        let expected = Session {
            uid: Some(Uid::Number(1)),
            login: text.clone(),
            db: text,
            ..NOBODY
        };
        assert_eq!(session, expected, "{login}");
    }
}

#[test]
fn what_python_refuses_is_broken() {
    for keys in [
        "\"uid\": 1,",
        "\"uid\"",
        "uid: 1",
        "'uid': 1",
        "\"uid\": 01",
        "\"uid\": 1.",
        "\"uid\": .5",
        "\"uid\": +1",
        "\"uid\": 0x1",
        "\"uid\": nan",
        "\"uid\": 1NaN",
        "\"uid\": -NaN",
        "\"uid\": NaN.5",
        "\"uid\": NaNe5",
        "\"uid\": NaN1",
        "\"uid\": NaNNaN",
        "\"uid\": --Infinity",
        "\"uid\": 1-Infinity",
        "\"uid\": +Infinity",
        "\"uid\": -Infinity.5",
        "\"uid\": Infinity0",
        "NaN: 1, \"uid\": 1",
        "\"uid\": NaN, \"a\": tru",
        "\"uid\": \"\n\"",
        "\"u\x01id\": 1",
        "\"\x1f\\u0041\": 1, \"uid\": 1",
        "\"uid\": \"\\x41\"",
        "\"uid\": \"\\u00g0\"",
        "\"uid\": 1}, {",
        "\"uid\": 1} x{",
        "\"uid\":\u{a0}1",
    ] {
        breaks(keys);
    }
    let file = with("\"uid\": 1");
    assert_eq!(
        read(&[file.as_bytes(), b"\0"].concat()),
        Err(Unreadable::BrokenJson)
    );
    assert_eq!(
        read(&file.as_bytes()[..file.len() - 1]),
        Err(Unreadable::BrokenJson)
    );
    let not_utf8 = [
        &b"{\"uid\": 1, \"db\": \"\xed\xa0\x80\", \"login\": 1}"[..],
        b"{\"uid\": 1, \"db\": 1, \"login\": 1, \"x\": \"\xff\"}",
    ];
    assert_eq!(not_utf8.map(|file| read(file).is_err()), [true, true]);
}

#[test]
fn a_million_levels_and_three_megabytes_are_nothing_special() {
    let expected = Session {
        uid: Some(Uid::Number(70000)),
        ..NOBODY
    };
    for (open, close) in [("[", "]"), ("{\"uid\":", "}")] {
        let nest = format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
        assert_eq!(
            reads(&format!(r#""auth_login": {nest}, "uid": 70000"#)),
            expected
        );
    }
    let long = "x".repeat(3 << 20);
    assert_eq!(
        reads(&format!(
            r#""auth_login": "{long}", "{long}": 1, "uid": 70000"#
        )),
        expected
    );
}

#[test]
fn a_value_is_taken_from_under_its_stand_in() {
    assert!(matches!(value::of(b"a"), Some(Value::Float(float)) if float.is_nan()));
    assert!(matches!(value::of(b"i"), Some(Value::Float(float)) if float.is_nan()));
}

fn first_activity(trace: &str) -> Option<f64> {
    reads(&format!(r#""uid": 1, "_trace": {trace}"#)).first_activity(|_| true)
}

#[test]
fn the_earliest_device_tells_when_a_session_began() {
    for (trace, first) in [
        (
            r#"[{"platform": "linux", "browser": null, "ip_address": "127.0.0.1", "first_activity": 1795220577, "last_activity": 1795220999}]"#,
            1_795_220_577.0,
        ),
        (
            r#"[{"first_activity": 9}, {"first_activity": 7.5}, {"first_activity": 8}]"#,
            7.5,
        ),
        (
            r#"[{"first_activity": 9}, {"first_activity": null}, 1, null, [], {}, "first_activity", [{"first_activity": 1}]]"#,
            9.0,
        ),
        (r#"[{"first_activity": 1, "first_activity": 3}]"#, 3.0),
        (
            r#"[{"x": {"first_activity": 1}, "first\u005factivity": 3}]"#,
            3.0,
        ),
        (
            r#" [ { "x" : NaN , "first_activity" : 4 } , { "first_activity" : NaN } ] "#,
            4.0,
        ),
        (
            r#"[{"first_activity": -Infinity}, {"first_activity": 1e999}, {"\ud800": -Infinity, "first_activity": 5}]"#,
            5.0,
        ),
        (r#"[{"first_activity": -6}]"#, -6.0),
    ] {
        assert_eq!(first_activity(trace), Some(first), "{trace}");
    }
    let last = r#""_trace": [{"first_activity": 1}], "uid": 1, "_trace": [{"first_activity": 2}]"#;
    assert_eq!(reads(last).first_activity(|_| true), Some(2.0));
    let plausible = reads(r#""uid": 1, "_trace": [{"first_activity": 1}, {"first_activity": 2}]"#);
    assert_eq!(plausible.first_activity(|time| time > 1.5), Some(2.0));
}

#[test]
fn a_trace_of_another_shape_says_nothing() {
    for trace in [
        "null",
        "false",
        "7",
        "NaN",
        "\"x\"",
        "{}",
        r#"{"first_activity": 1}"#,
        "[]",
        "[null, NaN, 1, \"\", [], {}]",
        r#"[{"first_activity": "1"}]"#,
        r#"[{"first_activity": true}]"#,
        r#"[{"first_activity": [1]}]"#,
        r#"[{"first_activity": NaN}]"#,
        r#"[{"first_activity": 1e400}]"#,
        r#"[{"first_activity": 99999999999999999999}]"#,
        r#"[{"First_Activity": 1, " first_activity": 1}]"#,
        r#"[[{"first_activity": 1}]]"#,
    ] {
        assert_eq!(first_activity(trace), None, "{trace}");
    }
    assert_eq!(reads(r#""uid": 1"#).first_activity(|_| true), None);
    let nested = r#""uid": 1, "context": {"_trace": [{"first_activity": 1}]}"#;
    assert_eq!(reads(nested).first_activity(|_| true), None);
    breaks(r#""uid": 1, "_trace": [{"first_activity": 1]"#);
}

#[test]
fn a_trace_of_a_million_levels_or_devices_is_nothing_special() {
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(first_activity(&deep), None);
    let device = format!(r#"{{"x": {deep}, "first_activity": 3}}"#);
    assert_eq!(first_activity(&format!("[{device}]")), Some(3.0));
    let objects = format!(
        "{}1{}",
        r#"{"first_activity":"#.repeat(1_000_000),
        "}".repeat(1_000_000)
    );
    assert_eq!(first_activity(&format!("[{objects}]")), None);
    let many = format!(
        r#"[{{"first_activity": 3}}{}]"#,
        r#",{"first_activity": 4}"#.repeat(100_000)
    );
    assert_eq!(first_activity(&many), Some(3.0));
}

/// What is first said of the devices below `_devices`.
fn first_in_devices(devices: &str) -> Option<f64> {
    reads(&format!(r#""uid": 1, "_devices": {devices}"#)).first_activity(|_| true)
}

#[test]
fn the_earliest_device_of_odoo_20_tells_when_a_session_began() {
    for (devices, first) in [
        (
            r#"{"3132372e302e302e31c33e1342": {"ip_address": "127.0.0.1", "user_agent": "Mozilla/5.0 (\"X11\")", "first_activity": 1795274362, "last_activity": null, "country": null, "city": null, "trusted": true}}"#,
            1_795_274_362.0,
        ),
        (
            r#"{"a": {"first_activity": 9}, "b": {"first_activity": 7.5}, "c": {"first_activity": 8}}"#,
            7.5,
        ),
        (
            r#"{"first_activity": 1, "a": {"first_activity": 9}, "b": [{"first_activity": 2}], "c": {"x": {"first_activity": 3}}}"#,
            9.0,
        ),
        (
            r#"{"\ud800": {"first_activity": 4, "x": NaN}, "NaN": {"first_activity": NaN}}"#,
            4.0,
        ),
        (r#"{"a": {"first_activity": 1, "first_activity": 3}}"#, 3.0),
        (
            r#"{"a": {"first_activity": 5}, "a": {"first_activity": 6}, "a": null}"#,
            5.0,
        ),
    ] {
        assert_eq!(first_in_devices(devices), Some(first), "{devices}");
    }
    let last = r#""_devices": {"a": {"first_activity": 1}}, "uid": 1, "_devices": {}"#;
    assert_eq!(reads(last).first_activity(|_| true), None);
}

#[test]
fn a_session_from_before_the_upgrade_began_with_the_earliest_in_both() {
    let both = |trace: &str, devices: &str| {
        let keys = format!(r#""uid": 1, "_devices": {devices}, "_trace": {trace}"#);
        reads(&keys).first_activity(|time| time > 2.0)
    };
    let trace = r#"[{"first_activity": 5}, {"first_activity": 1}]"#;
    let devices = r#"{"a": {"first_activity": 7}, "b": {"first_activity": 2}}"#;
    assert_eq!(both(trace, devices), Some(5.0));
    assert_eq!(both(trace, "{}"), Some(5.0));
    assert_eq!(both(trace, "NaN"), Some(5.0));
    assert_eq!(both("[]", devices), Some(7.0));
    assert_eq!(both("7", devices), Some(7.0));
    assert_eq!(both(r#"[{"first_activity": 8}]"#, devices), Some(7.0));
}

#[test]
fn devices_of_another_shape_say_nothing() {
    for devices in [
        "null",
        "true",
        "7",
        "-Infinity",
        "\"x\"",
        "[]",
        r#"[{"first_activity": 1}]"#,
        "{}",
        r#"{"first_activity": 1}"#,
        r#"{"a": null, "b": NaN, "c": 1, "d": "", "e": [], "f": {}}"#,
        r#"{"a": {"first_activity": "1"}}"#,
        r#"{"a": {"first_activity": null}}"#,
        r#"{"a": {"first_activity": 1e400}}"#,
        r#"{"a": {"b": {"first_activity": 1}}}"#,
    ] {
        assert_eq!(first_in_devices(devices), None, "{devices}");
    }
    let nested = r#""uid": 1, "context": {"_devices": {"a": {"first_activity": 1}}}"#;
    assert_eq!(reads(nested).first_activity(|_| true), None);
    breaks(r#""uid": 1, "_devices": {"a": {"first_activity": 1}"#);
}

#[test]
fn devices_of_a_million_levels_or_twins_are_nothing_special() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(1_000_000), "}".repeat(1_000_000));
    assert_eq!(first_in_devices(&deep), None);
    let device = format!(r#"{{"x": {deep}, "first_activity": 3}}"#);
    assert_eq!(
        first_in_devices(&format!(r#"{{"a": {device}}}"#)),
        Some(3.0)
    );
    let twins = r#""a": {"first_activity": 4}, "#.repeat(100_000);
    let many = format!(r#"{{{twins} "b": {{"first_activity": 3}}}}"#);
    assert_eq!(first_in_devices(&many), Some(3.0));
}
