//! The man page, generated from the command line's definition: one page for the whole program.

use std::io::{self, Write as _};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli;
use crate::exit;

/// The page, as roff.
pub fn page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let mut program = cli::command();
    program.build();
    let man = Man::new(program.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(&program).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    commands(&program).to_writer(&mut page)?;
    for command in program.get_subcommands() {
        for heading in headings(command) {
            options(command, heading).to_writer(&mut page)?;
        }
    }
    // The log's options are everybody's; told once.
    let mut common = Roff::new();
    common.control("SH", ["COMMON OPTIONS"]);
    for arg in program.get_arguments().filter(|arg| arg.is_global_set()) {
        option(&mut common, arg);
    }
    common.to_writer(&mut page)?;
    ending().to_writer(&mut page)?;
    writeln!(page)?;
    Ok(page)
}

fn synopsis(program: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    for command in program.get_subcommands() {
        let mut line = vec![bold(format!(
            "{} {}",
            program.get_name(),
            command.get_name()
        ))];
        if own(command).next().is_some() {
            line.push(roman(" [options]"));
        }
        for arg in command.get_positionals() {
            line.push(roman(format!(" {}", arg.get_id().as_str().to_uppercase())));
        }
        roff.text(line);
        roff.control("br", []);
    }
    roff
}

fn commands(program: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    for command in program.get_subcommands() {
        roff.control("TP", []);
        roff.text([bold(command.get_name())]);
        roff.text([roman(
            command
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default(),
        )]);
    }
    roff
}

/// The headings under which a command's own options stand, in their order.
fn headings(command: &Command) -> Vec<Option<&str>> {
    let mut headings = Vec::new();
    for arg in own(command) {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    headings
}

fn own(command: &Command) -> impl Iterator<Item = &clap::Arg> {
    command
        .get_arguments()
        .filter(|arg| arg.get_long().is_some() && !arg.is_global_set() && arg.get_id() != "help")
}

fn options(command: &Command, heading: Option<&str>) -> Roff {
    let mut roff = Roff::new();
    let name = command.get_name();
    let title = heading.map_or(format!("{name}: options"), |heading| {
        format!("{name}: {heading}")
    });
    roff.control("SH", [title.as_str()]);
    for arg in own(command).filter(|arg| arg.get_help_heading() == heading) {
        option(&mut roff, arg);
    }
    roff
}

fn option(roff: &mut Roff, arg: &clap::Arg) {
    let mut line = Vec::new();
    if let Some(short) = arg.get_short() {
        line.extend([bold(format!("-{short}")), roman(", ")]);
    }
    line.push(bold(format!("--{}", arg.get_long().unwrap_or_default())));
    if arg.get_action().takes_values() {
        let value = arg.get_value_names().and_then(|names| names.first());
        line.push(roman(format!(
            " {}",
            value.map_or("VALUE", |name| name.as_str())
        )));
    }
    roff.control("TP", []);
    roff.text(line);
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = arg.get_possible_values();
    if arg.get_action().takes_values() && !values.is_empty() {
        let values: Vec<_> = values.iter().map(|value| value.get_name()).collect();
        help.push_str(&format!("; one of {}", values.join(", ")));
    }
    if let [default] = arg.get_default_values() {
        if arg.get_action().takes_values() {
            help.push_str(&format!(" [default: {}]", default.to_string_lossy()));
        }
    }
    roff.text([roman(help)]);
}

fn ending() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(cli::ENVIRONMENT)]);
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit::MEANINGS {
        roff.control("TP", []);
        roff.text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    for (line, meaning) in cli::EXAMPLES {
        roff.control("TP", []);
        roff.text([bold(line)]);
        roff.text([roman(meaning)]);
    }
    roff
}
