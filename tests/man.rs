//! The man pages: what is in them, and that the readers of such pages have nothing to say about them.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use tempfile::TempDir;
use testenv::{missing, program, run};

fn written() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ran = run(program().args(["man", "--dir"]).arg(dir.path()));
    assert_eq!((ran.code, ran.all()), (0, String::new()));
    dir
}

/// The pages by their files' names.
fn pages() -> BTreeMap<String, String> {
    let dir = written();
    let entries = fs::read_dir(dir.path()).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

fn sections(page: &str) -> Vec<&str> {
    let headings = page.lines().filter_map(|line| line.strip_prefix(".SH "));
    headings.map(|heading| heading.trim_matches('"')).collect()
}

#[test]
fn every_command_has_a_page() {
    let help = run(program().arg("help")).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap().lines();
    let names = commands
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(' ').next().unwrap())
        .filter(|name| *name != "help");
    let mut wanted: Vec<_> = names
        .map(|name| format!("odoo-session-reaper-{name}.1"))
        .collect();
    assert!(wanted.len() >= 5, "{wanted:?}");
    wanted.push("odoo-session-reaper.1".to_owned());
    wanted.sort();
    assert_eq!(pages().into_keys().collect::<Vec<_>>(), wanted);
}

#[test]
fn the_programs_page_tells_what_holds_for_all_commands() {
    let page = run(program().arg("man")).stdout;
    assert_eq!(page, pages()["odoo-session-reaper.1"]);
    assert_eq!(
        sections(&page),
        [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "LOG",
            "COMMANDS",
            "EXIT STATUS",
            "ENVIRONMENT",
            "FILES",
            "ODOO.CONF",
            "JOURNAL",
            "EXAMPLES",
            "SEE ALSO",
        ]
    );
    for part in [
        ".TH odoo-session-reaper 1 ",
        concat!("\"odoo-session-reaper ", env!("CARGO_PKG_VERSION"), "\""),
        "odoo\\-session\\-reaper\\-audit(1)",
        "done in part",
        "ODOO_SESSION_REAPER_DATA_DIR",
        "/etc/default/odoo\\-session\\-reaper",
        "[session_reaper:shop]",
        "journalctl ODOO_LOGIN=bob",
        "systemd.timer(5)",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_commands_page_has_each_of_its_options_once() {
    let help = run(program().args(["reap", "--help"])).stdout;
    let page = &pages()["odoo-session-reaper-reap.1"];
    let options = help.lines().map(str::trim_start).filter_map(|line| {
        let names = line.starts_with('-').then(|| line.split([' ', ',', '.']))?;
        names.into_iter().find(|name| name.starts_with("--"))
    });
    let mut checked = 0;
    for option in options {
        // Behind .TP stands the option that is explained.
        let header = format!("\\fB{}\\fR", option.replace('-', "\\-"));
        let explained = page
            .split(".TP\n")
            .skip(1)
            .filter(|entry| entry.lines().next().unwrap().contains(&header));
        assert_eq!(explained.count(), 1, "{option}");
        checked += 1;
    }
    assert!(checked > 20, "only {checked} options");
    let sections = sections(page);
    for section in ["WHAT IS DUE", "DELETING", "EXAMPLES", "SEE ALSO"] {
        assert!(sections.contains(&section), "{section} in {sections:?}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let ran = run(program().args(["man", "--dir", "/nowhere/man1"]));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("cannot write /nowhere/man1/"),
        "{}",
        ran.stderr
    );
}

/// What a reader of man pages says about all of them, line by line.
fn said(test: &str, reader: &[&str]) -> Option<Vec<String>> {
    let dir = written();
    let mut said = Vec::new();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let mut command = Command::new(reader[0]);
        let Ok(output) = command
            .args(&reader[1..])
            .arg(entry.unwrap().path())
            .output()
        else {
            missing(test, reader[0]);
            return None;
        };
        for text in [output.stdout, output.stderr] {
            said.extend(String::from_utf8(text).unwrap().lines().map(str::to_owned));
        }
    }
    Some(said)
}

#[test]
fn groff_warns_of_nothing() {
    let reader = ["groff", "-man", "-ww", "-z", "-Tutf8", "-Kutf8"];
    if let Some(said) = said("groff_warns_of_nothing", &reader) {
        assert_eq!(said, [""; 0]);
    }
}

#[test]
fn mandoc_warns_of_nothing() {
    let reader = ["mandoc", "-T", "lint", "-W", "warning"];
    if let Some(mut said) = said("mandoc_warns_of_nothing", &reader) {
        // There is none, and clap_mangen puts an empty line before values, twice over.
        said.retain(|line| {
            !line.contains("cannot parse date, using it verbatim: TH  ")
                && !line.contains("skipping paragraph macro: br ")
        });
        assert_eq!(said, [""; 0]);
    }
}
