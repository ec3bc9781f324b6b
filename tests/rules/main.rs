//! Rules that hold in moments and places which no other test reaches: between two system calls, on another
//! mount, in the process that root has left behind.
//!
//! `docs/development/safety.md` says which promise each belongs to.

#![allow(clippy::unwrap_used)]

mod foresight;
mod late;
mod mounts;
mod owner;
mod page;
mod stopped;
mod swapped;
#[path = "../testenv/mod.rs"]
mod testenv;
mod together;
mod watched;
