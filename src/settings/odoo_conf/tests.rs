#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn conf(text: &str) -> OdooConf {
    OdooConf::parse(text.as_bytes()).unwrap()
}

fn value<'a>(conf: &'a OdooConf, option: &str) -> &'a str {
    conf.get("options", option).unwrap().value
}

fn complaint(bytes: impl AsRef<[u8]>) -> String {
    OdooConf::parse(bytes.as_ref()).unwrap_err().to_string()
}

#[test]
fn reads_a_usual_file_with_its_lines() {
    let conf = conf(
        "; Odoo\n[options]\n\ndata_dir = /var/lib/odoo\ndb_host:db\n[queue_job]\nchannels = root:2\n",
    );
    assert_eq!(
        conf.sections().collect::<Vec<_>>(),
        ["options", "queue_job"]
    );
    let data_dir = Setting {
        value: "/var/lib/odoo",
        line: 4,
    };
    let db_host = Setting {
        value: "db",
        line: 5,
    };
    let options: Vec<_> = conf.options("options").collect();
    assert_eq!(options, [("data_dir", data_dir), ("db_host", db_host)]);
    assert_eq!(conf.get("queue_job", "channels").unwrap().value, "root:2");
}

#[test]
fn only_a_whole_line_is_a_comment() {
    let conf = conf("[options]\n # a comment\ndata_dir = /srv/x ; y\ndb_password = a#b\n");
    assert_eq!(value(&conf, "data_dir"), "/srv/x ; y");
    assert_eq!(value(&conf, "db_password"), "a#b");
}

#[test]
fn a_deeper_line_continues_the_value_whatever_it_looks_like() {
    let conf = conf("[options]\na = 1\n  b = 2\n\n # gone\n  [c]\nd = 4\n\n\n");
    assert_eq!(value(&conf, "a"), "1\nb = 2\n\n[c]");
    assert_eq!(value(&conf, "d"), "4");
    assert_eq!(conf.sections().count(), 1);
}

#[test]
fn an_indented_option_continues_nothing_right_after_a_header() {
    let conf = conf("[options]\n  a = 1\n  b = 2\n c = 3\n");
    assert_eq!(conf.options("options").count(), 3);
    assert_eq!(value(&conf, "b"), "2");
}

#[test]
fn names_of_options_ignore_case_and_names_of_sections_do_not() {
    let conf = conf("[options]\nDATA_DIR = x\n[Options]\ndata_dir = y\n");
    assert_eq!(value(&conf, "Data_Dir"), "x");
    assert_eq!(conf.get("Options", "data_dir").unwrap().value, "y");
    assert_eq!(conf.get("OPTIONS", "data_dir"), None);
}

#[test]
fn default_shows_through_but_only_in_sections_that_exist() {
    let conf = conf("[DEFAULT]\na = 1\nb = 2\n[options]\nb = 3\n[DEFAULT]\nc = 4\n");
    let seen: Vec<_> = conf
        .options("options")
        .map(|(name, s)| (name, s.value))
        .collect();
    assert_eq!(seen, [("b", "3"), ("a", "1"), ("c", "4")]);
    assert_eq!(conf.get("options", "c").unwrap().line, 7);
    assert_eq!(conf.get("DEFAULT", "b").unwrap().value, "2");
    assert_eq!(conf.get("nowhere", "a"), None);
    assert_eq!(conf.sections().collect::<Vec<_>>(), ["options"]);
}

#[test]
fn a_header_reaches_to_the_last_bracket_of_its_line() {
    let conf = conf("[options] ; ours\n[a]b] c\n");
    assert_eq!(conf.sections().collect::<Vec<_>>(), ["options", "a]b"]);
}

#[test]
fn says_where_things_stand_twice() {
    assert_eq!(
        complaint("[options]\ndata_dir = a\n\nData_dir: b\n"),
        "line 4: option 'data_dir' stands twice in section [options] (first on line 2): remove one of the two"
    );
    assert_eq!(
        complaint("[options]\n[x]\n[options]\n"),
        "line 3: section [options] stands twice (first on line 1): merge the two"
    );
    // Even a second [DEFAULT], which is allowed, may not set an option again.
    assert!(complaint("[DEFAULT]\na=1\n[DEFAULT]\na=2\n").starts_with("line 4: option 'a'"));
}

#[test]
fn says_which_line_is_none_of_odoo_s() {
    assert!(complaint("data_dir = x\n").starts_with("line 1: no section has begun yet"));
    assert!(complaint("\u{feff}[options]\n").contains("byte order mark"));
    assert!(complaint("[options]\na\n").starts_with("line 2: neither [section] nor"));
    assert!(complaint("[options]\n[]\n").starts_with("line 2: neither [section] nor"));
    assert!(complaint("[options]\n\n = a\n").starts_with("line 3: a value without an option name"));
    assert!(complaint(b"[options]\r\na=1\r\rb=\xff\n").starts_with("line 4: not valid UTF-8"));
}

#[test]
fn nothing_it_prints_shows_a_value() {
    let secret = "hunter2";
    for text in [
        format!("[options]\ndb_password\n{secret}\n"),
        format!("db_password = {secret}\n"),
        format!("[options]\na = 1\na = {secret}\n"),
        format!("[options]\n= {secret}\n"),
    ] {
        let error = OdooConf::parse(text.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    let conf = conf(&format!("[options]\ndb_password = {secret}\n"));
    let printed = format!("{conf:?} {:?}", conf.get("options", "db_password"));
    assert!(!printed.contains(secret), "{printed}");
}

#[test]
fn a_name_cannot_play_tricks_on_the_terminal() {
    let name = format!("\x1b[31m{}", "x".repeat(1_000));
    let shown = complaint(format!("[{name}]\n[{name}]\n"));
    assert!(shown.contains("[\\u{1b}[31mxxxx"), "{shown}");
    assert!(shown.contains("x…]") && shown.len() < 300, "{shown}");
}
