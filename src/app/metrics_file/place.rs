//! The directory that a metrics file lies in, opened once, and its name there.
//!
//! Everything is done through that handle, so whatever others make of the path meanwhile, what is written is the
//! place that was looked at.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::store::way::{self, Link};

/// More than a metrics file of ours ever has.
const LARGEST_FILE: u64 = 1 << 20;

/// Names that are tried for a new file; each is one of 2⁶⁴.
const MOST_TRIES: usize = 16;

/// Where a metrics file lies.
#[derive(Debug)]
pub(super) struct Place {
    /// With `O_PATH`: a directory that may be written to need not be one that may be listed.
    directory: OwnedFd,
    name: OsString,
}

impl Place {
    /// Goes where `path` leads, also from there: an administrator may link node_exporter's directory to the file,
    /// or the file to that directory, and a link is to stay a link.
    ///
    /// Root follows only its own links, and these only in directories where nobody else could have put them: it could
    /// be made to write anywhere.
    ///
    /// # Errors
    /// What the kernel says, or that root does not follow a link.
    pub(super) fn open(path: &Path) -> io::Result<Place> {
        let (way, name) = way::follow_to_name(path).map_err(|errno| match errno {
            Errno::NOENT => io::Error::other("its directory was not found, make it first"),
            errno => errno.into(),
        })?;
        if geteuid().is_root() && !way.links.iter().all(Link::is_of_root_alone) {
            return Err(io::Error::other(
                "a symlink of another user, or in a directory that others may change, leads there",
            ));
        }
        if name.is_empty() {
            return Err(not_a_file());
        }
        Ok(Place {
            directory: way.end,
            name,
        })
    }

    /// Whether something holds for the directory or one above it; it is asked with each one and its parent.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn lies_in(
        &self,
        mut one: impl FnMut(&Stat, BorrowedFd<'_>) -> bool,
    ) -> io::Result<bool> {
        let mut here = rustix::io::fcntl_dupfd_cloexec(&self.directory, 0)?;
        loop {
            let parent = open(
                here.as_fd(),
                OsStr::new(".."),
                OFlags::DIRECTORY | OFlags::PATH,
            )?;
            let stat = rustix::fs::fstat(&here)?;
            if one(&stat, parent.as_fd()) {
                return Ok(true);
            }
            if same(&stat, &rustix::fs::fstat(&parent)?) {
                return Ok(false);
            }
            here = parent;
        }
    }

    /// Refuses to write as root into a directory that belongs neither to root nor to `owner`, the store's owner.
    ///
    /// Its permissions are not asked. Whoever else may write there can take the file away before and after us, but
    /// he cannot lead the writing elsewhere: it goes through the handle, to a new file, and links are not followed.
    ///
    /// # Errors
    /// A sentence that names the directory's owner.
    pub(super) fn may_be_written_by_root(&self, owner: Option<u32>) -> io::Result<()> {
        let uid = rustix::fs::fstat(&self.directory)?.st_uid;
        if !geteuid().is_root() || uid == 0 || Some(uid) == owner {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "its directory belongs to user {uid}, neither root nor the store's owner, and root does not write there"
        )))
    }

    /// What lies there, if it is a text; of a longer one than ours ever are, its beginning.
    ///
    /// # Errors
    /// What the kernel says, or that it is no file or no text.
    pub(super) fn content(&self) -> io::Result<String> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(open(self.directory.as_fd(), &self.name, flags)?);
        regular(&rustix::fs::fstat(&file)?)?;
        let mut text = String::new();
        file.take(LARGEST_FILE).read_to_string(&mut text)?;
        Ok(text)
    }

    /// Refuses a FIFO, a device or a directory: opening one may block or do something, and a rename would replace it.
    ///
    /// # Errors
    /// That, or what the kernel says.
    pub(super) fn is_for_a_file(&self) -> io::Result<()> {
        match rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => regular(&stat),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Puts a new file in the place of the old one, which stays whole until then.
    ///
    /// # Errors
    /// What the kernel says. Then nothing has changed.
    pub(super) fn replace(&self, text: &str) -> io::Result<()> {
        self.is_for_a_file()?;
        let (file, new) = self.new_file()?;
        let replaced = fill(file, text).and_then(|()| {
            rustix::fs::renameat(&self.directory, &new, &self.directory, &self.name)?;
            Ok(())
        });
        if replaced.is_err() {
            // What went wrong is told already.
            let _ = rustix::fs::unlinkat(&self.directory, &new, AtFlags::empty());
        }
        replaced
    }

    /// A file that nobody else has, beside the one to be written.
    fn new_file(&self) -> io::Result<(File, String)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut tries = 0..MOST_TRIES;
        loop {
            // node_exporter reads *.prom only, so it never sees this one.
            let name = format!(".odoo-session-reaper-{:016x}", fastrand::u64(..));
            match rustix::fs::openat(&self.directory, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => return Ok((file.into(), name)),
                Err(Errno::EXIST) if tries.next().is_some() => {}
                Err(errno) => return Err(io::Error::from(errno).kind().into()),
            }
        }
    }
}

fn fill(mut file: File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    // Whatever the umask is: node_exporter is another user.
    rustix::fs::fchmod(&file, Mode::from_raw_mode(0o644))?;
    Ok(())
}

fn open(directory: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::empty())
}

/// Whether two descriptions are of one file.
pub(super) fn same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

fn regular(stat: &Stat) -> io::Result<()> {
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        Ok(())
    } else {
        Err(not_a_file())
    }
}

fn not_a_file() -> io::Error {
    io::Error::other("something else than a file is there")
}
