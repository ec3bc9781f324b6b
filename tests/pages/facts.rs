//! The tables of the pages are held against what the program really prints, and what the package really ships.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::markdown::{Page, code_spans};
use crate::testenv::{CART, DAY, Odoo, PENDING_2FA, Ran, USER, VISITOR, program, run, sharded};
use crate::{help, options, page};

/// What stands between backticks in one column of all tables of a page.
fn column(page: &Page, index: usize) -> BTreeSet<String> {
    let rows = page.rows();
    let cells = rows.iter().filter_map(|row| row.get(index));
    let spans = cells.flat_map(|cell| code_spans(cell));
    spans.map(str::to_owned).collect()
}

fn all_spans(page: &Page) -> BTreeSet<String> {
    let spans = page.lines.iter().flat_map(|(_, line)| code_spans(line));
    spans.map(str::to_owned).collect()
}

fn set<const N: usize>(words: [&str; N]) -> BTreeSet<String> {
    words.map(str::to_owned).into()
}

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A store with something in every part of a report.
fn store() -> Odoo {
    let odoo = Odoo::new();
    odoo.session("aa", USER, 8 * DAY)
        .session("bb", VISITOR, 2 * DAY)
        .session("cc", CART, 2 * DAY)
        .session("dd", PENDING_2FA, 2 * DAY)
        .session("ee", "no session", DAY)
        .session("ff", VISITOR, 900_000 * DAY)
        .file("foreign.txt", "mine", DAY);
    odoo
}

#[test]
fn the_settings_page_has_every_option_and_its_default() {
    let page = page("docs/settings.md");
    let named: BTreeSet<String> = column(&page, 0)
        .iter()
        .map(|span| span.split(' ').next().unwrap().to_owned())
        .collect();
    let helps = [help("audit"), help("reap")];
    let mut there: BTreeSet<String> = helps.iter().flat_map(|help| options(help)).collect();
    // Everybody knows them; the page says so in a sentence.
    there.retain(|option| !["-h", "--help"].contains(&option.as_str()));
    assert_eq!(named, there);

    let rows = page.rows();
    let mut checked = 0;
    for (option, default) in defaults(&helps[1]) {
        let row = rows.iter().find(|row| {
            let names = code_spans(&row[0]);
            names
                .iter()
                .any(|name| name.split(' ').next() == Some(&option))
        });
        assert_eq!(row.unwrap()[1], default, "{option}");
        checked += 1;
    }
    assert!(checked >= 6, "only {checked} defaults");
}

/// The defaults that a help gives as values, and not in words.
fn defaults(help: &str) -> Vec<(String, String)> {
    let mut defaults = Vec::new();
    let mut option = String::new();
    for line in help.lines() {
        let line = line.trim();
        if let Some(long) = line.split(' ').find(|word| word.starts_with("--")) {
            if line.starts_with('-') {
                option = long.trim_end_matches("...").to_owned();
            }
        }
        let default = line
            .strip_prefix("[default: ")
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(default) = default.filter(|default| !default.contains(' ')) {
            defaults.push((option.clone(), default.to_owned()));
        }
    }
    defaults
}

#[test]
fn the_report_page_has_every_field_of_the_json_document() {
    let page = page("docs/report.md").section("## JSON");
    let odoo = store();
    let audit = odoo.json("audit", &["--list", "--max-lifetime", "30d"], 0);
    let reap = odoo.json("reap", &["--list"], 0);
    let named = all_spans(&page);
    let mut fields = BTreeSet::new();
    keys(&audit, &mut fields);
    keys(&reap, &mut fields);
    let missing: Vec<_> = fields.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "docs/report.md does not name {missing:?}"
    );

    // And the other way round: what the tables' first columns name is there.
    let listed = audit["due"][0].as_object().unwrap();
    for name in column(&page, 0) {
        let there = audit.get(&name).is_some() || listed.contains_key(&name);
        assert!(
            there,
            "{name} is in docs/report.md, but not in the document"
        );
    }
}

#[test]
fn the_page_on_logging_out_has_every_field_and_every_option() {
    let page = page("docs/logging-out.md");
    let odoo = store();
    let traced = r#"{"db": "shop", "uid": 7, "login": "bob", "context": {}, "_trace": [{"ip_address": "::1"}]}"#;
    odoo.session("gg", traced, DAY);
    let filetime = filetime::FileTime::now();
    filetime::set_file_atime(odoo.path(&crate::testenv::sharded("bb")), filetime).unwrap();
    let mut fields = BTreeSet::new();
    keys(&odoo.json("who", &["--devices"], 0), &mut fields);
    keys(
        &odoo.json("revoke", &["--everyone", "--dry-run"], 0),
        &mut fields,
    );
    assert!(fields.contains("never_came_back") && fields.contains("address"));
    let named = all_spans(&page.section("## JSON"));
    let missing: Vec<_> = fields.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "docs/logging-out.md does not name {missing:?}"
    );

    let of_a_reap = options(&help("reap"));
    let helps = [help("who"), help("revoke")];
    let mut there: BTreeSet<String> = helps.iter().flat_map(|help| options(help)).collect();
    there.retain(|option| option.starts_with("--") && !of_a_reap.contains(option));
    there.insert("--dry-run".to_owned());
    let table = page.section("## Whom they mean");
    let named: BTreeSet<String> = column(&table, 0)
        .iter()
        .map(|span| span.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(named, there);
}

/// The names of all fields, at any depth.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                into.insert(name.clone());
                // Its names are reasons, in words.
                if name != "unreadable" {
                    keys(value, into);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn the_classes_of_the_json_document_are_explained() {
    let page = page("docs/how-it-decides.md").section("## By content");
    let named = column(&page, 1);
    let report = store().json("audit", &[], 0);
    let rows = report["classes"].as_array().unwrap();
    let words = rows
        .iter()
        .flat_map(|row| [&row["class"], &row["property"]]);
    let words: BTreeSet<String> = words.filter_map(Value::as_str).map(str::to_owned).collect();
    assert_eq!(named, words);
}

#[test]
fn the_readme_explains_each_row_and_column_of_its_report() {
    let readme = page("README.md");
    let explained: BTreeSet<String> = readme
        .section("## What goes when")
        .rows()
        .iter()
        .flat_map(|row| row[0].split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let report = &readme.section("## What a report looks like").blocks[0].text;
    let table = report.lines().filter(|line| line.starts_with(' '));
    for line in table.filter(|line| !line.contains("total") && !line.contains("Oldest")) {
        for word in line.trim().split("  ").next().unwrap().split(", ") {
            // "anonymous, pending 2FA": each part is a word of the table.
            assert!(explained.contains(word), "{word} is not explained");
        }
    }
}

/// `1 460` as it is in a pipe: `1460`.
fn ungrouped(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let is_digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    let groups = |at: usize| {
        chars[at] == ' '
            && at > 0
            && is_digit(at - 1)
            && (at + 1..=at + 3).all(is_digit)
            && !is_digit(at + 4)
    };
    let kept = (0..chars.len()).filter(|at| !groups(*at));
    kept.map(|at| chars[at]).collect()
}

/// Sizes on disk are the file system's, and numbers are grouped on a terminal only.
fn without_sizes(line: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let line = ungrouped(line);
    for word in line.split_whitespace() {
        if ["B", "kB", "MB"].contains(&word) {
            words.pop();
        } else if word.starts_with("/tmp/") {
            words.push("PATH");
        } else {
            words.push(word);
        }
    }
    words.join(" ")
}

#[test]
fn the_report_in_the_readme_is_the_demo_s() {
    let report = &page("README.md")
        .section("## What a report looks like")
        .blocks[0];
    let dir = tempfile::tempdir().unwrap();
    let Ran { code, stdout, .. } = run(program().arg("demo").env("TMPDIR", dir.path()));
    assert_eq!(code, 0);
    let printed = stdout.replace(dir.path().to_str().unwrap(), "/tmp");
    let printed: BTreeSet<String> = printed.lines().map(without_sizes).collect();
    let shown = report.text.lines().skip(1).filter(|line| *line != "[…]");
    for line in shown {
        assert!(
            printed.contains(&without_sizes(line)),
            "the demo does not print: {line}"
        );
    }
    assert!((15..=20).contains(&report.text.lines().count()));
}

#[test]
fn the_metrics_page_has_every_series() {
    let page = page("docs/metrics.md").section("## The series");
    let odoo = store();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("odoo_sessions.prom");
    // So that somebody has come back.
    filetime::set_file_atime(odoo.path(&sharded("aa")), filetime::FileTime::now()).unwrap();
    let mut text = String::new();
    for command in ["audit", "reap"] {
        let ran = odoo.run(command, &["--metrics-file", file.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        text += &fs::read_to_string(&file).unwrap();
    }
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut series: BTreeSet<String> = types
        .map(|rest| rest.split(' ').next().unwrap().to_owned())
        .collect();
    // Where the file system has a fixed number of inodes, and its mount notes reads.
    series.extend(set([
        "odoo_session_store_inodes",
        "odoo_session_store_inodes_free",
        "odoo_session_due_but_active",
        "odoo_session_due_but_active_up_to",
        "odoo_session_bounced",
    ]));
    assert_eq!(column(&page, 0), series);
}

#[test]
fn the_metrics_page_has_every_alert() {
    let rules = repository("prometheus/odoo-session-reaper.rules.yml");
    let alerts = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: BTreeSet<String> = alerts.map(str::to_owned).collect();
    assert_eq!(
        column(&page("docs/metrics.md").section("## Alerts"), 0),
        alerts
    );
}

#[test]
fn the_readme_has_the_exit_codes_of_the_help() {
    let help = help("");
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let codes: Vec<Vec<String>> = codes
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(code, meaning)| vec![code.to_owned(), meaning.trim().to_owned()])
        .collect();
    assert_eq!(codes.len(), 7);
    assert_eq!(page("README.md").section("## Exit codes").rows(), codes);
}

#[test]
fn the_journal_page_has_every_field() {
    let mut fields = set(["MESSAGE"]);
    let report = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report");
    for entry in walkdir::WalkDir::new(report) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|end| end == "rs") {
            let source = fs::read_to_string(entry.path()).unwrap();
            fields.extend(source.lines().filter_map(journal_field));
        }
    }
    // It stands in the headings' own lines.
    fields.remove("MESSAGE_ID");
    assert!(fields.len() > 10, "{fields:?}");
    assert_eq!(column(&page("docs/journal.md"), 0), fields);
}

/// The field that a line of the source gives to an entry of the journal.
fn journal_field(line: &str) -> Option<String> {
    let line = line.trim();
    let quoted = line.strip_prefix(".with(\"");
    let quoted = quoted.or_else(|| line.strip_prefix(".with_some(\""))?;
    quoted.split('"').next().map(str::to_owned)
}

#[test]
fn the_debian_page_has_every_place_that_the_sandbox_lets_in() {
    let rows = page("docs/debian.md").section("## The sandbox").rows();
    for (row, unit) in rows
        .iter()
        .zip(["odoo-session-reaper", "odoo-session-reaper@"])
    {
        let unit = repository(&format!("systemd/{unit}.service")).replace("%i", "NAME");
        let places = unit
            .lines()
            .filter_map(|line| line.strip_prefix("ReadWritePaths=-"));
        let places: Vec<&str> = places
            .map(|place| place.strip_suffix("/sessions").unwrap())
            .collect();
        assert_eq!(code_spans(&row[1]), places, "{}", row[0]);
    }
    assert_eq!(rows.len(), 2);
}

#[test]
fn the_readme_and_the_safety_page_make_the_same_promises() {
    let readme = page("README.md").section("## Promises");
    let numbered = |line: &&(usize, String)| line.1.starts_with(|c: char| c.is_ascii_digit());
    let promised = readme.lines.iter().filter(numbered).count();
    let tested = page("docs/development/safety.md").rows();
    let tested = tested
        .iter()
        .filter(|row| row[0].parse::<u32>().is_ok())
        .count();
    assert_eq!((promised, tested), (9, 9));
}

#[test]
fn the_tests_that_contributing_names_exist() {
    let spans = all_spans(&page("CONTRIBUTING.md"));
    let mut count = 0;
    for span in spans.iter().filter(|span| span.starts_with("cargo test ")) {
        let mut words = span.split(' ').skip_while(|word| *word != "--test").skip(1);
        let Some(file) = words.next() else { continue };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let places = [
            root.join(format!("{file}.rs")),
            root.join(file).join("main.rs"),
        ];
        let source = places
            .iter()
            .find_map(|place| fs::read_to_string(place).ok());
        let source = source.unwrap_or_else(|| panic!("no test {file}"));
        let name = words.next().filter(|name| *name != "--");
        assert!(
            name.is_none_or(|name| source.contains(&format!("fn {name}()"))),
            "{span}"
        );
        count += 1;
    }
    assert!(count >= 3, "only {count}");
}

#[test]
fn the_doctor_page_has_every_check_and_field() {
    let page = page("docs/doctor.md");
    let odoo = store();
    let ran = odoo.run("doctor", &["--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let ids = checks
        .iter()
        .map(|check| check["id"].as_str().unwrap().to_owned());
    assert_eq!(column(&page.section("## The checks"), 0), ids.collect());
    let mut fields = BTreeSet::new();
    keys(&document, &mut fields);
    assert_eq!(column(&page.section("## JSON"), 0), fields);
}
