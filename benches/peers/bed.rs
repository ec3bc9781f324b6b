//! Where a store is measured: it can be put back as it was, as often as needed.
//!
//! That is an ext4 file system in a file. Unlinking changes metadata only, and without `discard` the data blocks
//! stay as they were. So it is enough to keep a copy of the metadata (`e2image -r`: inode tables, directories, bitmaps;
//! 70 MiB of 900) and to write that back.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use odoo_session_reaper::demo::Layout;
use rustix::fs::SeekFrom;

use crate::args::Options;
use crate::slow::Slow;
use crate::store::Kind;
use crate::tool::{self, finish, run};

/// As `mkfs.ext4` gives it to a disk of 64 GiB or so.
const JOURNAL_MIB: u32 = 512;

/// Whether the kernel knows the store already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    Warm,
    Cold,
}

/// Where a store is measured.
pub struct Bed {
    /// Holds the image, its copies and its mount point.
    dir: tempfile::TempDir,
    mounted: bool,
    is_slow: bool,
    slow: Option<Slow>,
}

impl Bed {
    /// Makes a store of this kind.
    pub fn make(options: &Options, kind: Kind, layout: Layout) -> Result<Bed> {
        let files = kind.files(options);
        eprintln!("making a {} store of {files} files", tool::name(layout));
        let new = tempfile::Builder::new();
        let mut bed = Bed {
            dir: { new }.prefix("peers-").tempdir_in(&options.dir)?,
            mounted: false,
            is_slow: kind == Kind::Slow,
            slow: None,
        };
        std::fs::create_dir(bed.at("mount"))?;
        std::fs::create_dir(bed.at("slow"))?;
        bed.make_image(files)?;
        kind.make(options, layout, &bed.behind())?;
        bed.freeze()?;
        Ok(bed)
    }

    /// Odoo's data_dir.
    pub fn data_dir(&self) -> PathBuf {
        match self.is_slow {
            true => self.at("slow/data"),
            false => self.behind(),
        }
    }

    /// The same, without anything slow before it.
    pub fn behind(&self) -> PathBuf {
        self.at("mount/data")
    }

    /// What slows it down.
    pub fn slow(&self) -> Option<&Slow> {
        self.slow.as_ref()
    }

    /// Puts the store back as it was made. A run that only deletes needs metadata alone; one that also saves, everything.
    pub fn restore(&mut self, cache: Cache, everything: bool) -> Result<()> {
        self.unmount()?;
        let (image, whole) = (self.at("ext4"), self.at("whole"));
        let copy = |from: &Path, to: &Path| {
            let words = "cp --sparse=always --reflink=auto";
            run(words, &[from.as_ref(), to.as_ref()])
        };
        if !everything || !whole.exists() {
            copy_what_is_there(&self.at("metadata"), &image)?;
        }
        if everything {
            // The first time, there is only the image itself to be kept.
            if !whole.exists() {
                copy(&image, &whole)?;
            }
            copy(&whole, &image)?;
        }
        File::open(&image)?.sync_all()?;
        self.mount(cache)?;
        if self.is_slow {
            self.slow = Some(Slow::mount(&self.at("mount"), &self.at("slow"))?);
        }
        Ok(())
    }

    /// Lets nothing of what happened before go on in a timed run.
    pub fn settle(&self) -> Result<()> {
        Ok(rustix::fs::syncfs(File::open(self.behind())?)?)
    }

    /// Forgets everything that the kernel knows of it.
    pub fn chill(&self) -> Result<()> {
        self.settle()?;
        std::fs::write("/proc/sys/vm/drop_caches", "3").context("cannot drop caches")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An empty file system with room for `files` small files, mounted.
    fn make_image(&mut self, files: u64) -> Result<()> {
        let image = self.at("ext4");
        // mkfs makes an inode for every 16 KiB; only what is used takes room on the disk. Less has no room for the journal.
        File::create(&image)?.set_len((1 << 30) + files.max(2_000) * 20 * 1024)?;
        let mkfs = "mkfs.ext4 -q -F -b 4096 -O ^has_journal -E nodiscard";
        run(mkfs, &[image.as_ref()])?;
        self.mount(Cache::Warm)
    }

    /// Remembers the file system as it is now.
    fn freeze(&mut self) -> Result<()> {
        self.unmount()?;
        let image = self.at("ext4");
        // Only now, so that the journal holds nothing that would have to be put back.
        run(&format!("tune2fs -J size={JOURNAL_MIB}"), &[image.as_ref()])?;
        run(
            "e2image -r",
            &[image.as_ref(), self.at("metadata").as_ref()],
        )?;
        Ok(File::open(image)?.sync_all()?)
    }

    fn mount(&mut self, cache: Cache) -> Result<()> {
        // Warm, the image itself may be cached, which makes warming quick; cold, only the disk may have it.
        let direct = if cache == Cache::Cold { "on" } else { "off" };
        let attach = format!("losetup --find --show --direct-io={direct}");
        let device = run(&attach, &[self.at("ext4").as_ref()])?;
        let options = "mount -t ext4 -o noinit_itable,nodiscard";
        let mounted = run(options, &[OsStr::new(&device), self.at("mount").as_ref()]);
        self.mounted = mounted.is_ok();
        // The kernel now lets go of the device together with the mount.
        finish("losetup -d", &[device.as_ref()])?;
        mounted.map(drop)
    }

    fn unmount(&mut self) -> Result<()> {
        self.slow = None;
        if std::mem::take(&mut self.mounted) {
            finish("umount", &[self.at("mount").as_ref()])?;
        }
        // A file system that lives on somewhere would write into what is put back.
        let busy = finish("losetup -j", &[self.at("ext4").as_ref()])?;
        ensure!(busy.is_empty(), "somebody keeps the loop image busy");
        Ok(())
    }
}

/// The directory with the files goes after this, of itself.
impl Drop for Bed {
    fn drop(&mut self) {
        self.slow = None;
        let mount = self.at("mount");
        if self.mounted {
            let _ = finish("umount -l", &[mount.as_ref()]);
        }
    }
}

/// Copies everything but the holes of a sparse file.
fn copy_what_is_there(from: &Path, to: &Path) -> Result<()> {
    let (from, to) = (File::open(from)?, File::options().write(true).open(to)?);
    let mut buffer = vec![0; 1 << 20];
    let mut position = 0;
    loop {
        position = match rustix::fs::seek(&from, SeekFrom::Data(position)) {
            Err(rustix::io::Errno::NXIO) => return Ok(()),
            start => start.context("cannot find the metadata")?,
        };
        let end = rustix::fs::seek(&from, SeekFrom::Hole(position))?;
        while position < end {
            let length = buffer.len().min((end - position) as usize);
            from.read_exact_at(&mut buffer[..length], position)?;
            to.write_all_at(&buffer[..length], position)?;
            position += length as u64;
        }
    }
}
