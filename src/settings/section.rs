//! The sections of `odoo.conf` that are ours: `[session_reaper]`, and `[session_reaper:DBNAME]` for one database.

use std::collections::HashMap;
use std::path::Path;

use clap::{Args as _, Command};

use super::SettingsError;
use super::given::{Given, Of};
use super::odoo_conf::{DEFAULT, OdooConf, Setting, python::strip};
use super::source::Source;
use super::spelling::{SLIPS, closest};
use crate::cli::PolicyArgs;
use crate::redact::{self, Shown};

/// The general section, and what those of databases begin with before a colon.
const NAME: &str = "session_reaper";

/// Options about files that name no database: none can have its own.
const FOR_ALL: [&str; 3] = ["leftover_window", "unreadable_window", "last_seen"];

/// The options of the general section, which are those of the command line.
pub(super) fn options() -> Vec<String> {
    PolicyArgs::augment_args(Command::new(""))
        .get_arguments()
        .map(|option| option.get_id().to_string())
        .collect()
}

#[derive(Default)]
pub(super) struct Sections {
    /// `[session_reaper]`; empty if there is none.
    pub general: Section,
    /// The databases that have a section, in the order of the file.
    pub databases: Vec<(String, Section)>,
}

/// What one section says, by option.
#[derive(Clone, Default)]
pub(super) struct Section(HashMap<String, (String, Source)>);

impl Section {
    pub fn set(&mut self, option: String, text: String, source: Source) {
        self.0.insert(option, (text, source));
    }

    pub fn has(&self, option: &str) -> bool {
        self.0.contains_key(option)
    }

    /// The value that the section has for an option, or else `base`.
    ///
    /// # Errors
    /// Those of `read`, which also decides what it means that nobody gave one.
    pub fn read<T: Clone>(
        &self,
        key: &'static str,
        base: Option<&Of<T>>,
        read: impl Fn(&Given) -> Result<T, SettingsError>,
    ) -> Result<Of<T>, SettingsError> {
        let (text, source) = match (self.0.get(key), base) {
            (Some(said), _) => said.clone(),
            (None, Some(base)) => return Ok(base.clone()),
            (None, None) => (String::new(), Source::Default),
        };
        let given = Given { key, text, source };
        Ok(Of {
            value: read(&given)?,
            given,
        })
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
        let general = options();
        let general: Vec<&str> = general.iter().map(String::as_str).collect();
        let mut own = general.clone();
        own.retain(|option| !FOR_ALL.contains(option));
        let reader = Reader {
            conf,
            file: redact::path(file),
        };
        reader.misplaced(&general)?;
        let mut sections = Sections::default();
        for (name, line) in conf.headers() {
            if name == NAME {
                sections.general = reader.section(name, &general)?;
                for (option, setting) in conf.own_options(DEFAULT) {
                    if general.contains(&option) && !sections.general.has(option) {
                        reader.add(&mut sections.general, DEFAULT, option, setting);
                    }
                }
            } else if let Some(database) = database(name) {
                let section = reader.section(name, &own)?;
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
    fn section(&self, name: &str, known: &[&str]) -> Result<Section, SettingsError> {
        let mut section = Section::default();
        for (option, setting) in self.conf.own_options(name) {
            if !known.contains(&option) {
                return Err(self.unknown(name, option, setting.line, known));
            }
            self.add(&mut section, name, option, setting);
        }
        Ok(section)
    }

    fn add(&self, section: &mut Section, name: &str, option: &str, setting: Setting<'_>) {
        let source = Source::File {
            file: self.file.clone(),
            section: name.to_owned(),
            line: setting.line,
        };
        section.set(option.to_owned(), setting.value.to_owned(), source);
    }

    fn unknown(&self, section: &str, key: &str, line: usize, known: &[&str]) -> SettingsError {
        let advice = if FOR_ALL.contains(&key) {
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
        // Nobody else has a name so near, and a login that was to be protected would go.
        let ours = ["odoo_session_reaper", "sessionreaper"].contains(&base.as_str())
            || strsim::osa_distance(&base, NAME) < SLIPS;
        if ours {
            return Err(SettingsError::usage(format!(
                "{file} line {line}: [{shown}] is not read by anybody: write {meant}, or [{NAME}:DBNAME] for one database"
            )));
        }
        Ok(())
    }

    /// Refuses options of ours where Odoo has its own, and nobody reads them.
    fn misplaced(&self, ours: &[&str]) -> Result<(), SettingsError> {
        let odoo = self.conf.own_options("options");
        match odoo.into_iter().find(|(option, _)| ours.contains(option)) {
            None => Ok(()),
            Some((option, setting)) => Err(SettingsError::usage(format!(
                "{} line {}: {option} has no effect in [options]: put it under [{NAME}]",
                self.file, setting.line
            ))),
        }
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
