//! A store on which each call takes a millisecond longer, as over a network: a FUSE server that passes everything on.
//!
//! It answers [`LOOPS`] requests at the same time, and asks the kernel for what NFS has: names looked up in parallel
//! (`FUSE_PARALLEL_DIROPS`, which libfuse 3.14 does not ask for by itself), and listings that tell of the first files what
//! they are (`READDIRPLUS`). What it told is believed for a second, the default of libfuse; sshfs says 20, NFS 3 to 60.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result};
use fuser::*;

/// What a call takes longer.
const LATENCY: Duration = Duration::from_millis(1);
/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(1);
/// More than all that ask.
const LOOPS: usize = 64;

/// A mount, until it is dropped.
pub struct Slow {
    session: Option<BackgroundSession>,
    calls: Arc<Calls>,
}

/// How often each call was made, and what was deleted while it was open: NFS and libfuse rename that.
type Calls = Mutex<BTreeMap<&'static str, u64>>;

impl Slow {
    /// Mounts what is `behind` at `place`.
    pub fn mount(behind: &Path, place: &Path) -> Result<Slow> {
        let calls = Arc::new(Calls::default());
        let server = Server {
            paths: Mutex::new(HashMap::from([(INodeNo::ROOT.0, behind.to_owned())])),
            open: Mutex::default(),
            listed: Mutex::default(),
            last: AtomicU64::new(0),
            calls: calls.clone(),
        };
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("slow".into())];
        config.acl = SessionACL::All;
        config.n_threads = Some(LOOPS);
        config.clone_fd = true;
        let session = spawn_mount(server, place, &config).context("cannot mount a FUSE")?;
        Ok(Slow {
            session: Some(session),
            calls,
        })
    }

    /// What was asked since the last time.
    pub fn take_calls(&self) -> String {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        let told = calls.iter().map(|(name, calls)| format!("{calls} {name}"));
        told.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.session.take().map(BackgroundSession::umount_and_join) {
            eprintln!("cannot unmount a FUSE: {error}");
        }
    }
}

struct Server {
    /// Where an inode is, by the number that it has behind.
    paths: Mutex<HashMap<u64, PathBuf>>,
    open: Mutex<HashMap<u64, Arc<File>>>,
    /// What a directory held when it was opened.
    listed: Mutex<HashMap<u64, Arc<Vec<OsString>>>>,
    /// The last handle.
    last: AtomicU64,
    calls: Arc<Calls>,
}

type Answer<T> = io::Result<T>;

fn gone() -> io::Error {
    rustix::io::Errno::NOENT.into()
}

impl Server {
    fn wait(&self, call: &'static str) {
        self.count(call);
        sleep(LATENCY);
    }

    fn count(&self, call: &'static str) {
        *self.calls.lock().unwrap().entry(call).or_default() += 1;
    }

    fn path(&self, ino: INodeNo) -> Answer<PathBuf> {
        let path = self.paths.lock().unwrap().get(&ino.0).cloned();
        path.ok_or_else(gone)
    }

    fn child(&self, parent: INodeNo, name: &OsStr) -> Answer<PathBuf> {
        Ok(self.path(parent)?.join(name))
    }

    fn found(&self, path: PathBuf) -> Answer<Metadata> {
        let about = path.symlink_metadata()?;
        self.paths.lock().unwrap().insert(about.ino(), path);
        Ok(about)
    }

    fn file(&self, handle: FileHandle) -> Answer<Arc<File>> {
        let file = self.open.lock().unwrap().get(&handle.0).cloned();
        file.ok_or_else(gone)
    }

    fn handle(&self) -> FileHandle {
        FileHandle(self.last.fetch_add(1, Ordering::Relaxed))
    }

    fn opened(&self, file: File) -> FileHandle {
        let handle = self.handle();
        self.open.lock().unwrap().insert(handle.0, Arc::new(file));
        handle
    }

    /// What an inode is, by its handle if it is open.
    fn about(&self, ino: INodeNo, handle: Option<FileHandle>) -> Answer<Metadata> {
        if let Some(handle) = handle {
            return self.file(handle)?.metadata();
        }
        let about = self.path(ino)?.symlink_metadata()?;
        // Another has taken its place.
        let is_it = ino == INodeNo::ROOT || about.ino() == ino.0;
        is_it.then_some(about).ok_or_else(gone)
    }

    /// Opens an inode for reading, or a new file for writing as well.
    fn open(&self, path: &Path, new: Option<u32>) -> Answer<(FileHandle, Metadata)> {
        let mut options = File::options();
        options.read(true);
        if let Some(mode) = new {
            options.write(true).create_new(true).mode(mode);
        }
        let file = options.open(path)?;
        let about = file.metadata()?;
        Ok((self.opened(file), about))
    }

    fn delete(&self, path: &Path) -> Answer<()> {
        let ino = path.symlink_metadata()?.ino();
        let is_it = |file: &Arc<File>| file.metadata().is_ok_and(|about| about.ino() == ino);
        if self.open.lock().unwrap().values().any(is_it) {
            self.count("unlink while open");
        }
        fs::remove_file(path)
    }

    fn moved(&self, from: &Path, to: PathBuf) -> Answer<()> {
        fs::rename(from, &to)?;
        self.found(to).map(drop)
    }

    /// The names from `offset` on with their places.
    fn names(&self, handle: FileHandle, offset: u64) -> impl Iterator<Item = (u64, OsString)> {
        let names = self.listed.lock().unwrap().get(&handle.0).cloned();
        let names = names.unwrap_or_default();
        (offset..names.len() as u64).map(move |place| (place + 1, names[place as usize].clone()))
    }

    fn list(&self, path: &Path) -> Answer<FileHandle> {
        let names: io::Result<Vec<_>> = fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name()))
            .collect();
        let handle = self.handle();
        self.listed.lock().unwrap().insert(handle.0, names?.into());
        Ok(handle)
    }
}

fn attributes(about: &Metadata) -> FileAttr {
    let since =
        |seconds: i64, nanos: i64| UNIX_EPOCH + Duration::new(seconds.max(0) as u64, nanos as u32);
    FileAttr {
        ino: INodeNo(about.ino()),
        size: about.size(),
        blocks: about.blocks(),
        atime: since(about.atime(), about.atime_nsec()),
        mtime: since(about.mtime(), about.mtime_nsec()),
        ctime: since(about.ctime(), about.ctime_nsec()),
        crtime: UNIX_EPOCH,
        kind: FileType::from_std(about.file_type()).unwrap_or(FileType::RegularFile),
        perm: (about.mode() & 0o7777) as u16,
        nlink: about.nlink() as u32,
        uid: about.uid(),
        gid: about.gid(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// What tells two files apart that had the same inode number one after the other.
fn generation(about: &Metadata) -> Generation {
    let born = about.created().ok();
    let since = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    Generation(since.map_or(0, |since| since.as_nanos() as u64))
}

/// Answers with what was found, or why not.
macro_rules! answer {
    ($reply:ident, $answer:expr, $found:pat => $said:expr) => {
        match $answer {
            Ok($found) => $said,
            Err(error) => $reply.error(error.into()),
        }
    };
}

#[rustfmt::skip]
impl Filesystem for Server {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        let wanted = InitFlags::FUSE_PARALLEL_DIROPS
            | InitFlags::FUSE_DO_READDIRPLUS
            | InitFlags::FUSE_READDIRPLUS_AUTO;
        config.add_capabilities(wanted).map_err(|_| io::ErrorKind::Unsupported.into())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.wait("lookup");
        let found = self.child(parent, name).and_then(|path| self.found(path));
        answer!(reply, found, about => reply.entry(&BELIEVED, &attributes(&about), generation(&about)));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, handle: Option<FileHandle>, reply: ReplyAttr) {
        self.wait("getattr");
        answer!(reply, self.about(ino, handle), about => reply.attr(&BELIEVED, &attributes(&about)));
    }

    fn setattr(
        &self, _: &Request, ino: INodeNo, mode: Option<u32>, _: Option<u32>, _: Option<u32>, _: Option<u64>,
        _: Option<TimeOrNow>, _: Option<TimeOrNow>, _: Option<std::time::SystemTime>, _: Option<FileHandle>,
        _: Option<std::time::SystemTime>, _: Option<std::time::SystemTime>, _: Option<std::time::SystemTime>,
        _: Option<BsdFileFlags>, reply: ReplyAttr,
    ) {
        self.wait("setattr");
        let set = self.path(ino).and_then(|path| match mode {
            Some(mode) => fs::set_permissions(path, Permissions::from_mode(mode & 0o7777)),
            None => Ok(()),
        });
        let about = set.and_then(|()| self.about(ino, None));
        answer!(reply, about, about => reply.attr(&BELIEVED, &attributes(&about)));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.wait("unlink");
        let done = self.child(parent, name).and_then(|path| self.delete(&path));
        answer!(reply, done, () => reply.ok());
    }

    fn rename(
        &self, _: &Request, parent: INodeNo, name: &OsStr, to: INodeNo, new: &OsStr, _: RenameFlags, reply: ReplyEmpty,
    ) {
        self.wait("rename");
        let from = self.child(parent, name);
        let done = from.and_then(|from| self.moved(&from, self.child(to, new)?));
        answer!(reply, done, () => reply.ok());
    }

    fn create(
        &self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, _: i32, reply: ReplyCreate,
    ) {
        self.wait("create");
        let made = self.child(parent, name).and_then(|path| {
            let made = self.open(&path, Some(mode & !umask))?;
            self.found(path).map(|_| made)
        });
        answer!(reply, made, (handle, about) => {
            reply.created(&BELIEVED, &attributes(&about), generation(&about), handle, FopenFlags::empty());
        });
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.wait("open");
        let opened = self.path(ino).and_then(|path| self.open(&path, None));
        answer!(reply, opened, (handle, _) => reply.opened(handle, FopenFlags::empty()));
    }

    fn read(
        &self, _: &Request, _: INodeNo, handle: FileHandle, offset: u64, size: u32, _: OpenFlags, _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.wait("read");
        let mut buffer = vec![0; size as usize];
        let read = self.file(handle).and_then(|file| file.read_at(&mut buffer, offset));
        answer!(reply, read, length => reply.data(&buffer[..length]));
    }

    fn write(
        &self, _: &Request, _: INodeNo, handle: FileHandle, offset: u64, data: &[u8], _: WriteFlags, _: OpenFlags,
        _: Option<LockOwner>, reply: ReplyWrite,
    ) {
        self.wait("write");
        let written = self.file(handle).and_then(|file| file.write_all_at(data, offset));
        answer!(reply, written, () => reply.written(data.len() as u32));
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.wait("flush");
        reply.ok();
    }

    fn release(
        &self, _: &Request, _: INodeNo, handle: FileHandle, _: OpenFlags, _: Option<LockOwner>, _: bool,
        reply: ReplyEmpty,
    ) {
        self.wait("release");
        self.open.lock().unwrap().remove(&handle.0);
        reply.ok();
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.wait("opendir");
        let listed = self.path(ino).and_then(|path| self.list(&path));
        answer!(reply, listed, handle => reply.opened(handle, FopenFlags::empty()));
    }

    fn readdir(&self, _: &Request, ino: INodeNo, handle: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        self.wait("readdir");
        for (place, name) in self.names(handle, offset) {
            let found = self.child(ino, &name).and_then(|path| path.symlink_metadata());
            let Ok(about) = found else { continue };
            let FileAttr { ino, kind, .. } = attributes(&about);
            if reply.add(ino, place, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(&self, _: &Request, ino: INodeNo, handle: FileHandle, offset: u64, mut reply: ReplyDirectoryPlus) {
        self.wait("readdirplus");
        for (place, name) in self.names(handle, offset) {
            let found = self.child(ino, &name).and_then(|path| self.found(path));
            let Ok(about) = found else { continue };
            let attributes = attributes(&about);
            if reply.add(attributes.ino, place, name, &BELIEVED, &attributes, generation(&about)) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, handle: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.wait("releasedir");
        self.listed.lock().unwrap().remove(&handle.0);
        reply.ok();
    }
}
