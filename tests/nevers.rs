//! What never happens, one promise after the other, numbered as in docs/development/safety.md.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use rustix::fs::{FlockOperation, Mode};
use testenv::{DAY, HOUR, Odoo, USER, VISITOR, flat, is_root, program, run, sharded, skipped};

const HEX: &str = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";

#[test]
fn never_1_a_file_that_is_not_odoos_by_place_and_name_is_not_deleted() {
    let odoo = Odoo::new();
    let foreign = [
        "README.txt".to_owned(),
        HEX.to_owned(),
        format!("werkzeug_{HEX}.sess.bak"),
        format!("WERKZEUG_{HEX}.sess"),
        "tmpabc.__wz_sess".to_owned(),
        ".hidden".to_owned(),
        "0a/other".to_owned(),
        "0a/.0a".to_owned(),
        format!("0b/{HEX}"),
        format!("0a/0a/{HEX}"),
        format!("0ab/{HEX}"),
        format!("lost+found/{HEX}"),
        format!(".0/.0{HEX}"),
        "he/hello-empty".to_owned(),
    ];
    for name in &foreign {
        let content = if name.ends_with("empty") { "" } else { VISITOR };
        odoo.file(name, content, 900 * DAY);
    }
    let before = odoo.files();
    assert_eq!(before.len(), foreign.len());
    for args in [&[][..], &["--unreadable-window", "1d"]] {
        let report = odoo.json("reap", args, 0);
        assert_eq!(report["total"]["due"]["files"], 0);
        assert_eq!(odoo.files(), before);
    }
}

#[test]
fn never_1_a_regular_name_that_does_not_read_as_a_session_is_not_deleted() {
    let odoo = Odoo::new();
    for (number, content) in [
        &b"\x89PNG\r\n\x1a\n"[..],
        b"%PDF-1.4",
        b"null",
        b"[]",
        b"{}",
        b"{\"uid\": 7}",
        b"{\"name\": \"uid\", \"value\": 1}",
        b"\x80\x05]\x94.",
        b"\x80\x05}\x94.",
        b"\x80\x05",
        b" ",
        &VISITOR.as_bytes()[..40],
    ]
    .iter()
    .enumerate()
    {
        odoo.session(&format!("{number:02}"), content, 900 * DAY);
        odoo.file(&flat(&format!("{number:02}")), content, 900 * DAY);
    }
    let before = odoo.files();
    let report = odoo.json("reap", &[], 0);
    assert_eq!(odoo.files(), before);
    assert_eq!(testenv::row(&report, "unreadable", None)["files"], 24);
}

#[test]
fn never_1_directories_stay_even_empty_ones() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    fs::create_dir(odoo.path("bb")).unwrap();
    fs::create_dir(odoo.path(&flat("cc"))).unwrap();
    fs::create_dir_all(odoo.path(&sharded("dd"))).unwrap();
    assert_eq!(odoo.run("reap", &[]).code, 0);
    assert!(odoo.files().is_empty());
    for directory in ["aa", "bb", &flat("cc"), &sharded("dd")] {
        assert!(odoo.path(directory).is_dir(), "{directory}");
    }
}

#[test]
fn never_1_a_foreign_directory_is_not_even_opened() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    for name in ["lost+found", ".snapshots", "backup"] {
        fs::create_dir(odoo.path(name)).unwrap();
    }
    give_away(&odoo);
    for name in ["lost+found", ".snapshots", "backup"] {
        fs::set_permissions(odoo.path(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["total"]["deleted"]["files"], 1);
    assert_eq!(testenv::row(&report, "foreign", None)["files"], 3);
}

#[test]
fn never_1_symlinks_and_special_files_are_not_followed_opened_or_deleted() {
    let odoo = Odoo::new();
    let outside = tempfile::tempdir().unwrap();
    let target = outside
        .path()
        .join(sharded("zz").split('/').next_back().unwrap());
    fs::write(&target, VISITOR).unwrap();
    testenv::set_age(&target, 2 * DAY);
    // A shard, a session at the top and a session in a shard, each a link to the outside.
    symlink(outside.path(), odoo.path("zz")).unwrap();
    symlink(&target, odoo.path(&flat("aa"))).unwrap();
    fs::create_dir(odoo.path("bb")).unwrap();
    symlink(&target, odoo.path(&sharded("bb"))).unwrap();
    testenv::set_age(&odoo.path(&flat("aa")), 2 * DAY);
    testenv::set_age(&odoo.path(&sharded("bb")), 2 * DAY);
    // A FIFO would block whoever opens it without care.
    let fifo = odoo.path(&flat("cc"));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    testenv::set_age(&fifo, 2 * DAY);
    let socket = odoo.path("tmpabcdefgh.__wz_sess");
    let _socket = UnixListener::bind(&socket).unwrap();
    let before = odoo.files();
    for command in ["audit", "reap"] {
        let report = odoo.json(command, &[], 0);
        assert_eq!(report["total"]["files"], 0);
        assert_eq!(testenv::row(&report, "foreign", None)["files"], 5);
    }
    assert_eq!(odoo.files(), before);
    assert!(target.exists());
}

#[test]
fn never_1_a_hard_link_elsewhere_keeps_its_content() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let other = odoo.data_dir().join("other");
    fs::hard_link(odoo.path(&sharded("aa")), &other).unwrap();
    assert_eq!(odoo.run("reap", &[]).code, 0);
    assert!(odoo.files().is_empty());
    assert_eq!(fs::read_to_string(other).unwrap(), VISITOR);
}

#[test]
fn never_1_another_mount_is_not_entered() {
    let odoo = Odoo::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let sid = sharded("aa");
    let name = sid.split('/').next_back().unwrap();
    fs::write(elsewhere.path().join(name), VISITOR).unwrap();
    testenv::set_age(&elsewhere.path().join(name), 2 * DAY);
    fs::create_dir(odoo.path("aa")).unwrap();
    odoo.session("bb", VISITOR, 2 * DAY)
        .file(&flat("ab"), VISITOR, 2 * DAY);
    // Bind mounts of the same file system: only the mount id tells them apart.
    let script = r#"
        mount --bind "$1" "$3/aa" && mount --bind "$1/$2" "$3/$4" || exit 99
        shift 4
        exec "$@"
    "#;
    let ran = run(std::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(elsewhere.path())
        .arg(name)
        .arg(&odoo.sessions)
        .arg(flat("ab"))
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--format", "json", "--sessions-dir"])
        .arg(&odoo.sessions));
    if ran.code == 99 || ran.code == 1 && ran.stdout.is_empty() {
        return skipped("never_1_another_mount_is_not_entered", &ran.stderr);
    }
    assert_eq!(ran.code, 0, "{}", ran.all());
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["total"]["deleted"]["files"], 1);
    assert_eq!(testenv::row(&report, "foreign", None)["files"], 2);
    assert!(elsewhere.path().join(name).exists());
    assert!(odoo.has(&flat("ab")) && !odoo.has(&sharded("bb")));
}

// Never 2, that a session saved again since it was judged is not deleted, is tested beside the last check
// itself, in `src/reap/settle.rs`, and by `tests/torture`.

#[test]
fn never_3_what_cannot_be_opened_is_kept() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 900 * DAY)
        .session("bb", VISITOR, 900 * DAY);
    fs::set_permissions(odoo.path(&sharded("aa")), fs::Permissions::from_mode(0o000)).unwrap();
    let as_user = give_away(&odoo);
    for args in [&["--dry-run"][..], &["--unreadable-window", "1d"]] {
        let report = odoo.json("reap", args, 0);
        assert_eq!(report["unreadable"]["permission denied"], 1, "as {as_user}");
    }
    assert!(odoo.has(&sharded("aa")) && !odoo.has(&sharded("bb")));
}

#[test]
fn never_4_no_output_holds_a_session_id_a_token_or_a_foreign_name() {
    for version in ["odoo-14", "odoo-16", "odoo-18", "odoo-19", "odoo-20"] {
        let mut secrets = Vec::new();
        let odoo = copy_of_fixtures(version, &mut secrets);
        odoo.file("customer-list-of-2026.csv", "a,b", 2 * DAY);
        secrets.push("customer-li".to_owned());
        if version == "odoo-20" {
            let of_devices = ["5YBEdA1W7", "fffffffff", "203.0.113.7", "Firefox/140.0"];
            for secret in of_devices {
                let found = secrets.iter().any(|known| known.contains(secret));
                assert!(found, "{secret} is looked for");
            }
        }
        let now = ["--everyone", "--visitors", "-vvv", "--yes", "--watch", "0"];
        for (command, args) in [
            ("who", &["-vvv"][..]),
            ("who", &["-vvv", "--format", "json"]),
            ("who", &["-vvv", "--devices", "--format", "json"]),
            ("revoke", &["-vvv", "--everyone", "--dry-run"]),
            ("revoke", &now),
        ] {
            let odoo = copy_of_fixtures(version, &mut Vec::new());
            let ran = odoo.run(command, args);
            assert_eq!(ran.code, 0, "{}", ran.all());
            // Addresses and browsers are told to whom asks for them.
            let id = |secret: &&String| !secret.contains(['.', ':', ' ']);
            let asked = args.contains(&"--devices");
            for secret in secrets.iter().filter(|secret| !asked || id(secret)) {
                assert!(!ran.all().contains(secret.as_str()), "{secret} in {args:?}");
            }
        }
        for args in [
            &["audit", "--list", "-vvv"][..],
            &[
                "audit",
                "--list",
                "--format",
                "json",
                "-vvv",
                "--log-format",
                "json",
            ],
            &["reap", "--dry-run", "--list", "--report", "full", "-vvv"],
            &["reap", "--list", "--report", "full", "-vvv"],
        ] {
            let metrics = odoo.data_dir().join("metrics.prom");
            let metrics = ["--metrics-file", metrics.to_str().unwrap()];
            let ran = odoo.run(args[0], &[&args[1..], &metrics].concat());
            assert_eq!(ran.code, 0, "{}", ran.all());
            let told = ran.all() + &fs::read_to_string(metrics[1]).unwrap();
            for secret in &secrets {
                assert!(!told.contains(secret.as_str()), "{secret} in {args:?}");
            }
        }
    }
}

#[test]
fn never_4_errors_about_a_path_hold_no_session_id() {
    let odoo = Odoo::new();
    let sid = sharded("Ab3");
    odoo.session("Ab3", USER, HOUR);
    for (flag, path) in [
        ("--data-dir", odoo.path(&sid)),
        ("--sessions-dir", odoo.path(&sid)),
        ("--sessions-dir", odoo.path(&format!("{sid}/sessions"))),
        ("--config", odoo.path(&sid)),
    ] {
        let ran = run(program().args(["audit", flag]).arg(path));
        assert!(ran.code == 1 || ran.code == 2, "{}", ran.all());
        assert!(!ran.all().contains(&sid[3..12]), "{}", ran.all());
    }
}

#[test]
fn never_4_a_mistyped_command_line_is_not_repeated_with_a_session_id() {
    let odoo = Odoo::new();
    let sid = sharded("Ab3");
    let path = odoo.path(&sid);
    let path = path.to_str().unwrap();
    let irregular = odoo.path("he/hellosecret");
    let irregular = irregular.to_str().unwrap();
    let dashes = format!("--{}", &sid[5..]);
    for args in [
        &["audit", path][..],
        &["audit", irregular],
        &["audit", "--sessions-dir", irregular],
        &["audit", "--format", path],
        &["reap", "--limit", path],
        &["reap", "--anonymous-window", path],
        &[path],
        // What a glob makes of a shard called `--`, and of one that is not the working directory.
        &["audit", &dashes],
        &["audit", "--list", &dashes],
        &["audit", "--data-dir", &sid],
        &["man", "--dir", &sid],
        &["revoke", "--uid", path],
        &["revoke", "--everyone", "--watch", path],
        &[
            "who",
            "--login",
            path,
            "--data-dir",
            odoo.data_dir().to_str().unwrap(),
        ],
        &[
            "who",
            "--login",
            &sid[3..],
            "--data-dir",
            odoo.data_dir().to_str().unwrap(),
        ],
    ] {
        let ran = run(program().args(args));
        assert!(ran.code == 1 || ran.code == 2, "{}", ran.all());
        assert!(!ran.all().contains(&sid[3..12]), "{}", ran.all());
        assert!(!ran.all().contains("hellos"), "{}", ran.all());
    }
}

#[test]
fn never_4_a_running_reaper_cannot_dump_core() {
    let odoo = Odoo::new();
    // A FIFO for --config holds the program where its limits can be read.
    let fifo = odoo.data_dir().join("odoo.conf");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    // Where the limit is zero already, the test could not fail.
    let mut child = std::process::Command::new("bash")
        .args(["-c", r#"ulimit -c unlimited; exec "$@""#, "bash"])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["audit", "--config"])
        .arg(&fifo)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let name = format!("/proc/{}/comm", child.id());
    testenv::wait_until("a core limit of zero", || {
        // Not bash any more, whose limit may have been zero.
        let started = fs::read_to_string(&name)
            .unwrap()
            .starts_with("odoo-session-r");
        started
            && fs::read_to_string(&limits).unwrap().lines().any(|line| {
                line.starts_with("Max core file size")
                    && line.split_whitespace().nth(4) == Some("0")
            })
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn never_5_hostile_content_costs_neither_stack_nor_memory() {
    let odoo = Odoo::new();
    let nested = |open: &str, close: &str, depth: usize| {
        let deep = format!("{}{}", open.repeat(depth), close.repeat(depth));
        VISITOR.replace("{}", &deep)
    };
    let tower = format!("{}1{}", "{\"uid\":".repeat(300_000), "}".repeat(300_000));
    let mut pickle = b"\x80\x04}(\x8c\x03uidN\x8c\x02dbN\x8c\x05loginN\x8c\x01x".to_vec();
    pickle.extend(b"]".repeat(2_000_000));
    pickle.extend(b"a".repeat(1_999_999));
    pickle.extend(b"u.");
    odoo.session("aa", nested("[", "]", 1_000_000), 2 * DAY)
        .session("bb", VISITOR.replace("{}", &tower), 2 * DAY)
        .session("cc", &pickle, 2 * DAY)
        .session("dd", vec![b'['; 16 << 20], 2 * DAY)
        .session("ee", vec![b'N'; (16 << 20) + 1], 2 * DAY)
        .session(
            "ff",
            [b"\x80\x04".as_slice(), &vec![b'N'; 16 << 20]].concat(),
            2 * DAY,
        )
        .session(
            "gg",
            [b"\x80\x04}".as_slice(), &vec![b'('; (16 << 20) - 3]].concat(),
            2 * DAY,
        )
        .session(
            "hh",
            VISITOR.replace("\"\"", &format!("{:?}", "x".repeat(3 << 20))),
            2 * DAY,
        );
    let sparse = File::create(
        odoo.path(&sharded("aa"))
            .with_file_name(format!("aa{}", "9".repeat(82))),
    )
    .unwrap();
    sparse.set_len(2 << 30).unwrap();
    drop(sparse);
    // 300 MB of address space for everything, and a small stack. One arena: glibc reserves 64 MB for each that a busy
    // machine makes it open, and uses next to nothing of them.
    let script = r#"ulimit -v 300000; ulimit -s 512; exec "$@""#;
    let ran = run(std::process::Command::new("sh")
        .env("MALLOC_ARENA_MAX", "1")
        .args([
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_odoo-session-reaper"),
        ])
        .args(["audit", "--format", "json", "--data-dir"])
        .arg(odoo.data_dir()));
    assert_eq!(ran.code, 0, "{}", ran.all());
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["total"]["files"], 9);
    assert_eq!(report["unreadable"]["larger than 16 MiB"], 3);
}

#[test]
fn never_6_reading_does_not_move_the_access_time() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY).session("bb", USER, HOUR);
    let control = odoo.data_dir().join("control");
    fs::write(&control, "x").unwrap();
    testenv::set_age(&control, 8 * DAY);
    let before = fs::metadata(&control).unwrap().atime();
    fs::read(&control).unwrap();
    if fs::metadata(&control).unwrap().atime() == before {
        return skipped(
            "never_6_reading_does_not_move_the_access_time",
            "noatime mount",
        );
    }
    let atime = |seed| {
        fs::metadata(odoo.path(&sharded(seed)))
            .unwrap()
            .atime_nsec()
            + fs::metadata(odoo.path(&sharded(seed))).unwrap().atime() * 1_000_000_000
    };
    let before = [atime("aa"), atime("bb")];
    for args in [&["audit"][..], &["reap", "--dry-run"]] {
        assert_eq!(odoo.run(args[0], &args[1..]).code, 0);
        assert_eq!([atime("aa"), atime("bb")], before);
    }
    give_away(&odoo);
    assert_eq!(odoo.run("audit", &[]).code, 0);
    assert_eq!([atime("aa"), atime("bb")], before);
}

#[test]
fn never_7_one_bad_shard_does_not_stop_the_run() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .session("bb", VISITOR, 2 * DAY)
        .session("cc", VISITOR, 2 * DAY);
    fs::set_permissions(odoo.path("bb"), fs::Permissions::from_mode(0o000)).unwrap();
    give_away(&odoo);
    let report = odoo.json("reap", &[], 3);
    fs::set_permissions(odoo.path("bb"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(report["total"]["deleted"]["files"], 2);
    assert_eq!(report["errors"][0]["operation"], "list");
    assert_eq!(report["errors"][0]["count"], 1);
    assert_eq!(
        odoo.files().into_iter().collect::<Vec<_>>(),
        [sharded("bb")]
    );
}

#[test]
fn never_7_one_undeletable_shard_does_not_stop_the_run_and_fails_the_dry_run_too() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .session("bb", VISITOR, 2 * DAY)
        .session("cc", VISITOR, 2 * DAY);
    fs::set_permissions(odoo.path("bb"), fs::Permissions::from_mode(0o555)).unwrap();
    give_away(&odoo);
    for args in [&["--dry-run"][..], &[]] {
        let report = odoo.json("reap", args, 3);
        assert_eq!(report["errors"][0]["operation"], "delete");
        assert_eq!(report["errors"][0]["errno"], 13);
        assert_eq!(report["total"]["due"]["files"], 3);
    }
    fs::set_permissions(odoo.path("bb"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn never_7_a_closed_or_full_stdout_does_not_stop_a_reap() {
    for redirection in [">&-", ">/dev/full", "| true"] {
        let odoo = Odoo::new();
        for number in 10..90 {
            odoo.session(&format!("{number}"), USER, 8 * DAY);
        }
        let script = format!("\"$@\" {redirection}; exit ${{PIPESTATUS:-$?}}");
        let ran = run(std::process::Command::new("bash")
            .args([
                "-c",
                &script,
                "bash",
                env!("CARGO_BIN_EXE_odoo-session-reaper"),
            ])
            .args(["reap", "--list", "--report", "full", "--data-dir"])
            .arg(odoo.data_dir()));
        assert_eq!(ran.code, 0, "{redirection}: {}", ran.all());
        assert!(odoo.files().is_empty(), "{redirection}");
        assert_eq!(
            ran.stderr.contains("could not be written"),
            redirection == ">/dev/full"
        );
    }
}

#[test]
fn never_7_few_open_files_are_enough() {
    for (limit, threads) in [("20", "2"), ("64", "8"), ("1024", "64")] {
        let odoo = Odoo::new();
        for number in 0..600 {
            odoo.file(&flat(&format!("{number:04}")), VISITOR, 2 * DAY);
            odoo.session(&format!("{:02}n{number}", number % 50), VISITOR, 2 * DAY);
        }
        let ran = run(std::process::Command::new("bash")
            .args(["-c", r#"ulimit -n "$1"; shift; exec "$@""#, "bash", limit])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(["reap", "--threads", threads, "--data-dir"])
            .arg(odoo.data_dir()));
        assert_eq!(ran.code, 0, "{limit}, {threads}: {}", ran.all());
        assert!(odoo.files().is_empty());
    }
}

#[test]
fn never_7_without_proc_the_handle_is_enough() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .file(&flat("bb"), VISITOR, 2 * DAY);
    let script = r#"mount -t tmpfs none /proc || exit 99; exec "$@""#;
    let ran = run(std::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir()));
    if ran.code == 99 || ran.code == 1 && ran.stdout.is_empty() {
        return skipped("never_7_without_proc_the_handle_is_enough", &ran.stderr);
    }
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(odoo.files().is_empty());
}

#[test]
fn never_8_two_reaps_do_not_work_on_one_store() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let lock = File::open(&odoo.sessions).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    let ran = odoo.run("reap", &[]);
    assert_eq!(ran.code, 75);
    assert!(ran.stderr.contains("another reap"), "{}", ran.stderr);
    assert_eq!(odoo.files().len(), 1);
    assert_eq!(odoo.run("audit", &[]).code, 0, "looking needs no lock");
    assert_eq!(odoo.run("reap", &["--dry-run"]).code, 0);
    drop(lock);
    assert_eq!(odoo.run("reap", &[]).code, 0);
    assert!(odoo.files().is_empty(), "no lock file is left behind");
}

#[test]
fn never_9_a_deleting_reap_does_not_guess_its_store() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY);
    let ran = run(program().arg("reap").env("ODOO_DATA_DIR", odoo.data_dir()));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--data-dir"), "{}", ran.stderr);
    assert_eq!(odoo.files().len(), 1);
}

#[test]
fn never_9_a_filestore_is_refused_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let filestore = dir.path().join("filestore/shop");
    let sessions = dir.path().join("filestore/sessions");
    let backup = dir.path().join("sessions.old");
    for place in [&filestore, &sessions, &backup] {
        fs::create_dir_all(place.join("0a")).unwrap();
        fs::write(place.join("0a").join(HEX), VISITOR).unwrap();
        testenv::set_age(&place.join("0a").join(HEX), 2 * DAY);
        refused_until_accepted(place);
    }
    // A link called `sessions` does not make it one.
    let link = dir.path().join("sessions");
    fs::write(filestore.join("0a").join(HEX), VISITOR).unwrap();
    testenv::set_age(&filestore.join("0a").join(HEX), 2 * DAY);
    symlink(&filestore, &link).unwrap();
    refused_until_accepted(&link);
}

fn refused_until_accepted(place: &Path) {
    let file = place.join("0a").join(HEX);
    for command in [&["audit"][..], &["reap", "--dry-run"], &["reap"]] {
        let ran = run(program().args(command).arg("--sessions-dir").arg(place));
        assert_eq!(ran.code, 1, "{}", ran.all());
        assert!(
            ran.stderr.contains("--accept-any-directory"),
            "{}",
            ran.stderr
        );
        assert!(file.exists());
    }
    let ran = run(program()
        .args(["reap", "--accept-any-directory", "--sessions-dir"])
        .arg(place));
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(!file.exists());
}

/// As root, hands the store to an ordinary user, whom the program then becomes: permissions count.
fn give_away(odoo: &Odoo) -> &'static str {
    if !is_root() {
        return "the user who runs the tests";
    }
    let chown = |path: &Path| std::os::unix::fs::lchown(path, Some(54_321), Some(54_321)).unwrap();
    for entry in walkdir::WalkDir::new(&odoo.sessions) {
        chown(entry.unwrap().path());
    }
    "user 54321"
}

/// A fixture tree with old files, and what of it must stay secret.
fn copy_of_fixtures(version: &str, secrets: &mut Vec<String>) -> Odoo {
    let odoo = Odoo::new();
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(version);
    for entry in walkdir::WalkDir::new(tree.join("sessions")) {
        let entry = entry.unwrap();
        if !entry.file_type().is_file() {
            continue;
        }
        let content = fs::read(entry.path()).unwrap();
        let name = entry
            .path()
            .strip_prefix(tree.join("sessions"))
            .unwrap()
            .to_str()
            .unwrap();
        odoo.file(name, &content, 30 * DAY);
        let file_name = name.split('/').next_back().unwrap();
        let sid = file_name.strip_prefix("werkzeug_").unwrap_or(file_name);
        let shown = 8.min(sid.len() / 4);
        secrets.push(sid[..=shown].to_owned());
        let text = String::from_utf8_lossy(&content).into_owned();
        if let Some((_, token)) = text.split_once("session_token") {
            let token: Vec<&str> = token
                .split(|character: char| !character.is_ascii_hexdigit())
                .filter(|run| run.len() >= 32)
                .collect();
            secrets.extend(token.first().map(|token| token[..16].to_owned()));
        }
        if let Ok(session) = serde_json::from_str(&text) {
            secrets.extend(secrets_of_devices(&session));
        }
    }
    odoo
}

/// What passes for a trusted device, names the next session, or tells where somebody was and with which browser.
fn secrets_of_devices(session: &serde_json::Value) -> Vec<String> {
    let mut secrets = Vec::new();
    for key in ["_device_salt", "_device_fingerprint"] {
        secrets.extend(session[key].as_str().map(|secret| secret[..9].to_owned()));
    }
    // Its beginning is that of the old one, of which eight characters may be shown.
    secrets.extend(
        session["next_sid"]
            .as_str()
            .map(|sid| sid[42..54].to_owned()),
    );
    let listed = session["_trace"].as_array().into_iter().flatten();
    let named = session["_devices"].as_object().into_iter().flatten();
    for device in listed.chain(named.clone().map(|(_, device)| device)) {
        for key in ["ip_address", "user_agent", "city", "country"] {
            secrets.extend(device[key].as_str().map(str::to_owned));
        }
    }
    secrets.extend(named.map(|(key, _)| key.clone()));
    secrets
}
