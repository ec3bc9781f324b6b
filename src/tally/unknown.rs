//! Foreign names that are alike: the trace of an Odoo that this version does not know.
//!
//! Somebody's own notes or copies are a few; software that saves sessions makes names of one shape by the dozen. Of each
//! *shape* (where it lies, its length, where its dots are) it is only noted how many there are and which characters all
//! of them share, so that a session id in such a name is never kept.

use serde::Serialize;

use crate::redact::{self, Shown};

/// How many names of one shape are reported. More than anybody's own copies of a file (a week of daily ones is 7), and
/// enough that characters at random hardly ever agree in all of them.
pub const MANY: u64 = 10;

/// How many shapes are told apart at a time.
const SHAPES: usize = 64;

/// How many shapes are told, the commonest first.
const TOLD: usize = 10;

/// Where such a name was found: at the top level, or in a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Place {
    File,
    Directory,
    FileInShard,
    DirectoryInShard,
}

/// Foreign names, by shape. Its size has a bound, whatever the names are.
#[derive(Clone, Debug, Default)]
pub struct Unknown(Vec<Shape>);

/// Foreign names of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    place: Place,
    /// How many there are; a few less if this shape had to make room for others first.
    count: u64,
    /// How many of them were looked into, which only an audit does.
    pub samples: u64,
    /// How many of these read as a session.
    pub sessions: u64,
    /// The byte that all names have there, or `None` where they differ.
    common: Vec<Option<u8>>,
    /// What keeps it among the shapes that are told apart.
    weight: u64,
}

/// A shape that an Odoo of another version may have made, as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// `file` or `directory`.
    pub what: &'static str,
    /// Whether they lie in shards.
    pub in_shards: bool,
    /// The names as a pattern that is safe to show: `tmp????????.__new__`. A few names tell nothing of themselves.
    pub like: Shown,
    /// How many there are.
    pub count: u64,
    /// How many of them were looked into.
    pub samples: u64,
    /// How many of these read as a session.
    pub sessions: u64,
}

impl Unknown {
    /// Counts a name, and shows its shape.
    pub fn see(&mut self, place: Place, name: &[u8]) -> &mut Shape {
        self.add(Shape {
            place,
            count: 1,
            samples: 0,
            sessions: 0,
            common: name.iter().copied().map(Some).collect(),
            weight: 1,
        })
    }

    fn add(&mut self, shape: Shape) -> &mut Shape {
        let index = match self.0.iter().position(|known| known.is_like(&shape)) {
            Some(index) => {
                self.0[index].merge(&shape);
                index
            }
            None => {
                self.make_room();
                self.0.push(shape);
                self.0.len() - 1
            }
        };
        &mut self.0[index]
    }

    /// Takes weight from all shapes until one has none left: so whatever is more than a 64th of all names stays, and a
    /// flood of other shapes costs no more than to count them (the summary of Misra and Gries).
    fn make_room(&mut self) {
        if self.0.len() >= SHAPES {
            let least = self.0.iter().map(|shape| shape.weight).min().unwrap_or(0);
            for shape in &mut self.0 {
                shape.weight -= least;
            }
            self.0.retain(|shape| shape.weight > 0);
        }
    }

    /// Adds another worker's names.
    pub fn merge(&mut self, other: &Unknown) {
        for shape in &other.0 {
            self.add(shape.clone());
        }
    }

    /// The shapes of many names, and those of which one was read as a session; the commonest first.
    pub fn told(&self) -> Vec<Told> {
        let is_told = |shape: &&Shape| shape.count >= MANY || shape.sessions > 0;
        let mut told: Vec<&Shape> = self.0.iter().filter(is_told).collect();
        told.sort_by_key(|shape| std::cmp::Reverse(shape.count));
        told.into_iter().take(TOLD).map(Shape::told).collect()
    }
}

impl Shape {
    fn is_like(&self, other: &Shape) -> bool {
        let dots = |(one, two): (&Option<u8>, &Option<u8>)| (*one == DOT) == (*two == DOT);
        self.place == other.place
            && self.common.len() == other.common.len()
            && self.common.iter().zip(&other.common).all(dots)
    }

    fn merge(&mut self, other: &Shape) {
        self.count += other.count;
        self.samples += other.samples;
        self.sessions += other.sessions;
        self.weight += other.weight;
        for (common, theirs) in self.common.iter_mut().zip(&other.common) {
            *common = common.filter(|_| common == theirs);
        }
    }

    fn told(&self) -> Told {
        let few = self.count < MANY;
        let shared = |common: &Option<u8>| common.filter(|byte| !few || *byte == b'.');
        let (what, in_shards) = match self.place {
            Place::File => ("file", false),
            Place::Directory => ("directory", false),
            Place::FileInShard => ("file", true),
            Place::DirectoryInShard => ("directory", true),
        };
        Told {
            what,
            in_shards,
            like: redact::pattern(&self.common.iter().map(shared).collect::<Vec<_>>()),
            count: self.count,
            samples: self.samples,
            sessions: self.sessions,
        }
    }
}

/// What tells shapes of the same length apart.
const DOT: Option<u8> = Some(b'.');

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(names: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Unknown {
        let mut unknown = Unknown::default();
        for name in names {
            unknown.see(Place::File, name.as_ref());
        }
        unknown
    }

    fn told(unknown: &Unknown) -> Vec<(u64, String)> {
        let shapes = unknown.told().into_iter();
        let told = shapes.map(|shape| (shape.count, shape.like.to_string()));
        told.collect()
    }

    /// So many names with this many random letters and digits in the middle.
    fn named(count: usize, start: &str, length: usize, end: &str) -> Vec<String> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut middle = || -> String { (0..length).map(|_| random.alphanumeric()).collect() };
        let name = |_| format!("{start}{}{end}", middle());
        (0..count).map(name).collect()
    }

    #[test]
    fn what_all_names_share_is_shown_and_what_is_random_is_not() {
        for (start, length, end, pattern) in [
            ("tmp", 8, ".__new__", "tmp????????.__new__"),
            ("tmp", 8, ".__xx_sess__", "tmp????????.__xx_ses???"),
            ("werkzeug_", 40, ".sess2", "werkzeug?{41}.sess2"),
            ("", 90, "", "?{90}"),
            ("", 3, "", "???"),
            // A person's own files: no more letters than differ.
            ("salaries-", 2, ".txt", "sa??????-??.???"),
            ("\u{1b}[31m\u{202e}", 8, "\n", "??31m????????????"),
        ] {
            let unknown = seen(named(40, start, length, end));
            assert_eq!(told(&unknown), [(40, pattern.to_owned())]);
        }
    }

    #[test]
    fn a_few_names_are_not_told_nor_shown() {
        let mut unknown = seen(named(9, "tmp", 8, ".__new__"));
        assert_eq!(told(&unknown), []);
        unknown.see(Place::File, b"tmpabcdefgh.__new__").sessions = 1;
        assert_eq!(told(&unknown), [(10, "tmp????????.__new__".to_owned())]);
        let mut one = Unknown::default();
        one.see(Place::FileInShard, b"secret.new").sessions = 1;
        assert_eq!(told(&one), [(1, "??????.???".to_owned())]);
    }

    #[test]
    fn no_more_is_shown_of_files_of_one_login_than_of_one_id() {
        let login = "aB3".repeat(14);
        let unknown = seen(named(40, &login, 44, ""));
        assert_eq!(told(&unknown), [(40, "aB3aB3aB?{78}".to_owned())]);
    }

    #[test]
    fn the_same_name_in_every_shard_shows_nothing() {
        let unknown = seen(["customers.csv"; 40]);
        assert_eq!(told(&unknown), [(40, "?????????.???".to_owned())]);
    }

    #[test]
    fn shapes_differ_by_place_length_and_dots() {
        let mut unknown = seen(named(20, "a.", 8, ""));
        for name in named(20, "ab.", 8, "")
            .iter()
            .chain(&named(20, "", 8, ".a"))
        {
            unknown.see(Place::File, name.as_bytes());
        }
        for name in named(20, "a.", 8, "") {
            unknown.see(Place::Directory, name.as_bytes());
        }
        let counts: Vec<_> = told(&unknown).into_iter().map(|(count, _)| count).collect();
        assert_eq!(counts, [20; 4]);
    }

    #[test]
    fn a_flood_of_other_shapes_takes_no_memory_and_hides_nothing() {
        let mut unknown = Unknown::default();
        for (number, name) in named(2_000, "tmp", 8, ".__new__").into_iter().enumerate() {
            unknown.see(Place::File, name.as_bytes());
            let other = "x".repeat(number % 255) + &".".repeat(1 + number / 255);
            unknown.see(Place::File, other.as_bytes());
        }
        assert!(unknown.0.len() <= SHAPES);
        let (count, pattern) = &told(&unknown)[0];
        assert_eq!(pattern, "tmp????????.__new__");
        assert!((1_900..=2_000).contains(count), "{count}");
        assert!(told(&unknown).len() <= TOLD);
    }

    #[test]
    fn merging_is_as_seeing_all_of_them() {
        let names = named(40, "tmp", 8, ".__new__");
        let (one, two) = names.split_at(17);
        let (mut merged, two) = (seen(one), seen(two));
        merged.merge(&two);
        assert_eq!(merged.0, seen(&names).0);
        let mut flood = seen((1..=255).map(|length| "x".repeat(length)));
        for _ in 0..100 {
            flood.merge(&merged);
            flood.merge(&seen((1..=255).map(|length| "y".repeat(length))));
        }
        assert!(flood.0.len() <= SHAPES);
        assert_eq!(told(&flood)[0].1, "tmp????????.__new__");
    }

    proptest! {
        #[test]
        fn a_pattern_is_plain_and_bounded(names in proptest::collection::vec(any::<Vec<u8>>(), 0..40)) {
            let unknown = seen(names.iter().cycle().take(400));
            for (_, pattern) in told(&unknown) {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.?{}…".contains(c);
                prop_assert!(pattern.chars().all(plain) && pattern.chars().count() <= 49);
            }
        }

        #[test]
        fn no_pattern_holds_more_of_an_id_than_its_prefix(
            ids in proptest::collection::vec("[ab_-]{40,90}", 10..12), cut in 0_usize..80,
        ) {
            // All with the same beginning, as the files of one login.
            let ids = ids.iter().map(|id| format!("{}{id}", &ids[0][..cut.min(ids[0].len())]));
            let ids: Vec<String> = ids.map(|id| id[..40].to_owned()).collect();
            for (_, pattern) in told(&seen(&ids)) {
                let shown = pattern.replace(|c: char| "?{}0123456789".contains(c), "");
                prop_assert!(shown.len() <= 8, "{}", pattern);
            }
        }
    }
}
