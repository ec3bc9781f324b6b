//! A small test environment: a session store built in one line each, and the real program run on it.

#![allow(dead_code, clippy::unwrap_used)] // each test file uses its own part

pub mod fuse;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use filetime::FileTime;
use serde_json::Value;
use tempfile::TempDir;

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;

pub const USER: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "session_token": "SECRETTOKEN", "context": {}, "debug": ""}"#;
pub const VISITOR: &str = r#"{"db": "shop", "uid": null, "login": null, "session_token": null, "context": {}, "debug": ""}"#;
pub const CART: &str =
    r#"{"db": "shop", "uid": null, "login": null, "context": {}, "debug": "", "sale_order_id": 5}"#;
pub const PENDING_2FA: &str = r#"{"db": "shop", "uid": null, "login": null, "context": {}, "debug": "", "pre_login": "bob", "pre_uid": 7}"#;

/// A data_dir of its own, gone with the test.
pub struct Odoo {
    dir: TempDir,
    pub sessions: PathBuf,
}

impl Odoo {
    /// An empty store in which something was saved just now.
    pub fn new() -> Odoo {
        let dir = tempfile::tempdir().unwrap();
        let sessions = dir.path().join("sessions");
        fs::create_dir(&sessions).unwrap();
        fs::set_permissions(&sessions, fs::Permissions::from_mode(0o700)).unwrap();
        Odoo { dir, sessions }
    }

    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.sessions.join(name)
    }

    /// Puts a file below `sessions`, last saved `age` seconds ago.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>, age: i64) -> &Odoo {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_age(&path, age);
        self
    }

    /// Puts a session of Odoo 18 into its shard; `seed` makes its name.
    pub fn session(&self, seed: &str, content: impl AsRef<[u8]>, age: i64) -> &Odoo {
        self.file(&sharded(seed), content, age)
    }

    /// Makes the store look as if nothing had been saved for `age` seconds.
    pub fn unchanged_for(&self, age: i64) -> &Odoo {
        set_age(&self.sessions, age);
        self
    }

    /// All files below `sessions`, by their relative path.
    pub fn files(&self) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        for entry in walkdir::WalkDir::new(&self.sessions) {
            let entry = entry.unwrap();
            if !entry.file_type().is_dir() {
                let path = entry.path().strip_prefix(&self.sessions).unwrap();
                files.insert(path.to_string_lossy().into_owned());
            }
        }
        files
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Runs the program on this store: `odoo.run("audit", &["--list"])`.
    pub fn run(&self, command: &str, args: &[&str]) -> Ran {
        let mut program = program();
        program
            .arg(command)
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(args);
        run(&mut program)
    }

    /// As [`Odoo::run`], with a JSON report; checks the exit code.
    pub fn json(&self, command: &str, args: &[&str], code: i32) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--format", "json"]).collect();
        let ran = self.run(command, &args);
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Everything that was printed anywhere.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The program, with nothing of this machine's environment that could change what it does.
pub fn program() -> Command {
    let mut program = Command::new(assert_cmd::cargo::cargo_bin!("odoo-session-reaper"));
    program.env_clear();
    program
}

pub fn run(program: &mut Command) -> Ran {
    program.output().unwrap().into()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        use std::os::unix::process::ExitStatusExt;
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Ran {
            code: status.code().unwrap_or_else(|| -status.signal().unwrap()),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

/// Runs a script of a shell where it can mount what it needs and nobody else sees it, with what `more` adds. It ends with
/// 99 where that cannot be had; then the test is skipped.
pub fn in_own_mounts(test: &str, script: &str, more: impl Fn(&mut Command)) -> Option<Ran> {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
    more(&mut unshare);
    let Ok(output) = unshare.output() else {
        missing(test, "unshare");
        return None;
    };
    let ran = Ran::from(output);
    if ran.code == 99 || ran.stderr.contains("unshare:") {
        skipped(test, &ran.stderr);
        return None;
    }
    Some(ran)
}

/// The place of a session of Odoo 18, made of `seed`.
pub fn sharded(seed: &str) -> String {
    let sid: String = seed.chars().cycle().take(84).collect();
    format!("{}/{sid}", &sid[..2])
}

/// The place of a session of Odoo 15, made of hexadecimal `seed`.
pub fn flat(seed: &str) -> String {
    let sid: String = seed.chars().cycle().take(40).collect();
    format!("werkzeug_{sid}.sess")
}

/// A place in a shard with this many characters, the first 42 of them those of `login`.
pub fn named(login: &str, file: &str, length: usize) -> String {
    let stays = login.chars().cycle().take(42);
    let sid: String = stays.chain(file.chars().cycle()).take(length).collect();
    format!("{}/{sid}", &sid[..2])
}

/// A user's session that Odoo has moved to a new file, and refuses by now.
pub fn superseded() -> String {
    let mut session: Value = serde_json::from_str(USER).unwrap();
    session["next_sid"] = "x".into();
    session["deletion_time"] = (now() - 60).into();
    session.to_string()
}

/// Seconds since the epoch.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

pub fn set_age(path: &Path, age: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let time = FileTime::from_unix_time(now.as_secs() as i64 - age, 0);
    filetime::set_symlink_file_times(path, time, time).unwrap();
}

/// The row of a class in a JSON report.
pub fn row<'a>(report: &'a Value, class: &str, property: Option<&str>) -> &'a Value {
    let rows = report["classes"].as_array().unwrap();
    rows.iter()
        .find(|row| row["class"] == class && row["property"].as_str() == property)
        .unwrap()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says loudly that a test did not run. Written past the harness, which hides what passing tests print.
pub fn skipped(test: &str, why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {test}: {why}");
}

/// Skips a test for want of a program; where `CI` is set, which installs what it needs, that is a failure.
pub fn missing(test: &str, program: &str) {
    let in_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(
        !in_ci,
        "{test}: {program} does not work here, but CI is set"
    );
    skipped(test, &format!("{program} does not work here"));
}

/// Python, to compare with. Without it a test is skipped, but not in CI.
pub fn python3(test: &str) -> Option<Command> {
    let asked = Command::new("python3").arg("--version").output();
    if asked.is_ok_and(|asked| asked.status.success()) {
        return Some(Command::new("python3"));
    }
    missing(test, "python3");
    None
}

/// strace, silent, to make system calls fail or wait. Without it, or where tracing is forbidden, a test is
/// skipped, but not in CI.
pub fn strace(test: &str) -> Option<Command> {
    let strace = || {
        // The program forbids others to look into it, also an ordinary user's strace: paths would not match.
        let mut strace = if is_root() {
            Command::new("strace")
        } else {
            let mut unshare = Command::new("unshare");
            unshare.args(["--map-root-user", "strace"]);
            unshare
        };
        strace.args(["-f", "-qq", "-o", "/dev/null"]);
        strace
    };
    if strace()
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
    {
        return Some(strace());
    }
    missing(test, "strace");
    None
}

/// Waits for something that another process does; fails rather than hangs.
pub fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what} did not happen within a minute");
}
