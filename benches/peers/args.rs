//! What can be chosen on the command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

/// Compare odoo-session-reaper with its peers.
#[derive(Debug, Parser)]
#[command(name = "peers")]
pub struct Options {
    /// A smoke test: tiny stores, one turn, no judging of times
    #[arg(long)]
    pub short: bool,
    /// Only rows with this text in their name; "peers" and "memory" are rows of the first table
    #[arg(long, value_name = "PATTERN")]
    pub rows: Option<String>,
    /// Only this layout
    #[arg(long, value_parser = ["flat", "sharded"])]
    pub layout: Option<String>,
    /// Turns that each contender has
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub turns: usize,
    /// Files of a store; the large one has five times as many
    #[arg(long, value_name = "N", default_value_t = 200_000)]
    pub files: u64,
    /// Where stores are made; a few GiB are needed
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_TARGET_TMPDIR"))]
    pub dir: PathBuf,
    /// Measure this odoo-session-reaper instead of the one just built
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_odoo-session-reaper"))]
    pub program: PathBuf,
    /// Compare it with this other build of it, and with no peer
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// What `cargo bench` says
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn from_command_line() -> Result<Options> {
        let mut options = Options::parse();
        if options.short {
            options.turns = 1;
            options.files = options.files.min(2000);
        }
        options.program = options.program.canonicalize()?;
        if let Some(other) = &mut options.against {
            *other = other.canonicalize()?;
        }
        options.dir = options.dir.canonicalize()?;
        Ok(options)
    }

    /// Whether a row of this name was asked for.
    pub fn wants(&self, name: &str) -> bool {
        let pattern = self.rows.as_deref().unwrap_or_default().to_lowercase();
        name.to_lowercase().contains(&pattern)
    }
}
