//! The pickle's bytes, and how values lie in them.

use super::super::facts::Value;
use super::opcode;

/// The whole file, read at any position. `None` is always "the file ends before that".
#[derive(Clone, Copy)]
pub(super) struct Input<'b> {
    bytes: &'b [u8],
}

impl<'b> Input<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Input { bytes }
    }

    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    /// `length` bytes from `at` on.
    pub(super) fn slice(self, at: usize, length: usize) -> Option<&'b [u8]> {
        self.bytes.get(at..at.checked_add(length)?)
    }

    /// A line with an end but, as in CPython, not an empty one.
    pub(super) fn line(self, at: usize) -> Option<&'b [u8]> {
        let rest = self.bytes.get(at..)?;
        let line = &rest[..rest.iter().position(|&byte| byte == b'\n')?];
        (!line.is_empty()).then_some(line)
    }

    /// The bytes behind a length of `width` bytes, and the position after them.
    #[inline]
    pub(super) fn counted(self, at: usize, width: usize) -> Option<(&'b [u8], usize)> {
        let length = match width {
            1 => usize::from(self.byte(at)?),
            4 => u32::from_le_bytes(self.array(at)?) as usize,
            _ => usize::try_from(u64::from_le_bytes(self.array(at)?)).ok()?,
        };
        let start = at + width;
        let counted = self.slice(start, length)?;
        Some((counted, start + length))
    }

    /// What the string, bytes or long made at `at` consists of.
    pub(super) fn payload(self, at: usize) -> Option<&'b [u8]> {
        use opcode::{BINBYTES, BINSTRING, BINUNICODE, LONG1, LONG4};
        use opcode::{SHORT_BINBYTES, SHORT_BINSTRING, SHORT_BINUNICODE};
        let width = match self.byte(at)? {
            SHORT_BINUNICODE | SHORT_BINSTRING | SHORT_BINBYTES | LONG1 => 1,
            BINUNICODE | BINSTRING | BINBYTES | LONG4 => 4,
            _ => 8,
        };
        Some(self.counted(at + 1, width)?.0)
    }

    /// The whole number made at `at`.
    pub(super) fn integer(self, at: usize) -> Option<Value<'static>> {
        let digits = at + 1;
        Some(match self.byte(at)? {
            opcode::BININT1 => Value::Integer(i64::from(self.byte(digits)?)),
            opcode::BININT2 => Value::Integer(i64::from(u16::from_le_bytes(self.array(digits)?))),
            opcode::BININT => Value::Integer(i64::from(i32::from_le_bytes(self.array(digits)?))),
            _ => long(self.payload(at)?),
        })
    }
}

/// A little-endian two's complement of any length; empty is 0.
fn long(bytes: &[u8]) -> Value<'static> {
    let negative = bytes.last().is_some_and(|&high| high >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let (low, high) = bytes.split_at(bytes.len().min(8));
    let mut digits = [sign; 8];
    digits[..low.len()].copy_from_slice(low);
    let number = i64::from_le_bytes(digits);
    // Some picklers pad: it still fits if all the rest only repeats the sign.
    if high.iter().all(|&byte| byte == sign) && (number < 0) == negative {
        Value::Integer(number)
    } else {
        Value::Huge
    }
}

/// UTF-8 as Python's "surrogatepass" takes it: lone surrogates may stand in it.
#[inline]
pub(super) fn is_text(bytes: &[u8]) -> bool {
    // Nearly always, and cheaper to see than that it is UTF-8.
    if bytes.is_ascii() {
        return true;
    }
    let mut rest = bytes;
    while let Err(error) = std::str::from_utf8(rest) {
        match &rest[error.valid_up_to()..] {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => rest = after,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_longs_of_every_length() {
        for (bytes, value) in [
            (&b""[..], Value::Integer(0)),
            (b"\x00", Value::Integer(0)),
            (b"\xff", Value::Integer(-1)),
            (b"\xff\x00", Value::Integer(255)),
            (b"\x00\x80", Value::Integer(-32768)),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\x7f",
                Value::Integer(i64::MAX),
            ),
            (
                b"\x00\x00\x00\x00\x00\x00\x00\x80",
                Value::Integer(i64::MIN),
            ),
            (
                b"\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00",
                Value::Integer(2),
            ),
            (
                b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                Value::Integer(-2),
            ),
            (b"\x00\x00\x00\x00\x00\x00\x00\x80\x00", Value::Huge),
            (b"\xff\xff\xff\xff\xff\xff\xff\x7f\xff", Value::Huge),
            (b"\x00\x00\x00\x00\x00\x00\x00\x00\x01", Value::Huge),
        ] {
            assert_eq!(long(bytes), value, "{bytes:x?}");
        }
    }

    #[test]
    fn takes_lone_surrogates_but_no_other_broken_utf8() {
        for text in [
            &b""[..],
            b"plain",
            b"zo\xc3\xab",
            b"\xed\xa0\x80",
            b"a\xed\xbf\xbf\xed\xa0\x80z\0",
        ] {
            assert!(is_text(text), "{text:x?}");
        }
        for bytes in [
            &b"\xff"[..],
            b"\xc3",
            b"\xed\xa0",
            b"\xed\xa0\x80\xed",
            b"\xc0\x80",
            b"\xf4\x90\x80\x80",
        ] {
            assert!(!is_text(bytes), "{bytes:x?}");
        }
    }
}
