//! Workers that take what one thread hands out.

use std::thread::{self, Builder};

/// Lets `hand_out`, on this thread, give tasks to as many workers as the system starts threads for, `threads` at most. Where
/// that is none, or one is enough, a worker on this very thread does them. Gives what `hand_out` gave, and the workers.
pub(super) fn crew<T: Send, W: Send, R>(
    threads: usize,
    new: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, T) + Sync,
    hand_out: impl FnOnce(&mut dyn FnMut(T) -> bool) -> R,
) -> (R, Vec<W>) {
    thread::scope(|scope| {
        let (tasks, inbox) = crossbeam_channel::bounded(2 * threads);
        let (new, work) = (&new, &work);
        let mut workers = Vec::new();
        let wanted = if threads > 1 { threads } else { 0 };
        for started in 0..wanted {
            let inbox = inbox.clone();
            let all = move || {
                let mut worker = new();
                for task in inbox {
                    work(&mut worker, task);
                }
                worker
            };
            match Builder::new().spawn_scoped(scope, all) {
                Ok(worker) => workers.push(worker),
                // A unit's `TasksMax=`, or a container whose seccomp profile is older than its libc.
                Err(error) => {
                    tracing::info!("working with {started} of {threads} workers: {error}");
                    break;
                }
            }
        }
        drop(inbox);
        if workers.is_empty() {
            let mut worker = new();
            let handed_out = hand_out(&mut |task| {
                work(&mut worker, task);
                true
            });
            return (handed_out, vec![worker]);
        }
        let handed_out = hand_out(&mut |task| tasks.send(task).is_ok());
        drop(tasks);
        let ended = workers.into_iter().map(|worker| match worker.join() {
            Ok(worker) => worker,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        (handed_out, ended.collect())
    })
}
