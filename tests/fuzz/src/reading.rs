//! What must hold for whatever bytes `session::read` is given.

use std::cell::RefCell;

use odoo_session_reaper::session::{Scratch, Session, Unreadable, read};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

thread_local! {
    /// As dirty as all the files before this one have made it.
    static USED: RefCell<Scratch> = RefCell::default();
}

/// What one reading may cost beside the file: a growing buffer doubles, and holds the old one while it moves.
fn allowance(file: &[u8]) -> usize {
    24 * file.len() + 4096
}

/// Reads the file as the program does and holds the reader to its promises.
pub fn hold<'f>(file: &'f [u8]) -> Result<Session<'f>, Unreadable> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let fresh = read(file, &mut Scratch::default());
    let cost = MEMORY.peak_usage() - before;
    assert!(cost <= allowance(file), "{cost} bytes of memory");

    let again = USED.with_borrow_mut(|used| read(file, used));
    assert!(fresh == again, "an earlier file shows");

    if let Ok(session) = &fresh {
        consistent(session, file);
    }
    // What the result itself may hold of the heap: two strings with escapes.
    drop(again);
    let kept = fresh.is_ok() as usize * 2 * file.len();
    let grown = MEMORY.current_usage() - before;
    assert!(
        grown <= kept + allowance_of_used(),
        "{grown} bytes are left"
    );
    fresh
}

/// `Scratch` keeps small buffers: three of 64 KiB at most, and one for marks.
fn allowance_of_used() -> usize {
    4 * (64 << 10)
}

fn consistent(session: &Session, file: &[u8]) {
    assert!(!(session.pending_2fa && session.uid.is_some()));
    assert!(session.deletion_time.is_none_or(f64::is_finite));
    assert!(session.first_activity(|_| true).is_none_or(f64::is_finite));
    for text in [&session.login, &session.db].into_iter().flatten() {
        assert!(text.as_bytes().len() < file.len());
    }
}
