//! Files as a process sees them: in its own root, wherever its symlinks lead.
//!
//! The process may be a stranger's. So no link leads out of its root, only regular files are read, and not much of them.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2};
use rustix::io::Errno;

/// The most that is read of a file; Odoo's largest that matters here has 100 kB.
const LARGEST: u64 = 1 << 20;

/// The most names of a directory that are looked at; a `site-packages` has some hundreds.
const MOST_NAMES: usize = 16_384;

/// How often a path is tried again that changed on the way: a container that starts mounts some dozen places.
const MOST_TRIES: usize = 1_000;

/// The root of a process.
#[derive(Debug)]
pub struct Inside(OwnedFd);

impl Inside {
    /// # Errors
    /// What the kernel says where this user may not look into that process.
    pub fn of(pid: i32) -> io::Result<Inside> {
        let root = format!("/proc/{pid}/root");
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Inside(openat(CWD, root, flags, Mode::empty())?))
    }

    /// A handle that can only be asked what it is.
    fn at(&self, path: &Path) -> io::Result<OwnedFd> {
        // In a root of its own, "/x" is relative to that.
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        for _ in 0..MOST_TRIES {
            match openat2(&self.0, path, flags, Mode::empty(), resolve) {
                // Something was renamed or mounted meanwhile, so that a `..` might have led out.
                Err(Errno::AGAIN) => {}
                result => return Ok(result?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    pub fn stat(&self, path: &Path) -> io::Result<Stat> {
        Ok(fstat(self.at(path)?)?)
    }

    pub fn is_dir(&self, path: &Path) -> bool {
        self.stat(path)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    }

    /// The bytes of a regular file, and its metadata.
    pub fn read(&self, path: &Path) -> io::Result<(Vec<u8>, Stat)> {
        let handle = self.at(path)?;
        let stat = fstat(&handle)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("not a file"));
        }
        let again = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let mut bytes = Vec::new();
        File::open(again)?.take(LARGEST).read_to_end(&mut bytes)?;
        Ok((bytes, stat))
    }

    /// The path that a path leads to, without symlinks, in this root.
    pub fn real(&self, path: &Path) -> Option<PathBuf> {
        let led = |handle: &OwnedFd| {
            std::fs::read_link(format!("/proc/self/fd/{}", handle.as_raw_fd())).ok()
        };
        let (root, real) = (led(&self.0)?, led(&self.at(path).ok()?)?);
        Some(Path::new("/").join(real.strip_prefix(root).ok()?))
    }

    pub fn text(&self, path: &Path) -> Option<String> {
        let (bytes, _) = self.read(path).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What lies in a directory, sorted.
    pub fn list(&self, path: &Path) -> Vec<PathBuf> {
        let Ok(handle) = self.at(path) else {
            return Vec::new();
        };
        let again = format!("/proc/self/fd/{}", handle.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(CWD, again, flags, Mode::empty()).and_then(Dir::new);
        let names = dir.into_iter().flatten().flatten().take(MOST_NAMES);
        let names = names.filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        let mut paths: Vec<_> = names
            .filter(|name| name != "." && name != "..")
            .map(|name| path.join(name))
            .collect();
        paths.sort();
        paths
    }
}
