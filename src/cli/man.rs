//! The man pages: one for each command, and the program's own, which tells what holds for all of them.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{ENVIRONMENT, command, examples};
use crate::exit;

const MANUAL: &str = "Odoo's sessions";

/// The version tells how old a page is. An empty date would be left out, and the version taken for it.
const NO_DATE: &str = " ";

/// What no definition of the command line tells: its files, odoo.conf, the journal.
const BESIDES: &[u8] = include_bytes!("man.roff");

const SEE_ALSO: &str = "journalctl(1), systemctl(1), systemd.timer(5)";

/// A man page.
pub struct Page {
    /// What its file is called.
    pub file: String,
    /// The page, as roff.
    pub text: Vec<u8>,
}

/// The program's own page first, then one for each command.
///
/// # Errors
/// None but of memory: nothing is written anywhere.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut program = command()
        .disable_help_subcommand(true)
        .subcommand_help_heading("COMMANDS")
        .subcommand_value_name("COMMAND");
    program.build();
    let mut pages = vec![page(&program, &program)?];
    for command in program.get_subcommands() {
        pages.push(page(&program, command)?);
    }
    Ok(pages)
}

fn page(program: &Command, command: &Command) -> io::Result<Page> {
    let name = program.get_name();
    let version = program.get_version().unwrap_or_default();
    let man = Man::new(with_short_headings(command.clone()))
        .date(NO_DATE)
        .source(format!("{name} {version}"))
        .manual(MANUAL);
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    let mut lines = Roff::new();
    // Names of options and variables are not to be broken, nor stretched lines to be read.
    lines.control("nh", []);
    lines.control("ad", ["l"]);
    lines.to_writer(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
        of_all_commands(&mut text)?;
    } else {
        let mut rest = Roff::new();
        let examples = examples::of(Some(command.get_name()));
        if !examples.is_empty() {
            list(&mut rest, "EXAMPLES", &examples);
        }
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold(name), roman("(1)")]);
        rest.to_writer(&mut text)?;
    }
    Ok(Page {
        file: man.get_filename(),
        text,
    })
}

/// A heading of a page is in capitals, which odoo.conf and its sections do not stand.
fn with_short_headings(command: Command) -> Command {
    command.mut_args(|arg| {
        let heading = arg.get_help_heading().unwrap_or_default();
        match heading.split_once(" (").map(|(short, _)| short.to_owned()) {
            Some(short) => arg.help_heading(short),
            None => arg,
        }
    })
}

fn of_all_commands(text: &mut Vec<u8>) -> io::Result<()> {
    let codes = exit::MEANINGS.map(|(code, meaning)| (code.to_string(), meaning));
    let codes: Vec<_> = codes
        .iter()
        .map(|(code, it)| (code.as_str(), *it))
        .collect();
    let mut roff = Roff::new();
    list(&mut roff, "EXIT STATUS", &codes);
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(ENVIRONMENT)]);
    roff.to_writer(text)?;
    text.extend_from_slice(BESIDES);
    let mut roff = Roff::new();
    list(&mut roff, "EXAMPLES", &examples::of(None));
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(SEE_ALSO)]);
    roff.to_writer(text)
}

fn list(roff: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (what, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*what)]);
        roff.text([roman(*meaning)]);
    }
}
