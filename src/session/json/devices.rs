//! The devices that used a session, as Odoo 18 and newer note them. Looked into only when asked.
//!
//! 18 and 19.0 have a list of them in `_trace`, 19.1 to 20 a dictionary in `_devices`; a session that lived through that
//! upgrade keeps its old `_trace` for ever. Each device is a dictionary.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Place, not_a_number, value};

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
        let list = self
            .trace
            .and_then(|text| earliest(text, Shape::List, &plausible));
        let dictionary = self
            .devices
            .and_then(|text| earliest(text, Shape::Dictionary, &plausible));
        match (list, dictionary) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }
}

/// What devices are kept in.
#[derive(Clone, Copy)]
enum Shape {
    List,
    Dictionary,
}

fn earliest(text: &str, shape: Shape, plausible: impl Fn(f64) -> bool) -> Option<f64> {
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
        let mut json = serde_json::Deserializer::from_str(parsed);
        let devices = EachDevice { text: parsed, see };
        match shape {
            Shape::List => json.deserialize_seq(devices),
            Shape::Dictionary => json.deserialize_map(devices),
        }
        .ok()?;
        Some(earliest)
    };
    match earliest(text) {
        Some(earliest) => earliest,
        // Places in the stand-in are places in the text, too.
        None => earliest(&not_a_number::without(text)?)?,
    }
}

/// Shows where each device's `first_activity` is.
struct EachDevice<'t, S> {
    text: &'t str,
    see: S,
}

impl<S: FnMut(Place)> EachDevice<'_, S> {
    fn device(&mut self, device: &RawValue) {
        let first = serde_json::Deserializer::from_str(device.get()).deserialize_map(Device);
        // What is no dictionary is no device.
        if let Ok(Some(first)) = first {
            (self.see)(Place::of(first, self.text));
        }
    }
}

impl<'de, S: FnMut(Place)> Visitor<'de> for EachDevice<'de, S> {
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
