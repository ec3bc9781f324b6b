//! A store on FUSE, where a file that is deleted while somebody holds it open is renamed instead.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::testenv::{DAY, Odoo, USER, VISITOR, flat, is_root, sharded, skipped, wait_until};

/// A mount of a store by bindfs, whose library renames as most FUSE file systems do.
struct Mount {
    data_dir: tempfile::TempDir,
    bindfs: Child,
}

impl Mount {
    fn new(test: &str, odoo: &Odoo) -> Option<Mount> {
        let why = if !is_root() {
            Some("not root")
        } else if !Path::new("/dev/fuse").exists() {
            Some("no /dev/fuse")
        } else {
            None
        };
        if let Some(why) = why {
            skipped(test, why);
            return None;
        }
        let data_dir = tempfile::tempdir().unwrap();
        let bindfs = Command::new("bindfs")
            .arg("-f")
            .args([odoo.data_dir(), data_dir.path()])
            .stderr(Stdio::null())
            .spawn();
        let Ok(bindfs) = bindfs else {
            assert!(std::env::var_os("CI").is_none(), "bindfs is not installed");
            skipped(test, "no bindfs");
            return None;
        };
        let mut mount = Mount { data_dir, bindfs };
        let sessions = mount.data_dir.path().join("sessions");
        let mut ended = None;
        wait_until("a mount", || {
            ended = mount.bindfs.try_wait().unwrap();
            sessions.exists() || ended.is_some()
        });
        if ended.is_some() {
            skipped(test, "bindfs cannot mount here");
            return None;
        }
        Some(mount)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.data_dir.path()).status();
        let _ = self.bindfs.wait();
    }
}

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
