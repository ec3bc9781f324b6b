//! Lines of cron that run `reap`.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::systemd::words;
use super::told::{Environment, Told};
use super::user::User;

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
    pub user: User,
    pub told: Told,
}

/// All of them that this user may read.
pub fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (place, names_user) in TABLES {
        for (file, text) in files(Path::new(place)) {
            let owner = file.file_name().unwrap_or_default().to_string_lossy();
            lines.extend(text.lines().filter_map(|line| {
                let (user, command) = parts(line, names_user)?;
                of(&file, user.unwrap_or(&owner), command)
            }));
        }
    }
    for (file, text) in SCRIPTS
        .into_iter()
        .flat_map(|place| files(Path::new(place)))
    {
        let mode = std::fs::metadata(&file).map_or(0, |it| it.mode());
        let commands = text.lines().filter(|_| mode & 0o111 != 0);
        lines.extend(commands.filter_map(|line| of(&file, "root", line)));
    }
    lines
}

/// A file, or the files of a directory that cron heeds, with their texts.
fn files(place: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let heeded = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_heeded));
    let mut files: Vec<_> = heeded.map(|entry| entry.path()).collect();
    files.push(place.to_owned());
    files.retain(|file| file.is_file());
    files.sort();
    let texts = files.into_iter().map(|file| {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        (file, text)
    });
    texts.collect()
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
    let ours = assigned.filter(|(name, _)| name.starts_with(crate::cli::ENV_PREFIX));
    let environment: Environment = ours
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let ends =
        |word: &&String| !word.starts_with(['|', '&', ';', '>', '<']) && !word.starts_with("2>");
    let args: Vec<String> = words[at + 1..].iter().take_while(ends).cloned().collect();
    let user = User::of(user);
    let told = Told::of(&args, &environment, &user).filter(|told| !told.dry_run)?;
    Some(Line {
        file: file.to_owned(),
        user,
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
                (line.user.name, line.told.store.ok().map(|store| store.path))
            });
            let found =
                found.map(|(user, sessions)| (user.to_owned(), Some(PathBuf::from(sessions))));
            assert_eq!(told, found);
        }
    }
}
