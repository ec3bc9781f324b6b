//! Arguments of `doctor`.

use clap::Args;

use super::{Format, StoreArgs};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Where the store is.
    #[command(flatten)]
    pub store: StoreArgs,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,
}

impl DoctorArgs {
    /// Whether nobody said which store is meant.
    pub(crate) fn names_no_store(&self) -> bool {
        let store = &self.store;
        let directories = [&store.path, &store.data_dir, &store.sessions_dir];
        directories.iter().all(|place| place.is_none()) && store.config.is_none()
    }
}
