//! What is told: reports, lists, logs, exit codes, generated texts.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use testenv::{CART, DAY, HOUR, Odoo, PENDING_2FA, USER, VISITOR, flat, program, run};

/// The manifest's session files, as `audit --list` must tell them.
#[test]
fn an_audit_of_each_fixture_tree_agrees_with_its_manifest() {
    for version in ["odoo-14", "odoo-16", "odoo-18", "odoo-19", "odoo-20"] {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(version);
        let manifest: Vec<Value> =
            serde_json::from_slice(&fs::read(tree.join("manifest.json")).unwrap()).unwrap();
        let odoo = Odoo::new();
        let mut expected = Vec::new();
        for (number, file) in manifest.iter().enumerate() {
            let path = file["path"].as_str().unwrap();
            let name = path.strip_prefix("sessions/").unwrap();
            // The age tells which line belongs to which file.
            let age = 100 * DAY + number as i64 * HOUR;
            odoo.file(name, fs::read(tree.join(path)).unwrap(), age);
            expected.push((age / HOUR, file.clone()));
        }
        let report = odoo.json("audit", &["--list"], 0);
        let listed = report["due"].as_array().unwrap();
        assert_eq!(listed.len(), manifest.len(), "{version}: everything is due");
        for (hours, file) in expected {
            let line = listed
                .iter()
                .find(|line| line["age"].as_i64().unwrap() / HOUR == hours)
                .unwrap_or_else(|| panic!("{version}: {} is missing", file["label"]));
            let kind = match file["kind"].as_str().unwrap() {
                "upload" => "upload-stash",
                kind => kind,
            };
            assert_eq!(line["kind"], kind);
            let layout = match (kind, file["path"].as_str().unwrap()) {
                ("session", path) if path.contains("werkzeug_") => json!("flat"),
                ("session", _) => json!("sharded"),
                _ => Value::Null,
            };
            assert_eq!(line["layout"], layout, "{version}: {}", file["label"]);
            if kind != "session" {
                continue;
            }
            for field in ["class", "uid", "login", "db", "cart", "pending_2fa"] {
                assert_eq!(
                    line[field], file[field],
                    "{version}: {field} of {}",
                    file["label"]
                );
            }
            let superseded = file["superseded"].as_bool().unwrap_or(false);
            assert_eq!(
                line["superseded"], superseded,
                "{version}: {}",
                file["label"]
            );
        }
        assert_eq!(report["unreadable"], serde_json::json!({}));
    }
}

#[test]
fn the_json_report_is_one_document_of_schema_1() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", VISITOR, HOUR)
        .file(&flat("cc"), CART, 9 * DAY);
    let report = odoo.json("audit", &[], 0);
    assert_eq!(report["schema"], 1);
    assert_eq!(report["command"], "audit");
    assert_eq!(report["end"], "complete");
    assert_eq!(report["windows"]["authenticated"], 7 * DAY);
    assert_eq!(report["windows"]["unreadable"], Value::Null);
    assert_eq!(report["store"]["from"], "--data-dir");
    assert_eq!(report["total"]["files"], 3);
    assert_eq!(report["total"]["due"]["files"], 2);
    assert_eq!(report["total"]["deleted"]["files"], 0);
    assert_eq!(
        report["total"]["bytes"],
        (USER.len() + VISITOR.len() + CART.len()) as u64
    );
    assert_eq!(report.get("due"), None, "no list unless asked");
    assert!(chrono::DateTime::parse_from_rfc3339(report["started"].as_str().unwrap()).is_ok());
    assert!(
        chrono::DateTime::parse_from_rfc3339(report["total"]["oldest"].as_str().unwrap()).is_ok()
    );
    let ages = report["total"]["ages"].as_array().unwrap();
    assert_eq!(
        ages.iter()
            .map(|age| age["files"].as_u64().unwrap())
            .sum::<u64>(),
        3
    );
    assert_eq!(ages[9]["up_to"], Value::Null);
}

#[test]
fn without_a_terminal_one_line_is_left() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY);
    let ran = odoo.run("reap", &[]);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    assert!(
        ran.stdout
            .starts_with("deleted 1 of 1 file (1 login of 1 person), 4.1 kB on disk, in /"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(odoo.run("reap", &["--report", "none"]).stdout, "");
    let audit = odoo.run("audit", &[]);
    assert!(
        audit.stdout.starts_with("Session store"),
        "{}",
        audit.stdout
    );
}

/// Two people of one database, one of whom has two logins, and one of another with the same uid.
fn people() -> Odoo {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY)
        .session("ab", USER, 9 * DAY)
        .session("ac", USER.replace('7', "8"), 8 * DAY)
        .session("ad", USER.replace("shop", "crm"), 8 * DAY)
        .session("ae", USER.replace('7', "9"), HOUR)
        .session("af", VISITOR, 2 * DAY)
        // The login lives on in another file.
        .session(
            "ba",
            USER.replacen(
                '{',
                "{\"next_sid\": \"x\", \"deletion_time\": 1600000000.5, ",
                1,
            ),
            8 * DAY,
        );
    odoo
}

#[test]
fn every_run_says_how_many_logins_of_how_many_people_end() {
    let odoo = people();
    let told = json!({"logins": 4, "people": 3, "at_least": false, "kept": 0});
    for (command, args, verb) in [
        ("audit", &["--report", "summary"][..], "would delete"),
        ("reap", &["--dry-run"], "would delete"),
        ("reap", &["--dry-run", "--threads", "1"], "would delete"),
    ] {
        let line = format!("{verb} 6 of 7 files (4 logins of 3 people), ");
        let ran = odoo.run(command, args);
        assert!(ran.stdout.starts_with(&line), "{}", ran.stdout);
        assert_eq!(odoo.json(command, args, 0)["logouts"], told);
    }
    let ran = odoo.run("reap", &["--keep-login", "bob"]);
    assert!(
        ran.stdout.starts_with("deleted 2 of 7 files, "),
        "nobody loses a login: {}",
        ran.stdout
    );
    let ran = odoo.run("reap", &["--list"]);
    assert!(
        ran.stdout
            .contains("\ndeleted 4 of 5 files (4 logins of 3 people), "),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_run_that_reads_nothing_does_not_know_whose_logins_end() {
    let odoo = people();
    let ran = odoo.run("reap", &["--by-age-only", "--dry-run"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    let line = "would delete 6 of 7 files (not read, so nobody knows whose), ";
    assert!(ran.stdout.starts_with(line), "{}", ran.stdout);
    let report = odoo.json("reap", &["--by-age-only"], 0);
    assert_eq!(report["logouts"]["at_least"], true);
}

#[test]
fn an_audit_says_what_is_configured_for_nobody() {
    let odoo = people();
    let conf = odoo.data_dir().join("odoo.conf");
    let sections = "[session_reaper:acmee]\n[session_reaper:crm]\nkeep_login = bob, kisok*\n";
    fs::write(&conf, sections).unwrap();
    let config = ["--config", conf.to_str().unwrap()];
    let args = [&config[..], &["--keep-login", "b?b,eve,kisok*"]].concat();
    let report = odoo.json("audit", &args, 0);
    let nobody = json!({"databases": ["acmee"], "keep_login": ["eve", "kisok*"]});
    assert_eq!(report["nobody"], nobody);
    let text = odoo.run("audit", &args).stdout;
    for line in [
        "\nwithout effect: [session_reaper:acmee], because there is no session of this database\n",
        "\nwithout effect: keep_login eve, kisok*, because no login here matches\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let discreet = [&args[..], &["--no-logins"]].concat();
    assert_eq!(odoo.json("audit", &discreet, 0)["nobody"]["keep_login"], 2);
    // A reap does not read the young ones, so it does not know.
    let nothing = json!({"databases": [], "keep_login": null});
    assert_eq!(odoo.json("reap", &args, 0)["nobody"], nothing);
    assert_eq!(odoo.json("audit", &[], 0)["nobody"], nothing);
}

#[test]
fn a_row_tells_the_windows_of_the_databases_that_are_in_it() {
    let odoo = people();
    let conf = odoo.data_dir().join("odoo.conf");
    let section = "[session_reaper:crm]\nauthenticated_window = 30d\nanonymous_window = 3d\n";
    fs::write(&conf, section).unwrap();
    let config = ["--config", conf.to_str().unwrap()];
    let window = |class: &str| {
        let text = odoo.run("audit", &config).stdout;
        let mut rows = text.lines().skip_while(|line| !line.ends_with(" Window"));
        let row = rows.find(|line| line.trim_start().starts_with(&format!("{class}  ")));
        let row = row.unwrap_or_else(|| panic!("{class} in {text}"));
        row.rsplit("  ").next().unwrap().to_owned()
    };
    assert_eq!(window("authenticated"), "7 days to 30 days");
    assert_eq!(window("anonymous"), "1 day", "no visitor of crm");
    for shop in ["aa", "ab", "ac", "ae"] {
        fs::remove_file(odoo.path(&testenv::sharded(shop))).unwrap();
    }
    assert_eq!(window("authenticated"), "30 days");
    assert_eq!(
        odoo.json("audit", &config, 0)["classes"][0]["window"],
        7 * DAY
    );
}

#[test]
fn an_audit_says_how_many_inodes_are_sessions() {
    let odoo = people();
    let told = |command, more: &[&str]| {
        let text = odoo
            .run(command, &[&["--report", "full"], more].concat())
            .stdout;
        let line = text.lines().find(|line| line.contains("inodes in use"));
        line.map(|line| line.trim_start().to_owned())
    };
    let file_system = &odoo.json("audit", &[], 0)["file_system"];
    match (told("audit", &[]), file_system["inodes"].is_null()) {
        (None, true) => {}
        (Some(line), false) => assert!(
            line.starts_with("7 of ") && line.contains(" inodes in use are these session files ("),
            "{line}"
        ),
        told => panic!("{told:?}"),
    }
    let limited = told("reap", &["--dry-run", "--limit", "1"]);
    assert_eq!(limited, None, "it has not seen all");
    assert_eq!(told("reap", &[]), None, "it has changed both");
}

#[test]
fn every_class_in_the_table_is_explained_below_it() {
    let odoo = people();
    odoo.session("bb", "no session", DAY)
        .session("bc", CART, HOUR)
        .session("bd", PENDING_2FA, HOUR)
        .file("notes.txt", "mine", DAY);
    for (command, args) in [
        ("audit", &["--keep-login", "bob"][..]),
        ("reap", &["--dry-run", "--report", "full"]),
    ] {
        let text = odoo.run(command, args).stdout;
        let table = text.lines().skip_while(|line| !line.contains("Oldest"));
        let mut classes = 0;
        for line in table.skip(1).take_while(|line| !line.is_empty()) {
            let label = line.trim_start().split("  ").next().unwrap();
            let note = format!("\n{label}: ");
            assert!(
                text.contains(&note) || label == "total",
                "{label} in {text}"
            );
            classes += 1;
        }
        assert!(classes > 5, "{text}");
        assert!(
            text.contains("one\n  1 neither JSON nor pickle\n"),
            "{text}"
        );
    }
    // A run that deletes explains what no audit has, and says where the rest is.
    let text = odoo.run("reap", &["--report", "full"]).stdout;
    assert!(text.contains("\nan audit explains "), "{text}");
    assert!(text.contains("\nrecent: "), "{text}");
    assert!(!text.contains("\nanonymous: "), "{text}");
}

/// What a run prints on a terminal of so many columns; `None` where there is no script(1).
fn on_a_terminal(test: &str, odoo: &Odoo, columns: u32, args: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_odoo-session-reaper");
    let data_dir = odoo.data_dir().display();
    let line = format!("stty cols {columns} && exec {program} {args} --data-dir {data_dir}");
    let ran = std::process::Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output();
    let Ok(ran) = ran else {
        assert!(std::env::var_os("CI").is_none(), "no script(1)");
        testenv::skipped(test, "no script(1)");
        return None;
    };
    Some(String::from_utf8(ran.stdout).unwrap().replace('\r', ""))
}

#[test]
fn a_terminal_gets_colours_grouped_numbers_and_its_width() {
    let test = "a_terminal_gets_colours_grouped_numbers_and_its_width";
    let odoo = people();
    for number in 0..1_200 {
        odoo.file(&flat(&format!("{number:08}")), VISITOR, 2 * DAY);
    }
    let Some(wide) = on_a_terminal(test, &odoo, 120, "reap --dry-run") else {
        return;
    };
    let logouts = "\u{1b}[1mwould delete 1 206 of 1 207 files\u{1b}[0m\u{1b}[33m (4 logins of 3 people)\u{1b}[0m";
    assert!(wide.contains(logouts), "{wide}");
    assert!(wide.contains("\n\u{1b}[33m authenticated "), "{wide}");
    let windows = "authenticated 7 days, anonymous 1 day, cart 7 days,";
    assert!(
        wide.contains(&format!("{windows} leftover 1 day\n")),
        "{wide}"
    );
    let narrow = on_a_terminal(test, &odoo, 72, "reap --dry-run").unwrap();
    assert!(narrow.contains(&format!("{windows}\n")), "{narrow}");
    let piped = odoo.run("reap", &["--dry-run", "--report", "full"]).stdout;
    assert!(
        piped.contains("would delete 1206 of 1207 files (4 logins"),
        "{piped}"
    );
}

#[test]
fn the_full_report_fits_eighty_columns() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("o");
    let made = run(program()
        .args(["demo", "--keep", "--sessions", "3000", "--dir"])
        .arg(&data_dir));
    assert_eq!(made.code, 0, "{}", made.all());
    let ran = run(program()
        .args(["audit", "--report", "full", "--data-dir"])
        .arg(&data_dir));
    let text = ran.stdout.replace(dir.path().to_str().unwrap(), "");
    for line in text.lines() {
        // The closing sentence is one line wherever it is told.
        let fits = line.chars().count() <= 80 || line.starts_with("would delete ");
        assert!(fits, "{line}");
        assert_eq!(line, line.trim_end());
    }
    for row in [
        "authenticated",
        "anonymous, cart",
        "unfinished save",
        "foreign",
        "Last save",
    ] {
        assert!(text.contains(row), "{row} in {text}");
    }
    assert!(!text.contains('\x1b'), "no colours without a terminal");
}

#[test]
fn the_ages_fit_a_narrow_terminal() {
    let test = "the_ages_fit_a_narrow_terminal";
    let odoo = people();
    odoo.file("ab/tmpabcdefgh.__wz_sess", "", HOUR);
    let Some(text) = on_a_terminal(test, &odoo, 60, "audit --report full") else {
        return;
    };
    let ages = text.lines().skip_while(|line| !line.contains("Last save"));
    let ages: Vec<&str> = ages.take_while(|line| !line.trim().is_empty()).collect();
    assert!(ages.len() > 2, "{text}");
    for line in ages {
        let line = line.replace("\x1b[1m", "").replace("\x1b[0m", "");
        assert!(line.trim_end().chars().count() <= 60, "{line}");
    }
}

#[test]
fn the_list_says_who_and_why() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", PENDING_2FA, 2 * DAY)
        .session("cc", USER, HOUR);
    let ran = odoo.run("audit", &["--list", "--report", "summary"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{}", ran.stdout);
    assert!(lines[0].ends_with(" Login"), "what is long comes last");
    let user = lines
        .iter()
        .find(|line| line.starts_with("authenticated"))
        .unwrap();
    for part in ["8d", "aaaaaaaa…", "shop", "bob", "expired"] {
        assert!(user.contains(part), "{part} in {user}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("anonymous, pending 2FA "))
    );
    let ran = odoo.run("reap", &["--list", "--no-logins", "-v"]);
    assert!(!ran.all().contains("bob"), "{}", ran.all());
}

#[test]
fn a_strangers_text_cannot_reach_the_terminal_raw() {
    let odoo = Odoo::new();
    let hostile = r#"{"db": "\u001b]0;pwned\u0007\u202e", "uid": 1, "login": "a\nb\u009b31m\ud800", "context": {}}"#;
    odoo.session("aa", hostile, 8 * DAY);
    for args in [
        &["--list"][..],
        &["--list", "--format", "json"],
        &["-v", "--list", "--format", "json", "--log-format", "json"],
    ] {
        let ran = odoo.run("reap", args);
        odoo.session("aa", hostile, 8 * DAY);
        assert_eq!(ran.code, 0);
        assert!(
            ran.stdout.contains("\\\\n") || ran.stdout.contains("\\n"),
            "{}",
            ran.stdout
        );
        for raw in ['\x1b', '\u{9b}', '\u{202e}', '\x07'] {
            assert!(!ran.all().contains(raw), "{raw:?} in {}", ran.all());
        }
    }
}

#[test]
fn each_authenticated_session_deleted_is_logged() {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", VISITOR, 8 * DAY);
    let ran = odoo.run("reap", &["-v"]);
    let events: Vec<&str> = ran
        .stderr
        .lines()
        .filter(|line| line.contains("deleted"))
        .collect();
    assert_eq!(events.len(), 1, "{}", ran.stderr);
    for part in ["INFO", "bob", "shop", "aaaaaaaa", "8 days", "expired"] {
        assert!(events[0].contains(part), "{part} in {}", events[0]);
    }
    odoo.session("aa", USER, 8 * DAY);
    let mut by_variable = program();
    by_variable
        .args(["reap", "--data-dir"])
        .arg(odoo.data_dir())
        .env("RUST_LOG", "info");
    assert!(run(&mut by_variable).stderr.contains("bob"));
}

#[test]
fn under_the_journal_lines_have_priorities_and_no_time() {
    use std::os::unix::fs::MetadataExt;
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY);
    let log = odoo.data_dir().join("log");
    let file = fs::File::create(&log).unwrap();
    let meta = file.metadata().unwrap();
    let mut reap = program();
    reap.args(["reap", "--data-dir"]).arg(odoo.data_dir());
    reap.env("JOURNAL_STREAM", format!("{}:{}", meta.dev(), meta.ino()))
        .stderr(Stdio::from(file));
    assert_eq!(run(&mut reap).code, 0);
    let log = fs::read_to_string(&log).unwrap();
    assert!(
        log.starts_with("<6>deleted an authenticated session login=\"bob\""),
        "{log}"
    );
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_signal_ends_a_reap_with_a_report_of_what_was_done() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let odoo = Odoo::new();
        for number in 0..3_000 {
            odoo.file(&flat(&format!("{number:08}")), VISITOR, 2 * DAY);
        }
        // Each unlink takes 5 ms, so that the signal surely comes in the middle.
        let mut child = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=unlinkat"])
            .args(["-e", "inject=unlinkat:delay_enter=5000"])
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(["reap", "--format", "json", "--data-dir"])
            .arg(odoo.data_dir())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(child) = &mut child else {
            return testenv::missing(
                "a_signal_ends_a_reap_with_a_report_of_what_was_done",
                "strace",
            );
        };
        testenv::wait_until("a first deletion", || odoo.files().len() < 3_000);
        let pid = std::process::Command::new("pgrep")
            .args(["-P", &child.id().to_string()])
            .output()
            .unwrap();
        let pid = String::from_utf8(pid.stdout).unwrap();
        run(std::process::Command::new("kill").args([&format!("-{signal}"), pid.trim()]));
        let mut text = String::new();
        std::io::Read::read_to_string(child.stdout.as_mut().unwrap(), &mut text).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(report["end"], "interrupted");
        assert_eq!(report["exit_code"], code);
        let left = odoo.files().len() as u64;
        assert!(left > 0);
        assert_eq!(
            report["total"]["deleted"]["files"].as_u64().unwrap(),
            3_000 - left
        );
    }
}

#[test]
fn the_demo_tells_its_story_and_cleans_up() {
    let tmp = tempfile::tempdir().unwrap();
    let ran = run(program()
        .args(["demo", "--sessions", "2000"])
        .env("TMPDIR", tmp.path()));
    assert_eq!(ran.code, 0, "{}", ran.all());
    let commands: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("$ "))
        .collect();
    assert_eq!(commands.len(), 3);
    for (line, command) in commands.iter().zip(["audit", "reap", "audit"]) {
        assert!(
            line.starts_with(&format!("$ odoo-session-reaper {command} --data-dir ")),
            "{line}"
        );
    }
    let sentences: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.contains(" on disk, in "))
        .collect();
    assert_eq!(sentences.len(), 3);
    assert_eq!(
        sentences[1],
        sentences[0].replace("would delete", "deleted")
    );
    assert!(
        sentences[2].starts_with("would delete 0 of "),
        "{}",
        sentences[2]
    );
    assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0, "cleaned up");
}

#[test]
fn a_kept_demo_needs_an_absent_or_empty_directory() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine"), "").unwrap();
    let ran = run(program().args(["demo", "--keep", "--dir"]).arg(dir.path()));
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(run(program().args(["demo", "--keep"])).code, 2);
}

#[test]
fn completions_come_from_the_command_line() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(program().args(["completions", shell]));
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("anonymous-window"), "{shell}");
    }
    let help = run(program().args(["completions", "--help"]));
    for place in [
        "/bash-completion/completions/",
        "$fpath",
        "fish/completions/",
    ] {
        assert!(help.stdout.contains(place), "{}", help.stdout);
    }
}

#[test]
fn help_has_exit_codes_and_wrong_usage_ends_with_2() {
    let help = run(program().arg("--help"));
    assert_eq!(help.code, 0);
    for part in ["75", "143", "ODOO_SESSION_REAPER_"] {
        assert!(help.stdout.contains(part), "{}", help.stdout);
    }
    for args in [
        &["reap", "--nonsense"][..],
        &["shave"],
        &[],
        &["reap", "--limit", "-1"],
        &["audit", "--threads", "0"],
    ] {
        assert_eq!(run(program().args(args)).code, 2, "{args:?}");
    }
}

#[test]
fn what_is_no_number_is_told_in_plain_words() {
    for (args, value) in [
        (["reap", "--limit", "abc"], "abc"),
        (["reap", "--max-logouts", "-1"], "-1"),
        (["who", "--uid", "bob"], "bob"),
    ] {
        let ran = run(program().args(args));
        assert_eq!(ran.code, 2, "{}", ran.all());
        let told = format!(
            "invalid value '{value}' for '{} <N>': it is no whole number",
            args[1]
        );
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
}

#[test]
fn a_tip_names_the_option_that_was_meant_or_none() {
    for (typed, tip) in [
        ("--auth-window", Some("--authenticated-window")),
        ("--anonymus-window", Some("--anonymous-window")),
        ("--dryrun", Some("--dry-run")),
        ("--db", None),
        ("--colour", None),
    ] {
        let ran = run(program().args(["reap", typed, "7d"]));
        assert_eq!(ran.code, 2, "{}", ran.all());
        let told = format!("unexpected argument '{typed}' found");
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        let tip = tip.map(|meant| format!("tip: a similar argument exists: '{meant}'"));
        let line = ran.stderr.lines().find_map(|line| line.split_once("tip: "));
        let line = line.map(|(_, line)| format!("tip: {line}"));
        assert_eq!(line, tip, "{}", ran.stderr);
        assert!(!ran.stderr.contains("cart"), "{}", ran.stderr);
    }
}

/// A run as under systemd: stdout and stderr are one stream that leads to the journal, and the journal's socket
/// is where it is everywhere, in a mount namespace of its own, and leads to `journald`; or it is not there.
/// Tells what came through the stream, or `None` where that cannot be tried.
fn under_journald(
    test: &str,
    odoo: &Odoo,
    args: &[&str],
    journald: Option<&Path>,
) -> Option<(i32, String)> {
    with_journald(test, odoo, &[&["reap"], args].concat(), journald, true)
}

/// The same for any command; also by hand, where nobody says that the stream leads to the journal.
fn with_journald(
    test: &str,
    odoo: &Odoo,
    args: &[&str],
    journald: Option<&Path>,
    by_systemd: bool,
) -> Option<(i32, String)> {
    use std::os::fd::AsFd;
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let stat = rustix::fs::fstat(theirs.as_fd()).unwrap();
    let script = r#"
        mount -t tmpfs none /run || exit 99
        if [ -n "$1" ]; then
            mkdir -p /run/systemd/journal && : >/run/systemd/journal/socket &&
                mount --bind "$1" /run/systemd/journal/socket || exit 99
        fi
        shift
        exec "$@"
    "#;
    let mut reap = std::process::Command::new("unshare");
    reap.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(journald.unwrap_or(Path::new("")))
        .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
        .args(args)
        .arg("--data-dir")
        .arg(odoo.data_dir())
        .stdout(std::os::fd::OwnedFd::from(theirs.try_clone().unwrap()))
        .stderr(std::os::fd::OwnedFd::from(theirs));
    match by_systemd {
        true => reap.env("JOURNAL_STREAM", format!("{}:{}", stat.st_dev, stat.st_ino)),
        false => reap.env_remove("JOURNAL_STREAM"),
    };
    let Ok(mut child) = reap.spawn() else {
        testenv::missing(test, "unshare");
        return None;
    };
    // It holds the other end of the stream, too.
    drop(reap);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut &ours, &mut said).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    if code == 99 || said.contains("unshare:") {
        testenv::skipped(test, &said);
        return None;
    }
    Some((code, said))
}

/// The fields of a datagram, each a name in a line, the length of the value, and the value in a line.
fn fields(mut datagram: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    while let Some(end) = datagram.iter().position(|byte| *byte == b'\n') {
        let (name, rest) = datagram.split_at(end);
        let (length, rest) = rest[1..].split_at(8);
        let (value, rest) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
        let [name, value] = [name, value].map(|text| String::from_utf8(text.to_vec()).unwrap());
        assert_eq!(fields.insert(name, value), None, "twice");
        datagram = &rest[1..];
    }
    fields
}

#[test]
fn the_journal_gets_entries_with_fields() {
    let test = "the_journal_gets_entries_with_fields";
    let odoo = Odoo::new();
    let hostile =
        r#"{"db": "a\u0000b", "uid": 1, "login": "x\nPRIORITY=0\nMESSAGE=y", "context": {}}"#;
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", VISITOR, 8 * DAY)
        .session("cc", hostile, 8 * DAY);
    let socket = odoo.data_dir().join("journald");
    let journald = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    journald.set_nonblocking(true).unwrap();
    for args in [&[][..], &["--no-logins"], &["-q"]] {
        let Some((code, said)) = under_journald(test, &odoo, args, Some(&socket)) else {
            return;
        };
        // The empty line is no entry, but tells journald whose the others are.
        assert_eq!((code, said.as_str()), (0, "\n"));
        let mut entries = received(&journald);
        assert!(
            entries.remove(0).is_empty(),
            "no entry, but a look whether it is there"
        );
        let summary = entries.pop().unwrap();
        assert_eq!(summary["MESSAGE_ID"], "3e3b1b1f4e6c4f75ac98521207696ff7");
        assert_eq!(summary["SESSIONS_SEEN"], "3");
        assert_eq!(summary["SESSIONS_DELETED"], "3");
        assert_eq!(summary["EXIT_CODE"], "0");
        assert!(summary["MESSAGE"].starts_with("deleted 3 of 3 files"));
        let quiet = args == ["-q"];
        assert_eq!(entries.len(), if quiet { 0 } else { 2 }, "{entries:?}");
        for entry in &entries {
            assert_eq!(entry["MESSAGE_ID"], "33246ad624654233957020b56b8fc55e");
            assert_eq!(entry["PRIORITY"], "6");
            assert_eq!(entry["SESSION_CLASS"], "authenticated");
            let age: i64 = entry["SESSION_AGE"].parse().unwrap();
            // A busy machine may take a while from making the file to judging it.
            assert!((8 * DAY..9 * DAY).contains(&age), "{age}");
            assert_eq!(entry["SESSION_WINDOW"], "604800");
            assert_eq!(entry["REASON"], "expired");
            let sid = &entry["SESSION_SID"];
            assert!(sid == "aaaaaaaa" || sid == "cccccccc", "{sid}");
            let login = entry.get("ODOO_LOGIN").map(String::as_str);
            let expected = match (args.is_empty(), sid.starts_with('a')) {
                (false, _) => None,
                (true, true) => Some("bob"),
                (true, false) => Some("x\\nPRIORITY=0\\nMESSAGE=y"),
            };
            assert_eq!(login, expected);
            assert!(!format!("{entry:?}").contains("SECRETTOKEN"));
        }
        odoo.session("aa", USER, 8 * DAY)
            .session("bb", VISITOR, 8 * DAY)
            .session("cc", hostile, 8 * DAY);
    }
}

/// All entries that came until now.
fn received(journald: &std::os::unix::net::UnixDatagram) -> Vec<BTreeMap<String, String>> {
    let mut buffer = [0; 65_536];
    let datagrams = std::iter::from_fn(|| {
        let length = journald.recv(&mut buffer).ok()?;
        Some(fields(&buffer[..length]))
    });
    datagrams.collect()
}

#[test]
fn by_hand_or_from_cron_the_journal_is_told_beside_what_is_printed() {
    let test = "by_hand_or_from_cron_the_journal_is_told_beside_what_is_printed";
    let odoo = Odoo::new();
    let socket = odoo.data_dir().join("journald");
    let journald = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    journald.set_nonblocking(true).unwrap();
    for (args, deletions, login) in [
        (&["reap"][..], 1, true),
        (&["reap", "-v"], 1, true),
        (
            &["reap", "--format", "json", "--log-format", "json"],
            1,
            true,
        ),
        (&["reap", "--report", "none"], 1, true),
        (&["reap", "--no-logins"], 1, false),
        (&["reap", "-q"], 0, false),
    ] {
        odoo.session("aa", USER, 8 * DAY);
        let Some((code, said)) = with_journald(test, &odoo, args, Some(&socket), false) else {
            return;
        };
        assert_eq!(code, 0, "{said}");
        let sentence = "deleted 1 of 1 file (1 login of 1 person)";
        match args.last() {
            Some(&"none") => assert_eq!(said, ""),
            Some(&"json") => assert!(said.contains("\"schema\":1"), "{said}"),
            _ => assert!(said.contains(sentence), "{said}"),
        }
        let mut entries = received(&journald);
        assert!(entries.remove(0).is_empty(), "a look whether it is there");
        let summary = entries.pop().unwrap();
        assert_eq!(summary["MESSAGE_ID"], "3e3b1b1f4e6c4f75ac98521207696ff7");
        assert!(summary["MESSAGE"].starts_with(sentence), "{summary:?}");
        assert_eq!(entries.len(), deletions, "{args:?} {entries:?}");
        for entry in &entries {
            assert_eq!(entry["MESSAGE_ID"], "33246ad624654233957020b56b8fc55e");
            assert_eq!(entry.contains_key("ODOO_LOGIN"), login, "{entry:?}");
            // What the text log says of it, and its fields, which are not for it.
            let logged = args.contains(&"-v");
            assert_eq!(said.contains(&entry["MESSAGE"]), logged, "{said} {entry:?}");
            assert!(!said.contains("MESSAGE_ID"), "{said}");
        }
    }
    // What deletes nothing tells nobody; and without a journald there is nobody to tell.
    odoo.session("aa", USER, 8 * DAY);
    for args in [&["reap", "-n"][..], &["audit", "--report", "summary"]] {
        let Some((code, said)) = with_journald(test, &odoo, args, Some(&socket), false) else {
            return;
        };
        assert_eq!((code, received(&journald)), (0, Vec::new()), "{said}");
    }
    drop(journald);
    for there in [Some(socket.as_path()), None] {
        odoo.session("aa", USER, 8 * DAY);
        let Some((code, said)) = with_journald(test, &odoo, &["reap"], there, false) else {
            return;
        };
        assert_eq!((code, said.lines().count()), (0, 1), "{said}");
        assert!(said.starts_with("deleted 1 of 1 file"), "{said}");
    }
}

/// A run that waited would hold the store's lock, and no other would delete anything.
#[test]
fn by_hand_a_journald_that_takes_nothing_is_not_waited_for() {
    let test = "by_hand_a_journald_that_takes_nothing_is_not_waited_for";
    let odoo = Odoo::new();
    let socket = odoo.data_dir().join("journald");
    let _stuck = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    for number in 100..400 {
        odoo.session(&number.to_string(), USER, 8 * DAY);
    }
    let start = std::time::Instant::now();
    let Some((code, said)) = with_journald(test, &odoo, &["reap"], Some(&socket), false) else {
        return;
    };
    let took = start.elapsed();
    assert_eq!((code, odoo.files().len()), (0, 0), "{said}");
    let warning = "WARN the journal takes no more entries";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    assert!(said.contains("deleted 300 of 300 files"), "{said}");
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

/// As the service runs: the closing sentence is an entry, and the metrics are written all the same.
#[test]
fn a_run_that_tells_the_journal_leaves_its_metrics() {
    let test = "a_run_that_tells_the_journal_leaves_its_metrics";
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY);
    let socket = odoo.data_dir().join("journald");
    let _journald = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    let file = odoo.data_dir().join("odoo_sessions.prom");
    let args = ["--metrics-file", file.to_str().unwrap()];
    let Some((code, said)) = under_journald(test, &odoo, &args, Some(&socket)) else {
        return;
    };
    assert_eq!((code, said.as_str()), (0, "\n"));
    let metrics = std::fs::read_to_string(&file).unwrap();
    assert!(
        metrics.contains("class=\"authenticated\"} 1\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("odoo_session_reaper_last_success_timestamp_seconds{"),
        "{metrics}"
    );
}

#[test]
fn without_the_journals_socket_there_are_lines() {
    let test = "without_the_journals_socket_there_are_lines";
    for gone in [false, true] {
        let odoo = Odoo::new();
        odoo.session("aa", USER, 8 * DAY);
        let socket = odoo.data_dir().join("journald");
        let listener = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
        // A socket that nobody listens at any more refuses.
        drop(listener);
        let ran = under_journald(test, &odoo, &[], gone.then_some(socket.as_path()));
        let Some((code, said)) = ran else { return };
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(code, 0, "{said}");
        assert_eq!(lines.len(), 3, "{said}");
        assert_eq!(lines[0], "");
        assert!(lines[1].starts_with("<6>deleted an authenticated session login=\"bob\""));
        assert!(lines[2].starts_with("deleted 1 of 1 file"), "{said}");
        assert!(!said.contains("MESSAGE_ID"), "{said}");
    }
}

#[test]
fn only_the_journal_gets_the_journals_fields() {
    let odoo = Odoo::new();
    for format in ["text", "json"] {
        odoo.session("aa", USER, 8 * DAY);
        let ran = odoo.run("reap", &["-vv", "--log-format", format]);
        assert!(ran.stderr.contains("bob"), "{}", ran.stderr);
        for field in ["MESSAGE_ID", "ODOO_", "SESSION_", "REASON"] {
            assert!(!ran.stderr.contains(field), "{field} in {}", ran.stderr);
        }
    }
}
