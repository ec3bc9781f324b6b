//! An ext4 file system in a file, which can be put back as it was in a blink.
//!
//! Unlinking changes metadata only, and without `discard` the data blocks stay as they were. So it is enough to keep a
//! copy of the metadata (`e2image -r`: inode tables, directories, bitmaps; 70 MiB of 900) and to write that back.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::fs::SeekFrom;

use crate::bed::Cache;
use crate::tool;

/// As `mkfs.ext4` gives it to a disk of 64 GiB or so.
const JOURNAL_MIB: u32 = 512;

/// The image, its pristine copies, and its mount.
pub struct Image {
    /// Holds all files below.
    dir: tempfile::TempDir,
    mounted: bool,
}

impl Image {
    /// Makes an empty file system with room for `files` small files, and mounts it.
    pub fn make(dir: &Path, files: u64) -> Result<Image> {
        let dir = tempfile::Builder::new().prefix("peers-").tempdir_in(dir)?;
        std::fs::create_dir(dir.path().join("mount"))?;
        let mut image = Image {
            dir,
            mounted: false,
        };
        // mkfs makes an inode for every 16 KiB; only what is used takes room on the disk.
        File::create(image.file())?.set_len((1 << 30) + files * 20 * 1024)?;
        let mkfs = [
            "-q",
            "-F",
            "-b",
            "4096",
            "-O",
            "^has_journal",
            "-E",
            "nodiscard",
        ];
        tool::run(Command::new("mkfs.ext4").args(mkfs).arg(image.file()))?;
        image.mount(Cache::Warm)?;
        Ok(image)
    }

    /// Remembers the file system as it is now.
    pub fn freeze(&mut self) -> Result<()> {
        self.unmount()?;
        // Only now, so that the journal holds nothing that would have to be put back.
        let journal = format!("size={JOURNAL_MIB}");
        tool::run(
            Command::new("tune2fs")
                .args(["-J", &journal])
                .arg(self.file()),
        )?;
        tool::run(
            Command::new("e2image")
                .arg("-r")
                .arg(self.file())
                .arg(self.metadata()),
        )?;
        File::open(self.file())?.sync_all()?;
        Ok(())
    }

    /// Odoo's data_dir.
    pub fn data_dir(&self) -> PathBuf {
        self.mount_point().join("data")
    }

    /// Puts the file system back and mounts it.
    pub fn restore(&mut self, cache: Cache, everything: bool) -> Result<()> {
        self.unmount()?;
        if everything {
            self.restore_everything()?;
        } else {
            copy_what_is_there(&File::open(self.metadata())?, &self.open()?)?;
        }
        self.open()?.sync_all()?;
        self.mount(cache)
    }

    /// The first time, there is only the image itself to be kept.
    fn restore_everything(&self) -> Result<()> {
        let copy = |from: PathBuf, to: PathBuf| {
            let sparse = ["--sparse=always", "--reflink=auto"];
            tool::run(Command::new("cp").args(sparse).arg(from).arg(to))
        };
        if !self.whole().exists() {
            copy_what_is_there(&File::open(self.metadata())?, &self.open()?)?;
            copy(self.file(), self.whole())?;
        }
        copy(self.whole(), self.file())?;
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        File::options().write(true).open(self.file())
    }

    fn mount(&mut self, cache: Cache) -> Result<()> {
        // Warm, the image itself may be cached, which makes warming quick; cold, only the disk may have it.
        let direct = match cache {
            Cache::Warm => "--direct-io=off",
            Cache::Cold => "--direct-io=on",
        };
        let attach = ["--find", "--show", direct];
        let device = tool::run(Command::new("losetup").args(attach).arg(self.file()))?;
        let mounted = tool::run(
            Command::new("mount")
                .args(["-t", "ext4", "-o", "noinit_itable,nodiscard", &device])
                .arg(self.mount_point()),
        );
        self.mounted = mounted.is_ok();
        // The kernel now lets go of the device together with the mount.
        tool::finish(Command::new("losetup").args(["-d", &device]))?;
        mounted.map(drop)
    }

    fn unmount(&mut self) -> Result<()> {
        let mut tries = 0;
        while self.mounted {
            let unmounted = tool::finish(Command::new("umount").arg(self.mount_point()));
            tries += 1;
            match unmounted {
                Ok(_) => self.mounted = false,
                // Somebody looks at it: a desktop, an indexer.
                Err(_) if tries < 20 => std::thread::sleep(Duration::from_millis(100)),
                Err(error) => return Err(error),
            }
        }
        self.wait_for_the_device()
    }

    /// A file system that lives on somewhere (in a copy of the mount table, say) would write into what is put back.
    fn wait_for_the_device(&self) -> Result<()> {
        let mut tries = 0;
        while !tool::finish(Command::new("losetup").arg("-j").arg(self.file()))?.is_empty() {
            tries += 1;
            ensure!(tries < 50, "somebody keeps the loop image busy");
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn mount_point(&self) -> PathBuf {
        self.dir.path().join("mount")
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("ext4")
    }

    fn metadata(&self) -> PathBuf {
        self.dir.path().join("metadata")
    }

    fn whole(&self) -> PathBuf {
        self.dir.path().join("whole")
    }
}

/// The directory with the files goes after this, of itself.
impl Drop for Image {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            eprintln!(
                "{} is still mounted: {error:#}",
                self.mount_point().display()
            );
            let _ = tool::finish(Command::new("umount").arg("-l").arg(self.mount_point()));
        }
    }
}

/// Copies everything but the holes of a sparse file.
fn copy_what_is_there(from: &File, to: &File) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    let mut position = 0;
    loop {
        let start = match rustix::fs::seek(from, SeekFrom::Data(position)) {
            Ok(start) => start,
            Err(rustix::io::Errno::NXIO) => return Ok(()),
            Err(error) => return Err(error).context("cannot find the metadata"),
        };
        position = start;
        let end = rustix::fs::seek(from, SeekFrom::Hole(start))?;
        while position < end {
            let length = buffer.len().min((end - position) as usize);
            from.read_exact_at(&mut buffer[..length], position)?;
            to.write_all_at(&buffer[..length], position)?;
            position += length as u64;
        }
    }
}
