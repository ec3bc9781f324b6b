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

    pub(super) fn push(&mut self, value: Shape) -> Checked<()> {
        if self.values.len() >= MOST {
            return Err(Unreadable::BrokenPickle);
        }
        self.values.push(value);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Checked<Shape> {
        if self.values.len() <= self.fence {
            return Err(Unreadable::BrokenPickle);
        }
        self.values.pop().ok_or(Unreadable::BrokenPickle)
    }

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
