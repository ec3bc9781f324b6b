//! What is left of root after it has become the store's owner: nothing.

use std::fs;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::testenv::{self, DAY, Odoo, USER, is_root, run, skipped, wait_until};

const UID: u32 = 54_321;
const GID: u32 = 54_322;

/// A store of somebody who is not root.
fn store() -> Odoo {
    let odoo = Odoo::new();
    odoo.session("aa", USER, DAY);
    for entry in walkdir::WalkDir::new(&odoo.sessions) {
        lchown(entry.unwrap().path(), Some(UID), Some(GID)).unwrap();
    }
    odoo
}

/// An audit that waits with its report, because nobody reads its standard output.
struct Waiting {
    child: Child,
    _reader: UnixStream,
}

impl Waiting {
    fn start(program: &mut Command) -> Waiting {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        while writer.write(&[b'x'; 4096]).is_ok() {}
        writer.set_nonblocking(false).unwrap();
        let writer = OwnedFd::from(writer);
        let child = program.stdout(writer).stderr(Stdio::null()).spawn();
        Waiting {
            child: child.unwrap(),
            _reader: reader,
        }
    }

    fn proc(&self, name: &str) -> PathBuf {
        Path::new("/proc")
            .join(self.child.id().to_string())
            .join(name)
    }

    /// Waits until it is `uid`, and waits itself.
    fn as_user(&mut self, uid: u32) {
        wait_until("an audit that waits", || {
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "it did not wait");
            let status = fs::read_to_string(self.proc("status")).unwrap();
            field(&status, "Name") == ["odoo-session-re"]
                && field(&status, "State")[0] == "S"
                && field(&status, "Uid")[0] == uid.to_string()
        });
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn field<'a>(status: &'a str, name: &str) -> Vec<&'a str> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap().split_whitespace().collect()
}

#[test]
fn root_leaves_no_id_no_group_and_no_capability_behind_in_any_thread() {
    let test = "root_leaves_no_id_no_group_and_no_capability_behind_in_any_thread";
    if !is_root() {
        return skipped(test, "not root");
    }
    let odoo = store();
    // Root's own groups may be none, and could then not be kept.
    let mut waiting = Waiting::start(
        Command::new("setpriv")
            .args(["--groups", "4,24"])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(["audit", "--data-dir"])
            .arg(odoo.data_dir()),
    );
    waiting.as_user(UID);
    let (uid, gid) = (UID.to_string(), GID.to_string());
    for thread in fs::read_dir(waiting.proc("task")).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        // Real, effective, saved, of the file system.
        assert_eq!(field(&status, "Uid"), [uid.as_str(); 4]);
        assert_eq!(field(&status, "Gid"), [gid.as_str(); 4]);
        assert_eq!(field(&status, "Groups"), [""; 0]);
        for capabilities in ["CapPrm", "CapEff"] {
            assert_eq!(field(&status, capabilities), ["0000000000000000"]);
        }
    }
}

#[test]
fn nobody_looks_into_a_running_reaper() {
    // What the kernel shows of a process that may be dumped belongs to its user, else to root.
    if !is_root() {
        let odoo = Odoo::new();
        let own = rustix::process::getuid().as_raw();
        let mut program = testenv::program();
        let mut waiting =
            Waiting::start(program.args(["audit", "--data-dir"]).arg(odoo.data_dir()));
        waiting.as_user(own);
        assert_eq!(fs::metadata(waiting.proc("environ")).unwrap().uid(), 0);
        return;
    }
    let odoo = store();
    let mut program = testenv::program();
    let mut waiting = Waiting::start(program.args(["audit", "--data-dir"]).arg(odoo.data_dir()));
    waiting.as_user(UID);
    assert_eq!(fs::metadata(waiting.proc("environ")).unwrap().uid(), 0);

    // The user himself, from a place that he can reach.
    lchown(odoo.data_dir(), Some(UID), Some(GID)).unwrap();
    let copy = odoo.data_dir().join("odoo-session-reaper");
    fs::copy(env!("CARGO_BIN_EXE_odoo-session-reaper"), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut waiting = Waiting::start(
        Command::new("setpriv")
            .args(["--reuid", &UID.to_string(), "--regid", &GID.to_string()])
            .arg("--clear-groups")
            .arg(&copy)
            .args(["audit", "--data-dir"])
            .arg(odoo.data_dir()),
    );
    waiting.as_user(UID);
    assert_eq!(fs::metadata(waiting.proc("environ")).unwrap().uid(), 0);
}

#[test]
fn core_dumps_are_forbidden_again_after_root_has_become_somebody_else() {
    let test = "core_dumps_are_forbidden_again_after_root_has_become_somebody_else";
    if !is_root() {
        return skipped(test, "not root");
    }
    let odoo = store();
    let Some(mut strace) = testenv::strace(test) else {
        return;
    };
    let log = odoo.data_dir().join("log");
    // With fs.suid_dumpable at 1 the kernel allows them on a change of user. That is a setting of the whole
    // host, which no test should touch.
    let ran = run(strace
        .args(["-e", "trace=setresuid,prctl", "-o"])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["audit", "--data-dir"])
        .arg(odoo.data_dir()));
    assert_eq!(ran.code, 0, "{}", ran.all());
    let log = fs::read_to_string(log).unwrap();
    let (_, after) = log.split_once("setresuid(").unwrap();
    assert!(
        after.contains("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0"),
        "{log}"
    );
}
