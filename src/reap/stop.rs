//! Stopping on a signal: the file in hand is finished, the report of what was done is printed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether somebody asked the run to stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Listens for `SIGINT` and `SIGTERM`. The second one of them ends the process at once.
    ///
    /// # Errors
    /// What `sigaction` says.
    pub fn on_signals() -> std::io::Result<Stop> {
        let stop = Stop::default();
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_default(signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
            flag::register_usize(
                signal,
                Arc::clone(&stop.signal),
                signal.unsigned_abs() as usize,
            )?;
        }
        Ok(stop)
    }

    /// The signal that asked to stop, if one did.
    pub fn signal(&self) -> Option<i32> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            // Signal numbers are small.
            signal => Some(signal as i32),
        }
    }
}
