//! How the engine does its work: which system calls stand where, with how many threads, and
//! what it makes of stores that it may not read or that lie on other mounts.

#![allow(clippy::unwrap_used)]

mod by_age;
mod fuse;
mod gentle;
mod last_check;
mod mounts;
mod permission;
#[path = "../testenv/mod.rs"]
mod testenv;
mod threads;
mod trace;
