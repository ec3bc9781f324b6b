//! Makes a throw-away data_dir for a machine without Odoo, for tests and for benches, of real session files.
//!
//! [`make`] deals out copies (`deal`) of files that Odoo 14 to 20 wrote (`files`), under new names, into a new store
//! (`store`). They say what Odoo wrote, but for the times in JSON, which move with the file's age, and for the `next_sid` of
//! a superseded session. A million files cost no more memory than ten.

mod deal;
mod files;
mod store;

use crate::redact;
use anyhow::{Context, Result};
use clap::ValueEnum;
use deal::Dealer;
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

/// Where the session files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// As Odoo 15 and older
    Flat,
    /// As Odoo 16 and newer
    Sharded,
    /// As an upgrade leaves it
    Both,
}

/// What store to make. The same recipe and the same `now` make the same names, contents and times.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// How many files: sessions of every class, unfinished saves and upload stashes. One foreign file lies beside them.
    pub sessions: u64,
    /// Another seed makes another store.
    pub seed: u64,
    /// Where the files lie; in [`Layout::Both`] a quarter of them is flat, and older than 20 days.
    pub layout: Layout,
    /// For measuring: exactly this share of the files, rounded, is more than 8 days old, and the rest less than 20 hours,
    /// and no session is there that cannot be read. So all windows and all tools agree on what is due.
    pub expired_percent: Option<u8>,
}

/// Makes `<data_dir>/sessions` and all files in it, as if it were `now`, and says how many. Only the directory `sessions`
/// itself has the machine's own time as its mtime, as in a store where Odoo is alive.
///
/// `data_dir` must be absent (it is made, with its parents) or empty. `go_on` is asked before each file.
///
/// # Errors
///
/// If `data_dir` is not empty or not a directory, and if the file system refuses; the files made so far are still there.
pub fn make(
    data_dir: &Path,
    recipe: &Recipe,
    now: SystemTime,
    go_on: &dyn Fn() -> bool,
) -> Result<u64> {
    let cannot = || format!("cannot make a demo store in {}", redact::path(data_dir));
    let sessions = store::create(data_dir).with_context(cannot)?;
    let foreign = b"Copies of real session files, dealt out by `odoo-session-reaper demo`.\n";
    store::put(&sessions, "README.txt", now, foreign).with_context(cannot)?;
    let mut dealer = Dealer::new(recipe, now);
    let mut made = 0;
    while made < recipe.sessions && go_on() {
        let (path, saved, content) = dealer.deal(made);
        match store::put(&sessions, &path, saved, &content) {
            Ok(()) => made += 1,
            // Eight letters of an unfinished save are few enough for two names to meet.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(cannot),
        }
    }
    Ok(made)
}
