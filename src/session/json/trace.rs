//! `_trace`, in which Odoo 18 and later note the devices that used a session. Looked into only when asked.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Place, not_a_number, value};

/// The top-level `_trace` as it stands in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Trace<'a>(&'a str);

/// The length only: it holds addresses.
impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({} bytes)", self.0.len())
    }
}

impl<'a> Trace<'a> {
    /// A text that serde has found sound, but for the words that Python has for floats.
    pub(super) fn new(text: &'a str) -> Trace<'a> {
        Trace(text)
    }

    /// The earliest `first_activity` of a device, in epoch seconds, of those that are `plausible`.
    ///
    /// Odoo writes a list of dictionaries; whatever else is found says nothing.
    pub(in super::super) fn first_activity(self, plausible: impl Fn(f64) -> bool) -> Option<f64> {
        let text = self.0;
        let earliest = |parsed: &str| {
            let mut earliest: Option<f64> = None;
            let see = |place: Place| {
                let time = text.as_bytes().get(place.range()).and_then(value::of);
                if let Some(time) = time
                    .and_then(|time| time.seconds())
                    .filter(|&time| plausible(time))
                {
                    earliest = Some(earliest.map_or(time, |earliest| earliest.min(time)));
                }
            };
            serde_json::Deserializer::from_str(parsed)
                .deserialize_seq(Devices { text: parsed, see })
                .ok()?;
            Some(earliest)
        };
        match earliest(text) {
            Some(earliest) => earliest,
            // Places in the stand-in are places in the text, too.
            None => earliest(&not_a_number::without(text)?)?,
        }
    }
}

/// Shows where each device's `first_activity` is.
struct Devices<'t, S> {
    text: &'t str,
    see: S,
}

impl<'de, S: FnMut(Place)> Visitor<'de> for Devices<'de, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of devices")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(device) = list.next_element::<&RawValue>()? {
            let device = serde_json::Deserializer::from_str(device.get()).deserialize_map(Device);
            // What is no dictionary is no device.
            if let Ok(Some(first)) = device {
                (self.see)(Place::of(first, self.text));
            }
        }
        Ok(())
    }
}

/// One device: the text of its last `first_activity`, as Python takes the last of duplicate keys.
struct Device;

impl<'de> Visitor<'de> for Device {
    type Value = Option<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut first = None;
        while let Some(wanted) = map.next_key_seed(IsFirstActivity)? {
            if wanted {
                first = Some(map.next_value::<&RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(first)
    }
}

/// Takes a key as raw text, for the reason that [`super::KeyName`] has.
struct IsFirstActivity;

impl<'de> DeserializeSeed<'de> for IsFirstActivity {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        let quoted = <&RawValue>::deserialize(key)?.get().as_bytes();
        Ok(value::string(quoted).is_some_and(|key| key.as_bytes() == b"first_activity"))
    }
}
