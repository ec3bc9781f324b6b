//! A host of its own: a namespace in which only the processes of one test run, among them Odoos that do nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::testenv::{DAY, HOUR, Ran, USER, VISITOR, missing, program, run, set_age, sharded};

/// What every fake server does: it says that it is up, and waits.
const SERVER: &str = "\
import os, sys, time
up = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'up')
open(os.path.join(up, str(os.getpid())), 'w').close()
time.sleep(600)
";

/// A server that has a worker, whose arguments and variables are overwritten as `setproctitle` does it.
const WITH_WORKER: &str = "\
import os, time
master = os.getpid()
if os.fork() == 0:
    fields = open('/proc/self/stat').read().rsplit(')', 1)[1].split()
    start, end = int(fields[45]), int(fields[48])
    title = b'odoo: WorkerHTTP %d' % os.getpid()
    with open('/proc/self/mem', 'r+b', buffering=0) as memory:
        memory.seek(start)
        memory.write(title + bytes(end - start - len(title)))
    if os.environ.get('ORPHAN'):
        os.kill(master, 9)
    else:
        time.sleep(0.1)
up = os.path.join(os.path.dirname(os.path.realpath(__file__)), 'up')
open(os.path.join(up, str(master)), 'w').close()
time.sleep(600)
";

/// Starts a server in the background, and waits until it is up.
const START: &str = "\
set -e
cd \"$SCENE\"
# Numbers of processes are used anew in each namespace.
rm -f src/up/* src/with-worker/up/*
start() {
    \"$@\" &
    pid=$!
    until [ -e \"src/up/$pid\" ]; do sleep 0.02; done
}
";

pub struct Scene {
    dir: TempDir,
    sudo: bool,
}

impl Scene {
    /// A host with the source of an Odoo in `src`, a data_dir in `data` and its odoo.conf, if that can be had here.
    pub fn new(test: &str, version: &str, switch: &str) -> Option<Scene> {
        let works = |command: &mut Command| command.output().is_ok_and(|ran| ran.status.success());
        if !works(Command::new("python3").arg("--version")) {
            missing(test, "python3");
            return None;
        }
        let scene = Scene {
            dir: tempfile::tempdir().unwrap(),
            sudo: crate::testenv::is_root(),
        };
        if !works(scene.isolated().arg("true")) {
            missing(test, "unshare");
            return None;
        }
        fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        scene.source("src", version, switch);
        let data_dir = scene.path("data");
        scene.file(
            "odoo.conf",
            &format!("[options]\ndata_dir = {}\n", data_dir.display()),
        );
        fs::create_dir_all(scene.path("data/sessions")).unwrap();
        scene.session("a1", USER, HOUR).session("b2", VISITOR, HOUR);
        Some(scene)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn file(&self, name: &str, text: &str) -> &Scene {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self
    }

    pub fn executable(&self, name: &str, text: &str) -> &Scene {
        self.file(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    pub fn session(&self, seed: &str, content: &str, age: i64) -> &Scene {
        let name = format!("data/sessions/{}", sharded(seed));
        self.file(&name, content);
        set_age(&self.path(&name), age);
        self
    }

    /// The source of an Odoo whose `http.py` says `switch`.
    pub fn source(&self, place: &str, version: &str, switch: &str) -> &Scene {
        let release = format!("RELEASE_LEVELS = []\nversion_info = ({version}, 0, FINAL, 0, '')\n");
        self.file(&format!("{place}/odoo/release.py"), &release);
        self.file(
            &format!("{place}/odoo/http.py"),
            &format!("switch = '{switch}'\n"),
        );
        self.file(&format!("{place}/odoo-bin"), SERVER);
        self.file(&format!("{place}/with-worker/odoo-bin"), WITH_WORKER);
        for up in ["src/up", "src/with-worker/up"] {
            fs::create_dir_all(self.path(up)).unwrap();
            fs::set_permissions(self.path(up), fs::Permissions::from_mode(0o777)).unwrap();
        }
        self
    }

    /// Gives the data_dir to somebody else.
    pub fn owned_by(&self, uid: u32) -> &Scene {
        for entry in walkdir::WalkDir::new(self.path("data")) {
            chown(entry.unwrap().path(), Some(uid), Some(uid)).unwrap();
        }
        fs::set_permissions(
            self.path("data/sessions"),
            fs::Permissions::from_mode(0o700),
        )
        .unwrap();
        self
    }

    fn isolated(&self) -> Command {
        let mut unshare = Command::new("unshare");
        if !self.sudo {
            unshare.arg("--map-root-user");
        }
        unshare.args(["--pid", "--fork", "--kill-child", "--mount-proc", "--mount"]);
        unshare
    }

    /// Runs lines of a shell there; `start LINE` starts a server, and `doctor` is the program for the store of `data`.
    pub fn run(&self, script: &str) -> Ran {
        let doctor = "doctor() { \"$DOCTOR\" doctor --data-dir \"$SCENE/data\" \"$@\"; }\n";
        let path = std::env::var("PATH").unwrap_or_default();
        let mut unshare = self.isolated();
        unshare
            .args(["sh", "-c", &format!("{START}{doctor}{script}")])
            .env_clear()
            // The system's own Python, which every user may run, before somebody's wrapper of it.
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin:{path}", self.path("bin").display()),
            )
            .env("SCENE", self.dir.path())
            .env("DOCTOR", Path::new(program().get_program()));
        run(&mut unshare)
    }

    /// The findings after such lines; the exit code is that of the program.
    pub fn doctor(&self, script: &str) -> Findings {
        let ran = self.run(&format!("{script}\ndoctor --format json"));
        let document = serde_json::from_str(&ran.stdout);
        Findings {
            document: document.unwrap_or_else(|error| panic!("{error}: {}", ran.all())),
            code: ran.code,
        }
    }
}

/// A JSON document of the program.
#[derive(Debug)]
pub struct Findings {
    pub document: Value,
    pub code: i32,
}

impl Findings {
    pub fn of(&self, id: &str) -> (&str, &str, &str) {
        let checks = self.document["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["id"] == id).unwrap();
        let text = |name: &str| check[name].as_str().unwrap_or("");
        (text("status"), text("evidence"), text("cure"))
    }

    pub fn status(&self, id: &str) -> &str {
        self.of(id).0
    }

    pub fn verdict(&self) -> &str {
        self.document["verdict"].as_str().unwrap()
    }
}

/// Ages that no test means by accident.
pub const OLD: i64 = 40 * DAY;
