//! Where a store is measured: it can be put back as it was, as often as needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::args::Options;
use crate::image::Image;
use crate::store::{Kind, Layout};
use crate::tool;

/// Whether the kernel knows the store already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    Warm,
    Cold,
}

/// Where a store is measured.
pub enum Bed {
    /// A file system of its own.
    Image(Image),
    /// Without root: a directory, and its copy.
    Directory(Directory),
}

impl Bed {
    /// Makes a store of this kind.
    pub fn make(options: &Options, kind: Kind, layout: Layout) -> Result<Bed> {
        let files = kind.files(options);
        eprintln!("making a {} store of {files} files", layout.name());
        let make = |data_dir: &Path| kind.make(options, layout, data_dir);
        if tool::is_root() && !options.no_image {
            match Image::make(&options.dir, files) {
                Ok(mut image) => {
                    make(&image.data_dir())?;
                    image.freeze()?;
                    return Ok(Bed::Image(image));
                }
                Err(error) => eprintln!("no loop image, a plain directory instead: {error:#}"),
            }
        } else {
            eprintln!("not root: a plain directory instead of a loop image, and nothing cold");
        }
        let dir = tempfile::Builder::new()
            .prefix("peers-")
            .tempdir_in(&options.dir)?;
        make(&dir.path().join("pristine"))?;
        Ok(Bed::Directory(Directory(dir)))
    }

    /// Odoo's data_dir.
    pub fn data_dir(&self) -> PathBuf {
        match self {
            Bed::Image(image) => image.data_dir(),
            Bed::Directory(Directory(dir)) => dir.path().join("data"),
        }
    }

    /// The store.
    pub fn sessions(&self) -> PathBuf {
        self.data_dir().join("sessions")
    }

    /// Whether caches can be dropped for it.
    pub fn can_be_cold(&self) -> bool {
        matches!(self, Bed::Image(_))
    }

    /// Puts the store back as it was made. A run that only deletes needs metadata alone; one that also saves, everything.
    pub fn restore(&mut self, cache: Cache, everything: bool) -> Result<()> {
        match self {
            Bed::Image(image) => image.restore(cache, everything),
            Bed::Directory(directory) => directory.restore(),
        }
    }

    /// Lets nothing of what happened before go on in a timed run.
    pub fn settle(&self) -> Result<()> {
        rustix::fs::syncfs(std::fs::File::open(self.data_dir())?)?;
        Ok(())
    }

    /// Forgets everything that the kernel knows of it.
    pub fn chill(&self) -> Result<()> {
        self.settle()?;
        std::fs::write("/proc/sys/vm/drop_caches", "3").context("cannot drop caches")
    }
}

/// A store in a directory, and a copy to work on.
pub struct Directory(tempfile::TempDir);

impl Directory {
    fn restore(&self) -> Result<()> {
        let copy = self.0.path().join("data");
        if copy.exists() {
            std::fs::remove_dir_all(&copy)?;
        }
        let pristine = self.0.path().join("pristine");
        tool::run(Command::new("cp").arg("-a").arg(pristine).arg(copy))?;
        Ok(())
    }
}
