//! What is not Odoo's as far as this version knows: counted, and never deleted.

use std::ffi::CStr;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use super::{File, Files, Worker};
use crate::reap::Mode;
use crate::reap::settle::Dir;
use crate::session;
use crate::store::file;
use crate::store::name::Kind;
use crate::store::stat::{self, Stat};
use crate::tally::unknown::Place;

/// How many foreign files of its shards an audit looks into: enough to know what they are, too few to cost anything.
pub const SAMPLES: u32 = 32;

/// How many of one shape a worker looks into, so that some are left for other shapes.
const OF_ONE_SHAPE: u64 = 4;

/// Sessions have some hundred bytes, and nobody needs to know what a larger file is.
const LARGEST: u64 = 64 * 1024;

impl Worker<'_> {
    /// Counts a foreign file. An audit looks into a few that lie in shards: is that where a newer Odoo keeps sessions?
    pub(super) fn foreign(&mut self, files: Files<'_>, file: &File) {
        let (dir, name, stat) = (files.dir, files.name(file), &file.stat);
        self.tally.foreign(Some(stat));
        let place = match dir.shard {
            None => Place::File,
            Some(_) => Place::FileInShard,
        };
        let shape = self.tally.unknown.see(place, name.to_bytes());
        let wanted = place == Place::FileInShard
            && self.shared.plan.mode == Mode::Audit
            // Any other kind was read, and is no session.
            && file.kind == Kind::Foreign
            // Copies under way (rsync) and deleted files that are still open (NFS) are hidden, and hold sessions.
            && name.to_bytes().first() != Some(&b'.')
            && shape.samples < OF_ONE_SHAPE
            && (1..=LARGEST).contains(&stat.size);
        let left = &self.shared.samples;
        let one_less = |left: u32| left.checked_sub(1);
        if !wanted
            || left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_err()
        {
            return;
        }
        shape.samples += 1;
        // Where reading would leave a trace, or fails, nothing is known; that is no failure of an audit.
        let Ok(handle) = file::open_unseen(dir.handle, name) else {
            return;
        };
        let is_the_same = |now: Stat| self.shared.store.owns(&now) && now.same_save_as(stat);
        let read = stat::of(handle.as_fd()).is_ok_and(is_the_same)
            && file::read(&handle, stat.size as usize, &mut self.buffer).is_ok();
        if read && session::read(&self.buffer, &mut self.scratch).is_ok() {
            shape.sessions += 1;
        }
    }

    /// Counts what is no regular file.
    pub(super) fn no_file(&mut self, dir: &Dir<'_>, name: &CStr, is_directory: bool) {
        self.tally.foreign(None);
        if is_directory && dir.shard.is_some() {
            let place = Place::DirectoryInShard;
            self.tally.unknown.see(place, name.to_bytes());
        }
    }
}
