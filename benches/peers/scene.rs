//! A scene: contenders take turns on one store, in one state of the caches.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use odoo_session_reaper::demo::Layout;

use crate::args::Options;
use crate::bed::{Bed, Cache};
use crate::contender::{Contender, Place};
use crate::measure::{self, Run};
use crate::store::{self, DAY, Kind, Names};
use crate::{probe, tool};

/// What distinguishes one scene from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    pub name: &'static str,
    pub kind: Kind,
    pub cache: Cache,
    /// Whether the contenders delete; else the store needs no restoring.
    pub deletes: bool,
    /// How long the processor works on a page of the Odoo beside them, if there is one.
    pub odoo: Option<Duration>,
}

/// A scene and who plays in it.
pub struct Cast {
    pub scene: Scene,
    pub contenders: Vec<Contender>,
}

/// All runs of a contender in a scene, in the order of the turns.
pub struct Played {
    pub scene: &'static str,
    pub layout: Layout,
    pub contender: Contender,
    pub runs: Vec<Run>,
}

impl Cast {
    /// Lets everybody have their turns.
    pub fn play(&self, bed: &mut Bed, options: &Options, layout: Layout) -> Result<Vec<Played>> {
        let scene = self.scene;
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
        let mut played = Vec::new();
        for &contender in &self.contenders {
            let program = &contender.command(&place)[0];
            if !tool::is_installed(program) {
                eprintln!("{}: skipped, it is not installed", contender.name);
                continue;
            }
            played.push(Played {
                scene: scene.name,
                layout,
                contender,
                runs: Vec::new(),
            });
        }
        let mut expected = [None; 2];
        for turn in 1..=options.turns {
            for one in &mut played {
                let (scene, layout, name) = (scene.name, tool::name(layout), one.contender.title());
                let who = format!("{scene} {layout}, {name}, {turn}/{}", options.turns);
                let run = self.one(one.contender, bed, &place, &mut expected);
                let run = run.with_context(|| who.clone())?;
                let Run {
                    wall, cpu, peak, ..
                } = run;
                eprintln!("{who}: {wall:.3} s, CPU {cpu:.3} s, {peak:.1} MiB");
                one.runs.push(run);
            }
        }
        Ok(played)
    }

    fn one(
        &self,
        contender: Contender,
        bed: &mut Bed,
        place: &Place,
        [before, after]: &mut [Option<Names>; 2],
    ) -> Result<Run> {
        let scene = self.scene;
        let sessions = bed.behind().join("sessions");
        if scene.deletes {
            bed.restore(scene.cache, scene.odoo.is_some())?;
        }
        let files = store::files(&sessions)?;
        let names = store::names(&sessions, &files);
        let pristine = *before.get_or_insert(names);
        ensure!(names == pristine, "the store was not put back as it was");
        // Memory is finite, so what nobody is going to read is not in it.
        let read_from = if scene.deletes { DAY } else { Duration::ZERO };
        let mut young = Vec::new();
        if scene.cache == Cache::Warm {
            young = store::warm(&files, read_from)?;
            bed.settle()?;
        } else {
            bed.chill()?;
        }
        drop(files);
        tool::go_on()?;
        let command = contender.command(place);
        let measure = || measure::run(&command);
        // As an Odoo comes to them.
        let come_to =
            |path: &PathBuf| Some(place.sessions().join(path.strip_prefix(&sessions).ok()?));
        let run = match scene.odoo {
            Some(work) => {
                let young: Vec<_> = young.iter().filter_map(come_to).collect();
                probe::during(&place.sessions(), &young, work, measure)?
            }
            None => measure()?,
        };
        if let Some(slow) = bed.slow() {
            eprintln!("{}", slow.take_calls());
        }
        if scene.deletes && !contender.deletes_nothing() {
            let mut left = store::names(&sessions, &store::files(&sessions)?);
            let first = *after.get_or_insert(left);
            if contender.leaves_the_top(place.layout) {
                left[0] = first[0];
            }
            ensure!(
                left == first,
                "left {left:?}, the first contender {first:?}"
            );
        }
        Ok(run)
    }
}
