//! Counts by database.
//!
//! A database's name in a session is a stranger's text: of each only the beginning is kept, and of ten thousand
//! different ones the first hundred, with those that have rules of their own before all others.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use crate::policy::Class;
use crate::reap::Mode;
use crate::redact::{self, Shown};
use crate::store::stat::Stat;

/// How many names that nobody has configured get a row of their own.
const MOST: usize = 100;

/// Bytes of a name that tell it from others; PostgreSQL allows 63.
const NAME_BYTES: usize = 256;

/// What was found of one class in one database, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Fates {
    pub files: u64,
    pub due: u64,
    /// Those that are due to the end: deleted, or what a dry run and an audit would delete.
    #[serde(skip)]
    pub settled: u64,
    /// What of these was deleted; nobody counts it, [`Fates::told`] knows.
    pub deleted: u64,
}

impl Fates {
    /// As they are told of a run of this mode.
    pub fn told(self, mode: Mode) -> Fates {
        let deleted = mode.deleted(self.settled);
        Fates { deleted, ..self }
    }
}

impl AddAssign for Fates {
    fn add_assign(&mut self, other: Fates) {
        self.files += other.files;
        self.due += other.due;
        self.settled += other.settled;
    }
}

/// What was found of one database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Database {
    pub classes: [Fates; Class::ALL.len()],
    /// Bytes that its sessions take on disk.
    pub disk: u64,
}

impl Database {
    pub fn total(&self) -> Fates {
        let mut total = Fates::default();
        self.classes.iter().for_each(|fates| total += *fates);
        total
    }

    fn takes(&mut self, disk: u64) {
        self.disk = self.disk.saturating_add(disk);
    }
}

/// Where a session's database is counted, within one [`Databases`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(usize);

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

    pub fn found(&mut self, id: Id, class: Class, stat: &Stat) {
        self.fates(id, class).files += 1;
        self.rows[id.0].takes(stat.disk);
    }

    pub fn due(&mut self, id: Id, class: Class) {
        self.fates(id, class).due += 1;
    }

    pub fn settled(&mut self, id: Id, class: Class) {
        self.fates(id, class).settled += 1;
    }

    fn fates(&mut self, id: Id, class: Class) -> &mut Fates {
        &mut self.rows[id.0].classes[class as usize]
    }

    /// What was found of a database that is configured, or among the first.
    pub fn of(&self, name: &str) -> Option<&Database> {
        let name = &name.as_bytes()[..name.len().min(NAME_BYTES)];
        let Id(row) = *self.ids.get(name)?;
        Some(&self.rows[row]).filter(|row| row.total().files > 0)
    }

    /// What was found of each database that has sessions, by name. Last come those without a name: what has no
    /// database, and, with `true`, those that are not told apart.
    pub fn rows(&self) -> impl Iterator<Item = (Option<Shown>, bool, &Database)> {
        let named = self.ids.iter();
        named
            .map(|(name, id)| (Some(redact::printable(name)), *id))
            .chain([(None, OTHERS), (None, NONE)])
            .map(|(name, id)| (name, id == OTHERS, &self.rows[id.0]))
            .filter(|(.., row)| row.total().files > 0)
    }

    pub fn merge(&mut self, other: &Databases) {
        self.most = self.most.max(other.most);
        let named = other
            .ids
            .iter()
            .map(|(name, id)| (self.id(Some(name)), *id));
        let named: Vec<(Id, Id)> = named.collect();
        for (ours, theirs) in named.into_iter().chain([NONE, OTHERS].map(|id| (id, id))) {
            let (ours, theirs) = (&mut self.rows[ours.0], &other.rows[theirs.0]);
            ours.takes(theirs.disk);
            let fates = ours.classes.iter_mut().zip(theirs.classes);
            fates.for_each(|(ours, theirs)| *ours += theirs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(names: &[&str]) -> Databases {
        let mut databases = Databases::default();
        for name in names {
            let id = databases.id(Some(name.as_bytes()));
            databases.fates(id, Class::Anonymous).files += 1;
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
        let (None, true, others) = &rows[MOST] else {
            panic!("{rows:?}");
        };
        assert_eq!(others.total().files, 10_002 - MOST as u64);
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
            .map(|(name, _, row)| (name.unwrap_or_default(), row.total().files))
            .collect();
        let files: Vec<_> = files
            .iter()
            .map(|(name, files)| (&**name, *files))
            .collect();
        assert_eq!(files, [("a", 1), ("b", 2), ("c", 1)]);
        assert_eq!(
            ["a", "c", "d"].map(|name| one.of(name).is_some()),
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
