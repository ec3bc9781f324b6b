//! Who opens or lists a file, as inotify tells: through whichever mount or name it happens.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// A file that is watched.
pub struct Watched(OwnedFd);

impl Watched {
    pub fn new(file: &Path) -> Watched {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&inotify, file, WatchFlags::OPEN).unwrap();
        Watched(inotify)
    }

    /// Whether anybody has opened it since it is watched. The kernel notes that before `open` returns.
    pub fn was_opened(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        match Reader::new(&self.0, &mut buffer).next() {
            Ok(_) => true,
            Err(Errno::AGAIN) => false,
            Err(error) => panic!("{error}"),
        }
    }
}
