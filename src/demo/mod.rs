//! Makes a throw-away data_dir of realistic sessions, for a machine without Odoo, for tests and for benches.
//!
//! [`make`] is the whole of it: told how many files, it deals out kinds (`kind`), ages (`age`) and names (`name`),
//! says what each session says (`content`) in the bytes that Odoo would write (`pickle`, `json`), and puts the file
//! in its place (`store`). Nothing is remembered from file to file but the one login that is being rotated, so that a
//! million files cost no more memory than ten.
//!
//! The same [`Recipe`] and the same `now` make the same names, contents and times, to the byte and the nanosecond.

mod age;
mod content;
mod file;
mod json;
mod kind;
mod name;
mod people;
mod pickle;
mod store;
mod value;

use age::{Ages, Split};
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use file::Files;
use kind::Deck;
use rustix::fs::Mode;
use std::path::Path;
use std::time::{Duration, SystemTime};
use store::{NewFile, Store};

/// Where the session files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As Odoo 14 and 15 put them: pickles, all in one directory.
    Flat,
    /// As Odoo 16 and newer put them: pickles and JSON, in shards.
    Sharded,
    /// A quarter flat, from before an upgrade; the others in shards.
    Both,
}

/// What store to make.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// How many files: session files of every kind, and with them unfinished saves and upload stashes. One foreign file,
    /// `README.txt`, lies beside them and does not count.
    pub sessions: u64,
    /// The same seed makes the same store.
    pub seed: u64,
    /// Where the files lie.
    pub layout: Layout,
    /// For measuring: exactly this share of the files, rounded, is more than 8 days old, and the rest less than 20 hours.
    /// As all windows and all tools should then agree on what is due, every session in such a store can be read (empty
    /// files are there). Without it, ages and contents are natural.
    pub expired_percent: Option<u8>,
}

/// What was made. Each file of [`Recipe::sessions`] is counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// All of the files below, that is [`Recipe::sessions`].
    pub files: u64,
    /// Somebody is logged in, and not superseded.
    pub authenticated: u64,
    /// Nobody is logged in, and it is none of the kinds below.
    pub anonymous: u64,
    /// Anonymous, with a cart.
    pub carts: u64,
    /// Anonymous, with a wishlist.
    pub wishlists: u64,
    /// Anonymous: the password was right, the second factor is due.
    pub pending_two_factor: u64,
    /// Logged in, but moved to another file by Odoo 19.
    pub superseded: u64,
    /// A session's name without a byte.
    pub empty: u64,
    /// A session's name, but not a session.
    pub unreadable: u64,
    /// Anonymous, under a name that is no regular session id.
    pub irregular: u64,
    /// `tmp????????.__wz_sess`, with a whole session or without a byte.
    pub unfinished_saves: u64,
    /// `werkzeug_*_*.file`.
    pub upload_stashes: u64,
    /// How many of the files are expired, if [`Recipe::expired_percent`] asked for it.
    pub expired: Option<u64>,
}

/// How many files are made between two calls of `go_on`.
const PROGRESS_EVERY: u64 = 1024;

/// What lies beside the sessions, as such things do.
const FOREIGN: &str =
    "Odoo's sessions, made up by `odoo-session-reaper demo`. Throw the whole directory away.\n";

/// Makes `<data_dir>/sessions` and all files in it, as if it were `now`. Only the directory `sessions` itself has the
/// machine's own time as its mtime, as in a store where Odoo is alive.
///
/// `data_dir` must be absent (it is made, with its parents) or empty. `go_on` is called now and then, and at the end,
/// with the number of files made; if it says no, that is all. After an error the files made so far are still there.
///
/// ```
/// use odoo_session_reaper::demo::{self, Layout, Recipe};
/// # let dir = tempfile::tempdir()?;
/// # let data_dir = dir.path().join("odoo");
/// let recipe = Recipe { sessions: 100, seed: 1, layout: Layout::Both, expired_percent: None };
/// let made = demo::make(&data_dir, &recipe, std::time::SystemTime::now(), &|_| true)?;
/// assert_eq!(made.files, 100);
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
///
/// If `data_dir` is not empty or not a directory, if the share is more than 100 %, and if the file system refuses, which
/// for a full one means that its directory is named.
pub fn make(
    data_dir: &Path,
    recipe: &Recipe,
    now: SystemTime,
    go_on: &dyn Fn(u64) -> bool,
) -> Result<Made> {
    let percent = recipe.expired_percent;
    ensure!(
        percent.is_none_or(|share| share <= 100),
        "more than 100 % of the files cannot be expired"
    );
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .context("the clock stands before 1970")?;
    let ages = percent.map_or(
        Ages::Natural {
            upgraded: recipe.layout == Layout::Both,
        },
        |share| Ages::Measured(Split::new(recipe.sessions, share)),
    );
    let mut made = Made {
        expired: match &ages {
            Ages::Natural { .. } => None,
            Ages::Measured(split) => Some(split.expired),
        },
        ..Made::default()
    };

    let mut store = Store::create(data_dir)?;
    fill(&mut store, recipe, &ages, now, go_on, &mut made).with_context(|| {
        format!(
            "cannot make a file in {} or below ({} were made)",
            data_dir.join("sessions").display(),
            made.files
        )
    })?;
    go_on(made.files);
    Ok(made)
}

fn fill(
    store: &mut Store,
    recipe: &Recipe,
    ages: &Ages,
    now: Duration,
    go_on: &dyn Fn(u64) -> bool,
    made: &mut Made,
) -> std::io::Result<()> {
    store.put(&NewFile {
        shard: None,
        name: "README.txt",
        mode: Mode::from_raw_mode(0o644),
        saved: now,
        content: FOREIGN.as_bytes(),
    })?;
    let mut rng = Rng::with_seed(recipe.seed);
    let deck = Deck::shuffled(&mut rng);
    let mut files = Files::new(recipe, ages, now, rng);
    for index in 0..recipe.sessions {
        files.make(index, deck.deal(index), store, made)?;
        made.files += 1;
        if made.files % PROGRESS_EVERY == 0 && !go_on(made.files) {
            break;
        }
    }
    Ok(())
}
