//! The way to the store, or to an `odoo.conf`: a path followed name by name on open directory handles, so that what was
//! looked at on the way is what led there.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, StatVfsMountFlags};
use rustix::io::{Errno, retry_on_intr};

use super::stat;

/// As many symlinks as Linux follows (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Write permission of the group and of everybody, and the bit that leaves renaming to a file's owner.
const OTHERS_WRITE: u16 = 0o022;
const STICKY: u16 = 0o1000;

/// A symlink on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where it lies, with the symlinks before it resolved.
    pub path: PathBuf,
    /// Whose it is.
    pub uid: u32,
    /// Whose the directory is that it lies in.
    pub dir_uid: u32,
    /// The permissions there.
    pub dir_mode: u16,
}

impl Link {
    /// Whether it is root's, in a directory that only root may change: elsewhere somebody could have moved or linked one
    /// of root's links to where it is.
    pub fn is_of_root_alone(&self) -> bool {
        self.uid == 0 && self.dir_uid == 0 && self.dir_mode & OTHERS_WRITE == 0
    }

    /// Why root must not be led by it to what is done to the store of user `owner`, if it must not: somebody else made
    /// it, or could have moved one of root's own to where it is.
    pub fn doubt(&self, owner: u32) -> Option<String> {
        if self.uid != 0 {
            return (self.uid != owner).then(|| format!("of user {}", self.uid));
        }
        if self.dir_uid != 0 && self.dir_uid != owner {
            return Some(format!("in a directory of user {}", self.dir_uid));
        }
        (self.dir_mode & OTHERS_WRITE != 0 && self.dir_mode & STICKY == 0)
            .then(|| "in a directory that others may write to".into())
    }
}

/// A file or directory, and how a path led there.
#[derive(Debug)]
pub struct Way {
    /// What it led to; a directory can be opened from.
    pub end: OwnedFd,
    /// Its path without symlinks.
    pub resolved: PathBuf,
    /// The symlinks that were followed.
    pub links: Vec<Link>,
}

/// Follows a path to a directory. That needs permission to search only.
///
/// # Errors
/// What the kernel says of a name on the way: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`.
pub fn follow(path: &Path) -> Result<Way, Errno> {
    let way = follow_to_any(path)?;
    match stat::of(way.end.as_fd())?.file_type {
        FileType::Directory => Ok(way),
        _ => Err(Errno::NOTDIR),
    }
}

/// Follows a path to whatever it leads to.
///
/// # Errors
/// As [`follow`].
pub fn follow_to_any(path: &Path) -> Result<Way, Errno> {
    walk(path, false).map(|(way, _)| way)
}

/// Follows a path to the directory of a file that need not be there yet, and to its name there; what is there is no
/// symlink. The name is empty if the path has none.
///
/// # Errors
/// As [`follow`].
pub fn follow_to_name(path: &Path) -> Result<(Way, OsString), Errno> {
    walk(path, true)
}

fn walk(path: &Path, to_name: bool) -> Result<(Way, OsString), Errno> {
    let path = std::path::absolute(path)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::NOENT))?;
    let mut names = Vec::new();
    put(&mut names, &path);
    let mut way = root()?;
    while let Some(name) = names.pop() {
        let is_wanted = to_name && names.is_empty();
        let (found, file_type) = match open(way.end.as_fd(), &name) {
            Err(Errno::NOENT) if is_wanted => return Ok((way, name)),
            opened => opened?,
        };
        match file_type {
            other if is_wanted && other != FileType::Symlink => return Ok((way, name)),
            FileType::Directory => {
                if name == ".." {
                    way.resolved.pop();
                } else {
                    way.resolved.push(&name);
                }
                way.end = found;
            }
            FileType::Symlink => {
                let dir = stat::of(way.end.as_fd())?;
                // Nobody writes there, whatever the permissions say: so is a ConfigMap of Kubernetes mounted, mode 0777.
                let read_only = rustix::fs::fstatvfs(&way.end)
                    .is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY));
                let taken = if read_only { OTHERS_WRITE } else { 0 };
                way.links.push(Link {
                    path: way.resolved.join(&name),
                    uid: stat::of(found.as_fd())?.uid,
                    dir_uid: dir.uid,
                    dir_mode: dir.mode & !taken,
                });
                if way.links.len() > MOST_LINKS {
                    return Err(Errno::LOOP);
                }
                let target = retry_on_intr(|| rustix::fs::readlinkat(&found, c"", Vec::new()))?;
                let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                if target.is_absolute() {
                    way = Way {
                        links: way.links,
                        ..root()?
                    };
                }
                put(&mut names, &target);
            }
            // A name after it is refused by the system.
            _ => {
                way.resolved.push(&name);
                way.end = found;
            }
        }
    }
    Ok((way, OsString::new()))
}

fn root() -> Result<Way, Errno> {
    Ok(Way {
        end: open(CWD, OsStr::new("/"))?.0,
        resolved: PathBuf::from("/"),
        links: Vec::new(),
    })
}

/// Puts the names of a path on top of those that are still to be followed.
fn put(names: &mut Vec<OsString>, path: &Path) {
    let new = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.extend(new);
}

/// What a name stands for, itself and not what it may lead to.
fn open(dir: BorrowedFd<'_>, name: &OsStr) -> Result<(OwnedFd, FileType), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = |flags| retry_on_intr(|| rustix::fs::openat(dir, name, flags, Mode::empty()));
    // Only who asks for a directory has an automount mounted.
    match open(flags | OFlags::DIRECTORY) {
        Ok(found) => Ok((found, FileType::Directory)),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let found = open(flags)?;
            let file_type = stat::of(found.as_fd())?.file_type;
            Ok((found, file_type))
        }
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// `real/store`, `abs` → `real`, `to/rel` → `../abs/store`, `self` → `self`, and a file.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(at.join("real/store")).unwrap();
        std::fs::create_dir(at.join("to")).unwrap();
        std::fs::write(at.join("file"), "").unwrap();
        symlink(at.join("real"), at.join("abs")).unwrap();
        symlink("../abs/store", at.join("to/rel")).unwrap();
        symlink("self", at.join("self")).unwrap();
        symlink("file", at.join("to-file")).unwrap();
        (dir, at)
    }

    #[test]
    fn leads_where_the_system_leads_and_tells_each_link() {
        let (_dir, at) = place();
        for (path, links) in [
            ("real/store", &[][..]),
            ("real/./store/../store/", &[]),
            ("abs/store", &["abs"]),
            ("abs/../abs/store", &["abs", "abs"]),
            ("to/rel", &["to/rel", "abs"]),
            ("to/rel/../../to/rel", &["to/rel", "abs", "to/rel", "abs"]),
            ("../../../../../../../..", &[]),
        ] {
            let path = at.join(path);
            let way = follow(&path).unwrap();
            assert_eq!(way.resolved, path.canonicalize().unwrap());
            let told: Vec<_> = way.links.iter().map(|link| link.path.clone()).collect();
            let links: Vec<_> = links.iter().map(|link| at.join(link)).collect();
            assert_eq!(told, links, "{path:?}");
            let end = stat::of(way.end.as_fd()).unwrap();
            let meant = std::fs::File::open(&path).unwrap();
            assert_eq!(end.ino, stat::of(meant.as_fd()).unwrap().ino);
        }
    }

    #[test]
    fn refuses_what_the_system_refuses() {
        let (_dir, at) = place();
        for (path, errno) in [
            ("nothing", Errno::NOENT),
            ("real/nothing/..", Errno::NOENT),
            ("file", Errno::NOTDIR),
            ("file/..", Errno::NOTDIR),
            ("to-file", Errno::NOTDIR),
            ("self", Errno::LOOP),
        ] {
            assert_eq!(follow(&at.join(path)).err(), Some(errno), "{path}");
        }
        assert_eq!(
            follow_to_any(&at.join("to-file/..")).err(),
            Some(Errno::NOTDIR)
        );
        let way = follow_to_any(&at.join("to-file")).unwrap();
        assert_eq!((way.resolved, way.links.len()), (at.join("file"), 1));
    }

    #[test]
    fn root_is_led_by_links_that_nobody_else_put_there() {
        const OWNER: u32 = 5_002;
        const OTHER: u32 = 5_001;
        // Whose link, in whose directory, of which mode; whether it leads root.
        for (uid, dir_uid, dir_mode, leads) in [
            (0, 0, 0o755, true),
            (0, OWNER, 0o750, true),
            (0, 0, 0o1777, true),
            (OWNER, OWNER, 0o775, true),
            (0, OTHER, 0o755, false),
            (0, OTHER, 0o1777, false),
            (0, 0, 0o775, false),
            (0, OWNER, 0o757, false),
            (OTHER, 0, 0o755, false),
        ] {
            let link = Link {
                path: PathBuf::from("link"),
                uid,
                dir_uid,
                dir_mode,
            };
            assert_eq!(link.doubt(OWNER).is_none(), leads, "{link:?}");
        }
    }
}
