//! The ages, drawn, so that an administrator sees the pile.

use super::facts::Facts;
use super::out::Out;
use crate::policy::{Class, LastSeen};
use crate::tally::{AGE_BOUNDS, AGE_BUCKETS};

/// What is drawn: what is not read, or not Odoo's, has no age that matters.
const COLUMNS: [(&str, &[Class]); 3] = [
    (
        "authenticated",
        &[Class::Authenticated, Class::Protected, Class::Superseded],
    ),
    (
        "anonymous",
        &[Class::Cart, Class::Pending2fa, Class::Anonymous],
    ),
    ("leftovers", &[Class::UnfinishedSave, Class::UploadStash]),
];

const BAR: usize = 10;
/// On a narrow terminal; the head of a column has to fit above it.
const SHORTEST_BAR: usize = 2;
const COUNT: usize = 10;
const LABEL: usize = 12;

/// Draws the ages of logins, visitors and leftovers, each to its own scale.
pub fn write(out: &mut Out, facts: &Facts) {
    let columns: Vec<_> = COLUMNS
        .into_iter()
        .map(|(label, classes)| (label, sum(facts, classes)))
        .filter(|(_, ages)| ages.iter().any(|files| *files > 0))
        .collect();
    // Empty buckets at either end say nothing.
    let is_filled = |bucket: &usize| columns.iter().any(|(_, ages)| ages[*bucket] > 0);
    let filled: Vec<usize> = (0..AGE_BUCKETS).filter(is_filled).collect();
    let (Some(first), Some(last)) = (filled.first(), filled.last()) else {
        return;
    };
    let each = out.width.saturating_sub(LABEL) / columns.len();
    let width = each.saturating_sub(COUNT + 2).clamp(SHORTEST_BAR, BAR);
    let mut head = match facts.last_seen {
        LastSeen::Mtime => format!("{:<LABEL$}", "Last save"),
        LastSeen::Atime => format!("{:<LABEL$}", "Last use"),
    };
    for (label, _) in &columns {
        head += &format!(" {label:>width$}", width = COUNT + width + 1);
    }
    out.line(out.bold(&head));
    for bucket in *first..=*last {
        let mut line = format!("{:<LABEL$}", bucket_label(bucket));
        for (_, ages) in &columns {
            let count = match ages[bucket] {
                0 => "·".to_owned(),
                count => out.numbers().count(count),
            };
            let bar = bar(ages[bucket], ages.iter().copied().max().unwrap_or(0), width);
            line += &format!(" {count:>COUNT$} {bar:<width$}");
        }
        out.line(line.trim_end());
    }
    out.line("The longest bar of a column is its largest number.\n");
}

fn sum(facts: &Facts, classes: &[Class]) -> [u64; AGE_BUCKETS] {
    let rows = classes.iter().map(|class| facts.found.row(*class).ages);
    rows.fold([0; AGE_BUCKETS], |sum, ages| {
        std::array::from_fn(|bucket| sum[bucket] + ages[bucket])
    })
}

fn bucket_label(bucket: usize) -> String {
    let bound = |index: usize| AGE_BOUNDS[index].1;
    match bucket {
        0 => format!("under {}", bound(0)),
        last if last == AGE_BOUNDS.len() => format!("over {}", bound(last - 1)),
        _ => format!("{} to {}", bound(bucket - 1), bound(bucket)),
    }
}

/// A bar whose last part is a half where that is nearer; whatever is there shows.
fn bar(count: u64, largest: u64, width: usize) -> String {
    let halves = (count as f64 / largest.max(1) as f64 * 2.0 * width as f64).round() as usize;
    let half = if halves % 2 == 1 { "▌" } else { "" };
    match halves {
        0 if count > 0 => "▏".to_owned(),
        _ => "█".repeat(halves / 2) + half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_pile_fills_its_bar_and_the_smallest_still_shows() {
        assert_eq!(bar(1_000_000, 1_000_000, BAR), "██████████");
        assert_eq!(bar(500_000, 1_000_000, BAR), "█████");
        assert_eq!(bar(130, 1_000, BAR), "█▌");
        assert_eq!(bar(1, 1_000_000, BAR), "▏");
        assert_eq!(bar(0, 1_000_000, BAR), "");
    }

    #[test]
    fn buckets_are_named_by_their_bounds() {
        assert_eq!(bucket_label(0), "under 1h");
        assert_eq!(bucket_label(3), "1d to 3d");
        assert_eq!(bucket_label(AGE_BUCKETS - 1), "over 1y");
    }
}
