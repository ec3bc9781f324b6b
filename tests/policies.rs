//! The policy: settings in odoo.conf, windows by database, protected logins, lifetimes, and who said what.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testenv::{DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, program, row, run, sharded};

/// An odoo.conf that names this store, with `sections` below its `[options]`: these begin on line 4.
fn conf(odoo: &Odoo, sections: &str) -> PathBuf {
    let file = odoo.data_dir().join("odoo.conf");
    let data_dir = odoo.data_dir().display();
    fs::write(
        &file,
        format!("[options]\ndata_dir = {data_dir}\n\n{sections}"),
    )
    .unwrap();
    file
}

/// Runs the program with an odoo.conf of these sections, and without any other word on the store.
fn with_conf(odoo: &Odoo, command: &str, sections: &str, args: &[&str]) -> Ran {
    let mut program = program();
    program
        .arg(command)
        .arg("--config")
        .arg(conf(odoo, sections));
    run(program.args(args))
}

fn json_with_conf(odoo: &Odoo, command: &str, sections: &str, args: &[&str]) -> Value {
    let args: Vec<_> = args.iter().copied().chain(["--format", "json"]).collect();
    let ran = with_conf(odoo, command, sections, &args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A usage error that has all these parts, and after which nothing was deleted.
fn refused(odoo: &Odoo, sections: &str, args: &[&str], parts: &[&str]) {
    let before = odoo.files();
    let ran = with_conf(odoo, "reap", sections, args);
    assert_eq!(ran.code, 2, "{sections}{}", ran.all());
    for part in parts {
        assert!(ran.stderr.contains(part), "{part} in {}", ran.stderr);
    }
    assert_eq!(odoo.files(), before);
}

/// A session in a database, of a user or of a visitor.
fn session_in(database: &str, login: Option<&str>) -> String {
    json!({"db": database, "uid": login.map(|_| 7), "login": login, "session_token": "x", "context": {}, "debug": ""})
        .to_string()
}

/// A session of bob that was first used `age` seconds ago.
fn first_used(age: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    let device = json!({"platform": "linux", "first_activity": now - age, "last_activity": now});
    json!({"db": "shop", "uid": 7, "login": "bob", "session_token": "x", "context": {}, "debug": "", "_trace": [device]})
        .to_string()
}

fn setting<'a>(report: &'a Value, option: &str, database: Option<&str>) -> &'a Value {
    let policy = report["policy"].as_array().unwrap();
    policy
        .iter()
        .find(|value| value["option"] == option && value["database"].as_str() == database)
        .unwrap()
}

#[test]
fn each_database_loses_what_its_own_windows_say() {
    for place in [flat as fn(&str) -> String, sharded] {
        let odoo = Odoo::new();
        odoo.file(&place("a1"), session_in("shop", Some("bob")), 3 * DAY)
            .file(&place("a2"), session_in("shop", None), 3 * DAY)
            .file(&place("b1"), session_in("crm", Some("bob")), 3 * DAY)
            .file(&place("b2"), session_in("crm", None), 3 * DAY)
            .file(&place("c1"), session_in("SHOP", Some("bob")), 3 * DAY)
            .file(&place("d1"), USER.replace("\"shop\"", "null"), 3 * DAY)
            .file(&place("d2"), VISITOR.replace("\"shop\"", "null"), 3 * DAY)
            .file(
                &place("d3"),
                VISITOR.replace("\"shop\"", "[\"shop\"]"),
                3 * DAY,
            );
        let sections = "[session_reaper]\nauthenticated_window = 5d\n\
                        [session_reaper:shop]\nauthenticated_window = 2d\nanonymous_window = 4d\n";
        let dry = with_conf(&odoo, "reap", sections, &["--dry-run"]);
        assert!(
            dry.stdout.starts_with("would delete 4 of 8 files"),
            "{}",
            dry.stdout
        );
        let ran = with_conf(&odoo, "reap", sections, &[]);
        assert!(
            ran.stdout.starts_with("deleted 4 of 8 files"),
            "{}",
            ran.stdout
        );
        let gone = ["a1", "b2", "d2", "d3"];
        for seed in ["a1", "a2", "b1", "b2", "c1", "d1", "d2", "d3"] {
            assert_eq!(!odoo.has(&place(seed)), gone.contains(&seed), "{seed}");
        }
    }
}

#[test]
fn hostile_names_of_databases_are_only_names() {
    let odoo = Odoo::new();
    let long = "x".repeat(1 << 20);
    let names = [
        "shop\u{0}",
        "shop\n",
        "../shop",
        "[session_reaper:shop]",
        "shop]",
        "%(db)s",
        "sh\u{202e}op",
        "*",
        "s?op",
        "DEFAULT",
        "options",
        "",
        " shop",
        &long,
    ];
    for (number, name) in names.iter().enumerate() {
        odoo.session(
            &format!("{number:02}"),
            session_in(name, Some("bob")),
            3 * DAY,
        );
    }
    odoo.session("zz", session_in("%(db)s", Some("bob")), 3 * DAY)
        .session("z1", session_in("shop", Some("bob")), 3 * DAY);
    let sections = "[session_reaper:shop]\nauthenticated_window = 2d\n[session_reaper:%(db)s]\nauthenticated_window = 2d\n\
                    [session_reaper:*]\nauthenticated_window = 2d\n[session_reaper:\u{202e}x]\n";
    let ran = with_conf(&odoo, "reap", sections, &["--report", "full"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(!ran.stdout.contains(['\u{202e}', '\u{0}']));
    let left = odoo.files();
    assert_eq!(left.len(), names.len() + 2 - 4, "{left:?}");
}

#[test]
fn ten_thousand_databases_with_rules_are_nothing_special() {
    let odoo = Odoo::new();
    odoo.session("aa", session_in("db9999", Some("bob")), 3 * DAY)
        .session("bb", session_in("db10000", Some("bob")), 3 * DAY);
    let sections: String = (0..10_000)
        .map(|number| format!("[session_reaper:db{number}]\nauthenticated_window = 2d\n"))
        .collect();
    assert!(sections.len() < 1 << 20);
    let ran = with_conf(&odoo, "reap", &sections, &[]);
    assert!(
        ran.stdout.starts_with("deleted 1 of 2 files"),
        "{}",
        ran.all()
    );
    assert!(odoo.has(&sharded("bb")));
}

#[test]
fn flags_beat_variables_which_beat_the_section_which_beats_the_default() {
    let odoo = Odoo::new();
    let sections = "[session_reaper]\nauthenticated_window = 30d\nanonymous_window = 2d\ncart_window = 4d\n\
                    [session_reaper:shop]\nanonymous_window = 9d\n";
    let file = conf(&odoo, sections);
    let mut program = program();
    program
        .args(["audit", "--format", "json", "--anonymous-window", "3d"])
        .env("ODOO_SESSION_REAPER_CONFIG", &file)
        .env("ODOO_SESSION_REAPER_ANONYMOUS_WINDOW", "5d")
        .env("ODOO_SESSION_REAPER_CART_WINDOW", "6d")
        .env("ODOO_SESSION_REAPER_KEEP_LOGIN", "kiosk*, pos?")
        .env("ODOO_SESSION_REAPER_MAX_LIFETIME", "");
    let ran = run(&mut program);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |option, database| {
        let value = setting(&report, option, database);
        (
            value["value"].clone(),
            value["source"].clone(),
            value["line"].clone(),
        )
    };
    assert_eq!(
        of("authenticated_window", None),
        (json!(30 * DAY), json!("file"), json!(5))
    );
    assert_eq!(
        of("anonymous_window", None),
        (json!(3 * DAY), json!("command-line"), Value::Null)
    );
    assert_eq!(
        of("cart_window", None),
        (json!(6 * DAY), json!("environment"), Value::Null)
    );
    assert_eq!(
        of("leftover_window", None),
        (json!(DAY), json!("default"), Value::Null)
    );
    assert_eq!(
        of("keep_login", None),
        (json!(["kiosk*", "pos?"]), json!("environment"), Value::Null)
    );
    assert_eq!(
        of("max_lifetime", None),
        (Value::Null, json!("default"), Value::Null)
    );
    assert_eq!(
        of("last_seen", None),
        (json!("mtime"), json!("default"), Value::Null)
    );
    let shop = setting(&report, "anonymous_window", Some("shop"));
    assert_eq!(
        shop,
        &json!({"option": "anonymous_window", "database": "shop", "value": 9 * DAY, "source": "file",
                "file": file.to_str().unwrap(), "section": "session_reaper:shop", "line": 9})
    );
    assert_eq!(report["windows"]["authenticated"], 30 * DAY);
    assert_eq!(report["schema"], 1);
}

#[test]
fn the_full_report_says_what_was_changed_and_where() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, DAY);
    let sections =
        "[session_reaper]\nkeep_login = kiosk*\n[session_reaper:shop]\nanonymous_window = 6h\n";
    for command in [&["audit"][..], &["reap", "--dry-run"]] {
        let args = [
            &command[1..],
            &["--report", "full", "--max-lifetime", "30d"],
        ]
        .concat();
        let ran = with_conf(&odoo, command[0], sections, &args);
        for part in [
            "\nPolicy         keep_login kiosk*",
            "odoo.conf [session_reaper] line 5)",
            "\n               max_lifetime 30 days (command line)\n",
            "\n               shop: anonymous_window 6 hours",
            "odoo.conf [session_reaper:shop] line 7)",
        ] {
            assert!(ran.stdout.contains(part), "{part} in {}", ran.stdout);
        }
    }
    let args = [
        "--keep-login",
        "bob@x,eve",
        "--no-logins",
        "--report",
        "full",
    ];
    let discreet = odoo.run("audit", &args);
    assert!(
        discreet
            .stdout
            .contains("\nPolicy         keep_login (2 left out) (command line)\n")
            && !discreet.stdout.contains("bob@x"),
        "{}",
        discreet.stdout
    );
    let discreet = odoo.json("audit", &args[..3], 0);
    assert_eq!(setting(&discreet, "keep_login", None)["value"], 2);
    let plain = odoo.run("audit", &["--report", "full"]);
    assert!(
        plain.stdout.contains("\nPolicy         all defaults\n"),
        "{}",
        plain.stdout
    );
}

#[test]
fn the_file_that_is_named_beside_a_store_is_read_for_its_sections() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 3 * DAY);
    let sections = "[session_reaper]\nauthenticated_window = 2d\n";
    let file = conf(&odoo, sections);
    let due = |program: &mut std::process::Command| {
        let ran = run(program.args(["--format", "json"]));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        report["total"]["due"]["files"].as_i64().unwrap()
    };
    let audit = || {
        let mut program = program();
        program.arg("audit").arg("--data-dir").arg(odoo.data_dir());
        program
    };
    assert_eq!(due(&mut audit()), 0, "nobody named the file");
    assert_eq!(due(audit().arg("-c").arg(&file)), 1);
    assert_eq!(due(audit().env("ODOO_SESSION_REAPER_CONFIG", &file)), 1);
    assert_eq!(
        due(program().arg("audit").env("ODOO_RC", &file)),
        1,
        "found by searching"
    );
    // A file without a data_dir, or with one that only Odoo knows, is enough beside a store that was named.
    for (options, code) in [
        ("data_dir = odoo\n", 2),
        ("data_dir = ~other/odoo\n", 2),
        ("", 0),
    ] {
        fs::write(&file, format!("[options]\n{options}{sections}")).unwrap();
        assert_eq!(due(audit().arg("-c").arg(&file)), 1, "{options}");
        let mut alone = program();
        alone.arg("audit").env("ODOO_DATA_DIR", odoo.data_dir());
        let alone = run(alone.arg("-c").arg(&file));
        assert_eq!(alone.code, code, "{}", alone.all());
    }
    // Without a data_dir Odoo takes the store of its variable, and so its settings are for that one.
    let mut around = program();
    around
        .arg("audit")
        .env("ODOO_RC", &file)
        .env("ODOO_DATA_DIR", odoo.data_dir());
    assert_eq!(due(&mut around), 1);
}

#[test]
fn a_protected_login_is_kept_and_has_a_row_of_its_own() {
    let odoo = Odoo::new();
    for (number, login) in ["kiosk-1", "kiosk/2", "Kiosk-3", "my-kiosk", "CORP\\till"]
        .iter()
        .enumerate()
    {
        odoo.session(
            &format!("a{number}"),
            session_in("shop", Some(login)),
            300 * DAY,
        );
    }
    odoo.session("b1", session_in("crm", Some("desk")), 300 * DAY)
        .session("b2", session_in("shop", Some("desk")), 300 * DAY)
        .session(
            "b3",
            VISITOR.replace("null, \"session", "\"kiosk-9\", \"session"),
            300 * DAY,
        )
        .session("b4", USER.replace("\"bob\"", "7"), 300 * DAY);
    let sections = "[session_reaper:crm]\nkeep_login = desk\n";
    let args = ["--keep-login", "kiosk*", "--keep-login", "CORP\\*"];
    let report = json_with_conf(&odoo, "audit", sections, &args);
    let protected = row(&report, "authenticated", Some("protected"));
    assert_eq!(
        (&protected["files"], &protected["due"]["files"]),
        (&json!(4), &json!(0))
    );
    assert_eq!(protected["window"], Value::Null);
    let ran = with_conf(
        &odoo,
        "reap",
        sections,
        &[&args[..], &["--report", "full"]].concat(),
    );
    assert!(
        ran.stdout.contains("\n authenticated, protected "),
        "{}",
        ran.stdout
    );
    for (seed, kept) in [
        ("a0", true),
        ("a1", true),
        ("a2", false),
        ("a3", false),
        ("a4", true),
        ("b1", true),
        ("b2", false),
        ("b3", false),
        ("b4", false),
    ] {
        assert_eq!(odoo.has(&sharded(seed)), kept, "{seed}");
    }
}

/// A matcher that backtracks would not be done before the sun is.
#[test]
fn a_hostile_login_does_not_hold_up_a_run() {
    let odoo = Odoo::new();
    odoo.session(
        "aa",
        session_in("shop", Some(&"a".repeat(1 << 20))),
        300 * DAY,
    );
    let pattern = "a*".repeat(60) + "b";
    let ran = odoo.run("reap", &["--keep-login", &pattern]);
    assert!(
        ran.stdout.starts_with("deleted 1 of 1 file"),
        "{}",
        ran.all()
    );
}

#[test]
fn a_login_beyond_its_lifetime_goes_although_it_is_active() {
    let odoo = Odoo::new();
    let unknown = USER.replace("\"debug\"", "\"_trace\": [], \"debug\"");
    odoo.session("a1", first_used(31 * DAY), 60)
        .session("a2", first_used(29 * DAY), 60)
        .session("a3", USER, 60)
        .session("a4", unknown, 60)
        .session(
            "a5",
            first_used(31 * DAY).replace("\"uid\":7", "\"uid\":null"),
            60,
        )
        .session("a6", first_used(-DAY), 60)
        .session(
            "a7",
            first_used(31 * DAY).replace("\"shop\"", "\"crm\""),
            60,
        )
        .file(&flat("ab"), USER, 60);
    assert_eq!(
        odoo.run("reap", &["--dry-run"]).stdout.split(" of ").next(),
        Some("would delete 0")
    );
    let sections = "[session_reaper:crm]\nmax_lifetime = 90d\n";
    let args = ["--max-lifetime", "30d", "--list"];
    let report = json_with_conf(&odoo, "audit", sections, &args);
    let due = report["due"].as_array().unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!(
        (&due[0]["reason"], &due[0]["window"]),
        (&json!("lifetime"), &json!(30 * DAY))
    );
    let ran = with_conf(&odoo, "reap", sections, &args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!odoo.has(&sharded("a1")));
    assert_eq!(odoo.files().len(), 7);
}

#[test]
fn unread_refuses_what_needs_reading() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 300 * DAY);
    refused(
        &odoo,
        "",
        &["--by-age-only", "--keep-login", "bob"],
        &["--by-age-only", "--keep-login"],
    );
    refused(
        &odoo,
        "",
        &["--by-age-only", "--max-lifetime", "30d"],
        &["--by-age-only", "--max-lifetime"],
    );
    refused(
        &odoo,
        "[session_reaper]\nkeep_login = bob\n",
        &["--by-age-only"],
        &["--by-age-only", "line 5: keep_login"],
    );
    let shop = "[session_reaper:shop]\nkeep_login = bob\n";
    refused(
        &odoo,
        shop,
        &["--by-age-only"],
        &[
            "--by-age-only",
            "line 5: keep_login in [session_reaper:shop]",
        ],
    );
    let shop = "[session_reaper:shop]\nmax_lifetime = 9d\n";
    refused(
        &odoo,
        shop,
        &["--by-age-only"],
        &[
            "--by-age-only",
            "line 5: max_lifetime in [session_reaper:shop]",
        ],
    );
    // Windows of databases are no hindrance: what is older than all of them is due whatever it says.
    odoo.session("bb", USER, 29 * DAY);
    let shop = "[session_reaper:shop]\nauthenticated_window = 30d\nkeep_login =\n";
    let ran = with_conf(&odoo, "reap", shop, &["--by-age-only"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!odoo.has(&sharded("aa")) && odoo.has(&sharded("bb")));
}

#[test]
fn what_is_misspelt_stops_everything() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 300 * DAY);
    refused(
        &odoo,
        "[session_reaper]\nauthentcated_window = 900d\n",
        &[],
        &[
            "odoo.conf line 5: authentcated_window in [session_reaper]",
            "did you mean authenticated_window?",
        ],
    );
    refused(
        &odoo,
        "[session-reaper]\n",
        &[],
        &[
            "odoo.conf line 4: [session-reaper]",
            "write [session_reaper]",
        ],
    );
    refused(
        &odoo,
        "[session_reaper:a]\nleftover_window = 2d\n",
        &[],
        &["line 5: leftover_window", "[session_reaper]"],
    );
    refused(
        &odoo,
        "[session_reaper]\nkeep_login = a[\n",
        &[],
        &["line 5: keep_login", "\"a[\""],
    );
    refused(
        &odoo,
        "[session_reaper:a]\nauthenticated_window = 1h\n",
        &[],
        &["line 5", "under 2 hours"],
    );
    refused(
        &odoo,
        "[session_reaper]\na = 1\nA = 2\n",
        &[],
        &["line 6: option 'a' stands twice"],
    );
    refused(
        &odoo,
        "[session_reaper:a]\n[session_reaper:a]\n",
        &[],
        &["line 5: section [session_reaper:a] stands twice"],
    );
    refused(
        &odoo,
        "[sesion_reapr:a]\nkeep_login = bob\n",
        &[],
        &["line 4: [sesion_reapr:a] is misspelt and would do nothing: write [session_reaper:a]"],
    );
    refused(
        &odoo,
        "[session_reaper:\"shop\"]\nkeep_login = bob\n",
        &[],
        &[
            "line 4: [session_reaper:\"shop\"] is misspelt and would do nothing: write [session_reaper:shop]",
        ],
    );
    refused(
        &odoo,
        "keep_login = bob\n",
        &[],
        &["keep_login has no effect in [options]: put it under [session_reaper]"],
    );
    // Other addons have sections, too.
    let others =
        "[session_redis]\nkeep_login = x\n[queue_job]\nchannels = root:2\n[session_store]\n";
    assert_eq!(with_conf(&odoo, "reap", others, &["--dry-run"]).code, 0);
}

#[test]
fn a_store_is_dormant_by_the_shortest_window_of_all_databases() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 300 * DAY).unchanged_for(7 * HOUR);
    let sections = "[session_reaper:shop]\nanonymous_window = 6h\n";
    let ran = with_conf(&odoo, "reap", sections, &[]);
    assert!(
        ran.stdout
            .contains("longer than the shortest window (6 hours)"),
        "{}",
        ran.stdout
    );
    assert!(odoo.has(&sharded("aa")));
}

#[test]
fn settings_for_another_store_are_refused_whoever_names_their_file() {
    let (odoo, other) = (Odoo::new(), Odoo::new());
    other.session("aa", USER, 5 * HOUR);
    let reap = |sections: &str| {
        let mut program = program();
        program
            .env("ODOO_SESSION_REAPER_CONFIG", conf(&odoo, sections))
            .args(["reap", "--data-dir"])
            .arg(other.data_dir());
        run(&mut program)
    };
    let ran = reap("[session_reaper]\nauthenticated_window = 4h\n");
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stderr.contains("has settings for the sessions in"));
    assert!(other.has(&sharded("aa")));
    assert_eq!(reap("").code, 0, "without settings, only the flag counts");
    assert!(other.has(&sharded("aa")));
}
