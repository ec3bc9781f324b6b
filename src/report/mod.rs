//! Telling the outcome of a run: `facts` says what there is to tell, and one file per face prints it.

mod entry;
mod facts;
mod histogram;
mod json;
mod list;
pub mod metrics;
pub(crate) mod numbers;
mod out;
mod reads;
mod room;
mod text;

pub(crate) use entry::revocation;
pub use entry::{DELETION, SUMMARY, send};
pub use facts::{Facts, Finished};
pub use list::Listing;
pub use numbers::Numbers;
pub use out::Out;

use clap::ValueEnum;

/// What to do about a run, as sentences with a command: about a file system without room, and about people who would be
/// logged out while they are active.
pub fn advice(run: &Finished<'_>) -> impl Iterator<Item = String> {
    room::advice(run).into_iter().chain(reads::advice(run))
}

/// How much of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportSize {
    /// Tables, ages, and a closing sentence
    Full,
    /// The closing sentence
    Summary,
    /// Nothing
    None,
}

/// Text for people, or JSON for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Writes the report. What cannot be written is noted in `out`; it never stops a run.
pub fn write(out: &mut Out, facts: &Facts, size: ReportSize, format: Format, listed: bool) {
    match (size, format) {
        (ReportSize::None, Format::Text) => {}
        (ReportSize::None, Format::Json) if !listed => {}
        (_, Format::Json) => json::write(out, facts, listed),
        (ReportSize::Full, Format::Text) => text::full(out, facts),
        (ReportSize::Summary, Format::Text) => out.line(text::summary(facts, out.numbers())),
    }
    out.flush();
}
