//! Show and delete Odoo's old session files.
//!
//! A session file's way through the program runs one way, and the modules show it: `cli` and
//! [`settings`] say what is wanted; [`store`] knows where a file lies, [`session`] what it says,
//! `policy` what is due; `reap` acts, `tally` counts, `report` tells. [`app`] puts them together. For `who` and
//! `revoke`, `select` knows who is meant, and `people` judges in place of the policy.

pub(crate) mod again;
pub mod app;
pub(crate) mod cli;
pub mod demo;
pub(crate) mod doctor;
pub mod exit;
pub(crate) mod log;
pub(crate) mod people;
// What is hidden is for `tests/simulation`, which runs the engine with clocks and mounts of its own.
#[doc(hidden)]
pub mod policy;
#[doc(hidden)]
pub mod reap;
pub mod redact;
pub(crate) mod report;
pub(crate) mod select;
pub mod session;
pub mod settings;
pub mod store;
pub(crate) mod stream;
#[doc(hidden)]
pub mod tally;
#[doc(hidden)]
pub mod time;

pub use tally::unknown;
