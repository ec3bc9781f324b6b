//! A spinner with counts, where somebody is watching and it takes longer than a moment.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use indicatif::ProgressBar;

use crate::reap::{Mode, Progress};
use crate::report::Numbers;
use crate::time::words;

const TICK: Duration = Duration::from_millis(100);
const A_MOMENT: u32 = 5;

/// Runs `work`, showing its progress on a terminal, unless that is `silent`.
pub(super) fn shown<T>(
    progress: &Progress,
    mode: Mode,
    silent: bool,
    work: impl FnOnce() -> T,
) -> T {
    if silent || !std::io::stderr().is_terminal() {
        return work();
    }
    std::thread::scope(|scope| {
        let (done, is_done) = crossbeam_channel::bounded::<()>(0);
        // Where no thread can be started, nobody is shown how it goes.
        let _ = Builder::new().spawn_scoped(scope, move || show(progress, mode, &is_done));
        let result = work();
        drop(done);
        result
    })
}

fn show(progress: &Progress, mode: Mode, is_done: &Receiver<()>) {
    let begun = Instant::now();
    let settled = if mode == Mode::Reap { "deleted" } else { "due" };
    let mut spinner = None;
    for tick in 0u32.. {
        if is_done.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
            break;
        }
        if tick >= A_MOMENT {
            let spinner = spinner.get_or_insert_with(ProgressBar::new_spinner);
            let seen = progress.seen.load(Ordering::Relaxed);
            spinner.set_message(format!(
                "{} seen ({} a second), {} {settled}",
                Numbers::Grouped.of(seen, "file"),
                Numbers::Grouped.count((seen as f64 / begun.elapsed().as_secs_f64()) as u64),
                Numbers::Grouped.count(progress.due.load(Ordering::Relaxed))
            ));
            spinner.tick();
        }
    }
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
}

/// How long a watch still takes, where somebody is watching it.
pub(super) struct Countdown(Option<ProgressBar>);

impl Countdown {
    /// Unless that is `silent`.
    pub fn new(silent: bool) -> Countdown {
        let shown = !silent && std::io::stderr().is_terminal();
        Countdown(shown.then(ProgressBar::new_spinner))
    }

    pub fn show(&self, left: Duration, came_back: u64) {
        let Some(spinner) = &self.0 else { return };
        let came_back = match came_back {
            0 => "nothing came back".to_owned(),
            some => format!(
                "{} came back and went again",
                Numbers::Grouped.of(some, "file")
            ),
        };
        spinner.set_message(format!(
            "watching for {} more: {came_back} (Ctrl-C ends the watch)",
            words(left)
        ));
        spinner.tick();
    }

    pub fn end(self) {
        if let Some(spinner) = self.0 {
            spinner.finish_and_clear();
        }
    }
}
