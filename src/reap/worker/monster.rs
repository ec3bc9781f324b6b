//! Files of more than usual size, which one thread reads for all workers.
//!
//! A hostile pickle of 11 MB takes 47 MB to read, so one such file is read at a time. And always by the same thread
//! with the same buffers: glibc keeps for a thread, or gives back to it alone, much of what it has freed.

use std::ffi::{CStr, CString};
use std::mem::{replace, swap};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::reading::Opened;
use super::{Judged, Worker};
use crate::session::Scratch;

/// Files that are larger, in bytes, are monsters; sessions have some hundred.
pub(in crate::reap) const USUAL: u64 = 64 * 1024;

/// A file, and the worker that waits until it is read.
pub struct Monster<'a> {
    worker: Worker<'a>,
    name: CString,
    file: Opened,
    done: Sender<(Worker<'a>, Judged)>,
}

/// Reads one monster after the other, until no worker is left that could send one.
pub fn read_all(monsters: Receiver<Monster<'_>>) {
    let (mut buffer, mut scratch) = (Vec::new(), Scratch::default());
    for monster in monsters {
        let Monster {
            mut worker,
            name,
            file,
            done,
        } = monster;
        swap(&mut worker.buffer, &mut buffer);
        swap(&mut worker.scratch, &mut scratch);
        let judged = worker.judge(&name, file);
        swap(&mut worker.buffer, &mut buffer);
        swap(&mut worker.scratch, &mut scratch);
        // The worker waits for it.
        let _ = done.send((worker, judged));
    }
}

impl Worker<'_> {
    /// Has a monster read and judged; a worker that is alone does it itself.
    pub(super) fn judge_monster(&mut self, name: &CStr, file: Opened) -> Judged {
        let Some(reader) = self.reader.clone() else {
            return self.judge(name, file);
        };
        let (done, is_done) = bounded(1);
        let monster = Monster {
            worker: replace(self, Worker::new(self.shared, None)),
            name: name.to_owned(),
            file,
            done,
        };
        let read = match reader.send(monster) {
            Ok(()) => is_done.recv().ok(),
            Err(_) => None,
        };
        let Some((worker, judged)) = read else {
            unreachable!("whoever reads monsters ends after all workers");
        };
        *self = worker;
        judged
    }
}
