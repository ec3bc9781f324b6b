//! Command lines worth knowing, each with what it is for; they stand in `examples.txt`.

use clap::Command;

const EXAMPLES: &str = include_str!("examples.txt");

/// Those of one command, or all: for `--help` and the man pages.
pub(super) fn of(command: Option<&str>) -> Vec<(&'static str, &'static str)> {
    let own = |line: &str| command.is_none_or(|name| line.split(' ').nth(1) == Some(name));
    let lines: Vec<&str> = EXAMPLES.lines().map(str::trim_start).collect();
    let pairs = lines.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    pairs.filter(|(line, _)| own(line)).collect()
}

/// Adds those of a command to its help.
pub(super) fn with_examples(command: Command) -> Command {
    let examples: Vec<_> = of(Some(command.get_name()))
        .iter()
        .map(|(line, meaning)| format!("  {line}\n      {meaning}"))
        .collect();
    if examples.is_empty() {
        return command;
    }
    command.after_long_help(format!("Examples:\n{}", examples.join("\n")))
}
