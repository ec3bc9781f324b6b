//! What goes wrong below the program: faults injected into its system calls, and real ones.
//!
//! Each must end with the right exit code and the right counts, with everything else done and nothing
//! deleted wrongly.

#![allow(clippy::unwrap_used)]

mod injected;
mod killed;
mod real;
#[path = "../testenv/mod.rs"]
mod testenv;
