//! `odoo.conf`, read exactly as Odoo reads it.
//!
//! Odoo hands the file to Python's `configparser.RawConfigParser()` with its default arguments, and that parser has habits of its
//! own: `;` and `#` begin a comment only at the start of a line, a deeper indented line continues the value above whatever it
//! looks like, `[DEFAULT]` shows through in all other sections. A reader that differs in one of them may find another `data_dir`
//! than Odoo does, and so another store. This one follows CPython 3.11's `configparser.py` step by step, and
//! `tests/odoo_conf_vs_python.rs` holds it against the real thing.
//!
//! ```
//! use odoo_session_reaper::settings::odoo_conf::OdooConf;
//!
//! let conf = OdooConf::parse(b"[options]\nData_Dir = /srv/odoo ; not a comment\n")?;
//! let setting = conf.get("options", "data_dir").expect("it is set");
//! assert_eq!(setting.value, "/srv/odoo ; not a comment");
//! assert_eq!(setting.line, 2);
//! # Ok::<(), odoo_session_reaper::settings::odoo_conf::ConfError>(())
//! ```

pub(super) mod python;

use std::collections::HashMap;
use std::fmt;

use python::{indent, lines, strip, strip_end};

use crate::redact::printable;

/// The section whose options show through in all others. Python matches its name exactly.
pub const DEFAULT: &str = "DEFAULT";

/// A parsed `odoo.conf`. Its `Debug` form leaves the values out: they hold passwords.
pub struct OdooConf {
    /// In file order, but `DEFAULT` first, whether it is in the file or not.
    sections: Vec<Section>,
    /// Where each name stands in `sections`.
    by_name: HashMap<String, usize>,
}

/// The first thing in the file that stops Odoo, and so us, from reading it. It quotes nothing but names: the file holds
/// database passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfError {
    /// The 1-based line on which it stands.
    pub line: usize,
    what: String,
}

impl ConfError {
    pub(super) fn new(line: usize, what: impl Into<String>) -> ConfError {
        let what = what.into();
        ConfError { line, what }
    }
}

impl std::error::Error for ConfError {}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// One option as it stands in the file. Its `Debug` form leaves the value out, which may be a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Setting<'a> {
    /// The value, stripped; the lines of a continued one are joined by `\n`.
    pub value: &'a str,
    /// The 1-based line on which the option's name stands.
    pub line: usize,
}

#[derive(Default)]
struct Section {
    name: String,
    line: usize,
    options: Vec<Entry>,
    /// On which line each name stands: a file may have a hundred thousand.
    lines: HashMap<String, usize>,
}

struct Entry {
    name: String,
    value: String,
    line: usize,
}

impl OdooConf {
    /// Parses the bytes of a file. Whatever stops Odoo from starting is an error here too.
    pub fn parse(bytes: &[u8]) -> Result<OdooConf, ConfError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = lines(&format!("{before}?")).count();
            ConfError::new(line, "not valid UTF-8: save the file as UTF-8")
        })?;
        let mut parser = Parser {
            conf: OdooConf {
                sections: Vec::new(),
                by_name: HashMap::new(),
            },
            section: None,
            option_open: false,
            indent: 0,
        };
        parser.add_section(DEFAULT, 0);
        for (number, line) in (1..).zip(lines(text)) {
            parser.read_line(number, line)?;
        }
        Ok(parser.finish())
    }

    /// The option of that section, else `[DEFAULT]`'s. The option's case does not matter, the section's does.
    ///
    /// As in Python, a section that is not in the file has no options at all, not even `[DEFAULT]`'s.
    pub fn get(&self, section: &str, option: &str) -> Option<Setting<'_>> {
        let name = option.to_lowercase();
        self.options(section)
            .find_map(|(found, setting)| (found == name).then_some(setting))
    }

    /// The names of the sections in file order, without `DEFAULT`.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.headers().map(|(name, _)| name)
    }

    /// The section's options in file order, then those of `[DEFAULT]` that it does not set itself.
    pub fn options<'a>(&'a self, section: &str) -> impl Iterator<Item = (&'a str, Setting<'a>)> {
        let own = self.section(section);
        let inherited = own.map_or("", |_| DEFAULT);
        let shows_through =
            move |(name, _): &(&str, _)| own.is_some_and(|own| !own.lines.contains_key(*name));
        self.own_options(section)
            .chain(self.own_options(inherited).filter(shows_through))
    }

    /// The options that stand in this section itself, in file order.
    pub(super) fn own_options<'a>(
        &'a self,
        section: &str,
    ) -> impl Iterator<Item = (&'a str, Setting<'a>)> {
        let options = self.section(section).into_iter().flat_map(|s| &s.options);
        options.map(|Entry { name, value, line }| {
            let line = *line;
            (name.as_str(), Setting { value, line })
        })
    }

    fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(*self.by_name.get(name)?)
    }

    /// The sections with the lines on which they begin, for those who must point at one.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, usize)> {
        let named = self.sections.iter().skip(1);
        named.map(|section| (section.name.as_str(), section.line))
    }
}

impl fmt::Debug for OdooConf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections: Vec<_> = self.sections().collect();
        f.debug_struct("OdooConf")
            .field("sections", &sections)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setting")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// The state of `RawConfigParser._read` between two lines.
struct Parser {
    conf: OdooConf,
    /// Where options go; none before any header.
    section: Option<usize>,
    /// An option has been read in this section, so that a deeper line continues its value: the last one always.
    option_open: bool,
    /// The indentation of the last header or option, in characters.
    indent: usize,
}

impl Parser {
    /// Python goes on after a bad option line, to list them all at the end; the first is enough here, for it fails either way.
    fn read_line(&mut self, number: usize, line: &str) -> Result<(), ConfError> {
        let content = strip(line);
        if content.starts_with(['#', ';']) {
            // Not even an empty line of the value: a comment inside a value leaves no trace.
            return Ok(());
        }
        if content.is_empty() {
            self.continue_value(content);
            return Ok(());
        }
        let indent = indent(line);
        if indent > self.indent && self.continue_value(content) {
            return Ok(());
        }
        self.indent = indent;
        match header(content) {
            Some(name) => self.open_section(number, name),
            None => self.add_option(number, content),
        }
    }

    /// Appends a line to the open option's value, if there is one.
    fn continue_value(&mut self, content: &str) -> bool {
        let open = self.option_open;
        let last = self.section().and_then(|s| s.options.last_mut());
        match last {
            Some(entry) if open => {
                entry.value.push('\n');
                entry.value.push_str(content);
                true
            }
            _ => false,
        }
    }

    fn open_section(&mut self, number: usize, name: &str) -> Result<(), ConfError> {
        self.option_open = false;
        // The one section that may stand twice.
        if name == DEFAULT {
            self.section = Some(0);
            return Ok(());
        }
        if let Some(Section { line, .. }) = self.conf.section(name) {
            let name = printable(name.as_bytes());
            let what =
                format!("section [{name}] stands twice (first on line {line}): merge the two");
            return Err(ConfError::new(number, what));
        }
        self.section = Some(self.conf.sections.len());
        self.add_section(name, number);
        Ok(())
    }

    fn add_section(&mut self, name: &str, line: usize) {
        let OdooConf { sections, by_name } = &mut self.conf;
        by_name.insert(name.to_owned(), sections.len());
        sections.push(Section {
            name: name.to_owned(),
            line,
            ..Section::default()
        });
    }

    fn add_option(&mut self, number: usize, content: &str) -> Result<(), ConfError> {
        let fail = |what: &str| Err(ConfError::new(number, what));
        let Some(section) = self.section() else {
            if number == 1 && content.starts_with('\u{feff}') {
                return fail(
                    "the file begins with a byte order mark, which Odoo does not understand: save it as UTF-8 without one",
                );
            }
            return fail("no section has begun yet: put [options] above this line");
        };
        let Some((name, value)) = content.split_once(['=', ':']) else {
            return fail(
                "neither [section] nor `name = value`: complete it, begin it with # to make it a comment, \
                 or indent it to continue the value above",
            );
        };
        let name = strip_end(name).to_lowercase();
        if name.is_empty() {
            return fail("a value without an option name: put one before it");
        }
        if let Some(first) = section.lines.insert(name.clone(), number) {
            return fail(&format!(
                "option '{}' stands twice in section [{}] (first on line {first}): remove one of the two",
                printable(name.as_bytes()),
                printable(section.name.as_bytes())
            ));
        }
        let value = strip(value).to_owned();
        section.options.push(Entry {
            name,
            value,
            line: number,
        });
        self.option_open = true;
        Ok(())
    }

    fn section(&mut self) -> Option<&mut Section> {
        self.conf.sections.get_mut(self.section?)
    }

    /// Empty lines belong to a value until the file ends; only then does Python cut them off its end.
    fn finish(mut self) -> OdooConf {
        let sections = self.conf.sections.iter_mut();
        for entry in sections.flat_map(|section| &mut section.options) {
            entry.value.truncate(strip_end(&entry.value).len());
        }
        self.conf
    }
}

/// The name in `[name]`. Greedy up to the last `]`, as Python is since 3.10; whatever follows it is ignored.
fn header(content: &str) -> Option<&str> {
    let (name, _) = content.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests;
