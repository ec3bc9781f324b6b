//! Lines of cron that run `reap`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::systemd::{uid_of, words};
use super::told::Told;

/// Files and directories of lines; those below `/etc` name a user, those of `/var/spool` are called by him.
const TABLES: [(&str, bool); 4] = [
    ("/etc/crontab", true),
    ("/etc/cron.d", true),
    ("/var/spool/cron/crontabs", false),
    ("/var/spool/cron", false),
];

/// Directories of scripts, which root runs.
const SCRIPTS: [&str; 2] = ["/etc/cron.hourly", "/etc/cron.daily"];

/// A line that runs `reap`.
#[derive(Clone, Debug)]
pub struct Line {
    pub file: PathBuf,
    pub user: String,
    pub told: Told,
}

/// All of them that this user may read.
pub fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, names_user) in TABLES {
        for file in files(Path::new(place)) {
            let owner = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            lines.extend(text.lines().filter_map(|line| {
                let (user, command) = parts(line, names_user)?;
                of(&file, user.unwrap_or(&owner), command)
            }));
        }
    }
    for place in SCRIPTS {
        let is_executable =
            |file: &PathBuf| std::fs::metadata(file).is_ok_and(|it| it.mode() & 0o111 != 0);
        for file in files(Path::new(place)).into_iter().filter(is_executable) {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            lines.extend(text.lines().filter_map(|line| of(&file, "root", line)));
        }
    }
    lines
}

fn files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_heeded))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

/// Whether cron looks into a file of this name: Debian's passes by `reaper.sh` and `odoo.bak`.
fn is_heeded(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.chars().all(plain)
}

/// The user and the command of a line of a table.
fn parts(line: &str, names_user: bool) -> Option<(Option<&str>, &str)> {
    let line = line.trim();
    let mut rest = line;
    let mut next = || {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        Some(word)
    };
    let first = next().filter(|first| !first.starts_with('#'))?;
    if !first.starts_with('@') {
        for _ in 0..4 {
            next()?;
        }
    }
    let user = if names_user { Some(next()?) } else { None };
    Some((user, rest))
}

fn of(file: &Path, user: &str, command: &str) -> Option<Line> {
    if command.trim_start().starts_with('#') {
        return None;
    }
    let words = words(command);
    let is_program = |word: &String| word.rsplit('/').next() == Some("odoo-session-reaper");
    let at = words.iter().position(is_program)?;
    let assigned = words[..at].iter().filter_map(|word| word.split_once('='));
    let mut environment: BTreeMap<String, String> = assigned
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    environment.retain(|name, _| name.starts_with(crate::cli::ENV_PREFIX));
    let ends =
        |word: &&String| !word.starts_with(['|', '&', ';', '>', '<']) && !word.starts_with("2>");
    let args: Vec<String> = words[at + 1..].iter().take_while(ends).cloned().collect();
    let told = Told::of(&args, &environment, uid_of(user).unwrap_or(u32::MAX))?;
    (!told.dry_run).then(|| Line {
        file: file.to_owned(),
        user: user.to_owned(),
        told,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cron_passes_by_does_not_count() {
        assert!(is_heeded("odoo-session-reaper") && is_heeded("root"));
        assert!(!is_heeded("reaper.sh") && !is_heeded("odoo.bak") && !is_heeded("odoo~"));
    }

    #[test]
    fn a_line_that_reaps_is_known_in_a_table() {
        for (line, names_user, found) in [
            (
                "17 * * * * odoo /usr/bin/odoo-session-reaper reap --data-dir /a >/dev/null",
                true,
                Some(("0", "/a/sessions")),
            ),
            (
                "@hourly odoo-session-reaper reap --data-dir /a 2>&1 | logger",
                false,
                Some(("0", "/a/sessions")),
            ),
            (
                "17 * * * * nice env ODOO_SESSION_REAPER_DATA_DIR=/a odoo-session-reaper reap",
                false,
                Some(("0", "/a/sessions")),
            ),
            (
                "17 * * * * odoo-session-reaper reap --dry-run --data-dir /a",
                false,
                None,
            ),
            (
                "17 * * * * odoo-session-reaper audit --data-dir /a",
                false,
                None,
            ),
            (
                "# 17 * * * * odoo-session-reaper reap --data-dir /a",
                false,
                None,
            ),
            ("17 * * * * vim", false, None),
        ] {
            let line = parts(line, names_user).and_then(|(user, command)| {
                Some((user.map(str::to_owned), of(Path::new("/x"), "0", command)?))
            });
            let told = line.map(|(user, line)| {
                assert_eq!(user.is_some(), names_user);
                (line.user, line.told.sessions)
            });
            let found =
                found.map(|(user, sessions)| (user.to_owned(), Ok(PathBuf::from(sessions))));
            assert_eq!(told, found);
        }
    }
}
