//! Sessions of Odoo 18 and later: JSON, read as Python's `json` reads it.
//!
//! serde walks the text and skips what is not needed, iteratively; of the interesting keys only the *place* of the value is
//! noted. So no number is too big and no nesting too deep, and the last of duplicate keys wins.
//!
//! What Python takes beyond the standard is taken here as well: `NaN`, `Infinity` and `-Infinity`, lone surrogates (`\ud800`),
//! numbers beyond all bounds, duplicate keys.
//!
//! Three exceptions against Python, all lenient: its recursion limit and its limit of 4300 digits for a whole number do not hold
//! here, and of a device that `_devices` holds twice both count.
//! `tests/session_exceptions.rs` asks both sides; `tests/session_vs_python.rs` looks for others in random files.

mod devices;
mod not_a_number;
mod value;

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) use devices::Device;
pub use devices::Devices;

use super::facts::{Facts, Key};
use super::{Session, Unreadable};

/// What JSON (Python's, that is) can begin with besides brackets, quotes and numbers.
pub(super) const WORDS: [&[u8]; 5] = [b"null", b"true", b"false", b"NaN", b"Infinity"];

/// A value's place in the text. 16 MiB fit.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    end: u32,
}

impl Place {
    #[allow(clippy::cast_possible_truncation)]
    fn of(value: &str, text: &str) -> Place {
        let start = value.as_ptr().addr() - text.as_ptr().addr();
        Place {
            start: start as u32,
            end: (start + value.len()) as u32,
        }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Reads a text whose first non-white byte is `{`.
pub(super) fn read(bytes: &[u8]) -> Result<Session<'_>, Unreadable> {
    // Odoo opens the file as UTF-8 text, so a bad byte anywhere breaks it.
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::BrokenJson)?;
    let facts = match facts(text) {
        Some(facts) => facts,
        // Places in the stand-in are places in the text, too.
        None => not_a_number::without(text)
            .and_then(|stand_in| facts(&stand_in))
            .ok_or(Unreadable::BrokenJson)?,
    };
    let session = facts.session(|place| {
        let value = text.as_bytes().get(place.range());
        value.and_then(value::of).ok_or(Unreadable::BrokenJson)
    })?;
    let text_of = |key| facts.get(key).and_then(|place| text.get(place.range()));
    let devices = Devices {
        trace: text_of(Key::Trace),
        devices: text_of(Key::Devices),
    };
    Ok(Session { devices, ..session })
}

/// Where the interesting values are, or `None` if serde does not like the text.
fn facts(text: &str) -> Option<Facts<Place>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let facts = json.deserialize_map(TopLevel { text }).ok()?;
    json.end().ok()?;
    Some(facts)
}

struct TopLevel<'t> {
    text: &'t str,
}

impl<'de> Visitor<'de> for TopLevel<'de> {
    type Value = Facts<Place>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut facts = Facts::default();
        while let Some(key) = map.next_key_seed(KeyName)? {
            match key {
                Some(key) if !key.is_only_a_sign() => {
                    let value = map.next_value::<&RawValue>()?.get();
                    facts.set(key, Place::of(value, self.text));
                }
                Some(key) => {
                    map.next_value::<IgnoredAny>()?;
                    facts.set(key, Place { start: 0, end: 0 });
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(facts)
    }
}

/// Takes a key as raw text: as a `str` serde refuses lone surrogates, which Python takes, and as bytes it takes control characters,
/// which Python refuses.
struct KeyName;

impl<'de> DeserializeSeed<'de> for KeyName {
    type Value = Option<Key>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        let quoted = <&RawValue>::deserialize(key)?.get().as_bytes();
        // Hardly any key has an escape: one is looked for only where the name as it stands says nothing.
        let plain = quoted.get(1..quoted.len() - 1).and_then(Key::of);
        Ok(plain.or_else(|| Key::of(value::string(quoted)?.as_bytes())))
    }
}

#[cfg(test)]
mod tests;
