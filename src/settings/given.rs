//! One option of the policy as it was given, and what it means.

use std::time::Duration;

use clap::ValueEnum as _;

use super::SettingsError;
use super::odoo_conf::python::strip;
use super::source::Source;
use crate::policy::{LastSeen, LoginPattern};
use crate::redact;

/// Longer than any Odoo has been running; anything above is a slip of the keyboard.
const LONGEST: Duration = Duration::from_secs(1_000 * 365 * 86_400);

#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The option's name, with underscores.
    pub key: String,
    /// As it was written; several patterns stand on lines of their own.
    pub text: String,
    pub source: Source,
}

impl Given {
    /// The option's name where it was given, for an error to begin with.
    pub fn name(&self) -> String {
        self.source.name(&self.key)
    }

    /// A duration that can be meant as a window.
    pub fn duration(&self) -> Result<Duration, SettingsError> {
        let window = humantime::parse_duration(self.line()?)
            .map_err(|_| self.wrong("is no duration: write it like 7d, 36h or 1h 30m"))?;
        if window.is_zero() {
            return Err(self.wrong("is zero and would delete every file: give a duration like 7d"));
        }
        if window > LONGEST {
            return Err(self.wrong("is over 1000 years: give a duration like 7d"));
        }
        Ok(window)
    }

    pub fn duration_if_set(&self) -> Result<Option<Duration>, SettingsError> {
        (!self.is_unset()).then(|| self.duration()).transpose()
    }

    /// A switch, in the words of clap and of Python's `getboolean`.
    pub fn switch(&self) -> Result<bool, SettingsError> {
        match self.line()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "t" | "y" => Ok(true),
            "false" | "no" | "off" | "0" | "f" | "n" => Ok(false),
            _ => Err(self.wrong("is neither True nor False: write one of them")),
        }
    }

    pub fn last_seen(&self) -> Result<LastSeen, SettingsError> {
        LastSeen::from_str(self.line()?, false)
            .map_err(|_| self.wrong("is neither mtime nor atime: write one of them"))
    }

    /// Patterns, separated by commas or by lines.
    pub fn logins(&self) -> Result<Vec<LoginPattern>, SettingsError> {
        let mut patterns = Vec::new();
        if self.is_unset() {
            return Ok(patterns);
        }
        for (number, line) in self.text.lines().enumerate() {
            if number > 0 && self.source.is_file() && looks_like_a_setting(line) {
                return Err(self.several_lines());
            }
            // A list may begin on the next line, and end in a comma.
            for pattern in line.split(',').map(strip).filter(|it| !it.is_empty()) {
                patterns.push(self.login(pattern)?);
            }
        }
        if patterns.is_empty() {
            patterns.push(self.login("")?);
        }
        Ok(patterns)
    }

    fn login(&self, pattern: &str) -> Result<LoginPattern, SettingsError> {
        let wrong = |what: String| {
            let shown = redact::argument(pattern);
            SettingsError::usage(format!(
                "{} has the pattern \"{shown}\", which {what}",
                self.name()
            ))
        };
        // Python takes it for a part of the value, and such a pattern would protect nobody.
        if self.source.is_file() && has_comment(pattern) {
            return Err(wrong(
                "takes in a comment: give that a line of its own, or write ? for a ; or # that belongs to the login"
                    .to_owned(),
            ));
        }
        LoginPattern::new(pattern).map_err(|error| wrong(format!("is none: {error}")))
    }

    /// Nobody said anything, or the file says so in the words that Odoo has for it.
    fn is_unset(&self) -> bool {
        match self.source {
            Source::File { .. } => ["", "False", "false", "None"].contains(&self.text.as_str()),
            Source::Default => self.text.is_empty(),
            Source::CommandLine | Source::Environment => false,
        }
    }

    /// The text, of an option that takes one line.
    fn line(&self) -> Result<&str, SettingsError> {
        match self.text.contains('\n') {
            true => Err(self.several_lines()),
            false => Ok(&self.text),
        }
    }

    fn wrong(&self, what: &str) -> SettingsError {
        let shown = redact::argument(&self.text);
        SettingsError::usage(format!("{} is {shown:?}, which {what}", self.name()))
    }

    /// The next line is more likely another setting, maybe a password: so it is not repeated.
    fn several_lines(&self) -> SettingsError {
        SettingsError::usage(format!(
            "{} goes on in the next line because that is indented: unindent it",
            self.name()
        ))
    }
}

/// `;` or `#` where an administrator would begin a comment.
fn has_comment(pattern: &str) -> bool {
    let mut words = pattern.split(char::is_whitespace);
    words.any(|word| word.starts_with([';', '#']))
}

/// `name = value`, indented by mistake.
fn looks_like_a_setting(line: &str) -> bool {
    line.split_once(['=', ':']).is_some_and(|(name, _)| {
        let mut letters = strip(name).bytes().peekable();
        letters.peek().is_some() && letters.all(|it| it.is_ascii_alphanumeric() || it == b'_')
    })
}
