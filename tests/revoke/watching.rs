//! What comes back goes again, and what has nothing to do with it stays.

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::testenv::fuse::Mount;
use crate::testenv::{
    HOUR, Odoo, PENDING_2FA, USER, VISITOR, flat, is_root, program, run, sharded, skipped, strace,
    wait_until,
};

/// A revoke of Bob's sessions that is under way.
struct Running(Child);

impl Running {
    fn start(odoo: &Odoo, args: &[&str]) -> Running {
        let child = program()
            .args(["revoke", "--yes", "--format", "json", "--data-dir"])
            .arg(odoo.data_dir())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Running(child.unwrap())
    }

    fn end(self, code: i32) -> (Value, String) {
        let output = self.0.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        (serde_json::from_slice(&output.stdout).unwrap(), said)
    }
}

/// As Odoo saves: a temporary file, renamed.
fn save(odoo: &Odoo, name: &str, content: &str) {
    let temporary = odoo.path("tmpabcdefgh.__wz_sess");
    fs::write(&temporary, content).unwrap();
    fs::create_dir_all(odoo.path(name).parent().unwrap()).unwrap();
    fs::rename(temporary, odoo.path(name)).unwrap();
}

fn comes_back_and_goes(odoo: &Odoo, name: &str, content: &str) {
    save(odoo, name, content);
    wait_until("its deletion", || !odoo.has(name));
}

#[test]
fn what_a_request_in_flight_writes_back_goes_at_sight() {
    for name in [flat("b0"), sharded("b0")] {
        let odoo = Odoo::new();
        odoo.file(&name, USER, HOUR);
        let running = Running::start(&odoo, &["--login", "bob", "--watch", "2s"]);
        wait_until("the first deletion", || !odoo.has(&name));
        let begun = Instant::now();
        for _ in 0..3 {
            comes_back_and_goes(&odoo, &name, USER);
        }
        // With the second factor missing it can be completed.
        comes_back_and_goes(&odoo, &name, PENDING_2FA);
        let last = Instant::now();
        // A browser goes on under the old id, and whoever logs in has a new one.
        save(&odoo, &name, VISITOR);
        save(&odoo, &sharded("b1"), USER);
        let (report, _) = running.end(0);
        assert!(
            last.elapsed() >= Duration::from_secs(2),
            "it ends when nothing came back"
        );
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(report["deleted"]["came_back"], 4, "{report}");
        assert_eq!(report["deleted"]["files"], 5, "{report}");
        assert_eq!(
            (&report["watch"], &report["watch_seconds"]),
            (&"quiet".into(), &2.into())
        );
        assert_eq!(odoo.files(), [name, sharded("b1")].into());
    }
}

/// 19 moves a login to another file; 16 and 17 move a flat file into its shard, which may not be there yet.
#[test]
fn another_file_of_the_same_login_goes_too() {
    let odoo = Odoo::new();
    let start = "ab".repeat(21);
    let [old, new] = ["x", "y"].map(|rest| format!("ab/{start}{}", rest.repeat(42)));
    let hex = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";
    let (flat, moved) = (format!("werkzeug_{hex}.sess"), format!("0a/{hex}"));
    odoo.file(&old, USER, HOUR).file(&flat, USER, HOUR);
    let running = Running::start(&odoo, &["--login", "bob", "--watch", "1s"]);
    wait_until("the first deletion", || !odoo.has(&flat) && !odoo.has(&old));
    comes_back_and_goes(&odoo, &new, USER);
    comes_back_and_goes(&odoo, &moved, USER);
    let (report, _) = running.end(0);
    assert_eq!(report["deleted"]["came_back"], 2, "{report}");
    assert!(odoo.sessions.join("0a").is_dir());
}

#[test]
fn a_shard_that_somebody_puts_in_the_place_of_another_is_watched() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let running = Running::start(&odoo, &["--login", "bob", "--watch", "1s"]);
    wait_until("the first deletion", || !odoo.has(&sharded("b0")));
    fs::rename(odoo.path("b0"), odoo.path("b0.old")).unwrap();
    fs::create_dir(odoo.path("b0")).unwrap();
    // After the listing that a new shard brings.
    std::thread::sleep(Duration::from_millis(500));
    comes_back_and_goes(&odoo, &sharded("b0"), USER);
    let (report, _) = running.end(0);
    assert_eq!(report["deleted"]["came_back"], 1, "{report}");
}

/// The kernel forgets what nobody fetches.
#[test]
fn what_comes_back_in_a_flood_of_saves_goes_too() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let limit: usize = limit.trim().parse().unwrap();
    if limit > 100_000 {
        return skipped("what_comes_back_in_a_flood_of_saves", "the queue is long");
    }
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let running = Running::start(&odoo, &["--login", "bob", "--watch", "2s"]);
    wait_until("the first deletion", || !odoo.has(&sharded("b0")));
    let pid = Pid::from_raw(running.0.id() as i32).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    // Two notices each at least: it is made and closed.
    for number in 0..limit {
        fs::write(odoo.path(&format!("b0/{number}")), "").unwrap();
    }
    save(&odoo, &sharded("b0"), USER);
    kill_process(pid, Signal::CONT).unwrap();
    wait_until("its deletion", || !odoo.has(&sharded("b0")));
    let (report, _) = running.end(0);
    assert_eq!(report["deleted"]["came_back"], 1, "{report}");
}

#[test]
fn where_the_kernel_tells_nothing_the_store_is_listed_again_and_again() {
    for fault in [
        "inotify_init1:error=EMFILE",
        "inotify_add_watch:error=ENOSPC",
    ] {
        let Some(mut strace) = strace("where_the_kernel_tells_nothing") else {
            return;
        };
        let odoo = Odoo::new();
        odoo.session("b0", USER, HOUR);
        let child = strace
            .args(["-e", &format!("inject={fault}")])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args([
                "revoke",
                "--yes",
                "-v",
                "--login",
                "bob",
                "--watch",
                "2s",
                "--data-dir",
            ])
            .arg(odoo.data_dir())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("the first deletion", || !odoo.has(&sharded("b0")));
        comes_back_and_goes(&odoo, &sharded("b0"), USER);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("is listed again and again"), "{said}");
    }
}

/// Then nobody may look into the process, which must not keep it from its own handles.
#[test]
fn root_watches_as_the_owner_of_the_store() {
    if !is_root() {
        return skipped("root_watches_as_the_owner_of_the_store", "needs root");
    }
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    for entry in walkdir::WalkDir::new(odoo.data_dir()) {
        std::os::unix::fs::chown(entry.unwrap().path(), Some(1_000), Some(1_000)).unwrap();
    }
    let running = Running::start(&odoo, &["--login", "bob", "--watch", "1s", "-v"]);
    wait_until("the first deletion", || !odoo.has(&sharded("b0")));
    comes_back_and_goes(&odoo, &sharded("b0"), USER);
    let (report, said) = running.end(0);
    assert_eq!(report["deleted"]["came_back"], 1);
    assert!(said.contains("working as user 1000"), "{said}");
    assert!(!said.contains("listed again"), "{said}");
}

/// As another host does on NFS: the store is saved to behind the back of this mount, which nobody is told of.
#[test]
fn what_another_host_brings_back_goes_too() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let Some(mount) = Mount::new("what_another_host_brings_back_goes_too", &odoo) else {
        return;
    };
    let child = program()
        .args([
            "revoke", "--login", "bob", "--yes", "--watch", "2s", "--format", "json",
        ])
        .arg("--data-dir")
        .arg(mount.data_dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let running = Running(child.unwrap());
    wait_until("the first deletion", || !odoo.has(&sharded("b0")));
    comes_back_and_goes(&odoo, &sharded("b0"), USER);
    let (report, _) = running.end(0);
    assert_eq!(report["deleted"]["came_back"], 1, "{report}");
}

#[test]
fn no_watch_is_as_told() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let begun = Instant::now();
    let (report, _) = Running::start(&odoo, &["--login", "bob", "--watch", "0"]).end(0);
    assert_eq!(report["watch"], "off");
    assert!(begun.elapsed() < Duration::from_secs(20));
    save(&odoo, &sharded("b0"), USER);
    assert!(odoo.has(&sharded("b0")));
}

/// A look takes longer than ten times that.
#[test]
fn a_watch_shorter_than_a_look_is_quiet_if_nothing_came_back() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let (report, _) = Running::start(&odoo, &["--login", "bob", "--watch", "1ms"]).end(0);
    assert_eq!(report["watch"], "quiet", "{report}");
}

#[test]
fn what_comes_back_again_and_again_ends_the_watch_with_3() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let mut running = Running::start(&odoo, &["--login", "bob", "--watch", "300ms"]);
    let begun = Instant::now();
    while running.0.try_wait().unwrap().is_none() {
        save(&odoo, &sharded("b0"), USER);
        std::thread::sleep(Duration::from_millis(20));
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "ten times 300 ms are over"
        );
    }
    let (report, said) = running.end(3);
    assert_eq!(report["watch"], "not-quiet");
    assert!(
        report["deleted"]["came_back"].as_u64().unwrap() > 5,
        "{report}"
    );
    assert!(said.contains("sessions still came back after"), "{said}");
}

#[test]
fn ctrl_c_ends_the_watch_and_says_what_that_means() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let running = Running::start(&odoo, &["--login", "bob", "--watch", "10m"]);
    wait_until("the first deletion", || !odoo.has(&sharded("b0")));
    comes_back_and_goes(&odoo, &sharded("b0"), USER);
    let pid = Pid::from_raw(running.0.id() as i32).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let (report, said) = running.end(130);
    assert_eq!(report["watch"], "interrupted");
    assert_eq!(report["deleted"]["files"], 2);
    assert!(
        said.contains("whoever had a request under way can be logged in again"),
        "{said}"
    );
}

#[test]
fn ctrl_c_before_the_watch_says_that_not_everybody_is_out() {
    let Some(mut strace) = strace("ctrl_c_before_the_watch") else {
        return;
    };
    let odoo = Odoo::new();
    for seed in ["b0", "b1", "b2"] {
        odoo.file(&flat(seed), USER, HOUR);
    }
    let output = strace
        .args(["-e", "inject=unlinkat:signal=INT:when=1"])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["revoke", "--login", "bob", "--yes", "--threads", "1"])
        .arg("--data-dir")
        .arg(odoo.data_dir())
        .output()
        .unwrap();
    let [shown, said] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert_eq!(odoo.files().len(), 2);
    assert!(
        shown.ends_with(
            "\nnot all of 3 sessions of 1 person in shop were logged out: 1 file deleted\n"
        ),
        "{shown}"
    );
    assert!(
        said.contains("it was ended before the whole store was seen"),
        "{said}"
    );
}

#[test]
fn a_request_without_a_limit_may_come_back_after_the_watch_and_that_is_said() {
    let odoo = Odoo::new();
    odoo.session("b0", USER, HOUR);
    let conf = odoo.data_dir().join("odoo.conf");
    fs::write(&conf, "[options]\nlimit_time_real = 0\n").unwrap();
    let said = |more: &[&str]| {
        let mut revoke = program();
        revoke
            .args(["revoke", "--everyone", "--dry-run", "--config"])
            .arg(&conf)
            .arg("--data-dir")
            .arg(odoo.data_dir())
            .args(more);
        run(&mut revoke).stderr
    };
    let advice = "lets requests run without a limit (limit_time_real = 0)";
    assert!(said(&[]).contains(advice), "{}", said(&[]));
    // Who says how long knows.
    assert_eq!(said(&["--watch", "10m"]), "");
}

#[test]
fn the_watch_lasts_as_long_as_odoo_lets_a_request_run() {
    for (line, seconds) in [
        ("limit_time_real = 1200", 1_200),
        ("limit_time_real = 60", 120),
        ("limit_time_real = 0", 120),
        ("", 120),
    ] {
        let odoo = Odoo::new();
        odoo.session("b0", USER, HOUR);
        let conf = odoo.data_dir().join("odoo.conf");
        fs::write(&conf, format!("[options]\n{line}\n")).unwrap();
        let mut revoke = program();
        revoke
            .args([
                "revoke",
                "--everyone",
                "--dry-run",
                "--format",
                "json",
                "--config",
            ])
            .arg(conf)
            .arg("--data-dir")
            .arg(odoo.data_dir());
        let report: Value = serde_json::from_str(&run(&mut revoke).stdout).unwrap();
        assert_eq!(report["watch_seconds"], seconds, "{line}");
    }
}
