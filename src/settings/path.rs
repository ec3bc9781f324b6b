//! A path without a flag: which flag it stands for.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::SettingsError;
use super::locate::same_place;
use crate::cli::StoreArgs;
use crate::reap::Mode;
use crate::redact;

/// Who said so, where a path did.
pub(super) const FROM: &str = "the PATH argument";

/// A path that was given to an audit, by what it turned out to be.
#[derive(Clone, Copy)]
pub(super) enum Plain<'a> {
    /// A file, and so an `odoo.conf`.
    Config(&'a Path),
    /// A directory that holds `sessions`.
    DataDir(&'a Path),
    /// Any other, and what is not there.
    SessionsDir(&'a Path),
}

impl<'a> Plain<'a> {
    /// The path of an audit, if it has one.
    ///
    /// # Errors
    /// A path for a reap: whoever deletes is told what to work on, and finds nothing out.
    pub(super) fn of(args: &'a StoreArgs, mode: Mode) -> Result<Option<Plain<'a>>, SettingsError> {
        let Some(path) = args.path.as_deref() else {
            return Ok(None);
        };
        let plain = Plain::looked_at(path);
        if mode != Mode::Audit {
            return Err(SettingsError::usage(format!(
                "only an audit finds out what {} is: name it with --{} {0}",
                redact::path(path),
                plain.flag()
            )));
        }
        Ok(Some(plain))
    }

    fn looked_at(path: &Path) -> Plain<'_> {
        if std::fs::metadata(path).is_ok_and(|there| !there.is_dir()) {
            return Plain::Config(path);
        }
        match std::fs::metadata(path.join("sessions")) {
            Ok(there) if there.is_dir() => Plain::DataDir(path),
            // Of the two, the one that is usually closed to others.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Plain::DataDir(path),
            _ => Plain::SessionsDir(path),
        }
    }

    /// The store that it names by itself.
    pub(super) fn sessions(self) -> Option<PathBuf> {
        match self {
            Plain::Config(_) => None,
            Plain::DataDir(path) => Some(path.join("sessions")),
            Plain::SessionsDir(path) => Some(path.to_owned()),
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Plain::Config(_) => "config",
            Plain::DataDir(_) => "data-dir",
            Plain::SessionsDir(_) => "sessions-dir",
        }
    }
}

/// The `odoo.conf` that was named: by a path or by the flag, which must not disagree, or else by the variable.
pub(super) fn config<'a>(
    plain: Option<Plain<'a>>,
    args: &'a StoreArgs,
    matches: &ArgMatches,
) -> Result<Option<&'a Path>, SettingsError> {
    let named = args.config.as_deref();
    let Some(Plain::Config(path)) = plain else {
        return Ok(named);
    };
    let by_flag = matches.value_source("config") == Some(ValueSource::CommandLine);
    match named.filter(|named| by_flag && !same_place(path, named)) {
        None => Ok(Some(path)),
        Some(named) => Err(SettingsError::usage(format!(
            "two different odoo.conf: {FROM} says {}, --config says {}; give one of them",
            redact::path(path),
            redact::path(named)
        ))),
    }
}
