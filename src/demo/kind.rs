//! Which kinds of files a store has, how many of each, and which Odoo wrote them.

use super::Layout;
use fastrand::Rng;

/// What a file of the store is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Anonymous,
    Authenticated,
    Cart,
    Wishlist,
    PendingTwoFactor,
    /// Rotated away by Odoo 19; the next file is always its [`Kind::Successor`].
    Superseded,
    Successor,
    /// Of a session's name, but without a byte in it.
    Empty,
    /// Of a session's name, but not a session.
    Unreadable,
    /// A session under a name that only Odoo 17 lets a visitor choose.
    Irregular,
    UnfinishedSave,
    UploadStash,
}

/// How many of a thousand files are of which kind; a superseded session brings its successor along.
const MIX: [(Kind, usize); 11] = [
    (Kind::Anonymous, 800),
    (Kind::Authenticated, 142),
    (Kind::Cart, 18),
    (Kind::Wishlist, 6),
    (Kind::PendingTwoFactor, 6),
    (Kind::Superseded, 4),
    (Kind::Empty, 5),
    (Kind::Unreadable, 3),
    (Kind::Irregular, 1),
    (Kind::UnfinishedSave, 8),
    (Kind::UploadStash, 3),
];

/// A shuffled thousand of files, dealt again and again: so that a store of a thousand files or more has every kind, in
/// exactly these numbers, whatever the seed.
pub(super) struct Deck(Vec<Kind>);

impl Deck {
    pub(super) fn shuffled(rng: &mut Rng) -> Self {
        let mut cards: Vec<Kind> = MIX
            .iter()
            .flat_map(|&(kind, count)| std::iter::repeat_n(kind, count))
            .collect();
        rng.shuffle(&mut cards);
        let pairs = cards.into_iter().flat_map(|kind| match kind {
            Kind::Superseded => [Some(kind), Some(Kind::Successor)],
            _ => [Some(kind), None],
        });
        Self(pairs.flatten().collect())
    }

    /// The kind of file number `index`.
    pub(super) fn deal(&self, index: u64) -> Kind {
        self.0[(index % self.0.len() as u64) as usize]
    }
}

/// The Odoo that wrote a file, standing for its neighbours that write the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Odoo {
    /// And 15: flat pickles.
    V14,
    /// And 17: sharded pickles.
    V16,
    /// Sharded JSON.
    V18,
    /// Sharded JSON that rotates.
    V19,
}

impl Odoo {
    pub(super) const fn pickles(self) -> bool {
        matches!(self, Self::V14 | Self::V16)
    }
}

/// Who writes a file of this `kind` in a store of this `layout`, and the kind that it then is: what the layout's Odoos
/// never leave behind becomes the nearest thing that they do.
pub(super) fn written_by(kind: Kind, layout: Layout, rng: &mut Rng) -> (Kind, Odoo) {
    if layout == Layout::Flat {
        let kind = match kind {
            Kind::Superseded | Kind::Successor => Kind::Authenticated,
            Kind::Irregular => Kind::Anonymous,
            other => other,
        };
        return (kind, Odoo::V14);
    }
    match kind {
        Kind::Superseded | Kind::Successor => (kind, Odoo::V19),
        Kind::Irregular => (kind, Odoo::V16),
        Kind::UploadStash if layout == Layout::Both => (kind, Odoo::V14),
        Kind::UploadStash => (Kind::UnfinishedSave, Odoo::V18),
        // The flat quarter is what an upgrade left behind; two fifths of the rest are 18's, two 19's, one 16's.
        _ if layout == Layout::Both && rng.u8(..4) == 0 => (kind, Odoo::V14),
        _ => match rng.u8(..5) {
            0 => (kind, Odoo::V16),
            1 | 2 => (kind, Odoo::V18),
            _ => (kind, Odoo::V19),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_is_a_thousand_files_with_a_successor_behind_each_superseded_one() {
        for seed in 0..100 {
            let deck = Deck::shuffled(&mut Rng::with_seed(seed));
            assert_eq!(deck.0.len(), 1000);
            for index in 0..1000 {
                assert_eq!(
                    deck.deal(index) == Kind::Superseded,
                    deck.deal(index + 1) == Kind::Successor
                );
            }
        }
    }
}
