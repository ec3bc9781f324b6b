//! `doctor`, on hosts of its own: what it sees of servers that run, of units and of stores, and what it does not.

#![allow(clippy::unwrap_used)]

mod host;
mod scene;
mod servers;
#[path = "../testenv/mod.rs"]
mod testenv;
