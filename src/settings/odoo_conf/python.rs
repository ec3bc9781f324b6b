//! What Python's text functions do where Rust's own differ a little.

/// `str.isspace`: Unicode white space, and the four separators that ASCII has and Unicode's property leaves out.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `str.strip()`.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.rstrip()`.
pub(super) fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// How far a line is indented: in characters, so a tab counts as one space does.
pub(super) fn indent(line: &str) -> usize {
    line.chars().take_while(|&c| is_space(c)).count()
}

/// The lines of a text file opened with universal newlines: `\n`, `\r\n` and a lone `\r` end a line, nothing else does.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = match rest.split_once(['\r', '\n']) {
            Some((line, after)) if rest[line.len()..].starts_with('\r') => {
                (line, after.strip_prefix('\n').unwrap_or(after))
            }
            Some(split) => split,
            None => (rest, ""),
        };
        rest = after;
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_python_strips() {
        assert_eq!(
            strip("\u{a0}\x1c\x1f\x0b\u{85}a b\u{2028}\u{3000}\t"),
            "a b"
        );
        // Zero width space, byte order mark and NUL are not white space, neither to Python nor here.
        assert_eq!(strip("\u{200b}a\u{feff}\0"), "\u{200b}a\u{feff}\0");
    }

    #[test]
    fn ends_lines_where_a_text_file_does() {
        let text = "a\r\nb\rc\n\n\x0bd\x0c\u{85}\u{2028}e\r\r\nf";
        let found: Vec<_> = lines(text).collect();
        assert_eq!(
            found,
            ["a", "b", "c", "", "\x0bd\x0c\u{85}\u{2028}e", "", "f"]
        );
        assert_eq!(lines("a\n").count(), 1);
    }
}
