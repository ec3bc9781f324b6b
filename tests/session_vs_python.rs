//! Sessions mean to us what they mean to Python's own `json` and `pickle`, down to what it refuses.
//!
//! `tests/python/sessions.py` makes the files and says what they mean. `ODOO_SESSION_REAPER_TEST_CASES` asks for more of them,
//! `ODOO_SESSION_REAPER_TEST_SEED` for others. `ODOO_SESSION_REAPER_TEST_FILES` names a directory of other files to compare, such as
//! what `tests/fuzz/run.sh` has come across: each is taken as JSON and as a pickle.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod testenv;

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use odoo_session_reaper::session::{Scratch, Session, Text, Uid, Unreadable, read};

/// Each case is one dictionary, pickled at protocols 2 to 5 and as JSON, and four mutants and crafted files of it: nine files.
const CASES: u32 = 2000;

fn number_from(variable: &str, default: u32) -> u32 {
    env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    hex.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

/// A session in the script's words.
fn told(session: &Session) -> String {
    let text = |text: &Option<Text>| match text {
        Some(text) => hex(text.as_bytes()) + ".",
        None => "-".to_owned(),
    };
    let sign = |is: bool, word: &str| if is { word.to_owned() } else { "-".to_owned() };
    [
        match session.uid {
            None => "-".to_owned(),
            Some(Uid::Number(number)) => number.to_string(),
            Some(Uid::Other) => "other".to_owned(),
        },
        text(&session.login),
        text(&session.db),
        sign(session.cart, "cart"),
        sign(session.pending_2fa, "2fa"),
        session
            .deletion_time
            .map_or("-".to_owned(), |time| hex(&time.to_be_bytes())),
        session
            .first_activity(|_| true)
            .map_or("-".to_owned(), |time| hex(&(time + 0.0).to_be_bytes())),
    ]
    .join(" ")
}

/// Whether we and Python say the same; a word for the statistics, or `Err` where we must not differ.
fn compare(
    kind: &str,
    ours: &Result<Session, Unreadable>,
    means: &str,
) -> Result<&'static str, ()> {
    let rejected = means.starts_with("rejected");
    match ours {
        Ok(session) if told(session) == means => Ok("same session"),
        // What a stranger class would refuse to do is not known to us.
        Ok(_) if rejected && kind == "mutant-pickle" => Ok("accepted by us only"),
        Ok(_) => Err(()),
        Err(why) if why.to_string() == means => Ok("no session for both"),
        Err(_) if rejected => Ok("rejected by both"),
        // Keeping a file that Python could still read is safe, if it is a strange one.
        Err(_) if kind == "mutant-pickle" => Ok("rejected by us only"),
        Err(_) => Err(()),
    }
}

#[test]
fn means_what_python_says() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/sessions.py");
    let seed = number_from("ODOO_SESSION_REAPER_TEST_SEED", 1);
    let cases = number_from("ODOO_SESSION_REAPER_TEST_CASES", CASES);
    let Some(mut python) = testenv::python3("means_what_python_says") else {
        return;
    };
    let mut python = python
        .args([script, &seed.to_string(), &cases.to_string()])
        // Sets come in the same order for the same seed.
        .env("PYTHONHASHSEED", "0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut scratch = Scratch::default();
    let mut statistics: BTreeMap<(String, &str), u32> = BTreeMap::new();
    for line in BufReader::new(python.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let [kind, file, means] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let bytes = unhex(file);
        let ours = read(&bytes, &mut scratch);
        let verdict = compare(kind, &ours, means).unwrap_or_else(|()| {
            let ours = ours.as_ref().map_or_else(ToString::to_string, told);
            panic!(
                "{kind} {}\npython: {means}\nours:   {ours}",
                bytes.escape_ascii()
            )
        });
        if env::var_os("ODOO_SESSION_REAPER_TEST_SHOW").is_some_and(|show| show == verdict) {
            eprintln!("{verdict}: {} ({means})", bytes.escape_ascii());
        }
        *statistics.entry((kind.to_owned(), verdict)).or_default() += 1;
    }
    assert!(python.wait().unwrap().success());
    eprintln!("{statistics:#?}");
}

#[test]
fn found_files_mean_what_python_says() {
    let Some(directory) = env::var_os("ODOO_SESSION_REAPER_TEST_FILES") else {
        return;
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let rest = bytes.get(1..).unwrap_or_default();
        files.push(("mutant-json", [b"{", rest].concat()));
        files.push(("mutant-pickle", [b"\x80", rest].concat()));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/sessions.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked: String = files.iter().map(|(_, file)| hex(file) + "\n").collect();
    let mut stdin = python.stdin.take().unwrap();
    let asking = std::thread::spawn(move || stdin.write_all(asked.as_bytes()));
    let mut answers = BufReader::new(python.stdout.take().unwrap()).lines();
    let mut scratch = Scratch::default();
    let mut statistics: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for (kind, file) in &files {
        let means = answers.next().unwrap().unwrap();
        let ours = read(file, &mut scratch);
        let verdict = compare(kind, &ours, &means).unwrap_or_else(|()| {
            let ours = ours.as_ref().map_or_else(ToString::to_string, told);
            panic!(
                "{kind} {}\npython: {means}\nours:   {ours}",
                file.escape_ascii()
            )
        });
        *statistics.entry((kind, verdict)).or_default() += 1;
    }
    asking.join().unwrap().unwrap();
    assert!(python.wait().unwrap().success());
    eprintln!("{statistics:#?}");
}
