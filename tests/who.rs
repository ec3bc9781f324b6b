//! `who`: one line for each login, those who are meant and nobody else, and nothing changes.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use testenv::{
    CART, DAY, HOUR, Odoo, PENDING_2FA, USER, VISITOR, flat, in_own_mounts, is_root, named,
    program, run, sharded, skipped,
};

const ALICE: &str = r#"{"db": "shop", "uid": 6, "login": "alice", "context": {}, "debug": ""}"#;
/// Of 14 and 15: Alice is logged in, and Bob has given his password in the same browser.
const ALICE_AND_BOB: &str = r#"{"db": "shop", "uid": 6, "login": "bob", "context": {}, "debug": "", "pre_login": "bob", "pre_uid": 7}"#;
const OTHER: &str =
    r#"{"db": "other", "uid": 6, "login": "bob@example.com", "context": {}, "debug": ""}"#;
const SUPERSEDED: &str = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "next_sid": "x", "deletion_time": 1.7e9}"#;

/// What each login is called, with the characters that its session id begins with.
fn listed(report: &Value) -> Vec<(String, String)> {
    let logins = report["logins"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    logins
        .map(|login| (text(&login["login"]), text(&login["sid_prefix"])))
        .collect()
}

fn names(report: &Value) -> Vec<String> {
    listed(report).into_iter().map(|(login, _)| login).collect()
}

#[test]
fn a_login_is_one_line_however_many_files_it_has() {
    let odoo = Odoo::new();
    odoo.file(&named("ab", "x", 84), SUPERSEDED, 3 * HOUR)
        .file(&named("ab", "y", 86), USER, HOUR)
        .file(&named("cd", "x", 84), SUPERSEDED, 3 * HOUR)
        .session("ef", VISITOR, HOUR)
        .session("gh", VISITOR, HOUR);
    // Who came back was read since.
    let now = filetime::FileTime::now();
    filetime::set_file_atime(odoo.path(&sharded("gh")), now).unwrap();
    let report = odoo.json("who", &[], 0);
    let logins = report["logins"].as_array().unwrap();
    assert_eq!(logins.len(), 2);
    let told = |login: &Value| json!([login["state"], login["files"], login["sid_prefix"]]);
    assert_eq!(told(&logins[0]), json!(["logged-in", 2, "abababab"]));
    assert_eq!(told(&logins[1]), json!(["superseded", 1, "cdcdcdcd"]));
    // Odoo refuses it, so it is due by the shortest window, not by that of logins.
    let time = |login: &Value, field| {
        let at: chrono::DateTime<chrono::Utc> = login[field].as_str().unwrap().parse().unwrap();
        at.timestamp()
    };
    let until_due = |login| time(login, "due") - time(login, "last_use");
    assert_eq!(
        (until_due(&logins[0]), until_due(&logins[1])),
        (7 * DAY, DAY)
    );
    assert_eq!(report["total"]["logins"], 1);
    let text = odoo.run("who", &[]).stdout;
    assert!(
        text.ends_with("\n\n1 login of 1 person in shop; 1 of 2 visitors never came back\n"),
        "{text}"
    );
}

#[test]
fn each_login_tells_since_when_its_last_use_and_when_it_is_due() {
    let odoo = Odoo::new();
    let first = 1_700_000_000;
    let traced = format!(
        r#"{{"db": "shop", "uid": 7, "login": "bob", "context": {{}}, "debug": "", "_trace": [{{"ip_address": "192.0.2.7",
        "browser": "firefox", "platform": "linux", "first_activity": {first}, "last_activity": {first}}}]}}"#
    );
    odoo.session("ab", traced, 2 * DAY)
        .session("cd", ALICE, 9 * DAY)
        .session("ef", OTHER, HOUR);
    let keep = ["--keep-login", "bob@*"];
    let lines = odoo.run("who", &keep).stdout;
    let lines: Vec<_> = lines.lines().map(str::trim_end).collect();
    let years = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let days = (years.unwrap().as_secs() - first) / 86_400;
    assert_eq!(
        lines,
        [
            "Sid         Since  Used Due in    Uid  Database     Login",
            "efefefef… unknown    1h  never      6  other        bob@example.com (protected)",
            "cdcdcdcd… unknown    9d    now      6  shop         alice",
            &format!("abababab…   {days}d    2d     4d      7  shop         bob"),
            "",
            "3 logins of 3 people in 2 databases",
        ]
    );
    let report = odoo.json("who", &keep, 0);
    let bob = &report["logins"][2];
    assert_eq!(bob["since"], "2023-11-14T22:13:20Z");
    assert_eq!(bob.get("devices"), None, "nobody asked for them");
    assert_eq!(report["logins"][0]["due"], Value::Null);
    // 30 days after its beginning, however active it is.
    let lives = odoo.json("who", &["--max-lifetime", "30d"], 0);
    assert_eq!(lives["logins"][2]["due"], "2023-12-14T22:13:20Z");
    assert!(!odoo.run("who", &[]).all().contains("192.0.2.7"));
    let asked = odoo.run("who", &["--devices"]).stdout;
    assert!(asked.contains("192.0.2.7  firefox/linux\n"), "{asked}");
    let devices = &odoo.json("who", &["--devices"], 0)["logins"][2]["devices"];
    assert_eq!(devices[0]["address"], "192.0.2.7");
    assert_eq!(devices[0]["first_activity"], "2023-11-14T22:13:20Z");
}

#[test]
fn who_gave_a_password_counts_while_the_second_factor_is_missing() {
    let odoo = Odoo::new();
    odoo.session("ab", PENDING_2FA, HOUR)
        .session("cd", ALICE, HOUR);
    let report = odoo.json("who", &["--login", "bob"], 0);
    assert_eq!(names(&report), ["bob"]);
    assert_eq!(report["logins"][0]["state"], "pending-2fa");
    assert_eq!(report["logins"][0]["uid"], 7);
    let said = odoo.run("who", &["--uid", "7"]).stdout;
    assert!(said.contains("bob (second factor missing)\n"), "{said}");
    assert!(
        said.contains("0 logins of 1 person in shop, and 1 login without"),
        "{said}"
    );
}

#[test]
fn a_mixed_file_is_listed_for_either_person() {
    let odoo = Odoo::new();
    odoo.file(&flat("aa"), ALICE, HOUR)
        .file(&flat("bb"), USER, HOUR)
        .file(&flat("ab"), ALICE_AND_BOB, HOUR);
    let sids = |login| -> Vec<_> {
        let report = odoo.json("who", &["--login", login], 0);
        let mut sids: Vec<_> = listed(&report).into_iter().map(|(_, sid)| sid).collect();
        sids.sort();
        sids
    };
    assert_eq!(sids("alice"), ["aaaaaaaa", "abababab"]);
    assert_eq!(sids("bob"), ["abababab", "bbbbbbbb"]);
}

#[test]
fn selectors_are_or_within_a_kind_and_and_between_kinds() {
    let odoo = Odoo::new();
    odoo.session("ab", USER, HOUR)
        .session("cd", ALICE, HOUR)
        .session("ef", OTHER, HOUR)
        .session("-_", USER, HOUR);
    for (args, wanted) in [
        (
            &["--login", "alice", "--login", "bob@*"][..],
            &["bob@example.com", "alice"][..],
        ),
        (&["--database", "shop", "--uid", "6"], &["alice"]),
        (&["--database", "other"], &["bob@example.com"]),
        (&["--database", "none"], &[]),
        (&["--login", "z*"], &[]),
        (&["--sid", "abab"], &["bob"]),
        (&["--sid", "-_-_-_-_…"], &["bob"]),
        (&["--sid", "abab", "--sid", "cd"], &["alice", "bob"]),
    ] {
        assert_eq!(names(&odoo.json("who", args, 0)), wanted, "{args:?}");
    }
}

#[test]
fn who_was_named_and_is_not_there_is_told_with_the_nearest() {
    let odoo = Odoo::new();
    odoo.session("ab", OTHER, HOUR).session("cd", ALICE, HOUR);
    for (args, said) in [
        (
            &["--login", "bbo"][..],
            "no bbo; there is bob@example.com in other",
        ),
        (
            &["--login", "bob", "--database", "shop"],
            "no bob; there is bob@example.com in other",
        ),
        (&["--uid", "9"], "no user 9"),
        (&["--sid", "zzzz"], "no session zzzz…"),
    ] {
        let ran = odoo.run("who", args);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let ambiguous = Odoo::new();
    ambiguous
        .file(&named("ab", "x", 84), USER, HOUR)
        .file(&named("ab", "y", 84), USER, HOUR)
        .file(&named("abc", "x", 84), USER, HOUR);
    let ran = ambiguous.run("who", &["--sid", "ab"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("more than one session begins so: ab…"),
        "{}",
        ran.stderr
    );
    // Files of one login are no two.
    assert_eq!(ambiguous.run("who", &["--sid", "abab"]).code, 0);
}

#[test]
fn nothing_changes_and_no_access_time_moves() {
    let odoo = Odoo::new();
    for (number, content) in [USER, VISITOR, CART, PENDING_2FA].iter().enumerate() {
        odoo.session(&format!("a{number}"), content, 3 * DAY).file(
            &flat(&format!("{number}a")),
            content,
            3 * DAY,
        );
    }
    let state = || -> Vec<_> {
        let files = odoo.files();
        let stat = |name: &String| std::fs::metadata(odoo.path(name)).unwrap();
        files
            .iter()
            .map(|name| {
                (
                    name.clone(),
                    stat(name).atime(),
                    stat(name).atime_nsec(),
                    stat(name).ctime_nsec(),
                )
            })
            .collect()
    };
    let before = state();
    assert_eq!(odoo.run("who", &["--devices"]).code, 0);
    assert_eq!(state(), before);
}

/// As root the program becomes the store's owner; anybody else who may read the files would move their access times.
#[test]
fn whoever_could_only_read_with_a_trace_does_not_read() {
    if !is_root() {
        return skipped(
            "whoever_could_only_read_with_a_trace_does_not_read",
            "needs root",
        );
    }
    let odoo = Odoo::new();
    odoo.session("ab", USER, HOUR);
    let own =
        |path: &std::path::Path, uid| std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
    let all = walkdir::WalkDir::new(odoo.data_dir()).into_iter();
    all.for_each(|entry| own(entry.unwrap().path(), 1_000));
    assert_eq!(names(&odoo.json("who", &[], 0)), ["bob"]);
    own(&odoo.path(&sharded("ab")), 1_001);
    let ran = odoo.run("who", &[]);
    assert_eq!(
        (ran.code, ran.stdout.lines().last()),
        (3, Some("0 logins of 0 people"))
    );
    assert!(ran.stderr.contains("1 session file"), "{}", ran.stderr);
}

#[test]
fn a_database_that_is_not_there_is_told_with_those_that_are() {
    let odoo = Odoo::new();
    odoo.session("ab", USER, HOUR).session("cd", OTHER, HOUR);
    let said = "--database means nobody: no session is of shpo; there are sessions of other, shop";
    for command in ["who", "revoke"] {
        let args: &[&str] = match command {
            "who" => &["--database", "shpo"],
            _ => &["--database", "shpo", "--dry-run"],
        };
        let ran = odoo.run(command, args);
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        let there = odoo.run("who", &["--database", "shop"]);
        assert!(!there.stderr.contains("nobody"), "{}", there.stderr);
    }
    // Another one that is there does not hide it.
    let both = odoo.run("who", &["--database", "shop", "--database", "shpo"]);
    assert!(
        both.stderr.contains("no session is of shpo; "),
        "{}",
        both.stderr
    );
}

#[test]
fn selectors_have_no_environment_variable() {
    let odoo = Odoo::new();
    odoo.session("ab", USER, HOUR).session("cd", ALICE, HOUR);
    let with = |command: &str, variable: &str| {
        let mut program = program();
        program
            .args([command, "--database", "shop", "--data-dir"])
            .arg(odoo.data_dir())
            .env(variable, "alice");
        run(&mut program)
    };
    for variable in [
        "LOGIN",
        "UID",
        "DATABASE",
        "SID",
        "EVERYONE",
        "EXCEPT_LOGIN",
        "VISITORS",
        "YES",
    ] {
        let variable = format!("ODOO_SESSION_REAPER_{variable}");
        let ran = with("who", &variable);
        assert!(
            ran.stdout.contains("2 logins of 2 people"),
            "{}",
            ran.stdout
        );
        assert!(
            ran.stderr.contains("belongs to no option"),
            "{}",
            ran.stderr
        );
        assert_eq!(with("revoke", &variable).code, 2);
    }
    assert_eq!(odoo.files().len(), 2);
}

/// It tells when a login will be due, by the settings of this command.
#[test]
fn what_only_the_service_is_told_is_said() {
    let test = "what_only_the_service_is_told_is_said";
    let odoo = Odoo::new();
    odoo.session("ab", USER, HOUR);
    let data_dir = odoo.data_dir().display().to_string();
    let script = r#"
        mkdir -p /etc/default && mount -t tmpfs none /etc/default || exit 99
        set_to() { echo "ODOO_SESSION_REAPER_$1" >>/etc/default/odoo-session-reaper; }
        set_to "DATA_DIR=$2" && set_to AUTHENTICATED_WINDOW=30d && exec "$1" who --login bob --data-dir "$2"
    "#;
    let ran = in_own_mounts(test, script, |unshare| {
        unshare.args([env!("CARGO_BIN_EXE_odoo-session-reaper"), &data_dir]);
    });
    let Some(ran) = ran else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in [
        "the service of this store is told more than this run, by /etc/default/odoo-session-reaper: \
         ODOO_SESSION_REAPER_AUTHENTICATED_WINDOW",
        "odoo-session-reaper who --data-dir=",
    ] {
        assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
    }
}

#[test]
fn beyond_50_000_logins_are_not_sorted_and_that_is_said() {
    let odoo = Odoo::new();
    for number in 0..50_001 {
        let name = format!("werkzeug_{number:040x}.sess");
        std::fs::write(odoo.path(&name), USER).unwrap();
    }
    let report = odoo.json("who", &[], 0);
    assert_eq!(report["logins"].as_array().unwrap().len(), 50_001);
    assert_eq!(report["total"]["sorted"], false);
    std::fs::remove_file(odoo.path(&format!("werkzeug_{:040x}.sess", 7))).unwrap();
    let report = odoo.json("who", &[], 0);
    assert_eq!(report["total"]["sorted"], true);
    assert_eq!(report["total"]["logins"], 50_000);
}

#[test]
fn no_output_tells_more_of_a_session_id_than_its_beginning() {
    let odoo = Odoo::new();
    let sid = "Zq9Xw-3_".repeat(11)[..84].to_owned();
    odoo.file(&format!("Zq/{sid}"), USER, HOUR)
        .file("he/hello", USER, HOUR);
    for args in [
        &["-vv"][..],
        &["--format", "json"],
        &["--sid", &sid],
        &["--sid", &sid[1..]],
    ] {
        let all = odoo.run("who", args).all();
        assert!(
            !all.contains(&sid[..9]) && !all.contains(&sid[1..10]),
            "{all}"
        );
        assert!(
            !all.contains("hello") && !all.contains("SECRETTOKEN"),
            "{all}"
        );
    }
}
