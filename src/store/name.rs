//! What a file's place and name say: the layouts of Odoo 14 to 20.
//!
//! The facts were measured on running servers, those of 19.1 to 20 on their session code alone: up to 15,
//! `werkzeug_<sid>.sess` at the top; from 16, `<sid[:2]>/<sid>` with 40 hexadecimal characters (16, 17) or URL-safe
//! ones, 84 (18, 19.0) or 86 (from 19.1 on, which takes 84 and 85 as well). Older builds of 17 take any cookie as
//! the sid, so a sharded name can be anything that begins with its directory's name.

/// What a file can be, judged by its place and its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `werkzeug_<sid>.sess` at the top level (Odoo 15 and older).
    Flat,
    /// `<sid[:2]>/<sid>` with a sid of Odoo's own making (Odoo 16 and newer).
    Sharded,
    /// A sharded name that Odoo does not make by itself; only its content can prove it a session.
    Irregular,
    /// The temporary file of a save that never came to its rename: `.__wz_sess` up to 19.0, then `.__tx_sess__`.
    UnfinishedSave,
    /// A file that a visitor uploaded before logging in (Odoo 15 and older).
    UploadStash,
    /// Anything else. Never deleted, and never opened but for the few in shards that an audit looks into.
    Foreign,
}

impl Kind {
    /// Whether the name alone makes it a session file.
    pub fn is_regular_session(self) -> bool {
        matches!(self, Kind::Flat | Kind::Sharded)
    }

    /// Whether it can be a session.
    pub(crate) fn may_be_session(self) -> bool {
        self.is_regular_session() || self == Kind::Irregular
    }

    /// What it is, in words.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Flat | Kind::Sharded | Kind::Irregular => "session",
            Kind::UnfinishedSave => "unfinished save",
            Kind::UploadStash => "upload stash",
            Kind::Foreign => "foreign file",
        }
    }
}

const FLAT_PREFIX: &[u8] = b"werkzeug_";
const FLAT_SUFFIX: &[u8] = b".sess";
const STASH_SUFFIX: &[u8] = b".file";
const UNFINISHED_PREFIX: &[u8] = b"tmp";
const UNFINISHED_SUFFIXES: [&[u8]; 2] = [b".__wz_sess", b".__tx_sess__"];

/// The kind of a file directly in `sessions/`.
pub fn at_top(name: &[u8]) -> Kind {
    if let Some(rest) = name.strip_prefix(FLAT_PREFIX) {
        if rest.strip_suffix(FLAT_SUFFIX).is_some_and(is_hex::<40>) {
            return Kind::Flat;
        }
        let stash = rest
            .strip_suffix(STASH_SUFFIX)
            .and_then(|ids| ids.split_at_checked(40));
        if let Some((sid, [b'_', upload @ ..])) = stash {
            if is_hex::<40>(sid) && is_hex::<32>(upload) {
                return Kind::UploadStash;
            }
        }
    } else if let Some((random, suffix)) = name
        .strip_prefix(UNFINISHED_PREFIX)
        .and_then(|rest| rest.split_at_checked(8))
    {
        // Python's tempfile takes eight of these characters.
        let is_random = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        if UNFINISHED_SUFFIXES.contains(&suffix) && random.iter().all(is_random) {
            return Kind::UnfinishedSave;
        }
    }
    Kind::Foreign
}

/// Whether a directory in `sessions/` can be a shard: it is named by the first two characters of its session ids,
/// or by the whole of one that has no more, and is not hidden.
pub fn is_shard(name: &[u8]) -> bool {
    matches!(characters(name), 1 | 2) && name.first() != Some(&b'.')
}

/// The kind of a file in the shard `shard`.
pub fn in_shard(shard: &[u8], name: &[u8]) -> Kind {
    if !name.starts_with(shard) || name.first() == Some(&b'.') {
        Kind::Foreign
    } else if shard.len() == 2 && (is_hex::<40>(name) || is_url_safe(name)) {
        Kind::Sharded
    } else if name == shard || characters(shard) == 2 {
        Kind::Irregular
    } else {
        // A longer id has two characters for its shard.
        Kind::Foreign
    }
}

/// How many characters Python sees in a name: each byte that belongs to no character counts as one.
pub fn characters(name: &[u8]) -> usize {
    name.utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

/// The session id within a file name: what of it must stay secret.
pub fn sid(name: &[u8]) -> &[u8] {
    match name.strip_prefix(FLAT_PREFIX) {
        Some(rest) => &rest[..rest.len().min(40)],
        None => name,
    }
}

/// What of a session id in a shard names the login: the first 42 characters of a URL-safe one, which stay when
/// Odoo 19 or 20 rotates the rest; 20 makes 86 characters of 84 then. Other ids are a login each.
pub fn login(sid: &[u8]) -> &[u8] {
    if is_url_safe(sid) { &sid[..42] } else { sid }
}

/// The shard of a session id: its first two characters, as Python sees them, or all of it.
pub(crate) fn shard(sid: &[u8]) -> &[u8] {
    // No character has more than four bytes.
    let ends = (0..=sid.len().min(8)).rev();
    let end = { ends }.find(|end| characters(&sid[..*end]) <= 2);
    &sid[..end.unwrap_or_default()]
}

fn is_hex<const LENGTH: usize>(text: &[u8]) -> bool {
    text.len() == LENGTH && are_all(text, |b| is_in(b, b'0', b'9') | is_in(b, b'a', b'f'))
}

/// Whether this is an id of 18 or newer. No version writes 85 characters, but 19.1 and newer take them.
fn is_url_safe(text: &[u8]) -> bool {
    let is_url_safe =
        |b: u8| is_in(b | 0x20, b'a', b'z') | is_in(b, b'0', b'9') | (b == b'-') | (b == b'_');
    matches!(text.len(), 84..=86) && are_all(text, is_url_safe)
}

/// Looks at every byte and branches on none, which the compiler makes vector instructions of: with an early end
/// this was most of what a recent file costs outside the kernel.
fn are_all(text: &[u8], holds: impl Fn(u8) -> bool) -> bool {
    text.iter().fold(true, |all, byte| all & holds(*byte))
}

fn is_in(byte: u8, first: u8, last: u8) -> bool {
    byte.wrapping_sub(first) <= last - first
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX40: &str = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";

    #[test]
    fn knows_the_names_odoo_writes_at_the_top() {
        assert_eq!(
            at_top(format!("werkzeug_{HEX40}.sess").as_bytes()),
            Kind::Flat
        );
        for unfinished in ["tmpe_m58b7w.__wz_sess", "tmpe_m58b7w.__tx_sess__"] {
            assert_eq!(at_top(unfinished.as_bytes()), Kind::UnfinishedSave);
        }
        let stash = format!("werkzeug_{HEX40}_{}.file", &HEX40[..32]);
        assert_eq!(at_top(stash.as_bytes()), Kind::UploadStash);
    }

    #[test]
    fn everything_else_at_the_top_is_foreign() {
        for name in [
            HEX40,
            "README",
            "",
            ".",
            "werkzeug_.sess",
            "werkzeug_0A796d6eb7fd55225f25e5a661da803c19cc56f5.sess",
            "werkzeug_0a796d6eb7fd55225f25e5a661da803c19cc56f5.sess.bak",
            "werkzeug_0a796d6eb7fd55225f25e5a661da803c19cc56f5_.file",
            "werkzeug_ééééééééééééééééééééé.file",
            "tmp.__wz_sess",
            "tmpE_m58b7w.__wz_sess",
            "tmpe_m58b7w1.__wz_sess",
            "tmpe_m58b7w.__wz_sess~",
            "tmpe_m58b7w.__wz_sess__",
            "tmpe_m58b7w.__tx_sess",
            "tmpe_m58b7w.__tx_sess_",
            "tmpe_m58b7w.__tx_sess__x",
            "tmpe_m58b7.__tx_sess__",
            "tmpe_m58b7w1.__tx_sess__",
            "tmpe_m58b7W.__tx_sess__",
            "tmpe_m58b7w__tx_sess__",
            "xtmpe_m58b7w.__tx_sess__",
            ".__tx_sess__",
        ] {
            assert_eq!(at_top(name.as_bytes()), Kind::Foreign, "{name}");
        }
    }

    #[test]
    fn a_shard_has_one_or_two_characters_and_is_not_hidden() {
        for shard in ["ab", "-_", "AB", "é1", "日本", "a", "é", "日", "-"] {
            assert!(is_shard(shard.as_bytes()), "{shard}");
        }
        for no_text in [
            &b"\xff"[..],
            b"\xff\xfe",
            b"\xc3\xa9\xff",
            b"a\xff",
            b"\xe2\x82",
        ] {
            assert!(is_shard(no_text), "{}", no_text.escape_ascii());
        }
        for other in ["abc", "ééé", ".a", ".", "..", "lost+found", ""] {
            assert!(!is_shard(other.as_bytes()), "{other}");
        }
        for no_text in [&b"\xff\xfe\xfd"[..], b"\xed\xa0\x80", b"ab\xff"] {
            assert!(!is_shard(no_text), "{}", no_text.escape_ascii());
        }
    }

    #[test]
    fn a_sharded_name_begins_with_its_directory() {
        assert_eq!(in_shard(b"0a", HEX40.as_bytes()), Kind::Sharded);
        assert_eq!(in_shard(b"0b", HEX40.as_bytes()), Kind::Foreign);
        assert_eq!(in_shard(b"he", b"hello"), Kind::Irregular);
        assert_eq!(
            in_shard(b"0A", HEX40.to_uppercase().as_bytes()),
            Kind::Irregular
        );
        assert_eq!(in_shard("é1".as_bytes(), "é1x".as_bytes()), Kind::Irregular);
        assert_eq!(in_shard(b"\xc3\xff", b"\xc3\xff1"), Kind::Irregular);
    }

    #[test]
    fn an_id_of_18_to_20_has_84_to_86_characters() {
        for (length, kind) in [
            (83, Kind::Irregular),
            (84, Kind::Sharded),
            (85, Kind::Sharded),
            (86, Kind::Sharded),
            (87, Kind::Irregular),
        ] {
            assert_eq!(in_shard(b"--", "-".repeat(length).as_bytes()), kind);
            for bad in [".", "+", "=", "@", "[", "`", "{", "\u{7f}", "\u{0}"] {
                let name = format!("--{bad}{}", "a".repeat(length - 3));
                assert_eq!(in_shard(b"--", name.as_bytes()), Kind::Irregular, "{bad:?}");
            }
        }
    }

    #[test]
    fn a_shard_of_one_character_holds_the_id_that_has_no_more() {
        for id in ["a", "é", "日", "-"] {
            let id = id.as_bytes();
            assert_eq!(in_shard(id, id), Kind::Irregular);
            let longer = [id, b"b"].concat();
            assert_eq!(in_shard(id, &longer), Kind::Foreign);
            assert_eq!(in_shard(id, &id.repeat(84)), Kind::Foreign);
        }
        assert_eq!(in_shard(b"\xff", b"\xff"), Kind::Irregular);
        assert_eq!(in_shard(b"0", HEX40.as_bytes()), Kind::Foreign);
        assert_eq!(in_shard(b".", b"."), Kind::Foreign);
    }

    #[test]
    fn an_id_lies_in_the_shard_that_it_names() {
        for (id, name) in [
            (HEX40, "0a"),
            ("-_-abc", "-_"),
            ("\u{e9}1x", "\u{e9}1"),
            ("1\u{e9}x", "1\u{e9}"),
            ("\u{1f980}\u{1f980}\u{1f980}", "\u{1f980}\u{1f980}"),
            ("a", "a"),
        ] {
            assert_eq!(shard(id.as_bytes()), name.as_bytes());
        }
        assert_eq!(shard(b"\xff\xfe\xfd"), b"\xff\xfe");
    }

    #[test]
    fn a_login_keeps_its_first_42_characters_from_84_to_86() {
        let (old, new) = ("a".repeat(84), "a".repeat(42) + &"b".repeat(44));
        assert_eq!(login(old.as_bytes()), login(new.as_bytes()));
        assert_eq!(login(&old.as_bytes()[..83]).len(), 83);
        assert_eq!(login("a".repeat(85).as_bytes()).len(), 42);
        assert_eq!(login("a".repeat(87).as_bytes()).len(), 87);
        assert_eq!(login(HEX40.as_bytes()), HEX40.as_bytes());
    }

    #[test]
    fn the_sid_of_a_flat_name_is_its_middle() {
        assert_eq!(
            sid(format!("werkzeug_{HEX40}.sess").as_bytes()),
            HEX40.as_bytes()
        );
        assert_eq!(sid(b"werkzeug_ab"), b"ab");
        assert_eq!(sid(HEX40.as_bytes()), HEX40.as_bytes());
    }

    proptest! {
        #[test]
        fn any_name_has_a_kind(shard: Vec<u8>, name: Vec<u8>) {
            at_top(&name);
            is_shard(&name);
            in_shard(&shard, &name);
            sid(&name);
        }

        #[test]
        fn every_sid_of_odoo_is_a_session(
            hex in "[0-9a-f]{40}", safe in "[A-Za-z0-9_-]{84,86}", random in "[a-z0-9_]{8}",
        ) {
            prop_assert_eq!(at_top(format!("werkzeug_{hex}.sess").as_bytes()), Kind::Flat);
            prop_assert_eq!(in_shard(&hex.as_bytes()[..2], hex.as_bytes()), Kind::Sharded);
            prop_assert_eq!(in_shard(&safe.as_bytes()[..2], safe.as_bytes()), Kind::Sharded);
            for suffix in [".__wz_sess", ".__tx_sess__"] {
                let name = format!("tmp{random}{suffix}");
                prop_assert_eq!(at_top(name.as_bytes()), Kind::UnfinishedSave);
            }
        }

        #[test]
        fn a_name_of_another_shard_is_foreign(shard in "[a-z]{2}", name in "[a-z]{3,90}") {
            prop_assume!(!name.starts_with(&shard));
            prop_assert_eq!(in_shard(shard.as_bytes(), name.as_bytes()), Kind::Foreign);
        }
    }
}
