//! From `data_dir = …` in `odoo.conf` to the directory that Odoo makes of it.
//!
//! Odoo strips the value, fills in `$VARIABLES`, then `~`, and tidies the result with `os.path.abspath`; here the same happens,
//! step by step. What Odoo would resolve by something that this program cannot know is an error, never a guess: a wrong
//! `data_dir` is a wrong store.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use super::odoo_conf::{ConfError, DEFAULT, OdooConf, Setting, python::strip};

impl OdooConf {
    /// The `data_dir` of `[options]`, or `None` if it is not set (or to nothing: empty, `False`, `false`, `None`).
    ///
    /// `home` stands for `~` and `var` for the environment: both should be those of the Odoo server.
    pub(crate) fn data_dir(
        &self,
        home: Option<&Path>,
        var: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<(PathBuf, Setting<'_>)>, ConfError> {
        // Python reads `[options] ; see [1]` as the section `options` up to 3.9 and as `options] ; see [1` since 3.10. Which one
        // Odoo runs on is unknown, so a header that is, or hides, the one that matters here must be clear.
        for (name, line) in self.headers() {
            if let Some(("options" | DEFAULT | "", _)) = name.split_once(']') {
                return Err(ConfError::new(
                    line,
                    "this header has more than one ], which Python versions read differently: leave only [name]",
                ));
            }
        }
        let Some(setting) = self.get("options", "data_dir") else {
            return Ok(None);
        };
        let value = strip(setting.value);
        if ["", "False", "false", "None"].contains(&value) {
            return Ok(None);
        }
        resolve(value, home, var)
            .map(|dir| Some((dir, setting)))
            .map_err(|what| ConfError::new(setting.line, what))
    }
}

/// What Odoo makes of a `data_dir`.
pub(crate) fn resolve(
    value: &str,
    home: Option<&Path>,
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, &'static str> {
    if value.contains('\n') {
        // Odoo would make a directory with a newline in its name; the second line is more likely a setting, maybe a password.
        return Err("data_dir goes on in the next line because that is indented: unindent it");
    }
    let path = expand_user(expand_vars(value, var), home)?;
    let path = PathBuf::from(OsString::from_vec(path));
    if path.is_relative() {
        return Err(
            "data_dir is a relative path, which only Odoo can resolve: write it out from / on",
        );
    }
    Ok(tidy(&path))
}

/// `os.path.expandvars`: `$NAME` and `${NAME}`; unknown ones stay as they are, and a value is not expanded again.
fn expand_vars(path: &str, var: impl Fn(&str) -> Option<OsString>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        out.extend_from_slice(before.as_bytes());
        let word = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let (name, length) = match after.strip_prefix('{').and_then(|s| s.split_once('}')) {
            Some((name, _)) => (name, name.len() + "{}".len()),
            None => (&after[..word], word),
        };
        match var(name).filter(|_| !name.is_empty()) {
            Some(value) => out.extend_from_slice(value.as_bytes()),
            None => out.extend_from_slice(&rest.as_bytes()[before.len()..][..1 + length]),
        }
        rest = &after[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// `os.path.expanduser`, for one's own home only.
fn expand_user(path: Vec<u8>, home: Option<&Path>) -> Result<Vec<u8>, &'static str> {
    let Some(rest) = path.strip_prefix(b"~") else {
        return Ok(path);
    };
    if !(rest.is_empty() || rest.starts_with(b"/")) {
        return Err("data_dir begins with ~ and a user's name: write the path out");
    }
    let home = home
        .ok_or("data_dir begins with ~, but no home directory is known: write the path out")?
        .as_os_str()
        .as_bytes();
    let kept = home.iter().rposition(|&byte| byte != b'/');
    let mut out = home[..kept.map_or(0, |last| last + 1)].to_vec();
    out.extend_from_slice(rest);
    if out.is_empty() {
        out.push(b'/');
    }
    Ok(out)
}

/// What `os.path.abspath` does to an absolute path: `a/../b` is `b` by its spelling, even where `a` is a symlink.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::ParentDir => {
                out.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

#[cfg(test)]
mod tests;
