//! The textfile, series by series.

use super::*;
use crate::policy::{Policy, Rules, Windows};
use crate::store::name::Kind;
use crate::store::stat::Stat;
use crate::tally::Tally;
use crate::tally::unknown::Place;
use rustix::fs::FileType;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn run(mode: Mode, exit: Exit) -> Run<'static> {
    Run {
        store: "/var/lib/odoo/sessions",
        mode,
        ended: NOW,
        took: Duration::from_millis(1_234),
        exit,
    }
}

fn lines<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let series = format!("{name}{{");
    text.lines()
        .filter(|line| line.starts_with(&series))
        .collect()
}

fn stat(age: i64) -> Stat {
    Stat {
        file_type: FileType::RegularFile,
        ino: 1,
        mtime: Timestamp::from_secs(NOW.secs - age),
        atime: Some(Timestamp::from_secs(NOW.secs - age)),
        size: 100,
        disk: 4096,
        links: 1,
        uid: 0,
        gid: 0,
        mode: 0o644,
        protected: false,
        mount: 1,
    }
}

fn policy() -> Policy {
    let day = Duration::from_secs(86_400);
    let rules = Rules {
        windows: Windows {
            authenticated: day,
            anonymous: day,
            cart: day,
            leftover: day,
            unreadable: None,
        },
        keep_logins: Vec::new(),
        max_lifetime: None,
    };
    Policy::new(rules, BTreeMap::new(), NOW)
}

#[test]
fn a_failed_run_tells_of_itself_and_leaves_out_what_nobody_knows() {
    let previous = Previous::default();
    let text = text(&run(Mode::Reap, Exit::Failed), None, &previous);
    let common = r#"{store="/var/lib/odoo/sessions",command="reap"}"#;
    let info = format!(
        r#"{{store="/var/lib/odoo/sessions",command="reap",end="failed",version="{}"}}"#,
        env!("CARGO_PKG_VERSION")
    );
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            format!("odoo_session_reaper_last_run_duration_seconds{common} 1.234"),
            format!("odoo_session_reaper_last_run_timestamp_seconds{common} 1800000000"),
            format!("odoo_session_reaper_last_run_exit_code{common} 1"),
            format!("odoo_session_reaper_last_run_info{info} 1"),
        ]
    );
}

#[test]
fn the_last_success_of_each_command_is_carried_over() {
    let mut file = String::new();
    for (mode, exit, at) in [
        (Mode::Reap, Exit::Done, 10),
        (Mode::Audit, Exit::Done, 20),
        (Mode::Reap, Exit::Failed, 30),
        (Mode::Reap, Exit::Interrupted(15), 40),
    ] {
        let run = Run {
            ended: Timestamp::from_secs(at),
            ..run(mode, exit)
        };
        file = text(&run, None, &Previous::read(&file, NOW));
    }
    let store = r#"store="/var/lib/odoo/sessions""#;
    assert_eq!(
        lines(&file, LAST_SUCCESS),
        [
            format!(r#"{LAST_SUCCESS}{{{store},command="audit"}} 20"#),
            format!(r#"{LAST_SUCCESS}{{{store},command="reap"}} 10"#),
        ]
    );
}

#[test]
fn a_success_elsewhere_in_the_future_or_in_no_sense_is_none() {
    let success = |labels: &str, value: &str| format!("{LAST_SUCCESS}{{{labels}}} {value}\n");
    let own = r#"store="/var/lib/odoo/sessions",command="reap""#;
    for broken in [
        success(r#"store="/srv/odoo/sessions",command="reap""#, "10"),
        success(
            r#"store="/var/lib/odoo/sessions",command="audit-not""#,
            "10",
        ),
        success(r#"command="reap""#, "10"),
        success(own, "1800000301"),
        success(own, "-1"),
        success(own, "NaN"),
        success(own, "+Inf"),
        success(own, "99999999999999999999999999"),
        success(own, "10 10"),
        format!("{LAST_SUCCESS} 10"),
        format!("{LAST_SUCCESS}{{{own}"),
        format!("{LAST_SUCCESS}{{{own}}}"),
        format!("{LAST_SUCCESS}{{store=\"\\"),
        "}{{{=\"\"".repeat(1000),
        "\u{0}\u{feff}\r\r\n\n".to_owned(),
    ] {
        let previous = Previous::read(&broken, NOW);
        assert_eq!(
            previous.success("/var/lib/odoo/sessions", Mode::Reap),
            None,
            "{broken}"
        );
    }
    let previous = Previous::read(&success(own, "1800000300"), NOW);
    assert!(
        previous
            .success("/var/lib/odoo/sessions", Mode::Reap)
            .is_some()
    );
}

#[test]
fn a_count_of_another_store_or_in_no_sense_begins_again() {
    let own = r#"store="/var/lib/odoo/sessions",command="reap",class="anonymous""#;
    let count = |labels: &str, value: &str| format!("{DELETED}{{{labels}}} {value}\n");
    let of =
        |text: &str| Previous::read(text, NOW).deleted("/var/lib/odoo/sessions", Class::Anonymous);
    for broken in [
        count(&own.replace("/var", "/srv"), "10"),
        count(&own.replace("reap", "audit"), "10"),
        count(&own.replace("anonymous", "recent"), "10"),
        count(&format!("{own},property=\"cart\""), "10"),
        count(&format!("{own},a=\"b\""), "10"),
        count(own, "-1"),
        count(own, "1.5"),
        count(own, "NaN"),
        count(own, "+Inf"),
        count(own, "9007199254740992"),
        count(own, "99999999999999999999999999"),
        count(own, "10 10"),
    ] {
        assert_eq!(of(&broken), None, "{broken}");
    }
    assert_eq!(of(&count(own, "9007199254740991")), Some((1 << 53) - 1));
    assert_eq!(of(&count(own, "0")), Some(0));
}

#[test]
fn labels_are_escaped_and_read_back() {
    let store = "/srv/a\"b\\c\nd,e}\u{e9}";
    let run = Run {
        store,
        ..run(Mode::Reap, Exit::Done)
    };
    let file = text(&run, None, &Previous::default());
    assert!(file.contains(r#"store="/srv/a\"b\\c\nd,e}é","#), "{file}");
    let previous = Previous::read(&file, NOW);
    assert_eq!(previous.store.as_deref(), Some(store));
    assert_eq!(
        previous.success(store, Mode::Reap),
        Some(NOW.secs.unsigned_abs())
    );
}

#[test]
fn every_file_is_kept_for_one_reason() {
    let mut tally = Tally::default();
    let aged = Some(Duration::from_secs(9));
    for (class, age) in [
        (Class::Recent, aged),
        (Class::Anonymous, aged),
        (Class::Anonymous, None),
        (Class::Unreadable, aged),
        (Class::Unreadable, None),
        (Class::Authenticated, aged),
        (Class::Protected, aged),
        // Of these, all were found due, but not all stayed so until they could be deleted.
        (Class::Cart, aged),
        (Class::Cart, aged),
        (Class::Unreadable, aged),
    ] {
        tally.found(Kind::Flat, class, &stat(9), stat(9).mtime, age);
    }
    tally.saved_again(Class::Cart);
    tally.gone(Class::Cart);
    tally.saved_again(Class::Unreadable);
    tally.due(Class::Authenticated, &stat(9));
    tally.foreign(None);
    assert_eq!(
        kept(&Found::of(&tally, Mode::Reap, &policy())),
        [
            ("within-window", 2),
            ("protected", 1),
            ("implausible-time", 1),
            ("unreadable", 2),
            ("saved-again", 2)
        ]
    );
}

#[test]
fn what_was_found_is_told_by_class() {
    let mut tally = Tally::default();
    tally.found(
        Kind::Flat,
        Class::Cart,
        &stat(90),
        stat(90).mtime,
        Some(Duration::from_secs(90)),
    );
    tally.due(Class::Cart, &stat(90));
    tally.settled(Class::Cart, &stat(90));
    for number in 10..23 {
        let name = format!("tmp{number}.__new__");
        tally.unknown.see(Place::File, name.as_bytes());
        tally
            .unknown
            .see(Place::File, &name.as_bytes()[..number - 10]);
    }
    for (mode, deleted) in [(Mode::Audit, 0), (Mode::DryRun, 0), (Mode::Reap, 1)] {
        let mut page = Page {
            text: String::new(),
            store: "/s",
            command: mode.name(),
        };
        let facts = Found::of(&tally, mode, &policy());
        found(&mut page, &facts, NOW);
        done(&mut page, &facts);
        let name = mode.name();
        let labels =
            format!(r#"{{store="/s",command="{name}",class="anonymous",property="cart"}}"#);
        for (series, value) in [
            ("odoo_session_files", 1),
            ("odoo_session_files_bytes", 100),
            ("odoo_session_files_disk_bytes", 4096),
            ("odoo_session_files_due", 1),
            ("odoo_session_files_oldest_age_seconds", 90),
            ("odoo_session_reaper_last_run_deleted_files", deleted),
        ] {
            let line = format!("{series}{labels} {value}");
            assert!(
                page.text.lines().any(|have| have == line),
                "{line} in {}",
                page.text
            );
        }
        let unknown = format!(r#"odoo_session_unknown_names{{store="/s",command="{name}"}} 13"#);
        assert_eq!(lines(&page.text, "odoo_session_unknown_names"), [unknown]);
        assert_eq!(
            lines(&page.text, "odoo_session_files").len(),
            Class::ALL.len()
        );
    }
}
