//! A session store, as an audit by a child tells it: this program once more, which becomes the store's owner if it is
//! root.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::DateTime;
use serde::{Deserialize, Deserializer};

use super::master::Identity;
use super::told::{OF_THE_REPORT, Told};
use crate::again;
use crate::cli::{ENV_PREFIX, variable};
use crate::redact::{self, Shown};

/// A store, with what there is to know of it.
#[derive(Debug)]
pub struct Store {
    pub sessions: PathBuf,
    pub shown: Shown,
    /// The directory's device and inode, and its owner; `None` if it cannot be seen.
    pub identity: Option<Identity>,
    pub owner: Option<u32>,
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
    pub value: serde_json::Value,
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
    pub up_to: Option<u64>,
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
    pub keep_login: Option<serde_json::Value>,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let time = text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    Ok(time.map(|time| time.timestamp()))
}

impl Row {
    /// How many files are older than so many seconds, which must be a bound of the ages.
    pub fn older_than(&self, secs: u64) -> u64 {
        let older = self
            .ages
            .iter()
            .filter(|age| age.up_to.is_none_or(|bound| bound > secs));
        older.map(|age| age.files).sum()
    }

    /// How many files are not.
    pub fn younger_than(&self, secs: u64) -> u64 {
        let younger = self
            .ages
            .iter()
            .filter(|age| age.up_to.is_some_and(|bound| bound <= secs));
        younger.map(|age| age.files).sum()
    }
}

impl Audit {
    /// The row of a class, the whole of it.
    pub fn files_of(&self, class: &str) -> Row {
        let mut sum = Row::default();
        for Class { row, .. } in self.classes.iter().filter(|row| row.class == class) {
            sum.files += row.files;
            sum.due.files += row.due.files;
            sum.oldest = [sum.oldest, row.oldest].into_iter().flatten().min();
            if sum.ages.is_empty() {
                sum.ages.clone_from(&row.ages);
            } else {
                for (one, other) in sum.ages.iter_mut().zip(&row.ages) {
                    one.files += other.files;
                }
            }
        }
        sum
    }

    /// The row of a class without a property, such as visitors without a cart.
    pub fn plain(&self, class: &str) -> Option<&Row> {
        let is_it = |row: &&Class| row.class == class && row.property.is_none();
        self.classes.iter().find(is_it).map(|class| &class.row)
    }

    /// Whether some logins never expire.
    pub fn protects_logins(&self) -> bool {
        let is_it = |setting: &&Setting| setting.option == "keep_login";
        let patterns = self
            .policy
            .iter()
            .filter(is_it)
            .filter_map(|it| it.value.as_array());
        patterns.into_iter().any(|patterns| !patterns.is_empty())
    }

    /// The longest that a window of this name is in any database, in seconds.
    pub fn longest(&self, option: &str) -> Option<u64> {
        let of_it = self
            .policy
            .iter()
            .filter(|setting| setting.option == option);
        of_it.filter_map(|setting| setting.value.as_u64()).max()
    }
}

impl Store {
    /// Has a child look, which goes by the policy of whoever reaps there, or else by the one of this process and of the
    /// `odoo.conf` that it was told.
    pub fn look(sessions: &Path, told: Option<&Told>, config: Option<&Path>) -> Store {
        let stat = rustix::fs::stat(sessions).ok();
        Store {
            sessions: sessions.to_owned(),
            shown: redact::path(sessions),
            identity: stat.as_ref().map(|stat| (stat.st_dev, stat.st_ino)),
            owner: stat.as_ref().map(|stat| stat.st_uid),
            audit: audit(sessions, told, config),
        }
    }
}

fn audit(sessions: &Path, told: Option<&Told>, config: Option<&Path>) -> Result<Audit, Shown> {
    let mut child = again::command();
    child.args(["audit", "--format=json", "--report=full", "--quiet"]);
    let of_ours = |name: &OsString| name.as_encoded_bytes().starts_with(ENV_PREFIX.as_bytes());
    let ours = std::env::vars_os().map(|(name, _)| name).filter(of_ours);
    match told {
        Some(told) => {
            child.args(&told.audit);
            for name in ours {
                child.env_remove(name);
            }
        }
        None => {
            child.arg("--sessions-dir").arg(sessions);
            if let Some(config) = config {
                child.arg("--config").arg(config);
            }
            let of_others = ["data-dir", "sessions-dir", "config"].into_iter();
            let of_others = of_others.chain(OF_THE_REPORT);
            for option in of_others {
                child.env_remove(variable(option));
            }
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
