//! The man pages: one for each command, and the program's own, which tells what holds for all of them.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{ENVIRONMENT, EXAMPLES, command};
use crate::exit;

const MANUAL: &str = "Odoo's sessions";

/// The version tells how old a page is. An empty date would be left out, and the version taken for it.
const NO_DATE: &str = " ";

const PLACES: &str = "Those below /usr and /etc/default are where the Debian package puts them.";

const FILES: &[(&str, &str)] = &[
    (
        "/etc/odoo/odoo.conf",
        "Odoo's own settings; its data_dir and the sections below are read",
    ),
    (
        "sessions",
        "the session store, in Odoo's data_dir; /var/lib/odoo/sessions, for example",
    ),
    (
        "/etc/default/odoo-session-reaper",
        "the options of the service, as environment variables",
    ),
    (
        "/usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf",
        "a drop-in for Odoo's unit that turns its own garbage collection of sessions off",
    ),
    (
        "/usr/share/odoo-session-reaper/odoo-session-reaper.rules.yml",
        "alerts for Prometheus",
    ),
    (
        "/usr/share/doc/odoo-session-reaper/README.md",
        "where to begin; more pages in docs beside it",
    ),
];

const ODOO_CONF: &str = "\
What is due can also be said in odoo.conf: [session_reaper] holds for all databases, [session_reaper:DBNAME] for one. \
The options are those under WHAT IS DUE in odoo-session-reaper-reap(1), written with underscores. \
The file counts if --config names it, or if its data_dir is where the store was found.";

const ODOO_CONF_EXAMPLE: &str = "\
[session_reaper]
authenticated_window = 7d
anonymous_window = 6h
keep_login = kiosk*

[session_reaper:shop]
cart_window = 30d";

const JOURNAL: &str = "\
Under systemd, each login that is deleted and the end of each run is an entry of the journal, with fields to search by.";

const QUERIES: &[(&str, &str)] = &[
    (
        "journalctl ODOO_LOGIN=bob",
        "each of his sessions that was deleted, when and why",
    ),
    (
        "journalctl -t odoo-session-reaper -g bob",
        "the same, if the spelling of his login is not sure",
    ),
    (
        "journalctl -u odoo-session-reaper",
        "what the service deleted, in a sentence for each run",
    ),
];

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
    // A heading here is in capitals, which odoo.conf and its sections do not stand.
    let plain = command.clone().mut_args(|arg| {
        let heading = arg.get_help_heading().unwrap_or_default();
        match heading.split_once(" (").map(|(short, _)| short.to_owned()) {
            Some(short) => arg.help_heading(short),
            None => arg,
        }
    });
    let man = Man::new(plain)
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
    let mut rest = Roff::new();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
        of_all_commands(&mut rest);
    } else {
        let own = |(line, _): &&(&str, &str)| line.split(' ').nth(1) == Some(command.get_name());
        let examples: Vec<_> = EXAMPLES.iter().filter(own).copied().collect();
        if !examples.is_empty() {
            list(&mut rest, "EXAMPLES", &examples);
        }
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold(name), roman("(1)")]);
    }
    rest.to_writer(&mut text)?;
    Ok(Page {
        file: man.get_filename(),
        text,
    })
}

fn of_all_commands(roff: &mut Roff) {
    let codes = exit::MEANINGS.map(|(code, meaning)| (code.to_string(), meaning));
    let codes: Vec<_> = codes
        .iter()
        .map(|(code, it)| (code.as_str(), *it))
        .collect();
    list(roff, "EXIT STATUS", &codes);
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman(ENVIRONMENT)]);
    roff.control("SH", ["FILES"]);
    roff.text([roman(PLACES)]);
    for (file, meaning) in FILES {
        entry(roff, file, meaning);
    }
    roff.control("SH", ["ODOO.CONF"]);
    roff.text([roman(ODOO_CONF)]);
    roff.control("PP", []);
    roff.control("nf", []);
    for line in ODOO_CONF_EXAMPLE.lines() {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff.control("SH", ["JOURNAL"]);
    roff.text([roman(JOURNAL)]);
    for (line, meaning) in QUERIES {
        entry(roff, line, meaning);
    }
    list(roff, "EXAMPLES", &EXAMPLES);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(SEE_ALSO)]);
}

fn list(roff: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (what, meaning) in entries {
        entry(roff, what, meaning);
    }
}

fn entry(roff: &mut Roff, what: &str, meaning: &str) {
    roff.control("TP", []);
    roff.text([bold(what)]);
    roff.text([roman(meaning)]);
}
