//! Faults that are real: mounts, full file systems, monsters.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::testenv::{
    DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, is_root, row, run, set_age, sharded, skipped,
};

/// Runs a script with mounts of its own, and in it the program as `"$@"`; `None` where that is forbidden.
fn with_mounts(test: &str, odoo: &Odoo, script: &str, args: &[&str]) -> Option<Ran> {
    let script = format!("store=$1; shift; set -e; exec 3>&2 2>/dev/null; {script}");
    let ran = run(Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script, "sh"])
        .arg(&odoo.sessions)
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(args)
        .args(["--format", "json", "--sessions-dir"])
        .arg(&odoo.sessions));
    if ran.code == 99 || ran.stdout.is_empty() && ran.stderr.starts_with("unshare:") {
        skipped(test, &format!("no mounts here {}", ran.stderr));
        return None;
    }
    Some(ran)
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

#[test]
fn on_a_read_only_mount_an_audit_works_and_a_reap_says_that_it_cannot() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .file(&flat("aa"), VISITOR, 2 * DAY);
    let script = r#"
        mount --bind "$store" "$store" || exit 99
        mount -o remount,bind,ro "$store" || exit 99
        exec "$@" 2>&3
    "#;
    for (args, code) in [
        (&["audit"][..], 0),
        (&["reap", "--dry-run"], 1),
        (&["reap"], 1),
        (&["reap", "--threads", "8"], 1),
    ] {
        let test = "on_a_read_only_mount_an_audit_works_and_a_reap_says_that_it_cannot";
        let Some(ran) = with_mounts(test, &odoo, script, args) else {
            return;
        };
        assert_eq!(ran.code, code, "{}", ran.all());
        if code == 0 {
            assert_eq!(report(&ran)["total"]["due"]["files"], 2);
        } else {
            assert!(ran.stderr.contains("mounted read-only"), "{}", ran.stderr);
        }
        assert_eq!(odoo.files().len(), 2);
    }
}

#[test]
fn a_store_on_a_bind_mount_is_reaped_like_any_other() {
    let odoo = Odoo::new();
    let elsewhere = Odoo::new();
    elsewhere
        .session("aa", VISITOR, 2 * DAY)
        .session("bb", USER, HOUR)
        .file(&flat("aa"), VISITOR, 2 * DAY);
    let place = elsewhere.sessions.to_str().unwrap();
    let script = format!(r#"mount --bind '{place}' "$store" || exit 99; exec "$@" 2>&3"#);
    let test = "a_store_on_a_bind_mount_is_reaped_like_any_other";
    let Some(ran) = with_mounts(test, &odoo, &script, &["reap"]) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert_eq!(report(&ran)["total"]["deleted"]["files"], 2);
    assert_eq!(
        elsewhere.files().into_iter().collect::<Vec<_>>(),
        [sharded("bb")]
    );
}

#[test]
fn a_full_file_system_is_reaped_and_has_room_again() {
    let odoo = Odoo::new();
    // Full of inodes first (sessions), then of blocks; and only then the program.
    let script = format!(
        r#"
        mount -t tmpfs -o size=1m,nr_inodes=150 none "$store" || exit 99
        mkdir "$store/aa"
        i=100
        while printf '%s' '{VISITOR}' > "$store/aa/aa{zeros}$i"; do
            touch -d '2 days ago' "$store/aa/aa{zeros}$i"
            i=$((i + 1))
        done
        dd if=/dev/zero of="$store/aa/aa{zeros}100" bs=64k || true
        touch -d '2 days ago' "$store/aa/aa{zeros}100"
        ! printf '%s' more > "$store/werkzeug_{zeros}.sess"
        touch "$store"
        code=0
        "$@" 2>&3 || code=$?
        printf '%s' more > "$store/werkzeug_{zeros}.sess" || exit 98
        exit $code
        "#,
        zeros = "0".repeat(79),
    );
    let test = "a_full_file_system_is_reaped_and_has_room_again";
    let args = ["reap", "--unreadable-window", "1d"];
    let Some(ran) = with_mounts(test, &odoo, &script, &args) else {
        return;
    };
    assert_eq!(ran.code, 0, "{}", ran.all());
    let report = report(&ran);
    let total = &report["total"];
    assert!(total["files"].as_u64().unwrap() > 100, "{total}");
    assert_eq!(total["deleted"], total["due"]);
    assert_eq!(total["deleted"]["files"], total["files"]);
    assert_eq!(report["errors"], serde_json::json!([]));
}

/// No inode is left, and no window has passed. What an audit advises then is run as it stands.
#[test]
fn with_no_inode_left_an_audit_names_the_shorter_window_that_makes_room() {
    let test = "with_no_inode_left_an_audit_names_the_shorter_window_that_makes_room";
    // Users and 300 visitors of two hours; and when the store itself was changed last.
    for (changed, force) in [("now", ""), ("90 minutes ago", " --force")] {
        let odoo = Odoo::new();
        let script = format!(
            r#"
            mount -t tmpfs -o size=16m,nr_inodes=320 none "$store" || exit 99
            mkdir "$store/aa"
            i=100
            while [ $i -lt 400 ]; do
                printf '%s' '{VISITOR}' > "$store/aa/aa{zeros}$i"
                i=$((i + 1))
            done
            while printf '%s' '{USER}' > "$store/aa/aa{zeros}$i"; do i=$((i + 1)); done
            rm -f "$store/aa/aa{zeros}$i"
            touch -d '2 hours ago' "$store"/aa/*
            touch -d '{changed}' "$store"
            reap=$("$1" reap --data-dir "${{store%/sessions}}" --keep-login 'boss*' 2>&1)
            said=$("$@" --keep-login 'boss*' 2>&1 >/dev/null)
            "$1" reap --data-dir "${{store%/sessions}}" --keep-login 'boss*' --no-logins 2>&3 >/dev/null
            "$@" --keep-login 'boss*' --no-logins 2>&3 >/dev/null
            "$@" --anonymous-window 100m --no-logins 2>&3 >/dev/null
            touch -d '3 days ago' "$store"
            "$@" --keep-login 'boss*' 2>&3 >/dev/null
            touch -d '{changed}' "$store"
            printf '%s\n' "$reap" "$said" >&3
            PATH=${{1%/*}}:$PATH
            eval "$(printf '%s' "$said" | sed -n 's/.*`\(.*\)`.*/\1/p')" 2>&3
            exec "$@" 2>&3
            "#,
            zeros = "0".repeat(79),
        );
        let Some(ran) = with_mounts(test, &odoo, &script, &["audit"]) else {
            return;
        };
        assert_eq!(ran.code, 0, "{}", ran.all());
        let data_dir = odoo.data_dir().display();
        let audit =
            format!("`odoo-session-reaper audit --data-dir {data_dir} --keep-login 'boss*'`");
        assert!(ran.stderr.contains(&audit), "{}", ran.stderr);
        let advice = format!(
            "only 0 of 320 inodes free on this file system; `odoo-session-reaper reap --data-dir {data_dir} \
             --keep-login 'boss*' --anonymous-window 1h{force}` would delete up to 300 files"
        );
        assert!(ran.stderr.contains(&advice), "{}", ran.stderr);
        let due_is_enough = format!(
            "on this file system; `odoo-session-reaper reap --data-dir {data_dir} --anonymous-window 1h40m` would \
             delete up to 300 files\n"
        );
        assert!(ran.stderr.contains(&due_is_enough), "{}", ran.stderr);
        // A command would log somebody out whom it should not.
        for advice in [
            "which shorter window would make room tells an audit with your --keep-login\n",
            "on this file system; --anonymous-window 1h with your --keep-login would delete up to 300 files\n",
            "on this file system; the store is dormant: look first\n",
        ] {
            assert!(ran.stderr.contains(advice), "{advice}: {}", ran.stderr);
        }
        assert_eq!(ran.stderr.matches('`').count(), 6, "{}", ran.stderr);
        let (reaped, document) = ran.stdout.split_once('\n').unwrap();
        assert!(reaped.starts_with("deleted 300 of 3"), "{reaped}");
        let report: Value = serde_json::from_str(document).unwrap();
        let file_system = &report["file_system"];
        assert_eq!(file_system["inodes"], 320);
        assert_eq!(file_system["inodes_free"], 300);
        assert_eq!(file_system["bytes"], 16 << 20);
        assert!(file_system["bytes_free"].as_u64().unwrap() > 15 << 20);
        assert_eq!(row(&report, "anonymous", None)["files"], 0);
        assert!(row(&report, "authenticated", None)["files"].as_u64() > Some(10));
    }
}

#[test]
fn a_file_of_two_gigabytes_is_not_read_and_goes_only_by_the_window_of_the_unreadable() {
    let odoo = Odoo::new();
    let monster = odoo.session("aa", "", 0).path(&sharded("aa"));
    File::create(&monster).unwrap().set_len(2 << 30).unwrap();
    set_age(&monster, 30 * DAY);
    odoo.session("ab", VISITOR, 2 * DAY);
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["unreadable"]["larger than 16 MiB"], 1);
    assert_eq!(
        odoo.files().into_iter().collect::<Vec<_>>(),
        [sharded("aa")]
    );
    odoo.json("reap", &["--unreadable-window", "20d"], 0);
    assert!(odoo.files().is_empty());
}

#[test]
fn a_directory_of_fifty_thousand_entries_is_seen_to_its_end() {
    const ENTRIES: usize = 50_000;
    let odoo = Odoo::new();
    let shard = odoo.session("aa", USER, HOUR).path("aa");
    for number in 0..ENTRIES {
        // Links, as far as a file system has them, are quicker than files.
        let name = shard.join(format!("aa{number:082}"));
        if number % 1_000 == 0 {
            fs::write(&name, VISITOR).unwrap();
            set_age(&name, 2 * DAY);
        } else {
            let first = shard.join(format!("aa{:082}", number / 1_000 * 1_000));
            fs::hard_link(first, name).unwrap();
        }
    }
    let report = odoo.json("reap", &[], 0);
    assert_eq!(report["total"]["files"], ENTRIES + 1);
    assert_eq!(report["total"]["deleted"]["files"], ENTRIES);
    assert_eq!(
        odoo.files().into_iter().collect::<Vec<_>>(),
        [sharded("aa")]
    );
}

#[test]
fn a_file_that_only_root_may_read_is_kept_unless_its_age_alone_condemns_it() {
    let test = "a_file_that_only_root_may_read_is_kept_unless_its_age_alone_condemns_it";
    if !is_root() {
        return skipped(test, "not root");
    }
    let odoo = Odoo::new();
    for seed in 10..30 {
        odoo.session(&seed.to_string(), USER, 8 * DAY);
    }
    for entry in walkdir::WalkDir::new(&odoo.sessions) {
        let path = entry.unwrap().into_path();
        std::os::unix::fs::lchown(path, Some(54_321), Some(54_321)).unwrap();
    }
    let secret = odoo.path(&sharded("10"));
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::lchown(&secret, Some(0), Some(0)).unwrap();
    let report = odoo.json("reap", &["--unreadable-window", "1d"], 0);
    assert_eq!(report["unreadable"]["permission denied"], 1);
    assert_eq!(report["total"]["deleted"]["files"], 19);
    assert_eq!(
        odoo.files().into_iter().collect::<Vec<_>>(),
        [sharded("10")]
    );
    // Once what to do about it, and once how many.
    let audit = odoo.run("audit", &[]);
    let advice = "user 54321 may not read some session files in ";
    assert_eq!(audit.stderr.matches(advice).count(), 1, "{}", audit.stderr);
    assert_eq!(audit.stderr.lines().count(), 1, "{}", audit.stderr);
    assert_eq!(audit.stdout.matches("1 could not be read").count(), 1);
    assert!(
        !audit.stdout.contains("permission denied"),
        "{}",
        audit.stdout
    );
    // Enough others to prove a session store by.
    for seed in 10..30 {
        if seed > 10 {
            odoo.session(&seed.to_string(), USER, 8 * DAY);
        }
    }
    let report = odoo.json("reap", &["--by-age-only"], 0);
    assert_eq!(row(&report, "not-read", None)["deleted"]["files"], 20);
    assert!(odoo.files().is_empty());
}
