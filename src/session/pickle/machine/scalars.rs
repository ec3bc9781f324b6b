//! Operations that make a value out of the bytes behind them, or that are no values at all.

use super::{BROKEN, Checked, HIGHEST_PROTOCOL, Kind, Machine, Unreadable, input};

impl<'b> Machine<'b, '_> {
    /// A value of `length` bytes.
    pub(super) fn fixed(&mut self, kind: Kind, at: usize, length: usize) -> Checked<()> {
        self.skip(length)?;
        self.make(kind, at)
    }

    /// A value behind its length, which takes `width` bytes.
    pub(super) fn counted(&mut self, kind: Kind, at: usize, width: usize) -> Checked<&'b [u8]> {
        let (bytes, next) = self.input.counted(self.next, width).ok_or(BROKEN)?;
        self.next = next;
        self.make(kind, at)?;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn text(&mut self, at: usize, width: usize) -> Checked<()> {
        let bytes = self.counted(Kind::Text, at, width)?;
        if input::is_text(bytes) {
            Ok(())
        } else {
            Err(BROKEN)
        }
    }

    /// A `str` of Python 2, which Python 3 takes for ASCII. Its length is signed: a negative one is beyond any file.
    pub(super) fn old_string(&mut self, at: usize, width: usize) -> Checked<()> {
        let bytes = self.counted(Kind::Text, at, width)?;
        if bytes.is_ascii() {
            Ok(())
        } else {
            Err(BROKEN)
        }
    }

    pub(super) fn protocol(&mut self) -> Checked<()> {
        let [protocol] = self.take()?;
        if protocol > HIGHEST_PROTOCOL {
            Err(BROKEN)
        } else {
            Ok(())
        }
    }

    /// A frame promises that so many bytes follow, and that an operation ends where they do. Where one does not, CPython's
    /// reader in C loses the rest of the frame and goes on with other strings than were written; the one in Python refuses.
    pub(super) fn frame(&mut self) -> Checked<()> {
        let length = usize::try_from(u64::from_le_bytes(self.take()?)).map_err(|_| BROKEN)?;
        self.input.slice(self.next, length).ok_or(BROKEN)?;
        let end = self.next + length;
        if self.frame_end == usize::MAX {
            self.frame_end = end;
        } else if end > self.frame_end {
            return Err(BROKEN);
        }
        Ok(())
    }

    #[cold]
    pub(super) fn leave_frame(&mut self) -> Checked<()> {
        if self.next > self.frame_end {
            return Err(BROKEN);
        }
        self.frame_end = usize::MAX;
        Ok(())
    }

    pub(super) fn line(&mut self) -> Checked<()> {
        let line = self.input.line(self.next).ok_or(BROKEN)?;
        self.next += line.len() + 1;
        std::str::from_utf8(line).map(drop).map_err(|_| BROKEN)
    }

    fn skip(&mut self, length: usize) -> Result<(), Unreadable> {
        self.input.slice(self.next, length).ok_or(BROKEN)?;
        self.next += length;
        Ok(())
    }
}
