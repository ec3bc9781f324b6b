//! How fast and how polite the program is beside others that delete the same files.
//!
//! `cargo bench --bench peers` prints the table of docs/development/performance.md; `-- --help` lists what can be chosen.
//!
//! **How it measures.** `demo --keep` makes a store; each timed run works on that very store, put back to the byte,
//! and each is checked to leave the same files behind as its peers. The contenders of a scene take turns (A B C, A B C,
//! …), and a ratio is taken within each turn, so that a machine that is busy for a while is busy for all of them. The
//! tables show the median of these ratios and, in brackets, the lowest and the highest. Each run is the only child
//! of a fresh process, which asks the kernel what it took: wall-clock time, user and system CPU time, and the
//! peak of its resident memory.
//!
//! **On what.** As root, on ext4 in a loop image of its own, because a mount with `discard` (or an SSD busy with
//! others) drowns every difference; otherwise in a directory of whatever file system that is. Its journal is as large
//! as that of a disk of some size (512 MiB), so that no run waits for a checkpoint that a real server would not need.
//! Every file of the store has been read since it was written, as Odoo does, so `relatime` leaves it alone.
//!
//! **Warm** is: everything was listed, statted and read just before, through the same mount. **Cold** is: a fresh mount,
//! all caches of the kernel dropped, and the loop device past the page cache (`--direct-io=on`). Needs root.
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
mod bare;
mod bed;
mod contender;
mod image;
mod left;
mod measure;
mod probe;
mod rows;
mod scene;
mod stats;
mod store;
mod table;
mod tool;

use std::process::ExitCode;

use anyhow::Result;
use args::Options;
use scene::Results;

fn main() -> ExitCode {
    if let Some(code) = measure::as_helper().or_else(bare::as_program) {
        return code;
    }
    // `cargo test --all-targets` starts benches too, without this word.
    if !std::env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    tool::in_own_mount_table();
    match Options::from_command_line().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    tool::stop_on_signals()?;
    let started = std::time::Instant::now();
    let rows = rows::chosen(options);
    let mut results = Results::default();
    for layout in store::Layout::BOTH {
        if options.layout.is_some_and(|only| only != layout) {
            continue;
        }
        for kind in store::Kind::ALL {
            let scenes = rows::scenes(&rows, kind, options);
            if scenes.is_empty() {
                continue;
            }
            let mut bed = bed::Bed::make(options, kind, layout)?;
            for scene in &scenes {
                scene.play(&mut bed, options, layout, &mut results)?;
            }
        }
    }
    println!("{}", table::measured(&results));
    println!("{}", table::targets(&rows, &results, !options.short));
    eprintln!("took {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}
