//! Writes a session as Odoo 18 and 19 do: `json.dump` with its defaults, that is `", "` and `": "`, in ASCII.

use super::value::{Dict, Value};

/// The bytes of a session file that holds `session`.
pub(super) fn dump(session: &Dict) -> Vec<u8> {
    let mut out = String::with_capacity(512);
    dict(&mut out, session);
    out.into_bytes()
}

fn dict(out: &mut String, entries: &Dict) {
    out.push('{');
    for (index, (key, entry)) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        text(out, key);
        out.push_str(": ");
        value(out, entry);
    }
    out.push('}');
}

fn value(out: &mut String, of: &Value) {
    match of {
        Value::None => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => out.push_str(&number.to_string()),
        // Debug keeps the `.0` of a whole number, as Python's repr does; both are the shortest form that reads back.
        Value::Float(number) => out.push_str(&format!("{number:?}")),
        Value::Text(string) => text(out, string),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                value(out, item);
            }
            out.push(']');
        }
        Value::Dict(entries) => dict(out, entries),
    }
}

fn text(out: &mut String, string: &str) {
    out.push('"');
    for character in string.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='\u{7f}' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_json_dump_writes() {
        let session: Dict = vec![
            ("login", "zoë 𝄞 \"\\\n\u{1}\u{7f}".into()),
            ("uid", Value::None),
            ("create_time", 1_795_220_557.679_998_2.into()),
            ("whole", 2.0.into()),
            (
                "_trace",
                Value::List(vec![true.into(), false.into(), (-7).into()]),
            ),
            ("context", Dict::new().into()),
        ];
        assert_eq!(
            String::from_utf8_lossy(&dump(&session)),
            r#"{"login": "zo\u00eb \ud834\udd1e \"\\\n\u0001"#.to_owned()
                + "\u{7f}"
                + r#"", "uid": null, "create_time": 1795220557.6799982, "whole": 2.0, "_trace": [true, false, -7], "context": {}}"#
        );
    }
}
