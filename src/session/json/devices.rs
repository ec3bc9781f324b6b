//! The devices that used a session, as Odoo 18 and newer note them. Looked into only when asked.
//!
//! 18 and 19.0 have a list of them in `_trace`, 19.1 to 20 a dictionary in `_devices`; a session that lived through that
//! upgrade keeps its old `_trace` for ever. Each device is a dictionary.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Place, not_a_number, value};
use crate::session::Text;
use crate::session::facts::Value;

/// The top-level `_trace` and `_devices` as they stand in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Devices<'a> {
    /// Texts that serde has found sound, but for the words that Python has for floats.
    pub(super) trace: Option<&'a str>,
    pub(super) devices: Option<&'a str>,
}

/// The lengths only: they hold addresses.
impl fmt::Debug for Devices<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [trace, devices] = [self.trace, self.devices].map(|text| text.map_or(0, str::len));
        write!(f, "Devices({trace} and {devices} bytes)")
    }
}

impl Devices<'_> {
    /// None are told.
    pub const NONE: Devices<'static> = Devices {
        trace: None,
        devices: None,
    };

    /// The earliest `first_activity` of a device, in epoch seconds, of those that are `plausible`.
    ///
    /// Whatever is found in another shape than Odoo's says nothing.
    pub(in super::super) fn first_activity(self, plausible: impl Fn(f64) -> bool) -> Option<f64> {
        let mut earliest: Option<f64> = None;
        self.each(|device| {
            let first = device.first_activity().filter(|&time| plausible(time));
            earliest = match (earliest, first) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            };
        });
        earliest
    }

    /// Shows each device, also those that an older Odoo noted.
    pub(crate) fn each(self, mut see: impl FnMut(Device<'_>)) {
        for (text, shape) in [(self.trace, Shape::List), (self.devices, Shape::Dictionary)] {
            let Some(text) = text else { continue };
            if show(text, text, shape, &mut see).is_none() {
                // Places in the stand-in are places in the text, too. What was shown already is shown once more, which
                // matters to nobody: no Odoo writes such a text.
                let stand_in = not_a_number::without(text);
                stand_in.and_then(|parsed| show(text, &parsed, shape, &mut see));
            }
        }
    }
}

/// A browser at an address, as Odoo notes it.
pub(crate) struct Device<'t> {
    text: &'t str,
    /// Where its values are, in the order of [`KEYS`].
    places: [Option<Place>; KEYS.len()],
}

/// The keys of a device that are looked at.
const KEYS: [&[u8]; 6] = [
    b"first_activity",
    b"last_activity",
    b"ip_address",
    b"browser",
    b"platform",
    b"user_agent",
];

impl<'t> Device<'t> {
    /// When it was first used after the login, in epoch seconds.
    pub(crate) fn first_activity(&self) -> Option<f64> {
        self.value(0)?.seconds()
    }

    /// When it was used last, in epoch seconds; Odoo looks once an hour.
    pub(crate) fn last_activity(&self) -> Option<f64> {
        self.value(1)?.seconds()
    }

    /// Where it is.
    pub(crate) fn address(&self) -> Option<Text<'t>> {
        self.words(2)
    }

    /// What it is: `firefox` and `linux` up to 19.0, the browser's own words since.
    pub(crate) fn browser(&self) -> Option<(Text<'t>, Option<Text<'t>>)> {
        let named = self.words(3).map(|browser| (browser, self.words(4)));
        named.or_else(|| Some((self.words(5)?, None)))
    }

    fn words(&self, key: usize) -> Option<Text<'t>> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn value(&self, key: usize) -> Option<Value<'t>> {
        let value = self.text.as_bytes().get(self.places[key]?.range())?;
        value::of(value)
    }
}

/// What devices are kept in.
#[derive(Clone, Copy)]
enum Shape {
    List,
    Dictionary,
}

/// Shows the devices in `text`, which `parsed` stands for; `None` if they are in another shape.
fn show(text: &str, parsed: &str, shape: Shape, see: &mut impl FnMut(Device<'_>)) -> Option<()> {
    let see = |places| see(Device { text, places });
    let mut json = serde_json::Deserializer::from_str(parsed);
    let devices = EachDevice { text: parsed, see };
    match shape {
        Shape::List => json.deserialize_seq(devices),
        Shape::Dictionary => json.deserialize_map(devices),
    }
    .ok()
}

/// Shows where each device's values are.
struct EachDevice<'t, S> {
    text: &'t str,
    see: S,
}

impl<S: FnMut([Option<Place>; KEYS.len()])> EachDevice<'_, S> {
    fn device(&mut self, device: &RawValue) {
        let values = serde_json::Deserializer::from_str(device.get()).deserialize_map(Values);
        // What is no dictionary is no device.
        if let Ok(values) = values {
            (self.see)(values.map(|value| Some(Place::of(value?, self.text))));
        }
    }
}

impl<'de, S: FnMut([Option<Place>; KEYS.len()])> Visitor<'de> for EachDevice<'de, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("devices")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(device) = list.next_element()? {
            self.device(device);
        }
        Ok(())
    }

    /// Each of duplicate keys counts, where Python takes the last: to know which came before takes memory that grows
    /// with their number, and Odoo writes none.
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        // The keys as raw text, for the reason that `super::KeyName` has.
        while let Some((_, device)) = map.next_entry::<&RawValue, &RawValue>()? {
            self.device(device);
        }
        Ok(())
    }
}

/// One device: the texts of its values, the last of each, as Python takes the last of duplicate keys.
struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = [Option<&'de str>; KEYS.len()];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; KEYS.len()];
        while let Some(key) = map.next_key_seed(KeyOf)? {
            match key {
                Some(key) => values[key] = Some(map.next_value::<&RawValue>()?.get()),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}

/// Takes a key as raw text, for the reason that [`super::KeyName`] has.
struct KeyOf;

impl<'de> DeserializeSeed<'de> for KeyOf {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        let quoted = <&RawValue>::deserialize(key)?.get().as_bytes();
        let key = value::string(quoted);
        Ok(key.and_then(|name| KEYS.iter().position(|key| *key == name.as_bytes())))
    }
}
