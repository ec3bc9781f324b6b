//! Writes a session as Odoo 14 to 17 do: a pickle of protocol 4 or 5, byte for byte as CPython's own pickler writes it.

use super::value::{Dict, Value};

// Opcodes, by the names that `pickletools` gives them.
const PROTO: u8 = 0x80;
const FRAME: u8 = 0x95;
const STOP: u8 = b'.';
const MARK: u8 = b'(';
const MEMOIZE: u8 = 0x94;
const EMPTY_DICT: u8 = b'}';
const SETITEM: u8 = b's';
const SETITEMS: u8 = b'u';
const EMPTY_LIST: u8 = b']';
const APPEND: u8 = b'a';
const APPENDS: u8 = b'e';
const NONE: u8 = b'N';
const NEWTRUE: u8 = 0x88;
const NEWFALSE: u8 = 0x89;
const BININT1: u8 = b'K';
const BININT2: u8 = b'M';
const BININT: u8 = b'J';
const LONG1: u8 = 0x8a;
const BINFLOAT: u8 = b'G';
const SHORT_BINUNICODE: u8 = 0x8c;
const BINUNICODE: u8 = b'X';

/// The bytes of a session file that holds `session`, in pickle `protocol` 4 or 5 (they differ in that byte only).
pub(super) fn dumps(session: &Dict, protocol: u8) -> Vec<u8> {
    body(protocol, |out| dict(out, session))
}

/// A pickle that is no session: it holds a list.
pub(super) fn dumps_list(items: &[Value], protocol: u8) -> Vec<u8> {
    body(protocol, |out| list(out, items))
}

/// One frame around everything: CPython begins a second one only beyond 64 KiB, which no session here reaches.
fn body(protocol: u8, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    out.extend([PROTO, protocol, FRAME]);
    let length_at = out.len();
    out.extend([0; 8]);
    write(&mut out);
    out.push(STOP);
    let length = (out.len() - length_at - 8) as u64;
    out[length_at..length_at + 8].copy_from_slice(&length.to_le_bytes());
    out
}

fn dict(out: &mut Vec<u8>, entries: &Dict) {
    out.extend([EMPTY_DICT, MEMOIZE]);
    if entries.len() > 1 {
        out.push(MARK);
    }
    for (key, entry) in entries {
        text(out, key);
        value(out, entry);
    }
    match entries.len() {
        0 => {}
        1 => out.push(SETITEM),
        _ => out.push(SETITEMS),
    }
}

fn list(out: &mut Vec<u8>, items: &[Value]) {
    out.extend([EMPTY_LIST, MEMOIZE]);
    if items.len() > 1 {
        out.push(MARK);
    }
    for item in items {
        value(out, item);
    }
    match items.len() {
        0 => {}
        1 => out.push(APPEND),
        _ => out.push(APPENDS),
    }
}

fn value(out: &mut Vec<u8>, of: &Value) {
    match of {
        Value::None => out.push(NONE),
        Value::Bool(true) => out.push(NEWTRUE),
        Value::Bool(false) => out.push(NEWFALSE),
        Value::Int(number) => int(out, *number),
        Value::Float(number) => {
            out.push(BINFLOAT);
            out.extend(number.to_be_bytes());
        }
        Value::Text(string) => text(out, string),
        Value::List(items) => list(out, items),
        Value::Dict(entries) => dict(out, entries),
    }
}

fn int(out: &mut Vec<u8>, number: i64) {
    if let Ok(byte) = u8::try_from(number) {
        out.extend([BININT1, byte]);
    } else if let Ok(short) = u16::try_from(number) {
        out.push(BININT2);
        out.extend(short.to_le_bytes());
    } else if let Ok(word) = i32::try_from(number) {
        out.push(BININT);
        out.extend(word.to_le_bytes());
    } else {
        // Two's complement, and no byte more than its sign needs.
        let sign_bits = if number < 0 { !number } else { number }.leading_zeros();
        let length = (65 - sign_bits).div_ceil(8) as u8;
        out.extend([LONG1, length]);
        out.extend(&number.to_le_bytes()[..usize::from(length)]);
    }
}

/// Every text is written out and memoised, never fetched from the memo again: Odoo pickles what it has just unpickled,
/// where equal texts are different objects (but for texts of less than two characters, which do not repeat here).
fn text(out: &mut Vec<u8>, string: &str) {
    if let Ok(length) = u8::try_from(string.len()) {
        out.extend([SHORT_BINUNICODE, length]);
    } else {
        out.push(BINUNICODE);
        out.extend((string.len() as u32).to_le_bytes());
    }
    out.extend(string.as_bytes());
    out.push(MEMOIZE);
}

#[cfg(test)]
mod tests {
    use super::*;

    // What Python 3.11 makes of the same dictionary, up to the long text in it and from there.
    const HEAD: &str = "800595a3010000000000007d94288c0169945d94284b004bff4d00014dffff4a000001004affffffff4affffff7f4a00\
        0000808a0500000080008a05ffffff7fff8a0500000000808a06ffffffff7fff8a08ffffffffffffff7f8a0800000000\
        00000080658c016694473ff80000000000008c017494888c016e944e8c046c6f6e67945800010000";
    const TAIL: &str =
        "948c036f6e65945d948c02783194618c046e6f6e65945d948c0164947d948c016b948973752e";

    #[test]
    fn writes_every_shape_as_python_does() {
        let numbers = [
            0,
            255,
            256,
            65_535,
            65_536,
            -1,
            i64::from(i32::MAX),
            i64::from(i32::MIN),
            1 << 31,
            -(1 << 31) - 1,
            -(1 << 39),
            -(1 << 39) - 1,
            i64::MAX,
            i64::MIN,
        ];
        let session: Dict = vec![
            (
                "i",
                numbers
                    .map(Value::Int)
                    .into_iter()
                    .collect::<Vec<_>>()
                    .into(),
            ),
            ("f", 1.5.into()),
            ("t", true.into()),
            ("n", Value::None),
            ("long", "é".repeat(128).into()),
            ("one", vec![Value::from("x1")].into()),
            ("none", Vec::<Value>::new().into()),
            ("d", Value::Dict(vec![("k", false.into())])),
        ];
        let hex: String = dumps(&session, 5)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(hex, HEAD.to_owned() + &"c3a9".repeat(128) + TAIL);
    }
}
