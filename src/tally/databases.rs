//! Counts by database.
//!
//! A database's name in a session is a stranger's text: of each only the beginning is kept, and of ten thousand
//! different ones the first hundred, with those that have rules of their own before all others.

use std::collections::BTreeMap;

use crate::policy::Class;
use crate::redact::{self, Shown};
use crate::store::stat::Stat;

/// How many names that nobody has configured get a row of their own.
const MOST: usize = 100;

/// Bytes of a name that tell it from others; PostgreSQL allows 63.
const NAME_BYTES: usize = 256;

/// What was found of one class in one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// All of them.
    pub files: u64,
    /// Those that are due.
    pub due: u64,
    /// Those that are due to the end: deleted, or what a dry run and an audit would delete.
    pub settled: u64,
}

impl Fates {
    /// Adds another's.
    pub fn merge(&mut self, other: Fates) {
        self.files += other.files;
        self.due += other.due;
        self.settled += other.settled;
    }
}

/// What was found of one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Database {
    classes: [Fates; Class::ALL.len()],
    /// Bytes that its sessions take on disk.
    pub disk: u64,
}

impl Database {
    /// What was found of one class.
    pub fn of(&self, class: Class) -> Fates {
        self.classes[class as usize]
    }

    /// What was found of all classes.
    pub fn total(&self) -> Fates {
        let mut total = Fates::default();
        for fates in self.classes {
            total.merge(fates);
        }
        total
    }

    /// Adds another's.
    pub fn merge(&mut self, other: &Database) {
        for (fates, other) in self.classes.iter_mut().zip(other.classes) {
            fates.merge(other);
        }
        self.disk = self.disk.saturating_add(other.disk);
    }
}

/// Where a session's database is counted, within one [`Databases`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(usize);

/// Whose sessions these are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Of this database.
    Database(Shown),
    /// Of databases beyond those that are told apart.
    Others,
    /// Of none.
    None,
}

/// What was found, by database.
#[derive(Clone, Debug)]
pub struct Databases {
    ids: BTreeMap<Box<[u8]>, Id>,
    rows: Vec<Database>,
    most: usize,
}

const NONE: Id = Id(0);
const OTHERS: Id = Id(1);

impl Default for Databases {
    fn default() -> Databases {
        Databases {
            ids: BTreeMap::new(),
            rows: vec![Database::default(); 2],
            most: MOST,
        }
    }
}

impl Databases {
    /// With a place for each of these names.
    pub fn with<'a>(names: impl Iterator<Item = &'a String>) -> Databases {
        let mut databases = Databases::default();
        for name in names {
            databases.most += 1;
            databases.id(Some(name.as_bytes()));
        }
        databases
    }

    /// Where sessions of this database are counted.
    pub fn id(&mut self, name: Option<&[u8]>) -> Id {
        let Some(name) = name else { return NONE };
        let name = &name[..name.len().min(NAME_BYTES)];
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        if self.ids.len() >= self.most {
            return OTHERS;
        }
        let id = Id(self.rows.len());
        self.rows.push(Database::default());
        self.ids.insert(name.into(), id);
        id
    }

    /// Counts a session.
    pub fn found(&mut self, id: Id, class: Class, stat: &Stat) {
        let row = &mut self.rows[id.0];
        row.classes[class as usize].files += 1;
        row.disk = row.disk.saturating_add(stat.disk);
    }

    /// Counts a session that is due.
    pub fn due(&mut self, id: Id, class: Class) {
        self.rows[id.0].classes[class as usize].due += 1;
    }

    /// Counts a due session that was deleted, or would be.
    pub fn settled(&mut self, id: Id, class: Class) {
        self.rows[id.0].classes[class as usize].settled += 1;
    }

    /// Whether any session names this database. Tells it of a name that has its place, or is among the first.
    pub fn has(&self, name: &str) -> bool {
        let name = &name.as_bytes()[..name.len().min(NAME_BYTES)];
        let id = self.ids.get(name);
        id.is_some_and(|id| self.rows[id.0].total().files > 0)
    }

    /// What was found of each database that has sessions, by name; those of none and of others come last.
    pub fn rows(&self) -> impl Iterator<Item = (Name, &Database)> {
        let named = self
            .ids
            .iter()
            .map(|(name, id)| (Name::Database(redact::printable(name)), *id));
        named
            .chain([(Name::Others, OTHERS), (Name::None, NONE)])
            .map(|(name, id)| (name, &self.rows[id.0]))
            .filter(|(_, row)| row.total().files > 0)
    }

    /// Adds another worker's counts.
    pub fn merge(&mut self, other: &Databases) {
        self.most = self.most.max(other.most);
        let named = other.ids.iter().map(|(name, id)| (Some(&**name), *id));
        for (name, theirs) in named.chain([(None, NONE)]) {
            let ours = self.id(name);
            self.rows[ours.0].merge(&other.rows[theirs.0]);
        }
        self.rows[OTHERS.0].merge(&other.rows[OTHERS.0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(names: &[&str]) -> Databases {
        let mut databases = Databases::default();
        for name in names {
            let id = databases.id(Some(name.as_bytes()));
            databases.rows[id.0].classes[Class::Anonymous as usize].files += 1;
        }
        databases
    }

    #[test]
    fn ten_thousand_names_are_a_hundred_rows_and_the_others() {
        let names: Vec<_> = (0..10_000).map(|number| number.to_string()).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut databases = counted(&names);
        databases.merge(&counted(&["9999", "x"]));
        let rows: Vec<_> = databases.rows().collect();
        assert_eq!(rows.len(), MOST + 1);
        assert_eq!(rows[MOST].0, Name::Others);
        assert_eq!(rows[MOST].1.total().files, 10_002 - MOST as u64);
    }

    #[test]
    fn a_configured_name_has_its_place() {
        let configured = ["prod".to_owned()];
        let mut databases = Databases::with(configured.iter());
        assert_eq!(databases.rows().count(), 0);
        for number in 0..10_000 {
            databases.id(Some(number.to_string().as_bytes()));
        }
        let id = databases.id(Some(b"prod"));
        assert!(![NONE, OTHERS].contains(&id));
        assert_eq!(databases.ids.len(), MOST + 1);
    }

    #[test]
    fn merging_adds_up_by_name() {
        let mut one = counted(&["a", "b"]);
        one.merge(&counted(&["b", "c"]));
        let files: Vec<_> = one
            .rows()
            .map(|(name, row)| (name, row.of(Class::Anonymous).files))
            .collect();
        let name = |name: &'static str| Name::Database(name.into());
        assert_eq!(files, [(name("a"), 1), (name("b"), 2), (name("c"), 1)]);
        assert_eq!(
            ["a", "c", "d"].map(|name| one.has(name)),
            [true, true, false]
        );
    }

    #[test]
    fn a_monstrous_name_is_cut() {
        let mut databases = Databases::default();
        let monster = vec![b'x'; 1 << 20];
        let id = databases.id(Some(&monster));
        assert_eq!(databases.id(Some(&monster[..NAME_BYTES])), id);
    }
}
