//! The machine's stack with its marks, and its memo.

use super::super::Unreadable;
use super::shape::Shape;

/// More values or marks than this are refused. Two million levels of nested dictionaries still fit.
const MOST: usize = 1 << 22;

/// What is kept of each buffer between files, in bytes: ample for usual files, nothing beside thousands of them.
const KEPT_BYTES: usize = 64 << 10;

type Checked<T> = Result<T, Unreadable>;

/// Values, and marks between them. What lies below the last mark is out of reach, as in CPython.
#[derive(Default)]
pub(super) struct Stack {
    values: Vec<Shape>,
    marks: Vec<u32>,
    /// The height at the last mark.
    fence: usize,
}

impl Stack {
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.marks.clear();
        self.fence = 0;
    }

    pub(super) fn shrink(&mut self) {
        shrink(&mut self.values);
        shrink(&mut self.marks);
    }

    #[inline]
    pub(super) fn push(&mut self, value: Shape) -> Checked<()> {
        if self.values.len() >= MOST {
            return Err(Unreadable::BrokenPickle);
        }
        self.values.push(value);
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Checked<Shape> {
        if self.values.len() <= self.fence {
            return Err(Unreadable::BrokenPickle);
        }
        self.values.pop().ok_or(Unreadable::BrokenPickle)
    }

    #[inline]
    pub(super) fn top(&self) -> Checked<Shape> {
        self.values[self.fence..]
            .last()
            .copied()
            .ok_or(Unreadable::BrokenPickle)
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn mark(&mut self) -> Checked<()> {
        if self.marks.len() >= MOST {
            return Err(Unreadable::BrokenPickle);
        }
        self.fence = self.values.len();
        self.marks.push(self.fence as u32);
        Ok(())
    }

    /// Takes the last mark away and returns the height at which it was.
    pub(super) fn take_mark(&mut self) -> Checked<usize> {
        let height = self.marks.pop().ok_or(Unreadable::BrokenPickle)?;
        self.fence = self.marks.last().map_or(0, |&mark| mark as usize);
        Ok(height as usize)
    }

    /// `POP` takes the last mark if nothing lies above it.
    pub(super) fn pop_or_unmark(&mut self) -> Checked<()> {
        if !self.marks.is_empty() && self.values.len() == self.fence {
            self.take_mark().map(drop)
        } else {
            self.pop().map(drop)
        }
    }

    /// The height below the topmost `count` values.
    pub(super) fn below(&self, count: usize) -> Checked<usize> {
        match self.values.len().checked_sub(count) {
            Some(height) if height >= self.fence => Ok(height),
            _ => Err(Unreadable::BrokenPickle),
        }
    }

    /// The value right under `height`, and those from there on.
    pub(super) fn owner_and_items(&self, height: usize) -> Checked<(Shape, &[Shape])> {
        if height <= self.fence {
            return Err(Unreadable::BrokenPickle);
        }
        Ok((self.values[height - 1], &self.values[height..]))
    }

    pub(super) fn items(&self, height: usize) -> &[Shape] {
        &self.values[height..]
    }

    pub(super) fn truncate(&mut self, height: usize) {
        self.values.truncate(height);
    }
}

/// Values put aside for later use.
#[derive(Default)]
pub(super) struct Memo {
    values: Vec<Option<Shape>>,
    /// How many of them are set: the next number of `MEMOIZE`.
    count: usize,
}

impl Memo {
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.count = 0;
    }

    pub(super) fn shrink(&mut self) {
        shrink(&mut self.values);
    }

    /// The number that `MEMOIZE` gives.
    pub(super) fn next(&self) -> usize {
        self.count
    }

    /// Puts a value aside at position `at` of the pickle. Making and putting one takes two bytes at least, so a number beyond
    /// half the position skipped some, and could only be meant to exhaust memory.
    #[inline]
    pub(super) fn put(&mut self, number: usize, value: Shape, at: usize) -> Checked<()> {
        if number > at / 2 {
            return Err(Unreadable::BrokenPickle);
        }
        if number == self.values.len() {
            self.values.push(Some(value));
            self.count += 1;
            return Ok(());
        }
        if number > self.values.len() {
            self.values.resize(number + 1, None);
        }
        if self.values[number].replace(value).is_none() {
            self.count += 1;
        }
        Ok(())
    }

    pub(super) fn get(&self, number: usize) -> Checked<Shape> {
        self.values
            .get(number)
            .copied()
            .flatten()
            .ok_or(Unreadable::BrokenPickle)
    }
}

/// Gives a monster's memory back.
pub(super) fn shrink<T>(buffer: &mut Vec<T>) {
    let kept = KEPT_BYTES / size_of::<T>();
    if buffer.capacity() > kept {
        buffer.clear();
        buffer.shrink_to(kept);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::shape::Kind;
    use super::*;

    #[test]
    fn usual_buffers_are_kept_and_monsters_given_back() {
        for (length, kept) in [
            (100, 128),
            (KEPT_BYTES, KEPT_BYTES),
            (KEPT_BYTES + 1, KEPT_BYTES),
        ] {
            let mut buffer = Vec::<u8>::with_capacity(length.next_power_of_two());
            buffer.resize(length, 0);
            shrink(&mut buffer);
            assert_eq!(buffer.capacity(), kept);
        }
    }

    #[test]
    fn a_shape_is_four_bytes_with_and_without_option() {
        assert_eq!([size_of::<Shape>(), size_of::<Option<Shape>>()], [4, 4]);
        let last = super::super::super::MAX_BYTES - 1;
        assert_eq!(Shape::new(Kind::None, last).made_at(), last);
    }

    #[test]
    fn memo_numbers_are_dense_and_memoize_counts_those_set() {
        let mut memo = Memo::default();
        let value = Shape::new(Kind::None, 2);
        assert!(memo.put(2, value, 3).is_err());
        memo.put(1, value, 3).unwrap();
        assert_eq!(
            (memo.next(), memo.get(0).is_err(), memo.get(2).is_err()),
            (1, true, true)
        );
        memo.put(1, value, 5).unwrap();
        assert_eq!(memo.next(), 1);
        memo.put(0, value, 7).unwrap();
        assert_eq!(memo.next(), 2);
    }
}
