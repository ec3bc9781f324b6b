//! The completion scripts for shells, generated from the command line's definition.

use clap_complete::{Generator as _, Shell};

use super::command;

/// Where shells look for such a script.
pub(super) const PLACES: &str = "\
Write it to a file that the shell looks for (the packages have done so for bash, zsh and fish):
  bash  ~/.local/share/bash-completion/completions/odoo-session-reaper
  zsh   _odoo-session-reaper, in a directory of $fpath
  fish  ~/.config/fish/completions/odoo-session-reaper.fish";

/// The script for a shell.
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
