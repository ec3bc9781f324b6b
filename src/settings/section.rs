//! The sections of `odoo.conf` that are ours: `[session_reaper]`, and `[session_reaper:DBNAME]` for one database.

use std::collections::HashMap;
use std::path::Path;

use clap::{Args as _, Command};

use super::SettingsError;
use super::given::Given;
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

/// Longer than our names with all that may stand between their letters.
const LONGEST: usize = 64;

/// Options about files that name no database: none can have its own.
const FOR_ALL: [&str; 3] = ["leftover_window", "unreadable_window", "last_seen"];

/// The options of the general section, which are those of the command line.
pub(super) fn options() -> Vec<String> {
    PolicyArgs::augment_args(Command::new(""))
        .get_arguments()
        .map(|option| option.get_id().to_string())
        .collect()
}

/// What one section says, by option.
pub(super) type Section = HashMap<String, Given>;

#[derive(Debug, Default)]
pub(super) struct Sections {
    /// `[session_reaper]` and what `[DEFAULT]` says for it; empty if neither says anything.
    pub general: Section,
    /// The databases that have a section, in the order of the file.
    pub databases: Vec<(String, Section)>,
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
        let options = options();
        let general: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut own = general.clone();
        own.retain(|option| !FOR_ALL.contains(option));
        let file = redact::path(file);
        let wrong =
            |line, what: String| SettingsError::usage(format!("{file} line {line}: {what}"));
        let mut in_options = conf.own_options("options");
        if let Some((option, setting)) = in_options.find(|(it, _)| general.contains(it)) {
            let what = format!("{option} has no effect in [options]: put it under [{NAME}]");
            return Err(wrong(setting.line, what));
        }
        let read = |name: &str, known: &[&str]| {
            let mut section = Section::new();
            for (option, setting) in conf.own_options(name) {
                if !known.contains(&option) {
                    return Err(wrong(setting.line, unknown(name, option, known)));
                }
                let given = given(&file, name, option, setting);
                section.insert(option.to_owned(), given);
            }
            Ok(section)
        };
        let mut sections = Sections::default();
        for (name, line) in conf.headers() {
            if name == NAME {
                sections.general = read(name, &general)?;
            } else if let Some(database) = database(name) {
                let section = read(name, &own)?;
                sections.databases.push((database.to_owned(), section));
            } else if let Some(meant) = meant(name) {
                let shown = redact::printable(name.as_bytes());
                let what = format!(
                    "[{shown}] is misspelt and would do nothing: write {meant}, or [{NAME}:DBNAME] for one database"
                );
                return Err(wrong(line, what));
            }
        }
        for (option, setting) in conf.own_options(DEFAULT) {
            if general.contains(&option) {
                let general = sections.general.entry(option.to_owned());
                general.or_insert_with(|| given(&file, DEFAULT, option, setting));
            }
        }
        Ok(sections)
    }

    pub fn are_empty(&self) -> bool {
        self.general.is_empty() && self.databases.is_empty()
    }
}

fn given(file: &Shown, section: &str, option: &str, setting: Setting<'_>) -> Given {
    Given {
        key: option.to_owned(),
        text: setting.value.to_owned(),
        source: Source::File {
            file: file.clone(),
            section: redact::printable(section.as_bytes()),
            line: setting.line,
        },
    }
}

/// What is wrong with an option that this section does not have.
fn unknown(section: &str, option: &str, known: &[&str]) -> String {
    let advice = match closest(option, known) {
        _ if FOR_ALL.contains(&option) => {
            format!("holds for all databases alike: move it to [{NAME}]")
        }
        Some(meant) => format!("is not known there: did you mean {meant}?"),
        None => format!("is not known there; known are {}", known.join(", ")),
    };
    let (option, section) = (option.as_bytes(), section.as_bytes());
    format!(
        "{} in [{}] {advice}",
        redact::printable(option),
        redact::printable(section)
    )
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

/// What the section of a strange name was meant to be, if it was meant to be ours.
fn meant(section: &str) -> Option<String> {
    let name = section.split(']').next().unwrap_or(section);
    let separators = name.match_indices(|it: char| !it.is_alphanumeric());
    // Our name, and the database's behind each separator; ours has far less of them.
    let splits = separators.take(16);
    let splits = splits.map(|(at, it)| (&name[..at], &name[at + it.len()..]));
    let nearest = splits
        .chain([(name, "")])
        .filter_map(|(ours, database)| Some((slips(ours, name)?, database)))
        .min_by_key(|(slips, _)| *slips);
    let begins = || {
        CONDENSED
            .iter()
            .any(|ours| condensed(name).starts_with(ours))
    };
    let database = match nearest {
        Some((_, database)) => unquoted(database),
        None if begins() => "",
        None => return None,
    };
    let colon = if database.is_empty() { "" } else { ":" };
    let database = redact::printable(database.as_bytes());
    Some(format!("[{NAME}{colon}{database}]"))
}

/// How many letters are wrong in what stands for our name in `section`, if they are few. It may also be cut short.
fn slips(name: &str, section: &str) -> Option<usize> {
    let rest = &section[name.len()..];
    if name.eq_ignore_ascii_case("reaper") && (rest.is_empty() || rest.starts_with([':', '/'])) {
        return Some(0);
    }
    // Some may be as long as the file.
    let name = (name.len() <= LONGEST).then(|| condensed(name))?;
    let slips = CONDENSED.map(|ours| strsim::osa_distance(&name, ours));
    slips.into_iter().min().filter(|slips| *slips <= SLIPS)
}

/// A name without case and separators.
fn condensed(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}
