//! Random sessions, pickled by the `serde-pickle` crate, read as what went in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use odoo_session_reaper::session::{Devices, Scratch, Session, Text, Uid, Unreadable, read};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_pickle::{HashableValue, SerOptions, Value};

type Dict = BTreeMap<HashableValue, Value>;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        (-3..300_i64).prop_map(Value::I64),
        any::<f64>().prop_map(Value::F64),
        "[a-z@.é]{0,300}".prop_map(Value::String),
        vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ]
}

fn key() -> impl Strategy<Value = HashableValue> {
    let ours = [
        "uid",
        "db",
        "login",
        "session_token",
        "context",
        "debug",
        "sale_order_id",
        "wishlist_ids",
        "pre_uid",
        "next_sid",
        "deletion_time",
    ];
    prop_oneof![
        8 => proptest::sample::select(ours.to_vec()).prop_map(|key| HashableValue::String(key.to_owned())),
        1 => any::<i64>().prop_map(HashableValue::I64),
        1 => "\\PC{0,5}".prop_map(HashableValue::String),
        1 => Just(HashableValue::Bytes(b"uid".to_vec())),
    ]
}

fn dict(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Dict> {
    btree_map(key(), values, 0..14)
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::List),
            vec(inner.clone(), 0..5).prop_map(Value::Tuple),
            dict(inner).prop_map(Value::Dict),
        ]
    })
}

/// The rules once more, on whole values.
fn expected(session: &Dict) -> Result<Session<'static>, Unreadable> {
    let get = |key: &str| session.get(&HashableValue::String(key.to_owned()));
    let text = |key| match get(key) {
        Some(Value::String(text)) => Some(Text::from(text.clone().into_bytes())),
        _ => None,
    };
    let set = |key| !matches!(get(key), None | Some(Value::None | Value::Bool(false)));
    let odoos = ["db", "login", "session_token", "context", "debug"];
    let count = odoos.into_iter().filter(|key| get(key).is_some()).count();
    if get("uid").is_none() || count < 2 {
        return Err(Unreadable::NotOdoosKeys);
    }
    let order = match get("sale_order_id") {
        None | Some(Value::None) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::I64(value)) => *value != 0,
        Some(Value::F64(value)) => *value != 0.0,
        Some(Value::String(value)) => !value.is_empty(),
        Some(Value::Bytes(value)) => !value.is_empty(),
        Some(Value::List(value) | Value::Tuple(value)) => !value.is_empty(),
        Some(Value::Dict(value)) => !value.is_empty(),
        Some(other) => panic!("never made: {other}"),
    };
    let wishes = matches!(get("wishlist_ids"), Some(Value::List(wishes)) if !wishes.is_empty());
    let user = |name| match get(name) {
        Some(Value::I64(number)) => Some(Uid::Number(*number)),
        _ => set(name).then_some(Uid::Other),
    };
    let (uid, pre_uid) = (user("uid"), user("pre_uid"));
    let time = match get("deletion_time") {
        Some(Value::I64(time)) => Some(*time as f64),
        Some(Value::F64(time)) if time.is_finite() => Some(*time),
        _ => None,
    };
    Ok(Session {
        uid,
        login: text("login"),
        db: text("db"),
        cart: order || wishes,
        pending_2fa: uid.is_none() && pre_uid.is_some(),
        pre_uid,
        pre_login: text("pre_login"),
        deletion_time: time.filter(|_| !matches!(get("next_sid"), None | Some(Value::None))),
        devices: Devices::NONE,
    })
}

proptest! {
    #[test]
    fn reads_what_serde_pickle_wrote(session in dict(value()), old in any::<bool>()) {
        let options = if old { SerOptions::new().proto_v2() } else { SerOptions::new() };
        let bytes_are_opaque = old && session.values().any(|value| matches!(value, Value::Bytes(_)));
        prop_assume!(!bytes_are_opaque);
        let pickle = serde_pickle::value_to_vec(&Value::Dict(session.clone()), options).unwrap();
        prop_assert_eq!(read(&pickle, &mut Scratch::default()), expected(&session));
    }

    #[test]
    fn any_other_value_is_no_dictionary(value in scalar()) {
        let pickle = serde_pickle::value_to_vec(&value, SerOptions::new()).unwrap();
        prop_assert_eq!(read(&pickle, &mut Scratch::default()), Err(Unreadable::NotADictionary));
    }

    #[test]
    fn no_bytes_at_all_panic(bytes in vec(any::<u8>(), 0..200), pickle in any::<bool>()) {
        let mut bytes = bytes;
        if let (true, Some(first)) = (pickle, bytes.first_mut()) {
            *first = 0x80;
        }
        let _ = read(&bytes, &mut Scratch::default());
    }
}
