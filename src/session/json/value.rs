//! One JSON value out of a text that serde has already found sound.

use std::fmt;

use serde::de::{Deserializer, Visitor};

use super::super::Text;
use super::super::facts::Value;
use super::not_a_number;

/// What the value's text says; numbers as Python takes them.
pub(super) fn of(text: &[u8]) -> Option<Value<'_>> {
    Some(match text.first()? {
        b'n' => Value::Null,
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'"' => Value::Text(string(text)?),
        b'[' => Value::List {
            empty: is_empty(text),
        },
        b'{' => Value::Other {
            truthy: !is_empty(text),
        },
        letter if not_a_number::LETTERS.contains(letter) => Value::Float(f64::NAN),
        _ => number(text)?,
    })
}

/// Whether nothing but white space is between the brackets.
fn is_empty(container: &[u8]) -> bool {
    container[1..container.len() - 1].trim_ascii().is_empty()
}

fn number(text: &[u8]) -> Option<Value<'static>> {
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(['.', 'e', 'E']) {
        return Some(Value::Float(text.parse().ok()?));
    }
    Some(text.parse().map_or(Value::Huge, Value::Integer))
}

/// The string between these quotes.
pub(super) fn string(quoted: &[u8]) -> Option<Text<'_>> {
    if quoted.contains(&b'\\') {
        return serde_json::Deserializer::from_slice(quoted)
            .deserialize_bytes(Unescaped)
            .ok();
    }
    Some(Text::from(quoted.get(1..quoted.len() - 1)?))
}

/// Takes a string as bytes, because as a `str` serde refuses lone surrogates. It lets control characters pass, but the text is sound already.
struct Unescaped;

impl Visitor<'_> for Unescaped {
    type Value = Text<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Text::from(bytes.to_vec()))
    }
}
