//! The completion scripts for shells, generated from the command line's definition.

use clap_complete::{Generator as _, Shell};

use super::command;

/// The script for a shell. Where it is to be installed: `debian/build`.
pub fn script(shell: Shell) -> String {
    let mut command = command();
    let name = command.get_name().to_owned();
    command.set_bin_name(&name);
    command.build();
    let mut script = Vec::new();
    shell.generate(&command, &mut script);
    let script = String::from_utf8_lossy(&script);
    // Of a program with hyphens in its name, clap_complete's bash script knows the commands by one name where it sets it,
    // and by another where it looks it up: https://github.com/clap-rs/clap/issues/6421
    let (set, looked_up) = (name.replace('-', "__"), name.replace('-', "__subcmd__"));
    script.replace(&looked_up, &set)
}
