//! The completion scripts, in the shells themselves: keys are typed on a terminal, and what the shell made of them is
//! what the program is called with.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use testenv::{missing, program, run, wait_until};

/// What is typed after the program's name, and what the program is then called with. `\t` asks for completion.
const TYPED: &[(&str, &str)] = &[
    ("rea\t--dry\t", "reap --dry-run"),
    ("audit --anon\t6h", "audit --anonymous-window 6h"),
    ("reap -n --last-seen at\t", "reap -n --last-seen atime"),
    (
        "audit --data-dir DIR/dat\t",
        "audit --data-dir DIR/data_dir",
    ),
    ("audit -c DIR/odo\t", "audit -c DIR/odoo.conf"),
    ("audit DIR/odo\t", "audit DIR/odoo.conf"),
    ("audit --log-format js\t", "audit --log-format json"),
    ("demo --layout sh\t", "demo --layout sharded"),
];

/// clap_complete's script for fish does not know these.
const NOT_IN_FISH: &[(&str, &str)] = &[
    ("help au\t", "help audit"),
    ("completions zs\t", "completions zsh"),
];

/// A shell on a terminal of its own.
struct Terminal {
    shell: Child,
    shown: Arc<Mutex<String>>,
    /// How often the program was called.
    calls: usize,
}

impl Terminal {
    /// Starts a shell in which the program only tells what it is called with.
    fn start(shell: &str, dir: &Path, first: &str) -> Terminal {
        for (name, script) in [
            ("odoo-session-reaper", "echo \"CALLED <$*>\""),
            ("sudo", "exec \"$@\""),
        ] {
            let path = dir.join("bin").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(dir.join("data_dir")).unwrap();
        fs::write(dir.join("odoo.conf"), "").unwrap();
        let mut shell = Command::new("script")
            .args(["-qec", shell, "/dev/null"])
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", dir.join("bin").display()),
            )
            .env("HOME", dir)
            .env("XDG_DATA_HOME", dir)
            .env("TERM", "dumb")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let mut output = shell.stdout.take().unwrap();
        let into = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                into.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        let mut terminal = Terminal {
            shell,
            shown,
            calls: 0,
        };
        let ready = terminal.call(&format!("{first}\nodoo-session-reaper ready"));
        assert_eq!(ready, "ready");
        terminal
    }

    /// Types keys and Return; what the program was called with.
    fn call(&mut self, keys: &str) -> String {
        let mut keyboard = self.shell.stdin.as_ref().unwrap();
        keyboard.write_all(keys.as_bytes()).unwrap();
        keyboard.write_all(b"\n").unwrap();
        self.calls += 1;
        let called = || {
            let shown = self.shown.lock().unwrap();
            let call = shown.split("CALLED <").nth(self.calls)?;
            call.split_once(">").map(|(args, _)| args.to_owned())
        };
        wait_until(&format!("{keys:?}: a call"), || called().is_some());
        called().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Installs the completion script as `file`, starts the shell, and types everything.
fn completes(test: &str, name: &str, shell: &str, file: &str, first: &str) {
    for needed in ["script", name] {
        if Command::new(needed).arg("--version").output().is_err() {
            return missing(test, needed);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let script = run(program().args(["completions", name]));
    assert_eq!(script.code, 0, "{}", script.all());
    let file = dir.path().join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, script.stdout).unwrap();
    let there = dir.path().to_str().unwrap();
    let mut terminal = Terminal::start(shell, dir.path(), first);
    let more = if name == "fish" { &[] } else { NOT_IN_FISH };
    for (typed, called) in TYPED.iter().chain(more) {
        for before in ["", "sudo "] {
            let typed = typed.replace("DIR", there);
            let args = terminal.call(&format!("{before}odoo-session-reaper {typed}"));
            assert_eq!(
                // zsh writes --option=value, and takes the slash behind a directory away again.
                args.trim_end_matches([' ', '/']).replace('=', " "),
                called.replace("DIR", there),
                "{before}{typed:?} in {name}"
            );
        }
    }
}

#[test]
fn bash_completes_behind_every_command() {
    let test = "bash_completes_behind_every_command";
    let library = "/usr/share/bash-completion/bash_completion";
    if !Path::new(library).exists() {
        return missing(test, "bash-completion");
    }
    completes(
        test,
        "bash",
        "bash --noprofile --norc -i",
        "bash-completion/completions/odoo-session-reaper",
        &format!(". {library}"),
    );
}

#[test]
fn zsh_completes_behind_every_command() {
    completes(
        "zsh_completes_behind_every_command",
        "zsh",
        "zsh -f -i",
        "functions/_odoo-session-reaper",
        "fpath=($HOME/functions $fpath); autoload -U compinit; compinit -u -D",
    );
}

#[test]
fn fish_completes_behind_every_command() {
    completes(
        "fish_completes_behind_every_command",
        "fish",
        "fish --private -i",
        "fish/vendor_completions.d/odoo-session-reaper.fish",
        "true",
    );
}
