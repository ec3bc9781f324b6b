//! The question before anybody is logged out.

use std::io::{IsTerminal as _, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::reap::Stop;
use crate::stream::TICK;

/// Longer than any answer.
const LONGEST: usize = 256;

/// Whether somebody is there who could answer.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on the terminal. Whatever is not a yes is a no.
///
/// # Errors
/// The signal that came instead of an answer.
pub(crate) fn ask(question: &str, stop: &Stop) -> Result<bool, i32> {
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
            return Err(signal);
        }
        // A read would wait through Ctrl-C.
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
        if !matches!(poll(&mut waiting, Some(&tick)), Ok(1..)) {
            continue;
        }
        let mut byte = [0];
        match rustix::io::read(&stdin, &mut byte) {
            Ok(1..) => typed.extend(byte),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok(0) | Err(_) => break,
        }
    }
    let typed = typed.trim_ascii().to_ascii_lowercase();
    Ok(matches!(&typed[..], b"y" | b"yes"))
}
