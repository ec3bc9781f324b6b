//! Results as Markdown.

use std::fmt::Write;

use crate::contender::Contender;
use crate::rows::{Metric, Row};
use crate::scene::{Results, Run};
use crate::stats::Spread;
use crate::store::Layout;

/// The most memory a run may take.
const PEAK_MIB: f64 = 6.0;

/// Rows with their targets; `judge` marks what was missed.
pub fn targets(rows: &[Row], results: &Results, judge: bool) -> String {
    let mut out = String::from(
        "| ratio to `find -delete` where nothing else is said | target flat / sharded | flat | sharded |\n|---|---|---|---|\n",
    );
    for row in rows {
        let [flat, sharded] = row.target;
        let _ = write!(out, "| {} | ≤ {flat:.2} / {sharded:.2} |", row.name);
        for (layout, target) in Layout::BOTH.into_iter().zip(row.target) {
            let cell = ratio(row, layout, results).map_or("not measured".to_owned(), |ratio| {
                cell(ratio, judge && ratio.median > target)
            });
            let _ = write!(out, " {cell} |");
        }
        out.push('\n');
    }
    let _ = write!(out, "| peak RSS of all runs, MiB | ≤ {PEAK_MIB} |");
    for layout in Layout::BOTH {
        let all = peaks(results, layout);
        let cell = Spread::of(all).map_or("not measured".to_owned(), |peak| {
            let missed = judge && peak.highest > PEAK_MIB;
            let mark = if missed { " ✗" } else { "" };
            format!("{:.1}–{:.1}{mark}", peak.lowest, peak.highest)
        });
        let _ = write!(out, " {cell} |");
    }
    out.push('\n');
    out
}

fn ratio(row: &Row, layout: Layout, results: &Results) -> Option<Spread> {
    let runs = |contender| results.runs(row.scene.name, layout, contender);
    ratios(runs(row.ours), runs(row.peer), row.metric)
}

/// Within each turn.
fn ratios(ours: &[Run], peers: &[Run], metric: Metric) -> Option<Spread> {
    let of = |(ours, peer)| metric.of(ours) / metric.of(peer);
    Spread::of(ours.iter().zip(peers).map(of))
}

fn cell(ratio: Spread, missed: bool) -> String {
    let mark = if missed { " ✗" } else { "" };
    format!(
        "{:.2}{mark} ({:.2}–{:.2})",
        ratio.median, ratio.lowest, ratio.highest
    )
}

fn peaks(results: &Results, layout: Layout) -> Vec<f64> {
    results
        .iter()
        .filter(|&(_, at, contender, _)| at == layout && contender.is_ours())
        .flat_map(|(_, _, _, runs)| runs)
        .map(mib)
        .collect()
}

fn mib(run: &Run) -> f64 {
    run.cost.peak_bytes as f64 / f64::from(1 << 20)
}

/// Everything that was measured, medians.
pub fn measured(results: &Results) -> String {
    let mut out = String::from(
        "| scene | layout | contender | wall, s | to find | user+sys, s | to find | peak RSS, MiB | Odoo's read p50 / p99, µs | save p50 / p99, µs |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (scene, layout, contender, runs) in results.iter() {
        let find = results.runs(scene, layout, Contender::Find);
        let median = |of: fn(&Run) -> f64| Spread::of(runs.iter().map(of)).map(|s| s.median);
        let number = |of: fn(&Run) -> f64, digits: usize| {
            median(of).map_or(String::new(), |value| format!("{value:.digits$}"))
        };
        let pair = |low: fn(&Run) -> f64, high: fn(&Run) -> f64| {
            if runs.iter().all(|run| run.politeness.is_none()) {
                return String::new();
            }
            format!("{} / {}", number(low, 0), number(high, 0))
        };
        let to_find = |metric| {
            ratios(runs, find, metric).map_or(String::new(), |ratio| format!("{:.2}", ratio.median))
        };
        let _ = writeln!(
            out,
            "| {scene} | {} | `{}` | {} | {} | {} | {} | {} | {} | {} |",
            layout.name(),
            contender.name(),
            number(|run| Metric::Wall.of(run), 3),
            to_find(Metric::Wall),
            number(|run| Metric::Cpu.of(run), 3),
            to_find(Metric::Cpu),
            number(mib, 1),
            pair(|run| Metric::ReadP50.of(run), |run| Metric::ReadP99.of(run)),
            pair(|run| Metric::SaveP50.of(run), |run| Metric::SaveP99.of(run)),
        );
    }
    out
}
