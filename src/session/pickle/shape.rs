//! What the abstract machine keeps in place of a value.

/// A kind of value, and the position of the operation that made it. Four bytes, so that hostile files stay cheap.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    made_at: [u8; 3],
}

/// As fine as Python's truth, hashing and the operations need it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    None,
    False,
    True,
    Int,
    Float,
    Text,
    Bytes,
    ByteArray,
    List,
    Dict,
    Set,
    FrozenSet,
    EmptyTuple,
    Tuple,
    /// Holds, at some depth, a value that cannot be hashed.
    UnhashableTuple,
    /// A class, a function, or whatever calling one returned.
    Opaque,
}

impl Shape {
    /// `position` is below 2^24, as files are no longer than that.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn new(kind: Kind, position: usize) -> Shape {
        let [low, middle, high, ..] = (position as u32).to_le_bytes();
        Shape {
            kind,
            made_at: [low, middle, high],
        }
    }

    pub(super) fn made_at(self) -> usize {
        let [low, middle, high] = self.made_at;
        u32::from_le_bytes([low, middle, high, 0]) as usize
    }

    /// The shape of a tuple of these.
    pub(super) fn tuple(items: &[Shape], position: usize) -> Shape {
        let kind = if items.is_empty() {
            Kind::EmptyTuple
        } else if items.iter().all(|item| item.is_hashable()) {
            Kind::Tuple
        } else {
            Kind::UnhashableTuple
        };
        Shape::new(kind, position)
    }

    /// Whether Python would take it as a key or into a set.
    pub(super) fn is_hashable(self) -> bool {
        !matches!(
            self.kind,
            Kind::List | Kind::Dict | Kind::Set | Kind::ByteArray | Kind::UnhashableTuple
        )
    }

    pub(super) fn is_tuple(self) -> bool {
        matches!(
            self.kind,
            Kind::EmptyTuple | Kind::Tuple | Kind::UnhashableTuple
        )
    }
}
