//! Logins that are named by a pattern.

use std::borrow::Cow;

use wildmatch::WildMatch;

use crate::session::Text;

/// More than any login that somebody would write down.
const LONGEST: usize = 250;

/// Bytes of a login that are looked at from either end of a longer one. No real login has so many; 15 MB of `a` took 92 s
/// of CPU (an audit of a debug build) against a pattern of `*`, 248 `a` and `b`, and now take 0.15.
const END: usize = 2 * 1024;

/// A pattern for whole logins: `*` is anything, also nothing, `?` one character, and every other character itself.
/// Case matters, and nothing is special in a login: `*` takes in `/` and a leading dot as well.
///
/// A match takes at most the product of both lengths in steps, whatever a stranger has chosen for his login: `wildmatch`
/// goes back to the last `*` only. Of a login over 4 KiB only both ends are looked at, which is all that a pattern with
/// one `*` asks of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginPattern {
    written: String,
    pattern: WildMatch,
}

impl LoginPattern {
    /// Reads a pattern; one that could only match nobody would log out whom it was to protect.
    ///
    /// # Errors
    /// Says what is wrong with it, without repeating it.
    pub fn new(written: &str) -> Result<LoginPattern, &'static str> {
        if written.is_empty() {
            return Err("it is empty: name a login, or several with * and ?");
        }
        // Neither odoo.conf nor an environment file of Docker takes quotes away.
        if written.starts_with(['"', '\'']) {
            return Err(
                "it begins with a quote: leave the quotes out, or write ? for one that belongs to the login",
            );
        }
        if written.chars().count() > LONGEST {
            return Err("it has more than 250 characters: shorten it with *");
        }
        if written.contains('[') {
            return Err(
                "[ is not a pattern here: write ? for any one character, or a pattern for each login",
            );
        }
        // Where a login may not be shown, `…` stands for it; whoever copies that protects nobody.
        if written.contains('…') {
            return Err(
                "… stands for what was not shown: write the login itself, or ? for a real …",
            );
        }
        if written.contains(r"\\") {
            return Err(r"\ stands for itself here: write it once, or ? for a special character");
        }
        Ok(LoginPattern {
            written: written.to_owned(),
            pattern: WildMatch::new(written),
        })
    }

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
    fn matches_the_whole_login() {
        for (pattern, login) in [
            ("bob", "bob"),
            ("kiosk*", "kiosk"),
            ("kiosk*", "kiosk-1/.hall"),
            ("*", ""),
            ("***", ".a/b"),
            ("a**b**c", "a/x/b/y/c"),
            ("a*bc", "abxbc"),
            ("*@shop.example", "till.7@shop.example"),
            ("p?s", "pös"),
            ("a]b", "a]b"),
            (r"CORP\bob", r"CORP\bob"),
            (r"CORP\*", r"CORP\bob"),
        ] {
            assert!(matches(pattern, login), "{pattern} {login}");
        }
        for (pattern, login) in [
            ("bob", "Bob"),
            ("bob", "bobby"),
            ("bob", " bob"),
            ("kiosk?", "kiosk"),
            ("*.*", "ab"),
            ("*1?", "121"),
            (r"CORP\*", "CORP"),
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
    fn refuses_what_could_only_match_nobody() {
        let too_long = "ä".repeat(251);
        for (pattern, wrong) in [
            ("", "it is empty"),
            ("'kiosk*'", "it begins with a quote"),
            ("\"kiosk*", "it begins with a quote"),
            (too_long.as_str(), "it has more than 250 characters"),
            ("kiosk[0-9]", "[ is not a pattern here"),
            ("kiosk[", "[ is not a pattern here"),
            (r"CORP\\kiosk", r"\ stands for itself"),
            ("…", "… stands for what was not shown"),
            ("kiosk…", "… stands for what was not shown"),
        ] {
            let says = LoginPattern::new(pattern).unwrap_err();
            assert!(says.starts_with(wrong), "{pattern}: {says}");
            assert!(says.contains(": ") && !says.contains("kiosk"), "{says}");
        }
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
        assert!(matches(&"*a".repeat(125), &long));
    }
}
