//! Becoming the store's owner: root has no business in a directory that others fill. Others are told who that is.

use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use super::stat::Stat;
use crate::redact::{self, Shown};

/// If this process is root and the store belongs to somebody else, becomes that user and group for good,
/// a process that still dumps no core and that nobody may look into. Tells whether it did.
///
/// Linux keeps credentials per thread, so this must be called while the process has only one; threads
/// that it starts later inherit them.
///
/// # Errors
/// What the kernel says, for example `EINVAL` for a user that does not exist in a container's user
/// namespace.
pub fn become_owner(store: &Stat) -> Result<bool, Errno> {
    if !geteuid().is_root() || store.uid == 0 {
        return Ok(false);
    }
    let (uid, gid) = (Uid::from_raw(store.uid), Gid::from_raw(store.gid));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    // On a change of user the kernel sets this anew, to what `fs.suid_dumpable` says.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(true)
}

/// Who may delete in this store, in words.
pub fn who_may_delete(store: &Stat) -> String {
    let uid = store.uid;
    match name(uid) {
        _ if uid == 0 => "root".into(),
        Some(name) => format!("{name} (user {uid}), its owner, or as root"),
        None => format!("user {uid}, its owner, or as root"),
    }
}

/// The name that `/etc/passwd` gives a user; a user of another directory has none there.
fn name(uid: u32) -> Option<Shown> {
    let users = std::fs::read("/etc/passwd").ok()?;
    let uid = uid.to_string();
    users.split(|byte| *byte == b'\n').find_map(|user| {
        let mut fields = user.split(|byte| *byte == b':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.as_bytes()).then(|| redact::printable(name))
    })
}
