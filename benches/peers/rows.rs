//! The rows of the performance table: what is compared, with what, and what is to be reached.

use crate::args::Options;
use crate::bed::Cache;
use crate::contender::Contender;
use crate::scene::{Cast, Run, Scene};
use crate::store::Kind;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Wall,
    Cpu,
    ReadP50,
    ReadP99,
    SaveP50,
    SaveP99,
}

impl Metric {
    /// Of one run; not a number where it was not measured.
    pub fn of(self, run: &Run) -> f64 {
        let polite = |pick: fn(&crate::probe::Politeness) -> f64| {
            run.politeness.as_ref().map_or(f64::NAN, pick)
        };
        match self {
            Metric::Wall => run.cost.wall.as_secs_f64(),
            Metric::Cpu => run.cost.cpu.as_secs_f64(),
            Metric::ReadP50 => polite(|p| p.read.p50),
            Metric::ReadP99 => polite(|p| p.read.p99),
            Metric::SaveP50 => polite(|p| p.save.p50),
            Metric::SaveP99 => polite(|p| p.save.p99),
        }
    }
}

/// A ratio to be reached.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub scene: Scene,
    pub ours: Contender,
    pub peer: Contender,
    pub metric: Metric,
    /// At most this, flat and sharded.
    pub target: [f64; 2],
}

const WARM: Scene = Scene {
    name: "warm",
    kind: Kind::Usual,
    cache: Cache::Warm,
    deletes: true,
    odoo: false,
};
const COLD: Scene = Scene {
    name: "cold",
    cache: Cache::Cold,
    ..WARM
};
const HALF_READ: Scene = Scene {
    name: "default windows",
    kind: Kind::HalfRead,
    ..WARM
};
const AUDIT: Scene = Scene {
    name: "audit",
    deletes: false,
    ..WARM
};
const AUDIT_COLD: Scene = Scene {
    name: "audit, cold",
    cache: Cache::Cold,
    ..AUDIT
};
const IDLE: Scene = Scene {
    name: "idle",
    kind: Kind::Idle,
    ..WARM
};
const POLITE: Scene = Scene {
    name: "politeness",
    odoo: true,
    ..WARM
};

const fn row(
    name: &'static str,
    scene: Scene,
    [ours, peer]: [Contender; 2],
    metric: Metric,
    target: [f64; 2],
) -> Row {
    Row {
        name,
        scene,
        ours,
        peer,
        metric,
        target,
    }
}

use Contender::{Audit, Find, PythonAudit, Reap, ReapByAge, ReapByAgeCold, ReapDefaultWindows};
use Metric::{Cpu, ReadP50, ReadP99, SaveP50, SaveP99, Wall};

#[rustfmt::skip]
const ROWS: [Row; 13] = [
    row("`reap --by-age-only --threads 1`, warm, CPU", WARM, [ReapByAge(1), Find], Cpu, [0.85, 0.95]),
    row("`reap --by-age-only --threads 2`, warm, wall", WARM, [ReapByAge(2), Find], Wall, [0.62, 0.57]),
    row("`reap --by-age-only --threads 2` (flat), `8` (sharded), cold, wall", COLD, [ReapByAgeCold, Find], Wall, [0.90, 0.45]),
    row("`reap`, warm, wall", WARM, [Reap, Find], Wall, [0.95, 0.75]),
    row("`reap`, cold, wall", COLD, [Reap, Find], Wall, [1.5, 1.0]),
    row("`reap`, default windows, warm, wall", HALF_READ, [ReapDefaultWindows, Find], Wall, [1.05, 0.85]),
    row("`audit --threads 1`, warm, CPU, to Python", AUDIT, [Audit(Some(1)), PythonAudit], Cpu, [0.35, 0.35]),
    row("`audit`, cold, wall, to Python", AUDIT_COLD, [Audit(None), PythonAudit], Wall, [0.20, 0.20]),
    row("`reap`, hardly anything to do, warm, CPU", IDLE, [Reap, Find], Cpu, [0.60, 0.93]),
    row("politeness: Odoo's open+read, p50", POLITE, [Reap, Find], ReadP50, [1.0, 1.0]),
    row("politeness: Odoo's open+read, p99", POLITE, [Reap, Find], ReadP99, [1.0, 1.0]),
    row("politeness: Odoo's save, p50", POLITE, [Reap, Find], SaveP50, [1.0, 1.0]),
    row("politeness: Odoo's save, p99", POLITE, [Reap, Find], SaveP99, [1.0, 1.0]),
];

/// What else there is to delete files with.
const PEERS: [Contender; 6] = [
    Contender::BareLoop,
    Contender::FindRm,
    Contender::Bfs,
    Contender::Fd,
    Contender::Tmpfiles,
    Contender::OdooGc,
];

/// The rows that were asked for.
pub fn chosen(options: &Options) -> Vec<Row> {
    let matches = |row: &Row| options.wants(row.name);
    ROWS.into_iter().filter(matches).collect()
}

/// Which scenes on a store of this kind these rows need, and who plays in them, the peer that all are compared with first.
pub fn scenes(rows: &[Row], kind: Kind, options: &Options) -> Vec<Cast> {
    let mut casts: Vec<Cast> = Vec::new();
    let mut add = |scene: Scene, wanted: &[Contender]| {
        if scene.kind != kind {
            return;
        }
        let index = casts.iter().position(|cast| cast.scene == scene);
        let index = index.unwrap_or_else(|| {
            casts.push(Cast {
                scene,
                contenders: Vec::new(),
            });
            casts.len() - 1
        });
        for &contender in wanted {
            let contenders = &mut casts[index].contenders;
            if contenders.contains(&contender) {
                continue;
            }
            match contender.is_missing(options) {
                None => contenders.push(contender),
                Some(why) => eprintln!("{}: skipped, {why}", contender.name()),
            }
        }
    };
    for row in rows {
        add(row.scene, &[row.peer, row.ours]);
    }
    if options.wants("peers") {
        add(WARM, &[Find, Reap]);
        add(WARM, &PEERS);
    }
    if options.wants("memory") {
        let many = Scene {
            name: "audit of many",
            kind: Kind::Idle,
            ..AUDIT
        };
        add(many, &[Audit(None)]);
    }
    casts
}
