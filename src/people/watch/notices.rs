//! What the kernel tells of saves (inotify(7)): a session is saved to a temporary file, which is then renamed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::store::batch::Batch;
use crate::store::{Store, name};

/// Renamed into its place, as Odoo saves; or written in place, as a copy is. New shards are directories.
const SAVES: WatchFlags = WatchFlags::MOVED_TO
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::ONLYDIR);

/// What one read brings at most: some hundred notices.
const BYTES: usize = 64 * 1024;

/// Something happened.
pub(super) enum Notice {
    /// These files were saved, in this shard or at the top level.
    Saved(Option<Box<[u8]>>, Batch),
    /// A shard appeared.
    Shard(Box<[u8]>),
    /// More happened than was told.
    Missed,
}

/// A directory that is watched: the top level, or a shard.
type Place = Option<Box<[u8]>>;

/// Watches on directories of a store.
pub(crate) struct Watches<'a> {
    store: &'a Store,
    inotify: Option<OwnedFd>,
    places: Mutex<Places>,
    /// Some change may go untold.
    blind: AtomicBool,
}

#[derive(Default)]
struct Places {
    by_watch: HashMap<i32, Place>,
    covered: BTreeSet<Place>,
}

impl<'a> Watches<'a> {
    /// None yet. Where the kernel has none to give, or another host can save here, the store must be listed again and
    /// again instead.
    pub fn new(store: &'a Store) -> Watches<'a> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        let inotify = inotify.inspect_err(|errno| untold(*errno)).ok();
        Watches {
            store,
            blind: AtomicBool::new(inotify.is_none() || !store.is_local()),
            inotify,
            places: Mutex::default(),
        }
    }

    /// Whether some change may go untold.
    pub fn are_blind(&self) -> bool {
        self.blind.load(Ordering::Relaxed)
    }

    /// Watches this shard, or the top level, if that is not done yet.
    pub fn cover(&self, shard: Option<&[u8]>) {
        let place: Place = shard.map(Into::into);
        let Some(inotify) = &self.inotify else { return };
        // Held until the watch is known, or its first notice would be of no place.
        let mut places = self.places();
        if places.covered.contains(&place) {
            return;
        }
        let watch = match shard {
            None => add(inotify, self.store.handle()),
            Some(name) => {
                let opened = CString::new(name).map_err(|_| Errno::INVAL);
                match opened.and_then(|name| self.store.open_shard(&name)) {
                    Ok(Some(shard)) => add(inotify, shard.as_fd()),
                    // It is told when it appears. Other mounts are never entered.
                    Ok(None) | Err(Errno::NOENT | Errno::XDEV) => return,
                    Err(errno) => Err(errno),
                }
            }
        };
        match watch {
            Ok(watch) => {
                places.by_watch.insert(watch, place.clone());
                places.covered.insert(place);
            }
            Err(errno) => {
                if !self.blind.swap(true, Ordering::Relaxed) {
                    untold(errno);
                }
            }
        }
    }

    /// What happened to sessions that are `wanted`, or happens within this time; of the files of one directory at once.
    pub(super) fn wait(&self, time: Duration, wanted: &dyn Fn(&[u8]) -> bool) -> Vec<Notice> {
        let Some(inotify) = &self.inotify else {
            std::thread::sleep(time);
            return Vec::new();
        };
        let time = Timespec {
            tv_sec: 0,
            // Below a second.
            tv_nsec: i64::from(time.subsec_nanos()),
        };
        match poll(&mut [PollFd::new(inotify, PollFlags::IN)], Some(&time)) {
            Ok(1..) => self.read(inotify, wanted),
            _ => Vec::new(),
        }
    }

    fn read(&self, inotify: &OwnedFd, wanted: &dyn Fn(&[u8]) -> bool) -> Vec<Notice> {
        let mut bytes = vec![MaybeUninit::uninit(); BYTES];
        let mut reader = Reader::new(inotify, &mut bytes);
        let (mut saved, mut notices) = (BTreeMap::<Place, Batch>::new(), Vec::new());
        // One read; what is left brings the next poll.
        while let Ok(event) = reader.next() {
            let (watch, what, name) = (event.wd(), event.events(), event.file_name());
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                notices.push(Notice::Missed);
            } else if what.contains(ReadFlags::IGNORED) {
                let mut places = self.places();
                if let Some(gone) = places.by_watch.remove(&watch) {
                    places.covered.remove(&gone);
                }
            } else if let Some(name) = name.map(|name| name.to_bytes()) {
                let place = self.places().by_watch.get(&watch).cloned();
                match place {
                    Some(None) if what.contains(ReadFlags::ISDIR) && name::is_shard(name) => {
                        // One that was watched may have been moved away.
                        self.places().covered.remove(&Some(name.into()));
                        notices.push(Notice::Shard(name.into()));
                    }
                    Some(None) if what.contains(ReadFlags::ISDIR) => {}
                    Some(place) if wanted(name::sid(name)) => {
                        let files = saved.entry(place).or_default();
                        files.push(name, 0, FileType::Unknown);
                    }
                    _ => {}
                }
            }
            if reader.is_buffer_empty() {
                break;
            }
        }
        let saved = saved.into_iter();
        notices.extend(saved.map(|(place, names)| Notice::Saved(place, names)));
        notices
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches an open directory. Its path could lead elsewhere by now; inotify takes no handle.
fn add(inotify: &OwnedFd, dir: BorrowedFd<'_>) -> Result<i32, Errno> {
    let path = format!("/proc/self/fd/{}", dir.as_raw_fd());
    inotify::add_watch(inotify, path, SAVES)
}

/// Says what is done instead.
fn untold(errno: Errno) {
    let advice = match errno {
        Errno::NOSPC => "; more watches: sysctl fs.inotify.max_user_watches",
        Errno::MFILE => "; more of them: sysctl fs.inotify.max_user_instances",
        _ => "",
    };
    tracing::info!(
        "the kernel does not tell who comes back ({}{advice}), so the store is listed again and again",
        std::io::Error::from(errno)
    );
}
