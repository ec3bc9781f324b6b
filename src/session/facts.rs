//! The handful of top-level keys that matter, and the rules that make a [`Session`] of them.

use super::{Devices, Session, Text, Uid, Unreadable};

/// A top-level key that decides something.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Uid,
    Db,
    Login,
    SessionToken,
    Context,
    Debug,
    SaleOrderId,
    WishlistIds,
    PreUid,
    PreLogin,
    NextSid,
    DeletionTime,
    Trace,
    Devices,
}

impl Key {
    const COUNT: usize = Key::Devices as usize + 1;

    pub(super) fn of(name: &[u8]) -> Option<Key> {
        Some(match name {
            b"uid" => Key::Uid,
            b"db" => Key::Db,
            b"login" => Key::Login,
            b"session_token" => Key::SessionToken,
            b"context" => Key::Context,
            b"debug" => Key::Debug,
            b"sale_order_id" => Key::SaleOrderId,
            b"wishlist_ids" => Key::WishlistIds,
            b"pre_uid" => Key::PreUid,
            b"pre_login" => Key::PreLogin,
            b"next_sid" => Key::NextSid,
            b"deletion_time" => Key::DeletionTime,
            b"_trace" => Key::Trace,
            b"_devices" => Key::Devices,
            _ => return None,
        })
    }

    /// Whether only the key's presence counts, never its value.
    pub(super) fn is_only_a_sign(self) -> bool {
        matches!(self, Key::SessionToken | Key::Context | Key::Debug)
    }
}

/// A value, as far as the rules care.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A whole number beyond `i64`.
    Huge,
    Float(f64),
    Text(Text<'a>),
    List {
        empty: bool,
    },
    Other {
        truthy: bool,
    },
}

impl Value<'_> {
    /// What Python's `bool()` says.
    fn is_truthy(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Bool(value) => *value,
            Value::Integer(value) => *value != 0,
            Value::Huge => true,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) => !text.as_bytes().is_empty(),
            Value::List { empty } => !empty,
            Value::Other { truthy } => *truthy,
        }
    }

    /// Seconds, if this can be a time at all: `NaN` and numbers beyond all clocks cannot.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn seconds(&self) -> Option<f64> {
        match self {
            Value::Integer(value) => Some(*value as f64),
            Value::Float(value) => value.is_finite().then_some(*value),
            _ => None,
        }
    }
}

/// What each [`Key`] was set to last, in whatever form a reader keeps values while it is not done.
pub(super) struct Facts<V>([Option<V>; Key::COUNT]);

impl<V> Default for Facts<V> {
    fn default() -> Self {
        Facts([const { None }; Key::COUNT])
    }
}

impl<V: Copy> Facts<V> {
    pub(super) fn set(&mut self, key: Key, value: V) {
        self.0[key as usize] = Some(value);
    }

    pub(super) fn get(&self, key: Key) -> Option<V> {
        self.0[key as usize]
    }

    fn has(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// Odoo writes all six on every save; addons and old versions may drop some.
    fn are_odoos(&self) -> bool {
        let others = [
            Key::Db,
            Key::Login,
            Key::SessionToken,
            Key::Context,
            Key::Debug,
        ];
        self.has(Key::Uid) && others.into_iter().filter(|&key| self.has(key)).count() >= 2
    }

    /// The session that these facts make; `value_of` decodes what the reader kept.
    pub(super) fn session<'a>(
        &self,
        value_of: impl Fn(V) -> Result<Value<'a>, Unreadable>,
    ) -> Result<Session<'a>, Unreadable> {
        if !self.are_odoos() {
            return Err(Unreadable::NotOdoosKeys);
        }
        let get = |key: Key| self.get(key).map(&value_of).transpose();
        let text = |value| match value {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        };
        let user = |key| {
            Ok(match get(key)? {
                None | Some(Value::Null | Value::Bool(false)) => None,
                Some(Value::Integer(number)) => Some(Uid::Number(number)),
                Some(_) => Some(Uid::Other),
            })
        };
        let (uid, pre_uid) = (user(Key::Uid)?, user(Key::PreUid)?);
        let order = get(Key::SaleOrderId)?.is_some_and(|order| order.is_truthy());
        let wishlist = get(Key::WishlistIds)? == Some(Value::List { empty: false });
        let replaced = get(Key::NextSid)?.is_some_and(|sid| sid != Value::Null);
        Ok(Session {
            uid,
            login: text(get(Key::Login)?),
            db: text(get(Key::Db)?),
            cart: order || wishlist,
            pending_2fa: uid.is_none() && pre_uid.is_some(),
            pre_uid,
            pre_login: text(get(Key::PreLogin)?),
            deletion_time: get(Key::DeletionTime)?
                .filter(|_| replaced)
                .and_then(|time| time.seconds()),
            // Only JSON has them.
            devices: Devices::NONE,
        })
    }
}
