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

pub use entry::send;
pub use facts::{Facts, Finished};
pub(crate) use list::DELETION;
pub use list::Listing;
pub use numbers::Numbers;
pub use out::Out;

use crate::cli::{Format, ReportSize};
use crate::settings::ConfFile;

/// What to do about a run, as sentences with a command: about a file system without room, and about people who would be
/// logged out while they are active.
///
/// `conf_file` is the `odoo.conf` in use; `any_directory` is whether the path was accepted as it is.
pub fn advice(
    finished: &Finished<'_>,
    conf_file: Option<&ConfFile>,
    any_directory: bool,
) -> impl Iterator<Item = String> {
    let room = room::advice(finished, conf_file, any_directory);
    let reads = reads::advice(finished, conf_file, any_directory);
    room.into_iter().chain(reads)
}

/// Writes the report. What cannot be written is noted in `out`; it never stops a run.
pub fn write(out: &mut Out, facts: &Facts, size: ReportSize, format: Format, listed: bool) {
    match (size, format) {
        (ReportSize::None, Format::Text) => {}
        (ReportSize::None, Format::Json) if !listed => {}
        (_, Format::Json) => json::write(out, facts, listed),
        (ReportSize::Full, Format::Text) => text::full(out, facts),
        (ReportSize::Summary, Format::Text) => {
            let sentence = text::summary(facts, out.numbers());
            out.line(format_args!("{sentence}"));
        }
    }
    out.flush();
}
