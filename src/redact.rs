//! What may be shown of a session id, of a path and of a stranger's text.
//!
//! Whoever knows a session id is logged in, so nothing the program prints may contain one; logins and
//! database names come from files that visitors can influence, so nothing of them may reach a terminal raw.

use std::fmt::{self, Write as _};
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::store::name::{self, Kind};
use crate::time::words;

/// Text that may be shown: words of the program's own, or what this module has made of a file or a name. What takes
/// no other text cannot show a session id.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Shown(String);

impl From<&'static str> for Shown {
    fn from(own: &'static str) -> Shown {
        Shown(own.to_owned())
    }
}

macro_rules! numbers_are_shown {
    ($($number:ty)+) => {$(
        impl From<$number> for Shown {
            fn from(number: $number) -> Shown {
                Shown(number.to_string())
            }
        }
    )+};
}
numbers_are_shown!(i32 u32 u64 usize);

impl From<&Shown> for Shown {
    fn from(shown: &Shown) -> Shown {
        shown.clone()
    }
}

/// In words.
impl From<Duration> for Shown {
    fn from(duration: Duration) -> Shown {
        Shown(words(duration))
    }
}

/// One after the other.
impl FromIterator<Shown> for Shown {
    fn from_iter<T: IntoIterator<Item = Shown>>(parts: T) -> Shown {
        Shown(parts.into_iter().map(String::from).collect())
    }
}

impl From<Shown> for String {
    fn from(shown: Shown) -> String {
        shown.0
    }
}

impl Deref for Shown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl PartialEq<&str> for Shown {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// No more of a session id is ever shown than this many characters…
const PREFIX_CHARS: usize = 8;
/// …nor more than this fraction of it, which protects the short ids that old builds of Odoo 17 accept.
const PREFIX_DIVISOR: usize = 4;
/// Characters of a login or a database name that are shown; PostgreSQL allows 63 bytes for a name.
const TEXT_CHARS: usize = 128;
/// Characters of a pattern that are shown.
const PATTERN_CHARS: usize = 48;

/// The first characters of a session id or of another file's name: enough to find the file again as its
/// owner, too little to use it.
pub fn prefix(name: &[u8]) -> Shown {
    let text = String::from_utf8_lossy(name);
    let shown: String = text.chars().take(prefix_chars(name)).collect();
    printable(shown.as_bytes())
}

fn prefix_chars(name: &[u8]) -> usize {
    PREFIX_CHARS.min(name::characters(name) / PREFIX_DIVISOR)
}

/// A shard's name. One of a single character is the whole of the only id that it can hold.
pub fn shard(name: &[u8]) -> Shown {
    if name::characters(name) == 1 {
        return "…".into();
    }
    printable(name)
}

/// A stranger's text, safe for a terminal, a log line and a table: control characters, line and direction
/// marks and bytes that are not UTF-8 are escaped, and it ends with `…` after 128 characters.
pub fn printable(bytes: &[u8]) -> Shown {
    let mut out = String::with_capacity(bytes.len().min(TEXT_CHARS));
    let mut left = TEXT_CHARS;
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if left == 0 {
                out.push('…');
                return Shown(out);
            }
            left -= 1;
            match character {
                // A backslash stays as it is: logins such as DOMAIN\user are common.
                '\'' | '"' | '\\' => out.push(character),
                _ => out.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            if left == 0 {
                out.push('…');
                return Shown(out);
            }
            left -= 1;
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Shown(out)
}

/// A path as it may be shown: what could be a session's file name is cut to a prefix. That is the last
/// component, whatever lies in a `sessions` directory, and a session id of Odoo 18 or newer, or one in its shard,
/// wherever it stands. Another long name further up (a Docker volume, a Kubernetes claim) stays whole, or nobody would
/// know which store was meant.
pub fn path(path: &Path) -> Shown {
    let names: Vec<&[u8]> = path
        .components()
        .map(|part| part.as_os_str().as_bytes())
        .collect();
    let is_sharded = |shard: &[u8], id: &[u8]| {
        name::is_shard(shard) && name::in_shard(shard, id) != Kind::Foreign
    };
    let mut below_sessions = false;
    let mut out = String::new();
    for (index, name) in names.iter().enumerate() {
        if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        let parent = index.checked_sub(1).map(|parent| names[parent]);
        let last = index + 1 == names.len();
        // A shell in the store itself makes `ab/abcdef` of a glob.
        let in_store = below_sessions || (index == 1 && last && path.is_relative());
        let regular = |shard| name::in_shard(shard, name) == Kind::Sharded;
        let sharded =
            parent.is_some_and(|shard| is_sharded(shard, name) && (in_store || regular(shard)));
        // Two characters, as a shard tells them, can be too much of the id below it.
        let id = names.get(index + 1).filter(|_| below_sessions);
        let short =
            id.filter(|id| is_sharded(name, id) && prefix_chars(id) < name::characters(name));
        let exposed = below_sessions || last || name::login(name).len() < name.len();
        if sharded || short.is_some() || (exposed && holds_session_id(name)) {
            out.push_str(&prefix(short.unwrap_or(name)));
            out.push('…');
        } else if below_sessions && last {
            out.push_str(&shard(name));
        } else {
            out.push_str(&printable(name));
        }
        below_sessions |= *name == b"sessions";
    }
    Shown(out)
}

/// What many names have in common, as a pattern: `?` for a character in which they differ (`None`) or which may not be
/// shown, and `?{86}` for many of those.
///
/// A session id has no dots, so between two dots no more is shown than may be of an id. Nor are there more letters
/// and digits in all than places in which the names differ, so that not much of a person's own file name is told.
pub fn pattern(common: &[Option<u8>]) -> Shown {
    let mut letters = common.iter().filter(|byte| byte.is_none()).count();
    let mut of_part = PREFIX_CHARS;
    let mut out = String::new();
    let mut hidden = 0;
    for byte in common {
        let shown = byte.filter(|byte| match byte {
            b'.' => true,
            b'-' | b'_' => of_part > 0,
            _ => byte.is_ascii_alphanumeric() && of_part > 0 && letters > 0,
        });
        let Some(byte) = shown else {
            hidden += 1;
            continue;
        };
        hide(&mut out, &mut hidden);
        out.push(char::from(byte));
        of_part = if byte == b'.' {
            PREFIX_CHARS
        } else {
            of_part - 1
        };
        letters -= usize::from(byte.is_ascii_alphanumeric());
    }
    hide(&mut out, &mut hidden);
    if out.len() > PATTERN_CHARS {
        out.truncate(PATTERN_CHARS);
        out.push('…');
    }
    Shown(out)
}

/// Writes the places that were hidden so far.
fn hide(out: &mut String, hidden: &mut usize) {
    match std::mem::take(hidden) {
        few @ 0..=16 => out.push_str(&"?".repeat(few)),
        // Writing to a String cannot fail.
        many => drop(write!(out, "?{{{many}}}")),
    }
}

/// An argument of the command line as an error may repeat it; shells expand globs to session paths.
pub fn argument(text: &str) -> Shown {
    path(Path::new(text))
}

/// What was typed as the beginning of a session id, which may be all of it.
pub(crate) fn beginning(typed: &str) -> Shown {
    let shown: String = typed.chars().take(PREFIX_CHARS).collect();
    printable(shown.as_bytes())
}

/// A sentence of the program's own words, with numbers and what may be shown in its gaps `{}`; nothing else fits in.
macro_rules! shown {
    ($told:literal $(, $part:expr)* $(,)?) => {{
        // The compiler counts the gaps.
        let _ = format_args!($told $(, stringify!($part))*);
        $crate::redact::filled($told, [$($crate::redact::Shown::from($part)),*])
    }};
}
pub(crate) use shown;

/// The program's own words, with a part in each gap.
pub(crate) fn filled<const GAPS: usize>(own: &'static str, parts: [Shown; GAPS]) -> Shown {
    let mut parts = parts.iter().map(|part| &part.0[..]);
    let words = own.split("{}").flat_map(|own| [Some(own), parts.next()]);
    Shown(words.flatten().collect())
}

/// What may be shown, as one word of a shell.
pub fn shell(shown: &Shown) -> Shown {
    Shown(word(shown))
}

/// All of them, with `between` in between.
pub fn joined(parts: impl IntoIterator<Item = Shown>, between: &str) -> Shown {
    let parts: Vec<String> = parts.into_iter().map(String::from).collect();
    Shown(parts.join(between))
}

/// A path as a unit's lines want it, by systemd.syntax(7) and systemd.unit(5); none if it must not or cannot be
/// shown as it is.
pub fn unit_path(whole: &Path) -> Option<Shown> {
    let shown = whole.to_str().filter(|text| path(whole) == *text)?;
    let text = shown
        .replace('%', "%%")
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+@%".contains(byte) || !byte.is_ascii();
    Some(Shown(if text.as_bytes().iter().all(plain) {
        text
    } else {
        format!("\"{text}\"")
    }))
}

/// One word of a shell.
pub fn word(shown: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-…".contains(c);
    if !shown.is_empty() && shown.chars().all(plain) {
        shown.to_owned()
    } else {
        format!("'{}'", shown.replace('\'', r"'\''"))
    }
}

/// Whether a session id may be hidden in this file name: 40 or more of its characters in a row.
fn holds_session_id(name: &[u8]) -> bool {
    name.split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')))
        .any(|run| run.len() >= 40)
}

#[cfg(test)]
mod tests;
