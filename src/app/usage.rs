//! What is wrong with a command line, in words that fit what was typed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::cli::variable;
use crate::exit::Exit;
use crate::redact;
use crate::settings::closest;

/// Says it, or prints the help or the version, which are "errors" to clap, too.
pub fn tell(mut error: clap::Error, command: &Command) -> Exit {
    let typed: Vec<_> = std::env::args_os().skip(1).collect();
    let own = typed
        .iter()
        .find_map(|word| command.find_subcommand(word))
        .unwrap_or(command);
    let options: Vec<&Arg> = own.get_arguments().chain(command.get_arguments()).collect();
    let option = text(&error, ContextKind::InvalidArg).unwrap_or_default();
    redact_typed(&mut error);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            // Such as `-- --db`, as if it were a path; and clap takes any option for similar. The usage is that one's.
            for kind in [
                ContextKind::Suggested,
                ContextKind::SuggestedArg,
                ContextKind::Usage,
            ] {
                error.remove(kind);
            }
            if let Some(long) = similar(&option, &options) {
                error.insert(ContextKind::SuggestedArg, ContextValue::String(long));
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            if let Some(variable) = by_variable(&option, &options, &typed) {
                error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
            }
        }
        _ => {}
    }
    // A closed stream cannot be told anything.
    let _ = error.print();
    match error.use_stderr() {
        true => Exit::Usage,
        false => Exit::Done,
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// What was typed could be a session's path, expanded by a shell.
fn redact_typed(error: &mut clap::Error) {
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
    ] {
        let Some(typed) = text(error, kind) else {
            continue;
        };
        let shown = String::from(redact::argument(&typed));
        // A tip repeats what was typed; then nobody needs it.
        if shown != typed {
            error.remove(ContextKind::Suggested);
        }
        error.insert(kind, ContextValue::String(shown));
    }
}

/// The option that was probably meant.
fn similar(option: &str, options: &[&Arg]) -> Option<String> {
    let known = options.iter().filter_map(|arg| arg.get_long());
    let known: Vec<String> = known.map(|long| long.replace('-', "_")).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let meant = closest(option.strip_prefix("--")?, &known)?;
    Some(format!("--{}", meant.replace('_', "-")))
}

/// The variable that gave an option, as in `--limit <N>` or `--verbose...`, its value, if nobody typed it.
fn by_variable(option: &str, options: &[&Arg], typed: &[impl AsRef<OsStr>]) -> Option<String> {
    let long = option.strip_prefix("--")?.split([' ', '.']).next()?;
    let arg = options.iter().find(|arg| arg.get_long() == Some(long))?;
    let is_typed = |word: &[u8]| match word.strip_prefix(b"--") {
        Some(word) => word.split(|byte| *byte == b'=').next() == Some(long.as_bytes()),
        None => {
            let short = arg.get_short().and_then(|short| u8::try_from(short).ok());
            word.starts_with(b"-") && short.is_some_and(|short| word.contains(&short))
        }
    };
    let by_hand = typed.iter().any(|word| is_typed(word.as_ref().as_bytes()));
    (!by_hand).then(|| variable(long))
}
