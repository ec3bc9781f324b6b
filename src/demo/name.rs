//! Names as Odoo makes them. None is remembered: a session id has more than enough random bits to be unique.

use fastrand::Rng;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Odoo 18 and 19: URL-safe base64.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How long the part of a session id is that stays the same when Odoo 19 rotates it.
const STABLE: usize = 42;

/// What Python's `tempfile` makes names of.
const TEMPFILE: &[u8; 37] = b"abcdefghijklmnopqrstuvwxyz0123456789_";

/// A session id of Odoo 17 or older.
pub(super) fn hex_sid(rng: &mut Rng) -> String {
    hex(rng, 40)
}

/// A session id of Odoo 18 or 19.
pub(super) fn base64_sid(rng: &mut Rng) -> String {
    letters(rng, BASE64, 6, 84)
}

/// The session id that Odoo 19 rotates `sid` to.
pub(super) fn rotated(rng: &mut Rng, sid: &str) -> String {
    sid.chars()
        .take(STABLE)
        .chain(letters(rng, BASE64, 6, 84 - STABLE).chars())
        .collect()
}

/// A session id that only Odoo 17's older builds take: whatever a visitor's cookie says.
/// `earlier` of them were made.
pub(super) fn irregular_sid(rng: &mut Rng, earlier: u64) -> String {
    match (earlier, earlier % 3) {
        (0, _) => "hello".to_owned(),
        (_, 0) => format!("visitor-{}", hex(rng, 32)),
        (_, 1) => hex(rng, 40).to_uppercase(),
        _ => hex(rng, 64),
    }
}

/// The shard that a session lies in, named as its session id begins.
pub(super) fn shard(sid: &str) -> [u8; 2] {
    let bytes = sid.as_bytes();
    [bytes[0], bytes[1]]
}

/// The file of a flat session.
pub(super) fn flat(sid: &str) -> String {
    format!("werkzeug_{sid}.sess")
}

/// An upload that a request left behind.
pub(super) fn upload_stash(rng: &mut Rng) -> String {
    format!("werkzeug_{}_{}.file", hex_sid(rng), hex(rng, 32))
}

/// The `nth` unfinished save. Eight letters are few enough for two random names to meet, so these are counted: a step that
/// shares no factor with their number meets each name once before any comes back.
pub(super) fn unfinished_save(nth: u64) -> String {
    const NAMES: u64 = 37u64.pow(8);
    const STEP: u64 = 2_170_823_499_001;
    let mut rest = (u128::from(nth + 1) * u128::from(STEP) % u128::from(NAMES)) as u64;
    let mut name = String::from("tmp");
    for _ in 0..8 {
        name.push(char::from(TEMPFILE[(rest % 37) as usize]));
        rest /= 37;
    }
    name + ".__wz_sess"
}

/// `length` random lower-case hexadecimal digits.
pub(super) fn hex(rng: &mut Rng, length: usize) -> String {
    letters(rng, HEX, 4, length)
}

/// `length` letters of an alphabet of `2^bits`, as many from each random word as it has bits for.
fn letters(rng: &mut Rng, alphabet: &[u8], bits: u32, length: usize) -> String {
    let per_word = (u64::BITS / bits) as usize;
    let mut out = String::with_capacity(length);
    let mut word = 0;
    for index in 0..length {
        if index % per_word == 0 {
            word = rng.u64(..);
        }
        out.push(char::from(alphabet[(word & ((1 << bits) - 1)) as usize]));
        word >>= bits;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn unfinished_saves_never_share_a_name() {
        let names: HashSet<_> = (0..100_000).map(unfinished_save).collect();
        assert_eq!(names.len(), 100_000);
        assert!(names.iter().all(|name| name.len() == 21));
    }

    #[test]
    fn a_rotated_sid_keeps_its_first_half_only() {
        let mut rng = Rng::with_seed(1);
        let old = base64_sid(&mut rng);
        let new = rotated(&mut rng, &old);
        assert_eq!((old.len(), new.len()), (84, 84));
        assert_eq!(old[..42], new[..42]);
        assert_ne!(old[42..], new[42..]);
    }
}
