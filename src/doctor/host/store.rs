//! A session store, as an audit by a child tells it: this program once more, which becomes the store's owner if it is
//! root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::DateTime;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Host;
use super::place::Place;
use super::told::{OF_THE_REPORT, Told};
use super::user::User;
use crate::again;
use crate::cli::{ENV_PREFIX, variable};
use crate::redact::{self, Shown};

/// A store, with what there is to know of it.
#[derive(Debug)]
pub struct Store {
    pub place: Place,
    /// Its path without symlinks.
    pub real: PathBuf,
    /// What its owner is called.
    pub owner_name: Option<String>,
    /// What an audit says of it, or why it says nothing.
    pub audit: Result<Audit, Shown>,
}

/// Of the JSON document of an audit, what the checks need; docs/report.md describes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Audit {
    pub store: Directory,
    pub file_system: Room,
    pub policy: Vec<Setting>,
    pub classes: Vec<Class>,
    pub total: Row,
    pub unknown: Vec<Shape>,
    pub due_but_active: Option<u64>,
    pub due_but_active_up_to: Option<u64>,
    pub bounced: Option<u64>,
    pub read: Option<u64>,
    pub read_together: Option<u64>,
    pub kept: Kept,
    pub nobody: Nobody,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Directory {
    #[serde(deserialize_with = "time")]
    pub last_change: Option<i64>,
    pub dormant: bool,
    pub flat_files: u64,
    pub sharded_files: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Room {
    pub inodes: Option<u64>,
    pub inodes_free: Option<u64>,
    pub bytes: Option<u64>,
    pub bytes_free: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Setting {
    pub option: String,
    pub value: Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Class {
    pub class: String,
    pub property: Option<String>,
    #[serde(flatten)]
    pub row: Row,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    pub files: u64,
    pub disk_bytes: u64,
    pub due: Due,
    #[serde(deserialize_with = "time")]
    pub oldest: Option<i64>,
    /// How many files there are up to each age in seconds; older than all of them last.
    pub ages: Vec<Age>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Due {
    pub files: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Age {
    pub up_to: Option<i64>,
    pub files: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Shape {
    pub like: String,
    pub count: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Kept {
    pub implausible_time: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Nobody {
    pub databases: Vec<String>,
    pub keep_login: Option<Value>,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let time = text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    Ok(time.map(|time| time.timestamp()))
}

impl Row {
    /// How many files are older than so many seconds, which must be a bound of the ages.
    pub fn older_than(&self, secs: i64) -> u64 {
        let older = |age: &&Age| age.up_to.is_none_or(|bound| bound > secs);
        self.ages.iter().filter(older).map(|age| age.files).sum()
    }

    /// How many files are not.
    pub fn younger_than(&self, secs: i64) -> u64 {
        let younger = |age: &&Age| age.up_to.is_some_and(|bound| bound <= secs);
        self.ages.iter().filter(younger).map(|age| age.files).sum()
    }
}

impl Audit {
    /// The sum of a number over all rows of a class.
    pub fn sum(&self, class: &str, number: impl Fn(&Row) -> u64) -> u64 {
        let rows = self.classes.iter().filter(|row| row.class == class);
        rows.map(|class| number(&class.row)).sum()
    }

    /// The row of a class without a property, such as visitors without a cart.
    pub fn plain(&self, class: &str) -> Option<&Row> {
        let is_it = |row: &&Class| row.class == class && row.property.is_none();
        self.classes.iter().find(is_it).map(|class| &class.row)
    }

    /// The values of an option of the policy: one in general, and those of databases.
    pub fn said(&self, option: &str) -> impl Iterator<Item = &Value> {
        let settings = self.policy.iter();
        settings
            .filter(move |it| it.option == option)
            .map(|it| &it.value)
    }

    /// The longest that a window of this name is in any database, in seconds.
    pub fn longest(&self, option: &str) -> Option<i64> {
        self.said(option).filter_map(Value::as_i64).max()
    }
}

impl Store {
    /// Has a child look, which goes by the policy of whoever reaps there, or else by the one of this process and of the
    /// `odoo.conf` that it was told.
    pub fn look(place: Place, host: &Host, config: Option<&Path>) -> Store {
        Store {
            real: std::fs::canonicalize(&place.path).unwrap_or_else(|_| place.path.clone()),
            owner_name: place.owner.and_then(User::name_of),
            audit: audit(&place.path, host.told(&place), config),
            place,
        }
    }
}

fn audit(sessions: &Path, told: Option<&Told>, config: Option<&Path>) -> Result<Audit, Shown> {
    let mut child = again::command();
    child.args(["audit", "--format=json", "--report=full", "--quiet"]);
    match told {
        Some(told) => {
            let ours = std::env::vars_os().map(|(name, _)| name);
            for name in
                ours.filter(|name| name.as_encoded_bytes().starts_with(ENV_PREFIX.as_bytes()))
            {
                child.env_remove(name);
            }
            child.args(&told.audit);
        }
        None => {
            let of_others = ["data-dir", "sessions-dir", "config"];
            for option in of_others.iter().chain(&OF_THE_REPORT) {
                child.env_remove(variable(option));
            }
            child.arg("--sessions-dir").arg(sessions);
            child.args(
                config
                    .map(|config| [Path::new("--config"), config])
                    .into_iter()
                    .flatten(),
            );
        }
    }
    heard(child)
}

/// Runs the audit, and reads what it says.
fn heard(mut child: Command) -> Result<Audit, Shown> {
    // Whatever ours is: a bare chroot has no /dev/null.
    let ran = child
        .stdin(Stdio::inherit())
        .output()
        .map_err(|error| redact::printable(error.to_string().as_bytes()))?;
    serde_json::from_slice(&ran.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&ran.stderr);
        let line = said
            .lines()
            .find_map(|line| Some(line.split_once("ERROR ")?.1));
        redact::printable(line.unwrap_or("the audit ended without a word").as_bytes())
    })
}
