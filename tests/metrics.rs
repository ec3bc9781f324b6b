//! `--metrics-file`: what is in it, and that nothing that goes wrong with it touches the run.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, FlockOperation, Mode};
use tempfile::TempDir;
use testenv::{CART, DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, is_root, program, run, skipped};

const SUCCESS: &str = "odoo_session_reaper_last_success_timestamp_seconds";
const EXIT_CODE: &str = "odoo_session_reaper_last_run_exit_code";

/// A store with one session of each kind that is due, one that is not, and something foreign.
fn odoo() -> Odoo {
    let odoo = Odoo::new();
    odoo.session("aaSECRET", USER, 8 * DAY)
        .session("bbSECRET", VISITOR, 2 * DAY)
        .session("ccSECRET", CART, 2 * DAY)
        .session("ddSECRET", USER, HOUR)
        .file(&flat("ee"), "no session", 900 * DAY)
        .file("foreign.txt", "mine", 900 * DAY);
    odoo
}

/// A metrics file in a directory of its own.
fn place() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("odoo_sessions.prom");
    (dir, file)
}

fn reap(odoo: &Odoo, file: &Path) -> Ran {
    odoo.run("reap", &["--metrics-file", file.to_str().unwrap()])
}

/// The value of a series, named as in the file but without the store.
fn value(file: &Path, series: &str) -> Option<f64> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().find_map(|line| {
        let (start, rest) = line.split_once("store=\"")?;
        let (_, rest) = rest.split_once("\",")?;
        format!("{start}{rest}")
            .strip_prefix(series)?
            .strip_prefix(' ')?
            .parse()
            .ok()
    })
}

fn success(file: &Path, command: &str) -> Option<f64> {
    value(file, &format!("{SUCCESS}{{command=\"{command}\"}}"))
}

fn exit_code(file: &Path, command: &str) -> Option<f64> {
    value(file, &format!("{EXIT_CODE}{{command=\"{command}\"}}"))
}

fn now() -> f64 {
    testenv::now() as f64
}

/// What lies beside the metrics file: a temporary file that was left behind would be seen.
fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The reap was done, all of it, whatever became of its metrics.
fn assert_reaped(odoo: &Odoo, ran: &Ran) {
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stdout.starts_with("deleted 2 of 5 files"),
        "{}",
        ran.all()
    );
    assert_eq!(odoo.files().len(), 4);
}

fn assert_warned(ran: &Ran, of: &str) {
    let warnings: Vec<&str> = ran
        .stderr
        .lines()
        .filter(|line| line.contains("metrics file"))
        .collect();
    assert_eq!(warnings.len(), 1, "{}", ran.stderr);
    assert!(
        warnings[0].contains("WARN") && warnings[0].contains(of),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_reap_tells_what_it_found_and_did() {
    let odoo = odoo();
    let (dir, file) = place();
    assert_reaped(&odoo, &reap(&odoo, &file));
    let of =
        |family: &str, label: &str| value(&file, &format!("{family}{{command=\"reap\",{label}}}"));
    let class = |family: &str, class: &str| of(family, &format!("class=\"{class}\""));
    // A recent one is not read.
    for found in [
        "authenticated",
        "anonymous",
        "recent",
        "unreadable",
        "foreign",
    ] {
        assert_eq!(class("odoo_session_files", found), Some(1.0), "{found}");
    }
    assert_eq!(class("odoo_session_files_due", "authenticated"), Some(1.0));
    let bytes = class("odoo_session_files_bytes", "anonymous");
    assert_eq!(bytes, Some(VISITOR.len() as f64));
    let oldest = |of: &str| class("odoo_session_files_oldest_age_seconds", of);
    let age = oldest("authenticated").unwrap() - 8.0 * 86_400.0;
    assert!((0.0..600.0).contains(&age), "{age}");
    assert_eq!(oldest("not-read"), None);
    let deleted = "odoo_session_reaper_last_run_deleted_files";
    assert_eq!(class(deleted, "anonymous"), Some(1.0));
    let cart = "class=\"anonymous\",property=\"cart\"";
    assert_eq!(of("odoo_session_files", cart), Some(1.0));
    for (reason, files) in [
        ("within-window", 2.0),
        ("unreadable", 1.0),
        ("implausible-time", 0.0),
    ] {
        let kept = of(
            "odoo_session_reaper_last_run_kept_files",
            &format!("reason=\"{reason}\""),
        );
        assert_eq!(kept, Some(files), "{reason}");
    }
    for operation in ["list", "stat", "read", "delete"] {
        let label = format!("operation=\"{operation}\"");
        let errors = of("odoo_session_reaper_last_run_errors", &label);
        assert_eq!(errors, Some(0.0), "{operation}");
    }
    assert_eq!(exit_code(&file, "reap"), Some(0.0));
    assert!((now() - success(&file, "reap").unwrap()).abs() < 60.0);
    assert_eq!(success(&file, "audit"), None);
    let text = fs::read_to_string(&file).unwrap();
    let store = format!("store=\"{}\"", odoo.sessions.display());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.contains(&store), "{line}");
    }
    assert!(!text.contains("SECRET") && !text.contains("bob") && !text.contains("foreign.txt"));
    assert_eq!(names(dir.path()), ["odoo_sessions.prom"]);
}

#[test]
fn an_audit_tells_every_class_and_deletes_nothing() {
    let odoo = odoo();
    let (_dir, file) = place();
    for args in [&["audit"][..], &["reap", "--dry-run"]] {
        let path = file.to_str().unwrap();
        let ran = odoo.run(args[0], &[&args[1..], &["--metrics-file", path]].concat());
        assert_eq!(ran.code, 0, "{}", ran.all());
        let command = if args.len() == 1 { "audit" } else { "dry-run" };
        let class = |family: &str| {
            let labels = format!("{{command=\"{command}\",class=\"authenticated\"}}");
            value(&file, &format!("{family}{labels}"))
        };
        let read = if command == "audit" { 2.0 } else { 1.0 };
        assert_eq!(class("odoo_session_files"), Some(read));
        assert_eq!(class("odoo_session_files_due"), Some(1.0));
        assert_eq!(
            class("odoo_session_reaper_last_run_deleted_files"),
            Some(0.0)
        );
        assert!(success(&file, command).is_some());
        assert_eq!(success(&file, "reap"), None, "neither is a reap");
    }
    assert!(
        success(&file, "audit").is_some(),
        "carried over by the dry run"
    );
    assert_eq!(odoo.files().len(), 6);
}

#[test]
fn the_file_is_readable_for_everybody_whatever_the_umask() {
    let (_dir, file) = place();
    for (umask, mode_before) in [("077", 0o600), ("000", 0o666)] {
        let odoo = odoo();
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode_before)).unwrap();
        let script = format!("umask {umask}; exec \"$@\"");
        let ran = run(Command::new("sh")
            .args([
                "-c",
                &script,
                "sh",
                env!("CARGO_BIN_EXE_odoo-session-reaper"),
                "reap",
            ])
            .arg("--data-dir")
            .arg(odoo.data_dir())
            .arg("--metrics-file")
            .arg(&file));
        assert_reaped(&odoo, &ran);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
            0o644
        );
    }
}

#[test]
fn the_last_success_outlives_failed_runs() {
    let odoo = odoo();
    let (_dir, file) = place();
    let path = file.to_str().unwrap();
    reap(&odoo, &file);
    // So that a later success would differ.
    let text = fs::read_to_string(&file).unwrap();
    let last = now() - 100.0;
    let text: String = text
        .lines()
        .map(|line| match line.rsplit_once(' ') {
            Some((series, _)) if line.starts_with(SUCCESS) => format!("{series} {last}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    fs::write(&file, text).unwrap();
    let carried_over = |command: &str, code: f64| {
        assert_eq!(success(&file, "reap"), Some(last), "after exit code {code}");
        assert_eq!(exit_code(&file, command), Some(code));
        assert!(
            value(
                &file,
                "odoo_session_files{command=\"reap\",class=\"anonymous\"}"
            )
            .is_none()
        );
    };
    // A setting that cannot be meant: nobody has come as far as to know the store.
    let ran = odoo.run(
        "reap",
        &["--metrics-file", path, "--anonymous-window", "soon"],
    );
    assert_eq!(ran.code, 2, "{}", ran.all());
    carried_over("reap", 2.0);
    // A store that is not there.
    let away = odoo.data_dir().join("away");
    fs::rename(&odoo.sessions, &away).unwrap();
    assert_eq!(reap(&odoo, &file).code, 1);
    carried_over("reap", 1.0);
    fs::rename(&away, &odoo.sessions).unwrap();
    // An audit in between.
    assert_eq!(odoo.run("audit", &["--metrics-file", path]).code, 0);
    carried_over("audit", 0.0);
    assert!(success(&file, "audit").is_some());
    // Another store does not inherit it.
    let other = Odoo::new();
    fs::rename(&other.sessions, other.data_dir().join("away")).unwrap();
    assert_eq!(reap(&other, &file).code, 1);
    assert_eq!(success(&file, "reap"), None);
}

#[test]
fn databases_have_series_and_no_name_has_two() {
    let odoo = Odoo::new();
    let of = |name: &str| VISITOR.replace("shop", name);
    let long = "y".repeat(300);
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", of("Shop"), HOUR)
        .session("cc", VISITOR.replace("\"shop\"", "null"), 2 * DAY)
        // Shown alike, though they differ.
        .session("dd", of("x\\n"), HOUR)
        .session("ee", of("x\\\\n"), HOUR)
        .session("ff", of(&long), HOUR)
        .session("gg", of(&long[1..]), HOUR)
        .session("hh", of("\\\"} 7\\n"), HOUR);
    for number in 0..200 {
        odoo.file(
            &flat(&format!("{number:03x}")),
            of(&number.to_string()),
            2 * DAY,
        );
    }
    let file = odoo.data_dir().join("odoo.prom");
    let args = ["--metrics-file", file.to_str().unwrap(), "--threads", "1"];
    let audit = odoo.run("audit", &args);
    assert_eq!((audit.code, audit.stderr.as_str()), (0, ""));
    let text = fs::read_to_string(&file).unwrap();
    let mut series: Vec<_> = text
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup_by_key(|(series, _)| *series);
    assert_eq!(series.len(), all, "{text}");
    let found = text
        .lines()
        .filter(|line| line.starts_with("odoo_session_database_files{"));
    assert!((90..=110).contains(&found.count()), "{text}");
    let one = |labels: &str| {
        value(
            &file,
            &format!("odoo_session_database_files{{command=\"audit\",{labels}}}"),
        )
    };
    assert_eq!(one(r#"class="authenticated",database="shop""#), Some(1.0));
    assert_eq!(one(r#"class="anonymous""#), Some(1.0));
    assert!(one(r#"class="anonymous",database="(others)""#) > Some(90.0));
    let reap = odoo.run("reap", &args);
    assert_eq!((reap.code, reap.stderr.as_str()), (0, ""));
    let deleted = "odoo_session_reaper_last_run_deleted_database_files";
    let labels = r#"{command="reap",class="authenticated",database="shop"}"#;
    assert_eq!(value(&file, &format!("{deleted}{labels}")), Some(1.0));
}

#[test]
fn a_dormant_store_left_alone_is_no_success_and_looked_at_nothing() {
    let odoo = odoo();
    odoo.unchanged_for(30 * DAY);
    let (_dir, file) = place();
    let path = file.to_str().unwrap();
    for args in [&[][..], &["--dry-run"]] {
        let ran = odoo.run("reap", &[args, &["--metrics-file", path]].concat());
        assert_eq!(ran.code, 0, "{}", ran.all());
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("end=\"dormant\""), "{text}");
        assert!(!text.contains("odoo_session_files"), "{text}");
        assert!(!text.contains(SUCCESS), "{text}");
    }
    // The success before is kept; and whoever means it has one.
    let earlier = format!(
        "{SUCCESS}{{store=\"{}\",command=\"reap\"}} 7\n",
        odoo.sessions.display()
    );
    fs::write(&file, earlier).unwrap();
    assert_eq!(reap(&odoo, &file).code, 0);
    assert_eq!(success(&file, "reap"), Some(7.0));
    assert_eq!(odoo.run("audit", &["--metrics-file", path]).code, 0);
    assert!(success(&file, "audit").is_some());
    let ran = odoo.run("reap", &["--force", "--metrics-file", path]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(success(&file, "reap") > Some(7.0));
}

#[test]
fn deletions_add_up_over_runs_that_delete_nothing_or_fail() {
    let odoo = odoo();
    let dir = tempfile::tempdir().unwrap();
    let (file, other) = (dir.path().join("odoo.prom"), dir.path().join("audit.prom"));
    let (path, other_path) = (file.to_str().unwrap(), other.to_str().unwrap());
    let total = |labels: &str| {
        let series =
            format!("odoo_session_reaper_deleted_files_total{{command=\"reap\",{labels}}}");
        value(&file, &series)
    };
    let totals = || {
        [
            total("class=\"authenticated\""),
            total("class=\"anonymous\""),
            total("class=\"anonymous\",property=\"cart\""),
        ]
    };
    // Nobody knows yet; and what an audit writes elsewhere must not have the reap's series.
    assert_eq!(odoo.run("audit", &["--metrics-file", path]).code, 0);
    assert_eq!(totals(), [None; 3]);
    assert_reaped(&odoo, &reap(&odoo, &file));
    assert_eq!(totals(), [Some(1.0), Some(1.0), Some(0.0)]);
    odoo.session("eeSECRET", VISITOR, 2 * DAY)
        .session("ffSECRET", CART, 9 * DAY);
    assert_eq!(reap(&odoo, &file).code, 0);
    let now = [Some(1.0), Some(2.0), Some(1.0)];
    assert_eq!(totals(), now);
    odoo.session("eeSECRET", VISITOR, 2 * DAY);
    for (args, code) in [
        (&["audit"][..], 0),
        (&["reap", "--dry-run"], 0),
        (&["reap", "--anonymous-window", "soon"], 2),
    ] {
        let args = [args, &["--metrics-file", path]].concat();
        assert_eq!(odoo.run(args[0], &args[1..]).code, code, "{args:?}");
        assert_eq!(totals(), now, "{args:?}");
    }
    let away = odoo.data_dir().join("away");
    fs::rename(&odoo.sessions, &away).unwrap();
    assert_eq!(reap(&odoo, &file).code, 1);
    assert_eq!(totals(), now, "no store");
    fs::rename(&away, &odoo.sessions).unwrap();
    odoo.unchanged_for(30 * DAY);
    assert_eq!(reap(&odoo, &file).code, 0);
    assert_eq!(totals(), now, "dormant");
    odoo.unchanged_for(0);
    // A file that is gone, or makes no sense, begins again.
    fs::write(&file, "nonsense").unwrap();
    assert_eq!(reap(&odoo, &file).code, 0);
    assert_eq!(totals(), [Some(0.0), Some(1.0), Some(0.0)]);
    assert_eq!(odoo.run("audit", &["--metrics-file", other_path]).code, 0);
    assert!(!fs::read_to_string(&other).unwrap().contains("_total"));
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("# TYPE odoo_session_reaper_deleted_files_total counter\n"),
        "{text}"
    );
}

#[test]
fn a_busy_store_leaves_the_metrics_to_the_run_at_work() {
    let odoo = odoo();
    let (_dir, file) = place();
    fs::write(&file, "as it was").unwrap();
    let held = fs::File::open(&odoo.sessions).unwrap();
    rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
    assert_eq!(reap(&odoo, &file).code, 75);
    assert_eq!(fs::read_to_string(&file).unwrap(), "as it was");
}

#[test]
fn an_interrupted_run_leaves_its_metrics() {
    let test = "an_interrupted_run_leaves_its_metrics";
    let odoo = Odoo::new();
    for number in 0..2_000 {
        odoo.file(&flat(&format!("{number:08}")), VISITOR, 2 * DAY);
    }
    let (_dir, file) = place();
    let Some(mut strace) = testenv::strace(test) else {
        return;
    };
    let child = strace
        .args([
            "-e",
            "trace=unlinkat",
            "-e",
            "inject=unlinkat:delay_enter=5000",
        ])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .arg("--metrics-file")
        .arg(&file)
        .stdout(Stdio::null())
        .spawn();
    let mut child = child.unwrap();
    testenv::wait_until("a first deletion", || odoo.files().len() < 2_000);
    let pid = run(Command::new("pgrep").args(["-P", &child.id().to_string()])).stdout;
    run(Command::new("kill").args(["-TERM", pid.trim()]));
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(exit_code(&file, "reap"), Some(143.0));
    assert_eq!(success(&file, "reap"), None);
    let deleted = "odoo_session_reaper_last_run_deleted_files";
    let deleted = value(
        &file,
        &format!("{deleted}{{command=\"reap\",class=\"anonymous\"}}"),
    );
    assert_eq!(deleted, Some(2_000.0 - odoo.files().len() as f64));
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("end=\"interrupted\"")
    );
}

#[test]
fn a_place_that_cannot_be_written_to_neither_stops_nor_fails_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let parent_is_a_file = dir.path().join("file");
    fs::write(&parent_is_a_file, "").unwrap();
    let fifo = dir.path().join("fifo.prom");
    rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let looped = dir.path().join("loop.prom");
    symlink(&looped, &looped).unwrap();
    let before = names(dir.path());
    let mut places: Vec<(PathBuf, &str)> = vec![
        (dir.path().to_owned(), "something else than a file"),
        (dir.path().join("missing/a.prom"), "not found"),
        (parent_is_a_file.join("a.prom"), "Not a directory"),
        (fifo, "something else than a file"),
        (looped, "symbolic links"),
        (PathBuf::from("/dev/null"), "something else than a file"),
        (PathBuf::from("/"), "something else than a file"),
        (PathBuf::from("/proc/odoo.prom"), "not found"),
    ];
    if is_root() {
        // Also /dev/full is in nobody's way to be renamed over by root.
        places.push((PathBuf::from("/dev/full"), "something else than a file"));
    }
    for (place, why) in places {
        let odoo = odoo();
        let ran = reap(&odoo, &place);
        assert_reaped(&odoo, &ran);
        assert_warned(&ran, why);
    }
    assert_eq!(names(dir.path()), before);
    // What failed anyway fails the same way.
    let ran = run(program()
        .args(["reap", "--data-dir", "/nonexistent", "--metrics-file"])
        .arg(dir.path()));
    assert_eq!(ran.code, 1, "{}", ran.all());
}

#[test]
fn a_directory_of_somebody_else_is_said_to_be_one() {
    let odoo = odoo();
    let (dir, file) = place();
    fs::write(&file, "old").unwrap();
    if is_root() {
        // The program becomes the store's owner, and the directory is root's.
        let nobody = Some(rustix::fs::Uid::from_raw(65_534));
        let group = Some(rustix::fs::Gid::from_raw(65_534));
        for entry in walkdir::WalkDir::new(odoo.data_dir()) {
            rustix::fs::chownat(
                CWD,
                entry.unwrap().path(),
                nobody,
                group,
                rustix::fs::AtFlags::empty(),
            )
            .unwrap();
        }
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    } else {
        fs::set_permissions(dir.path(), Permissions::from_mode(0o555)).unwrap();
    }
    let ran = reap(&odoo, &file);
    assert_reaped(&odoo, &ran);
    assert_warned(&ran, "as user");
    assert_warned(&ran, "permission denied");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_full_or_read_only_file_system_keeps_the_old_file_whole() {
    let test = "a_full_or_read_only_file_system_keeps_the_old_file_whole";
    for (prepare, why) in [
        (
            "dd if=/dev/zero of=\"$dir/fill\" bs=4k || true",
            "No space left",
        ),
        ("mount -o remount,ro \"$dir\"", "read-only"),
        (
            "i=0; while : > \"$dir/$i\"; do i=$((i + 1)); done",
            "no storage space",
        ),
    ] {
        let odoo = odoo();
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            r#"
            dir=$1; shift; exec 3>&2 2>/dev/null
            mount -t tmpfs -o size=64k,nr_inodes=20 none "$dir" || exit 99
            echo 'as it was' > "$dir/odoo.prom"
            ( {prepare} )
            "$@" 2>&3
            code=$?
            grep -qx 'as it was' "$dir/odoo.prom" || exit 98
            [ -z "$(find "$dir" -name '.odoo*')" ] || exit 97
            exit $code
            "#
        );
        let ran = run(Command::new("unshare")
            .args(["--mount", "--map-root-user", "sh", "-c", &script, "sh"])
            .arg(dir.path())
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(["reap", "--data-dir"])
            .arg(odoo.data_dir())
            .arg("--metrics-file")
            .arg(dir.path().join("odoo.prom")));
        if ran.code == 99 || ran.stderr.starts_with("unshare:") {
            return skipped(test, &ran.stderr);
        }
        assert_reaped(&odoo, &ran);
        assert_warned(&ran, why);
    }
}

#[test]
fn whatever_lay_there_before_is_replaced_and_believed_only_where_it_makes_sense() {
    let (_dir, file) = place();
    let future = format!("{SUCCESS}{{store=\"STORE\",command=\"reap\"}} 99999999999\n");
    for before in [
        Vec::new(),
        b"\xff\xfe\x00{{{{=\"".to_vec(),
        b"{=\",".repeat(1 << 19),
        future.into_bytes(),
        format!("{SUCCESS}{{store=\"STORE\",command=\"reap\"}} NaN\n").into_bytes(),
    ] {
        let odoo = Odoo::new();
        fs::rename(&odoo.sessions, odoo.data_dir().join("away")).unwrap();
        let store = odoo.sessions.to_str().unwrap();
        let before = match String::from_utf8(before) {
            Ok(text) => text.replace("STORE", store).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        fs::write(&file, before).unwrap();
        let ran = reap(&odoo, &file);
        assert_eq!(ran.code, 1);
        assert_eq!(exit_code(&file, "reap"), Some(1.0));
        assert_eq!(success(&file, "reap"), None);
    }
}

#[test]
fn a_link_stays_a_link_whichever_way_it_points() {
    let node_exporter = tempfile::tempdir().unwrap();
    let own = tempfile::tempdir().unwrap();
    let link = node_exporter.path().join("odoo_sessions.prom");
    let file = own.path().join("odoo_sessions.prom");
    symlink(&file, &link).unwrap();
    // A link that leads nowhere yet, then to the file before.
    for _ in 0..2 {
        let odoo = odoo();
        assert_reaped(&odoo, &reap(&odoo, &link));
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert!(file.symlink_metadata().unwrap().is_file());
        assert_eq!(exit_code(&link, "reap"), Some(0.0));
    }
    assert_eq!(names(node_exporter.path()), ["odoo_sessions.prom"]);
    assert_eq!(names(own.path()), ["odoo_sessions.prom"]);
}

#[test]
fn root_does_not_follow_a_link_of_somebody_else() {
    if !is_root() {
        return skipped("root_does_not_follow_a_link_of_somebody_else", "not root");
    }
    let odoo = odoo();
    let dir = tempfile::tempdir().unwrap();
    let (precious, link) = (dir.path().join("shadow"), dir.path().join("odoo.prom"));
    fs::write(&precious, "precious").unwrap();
    symlink(&precious, &link).unwrap();
    give_to_nobody(&link);
    let ran = reap(&odoo, &link);
    assert_reaped(&odoo, &ran);
    assert_warned(&ran, "symlink of another user");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    // Nor where it stands in for a directory on the way.
    fs::create_dir(dir.path().join("victim")).unwrap();
    let on_the_way = dir.path().join("on-the-way");
    symlink(dir.path().join("victim"), &on_the_way).unwrap();
    give_to_nobody(&on_the_way);
    let ran = reap(&odoo, &on_the_way.join("odoo_sessions.prom"));
    assert_warned(&ran, "symlink of another user");
    assert_eq!(fs::read_dir(dir.path().join("victim")).unwrap().count(), 0);
}

/// Gives away a file, a directory or a link.
fn give_to_nobody(path: &Path) {
    let nobody = rustix::fs::Uid::from_raw(65_534);
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(CWD, path, Some(nobody), None, flags).unwrap();
}

#[test]
fn root_follows_no_link_that_others_could_have_put_there() {
    if !is_root() {
        return skipped(
            "root_follows_no_link_that_others_could_have_put_there",
            "not root",
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let precious = dir.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    // Root's own link, which whoever may change the directory has moved there.
    for (mode, owner_is_nobody) in [(0o755, true), (0o775, false), (0o1777, false)] {
        let odoo = odoo();
        let theirs = dir.path().join(format!("{mode:o}"));
        fs::create_dir(&theirs).unwrap();
        fs::set_permissions(&theirs, Permissions::from_mode(mode)).unwrap();
        if owner_is_nobody {
            give_to_nobody(&theirs);
        }
        let link = theirs.join("odoo.prom");
        symlink(&precious, &link).unwrap();
        let ran = reap(&odoo, &link);
        assert_reaped(&odoo, &ran);
        assert_warned(&ran, "in a directory that others may change");
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
        assert_eq!(names(&theirs), ["odoo.prom"]);
    }
}

#[test]
fn root_writes_into_its_own_directories_and_those_of_the_stores_owner_only() {
    if !is_root() {
        return skipped(
            "root_writes_into_its_own_directories_and_those_of_the_stores_owner_only",
            "not root",
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("odoo.prom");
    give_to_nobody(dir.path());
    let mine = odoo();
    let ran = reap(&mine, &file);
    assert_reaped(&mine, &ran);
    assert_warned(
        &ran,
        "belongs to user 65534, neither root nor the store's owner",
    );
    assert!(names(dir.path()).is_empty());
    // Nobody's store, and his data_dir, that fail before root has become him.
    let theirs = odoo();
    let away = theirs.data_dir().join("away");
    fs::rename(&theirs.sessions, &away).unwrap();
    for missing in [false, true] {
        give_to_nobody(theirs.data_dir());
        give_to_nobody(&away);
        let mut program = program();
        match missing {
            false => program.args(["reap", "--sessions-dir"]).arg(&away),
            true => program.args(["reap", "--data-dir"]).arg(theirs.data_dir()),
        };
        let ran = run(program.arg("--metrics-file").arg(&file));
        assert_eq!(ran.code, 1, "{}", ran.all());
        assert_eq!(exit_code(&file, "reap"), Some(1.0));
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_warning_says_as_whom_a_run_of_root_cannot_write() {
    let test = "a_warning_says_as_whom_a_run_of_root_cannot_write";
    if !is_root() {
        return skipped(test, "not root");
    }
    let dir = tempfile::tempdir().unwrap();
    let theirs = odoo();
    for entry in walkdir::WalkDir::new(theirs.data_dir()) {
        give_to_nobody(entry.unwrap().path());
    }
    let ran = reap(&theirs, &dir.path().join("odoo.prom"));
    assert_reaped(&theirs, &ran);
    let whom =
        "as user 65534, the owner of the store, which a run of root becomes: permission denied";
    assert_warned(&ran, whom);
    // Who is nobody else from the first is told nothing of the kind.
    let ran = reap(&odoo(), &dir.path().join("missing/odoo.prom"));
    assert!(ran.stderr.contains("as user 0: "), "{}", ran.stderr);
}

#[test]
fn a_directory_that_is_exchanged_during_a_run_is_the_one_that_was_named() {
    let test = "a_directory_that_is_exchanged_during_a_run_is_the_one_that_was_named";
    let odoo = odoo();
    let dir = tempfile::tempdir().unwrap();
    let (named, moved) = (dir.path().join("named"), dir.path().join("moved"));
    let victim = dir.path().join("victim");
    fs::create_dir(&named).unwrap();
    fs::create_dir(&victim).unwrap();
    let Some(mut strace) = testenv::strace(test) else {
        return;
    };
    let child = strace
        .args([
            "-e",
            "trace=unlinkat",
            "-e",
            "inject=unlinkat:delay_enter=2000000:when=2",
        ])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--threads", "1", "--data-dir"])
        .arg(odoo.data_dir())
        .arg("--metrics-file")
        .arg(named.join("odoo.prom"))
        .stdout(Stdio::null())
        .spawn();
    let mut child = child.unwrap();
    testenv::wait_until("a first deletion", || odoo.files().len() < 6);
    fs::rename(&named, &moved).unwrap();
    symlink(&victim, &named).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(exit_code(&moved.join("odoo.prom"), "reap"), Some(0.0));
    assert!(names(&victim).is_empty());
}

#[test]
fn a_new_file_that_gets_no_name_is_removed() {
    let test = "a_new_file_that_gets_no_name_is_removed";
    let odoo = odoo();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("odoo.prom");
    fs::write(&file, "as it was").unwrap();
    let Some(mut strace) = testenv::strace(test) else {
        return;
    };
    let ran = run(strace
        .args([
            "-e",
            "trace=renameat,renameat2",
            "-e",
            "inject=renameat,renameat2:error=EIO",
        ])
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .arg("--metrics-file")
        .arg(&file));
    assert_reaped(&odoo, &ran);
    assert_warned(&ran, "Input/output error");
    assert_eq!(fs::read_to_string(&file).unwrap(), "as it was");
    assert_eq!(names(dir.path()), ["odoo.prom"]);
}

#[test]
fn a_metrics_file_in_the_store_is_refused_before_anything_is_done() {
    let odoo = odoo();
    let outside = tempfile::tempdir().unwrap();
    symlink(odoo.path("aa"), outside.path().join("aa")).unwrap();
    symlink(odoo.path("new.prom"), outside.path().join("link.prom")).unwrap();
    for place in [
        odoo.path("odoo.prom"),
        odoo.path("aa/odoo.prom"),
        odoo.path("../sessions/odoo.prom"),
        outside.path().join("aa/odoo.prom"),
        outside.path().join("link.prom"),
    ] {
        for extra in [&[][..], &["--anonymous-window", "soon"]] {
            let before = odoo.files();
            let path = place.to_str().unwrap();
            let ran = odoo.run("reap", &[&["--metrics-file", path], extra].concat());
            assert_eq!(ran.code, 2, "{}", ran.all());
            if extra.is_empty() {
                assert!(
                    ran.stderr.contains("would lie in the session store"),
                    "{}",
                    ran.all()
                );
            }
            assert_eq!(odoo.files(), before);
        }
    }
}

#[test]
fn an_empty_name_is_wrong_on_the_command_line_and_none_in_the_environment() {
    let odoo = odoo();
    assert_eq!(odoo.run("reap", &["--metrics-file", ""]).code, 2);
    let ran = run(program()
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .env("ODOO_SESSION_REAPER_METRICS_FILE", ""));
    assert_reaped(&odoo, &ran);
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_warning_names_the_place_that_the_unit_may_write_to() {
    let odoo = odoo();
    let ran = run(program()
        .args([
            "reap",
            "--metrics-file",
            "/nonexistent/odoo.prom",
            "--data-dir",
        ])
        .arg(odoo.data_dir())
        .env("REAPER_UNIT", "odoo-session-reaper.service")
        .env("STATE_DIRECTORY", "/var/lib/odoo-session-reaper"));
    assert_reaped(&odoo, &ran);
    assert_warned(
        &ran,
        "odoo-session-reaper.service has /var/lib/odoo-session-reaper for it",
    );
}

#[test]
fn promtool_has_nothing_to_say() {
    let test = "promtool_has_nothing_to_say";
    if Command::new("promtool").arg("--version").output().is_err() {
        return skipped(
            test,
            "no promtool (tests/packaging/prometheus.sh has its own)",
        );
    }
    let odoo = odoo();
    let (_dir, file) = place();
    let check = || {
        let stdin = fs::File::open(&file).unwrap();
        let ran = run(Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(stdin));
        assert_eq!((ran.code, ran.all().as_str()), (0, ""));
    };
    assert_eq!(reap(&odoo, &file).code, 0);
    check();
    odoo.unchanged_for(30 * DAY);
    assert_eq!(reap(&odoo, &file).code, 0);
    check();
    fs::rename(&odoo.sessions, odoo.data_dir().join("away")).unwrap();
    assert_eq!(reap(&odoo, &file).code, 1);
    check();
}
