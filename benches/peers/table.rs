//! Results as Markdown.

use std::fmt::Write;

use odoo_session_reaper::demo::Layout;

use crate::args::Options;
use crate::contender::{Contender, FIND};
use crate::measure::Run;
use crate::rows::{CPU, Metric, Row, WALL};
use crate::scene::Played;
use crate::{LAYOUTS, tool};

/// The most memory a run may take.
const PEAK_MIB: f64 = 6.0;

/// Rows with their targets; `judge` marks what was missed.
pub fn targets(rows: &[Row], played: &[Played], options: &Options) -> String {
    let judge = !options.short;
    let peer = match options.against {
        None => "`find -delete` where nothing else is said",
        Some(_) => "the other build",
    };
    let mut out = format!(
        "| ratio to {peer} | target flat / sharded | flat | sharded |\n|---|---|---|---|\n",
    );
    for row in rows {
        let [flat, sharded] = row.target;
        let _ = write!(out, "| {} | ≤ {flat:.2} / {sharded:.2} |", row.name);
        for (layout, target) in LAYOUTS.into_iter().zip(row.target) {
            let of = |who| runs(played, row.scene.name, layout, who);
            let [ours, peer] = row.pair.map(of);
            let cell = cell(
                ratios(ours, peer, row.metric),
                |[lowest, median, highest]| {
                    let mark = mark(judge && median > target);
                    format!("{median:.2}{mark} ({lowest:.2}–{highest:.2})")
                },
            );
            let _ = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    let _ = write!(out, "| peak RSS of all runs, MiB | ≤ {PEAK_MIB} |");
    for layout in LAYOUTS {
        let ours = |one: &&Played| one.layout == layout && one.contender.is_ours();
        let ours = played.iter().filter(ours).flat_map(|one| &one.runs);
        let cell = cell(
            ours.map(|run| run.peak).collect(),
            |[lowest, _, highest]| {
                let mark = mark(judge && highest > PEAK_MIB);
                format!("{lowest:.1}–{highest:.1}{mark}")
            },
        );
        let _ = write!(out, " {cell} |");
    }
    out + "\n"
}

fn mark(missed: bool) -> &'static str {
    if missed { " ✗" } else { "" }
}

/// Of the median, and of the ends around it.
fn cell(mut values: Vec<f64>, show: impl Fn([f64; 3]) -> String) -> String {
    match values.is_empty() {
        true => "not measured".to_owned(),
        false => show([0.0, 0.5, 1.0].map(|part| quantile(&mut values, part))),
    }
}

fn runs<'a>(played: &'a [Played], scene: &str, layout: Layout, who: Contender) -> &'a [Run] {
    let is_it = |one: &&Played| one.scene == scene && one.layout == layout && one.contender == who;
    played.iter().find(is_it).map_or(&[], |one| &one.runs)
}

/// Within each turn.
fn ratios(ours: &[Run], peers: &[Run], metric: Metric) -> Vec<f64> {
    let of = |(ours, peer)| metric(ours) / metric(peer);
    ours.iter().zip(peers).map(of).collect()
}

/// Everything that was measured, medians.
pub fn measured(played: &[Played]) -> String {
    let mut out = String::from(
        "| scene | layout | contender | wall, s | to find | user+sys, s | to find | peak RSS, MiB | Odoo's read p50 / p99, µs | save p50 / p99, µs |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for one in played.iter().filter(|one| !one.runs.is_empty()) {
        let find = runs(played, one.scene, one.layout, FIND);
        let median = |mut values: Vec<f64>, digits: usize| match quantile(&mut values, 0.5) {
            unknown if unknown.is_nan() => String::new(),
            median => format!("{median:.digits$}"),
        };
        let number = |metric: Metric, digits| median(one.runs.iter().map(metric).collect(), digits);
        let pair = |low, high| match number(low, 0) {
            low if low.is_empty() => low,
            low => low + " / " + &number(high, 0),
        };
        let to_find = |metric| median(ratios(&one.runs, find, metric), 2);
        let cells = [
            one.scene.to_owned(),
            tool::name(one.layout).to_owned(),
            format!("`{}`", one.contender.title()),
            number(WALL, 3),
            to_find(WALL),
            number(CPU, 3),
            to_find(CPU),
            number(|run| run.peak, 1),
            pair(|run| run.odoo[0], |run| run.odoo[1]),
            pair(|run| run.odoo[2], |run| run.odoo[3]),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// The value below which this part of all values lies; sorts them.
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = part * values.len().saturating_sub(1) as f64;
    let at = |place: f64| values.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}
