//! The sections of `odoo.conf` that are ours: `[session_reaper]`, and `[session_reaper:DBNAME]` for one database.

use std::collections::HashMap;
use std::path::Path;

use clap::{Args as _, Command};

use super::SettingsError;
use super::given::{Given, Of};
use super::odoo_conf::{DEFAULT, OdooConf, Setting, python::strip};
use super::source::Source;
use super::spelling::closest;
use crate::cli::PolicyArgs;
use crate::redact::{self, Shown};

/// The general section, and what those of databases begin with before a colon.
const NAME: &str = "session_reaper";

/// What is left of our names, of the package and of the section, without separators.
const CONDENSED: [&str; 2] = ["sessionreaper", "odoosessionreaper"];

/// How many letters may be wrong in one of them. Nobody else has a name so near.
const SLIPS: usize = 2;

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
    /// `[session_reaper]` and what `[DEFAULT]` says for it; empty if neither says anything.
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
    /// What `[DEFAULT]` says of our options is general, whether or not the general section stands there: a login that
    /// it protects would go otherwise. It reaches the databases from there.
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
            } else if let Some(database) = database(name) {
                let section = reader.section(name, &own)?;
                sections.databases.push((database.to_owned(), section));
            } else {
                reader.foreign(name, line)?;
            }
        }
        for (option, setting) in conf.own_options(DEFAULT) {
            if general.contains(&option) && !sections.general.has(option) {
                reader.add(&mut sections.general, DEFAULT, option, setting);
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
    let plain = !name.is_empty() && unquoted(name) == name && !name.contains(']');
    plain.then_some(name)
}

/// Without the quotes and the white space around it, which Python does not take away.
fn unquoted(name: &str) -> &str {
    strip(strip(name).trim_matches(['"', '\'']))
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
        let name_alone = name.split(']').next().unwrap_or(name);
        let (base, database) = after_our_name(name_alone)
            .or_else(|| name_alone.split_once([':', '/']))
            .unwrap_or((name_alone, ""));
        // In `[sesion:reaper]` the colon stands within the name.
        let (ours, database) = if is_near(base) {
            (true, unquoted(database))
        } else {
            let name = condensed(name_alone);
            let begins = CONDENSED.iter().any(|ours| name.starts_with(ours));
            (begins || is_near(name_alone) || name == "reaper", "")
        };
        let colon = if database.is_empty() { "" } else { ":" };
        let shown = redact::printable(name.as_bytes());
        let meant = format!("[{NAME}{colon}{}]", redact::printable(database.as_bytes()));
        let file = &self.file;
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

/// A name without case and separators.
fn condensed(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether few letters are wrong for one of our names.
fn is_near(name: &str) -> bool {
    let name = condensed(name);
    let mut ours = CONDENSED.iter();
    ours.any(|ours| strsim::osa_distance(&name, ours) <= SLIPS)
}

/// What stands before and after a separator behind our name, whatever separates its own words.
fn after_our_name(section: &str) -> Option<(&str, &str)> {
    let separators = section.match_indices(|it: char| !it.is_alphanumeric());
    // Far more than our names have.
    let separators = separators.take(16);
    let mut splits = separators.map(|(at, it)| (&section[..at], &section[at + it.len()..]));
    splits.find(|(base, _)| CONDENSED.contains(&condensed(base).as_str()))
}
