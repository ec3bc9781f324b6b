//! This program once more, as a child that may become the owner of a store: giving up root is for good, so one process
//! cannot do it for two owners.

use std::path::Path;
use std::process::Command;

/// The program itself, also if its file has been replaced or removed meanwhile.
const MYSELF: &str = "/proc/self/exe";

/// A child that runs it, without arguments yet.
pub fn command() -> Command {
    // Without /proc, as in a chroot, it is what was typed.
    let typed = std::env::args_os().next();
    let typed = typed.filter(|_| !Path::new(MYSELF).exists());
    Command::new(typed.unwrap_or_else(|| MYSELF.into()))
}
