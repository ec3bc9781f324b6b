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
            let user = (!names_user).then_some(&*owner);
            let said = commands(&text);
            lines.extend(said.filter_map(|line| of_table(&file, user, line)));
        }
    }
    for (file, text) in SCRIPTS
        .into_iter()
        .flat_map(|place| files(Path::new(place)))
    {
        let mode = std::fs::metadata(&file).map_or(0, |it| it.mode());
        let said = commands(&text).filter(|_| mode & 0o111 != 0);
        lines.extend(said.filter_map(|line| of(&file, "root", words(line))));
    }
    lines
}

/// The lines that are no comments.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.starts_with('#'))
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

/// A line of a table that reaps; `user` is whose table it is, unless each line says so.
fn of_table(file: &Path, user: Option<&str>, line: &str) -> Option<Line> {
    let mut words = words(line).into_iter();
    if !words.next()?.starts_with('@') {
        words.nth(3)?;
    }
    match user {
        Some(user) => of(file, user, words.collect()),
        None => of(file, &words.next()?, words.collect()),
    }
}

/// A command that reaps.
fn of(file: &Path, user: &str, words: Vec<String>) -> Option<Line> {
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
                "17 * * * * 104 /usr/bin/odoo-session-reaper reap --data-dir /a >/dev/null",
                true,
                Some(("104", "/a/sessions")),
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
            let user = (!names_user).then_some("0");
            let mut lines = commands(line);
            let line = lines.find_map(|line| of_table(Path::new("/x"), user, line));
            let told = line.map(|line| (line.user.name, line.told.store.ok().map(|it| it.path)));
            let found =
                found.map(|(user, sessions)| (user.to_owned(), Some(PathBuf::from(sessions))));
            assert_eq!(told, found);
        }
    }
}
