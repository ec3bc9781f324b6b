//! A scene: contenders take turns on one store, in one state of the caches.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::args::Options;
use crate::bed::{Bed, Cache};
use crate::contender::{Contender, Place};
use crate::left::{self, Left};
use crate::measure::{self, Cost};
use crate::probe::{self, Politeness};
use crate::store::{DAY, Kind, Layout};
use crate::tool;

/// What distinguishes one scene from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    pub name: &'static str,
    pub kind: Kind,
    pub cache: Cache,
    /// Whether the contenders delete; else the store needs no restoring.
    pub deletes: bool,
    /// Whether an Odoo works beside them.
    pub odoo: bool,
}

impl Scene {
    /// The age from which files are in memory: memory is finite, so what nobody is going to read is not.
    fn read_from(&self) -> Duration {
        if self.deletes { DAY } else { Duration::ZERO }
    }
}

/// A scene and who plays in it.
pub struct Cast {
    pub scene: Scene,
    pub contenders: Vec<Contender>,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub cost: Cost,
    pub politeness: Option<Politeness>,
}

/// All runs, by scene, layout and contender, in the order of the turns.
#[derive(Default)]
pub struct Results(BTreeMap<(&'static str, Layout, Contender), Vec<Run>>);

impl Results {
    /// The runs of one contender; none if it did not play.
    pub fn runs(&self, scene: &'static str, layout: Layout, contender: Contender) -> &[Run] {
        self.0
            .get(&(scene, layout, contender))
            .map_or(&[], Vec::as_slice)
    }

    /// Everything.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Layout, Contender, &[Run])> {
        self.0
            .iter()
            .map(|(&(scene, layout, contender), runs)| (scene, layout, contender, runs.as_slice()))
    }
}

/// Which files there are before and after each run.
#[derive(Default)]
struct Expected {
    pristine: Option<Left>,
    after: Option<Left>,
}

impl Cast {
    /// Lets everybody have their turns.
    pub fn play(
        &self,
        bed: &mut Bed,
        options: &Options,
        layout: Layout,
        results: &mut Results,
    ) -> Result<()> {
        let scene = self.scene;
        if scene.cache == Cache::Cold && !bed.can_be_cold() {
            eprintln!("{}: skipped, caches cannot be dropped here", scene.name);
            return Ok(());
        }
        let config = tempfile::Builder::new().suffix(".conf").tempfile()?;
        let place = Place {
            options,
            kind: scene.kind,
            layout,
            data_dir: bed.data_dir(),
            config: config.path(),
        };
        std::fs::write(config.path(), place.tmpfiles_config())?;
        if !scene.deletes {
            bed.restore(scene.cache, false)?;
        }
        let mut left = Expected::default();
        for turn in 1..=options.turns {
            for &contender in &self.contenders {
                let run = self
                    .one(contender, bed, &place, &mut left)
                    .with_context(|| format!("{}, {}", scene.name, contender.name()))?;
                eprintln!(
                    "{} {} {turn}/{}: {}: {:.3} s, CPU {:.3} s, {:.1} MiB{}",
                    scene.name,
                    layout.name(),
                    options.turns,
                    contender.name(),
                    run.cost.wall.as_secs_f64(),
                    run.cost.cpu.as_secs_f64(),
                    run.cost.peak_bytes as f64 / f64::from(1 << 20),
                    run.politeness.map_or(String::new(), |p| format!(", {p:?}")),
                );
                let key = (scene.name, layout, contender);
                results.0.entry(key).or_default().push(run);
            }
        }
        Ok(())
    }

    fn one(
        &self,
        contender: Contender,
        bed: &mut Bed,
        place: &Place,
        left: &mut Expected,
    ) -> Result<Run> {
        let scene = self.scene;
        let sessions = bed.sessions();
        let Expected { pristine, after } = left;
        if scene.deletes {
            bed.restore(scene.cache, scene.odoo)?;
        }
        let files = left::files(&sessions)?;
        let before = Left::of(&sessions, &files)?;
        let pristine = *pristine.get_or_insert(before);
        ensure!(before == pristine, "the store was not put back as it was");
        let young = match scene.cache {
            Cache::Warm => {
                let young = left::warm(&files, self.scene.read_from())?;
                bed.settle()?;
                young
            }
            Cache::Cold => {
                bed.chill()?;
                Vec::new()
            }
        };
        drop(files);
        tool::go_on()?;
        let (program, args) = contender.command(place);
        let measure = || measure::run(&program, &args);
        let run = if scene.odoo {
            let (cost, politeness) = probe::during(&sessions, &young, measure)?;
            let politeness = Some(politeness);
            Run { cost, politeness }
        } else {
            Run {
                cost: measure()?,
                politeness: None,
            }
        };
        if scene.deletes {
            check(contender, place, after)?;
        }
        Ok(run)
    }
}

/// Whether this contender left the same files behind as the first one.
fn check(contender: Contender, place: &Place, first: &mut Option<Left>) -> Result<()> {
    let sessions = place.data_dir.join("sessions");
    let mut left = Left::of(&sessions, &left::files(&sessions)?)?;
    let first = *first.get_or_insert(left);
    if contender.leaves_the_top(place.layout) {
        left.top = first.top;
    }
    ensure!(
        left == first,
        "left {} files at the top level and {} in shards, not the same {} and {} as the first contender",
        left.top.files,
        left.below.files,
        first.top.files,
        first.below.files
    );
    Ok(())
}
