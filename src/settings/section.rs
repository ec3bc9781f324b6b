//! The sections of `odoo.conf` that are ours: `[session_reaper]`, and `[session_reaper:DBNAME]` for one database.

use std::path::Path;

use super::SettingsError;
use super::odoo_conf::{DEFAULT, OdooConf, Setting, python::strip};
use super::said::Said;
use super::source::Source;
use super::spelling::{SLIPS, closest};
use crate::redact::{self, Shown};

/// The general section, and what those of databases begin with before a colon.
const NAME: &str = "session_reaper";

/// The options of the general section.
const GENERAL: [&str; 9] = [
    "authenticated_window",
    "anonymous_window",
    "cart_window",
    "leftover_window",
    "unreadable_window",
    "allow_short_window",
    "keep_login",
    "last_seen",
    "max_lifetime",
];

/// Those of them that a database may set for itself. The others are about files that name no database.
const OF_A_DATABASE: [&str; 6] = [
    "authenticated_window",
    "anonymous_window",
    "cart_window",
    "allow_short_window",
    "keep_login",
    "max_lifetime",
];

/// What our sections say.
#[derive(Default)]
pub(super) struct Sections {
    /// `[session_reaper]`; empty if there is none.
    pub general: Section,
    /// The databases that have a section, in the order of the file.
    pub databases: Vec<(String, Section)>,
}

/// What one section says.
#[derive(Default)]
pub(super) struct Section(Vec<Said>);

impl Section {
    /// What is said there for an option.
    pub fn get(&self, key: &str) -> Option<&Said> {
        self.0.iter().find(|said| said.key == key)
    }
}

impl Sections {
    /// Takes our sections out of a file that was read from `file`.
    ///
    /// `[DEFAULT]` shows through in the general section, as it does for Odoo's addons, and reaches the databases
    /// from there.
    ///
    /// # Errors
    /// A section or an option that is misspelt, or that is not for a single database.
    pub fn of(conf: &OdooConf, file: &Path) -> Result<Sections, SettingsError> {
        let reader = Reader {
            conf,
            file: redact::path(file),
        };
        let mut sections = Sections::default();
        for (name, line) in conf.headers() {
            if name == NAME {
                sections.general = reader.section(name, &GENERAL)?;
                for (key, setting) in conf.own_options(DEFAULT) {
                    let key = GENERAL.into_iter().find(|known| *known == key);
                    if let Some(key) = key.filter(|key| sections.general.get(key).is_none()) {
                        let said = reader.said(DEFAULT, key, setting);
                        sections.general.0.push(said);
                    }
                }
            } else if let Some(database) = database(name) {
                let section = reader.section(name, &OF_A_DATABASE)?;
                sections.databases.push((database.to_owned(), section));
            } else {
                reader.foreign(name, line)?;
            }
        }
        Ok(sections)
    }

    /// Whether there is none at all.
    pub fn are_empty(&self) -> bool {
        self.general.0.is_empty() && self.databases.is_empty()
    }
}

/// The database in the name of a section; PostgreSQL takes any name, but one with these would be a slip.
fn database(section: &str) -> Option<&str> {
    let name = section.strip_prefix(NAME)?.strip_prefix(':')?;
    let plain = !name.is_empty() && strip(name) == name && !name.contains(']');
    plain.then_some(name)
}

struct Reader<'a> {
    conf: &'a OdooConf,
    file: Shown,
}

impl Reader<'_> {
    fn section(&self, name: &str, known: &[&'static str]) -> Result<Section, SettingsError> {
        let mut section = Section::default();
        for (key, setting) in self.conf.own_options(name) {
            let Some(key) = known.iter().find(|known| **known == key) else {
                return Err(self.unknown(name, key, setting.line, known));
            };
            section.0.push(self.said(name, key, setting));
        }
        Ok(section)
    }

    fn said(&self, section: &str, key: &'static str, setting: Setting<'_>) -> Said {
        Said {
            key,
            text: setting.value.to_owned(),
            source: Source::File {
                file: self.file.clone(),
                section: section.to_owned(),
                line: setting.line,
            },
        }
    }

    fn unknown(&self, section: &str, key: &str, line: usize, known: &[&str]) -> SettingsError {
        let advice = if GENERAL.contains(&key) {
            format!("holds for all databases alike: move it to [{NAME}]")
        } else {
            match closest(key, known) {
                Some(meant) => format!("is not known there: did you mean {meant}?"),
                None => format!("is not known there; known are {}", known.join(", ")),
            }
        };
        SettingsError::usage(format!(
            "{} line {line}: {} in [{}] {advice}",
            self.file,
            redact::printable(key.as_bytes()),
            redact::printable(section.as_bytes())
        ))
    }

    /// A section of somebody else's, unless it was meant to be ours.
    fn foreign(&self, name: &str, line: usize) -> Result<(), SettingsError> {
        let (base, database) = name
            .split_once([':', '/'])
            .or_else(|| after_our_name(name))
            .unwrap_or((name, ""));
        let base = base.split_once(']').map_or(base, |(base, _)| base);
        let base = strip(base).to_lowercase().replace(['-', ' ', '.'], "_");
        let database = strip(database.split_once(']').map_or(database, |(name, _)| name));
        let colon = if database.is_empty() { "" } else { ":" };
        let shown = redact::printable(name.as_bytes());
        let meant = format!("[{NAME}{colon}{}]", redact::printable(database.as_bytes()));
        let file = &self.file;
        if [NAME, "odoo_session_reaper", "sessionreaper"].contains(&base.as_str()) {
            return Err(SettingsError::usage(format!(
                "{file} line {line}: [{shown}] is not read by anybody: write {meant}, or [{NAME}:DBNAME] for one database"
            )));
        }
        if strsim::osa_distance(&base, NAME) < SLIPS {
            tracing::warn!("{file} line {line}: [{shown}] is ignored; did you mean {meant}?");
        }
        Ok(())
    }
}

/// What stands before and after a wrong separator, if the first were our name.
fn after_our_name(section: &str) -> Option<(&str, &str)> {
    let (base, rest) = (section.get(..NAME.len())?, section.get(NAME.len()..)?);
    let separator = rest
        .chars()
        .next()
        .filter(|it| !it.is_alphanumeric() && *it != ']')?;
    Some((base, &rest[separator.len_utf8()..]))
}
