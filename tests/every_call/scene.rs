//! The stores and the runs over them.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;

use serde_json::Value;

use crate::fault::Case;
use crate::testenv::{self, DAY, HOUR, Odoo, Ran, USER, VISITOR, flat, run};

/// A layout and a command.
pub struct Run {
    layout: &'static str,
    args: &'static [&'static str],
}

const AUDIT: &[&str] = &["audit"];
const REAP: &[&str] = &["reap"];
const DRY_RUN: &[&str] = &["reap", "--dry-run"];
const BY_AGE_ONLY: &[&str] = &["reap", "--by-age-only"];

#[rustfmt::skip]
pub const RUNS: [Run; 8] = [
    Run { layout: "flat", args: REAP },
    Run { layout: "flat", args: BY_AGE_ONLY },
    Run { layout: "flat", args: DRY_RUN },
    Run { layout: "flat", args: AUDIT },
    Run { layout: "sharded", args: REAP },
    Run { layout: "sharded", args: BY_AGE_ONLY },
    Run { layout: "sharded", args: DRY_RUN },
    Run { layout: "sharded", args: AUDIT },
];

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.layout, self.args.join(" "))
    }
}

/// How a run ended.
pub struct Ended {
    pub ran: Ran,
    /// The call that failed, as strace tells it.
    pub failed: String,
    /// What is gone from the store, and how many bytes it had.
    pub gone: BTreeSet<String>,
    pub bytes: u64,
    /// What the report says, if there is one.
    pub found: Option<Found>,
    /// What is left after another run, without a fault.
    pub done: BTreeSet<String>,
}

/// What a report says.
#[derive(Debug, PartialEq)]
pub struct Found {
    pub exit: i64,
    /// Files and bytes.
    pub deleted: (u64, u64),
    /// What failed, and the error's number.
    pub errors: Vec<(String, i64)>,
    pub unreadable: i64,
    /// Of each class: all, due and deleted files.
    classes: Vec<[u64; 3]>,
    /// Gone or saved again meanwhile.
    others: [u64; 2],
}

impl Run {
    /// Files of every fate: due of each kind, young, no session, foreign.
    fn store(&self) -> Odoo {
        let odoo = Odoo::new();
        let sharded = |shard: &str, last: char| format!("{shard}/{}{last}", shard.repeat(41) + "x");
        let name = |shard: &str, last: char| match self.layout {
            "flat" => flat(&format!("{shard}{}", last as u32)),
            _ => sharded(shard, last),
        };
        let long = VISITOR.replace(
            r#""debug": """#,
            &format!(r#""debug": "{}""#, "1".repeat(70_000)),
        );
        for (name, content, age) in [
            (name("aa", '1'), VISITOR, 9 * DAY),
            (name("aa", '2'), USER, 9 * DAY),
            (name("aa", '3'), USER, HOUR),
            (name("bb", '1'), "", 9 * DAY),
            (name("bb", '2'), long.as_str(), 9 * DAY),
            (name("bb", '3'), VISITOR, HOUR),
            (name("cc", '1'), "no session", HOUR),
            (name("cc", '2'), VISITOR, 2 * DAY),
            ("tmpabcdefgh.__wz_sess".into(), "", 9 * DAY),
            ("notes.txt".into(), "foreign", 9 * DAY),
        ] {
            odoo.file(&name, content, age);
        }
        if self.layout != "flat" {
            odoo.file("cc/.hidden", "foreign", 9 * DAY);
            odoo.file("cc/foreign", VISITOR, 9 * DAY);
        }
        odoo
    }

    pub fn is_dry(&self) -> bool {
        self.args == DRY_RUN
    }

    fn args<'a>(&'a self, odoo: &'a Odoo) -> impl Iterator<Item = &'a str> {
        let store = odoo.data_dir().to_str();
        let usual = ["--format", "json", "--threads", "1", "--data-dir"];
        self.args.iter().copied().chain(usual).chain(store)
    }

    /// Makes the run, and tells its calls.
    pub fn trace(&self) -> String {
        self.traced(&self.store(), &[]).1
    }

    fn traced(&self, odoo: &Odoo, inject: &[&str]) -> (Ran, String) {
        let mut strace = testenv::strace("every_call").unwrap();
        let log = odoo.data_dir().join("trace");
        strace
            .args(["-e", "trace=%file,%desc,prlimit64"])
            .args(inject)
            .arg("-o")
            .arg(&log)
            .arg(env!("CARGO_BIN_EXE_odoo-session-reaper"))
            .args(self.args(odoo))
            .env_remove("RUST_LOG");
        let ran = run(&mut strace);
        (ran, fs::read_to_string(log).unwrap())
    }

    /// Makes the run with a fault or without, and looks what is left.
    pub fn end(&self, case: Option<&Case>) -> Ended {
        let odoo = self.store();
        let before = odoo.files();
        let size = |name: &String| fs::metadata(odoo.path(name)).unwrap().len();
        let sizes: Vec<u64> = before.iter().map(size).collect();
        let inject = case.map(Case::inject);
        let inject: Vec<&str> = inject.iter().flat_map(|inject| ["-e", inject]).collect();
        let (ran, trace) = self.traced(&odoo, &inject);
        let injected = trace.lines().find(|line| line.contains("(INJECTED)"));
        let left = odoo.files();
        let is_gone = |(name, _): &(&String, u64)| !left.contains(*name);
        let gone: Vec<_> = before.iter().zip(sizes).filter(is_gone).collect();
        Ended {
            failed: injected.unwrap_or_default().to_owned(),
            bytes: gone.iter().map(|(_, bytes)| bytes).sum(),
            gone: gone.iter().map(|(name, _)| (*name).clone()).collect(),
            found: serde_json::from_str(&ran.stdout).ok().map(found),
            done: self.done(&odoo),
            ran,
        }
    }

    /// What is left after another run, without a fault.
    fn done(&self, odoo: &Odoo) -> BTreeSet<String> {
        let ran = run(testenv::program().args(self.args(odoo)));
        assert_eq!(ran.code, 0, "{}", ran.all());
        odoo.files()
    }
}

fn found(report: Value) -> Found {
    let number = |value: &Value| value.as_u64().unwrap();
    let classes = report["classes"].as_array().unwrap();
    let errors = report["errors"].as_array().unwrap();
    let unreadable = report["unreadable"].as_object().unwrap();
    let deleted = &report["total"]["deleted"];
    Found {
        exit: report["exit_code"].as_i64().unwrap(),
        deleted: (number(&deleted["files"]), number(&deleted["bytes"])),
        errors: errors.iter().flat_map(failures).collect(),
        unreadable: unreadable.values().map(|count| number(count) as i64).sum(),
        classes: classes.iter().map(files).collect(),
        others: [&report["vanished"], &report["kept"]["saved_again"]].map(number),
    }
}

fn failures(error: &Value) -> Vec<(String, i64)> {
    let operation = error["operation"].as_str().unwrap().to_owned();
    let errno = error["errno"].as_i64().unwrap();
    vec![(operation, errno); error["count"].as_u64().unwrap() as usize]
}

fn files(class: &Value) -> [u64; 3] {
    [class, &class["due"], &class["deleted"]].map(|pile| pile["files"].as_u64().unwrap())
}
