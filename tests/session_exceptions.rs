//! The documented exceptions: where a file means something else to us than to Python, and that each of them is harmless.
//!
//! They stand in the module docs of `session::json` and `session::pickle`. `tests/session_vs_python.rs` looks for others.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod testenv;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use odoo_session_reaper::session::{Scratch, read};

/// The beginning of a pickled session of nobody, without its end.
const NOBODY: &[u8] = b"\x80\x04}(\x8c\x03uidN\x8c\x02dbN\x8c\x05debugN";

/// A pickled session of nobody, with this under a key of an addon's.
fn pickle(value: &[u8]) -> Vec<u8> {
    [NOBODY, b"\x8c\x01x", value, b"u."].concat()
}

/// What Python makes of a file, or `None` where there is no Python.
fn python(file: &[u8]) -> Option<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/sessions.py");
    let mut python = testenv::python3("session_exceptions")?
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let hex = file.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    writeln!(python.stdin.take().unwrap(), "{hex}").unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

/// We read a session of nobody, and Python refuses.
fn only_we_read(file: &[u8], why: &str) {
    let mut scratch = Scratch::default();
    let session = read(file, &mut scratch).unwrap();
    assert!(session.uid.is_none() && !session.cart);
    if let Some(means) = python(file) {
        assert_eq!(means, format!("rejected {why}"));
    }
}

/// We keep the file as unreadable, and Python reads a session of nobody without a cart.
fn only_python_reads(file: &[u8], why: &str) {
    let mut scratch = Scratch::default();
    assert_eq!(
        read(file, &mut scratch).map_err(|e| e.to_string()),
        Err(why.to_owned())
    );
    if let Some(means) = python(file) {
        assert_eq!(means, "- - - - - - -");
    }
}

#[test]
fn json_may_nest_beyond_pythons_recursion_limit() {
    let (open, close) = ("[".repeat(30_000), "]".repeat(30_000));
    let file = format!(r#"{{"uid": null, "db": 1, "debug": 1, "x": {open}{close}}}"#);
    only_we_read(file.as_bytes(), "RecursionError");
}

#[test]
fn json_may_hold_whole_numbers_of_any_length() {
    let digits = "7".repeat(4301);
    let file = format!(r#"{{"uid": null, "db": 1, "debug": 1, "x": {digits}}}"#);
    only_we_read(file.as_bytes(), "4300 digits");
}

/// To know which of them came before takes memory that grows with their number. Odoo writes a dictionary, where none comes twice.
#[test]
fn json_devices_that_are_there_twice_both_count() {
    let devices = r#"{"a": {"first_activity": 1}, "a": {"first_activity": 5}}"#;
    let file = format!(r#"{{"uid": 1, "db": 1, "debug": 1, "_devices": {devices}}}"#);
    let mut scratch = Scratch::default();
    let session = read(file.as_bytes(), &mut scratch).unwrap();
    assert_eq!(session.first_activity(|_| true), Some(1.0));
    let asks = "import json, sys\nprint(json.loads(sys.argv[1]))";
    if let Some(mut python) = testenv::python3("json_devices_that_are_there_twice_both_count") {
        let output = python.args(["-c", asks, devices]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, "{'a': {'first_activity': 5}}\n");
    }
}

/// A class that exists not, called: Python would import it first. The script stands in for any class, so it does not refuse
/// either; asked for the real thing, Python does.
#[test]
fn pickle_classes_are_not_looked_up() {
    let file = pickle(b"cno_such_module\nNoClass\n)R");
    let mut scratch = Scratch::default();
    assert!(read(&file, &mut scratch).unwrap().uid.is_none());
    let loads = format!("import pickle\npickle.loads({:?})", Vec::from(&file[..]));
    let loads = loads
        .replace("loads([", "loads(bytes([")
        .replace("])", "]))");
    if let Some(mut python) = testenv::python3("pickle_classes_are_not_looked_up") {
        let output = python.args(["-c", &loads]).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("ModuleNotFoundError"), "{said}");
    }
}

#[test]
fn pickled_objects_are_truthy_whatever_they_hold() {
    let order = b"\x8c\x0dsale_order_idccollections\nOrderedDict\n)R";
    let file = [NOBODY, order, b"u."].concat();
    let mut scratch = Scratch::default();
    let cart = read(&file, &mut scratch).unwrap().cart;
    assert!(cart, "an empty one counts as a cart, and so is kept longer");
}

#[test]
fn pickles_without_their_protocol_are_no_pickles() {
    only_python_reads(&[&NOBODY[2..], b"u."].concat(), "neither JSON nor pickle");
}

/// Found by fuzzing, and asking Python about what the fuzzer had found. CPython's reader in C loses the second half of the string,
/// takes as many bytes after the frame for it, and so finds another key.
#[test]
fn pickle_frames_end_where_an_operation_ends() {
    let framed = |frame: &[u8], rest: &[u8]| {
        let length = (frame.len() as u64).to_le_bytes();
        [b"\x80\x04\x95", &length[..], frame, rest].concat()
    };
    let sound = framed(&NOBODY[2..], b"X\x05\0\0\0loginNu.");
    assert!(read(&sound, &mut Scratch::default()).is_ok());

    let cut_off = [&NOBODY[2..], b"X\x05\0\0\0lo"].concat();
    only_python_reads(&framed(&cut_off, b"gin12Nu."), "broken pickle");
    let inner = [&NOBODY[2..], b"\x95\x09\0\0\0\0\0\0\0"].concat();
    only_python_reads(&framed(&inner, b"\x8c\x05loginNu."), "broken pickle");
}

#[test]
fn pickle_memo_numbers_must_be_dense() {
    only_python_reads(&pickle(b"Nr\x40\x42\x0f\x00"), "broken pickle");
}

#[test]
fn pickle_operations_of_protocol_0_are_not_supported() {
    for old in [
        &b"I1\n"[..],
        b"L1L\n",
        b"F1.5\n",
        b"S'a'\n",
        b"Va\n",
        b"Np0\n",
    ] {
        only_python_reads(&pickle(old), "unsupported pickle opcode");
    }
}

#[test]
fn pickled_bytearrays_are_not_extended() {
    let empty = b"\x96\0\0\0\0\0\0\0\0";
    let file = pickle(&[&empty[..], b"(K\x01e"].concat());
    only_python_reads(&file, "broken pickle");
}

#[test]
fn pickles_with_more_than_four_million_values_at_a_time_are_refused() {
    let many = vec![b'N'; 1 << 22];
    only_python_reads(&pickle(&[b"(", &many[..], b"l"].concat()), "broken pickle");
}
