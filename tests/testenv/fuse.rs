//! A store on FUSE.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Odoo, is_root, skipped, wait_until};

/// A mount of a store by bindfs, whose library renames as most FUSE file systems do.
pub struct Mount {
    pub data_dir: tempfile::TempDir,
    bindfs: Child,
}

impl Mount {
    pub fn new(test: &str, odoo: &Odoo) -> Option<Mount> {
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
