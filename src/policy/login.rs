//! Logins that are named by a pattern.

use std::borrow::Cow;
use std::fmt;

use crate::session::Text;

/// More than any login that somebody would write down; it also bounds how deep a match nests.
const LONGEST: usize = 250;

/// Bytes of a login that are looked at from either end of a longer one. No real login has so many; 15 MB of `a` took 92 s
/// of CPU (an audit of a debug build) against a pattern of `*`, 248 `a` and `b`, and now take 0.15.
const END: usize = 2 * 1024;

/// A shell-style pattern for whole logins: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]` or `[^abc]`; `\` takes the next character as it
/// is (a literal backslash is `\\`), but not in brackets. Case matters, and nothing is special in a login: `*` takes
/// in `/` and a leading dot as well.
///
/// A match takes at most the product of both lengths in steps, whatever a stranger has chosen for his login: the
/// matcher of the `glob` crate gives up as soon as the last `*` that it tried has seen the end. Of a login over 4 KiB
/// only both ends are looked at, which is all that a pattern with one `*` asks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPattern {
    written: String,
    pattern: glob::Pattern,
}

impl LoginPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong with it, without repeating it.
    pub fn new(written: &str) -> Result<LoginPattern, BadPattern> {
        if written.is_empty() {
            return Err(BadPattern::Empty);
        }
        // Neither odoo.conf nor an environment file of Docker takes quotes away, and a pattern that silently
        // matches nobody logs out whom it was to protect.
        if written.starts_with(['"', '\'']) {
            return Err(BadPattern::Quoted);
        }
        if written.chars().count() > LONGEST {
            return Err(BadPattern::TooLong);
        }
        let pattern = glob::Pattern::new(&globs(written)?).map_err(|_| BadPattern::OpenBracket)?;
        Ok(LoginPattern {
            written: written.to_owned(),
            pattern,
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it means this login.
    pub fn matches(&self, login: &Text<'_>) -> bool {
        let ends = ends(login.as_bytes());
        self.pattern.matches(&String::from_utf8_lossy(&ends))
    }
}

/// A login without the middle of an endless one.
fn ends(login: &[u8]) -> Cow<'_, [u8]> {
    if login.len() <= 2 * END {
        return login.into();
    }
    [&login[..END], &login[login.len() - END..]].concat().into()
}

/// The pattern in the words of the `glob` crate, which knows no escapes, and refuses `**` but between slashes.
fn globs(pattern: &str) -> Result<String, BadPattern> {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some(special @ ('*' | '?' | '[')) => out.extend(['[', special, ']']),
                Some(other) => out.push(other),
                None => return Err(BadPattern::OpenEscape),
            },
            '*' if out.ends_with('*') => {}
            '[' => {
                let inside = rest.as_str();
                // Most shells take `^` for `!`; as a mere character it would turn the pattern into its opposite.
                let negated = inside.starts_with(['!', '^']);
                // A bracket that comes first, or first after `!`, is an ordinary character.
                let first = if negated { 2 } else { 1 };
                let end = inside.char_indices().skip(first).find(|(_, c)| *c == ']');
                let Some((end, _)) = end else {
                    return Err(BadPattern::OpenBracket);
                };
                if inside[..end].contains("[:") {
                    return Err(BadPattern::NamedClass);
                }
                out.push('[');
                if negated {
                    out.push('!');
                }
                out.push_str(&inside[usize::from(negated)..=end]);
                rest = inside[end + 1..].chars();
            }
            _ => out.push(character),
        }
    }
    Ok(out)
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPattern {
    /// There is nothing in it.
    Empty,
    /// It begins with a quote.
    Quoted,
    /// It has more than 250 characters.
    TooLong,
    /// A `[` without its `]`, or with nothing in between.
    OpenBracket,
    /// A class such as `[[:digit:]]`, which would be taken for its letters.
    NamedClass,
    /// It ends in a single `\`.
    OpenEscape,
}

impl std::error::Error for BadPattern {}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadPattern::Empty => "it is empty: name a login, or several with * and ?",
            BadPattern::Quoted => {
                "it begins with a quote: leave the quotes out, or write \\ before one that belongs to the login"
            }
            BadPattern::TooLong => "it has more than 250 characters: shorten it with *",
            BadPattern::OpenBracket => {
                "a [ has no ] after it: close it, or write \\[ for the character itself"
            }
            BadPattern::NamedClass => {
                "named classes such as [:digit:] are not known here: write [0-9]"
            }
            BadPattern::OpenEscape => "it ends in a single \\: write \\\\ for the character itself",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn matches(pattern: &str, login: &str) -> bool {
        LoginPattern::new(pattern)
            .unwrap()
            .matches(&Text::from(login.as_bytes()))
    }

    #[test]
    fn matches_as_a_shell_does_and_the_whole_login() {
        for (pattern, login) in [
            ("bob", "bob"),
            ("kiosk*", "kiosk"),
            ("kiosk*", "kiosk-1/.hall"),
            ("*", ""),
            ("***", ".a/b"),
            ("a**b**c", "a/x/b/y/c"),
            ("*@shop.example", "till.7@shop.example"),
            ("p?s", "pös"),
            ("pos[0-9]", "pos7"),
            ("pos[!0-9]", "posx"),
            ("pos[^0-9]", "posx"),
            ("[0^]", "^"),
            ("[]]", "]"),
            ("[!]]", "["),
            ("[*]\\*[?]\\?", "**??"),
            ("\\[a]", "[a]"),
            ("CORP\\\\bob", "CORP\\bob"),
            ("\\b\\!", "b!"),
            ("x\\**", "x*y"),
            ("\\'x'", "'x'"),
        ] {
            assert!(matches(pattern, login), "{pattern} {login}");
        }
        for (pattern, login) in [
            ("bob", "Bob"),
            ("bob", "bobby"),
            ("bob", " bob"),
            ("kiosk?", "kiosk"),
            ("pos[0-9]", "posx"),
            ("pos[!0-9]", "pos7"),
            ("pos[^0-9]", "pos7"),
            ("pos[^0-9]", "pos^7"),
            ("\\*", "x"),
            ("CORP\\bob", "CORP\\bob"),
            ("x\\**", "xy"),
            ("*.*", "ab"),
        ] {
            assert!(!matches(pattern, login), "{pattern} {login}");
        }
    }

    #[test]
    fn a_login_that_is_no_unicode_is_matched_around_it() {
        let pattern = LoginPattern::new("a*z").unwrap();
        assert_eq!(pattern.as_str(), "a*z");
        assert!(pattern.matches(&Text::from(&b"a\xed\xa0\x80\xffz"[..])));
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for (pattern, wrong) in [
            ("", BadPattern::Empty),
            ("'kiosk*'", BadPattern::Quoted),
            ("\"kiosk*", BadPattern::Quoted),
            ("a[", BadPattern::OpenBracket),
            ("a[]", BadPattern::OpenBracket),
            ("a[^]", BadPattern::OpenBracket),
            ("pos[[:digit:]]", BadPattern::NamedClass),
            ("pos[![:digit:]]", BadPattern::NamedClass),
            ("a[!]", BadPattern::OpenBracket),
            ("a[bc", BadPattern::OpenBracket),
            ("a\\", BadPattern::OpenEscape),
        ] {
            assert_eq!(LoginPattern::new(pattern), Err(wrong), "{pattern}");
            let says = wrong.to_string();
            assert!(says.contains(": ") && !says.contains("kiosk"), "{says}");
        }
        assert_eq!(
            LoginPattern::new(&"ä".repeat(251)),
            Err(BadPattern::TooLong)
        );
        assert!(LoginPattern::new(&"*a".repeat(125)).is_ok());
    }

    #[test]
    fn of_an_endless_login_both_ends_count_and_its_middle_does_not() {
        let endless = |middle: &str| {
            let filling = "ä".repeat(END);
            format!("kiosk{filling}{middle}{filling}@shop.example")
        };
        for pattern in ["kiosk*", "*@shop.example", "kiosk*@shop.example", "*"] {
            assert!(matches(pattern, &endless("Z")), "{pattern}");
        }
        for pattern in ["iosk*", "*@shop", "bob", "*Z*"] {
            assert!(!matches(pattern, &endless("Z")), "{pattern}");
        }
        let long = vec![b'a'; 3 * 1024];
        assert_eq!(ends(&long), long, "4 KiB are not endless");
        let longest = "a".repeat(END - 1) + "bc" + &"a".repeat(END - 1);
        assert!(matches("a*bc*a", &longest), "nothing is left out of 4 KiB");
    }

    /// A matcher that backtracks without giving up would not end in a lifetime.
    #[test]
    fn a_hostile_login_takes_no_time() {
        let long = "a".repeat(100_000);
        assert!(!matches("a*a*a*a*a*a*a*a*b", &long));
        assert!(!matches(&("*a".repeat(124) + "b"), &long));
        assert!(!matches(&("*?".repeat(124) + "b"), &long));
        assert!(!matches("*[ab]*[!b]*a*[ac]*b", &long));
        assert!(matches(&"*a".repeat(125), &long));
    }
}
