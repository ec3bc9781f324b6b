//! When a session was used last, how many people are behind the files, and in which databases they are.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use filetime::FileTime;
use serde_json::{Value, json};
use testenv::{
    CART, DAY, HOUR, Odoo, PENDING_2FA, Ran, USER, VISITOR, flat, is_root, missing, named, now,
    program, row, run, sharded, skipped, superseded,
};

/// Makes a file look as if it was read last so many seconds ago.
fn read_ago(odoo: &Odoo, name: &str, age: i64) {
    let time = FileTime::from_unix_time(now() - age, 0);
    filetime::set_file_atime(odoo.path(name), time).unwrap();
}

fn atime(path: &Path) -> (i64, i64) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.atime(), metadata.atime_nsec())
}

fn twin(login: &str, file: &str) -> String {
    named(login, file, 84)
}

#[test]
fn who_only_clicks_is_active_where_reads_count() {
    let odoo = Odoo::new();
    let (clicking, gone, flat) = (sharded("ab"), sharded("cd"), flat("ef"));
    for name in [&clicking, &gone, &flat] {
        odoo.file(name, USER, 9 * DAY);
    }
    read_ago(&odoo, &clicking, DAY);
    read_ago(&odoo, &flat, 2 * DAY);
    read_ago(&odoo, &gone, 8 * DAY);
    let audit = odoo.json("audit", &[], 0);
    assert_eq!(audit["total"]["due"]["files"], 3);
    assert_eq!(audit["due_but_active"], 2);
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("due but active: 2 files"), "{text}");
    let args = ["--last-seen", "atime", "--report", "full"];
    let text = odoo.run("audit", &args).stdout;
    assert!(text.contains("Last use"), "{text}");
    let audit = odoo.json("audit", &["--last-seen", "atime"], 0);
    assert_eq!(audit["total"]["due"]["files"], 1);
    assert_eq!(audit["due_but_active"], 0);
    let reap = odoo.run("reap", &["--last-seen", "atime"]);
    assert_eq!(reap.code, 0, "{}", reap.stderr);
    assert_eq!(odoo.files(), [clicking, flat].into());
}

/// Runs the program on a copy of the store that lies on a file system of this type, mounted like this; nothing of what it
/// does is seen afterwards. `None` where nothing can be mounted.
fn on_mount(test: &str, odoo: &Odoo, kind: &str, option: &str, args: &[&str]) -> Option<Ran> {
    let script = r#"from="$1" kind="$2" option="$3" && shift 3 && to=$(mktemp -d) &&
        trap 'umount "$to"; rmdir "$to"' EXIT &&
        mount --bind "$from" "$from" && mount -o remount,bind,noatime "$from" &&
        mount -t "$kind" -o "$option" none "$to" && cp -a "$from/." "$to" && "$@" --data-dir "$to""#;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(odoo.data_dir())
        .args([kind, option])
        .arg(program().get_program())
        .args(args);
    if !is_root() {
        skipped(test, "not root");
        return None;
    }
    let ran = run(&mut command);
    if ran.stderr.contains("unshare") || ran.stderr.contains("mount:") {
        missing(test, "mount");
        return None;
    }
    Some(ran)
}

/// The report of such a run, which must succeed.
fn report(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.all());
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

#[test]
fn a_window_begins_after_the_last_read_that_the_mount_may_not_have_noted() {
    let test = "a_window_begins_after_the_last_read_that_the_mount_may_not_have_noted";
    let odoo = Odoo::new();
    let [noted, before, gone] = ["ab", "cd", "ef"].map(sharded);
    for name in [&noted, &before, &gone] {
        odoo.file(name, USER, 9 * DAY);
    }
    // Whoever clicked 8 seconds ago may have a note that is nearly a day older.
    read_ago(&odoo, &noted, HOUR);
    read_ago(&odoo, &before, DAY + 8);
    read_ago(&odoo, &gone, 2 * DAY + 60);
    for (kind, option, due) in [
        ("tmpfs", "relatime", 1),
        ("tmpfs", "strictatime", 2),
        // It is not known how it notes reads.
        ("ramfs", "relatime", 3),
    ] {
        let args = [
            "reap",
            "--last-seen",
            "atime",
            "--authenticated-window",
            "24h",
        ];
        let args = [&args[..], &["--format", "json"]].concat();
        let Some(ran) = on_mount(test, &odoo, kind, option, &args) else {
            return;
        };
        let json = report(&ran);
        assert_eq!(json["total"]["deleted"]["files"], due, "{kind} {option}");
        let told = ran
            .stderr
            .matches("does not tell when a session was read")
            .count();
        assert_eq!(told, usize::from(kind == "ramfs"), "{}", ran.stderr);
    }
}

#[test]
fn who_is_due_but_active_is_told_as_exactly_as_the_mount_can_and_how_to_keep_them() {
    let test = "who_is_due_but_active_is_told_as_exactly_as_the_mount_can_and_how_to_keep_them";
    let odoo = Odoo::new();
    let reads = [
        ("ab", HOUR),
        ("cd", 3 * HOUR),
        ("ef", 30 * HOUR),
        ("12", 9 * DAY),
    ];
    for (seed, read) in reads {
        odoo.session(seed, USER, 9 * DAY);
        read_ago(&odoo, &sharded(seed), read);
    }
    let advised = "reap --data-dir ";
    for (option, window, bounds, told) in [
        ("relatime", "2h", json!([1, 2]), "at least 1, up to 2 files"),
        ("strictatime", "2h", json!([1, 1]), "1 file "),
        (
            "relatime",
            "12h",
            json!([2, 3]),
            "at least 2, up to 3 files",
        ),
        ("noatime", "2h", json!([null, null]), "unknown"),
    ] {
        let window = ["audit", "--authenticated-window", window];
        let on = |args: &[&str]| on_mount(test, &odoo, "tmpfs", option, &[&window, args].concat());
        let Some(ran) = on(&["--format", "json"]) else {
            return;
        };
        let json = report(&ran);
        assert_eq!(
            json!([json["due_but_active"], json["due_but_active_up_to"]]),
            bounds
        );
        let advice = ran.stderr.contains(advised) && ran.stderr.contains("--last-seen atime`");
        assert_eq!(advice, option != "noatime", "{}", ran.stderr);
        let text = on(&["--report", "full"]).unwrap().stdout;
        assert!(text.contains(&format!("due but active: {told}")), "{text}");
        assert_eq!(
            text.contains("nobody knows more"),
            option == "relatime",
            "{text}"
        );
    }
    // A false zero before: all are active, and their note is of the request that saved.
    let odoo = Odoo::new();
    odoo.session("ab", USER, 23 * HOUR);
    read_ago(&odoo, &sharded("ab"), 23 * HOUR - 1);
    let args = ["audit", "--authenticated-window", "2h", "--report", "full"];
    let ran = on_mount(test, &odoo, "tmpfs", "relatime", &args).unwrap();
    assert!(
        ran.stdout.contains("due but active: up to 1 file "),
        "{}",
        ran.all()
    );
    assert!(ran.stderr.contains(advised), "{}", ran.all());
    let args = [&args[..], &["--last-seen", "atime"]].concat();
    let ran = on_mount(test, &odoo, "tmpfs", "relatime", &args).unwrap();
    assert!(!ran.all().contains("due but active"), "{}", ran.all());
}

#[test]
fn the_advice_is_a_command_that_keeps_who_is_active() {
    let odoo = Odoo::new();
    odoo.session("ab", USER, 9 * DAY)
        .session("cd", USER, 9 * DAY);
    read_ago(&odoo, &sharded("ab"), HOUR);
    if mounted_noatime(&odoo.sessions) {
        return skipped(
            "the_advice_is_a_command_that_keeps_who_is_active",
            "noatime mount",
        );
    }
    let args = [
        "--last-seen",
        "mtime",
        "--cart-window",
        "3d",
        "--keep-login",
        "kiosk*",
    ];
    let audit = odoo.run("audit", &args);
    let command = audit.stderr.split('`').nth(1).unwrap();
    assert_eq!(
        command,
        format!(
            "odoo-session-reaper reap --data-dir {} --cart-window 3days --keep-login 'kiosk*' --last-seen atime",
            odoo.data_dir().display()
        )
    );
    let reap = odoo.run("reap", &["--last-seen", "atime"]);
    assert_eq!((reap.code, odoo.files()), (0, [sharded("ab")].into()));
    // A login that may not be shown is in no command, and a reap advises nothing.
    read_ago(&odoo, &sharded("ab"), HOUR);
    let hidden = odoo.run("audit", &["--no-logins", "--keep-login", "kiosk*"]);
    let words = "--last-seen atime with your --keep-login keeps";
    assert!(
        hidden.stderr.contains(words) && !hidden.stderr.contains("kiosk"),
        "{}",
        hidden.stderr
    );
    let dry_run = odoo.run("reap", &["--dry-run"]);
    assert!(!dry_run.stderr.contains("atime"), "{}", dry_run.stderr);
}

#[test]
fn reads_keep_nobody_for_longer_than_90_days_after_a_save_and_an_audit_announces_it() {
    let odoo = Odoo::new();
    for (seed, saved) in [("ab", 96 * DAY), ("cd", 98 * DAY)] {
        odoo.session(seed, USER, saved);
        read_ago(&odoo, &sharded(seed), HOUR);
    }
    if mounted_noatime(&odoo.sessions) {
        return skipped(
            "reads_keep_nobody_for_longer_than_90_days_after_a_save_and_an_audit_announces_it",
            "noatime mount",
        );
    }
    let audit = odoo.run("audit", &["--last-seen", "atime", "--report", "full"]);
    let announced = "due but active: 1 file of logged-in users, read within the window, but reads count for 90 days";
    assert!(audit.stdout.contains(announced), "{}", audit.stdout);
    assert_eq!(odoo.run("reap", &["--last-seen", "atime"]).code, 0);
    assert_eq!(odoo.files(), [sharded("ab")].into());
}

#[test]
fn whoever_reads_everything_keeps_no_flood_of_visitors() {
    let odoo = Odoo::new();
    let names = ["ab", "cd", "ef", "12", "34"].map(sharded);
    let contents = [USER, CART, VISITOR, PENDING_2FA, ""];
    for (name, content) in names.iter().zip(contents) {
        odoo.file(name, content, 8 * DAY);
        read_ago(&odoo, name, HOUR);
    }
    if mounted_noatime(&odoo.sessions) {
        return skipped(
            "whoever_reads_everything_keeps_no_flood_of_visitors",
            "noatime mount",
        );
    }
    let list = odoo.json("audit", &["--last-seen", "atime", "--list"], 0);
    let ages = list["due"]
        .as_array()
        .unwrap()
        .iter()
        .map(|due| due["age"].as_i64().unwrap() / DAY);
    assert_eq!(ages.collect::<Vec<_>>(), [8, 8, 8], "by their last save");
    let row = row(&list, "authenticated", None);
    assert_eq!(
        row["ages"][0]["files"], 1,
        "the login is told by its last read"
    );
    // Not condemned by their age, but read: visitors go all the same.
    for args in [
        &["--dry-run"][..],
        &["--by-age-only", "--dry-run"],
        &["--by-age-only"],
    ] {
        let reap = odoo.json("reap", &[&["--last-seen", "atime"], args].concat(), 0);
        assert_eq!(reap["total"]["due"]["files"], 3, "{args:?}");
        assert_eq!(self::row(&reap, "not-read", None)["files"], 0, "{args:?}");
    }
    assert_eq!(odoo.files(), [names[0].clone(), names[1].clone()].into());
}

#[test]
fn bounced_visitors_are_counted_where_anybody_ever_came_back() {
    let test = "bounced_visitors_are_counted_where_anybody_ever_came_back";
    let odoo = Odoo::new();
    for (seed, content, age) in [
        ("ab", VISITOR, 2 * DAY),
        ("cd", VISITOR, 4 * HOUR),
        ("ef", VISITOR, HOUR),
        ("12", VISITOR, 5 * HOUR),
        ("34", CART, 5 * HOUR),
        ("56", PENDING_2FA, 5 * HOUR),
    ] {
        odoo.session(seed, content, age);
    }
    let bounced = |option, command, args: &[&str]| {
        let args = [&[command, "--format", "json"], args].concat();
        let ran = on_mount(test, &odoo, "tmpfs", option, &args)?;
        Some(report(&ran)["bounced"].clone())
    };
    // As after a restore: nobody knows.
    let Some(nothing) = bounced("relatime", "audit", &[]) else {
        return;
    };
    assert_eq!(nothing, Value::Null);
    read_ago(&odoo, &sharded("12"), 5 * HOUR - 1);
    assert_eq!(bounced("relatime", "audit", &[]).unwrap(), 3);
    assert_eq!(
        bounced("strictatime", "audit", &["--last-seen", "atime"]).unwrap(),
        3
    );
    assert_eq!(bounced("noatime", "audit", &[]).unwrap(), Value::Null);
    assert_eq!(
        bounced("relatime", "reap", &["--dry-run"]).unwrap(),
        Value::Null
    );
    let metrics = odoo.data_dir().join("audit.prom");
    for (args, left) in [
        (&[][..], true),
        // No improvement: nothing more would go.
        (&["--anonymous-window", "3h"], false),
        (&["--anonymous-window", "200m"], false),
        (&["--anonymous-window", "6h"], true),
    ] {
        let args = [
            &[
                "audit",
                "--report",
                "full",
                "--metrics-file",
                metrics.to_str().unwrap(),
            ],
            args,
        ]
        .concat();
        let text = on_mount(test, &odoo, "tmpfs", "relatime", &args)
            .unwrap()
            .stdout;
        assert!(
            text.contains("bounced: 3 of 4 visitors never came back"),
            "{text}"
        );
        assert!(text.contains("/web/health"), "{text}");
        let shorter = text.contains("--anonymous-window 3h would leave 1 file of visitors");
        assert_eq!(
            (shorter, text.contains("would leave")),
            (left, left),
            "{text}"
        );
    }
    // Of a database with a window of its own, the general one says nothing.
    let conf = odoo.data_dir().join("odoo.conf");
    fs::write(&conf, "[session_reaper:shop]\nanonymous_window = 2d\n").unwrap();
    let args = [
        "audit",
        "--report",
        "full",
        "--config",
        conf.to_str().unwrap(),
    ];
    let text = on_mount(test, &odoo, "tmpfs", "relatime", &args)
        .unwrap()
        .stdout;
    assert!(
        text.contains("bounced: 3") && !text.contains("would leave"),
        "{text}"
    );
    let metrics = fs::read_to_string(metrics).unwrap();
    let value = |name: &str| {
        metrics
            .lines()
            .find(|line| line.starts_with(&format!("{name}{{")))
    };
    assert!(
        value("odoo_session_bounced").unwrap().ends_with(" 3"),
        "{metrics}"
    );
    assert!(
        value("odoo_session_due_but_active")
            .unwrap()
            .ends_with(" 0"),
        "{metrics}"
    );
    assert!(
        value("odoo_session_due_but_active_up_to")
            .unwrap()
            .ends_with(" 0"),
        "{metrics}"
    );
    // What it says is true.
    let reap = [
        "reap",
        "--anonymous-window",
        "3h",
        "--dry-run",
        "--format",
        "json",
    ];
    let json = report(&on_mount(test, &odoo, "tmpfs", "relatime", &reap).unwrap());
    let visitors = row(&json, "anonymous", None);
    let young = row(&json, "recent", None);
    let left = visitors["files"].as_i64().unwrap() - visitors["due"]["files"].as_i64().unwrap();
    assert_eq!(left + young["files"].as_i64().unwrap(), 1, "{json}");
}

#[test]
fn a_save_after_the_last_read_counts_all_the_same() {
    let odoo = Odoo::new();
    odoo.session("ab", USER, DAY);
    read_ago(&odoo, &sharded("ab"), 30 * DAY);
    assert_eq!(
        odoo.json("reap", &["--last-seen", "atime"], 0)["total"]["deleted"]["files"],
        0
    );
}

#[test]
fn a_read_mends_no_impossible_save_and_keeps_no_leftover() {
    let odoo = Odoo::new();
    let leftover = "tmpabcdefgh.__wz_sess";
    odoo.session("ab", USER, now() - DAY)
        .file(leftover, "", 9 * DAY);
    read_ago(&odoo, &sharded("ab"), 30 * DAY);
    read_ago(&odoo, leftover, 0);
    let reap = odoo.json("reap", &["--last-seen", "atime"], 0);
    assert_eq!(reap["kept"]["implausible_time"], 1);
    assert_eq!(odoo.files(), [sharded("ab")].into());
}

#[test]
fn no_run_moves_an_access_time() {
    for (mode, args) in [
        ("audit", &["--list"][..]),
        ("audit", &["--last-seen", "atime"]),
        ("reap", &["--dry-run", "--list"]),
        ("reap", &["--dry-run", "--last-seen", "atime"]),
        ("reap", &["--dry-run", "--by-age-only"]),
        ("reap", &["--max-lifetime", "400d"]),
    ] {
        let odoo = Odoo::new();
        let names = [sharded("ab"), sharded("cd"), flat("ef")];
        let ages = [HOUR, 5 * DAY, 20 * DAY];
        for (name, age) in names.iter().zip(ages) {
            odoo.file(name, USER, age);
            // Read before its save, and long ago: with relatime any read would move this at once.
            read_ago(&odoo, name, 30 * DAY);
        }
        let before: Vec<_> = names.iter().map(|name| atime(&odoo.path(name))).collect();
        let ran = odoo.run(mode, args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for (name, before) in names.iter().zip(before) {
            if odoo.has(name) {
                assert_eq!(atime(&odoo.path(name)), before, "{mode} {args:?} {name}");
            }
        }
        let path = odoo.path(&names[0]);
        fs::read(&path).unwrap();
        let moved = atime(&path).0 > now() - DAY;
        assert!(moved || mounted_noatime(&path), "this test could not fail");
    }
}

fn mounted_noatime(path: &Path) -> bool {
    let flags = rustix::fs::statvfs(path).unwrap().f_flag;
    flags.contains(rustix::fs::StatVfsMountFlags::NOATIME)
}

#[test]
fn a_file_of_somebody_else_goes_by_its_last_save_because_its_reads_may_be_ours() {
    let test = "a_file_of_somebody_else_goes_by_its_last_save_because_its_reads_may_be_ours";
    if !is_root() {
        return skipped(test, "not root");
    }
    const NOBODY: u32 = 65_534;
    let odoo = Odoo::new();
    let [own, read, unread, young] = ["ab", "cd", "ef", "12"].map(sharded);
    for (name, saved, read) in [
        (&own, 9 * DAY, HOUR),
        (&read, 9 * DAY, HOUR),
        (&unread, 9 * DAY, 30 * DAY),
        (&young, DAY, 30 * DAY),
    ] {
        odoo.file(name, USER, saved);
        read_ago(&odoo, name, read);
    }
    let owned = [
        odoo.data_dir().to_owned(),
        odoo.sessions.clone(),
        odoo.path(&own),
    ];
    let shards = ["ab", "cd", "ef", "12"].map(|shard| odoo.path(shard));
    for path in owned.iter().chain(&shards) {
        std::os::unix::fs::chown(path, Some(NOBODY), None).unwrap();
    }
    let before = atime(&odoo.path(&own));
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--clear-groups"])
            .arg(program().get_program())
            .args(args)
            .args(["--format", "json", "--data-dir"])
            .arg(odoo.data_dir());
        report(&run(&mut command))
    };
    let audit = as_nobody(&["audit"]);
    assert_eq!(audit["unreadable"], json!({}), "{audit}");
    if !mounted_noatime(&odoo.sessions) {
        // Its own was active; whether those of somebody else were, nobody knows.
        let bounds = [&audit["due_but_active"], &audit["due_but_active_up_to"]];
        assert_eq!(json!(bounds), json!([1, 3]), "{audit}");
        // The walk that counts for the fuse reads them before the run does.
        let fused = as_nobody(&["reap", "--dry-run", "--max-logouts", "9"]);
        let bounds = [&fused["due_but_active"], &fused["due_but_active_up_to"]];
        assert_eq!(json!(bounds), json!([1, 3]), "{fused}");
    }
    if mounted_noatime(&odoo.sessions) {
        return skipped(test, "noatime mount");
    }
    // Read by that audit and by the run itself: neither is a return.
    let reap = as_nobody(&["reap", "--last-seen", "atime"]);
    assert_eq!(reap["kept"]["saved_again"], 0, "{reap}");
    assert_eq!(odoo.files(), [own.clone(), young].into());
    assert_eq!(atime(&odoo.path(&own)), before);
}

/// Such as a member of Odoo's group, who may delete there.
#[test]
fn whoever_cannot_read_unseen_is_told_that_reads_do_not_count_for_him() {
    let test = "whoever_cannot_read_unseen_is_told_that_reads_do_not_count_for_him";
    let odoo = Odoo::new();
    if !is_root() || mounted_noatime(&odoo.sessions) {
        return skipped(test, "not root, or a noatime mount");
    }
    odoo.session("ab", USER, 9 * DAY);
    read_ago(&odoo, &sharded("ab"), HOUR);
    for dir in [odoo.data_dir(), &odoo.sessions, &odoo.path("ab")] {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let warning =
        "user 65534 may not read the files of others unseen, so only their last save counts";
    for (user, warned, due) in [("65534", true, 1), ("0", false, 0)] {
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={user}"))
            .arg("--clear-groups")
            .arg(program().get_program())
            .args(["reap", "--dry-run", "--last-seen", "atime", "--data-dir"])
            .arg(odoo.data_dir());
        let ran = run(&mut command);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_eq!(ran.stderr.contains(warning), warned, "{}", ran.stderr);
        let told = format!("would delete {due} of 1 file");
        assert!(ran.stdout.starts_with(&told), "{}", ran.all());
        read_ago(&odoo, &sharded("ab"), HOUR);
    }
}

#[test]
fn nobody_is_logged_out_by_reads_that_nobody_notes() {
    let test = "nobody_is_logged_out_by_reads_that_nobody_notes";
    let odoo = Odoo::new();
    odoo.session("ab", USER, 9 * DAY);
    read_ago(&odoo, &sharded("ab"), HOUR);
    let ran = |args: &[&str]| on_mount(test, &odoo, "tmpfs", "noatime", args);
    for args in [&["reap"][..], &["reap", "--dry-run"]] {
        let Some(refused) = ran(&[args, &["--last-seen", "atime"]].concat()) else {
            return;
        };
        assert_eq!(refused.code, 1, "{}", refused.all());
        assert!(
            refused.stderr.contains("mounted with noatime"),
            "{}",
            refused.stderr
        );
    }
    let audit = ran(&["audit", "--last-seen", "atime", "--report", "full"]).unwrap();
    assert_eq!(audit.code, 0, "{}", audit.all());
    assert!(
        audit
            .stderr
            .contains("goes by the last save, and a reap is refused"),
        "{}",
        audit.stderr
    );
    assert!(
        audit.stdout.contains("due but active: unknown"),
        "{}",
        audit.stdout
    );
    assert!(audit.stdout.contains("Last save"), "{}", audit.stdout);
    assert!(
        audit.stdout.contains("would delete 1 of 1 file "),
        "{}",
        audit.stdout
    );
    let reap = report(&ran(&["reap", "--format", "json"]).unwrap());
    assert_eq!(reap["total"]["deleted"]["files"], 1);
}

/// `chattr +A` on the store; new shards and files have it, too.
#[test]
fn a_store_that_is_marked_to_note_no_reads_is_taken_for_one_mounted_so() {
    let test = "a_store_that_is_marked_to_note_no_reads_is_taken_for_one_mounted_so";
    let odoo = Odoo::new();
    let marked = Command::new("chattr")
        .arg("+A")
        .arg(&odoo.sessions)
        .output();
    if !marked.is_ok_and(|chattr| chattr.status.success()) {
        return skipped(test, "no chattr, or no such mark on this file system");
    }
    odoo.session("ab", USER, 9 * DAY);
    let audit = odoo.json("audit", &[], 0);
    assert_eq!(audit["due_but_active"], json!(null), "{audit}");
    let reap = odoo.run("reap", &["--last-seen", "atime"]);
    assert_eq!(reap.code, 1, "{}", reap.all());
    assert!(reap.stderr.contains("chattr -R -A"), "{}", reap.stderr);
    assert_eq!(odoo.files().len(), 1);
    assert_eq!(odoo.run("reap", &[]).code, 0);
    assert_eq!(odoo.files().len(), 0);
}

#[test]
fn a_rotated_session_is_one_login() {
    let odoo = Odoo::new();
    let superseded = superseded();
    odoo.file(&twin("ab", "1"), &superseded, HOUR)
        .file(&twin("ab", "2"), USER, HOUR)
        .file(&twin("ab", "3"), USER, HOUR)
        .file(&twin("ab9", "1"), USER, HOUR)
        .file(&twin("cd", "1"), &superseded, HOUR)
        .file(&twin("ef", "1"), VISITOR, HOUR)
        .file(&format!("12/12{}", "a".repeat(38)), USER, HOUR)
        .file(&format!("12/12{}b", "a".repeat(37)), USER, HOUR)
        .file(&flat("a"), USER, HOUR)
        .file(&flat("b"), USER, HOUR);
    for threads in ["1", "4"] {
        let audit = odoo.json("audit", &["--threads", threads], 0);
        assert_eq!(audit["logins"], 6, "{audit}");
    }
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("logins: 6;"), "{text}");
}

#[test]
fn several_databases_are_told_apart() {
    let odoo = Odoo::new();
    let other = USER.replace("shop", "Shop");
    odoo.session("ab", USER, 9 * DAY)
        .session("cd", &other, HOUR)
        .session("ef", CART, HOUR)
        .session("gh", VISITOR.replace("\"shop\"", "null"), 2 * DAY);
    let audit = odoo.json("audit", &[], 0);
    let rows: Vec<_> = audit["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["name"], row["files"], row["due"], row["deleted"]]))
        .collect();
    assert_eq!(
        json!(rows),
        json!([["Shop", 1, 0, 0], ["shop", 2, 1, 0], [null, 1, 1, 0]])
    );
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(
        text.contains("\n Database ") && text.contains("\n no database "),
        "{text}"
    );
    let reap = odoo.json("reap", &[], 0);
    let deleted: Vec<_> = reap["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["deleted"])
        .collect();
    assert_eq!(
        json!(deleted),
        json!([1, 1]),
        "recent ones are not read: {reap}"
    );
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(text.contains("\n Database "), "two are left: {text}");
    fs::remove_file(odoo.path(&sharded("cd"))).unwrap();
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(!text.contains("\n Database "), "one needs no table: {text}");
}

#[test]
fn ten_thousand_names_of_strangers_do_not_explode_a_report() {
    let odoo = Odoo::new();
    let monster = "x".repeat(100_000);
    for number in 0..3_000 {
        let content = VISITOR.replace("shop", &format!("\\u001b[31m{number}\\n"));
        odoo.file(&flat(&format!("{number:04x}")), content, 2 * DAY);
    }
    odoo.session("ab", VISITOR.replace("shop", &monster), 2 * DAY)
        .session(
            "cd",
            VISITOR.replace("shop", &format!("{monster}y")),
            2 * DAY,
        );
    let audit = odoo.json("audit", &["--threads", "4"], 0);
    let rows = audit["databases"].as_array().unwrap();
    assert_eq!(rows.len(), 101);
    assert_eq!(rows[100]["others"], true);
    let files: u64 = rows.iter().map(|row| row["files"].as_u64().unwrap()).sum();
    assert_eq!(files, 3_002);
    let text = odoo.run("audit", &["--report", "full"]).stdout;
    assert!(
        text.lines().count() < 80 && text.matches("other databases").count() == 1,
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.chars().count() < 250));
}
