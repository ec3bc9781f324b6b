//! How fast and how polite the program is beside others that delete the same files.
//!
//! `cargo bench --bench peers` prints the table of docs/development/performance.md; `-- --help` lists what can be chosen.
//!
//! **How it measures.** The demo's dealing makes a store of real session files; each timed run works on that very store, put back to the byte,
//! and each is checked to leave the same files behind as its peers. The contenders of a scene take turns (A B C, A B C,
//! …), and a ratio is taken within each turn, so that a machine that is busy for a while is busy for all of them. The
//! tables show the median of these ratios and, in brackets, the lowest and the highest. Each run is the only child
//! of a fresh process, which asks the kernel what it took: wall-clock time, user and system CPU time, and the
//! peak of its resident memory.
//!
//! **On what.** As root, on ext4 in a loop image of its own, because a mount with `discard` (or an SSD busy with
//! others) drowns every difference. Its journal is as large as that of a disk of some size (512 MiB), so that no run waits for a checkpoint that a real server would not need.
//! Every file of the store has been read since it was written, as Odoo does, so `relatime` leaves it alone.
//!
//! **Warm** is: everything was listed, statted and read just before, through the same mount. **Cold** is: a fresh mount,
//! all caches of the kernel dropped, and the loop device past the page cache (`--direct-io=on`).
//!
//! **Slow** is: warm, but behind a FUSE server of the bench that takes a millisecond for each call, and whose mount is new.
//!
//! Peers, from Debian's packages: findutils, bfs, fd-find, systemd, python3. Those that are absent are left out, and said.
//! Beside them e2fsprogs, mount and util-linux for the loop image.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a bench may end in a panic, and nobody links it"
)]

mod args;
mod bed;
mod contender;
mod measure;
mod probe;
mod rows;
mod scene;
mod slow;
mod store;
mod table;
mod tool;

use std::process::ExitCode;

use anyhow::Result;
use args::Options;
use odoo_session_reaper::demo::Layout;

const LAYOUTS: [Layout; 2] = [Layout::Flat, Layout::Sharded];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((first, command)) if first == measure::HELPER => measure::help(command),
        // `cargo test --all-targets` starts benches too, without this word.
        _ if !args.iter().any(|arg| arg == "--bench") => Ok(()),
        _ => {
            tool::in_own_mount_table();
            Options::from_command_line().and_then(|options| run(&options))
        }
    };
    if let Err(error) = done {
        eprintln!("peers: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(options: &Options) -> Result<()> {
    if let Err(error) = tool::can_mount() {
        eprintln!("SKIPPED peers, no file system of its own: {error:#}");
        return Ok(());
    }
    tool::stop_on_signals()?;
    let started = std::time::Instant::now();
    let rows = rows::chosen(options);
    let mut played = Vec::new();
    for layout in LAYOUTS {
        let is_wanted = |only: &String| only == tool::name(layout);
        if !options.layout.as_ref().is_none_or(is_wanted) {
            continue;
        }
        for kind in store::Kind::ALL {
            let casts = rows::casts(&rows, kind, options);
            if casts.is_empty() {
                continue;
            }
            if kind == store::Kind::Slow && !std::path::Path::new("/dev/fuse").exists() {
                eprintln!("SKIPPED peers, a slow store: no /dev/fuse");
                continue;
            }
            let mut bed = bed::Bed::make(options, kind, layout)?;
            for cast in casts {
                played.extend(cast.play(&mut bed, options, layout)?);
            }
        }
    }
    println!("{}", table::measured(&played));
    println!("{}", table::targets(&rows, &played, options));
    eprintln!("took {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
