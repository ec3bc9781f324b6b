//! The question before anybody is logged out.

use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::reap::Stop;
use crate::stream::TICK;

/// Longer than any answer.
const LONGEST: usize = 256;

/// What somebody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// By this signal.
    Interrupted(i32),
}

/// Whether somebody is there who could answer.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on the terminal. Whatever is not a yes is a no.
pub(crate) fn ask(question: &str, stop: &Stop) -> Answer {
    // Whoever cannot be shown it can say no by Return.
    let _ = write!(std::io::stderr(), "{question} [y/N] ");
    let stdin = std::io::stdin();
    let tick = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(TICK.subsec_nanos()),
    };
    let mut typed = Vec::new();
    while typed.last() != Some(&b'\n') && typed.len() < LONGEST {
        if let Some(signal) = stop.signal() {
            let _ = writeln!(std::io::stderr());
            return Answer::Interrupted(signal);
        }
        // A read would wait through Ctrl-C.
        if !matches!(
            poll(
                &mut [PollFd::new(&stdin.as_fd(), PollFlags::IN)],
                Some(&tick)
            ),
            Ok(1..)
        ) {
            continue;
        }
        let mut byte = [0];
        match rustix::io::read(stdin.as_fd(), &mut byte) {
            Ok(1..) => typed.extend(byte),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => break,
        }
    }
    match typed.trim_ascii().to_ascii_lowercase().as_slice() {
        b"y" | b"yes" => Answer::Yes,
        _ => Answer::No,
    }
}
