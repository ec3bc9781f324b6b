//! `revoke`: who is selected goes and nobody else, it asks first, and what comes back goes again.

#![allow(clippy::unwrap_used)]

mod asking;
mod beside;
mod fixtures;
mod selecting;
#[path = "../testenv/mod.rs"]
mod testenv;
mod watching;
