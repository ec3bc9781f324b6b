//! Standard output and standard error, which a stop signal frees from a reader who does not read.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::reap::Stop;

/// How long a reader that takes nothing is waited for after a stop signal, or where nothing depends on it.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// How often a writer that waits looks at the signal: it may have come just before the wait began.
pub(crate) const TICK: Duration = Duration::from_millis(200);

/// What a pipe takes at once, if it takes anything: `PIPE_BUF` (pipe(7)). More could block in the middle.
const AT_ONCE: usize = 4096;

static STOP: OnceLock<Stop> = OnceLock::new();

/// A reader was waited for in vain; the next one is not waited for.
static IN_VAIN: AtomicBool = AtomicBool::new(false);

/// From now on writers that wait look at this.
pub(crate) fn heed(stop: &Stop) {
    // A process listens for signals once.
    let _ = STOP.set(stop.clone());
}

/// How long one write waits: for ever, or a little after a stop signal.
#[derive(Default)]
pub(crate) struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Whether to wait on. To be asked once in a [`TICK`].
    pub fn lasts(&mut self) -> bool {
        if STOP.get().and_then(Stop::signal).is_none() {
            return true;
        }
        let now = Instant::now();
        let until = *self.until.get_or_insert(now + GRACE);
        if now >= until {
            IN_VAIN.store(true, Ordering::Relaxed);
        }
        !IN_VAIN.load(Ordering::Relaxed)
    }
}

/// A standard stream, written to without a buffer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl Stream {
    /// Waits until it takes something, or has an error to tell.
    fn wait(stream: BorrowedFd<'_>) -> io::Result<()> {
        let tick = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(TICK.subsec_nanos()),
        };
        let mut patience = Patience::default();
        loop {
            match poll(&mut [PollFd::new(&stream, PollFlags::OUT)], Some(&tick)) {
                Ok(0) | Err(Errno::INTR) => {}
                _ => return Ok(()),
            }
            if !patience.lasts() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(AT_ONCE)];
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let stream = match self {
            Stream::Output => stdout.as_fd(),
            Stream::Error => stderr.as_fd(),
        };
        loop {
            Stream::wait(stream)?;
            match rustix::io::write(stream, bytes) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
