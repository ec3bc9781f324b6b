//! Looking through directories for session stores, for a short while.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use walkdir::{DirEntry, WalkDir};

use crate::store::name::{self, Kind};

/// More stores than a host has; so many paths are held at most.
const MOST_STORES: usize = 64;

/// Names that are looked at in a `sessions`, and in each shard, before it counts as somebody else's: Odoo's own
/// are nearly all that there is.
const MOST_NAMES: usize = 4_096;
const MOST_IN_SHARD: usize = 16;

/// Not entered: attachments by the million, and the layers of container images, which hold whole systems and no
/// sessions that a running Odoo would see.
const PASSED_BY: [&str; 4] = [
    "filestore",
    "overlay",
    "overlay2",
    "io.containerd.snapshotter.v1.overlayfs",
];

/// A directory where everybody may make what he likes, as `/tmp` is.
const OPEN_TO_ALL: u32 = 0o1002;

pub(super) struct Root {
    pub path: PathBuf,
    pub depth: usize,
}

#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The stores, in the order of the roots, and of their paths in each.
    pub stores: Vec<PathBuf>,
    /// After what it was given up, if not everything was looked at.
    pub stopped: Option<String>,
    /// Something could not be looked into.
    pub denied: bool,
}

/// Looks through the roots in their order, for `patience` in all. Below a root no symlink is followed and no other
/// file system entered; a root that lies in a later one is looked through once.
pub(super) fn stores(roots: &[Root], patience: Duration) -> Walked {
    let begun = Instant::now();
    let late = || begun.elapsed() >= patience;
    let mut walked = Walked::default();
    let mut known = Vec::new();
    for (index, root) in roots.iter().enumerate() {
        let first = walked.stores.len();
        let mut entries = WalkDir::new(&root.path)
            .max_depth(root.depth)
            .same_file_system(true)
            .into_iter()
            .filter_entry(|entry| is_worth_a_look(entry, &roots[..index]));
        loop {
            walked.stopped = match walked.stores.len() {
                _ if late() => Some(format!("{} s", patience.as_secs_f32())),
                MOST_STORES.. => Some(format!("{MOST_STORES} stores")),
                _ => None,
            };
            if walked.stopped.is_some() {
                return walked;
            }
            let Some(entry) = entries.next() else { break };
            match entry
                .map_err(io::Error::from)
                .and_then(|it| store(it, late))
            {
                Ok(Some((path, identity))) => {
                    if !known.contains(&identity) {
                        known.push(identity);
                        walked.stores.push(path);
                    }
                    entries.skip_current_dir();
                }
                Ok(None) => {}
                Err(error) => walked.denied |= error.kind() == ErrorKind::PermissionDenied,
            }
        }
        walked.stores[first..].sort();
    }
    walked
}

/// Whether to look at this entry, or into this directory, which none of the `earlier` roots is.
fn is_worth_a_look(entry: &DirEntry, earlier: &[Root]) -> bool {
    let is_new = || earlier.iter().all(|earlier| earlier.path != entry.path());
    !entry.file_type().is_dir() || may_hold_a_store(entry) && is_new()
}

/// The path and the identity of an entry that is a store.
fn store(entry: DirEntry, late: impl Fn() -> bool) -> io::Result<Option<(PathBuf, Identity)>> {
    if entry.file_name() != "sessions" || !entry.file_type().is_dir() {
        return Ok(None);
    }
    let identity = identity_of_store(entry.path(), late)?;
    Ok(identity.map(|identity| (entry.into_path(), identity)))
}

/// Whether this directory is worth entering: anybody could put a store into one that is open to all.
fn may_hold_a_store(directory: &DirEntry) -> bool {
    let name = directory.file_name();
    if PASSED_BY.iter().any(|passed_by| name == *passed_by) {
        return false;
    }
    directory.depth() == 0
        || directory
            .metadata()
            .is_ok_and(|metadata| metadata.mode() & OPEN_TO_ALL != OPEN_TO_ALL)
}

/// A device and an inode.
type Identity = (u64, u64);

/// The identity of a directory `sessions` that may be listed and is Odoo's: a filestore lies beside it, or it has a name of
/// Odoo's in it. PHP keeps a directory of that name as well.
fn identity_of_store(sessions: &Path, late: impl Fn() -> bool) -> io::Result<Option<Identity>> {
    let names = fs::read_dir(sessions)?;
    let metadata = fs::symlink_metadata(sessions)?;
    let identity = (metadata.dev(), metadata.ino());
    if sessions.with_file_name("filestore").is_dir() {
        return Ok(Some(identity));
    }
    for entry in names.take(MOST_NAMES) {
        if late() {
            break;
        }
        let entry = entry?;
        let name = entry.file_name();
        let is_dir = entry.file_type()?.is_dir();
        let is_odoos = if is_dir && name::is_shard(name.as_bytes()) {
            holds_a_session(&entry.path(), name.as_bytes())
        } else {
            !is_dir && name::at_top(name.as_bytes()) != Kind::Foreign
        };
        if is_odoos {
            return Ok(Some(identity));
        }
    }
    Ok(None)
}

fn holds_a_session(path: &Path, shard: &[u8]) -> bool {
    let names = fs::read_dir(path).into_iter().flatten().take(MOST_IN_SHARD);
    names
        .flatten()
        .any(|entry| name::in_shard(shard, entry.file_name().as_bytes()).is_regular_session())
}
