//! The rows of the performance table: what is compared, with what, and what is to be reached.

use std::time::Duration;

use crate::args::Options;
use crate::bed::Cache;
use crate::contender::*;
use crate::measure::Run;
use crate::scene::{Cast, Scene};
use crate::store::Kind;

/// A ratio to be reached.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub scene: Scene,
    /// Ours, and who it is compared with.
    pub pair: [Contender; 2],
    pub metric: Metric,
    /// At most this, flat and sharded.
    pub target: [f64; 2],
}

/// What is compared.
pub type Metric = fn(&Run) -> f64;

pub const WALL: Metric = |run| run.wall;
pub const CPU: Metric = |run| run.cpu;

const WARM: Scene = Scene {
    name: "warm",
    kind: Kind::Usual,
    cache: Cache::Warm,
    deletes: true,
    odoo: None,
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
const READ: Scene = Scene {
    name: "audit",
    deletes: false,
    ..WARM
};
const READ_COLD: Scene = Scene {
    name: "audit, cold",
    cache: Cache::Cold,
    ..READ
};
const READ_MANY: Scene = Scene {
    name: "audit of many",
    kind: Kind::Idle,
    ..READ
};
const IDLE: Scene = Scene {
    name: "idle",
    kind: Kind::Idle,
    ..WARM
};
const POLITE: Scene = Scene {
    name: "politeness",
    odoo: Some(Duration::ZERO),
    ..WARM
};
const PAGE: Scene = Scene {
    name: "page, 10 000 due",
    kind: Kind::Idle,
    odoo: Some(Duration::from_millis(5)),
    ..WARM
};
const PAGE_MANY: Scene = Scene {
    name: "page, 1 000 000 due",
    kind: Kind::Backlog,
    ..PAGE
};
const SLOW: Scene = Scene {
    name: "slow",
    kind: Kind::Slow,
    ..WARM
};
const SLOW_READ: Scene = Scene {
    name: "slow, audit",
    deletes: false,
    ..SLOW
};
const SLOW_POLITE: Scene = Scene {
    name: "slow, politeness",
    odoo: Some(Duration::ZERO),
    ..SLOW
};

const fn row(
    name: &'static str,
    scene: Scene,
    pair: [Contender; 2],
    metric: Metric,
    target: [f64; 2],
) -> Row {
    Row {
        name,
        scene,
        pair,
        metric,
        target,
    }
}

#[rustfmt::skip]
const ROWS: [Row; 25] = [
    row("`reap --by-age-only --threads 1`, warm, CPU", WARM, [REAP_BY_AGE_1, FIND], CPU, [0.85, 0.95]),
    row("`reap --by-age-only --threads 2`, warm, wall", WARM, [REAP_BY_AGE_2, FIND], WALL, [0.62, 0.57]),
    row("`reap --by-age-only --threads 2` (flat), `8` (sharded), cold, wall", COLD, [REAP_BY_AGE_COLD, FIND], WALL, [0.90, 0.45]),
    row("`reap`, warm, wall", WARM, [REAP, FIND], WALL, [0.95, 0.75]),
    row("`reap`, cold, wall", COLD, [REAP, FIND], WALL, [1.5, 1.0]),
    row("`reap`, default windows, warm, wall", HALF_READ, [REAP_DEFAULT_WINDOWS, FIND], WALL, [1.05, 0.85]),
    row("`audit --threads 1`, warm, CPU, to Python", READ, [AUDIT_1, PYTHON_AUDIT], CPU, [0.35, 0.35]),
    row("`audit`, cold, wall, to Python", READ_COLD, [AUDIT, PYTHON_AUDIT], WALL, [0.20, 0.20]),
    row("`reap`, hardly anything to do, warm, CPU", IDLE, [REAP, FIND], CPU, [0.60, 0.93]),
    row("politeness: Odoo's open+read, p50", POLITE, [REAP, FIND], |run| run.odoo[0], [1.0, 1.0]),
    row("politeness: Odoo's open+read, p99", POLITE, [REAP, FIND], |run| run.odoo[1], [1.0, 1.0]),
    row("politeness: Odoo's save, p50", POLITE, [REAP, FIND], |run| run.odoo[2], [1.0, 1.0]),
    row("politeness: Odoo's save, p99", POLITE, [REAP, FIND], |run| run.odoo[3], [1.0, 1.0]),
    row("politeness in the unit: Odoo's open+read, p50", POLITE, [UNIT, FIND], |run| run.odoo[0], [1.0, 1.0]),
    row("politeness in the unit: Odoo's open+read, p99", POLITE, [UNIT, FIND], |run| run.odoo[1], [1.0, 1.0]),
    row("politeness in the unit: Odoo's save, p50", POLITE, [UNIT, FIND], |run| run.odoo[2], [1.0, 1.0]),
    row("politeness in the unit: Odoo's save, p99", POLITE, [UNIT, FIND], |run| run.odoo[3], [1.0, 1.0]),
    row("page beside the unit, 10 000 files due, p50, to none", PAGE, [UNIT, NOBODY], |run| run.odoo[4], [1.05, 1.05]),
    row("page beside the unit, 10 000 files due, p99, to none", PAGE, [UNIT, NOBODY], |run| run.odoo[5], [1.5, 1.5]),
    row("page beside the unit, 1 000 000 files due, p50, to none", PAGE_MANY, [UNIT, NOBODY], |run| run.odoo[4], [1.05, 1.05]),
    row("page beside the unit, 1 000 000 files due, p99, to none", PAGE_MANY, [UNIT, NOBODY], |run| run.odoo[5], [1.5, 1.5]),
    row("slow store: `reap`, wall", SLOW, [REAP, FIND], WALL, [0.85, 0.15]),
    row("slow store: `reap --by-age-only`, wall, to `reap`", SLOW, [REAP_BY_AGE, REAP], WALL, [1.0, 1.0]),
    row("slow store: `audit`, wall, to Python", SLOW_READ, [AUDIT, PYTHON_AUDIT], WALL, [0.10, 0.10]),
    row("slow store: Odoo's save, p99", SLOW_POLITE, [REAP, FIND], |run| run.odoo[3], [1.0, 1.0]),
];

/// The rows that were asked for.
pub fn chosen(options: &Options) -> Vec<Row> {
    let mut rows: Vec<_> = ROWS.into_iter().collect();
    rows.retain(|row| options.wants(row.name));
    if options.against.is_some() {
        for Row { pair, target, .. } in &mut rows {
            pair[1] = pair[0].of_other_build();
            *target = [1.0; 2];
        }
    }
    rows
}

/// Which scenes on a store of this kind are needed, and who plays in them, the peer that all are compared with first.
pub fn casts(rows: &[Row], kind: Kind, options: &Options) -> Vec<Cast> {
    let mut parts: Vec<(Scene, Contender)> = Vec::new();
    for Row {
        scene,
        pair: [ours, peer],
        ..
    } in rows
    {
        parts.extend([(*scene, *peer), (*scene, *ours)]);
    }
    let with_peers = options.against.is_none();
    if with_peers && options.wants("peers") {
        // What else there is to delete files with.
        let all = [FIND, REAP, FIND_RM, BFS, FD, TMPFILES, ODOO_GC];
        parts.extend(all.map(|contender| (WARM, contender)));
    }
    if with_peers && options.wants("memory") {
        parts.push((READ_MANY, AUDIT));
    }
    let mut casts: Vec<Cast> = Vec::new();
    for (scene, contender) in parts.into_iter().filter(|(scene, _)| scene.kind == kind) {
        match casts.iter_mut().find(|cast| cast.scene == scene) {
            Some(cast) if cast.contenders.contains(&contender) => {}
            Some(cast) => cast.contenders.push(contender),
            None => casts.push(Cast {
                scene,
                contenders: vec![contender],
            }),
        }
    }
    casts
}
