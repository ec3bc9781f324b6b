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

const BAR: usize = 11;
const COUNT: usize = 10;
const LABEL: usize = 12;

/// Draws the ages of logins, visitors and leftovers, each to its own scale.
pub fn write(out: &mut Out, facts: &Facts) {
    let clock = match facts.last_seen {
        LastSeen::Mtime => "Last save",
        LastSeen::Atime => "Last use",
    };
    let mut columns = Vec::new();
    for (label, classes) in COLUMNS {
        let mut ages = [0; AGE_BUCKETS];
        for class in classes {
            let row = facts.found.row(*class);
            ages.iter_mut()
                .zip(row.ages)
                .for_each(|(sum, files)| *sum += files);
        }
        let largest = ages.into_iter().max().unwrap_or(0);
        if largest > 0 {
            columns.push((label, ages, largest));
        }
    }
    // Empty buckets at either end say nothing.
    let filled = |bucket: &usize| columns.iter().any(|(_, ages, _)| ages[*bucket] > 0);
    let (Some(first), Some(last)) = (
        (0..AGE_BUCKETS).find(filled),
        (0..AGE_BUCKETS).rfind(filled),
    ) else {
        return;
    };
    let mut head = format!("{clock:<LABEL$}");
    for (label, ..) in &columns {
        head.push_str(&format!(" {label:>width$}", width = COUNT + BAR));
    }
    let head = out.bold(&head);
    out.line(format_args!("{head}"));
    for bucket in first..=last {
        let mut line = format!("{:<LABEL$}", bucket_label(bucket));
        for (_, ages, largest) in &columns {
            let count = match ages[bucket] {
                0 => "·".to_owned(),
                count => out.numbers().count(count),
            };
            let bar = bar(ages[bucket], *largest);
            line.push_str(&format!(" {count:>COUNT$} {bar:<width$}", width = BAR - 1));
        }
        out.line(format_args!("{}", line.trim_end()));
    }
    out.line(format_args!(
        "Each column has its own scale: its longest bar is its largest number."
    ));
    out.line(format_args!(""));
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
