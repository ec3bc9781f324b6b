//! As whom a scheduled run works, and why it would not be let in.

use super::output::output;
use super::place::Place;
use crate::redact::{self, Shown, shown};

/// A user of this host by his name, or his number.
#[derive(Clone, Debug, Default)]
pub struct User {
    pub name: String,
    /// `None` if there is nobody of that name.
    pub uid: Option<u32>,
}

/// Why a run would not be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is said of it behind its name.
    pub why: Shown,
    /// Lines that would let in a unit.
    pub cure: Vec<Shown>,
}

impl User {
    pub fn of(name: &str) -> User {
        let number = name.parse().ok();
        let told = || output("id", &["-u", "--", name])?.trim().parse().ok();
        User {
            name: name.to_owned(),
            uid: number.or_else(told),
        }
    }

    /// What the user of this number is called.
    pub fn name_of(uid: u32) -> Option<String> {
        let told = output("id", &["-nu", "--", &uid.to_string()])?;
        Some(told.trim().to_owned())
    }

    /// Whoever is neither root nor the owner is let into no store.
    pub fn refusal(&self, store: &Place) -> Option<Refusal> {
        let runs = shown!("runs as user {}", redact::printable(self.name.as_bytes()));
        let why = match (self.uid, store.owner) {
            (None, _) => shown!("{}, who does not exist", runs),
            (Some(uid), Some(owner)) if uid != 0 && uid != owner => {
                shown!("{}, but the store belongs to user {}", runs, owner)
            }
            _ => return None,
        };
        let owner = store.owner.map_or("NAME".into(), Shown::from);
        let cure = vec![shown!("User={}", owner)];
        Some(Refusal { why, cure })
    }
}
