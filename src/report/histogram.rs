//! The ages of each class, drawn, so that an administrator sees the pile.

use super::numbers::grouped;
use super::out::Out;
use crate::policy::{Class, LastSeen};
use crate::tally::{AGE_BOUNDS, AGE_BUCKETS, Tally};

/// Classes that stand side by side within 80 columns.
const ABREAST: usize = 3;
const BAR: usize = 11;
const COUNT: usize = 10;
const LABEL: usize = 12;

/// Draws the ages of every class that has files, each to its own scale: the numbers compare the classes.
pub fn write(out: &mut Out, tally: &Tally, last_seen: LastSeen) {
    let clock = match last_seen {
        LastSeen::Mtime => "Last save",
        LastSeen::Atime => "Last use",
    };
    let drawn: Vec<Class> = Class::ALL
        .into_iter()
        .filter(|class| tally.row(*class).ages.iter().any(|count| *count > 0))
        .collect();
    // Empty buckets at either end say nothing.
    let filled = |bucket: &usize| {
        drawn
            .iter()
            .any(|class| tally.row(*class).ages[*bucket] > 0)
    };
    let first = (0..AGE_BUCKETS).find(filled).unwrap_or(0);
    let last = (0..AGE_BUCKETS).rfind(filled).unwrap_or(0);
    let buckets = first..=last;
    for classes in drawn.chunks(ABREAST) {
        let mut head = format!("{clock:<LABEL$}");
        for class in classes {
            head.push_str(&format!(
                " {:>width$}",
                super::text::label(*class),
                width = COUNT + BAR
            ));
        }
        let head = out.bold(head.trim_end());
        out.line(format_args!("{head}"));
        for bucket in buckets.clone() {
            let mut line = format!("{:<LABEL$}", bucket_label(bucket));
            for class in classes {
                let count = tally.row(*class).ages[bucket];
                let largest = tally.row(*class).ages.into_iter().max().unwrap_or(0);
                let bar = bar(count, largest);
                let padding = " ".repeat(BAR - bar.chars().count());
                let count = if count == 0 {
                    "·".to_owned()
                } else {
                    grouped(count)
                };
                line.push_str(&format!(" {count:>COUNT$} {bar}{}", &padding[1..]));
            }
            out.line(format_args!("{}", line.trim_end()));
        }
        out.line(format_args!(""));
    }
}

fn bucket_label(bucket: usize) -> String {
    let bound = |index: usize| AGE_BOUNDS[index].1;
    match bucket {
        0 => format!("under {}", bound(0)),
        last if last == AGE_BOUNDS.len() => format!("over {}", bound(last - 1)),
        _ => format!("{} to {}", bound(bucket - 1), bound(bucket)),
    }
}

/// A bar of up to ten columns, in eighths of a column; whatever is there shows at least one eighth.
fn bar(count: u64, largest: u64) -> String {
    const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    if count == 0 || largest == 0 {
        return String::new();
    }
    let eighths = (count as f64 / largest as f64 * ((BAR - 1) * 8) as f64)
        .round()
        .max(1.0) as usize;
    let mut bar = "█".repeat(eighths / 8);
    if eighths % 8 > 0 {
        bar.push(EIGHTHS[eighths % 8 - 1]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_pile_fills_its_bar_and_the_smallest_still_shows() {
        assert_eq!(bar(1_000_000, 1_000_000), "██████████");
        assert_eq!(bar(500_000, 1_000_000), "█████");
        assert_eq!(bar(1, 1_000_000), "▏");
        assert_eq!(bar(0, 1_000_000), "");
    }

    #[test]
    fn buckets_are_named_by_their_bounds() {
        assert_eq!(bucket_label(0), "under 1h");
        assert_eq!(bucket_label(3), "1d to 3d");
        assert_eq!(bucket_label(AGE_BUCKETS - 1), "over 1y");
    }
}
