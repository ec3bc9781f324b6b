//! Lists, sets, tuples and dictionaries.

use super::{BROKEN, Checked, Key, Kind, Machine, Shape};

impl Machine<'_, '_> {
    pub(super) fn dict(&mut self, at: usize) -> Checked<()> {
        self.watched.get_or_insert(at);
        self.make(Kind::Dict, at)
    }

    pub(super) fn dict_of_items(&mut self, at: usize) -> Checked<()> {
        let height = self.buffers.stack.take_mark()?;
        self.watched.get_or_insert(at);
        let dict = Shape::new(Kind::Dict, at);
        self.set_in(dict, height)?;
        self.buffers.stack.push(dict)
    }

    /// Sets the keys and values down to the last mark, or the topmost `count` of them.
    pub(super) fn set_items(&mut self, count: Option<usize>) -> Checked<()> {
        let height = self.items_from(count)?;
        let (owner, _) = self.buffers.stack.owner_and_items(height)?;
        self.set_in(owner, height)
    }

    /// Sets the keys and values from `height` on, and takes them off the stack.
    fn set_in(&mut self, owner: Shape, height: usize) -> Checked<()> {
        let items = self.buffers.stack.items(height);
        if items.is_empty() {
            return Ok(());
        }
        if items.len() % 2 != 0 {
            return Err(BROKEN);
        }
        match owner.kind {
            Kind::Dict => {
                let watched = self.watched == Some(owner.made_at());
                for pair in items.chunks_exact(2) {
                    let (key, value) = (pair[0], pair[1]);
                    if !key.is_hashable() {
                        return Err(BROKEN);
                    }
                    if watched && key.kind == Kind::Text {
                        let name = self.input.payload(key.made_at()).ok_or(BROKEN)?;
                        if let Some(key) = Key::of(name) {
                            self.facts.set(key, value);
                        }
                    }
                }
                self.fill(owner.made_at());
            }
            Kind::Opaque => {}
            _ => return Err(BROKEN),
        }
        self.buffers.stack.truncate(height);
        Ok(())
    }

    /// Adds the values down to the last mark, or the topmost `count`, to a list or set.
    pub(super) fn add_items(&mut self, kind: Kind, count: Option<usize>) -> Checked<()> {
        let height = self.items_from(count)?;
        let (owner, items) = self.buffers.stack.owner_and_items(height)?;
        if items.is_empty() {
            return Ok(());
        }
        if owner.kind == kind {
            if kind == Kind::Set && !items.iter().all(|item| item.is_hashable()) {
                return Err(BROKEN);
            }
            self.fill(owner.made_at());
        } else if owner.kind != Kind::Opaque {
            return Err(BROKEN);
        }
        self.buffers.stack.truncate(height);
        Ok(())
    }

    /// A list or frozen set of the values down to the last mark.
    pub(super) fn container_of_items(&mut self, kind: Kind, at: usize) -> Checked<()> {
        let height = self.buffers.stack.take_mark()?;
        let items = self.buffers.stack.items(height);
        if kind == Kind::FrozenSet && !items.iter().all(|item| item.is_hashable()) {
            return Err(BROKEN);
        }
        if !items.is_empty() {
            self.fill(at);
        }
        self.buffers.stack.truncate(height);
        self.make(kind, at)
    }

    pub(super) fn tuple(&mut self, at: usize, count: Option<usize>) -> Checked<()> {
        let height = self.items_from(count)?;
        let tuple = Shape::tuple(self.buffers.stack.items(height), at);
        self.buffers.stack.truncate(height);
        self.buffers.stack.push(tuple)
    }

    fn items_from(&mut self, count: Option<usize>) -> Checked<usize> {
        match count {
            Some(count) => self.buffers.stack.below(count),
            None => self.buffers.stack.take_mark(),
        }
    }

    fn fill(&mut self, made_at: usize) {
        let word = made_at / 64;
        if word >= self.buffers.filled.len() {
            self.buffers.filled.resize(word + 1, 0);
        }
        self.buffers.filled[word] |= 1 << (made_at % 64);
    }

    pub(super) fn is_filled(&self, made_at: usize) -> bool {
        self.buffers
            .filled
            .get(made_at / 64)
            .is_some_and(|word| word >> (made_at % 64) & 1 == 1)
    }
}
