//! What a session file *says*: its bytes in, a [`Session`] out.
//!
//! Start with [`read`]. It tells the two formats apart by the bytes alone (upgraded stores hold both) and hands over to the [`json`] or
//! the [`pickle`] reader; both only note where the few interesting top-level keys have their values (`facts`), and one set of
//! rules turns these into a [`Session`].
//!
//! The content is partly chosen by strangers. So nothing here recurses, executes, or looks below the top level.
//!
//! ```
//! use odoo_session_reaper::session::{read, Scratch, Uid};
//!
//! let mut scratch = Scratch::default();
//! let file = br#"{"db": "shop", "uid": 2, "login": "admin", "context": {"uid": 1}}"#;
//! let session = read(file, &mut scratch)?;
//! assert_eq!(session.uid, Some(Uid::Number(2)));
//! assert_eq!(session.login.as_ref().map(|login| login.as_bytes()), Some(&b"admin"[..]));
//! # Ok::<(), odoo_session_reaper::session::Unreadable>(())
//! ```

mod facts;
pub mod json;
pub mod pickle;
mod text;
mod unreadable;

use std::fmt;

use serde::Serialize;

pub(crate) use json::Device;
pub use json::Devices;
pub use text::Text;
pub use unreadable::Unreadable;

/// The most that is read of one file. Positions in a pickle are kept in 24 bits, which this just fits.
pub const MAX_BYTES: usize = 16 << 20;

/// What a session file says.
#[derive(Clone, PartialEq)]
pub struct Session<'a> {
    /// Who is logged in. `None` is anonymous (null or false); nothing else decides authentication.
    pub uid: Option<Uid>,
    /// The top-level `login`, when it is a string. Proves nothing without a `uid`.
    pub login: Option<Text<'a>>,
    /// The top-level `db`, when it is a string.
    pub db: Option<Text<'a>>,
    /// A shop cart (`sale_order_id` is truthy) or a wishlist (`wishlist_ids` is a non-empty list).
    pub cart: bool,
    /// The password was right and the second factor is still missing.
    pub pending_2fa: bool,
    /// Whose password was given, while the second factor is missing. On 14 and 15 another user may be logged in meanwhile,
    /// and `uid` is that one's.
    pub pre_uid: Option<Uid>,
    /// The login that the password was given for. Where `uid` is another user's, `login` is this one's (14 and 15).
    pub pre_login: Option<Text<'a>>,
    /// Epoch seconds from which Odoo 19 or newer refuses this session, which `next_sid` has replaced. `None` if it was not superseded.
    pub deletion_time: Option<f64>,
    /// Odoo 18 and newer: the devices that used this session. Odoo writes none into pickles, and none is taken from them.
    pub devices: Devices<'a>,
}

impl Session<'_> {
    /// When the session was first used after its login, in epoch seconds: the earliest `first_activity` that is `plausible`.
    ///
    /// A logout forgets the devices; a login over a live login keeps them, and 19 and newer take them along when they move a
    /// session to a new file (seen in `tests/fixtures`).
    pub fn first_activity(&self, plausible: impl Fn(f64) -> bool) -> Option<f64> {
        self.devices.first_activity(plausible)
    }
}

/// A `uid` that is neither null nor false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Uid {
    /// Beyond an `i64`, or no whole number. Odoo takes it for a logged-in user all the same.
    Other,
    /// A whole number, as Odoo writes it.
    #[serde(untagged)]
    Number(i64),
}

/// Only the class of the session: names and tokens stay out of logs and panics.
impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("authenticated", &self.uid.is_some())
            .field("cart", &self.cart)
            .field("pending_2fa", &self.pending_2fa)
            .field("superseded", &self.deletion_time.is_some())
            .finish_non_exhaustive()
    }
}

/// Buffers that one thread reuses for file after file, so that a usual file costs no allocation. They shrink again after a monster.
#[derive(Default)]
pub struct Scratch {
    pickle: pickle::Buffers,
}

/// Reads one whole file.
///
/// # Errors
///
/// Says why the bytes are no session. Callers keep such a file: what is not understood is not deleted.
pub fn read<'a>(bytes: &'a [u8], scratch: &mut Scratch) -> Result<Session<'a>, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge);
    }
    if bytes.first() == Some(&pickle::FIRST_BYTE) {
        let session = pickle::read(bytes, &mut scratch.pickle);
        scratch.pickle.shrink();
        return session;
    }
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let start = bytes
        .iter()
        .position(|byte| !white(byte))
        .unwrap_or(bytes.len());
    let text = &bytes[start..];
    match text.first() {
        Some(b'{') => json::read(bytes),
        Some(b'[' | b'"' | b'-' | b'0'..=b'9') => Err(Unreadable::NotADictionary),
        _ if json::WORDS.iter().any(|word| text.starts_with(word)) => {
            Err(Unreadable::NotADictionary)
        }
        _ => Err(Unreadable::UnknownFormat),
    }
}

#[cfg(test)]
mod tests;
