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

/// Reads and saves the sessions at `paths` for as long as `work` takes.
pub fn during(
    sessions: &Path,
    paths: &[PathBuf],
    work: impl FnOnce() -> Result<Run>,
) -> Result<Run> {
    ensure!(!paths.is_empty(), "no fresh session to read and save");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let visitor = scope.spawn(|| visit(sessions, paths, &over));
        let worked = work();
        over.store(true, Ordering::Relaxed);
        let odoo = visitor.join().expect("the probe does not panic")?;
        Ok(Run { odoo, ..worked? })
    })
}

/// The quantiles of [`Run::odoo`].
fn visit(sessions: &Path, paths: &[PathBuf], over: &AtomicBool) -> Result<[f64; 4]> {
    let (mut reads, mut saves) = (Vec::new(), Vec::new());
    for path in paths.iter().cycle() {
        let start = Instant::now();
        let content = std::fs::read(path)?;
        reads.push(start.elapsed().as_secs_f64() * 1e6);
        std::thread::sleep(PAUSE);

        let start = Instant::now();
        save(sessions, path, &content)?;
        saves.push(start.elapsed().as_secs_f64() * 1e6);
        std::thread::sleep(PAUSE);
        if over.load(Ordering::Relaxed) {
            break;
        }
    }
    let mut quantiles = |part| [quantile(&mut reads, part), quantile(&mut saves, part)];
    let ([read50, save50], [read99, save99]) = (quantiles(0.5), quantiles(0.99));
    Ok([read50, read99, save50, save99])
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
