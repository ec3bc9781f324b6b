//! Which processes are Odoo servers, by their command lines.

use std::path::Path;

/// A process as anybody may see it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub pid: i32,
    pub parent: i32,
    /// Its arguments, its own name first.
    pub words: Vec<String>,
    /// The program that runs, if that may be seen.
    pub exe: Option<String>,
}

/// How Odoo was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// What the interpreter was called by.
    pub interpreter: String,
    /// The script; `None` for `-m odoo`.
    pub script: Option<String>,
    /// What comes after it.
    pub args: Vec<String>,
}

/// What Odoo's script is called, in its packages, in a checkout, in a virtual environment and on NixOS.
const SCRIPTS: [&str; 6] = [
    "odoo-bin",
    "odoo",
    "odoo.py",
    "odoo-server",
    "openerp-server",
    ".odoo-wrapped",
];

/// Options of the interpreter that take a value, which may be the next word.
const WITH_VALUE: [char; 5] = ['W', 'X', 'Q', 'm', 'c'];

/// What `setproctitle` calls workers; then their arguments and their environment are gone.
const TITLE: &str = "odoo:";

/// The servers, each with how it was started: of a family of processes the eldest, whose environment is whole.
pub fn masters(seen: &[Seen]) -> Vec<(&Seen, Start)> {
    // A worker is a fork with its master's arguments; what a launcher starts has its own, and its own environment.
    let is_fork = |process: &Seen| {
        let mut others = seen.iter();
        others.any(|other| other.pid == process.parent && other.words == process.words)
    };
    let servers = seen.iter().filter(|process| !is_fork(process));
    servers
        .filter_map(|process| Some((process, start(process)?)))
        .filter(|(_, start)| is_server(&start.args))
        .collect()
}

/// Workers whose master cannot be seen.
pub fn orphans(seen: &[Seen]) -> Vec<&Seen> {
    let titled = |process: &Seen| {
        let title = process.words.first();
        title.is_some_and(|title| title.starts_with(TITLE))
    };
    let parent_of = |worker: &Seen| seen.iter().find(|other| other.pid == worker.parent);
    seen.iter()
        .filter(|process| titled(process))
        .filter(|worker| parent_of(worker).is_none_or(|parent| start(parent).is_none()))
        .collect()
}

fn start(process: &Seen) -> Option<Start> {
    let called = process.words.first()?;
    let program = name(process.exe.as_ref().unwrap_or(called))?;
    if !program.starts_with("python") && !program.starts_with("pypy") {
        return None;
    }
    let mut words = process.words.iter().skip(1);
    let script = script(&mut words)?;
    Some(Start {
        interpreter: called.clone(),
        script: script.cloned(),
        args: words.cloned().collect(),
    })
}

/// Odoo's script, or `None` within for `-m odoo`, if that is what an interpreter with these arguments runs.
fn script<'w>(words: &mut impl Iterator<Item = &'w String>) -> Option<Option<&'w String>> {
    while let Some(word) = words.next() {
        let Some(options) = word.strip_prefix('-') else {
            return SCRIPTS.contains(&name(word)?).then_some(Some(word));
        };
        if options == "-check-hash-based-pycs" {
            words.next();
        }
        // Several short ones may stand together; the first that takes a value takes what is left, or the next word.
        let takes_value = |c: char| WITH_VALUE.contains(&c);
        let long = options.starts_with('-');
        let Some(at) = options.find(takes_value).filter(|_| !long) else {
            continue;
        };
        let (option, rest) = options[at..].split_at(1);
        let value = match rest {
            "" => words.next()?,
            rest => rest,
        };
        match option {
            "m" => return (value == "odoo").then_some(None),
            "c" => return None,
            _ => {}
        }
    }
    None
}

fn name(path: &str) -> Option<&str> {
    Path::new(path).file_name()?.to_str()
}

/// Whether these arguments start a server, and not one of Odoo's other commands or the process for websockets.
fn is_server(args: &[String]) -> bool {
    let args = match args {
        [path, command, ..] if path.starts_with("--addons-path=") && !command.starts_with('-') => {
            &args[1..]
        }
        _ => args,
    };
    let command = args.first().filter(|word| !word.starts_with('-'));
    command.is_none_or(|command| ["server", "start"].contains(&command.as_str()))
}

impl Start {
    /// The value of an option of Odoo, the last one that was given: `-cFILE`, `-c FILE`, `--config=FILE`,
    /// `--config FILE`, and what its parser takes for the long one, such as `--conf`.
    pub fn option(&self, short: char, long: &str, shortest: &str) -> Option<&str> {
        let mut found = None;
        let mut args = self.args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            if let Some(name) = arg.strip_prefix("--") {
                let (name, value) = match name.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (name, None),
                };
                if long.starts_with(name) && name.starts_with(shortest) {
                    found = value.or_else(|| args.next());
                }
            } else if let Some(rest) = arg
                .strip_prefix('-')
                .and_then(|arg| arg.strip_prefix(short))
            {
                found = match rest {
                    "" => args.next(),
                    value => Some(value),
                };
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn seen(pid: i32, parent: i32, line: &str) -> Seen {
        Seen {
            pid,
            parent,
            words: line.split(' ').map(str::to_owned).collect(),
            exe: None,
        }
    }

    #[test]
    fn a_server_is_an_interpreter_with_odoos_script() {
        for (line, script, first) in [
            (
                "python3 /opt/odoo/odoo-bin -c /etc/o.conf",
                "/opt/odoo/odoo-bin",
                "-c",
            ),
            (
                "/usr/bin/python3.11 /usr/bin/odoo --config /x",
                "/usr/bin/odoo",
                "--config",
            ),
            (
                "/venv/bin/python -u -W ignore -Xdev odoo.py -D /d",
                "odoo.py",
                "-D",
            ),
            ("python3 -EsW ignore -- odoo-bin", "odoo-bin", ""),
            (
                "python3 --check-hash-based-pycs always odoo-bin",
                "odoo-bin",
                "",
            ),
            (
                "python3.12 /nix/store/x/bin/.odoo-wrapped --workers=2",
                "/nix/store/x/bin/.odoo-wrapped",
                "--workers=2",
            ),
            ("python3 odoo-bin server -c /x", "odoo-bin", "server"),
            (
                "python3 odoo-bin --addons-path=/a server -c /x",
                "odoo-bin",
                "--addons-path=/a",
            ),
        ] {
            let seen = [seen(7, 1, line)];
            let masters = masters(&seen);
            assert_eq!(masters.len(), 1, "{line}");
            let start = &masters[0].1;
            assert_eq!(start.script.as_deref(), Some(script), "{line}");
            assert_eq!(start.args.first().map_or("", String::as_str), first);
        }
        let modules = [
            seen(7, 1, "python3 -um odoo -c /x"),
            seen(8, 1, "python3 -modoo"),
        ];
        let modules = masters(&modules);
        assert!(modules.len() == 2 && modules.iter().all(|(_, start)| start.script.is_none()));
    }

    #[test]
    fn nothing_else_is_one() {
        for line in [
            "vim /opt/odoo/odoo-bin",
            "python3 /opt/other.py odoo-bin",
            "python3 -c odoo",
            "python3 -m odoo.tests odoo-bin",
            "python3",
            "odoo: WorkerHTTP 12",
            "sh -c odoo-bin",
            "python3 odoo-bin shell -d x",
            "python3 odoo-bin --addons-path=/a scaffold x",
            "python3 odoo-bin gevent --workers=2",
        ] {
            assert!(masters(&[seen(7, 1, line)]).is_empty(), "{line}");
        }
    }

    #[test]
    fn a_program_that_may_be_seen_beats_its_own_word() {
        let mut process = seen(7, 1, "odoo odoo-bin");
        assert!(masters(std::slice::from_ref(&process)).is_empty());
        process.exe = Some("/usr/bin/python3.11".to_owned());
        assert_eq!(masters(&[process]).len(), 1);
    }

    #[test]
    fn of_a_family_only_the_eldest_is_the_master() {
        let family = [
            seen(10, 1, "sh -c odoo"),
            seen(11, 10, "python3 odoo-bin -c /x"),
            seen(12, 11, "python3 odoo-bin -c /x"),
            seen(13, 11, "odoo: WorkerCron 13"),
            seen(14, 11, "python3 odoo-bin gevent -c /x"),
            seen(20, 1, "python3 odoo-bin -c /y"),
        ];
        let pids: Vec<_> = masters(&family)
            .iter()
            .map(|(process, _)| process.pid)
            .collect();
        assert_eq!(pids, [11, 20]);
        // A launcher in Python that is called `odoo`, too.
        let launched = [
            seen(30, 1, "python3 /usr/local/bin/odoo production"),
            seen(31, 30, "python3 odoo-bin -c /x"),
            seen(40, 1, "python3 /usr/local/bin/odoo"),
            seen(41, 40, "python3 odoo-bin -c /x"),
        ];
        let launched = masters(&launched)
            .iter()
            .map(|it| it.0.pid)
            .collect::<Vec<_>>();
        assert_eq!(launched, [31, 40, 41]);
        assert!(orphans(&family).is_empty());
        assert_eq!(orphans(&family[3..4])[0].pid, 13);
    }

    #[test]
    fn options_are_read_as_odoos_parser_does() {
        for (args, value) in [
            ("-c /a", Some("/a")),
            ("-c/a", Some("/a")),
            ("--config=/a", Some("/a")),
            ("--config /a", Some("/a")),
            ("--conf=/a", Some("/a")),
            ("-c /b --config /a", Some("/a")),
            ("--configuration /a", None),
            ("--co /a", None),
            ("server", None),
        ] {
            let start = Start {
                interpreter: String::new(),
                script: None,
                args: args.split(' ').map(str::to_owned).collect(),
            };
            assert_eq!(start.option('c', "config", "conf"), value, "{args}");
        }
    }
}
