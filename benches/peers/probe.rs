//! An Odoo beside the run: it opens and reads sessions, and saves them as Odoo does, and looks at the clock.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::measure::Run;
use crate::table::quantile;

/// Between two looks, so that the probe is a visitor and no load.
const PAUSE: Duration = Duration::from_millis(1);

/// Shows pages of the sessions at `paths` for as long as `work` takes: each reads its session, works for `page`, waits for
/// its database, and saves its session.
pub fn during(
    sessions: &Path,
    paths: &[PathBuf],
    page: Duration,
    work: impl FnOnce() -> Result<Run>,
) -> Result<Run> {
    ensure!(!paths.is_empty(), "no fresh session to read and save");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let visitor = scope.spawn(|| visit(sessions, paths, page, &over));
        let worked = work();
        over.store(true, Ordering::Relaxed);
        let odoo = visitor.join().expect("the probe does not panic")?;
        Ok(Run { odoo, ..worked? })
    })
}

/// The quantiles of [`Run::odoo`].
fn visit(
    sessions: &Path,
    paths: &[PathBuf],
    page: Duration,
    over: &AtomicBool,
) -> Result<[f64; 6]> {
    let since = |start: Instant| start.elapsed().as_secs_f64() * 1e6;
    let (mut reads, mut saves, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths.iter().cycle() {
        let begun = Instant::now();
        let content = std::fs::read(path)?;
        reads.push(since(begun));
        let work = Instant::now();
        while work.elapsed() < page {}
        std::thread::sleep(PAUSE);

        let start = Instant::now();
        save(sessions, path, &content)?;
        saves.push(since(start));
        pages.push(since(begun));
        std::thread::sleep(PAUSE);
        if over.load(Ordering::Relaxed) {
            break;
        }
    }
    let of = |times: &mut Vec<f64>| [0.5, 0.99].map(|part| quantile(times, part));
    let ([read50, read99], [save50, save99]) = (of(&mut reads), of(&mut saves));
    let [page50, page99] = of(&mut pages);
    Ok([read50, read99, save50, save99, page50, page99])
}

/// mkstemp in the store, write, rename over the old file, chmod: the way of every Odoo.
fn save(sessions: &Path, path: &Path, content: &[u8]) -> Result<()> {
    let mut unfinished = tempfile::Builder::new()
        .prefix("tmp")
        .rand_bytes(8)
        .suffix(".__wz_sess")
        .tempfile_in(sessions)?;
    unfinished.write_all(content)?;
    unfinished.persist(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o644))?;
    Ok(())
}
