//! The pages for people, README and docs: their commands run, their tables are what the program really prints,
//! their links lead somewhere, and they are as short as they are meant to be.

#![allow(clippy::unwrap_used)]

mod commands;
mod facts;
mod markdown;
mod shell;
mod style;
#[path = "../testenv/mod.rs"]
mod testenv;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use markdown::Page;

/// README, CONTRIBUTING and everything in docs.
fn pages() -> Vec<Page> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![PathBuf::from("README.md"), PathBuf::from("CONTRIBUTING.md")];
    for entry in walkdir::WalkDir::new(root.join("docs")).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.is_file() {
            paths.push(path.strip_prefix(root).unwrap().to_owned());
        }
    }
    let read = |path: &PathBuf| Page::new(path, &fs::read_to_string(root.join(path)).unwrap());
    paths.iter().map(read).collect()
}

fn page(path: &str) -> Page {
    let mut pages = pages();
    let index = pages.iter().position(|page| page.path == Path::new(path));
    pages.swap_remove(index.unwrap())
}

/// The long help of a command, or of the program where it is empty.
fn help(command: &str) -> String {
    let mut program = testenv::program();
    let args = [command, "--help"];
    let ran = testenv::run(program.args(args.iter().filter(|arg| !arg.is_empty())));
    assert_eq!(ran.code, 0, "{}", ran.all());
    ran.stdout
}

/// The options that a long help lists, both the short and the long names: `-n`, `--dry-run`.
fn options(help: &str) -> BTreeSet<String> {
    let mut options = BTreeSet::new();
    let lines = help.lines().map(str::trim_start);
    for line in lines.filter(|line| line.starts_with('-')) {
        let names = line.split([' ', ',', '.']).filter(|word| {
            let name = word.trim_start_matches('-');
            word.starts_with('-') && name.starts_with(|first: char| first.is_ascii_alphabetic())
        });
        options.extend(names.map(str::to_owned));
    }
    options
}

/// Every option of every command.
fn all_options() -> BTreeSet<String> {
    ["", "audit", "reap", "who", "revoke", "doctor", "demo"]
        .iter()
        .flat_map(|command| options(&help(command)))
        .collect()
}
