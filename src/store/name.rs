//! What a file's place and name say: the layouts of Odoo 14 to 19.
//!
//! The facts were measured on running servers: up to 15, `werkzeug_<sid>.sess` at the top; from 16,
//! `<sid[:2]>/<sid>` with 40 hexadecimal characters (16, 17) or 84 URL-safe ones (18, 19). Older builds of
//! 17 take any cookie as the sid, so a sharded name can be anything that begins with its directory's name.

/// What a file can be, judged by its place and its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `werkzeug_<sid>.sess` at the top level (Odoo 15 and older).
    Flat,
    /// `<sid[:2]>/<sid>` with a sid of Odoo's own making (Odoo 16 and newer).
    Sharded,
    /// A sharded name that Odoo does not make by itself; only its content can prove it a session.
    Irregular,
    /// The temporary file of a save that never came to its rename (all versions).
    UnfinishedSave,
    /// A file that a visitor uploaded before logging in (Odoo 15 and older).
    UploadStash,
    /// Anything else. Never opened, never deleted.
    Foreign,
}

impl Kind {
    /// Whether the name alone makes it a session file.
    pub fn is_regular_session(self) -> bool {
        matches!(self, Kind::Flat | Kind::Sharded)
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
const UNFINISHED_SUFFIX: &[u8] = b".__wz_sess";

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
    } else if let Some(random) = name
        .strip_prefix(UNFINISHED_PREFIX)
        .and_then(|rest| rest.strip_suffix(UNFINISHED_SUFFIX))
    {
        // Python's tempfile takes eight of these characters.
        if random.len() == 8
            && random
                .iter()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        {
            return Kind::UnfinishedSave;
        }
    }
    Kind::Foreign
}

/// Whether a directory in `sessions/` is a shard: a name of two characters, not hidden.
pub fn is_shard(name: &[u8]) -> bool {
    name.first() != Some(&b'.')
        && std::str::from_utf8(name).map_or(name.len() == 2, |text| text.chars().count() == 2)
}

/// The kind of a file in the shard `shard`.
pub fn in_shard(shard: &[u8], name: &[u8]) -> Kind {
    if !name.starts_with(shard) || name.first() == Some(&b'.') {
        Kind::Foreign
    } else if is_hex::<40>(name) || is_url_safe_84(name) {
        Kind::Sharded
    } else {
        Kind::Irregular
    }
}

/// The session id within a file name: what of it must stay secret.
pub fn sid(name: &[u8]) -> &[u8] {
    match name.strip_prefix(FLAT_PREFIX) {
        Some(rest) => &rest[..rest.len().min(40)],
        None => name,
    }
}

/// What of a session id in a shard names the login: Odoo 18 and 19 keep the first 42 of 84 characters when 19
/// rotates the rest. Other ids are a login each.
pub fn login(sid: &[u8]) -> &[u8] {
    if is_url_safe_84(sid) { &sid[..42] } else { sid }
}

fn is_hex<const LENGTH: usize>(text: &[u8]) -> bool {
    text.len() == LENGTH && are_all(text, |b| is_in(b, b'0', b'9') | is_in(b, b'a', b'f'))
}

fn is_url_safe_84(text: &[u8]) -> bool {
    let is_url_safe =
        |b: u8| is_in(b | 0x20, b'a', b'z') | is_in(b, b'0', b'9') | (b == b'-') | (b == b'_');
    text.len() == 84 && are_all(text, is_url_safe)
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
        assert_eq!(at_top(b"tmpe_m58b7w.__wz_sess"), Kind::UnfinishedSave);
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
        ] {
            assert_eq!(at_top(name.as_bytes()), Kind::Foreign, "{name}");
        }
    }

    #[test]
    fn a_shard_has_two_characters_and_is_not_hidden() {
        for shard in ["ab", "-_", "AB", "é1", "日本"] {
            assert!(is_shard(shard.as_bytes()), "{shard}");
        }
        assert!(is_shard(b"\xff\xfe"));
        for other in ["a", "abc", ".a", "..", "lost+found", ""] {
            assert!(!is_shard(other.as_bytes()), "{other}");
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
        assert_eq!(in_shard(b"--", "-".repeat(84).as_bytes()), Kind::Sharded);
        assert_eq!(in_shard(b"--", "-".repeat(83).as_bytes()), Kind::Irregular);
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
            hex in "[0-9a-f]{40}", safe in "[A-Za-z0-9_-]{84}", random in "[a-z0-9_]{8}",
        ) {
            prop_assert_eq!(at_top(format!("werkzeug_{hex}.sess").as_bytes()), Kind::Flat);
            prop_assert_eq!(in_shard(&hex.as_bytes()[..2], hex.as_bytes()), Kind::Sharded);
            prop_assert_eq!(in_shard(&safe.as_bytes()[..2], safe.as_bytes()), Kind::Sharded);
            prop_assert_eq!(
                at_top(format!("tmp{random}.__wz_sess").as_bytes()), Kind::UnfinishedSave
            );
        }

        #[test]
        fn a_name_of_another_shard_is_foreign(shard in "[a-z]{2}", name in "[a-z]{3,90}") {
            prop_assume!(!name.starts_with(&shard));
            prop_assert_eq!(in_shard(shard.as_bytes(), name.as_bytes()), Kind::Foreign);
        }
    }
}
