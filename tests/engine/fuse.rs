//! A store on FUSE, where a file that is deleted while somebody holds it open is renamed instead.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::testenv::fuse::Mount;
use crate::testenv::{DAY, Odoo, USER, VISITOR, flat, sharded};

/// How often something below these directories was renamed since `watch`.
struct Renames(OwnedFd);

impl Renames {
    fn watch(dirs: &[PathBuf]) -> Renames {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        for dir in dirs {
            inotify::add_watch(&inotify, dir, WatchFlags::MOVED_FROM).unwrap();
        }
        Renames(inotify)
    }

    fn count(&self) -> usize {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.0, &mut buffer);
        let mut count = 0;
        loop {
            match events.next() {
                Ok(event) => count += usize::from(event.events().contains(ReadFlags::MOVED_FROM)),
                Err(Errno::AGAIN) => return count,
                Err(errno) => panic!("{errno}"),
            }
        }
    }
}

#[test]
fn on_fuse_no_session_is_renamed_before_it_goes() {
    let test = "on_fuse_no_session_is_renamed_before_it_goes";
    for args in [
        &[][..],
        &["--threads", "1"],
        &["--limit", "1000"],
        &["--by-age-only"],
    ] {
        let odoo = Odoo::new();
        for number in 0..200 {
            odoo.file(&flat(&format!("{number:03}")), VISITOR, 8 * DAY)
                .session(&format!("aa{number:03}"), USER, 8 * DAY);
        }
        let Some(mount) = Mount::new(test, &odoo) else {
            return;
        };
        let renames = Renames::watch(&[odoo.sessions.clone(), odoo.path("aa")]);
        let ran = crate::testenv::run(
            crate::testenv::program()
                .arg("reap")
                .args(args)
                .arg("--data-dir")
                .arg(mount.data_dir.path()),
        );
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(odoo.files().is_empty() && !odoo.has(&sharded("aa000")));
        assert_eq!(renames.count(), 0, "{args:?}");
    }
}
