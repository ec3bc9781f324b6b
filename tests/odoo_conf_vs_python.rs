//! Promise: our reader of `odoo.conf` and Python's own never disagree on a file.
//!
//! `PROPTEST_CASES=500 cargo test --test odoo_conf_vs_python` tries 500 batches of files instead of a few.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod testenv;

use std::io::Write;
use std::process::Stdio;

use odoo_session_reaper::settings::odoo_conf::{DEFAULT, OdooConf};
use proptest::prelude::*;
use serde::Deserialize;

/// Reads hex-encoded files as a JSON list from stdin, and says what RawConfigParser makes of each, read from disk as Odoo does.
///
/// Only the section pattern is set by hand, to what it is since Python 3.10, so that an older python3 judges alike.
const PYTHON: &str = r#"
import configparser, json, os, re, sys
configparser.RawConfigParser.SECTCRE = re.compile(r"\[(?P<header>.+)\]")

def read(path):
    p = configparser.RawConfigParser()
    try:
        p.read([path], encoding="utf-8")
    except configparser.MissingSectionHeaderError as e:
        return {"error": type(e).__name__, "line": e.lineno}
    except configparser.ParsingError as e:
        return {"error": type(e).__name__, "line": e.errors[0][0]}
    except configparser.Error as e:
        return {"error": type(e).__name__, "line": e.lineno}
    except UnicodeDecodeError as e:
        return {"error": type(e).__name__, "line": 0}
    sections = [[s, [[o, p.get(s, o)] for o in p.options(s)]] for s in p.sections()]
    return {"defaults": list(p.defaults().items()), "sections": sections}

path = os.path.join(sys.argv[1], "odoo.conf")
out = []
for text in json.load(sys.stdin):
    with open(path, "wb") as f:
        f.write(bytes.fromhex(text))
    out.append(read(path))
json.dump(out, sys.stdout)
"#;

type Options = Vec<(String, String)>;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Reading {
    Error {
        error: String,
        line: usize,
    },
    Conf {
        defaults: Options,
        sections: Vec<(String, Options)>,
    },
}

/// What Python says of each file, or `None` on a machine that has no Python (CI must have one).
fn python(files: &[Vec<u8>]) -> Option<Vec<Reading>> {
    let dir = tempfile::tempdir().unwrap();
    let mut child = testenv::python3("odoo_conf_vs_python")?
        .args(["-c", PYTHON])
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let hex = |file: &Vec<u8>| file.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let input: Vec<String> = files.iter().map(hex).collect();
    let mut stdin = child.stdin.take().unwrap();
    let written = stdin.write_all(&serde_json::to_vec(&input).unwrap());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 failed, see above");
    written.unwrap();
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Python has no line of this one.
const NOT_UTF8: &str = "UnicodeDecodeError";

/// How our errors begin, and what Python's are called.
const ERRORS: [(&str, &str); 7] = [
    ("not valid UTF-8", NOT_UTF8),
    ("the file begins with a byte order mark", NO_SECTION),
    ("no section has begun yet", NO_SECTION),
    ("neither [section] nor", "ParsingError"),
    ("a value without an option name", "ParsingError"),
    ("option '", "DuplicateOptionError"),
    ("section [", "DuplicateSectionError"),
];
const NO_SECTION: &str = "MissingSectionHeaderError";

fn ours(file: &[u8]) -> Reading {
    let conf = match OdooConf::parse(file) {
        Ok(conf) => conf,
        Err(e) => {
            let says = e.to_string();
            let (_, what) = says.split_once(": ").unwrap();
            let (_, error) = ERRORS
                .into_iter()
                .find(|(begins, _)| what.starts_with(begins))
                .unwrap();
            let line = if error == NOT_UTF8 { 0 } else { e.line };
            let error = error.to_owned();
            return Reading::Error { error, line };
        }
    };
    let options = |section: &str| -> Options {
        conf.options(section)
            .map(|(name, setting)| {
                assert_eq!(conf.get(section, name), Some(setting));
                (name.to_owned(), setting.value.to_owned())
            })
            .collect()
    };
    Reading::Conf {
        defaults: options(DEFAULT),
        sections: conf
            .sections()
            .map(|s| (s.to_owned(), options(s)))
            .collect(),
    }
}

/// The same reading, or the same error; but Python reads on after a `ParsingError` and may end with a later one.
fn agree(ours: &Reading, python: &Reading) -> bool {
    match (ours, python) {
        (Reading::Error { error, line }, Reading::Error { line: later, .. })
            if error == "ParsingError" && later > line =>
        {
            true
        }
        _ => ours == python,
    }
}

fn first_difference(files: &[Vec<u8>]) -> Option<String> {
    let readings = python(files)?;
    assert_eq!(readings.len(), files.len());
    files.iter().zip(&readings).find_map(|(file, python)| {
        let ours = ours(file);
        let text = String::from_utf8_lossy(file);
        (!agree(&ours, python)).then(|| format!("{text:?}\n  ours: {ours:?}\n  python: {python:?}"))
    })
}

#[test]
fn reads_nasty_files_as_python_does() {
    let files: &[&[u8]] = &[
        b"",
        b"\n\n# nothing\n",
        b"[options]",
        b"[options]\ndata_dir = /srv/x ; y\npw = a#b%c%(d)s=:e\n",
        b"[options]\r\na = 1\r\n  2\rb: 3\r\r\n\nc=4",
        b"\xef\xbb\xbf[options]\na = 1\n",
        b"\xef\xbb\xbf# comment\n[options]\n",
        b"[options]\na = \xff\n",
        b"[options]\na\n# \xc3",
        b"[options]\na = \xed\xa0\x80\n",
        b"[options]\nA = 1\na = 2\n",
        b"[o]\n[O]\n[o ]\n[ o]\n",
        b"[o]\n[p]\n[o]\n",
        b"[o]\nbad\n[o]\n",
        b"[DEFAULT]\na = 1\n[o]\na = 2\nb = 3\n[DEFAULT]\nb = 4\nc = 5\n",
        b"[DEFAULT]\na = 1\n[DEFAULT]\na = 2\n",
        b"[default]\na = 1\n[o]\n",
        b"[]\na = 1\n",
        b"[o]\n[]\n",
        b"[o]\n[] = 1\n[p = 2\nq] : 3\n",
        b"[a]b] c = d\n[[x]]\n[ ]\n[]]\n",
        b"[o] trailing\na=1\n[p]=1\nb=2\n",
        b"[o]\n = 1\n",
        b"[o]\n=\n 2\n=\n",
        b"[o]\na\n= 1\n",
        b"[o]\na b\t\x1c=\x1d\x0b c\x0c d \x1f\n",
        b"[o]\na =\n\n  b\n\n\n c\n\n",
        b"[o]\na = 1\n  # gone\n  ; gone\n\n  2\n",
        b"[o]\na = 1\n  [p]\n  b = 2\n[q]\n  c = 3\n  d = 4\n e = 5\n     f = 6\n",
        b"[o]\n  a = 1\n b = 2\n  c\n",
        b"  [o]\n  a = 1\n    2\n [p]\n   b = 3\n",
        b"[o]\na = 1\n\t2\n\x0b3\n\x1c4\n",
        b"[o]\na\0b = \0\n\0\n",
        "[o]\na = 1\n\u{a0}2\n\u{2028}3\n\u{3000}4\nb\u{85}c\u{85}= \u{2003}5\u{200b}\n".as_bytes(),
        "[o]\n\u{85}# no option\n\u{feff}# an option = 1\n".as_bytes(),
        "[o]\nÄÖ\u{130} ΑΣ ΑΣΑ Σ ẞ = 1\näö\u{130} ας = 2\n".as_bytes(),
        "[o]\n\u{130} = 1\ni\u{307} = 2\n".as_bytes(),
    ];
    let files: Vec<_> = files.iter().map(|file| file.to_vec()).collect();
    if let Some(difference) = first_difference(&files) {
        panic!("{difference}");
    }
}

fn any_of(choices: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    prop::sample::select(choices).prop_map(str::to_owned)
}

const SPACE: &[&str] = &[
    "", "", "", " ", "  ", "\t", "   ", "\x0b", "\x0c", "\x1c", "\x1f", "\u{85}", "\u{a0}",
    "\u{2028}", "\u{3000}", "\u{feff}", "\u{200b}",
];
const JUNK: &[&str] = &[
    "a", "B", "é", "Σ", "\u{130}", "[", "]", "=", ":", "#", ";", "%", "$", "'", "\\", " ", "\t",
    "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\u{85}", "\u{a0}", "\u{2028}",
    "\u{2029}", "\0", "DEFAULT",
];
const HEADER: &[&str] = &[
    "[options]",
    "[Options]",
    "[DEFAULT]",
    "[DEFAULT]",
    "[default]",
    "[queue_job]",
    "[a]",
    "[b] ; c",
    "[c]]",
    "[]",
    "[ d ]",
    "[e",
    "[f] [g]",
];
const NAME: &[&str] = &[
    "a", "b", "c", "d", "e", "F", "f ", "g h", "data_dir", "DATA_DIR", "É", "é", "",
];
const SIGN: &[&str] = &["=", ":", " = ", "\t:\u{a0}", "==", ":=", "\x1c=\x1f"];
const END: &[&str] = &["\n", "\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\r\n", ""];
/// Most files begin well, so that most get past their first line.
const START: &[&str] = &[
    "[options]\n",
    "[options]\n",
    "[options]\na=1\n",
    "[DEFAULT]\n",
    "",
];

/// Odoo-like lines, many of them well-formed, in an order that no editor would leave them in.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let junk = prop::collection::vec(any_of(JUNK), 0..7)
        .prop_map(|parts| parts.concat())
        .boxed();
    let option = (any_of(NAME), any_of(SIGN), junk.clone()).prop_map(|(n, s, v)| n + &s + &v);
    let comment = (any_of(&["#", ";"]), junk.clone()).prop_map(|(sign, text)| sign + &text);
    let line = prop_oneof![
        3 => any_of(HEADER),
        6 => option,
        1 => comment,
        2 => any_of(&["x", "x y", ""]),
        1 => junk,
    ];
    let line = (any_of(SPACE), line, any_of(SPACE), any_of(END))
        .prop_map(|(indent, line, space, end)| indent + &line + &space + &end);
    (any_of(START), prop::collection::vec(line, 0..9))
        .prop_map(|(start, lines)| (start + &lines.concat()).into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn reads_whatever_it_is_given_as_python_does(files in prop::collection::vec(file(), 1..600)) {
        let difference = first_difference(&files);
        prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    }
}
