//! Telling the outcome of a run: one file per face.

mod entry;
mod histogram;
mod json;
mod list;
pub mod metrics;
pub(crate) mod numbers;
mod out;
mod room;
mod text;

pub use entry::send;
pub use list::Listing;
pub use out::Out;
pub use room::advice;

use std::time::Duration;

use crate::cli::{Format, ReportSize};
use crate::exit::Exit;
use crate::reap::{End, Plan};
use crate::settings::{Effective, Location};
use crate::store::{Room, Store};
use crate::tally::Tally;
use crate::time::Timestamp;

/// A run that has come to its end, with all that a report tells of it.
pub struct Finished<'a> {
    /// Where the store is, and who said so.
    pub location: &'a Location,
    /// The store.
    pub store: &'a Store,
    /// What was to be done.
    pub plan: &'a Plan,
    /// Every value of the policy, with who said so.
    pub effective: &'a [Effective],
    /// Whether logins may be shown, and patterns of logins with them.
    pub logins: bool,
    /// What was found and done.
    pub tally: &'a Tally,
    /// How it ended; `None` for a dormant store that was left alone.
    pub end: Option<End>,
    /// Nothing was saved in the store for longer than the shortest window.
    pub dormant: bool,
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The file system's room afterwards.
    pub room: Room,
    /// How the process ends.
    pub exit: Exit,
}

impl Finished<'_> {
    /// Authenticated sessions that are due though Odoo read them within their window, or `None` where the mount does
    /// not tell.
    pub fn due_though_read(&self) -> Option<u64> {
        (!self.store.without_access_times()).then_some(self.tally.due_though_read)
    }
}

/// Writes the report. What cannot be written is noted in `out`; it never stops a run.
pub fn write(
    out: &mut Out,
    finished: &Finished<'_>,
    size: ReportSize,
    format: Format,
    listed: bool,
) {
    match (size, format) {
        (ReportSize::None, Format::Text) => {}
        (ReportSize::None, Format::Json) if !listed => {}
        (_, Format::Json) => json::write(out, finished, listed),
        (ReportSize::Full, Format::Text) => text::full(out, finished),
        (ReportSize::Summary, Format::Text) => {
            out.line(format_args!("{}", text::summary(finished)));
        }
    }
    out.flush();
}
