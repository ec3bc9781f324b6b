//! `NaN`, `Infinity` and `-Infinity`: no JSON, but Python writes and reads them.

/// Python's words for floats that JSON has none for, each with the offset of the letter that stands for it in [`super::value`].
const TOKENS: [(&[u8], usize); 3] = [(b"NaN", 1), (b"-Infinity", 4), (b"Infinity", 3)];

/// The letters under the zeros of a stand-in, by which a value is known again in the original text. No JSON value begins with them.
pub(super) const LETTERS: [u8; 2] = [b'a', b'i'];

/// The text with a zero among spaces in place of each such token outside strings; of the same length. `None` if it has no such token.
///
/// The spaces keep `1NaN`, `-NaN` or `NaN.5` as wrong as they are.
pub(super) fn without(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut stand_in: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'"' => after_string(bytes, at),
            b'N' | b'I' | b'-' => {
                let rest = &bytes[at..];
                match TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
                    Some((token, letter)) => {
                        let copy = stand_in.get_or_insert_with(|| bytes.to_vec());
                        copy[at..at + token.len()].fill(b' ');
                        copy[at + letter] = b'0';
                        at + token.len()
                    }
                    None => at + 1,
                }
            }
            _ => at + 1,
        };
    }
    String::from_utf8(stand_in?).ok()
}

/// The position after the string that opens at `at`, or of the end.
fn after_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_tokens_outside_strings_only() {
        let text = r#"{"NaN": NaN, "\"Infinity": [Infinity,-Infinity]}"#;
        let stand_in = r#"{"NaN":  0 , "\"Infinity": [   0    ,    0    ]}"#;
        assert_eq!(without(text).as_deref(), Some(stand_in));
    }

    #[test]
    fn zeros_stand_under_the_letters() {
        for (token, letter) in TOKENS {
            assert!(LETTERS.contains(&token[letter]));
        }
    }

    #[test]
    fn has_nothing_to_do_without_tokens() {
        for text in [
            "",
            "{}",
            r#"{"a": "NaN"}"#,
            r#"{"a": "NaN"#,
            r#"{"a": "NaN\"#,
        ] {
            assert_eq!(without(text), None);
        }
    }
}
