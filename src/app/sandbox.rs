//! What to do where the sandbox of a systemd unit hides the store or makes it read-only, or where the unit runs as
//! another user than Odoo: no error of the kernel says so.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::redact::{self, Shown};

/// By this variable our units say which of them runs the program.
const UNIT: &str = "REAPER_UNIT";

/// By this variable systemd says where the unit's `StateDirectory=` is.
const STATE: &str = "STATE_DIRECTORY";

/// What `ProtectHome=yes` hides.
const HOMES: [&str; 2] = ["/home", "/root"];

/// What `PrivateTmp=yes` and `TemporaryFileSystem=/run` hide.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/run"];

/// Where `systemctl edit` puts a unit's drop-in. All have one name, so that systemd reads an instance's and not its template's.
const UNITS: &str = "/etc/systemd/system";

/// As many symlinks in a row as Linux follows.
const MOST_LINKS: usize = 40;

/// Lets a path in to read it, as an odoo.conf.
pub(super) const READING: &str = "BindReadOnlyPaths=";

/// Lets a path in to delete in it, as a session store.
pub(super) const DELETING: &str = "BindPaths=";

/// What the administrator can write into a drop-in, if our unit is a likely reason that `path` cannot be opened.
pub(super) fn if_refused(path: &Path, bind: &str) -> Option<String> {
    let unit = unit()?;
    let errno = rustix::fs::access(path, Access::READ_OK).err()?;
    let closed = |place: &str| rustix::fs::access(place, Access::EXEC_OK) == Err(Errno::ACCESS);
    cure(&unit, &leads_to(path), bind, errno, closed)
}

/// What the administrator can do so that a run may delete in a store whose mount is read-only. `sessions` is the store's
/// path without symlinks.
pub(super) fn if_read_only(sessions: &Path) -> Option<String> {
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    if file_system_is_read_only(&mounts, sessions) {
        return Some("so is its whole file system, which no drop-in changes".to_owned());
    }
    let drop_in = drop_in(&unit()?, &[("ReadWritePaths=", Some(sessions))]);
    Some(format!(
        "the sandbox allows only the usual places. Add this one: {drop_in}. \
         If that changes nothing, the mount itself is read-only"
    ))
}

/// Where the unit lets a metrics file be written to.
pub(super) fn own_directory() -> Option<String> {
    let unit = unit()?;
    let place = std::env::var_os(STATE).filter(|place| !place.is_empty())?;
    Some(format!(
        "{unit} has {} for it",
        redact::path(Path::new(&place))
    ))
}

fn unit() -> Option<Shown> {
    let unit = std::env::var_os(UNIT).filter(|unit| !unit.is_empty())?;
    Some(redact::printable(unit.as_encoded_bytes()))
}

/// `closed` tells of a directory that this process may not enter it.
fn cure(
    unit: &str,
    path: &Path,
    bind: &str,
    errno: Errno,
    closed: impl Fn(&str) -> bool,
) -> Option<String> {
    let bind = (bind, Some(path));
    let within = |places: &[&str]| {
        let place = places.iter().find(|place| path.starts_with(place))?;
        // In a hidden home nothing is found, or nothing is allowed. If it may be entered, it is another's file.
        (errno == Errno::NOENT || errno == Errno::ACCESS && closed(place)).then_some(())
    };
    if within(&HOMES).is_some() {
        let drop_in = drop_in(unit, &[("ProtectHome=tmpfs", None), bind]);
        return Some(format!(
            "the sandbox hides home directories. Let this one in: {drop_in}"
        ));
    }
    if within(&TEMPORARY).is_some() {
        let drop_in = drop_in(unit, &[bind]);
        return Some(format!(
            "the sandbox has a /tmp, /var/tmp and /run of its own. Let this place in: {drop_in}"
        ));
    }
    (errno == Errno::ACCESS).then(|| {
        format!(
            "{unit} runs as user {}, who may not. If Odoo runs as another user, name that one: {}",
            geteuid().as_raw(),
            drop_in(unit, &[("User=NAME", None)])
        )
    })
}

/// The template of an instance's unit, and the instance: `a@.service` and `b` of `a@b.service`. None where the name has
/// escapes, which stand for other characters in paths and users.
fn instance(unit: &str) -> Option<(String, &str)> {
    let (prefix, rest) = unit.split_once('@')?;
    let (name, kind) = rest.rsplit_once('.')?;
    (!name.is_empty() && !name.contains('\\')).then(|| (format!("{prefix}@.{kind}"), name))
}

/// How to write a drop-in with these lines, each of them in backquotes; one may end in a path. If that holds the name of
/// the instance, the drop-in is one for the template, by which other instances in such places are served as well.
fn drop_in(unit: &str, lines: &[(&str, Option<&Path>)]) -> String {
    let of_template = instance(unit).filter(|_| !edited(unit));
    let shared = of_template.as_ref().and_then(|(template, name)| {
        let path = lines.iter().find_map(|(_, path)| *path)?;
        Some((template.as_str(), with_specifier(path, name)?))
    });
    let edit = shared.as_ref().map_or(unit, |(template, _)| *template);
    let mut out = format!("run `systemctl edit {edit}`, and write the lines `[Service]`");
    for (line, path) in lines {
        let shared = shared.as_ref().map(|(_, path)| path.clone());
        out.push_str(&match path
            .map(|path| shared.or_else(|| Some(redact::unit_path(path)?.to_string())))
        {
            None => format!(" and `{line}`"),
            Some(Some(path)) => format!(" and `{line}{path}`"),
            Some(None) => format!(" and {line} with its path"),
        });
    }
    if let Some((template, _)) = of_template
        .as_ref()
        .filter(|it| shared.is_none() && edited(&it.0))
    {
        out.push_str(&format!(
            ". They come in place of the drop-in of {template}: repeat its lines"
        ));
    }
    out
}

/// Whether `systemctl edit` was used on a unit.
fn edited(unit: &str) -> bool {
    let place = format!("{UNITS}/{unit}.d/override.conf");
    Path::new(&place).exists()
}

/// A path that needs no quotes, with `%i` where a directory is called like the instance, `odoo` and its name, or something,
/// `-` and its name. The `-` in front is for other instances, which may lie elsewhere.
fn with_specifier(path: &Path, name: &str) -> Option<String> {
    let text = path.to_str()?;
    let part = |part: &str| match part.strip_suffix(name) {
        Some("") => "%i".to_owned(),
        Some(before) if before == "odoo" || before.ends_with('-') => format!("{before}%i"),
        _ => part.to_owned(),
    };
    let parts: Vec<String> = text.split('/').map(part).collect();
    let general = parts.join("/");
    (*redact::unit_path(path)? == *text && general != text).then(|| format!("-{general}"))
}

/// Where a path leads, as far as its symlinks can be read: `sessions` may be a link into a home that is hidden.
fn leads_to(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..MOST_LINKS {
        let outermost = path
            .ancestors()
            .filter_map(|place| Some((place, place.read_link().ok()?)))
            .last();
        let Some((place, to)) = outermost else {
            break;
        };
        let rest = path.strip_prefix(place).unwrap_or(Path::new(""));
        path = place.parent().unwrap_or(place).join(to).join(rest);
    }
    // No link is left that a `..` could follow.
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            _ => clean.push(part),
        }
    }
    clean
}

/// Whether the file system that `path` lies on is read-only as a whole, and not only the mount, which is what the
/// sandbox makes of all of them (proc_pid_mountinfo(5)).
fn file_system_is_read_only(mounts: &[u8], path: &Path) -> bool {
    let mut longest = 0;
    let mut read_only = false;
    for line in mounts.split(|byte| *byte == b'\n') {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let Some(place) = fields.get(4) else {
            continue;
        };
        let place = unescaped(place);
        // Of mounts on one place, the last covers the others.
        if place.len() >= longest
            && path.starts_with(Path::new(std::ffi::OsStr::from_bytes(&place)))
        {
            longest = place.len();
            let options = fields.last().copied().unwrap_or_default();
            read_only = options
                .split(|byte| *byte == b',')
                .any(|option| option == b"ro");
        }
    }
    read_only
}

/// Blanks and backslashes are written as `\040`.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after.get(..3).filter(|_| byte == b'\\');
        let octal = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                rest = &after[3..];
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
