//! Every command of the program that a page shows is run, on a throw-away store and never on another one.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::markdown::{Page, code_spans};
use crate::shell::{Invocation, invocations, typed};
use crate::testenv::{Ran, program, run, skipped};
use crate::{all_options, help, page, pages};

/// A store of the demo, in a place that looks like Odoo's.
struct Sandbox {
    dir: TempDir,
}

impl Sandbox {
    fn new() -> Sandbox {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox { dir };
        let made = run(program()
            .args(["demo", "--keep", "--sessions", "300", "--dir"])
            .arg(sandbox.path("odoo")));
        assert_eq!(made.code, 0, "{}", made.all());
        fs::write(
            sandbox.path("odoo.conf"),
            format!("[options]\ndata_dir = {}\n", sandbox.path("odoo")),
        )
        .unwrap();
        sandbox
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs what a page shows, with every path of it led into the sandbox. A store that is not named is found here.
    fn run(&self, shown: &Invocation) -> Ran {
        let mut command = program();
        command
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.dir.path())
            .env("ODOO_RC", self.path("odoo.conf"));
        if shown.args.first().is_some_and(|command| command == "demo") {
            command.env("ODOO_SESSION_REAPER_SESSIONS", "300");
        }
        for variable in &shown.variables {
            let (name, value) = variable.split_once('=').unwrap();
            command.env(name, self.led_here(name, value));
        }
        let mut args = shown.args.iter();
        while let Some(arg) = args.next() {
            let (option, value) = arg.split_once('=').unwrap_or((arg, ""));
            command.arg(option);
            let value = match value {
                "" if !self.led_here(option, "").is_empty() => args.next().unwrap(),
                value => value,
            };
            if !value.is_empty() {
                command.arg(self.led_here(option, value));
            }
        }
        if shown
            .args
            .first()
            .is_some_and(|command| command == "revoke")
        {
            // Nobody is there who could answer, or wait.
            let asks = !shown
                .args
                .iter()
                .any(|arg| arg == "--yes" || arg == "--dry-run");
            command.args(asks.then_some("--dry-run"));
            let watches = !shown.args.iter().any(|arg| arg == "--watch");
            command.args(["--watch", "0"].iter().filter(|_| watches));
        }
        run(&mut command)
    }

    /// What stands for the value of this option or variable, if it is a path or a number of many.
    fn led_here(&self, name: &str, value: &str) -> String {
        match name {
            "--data-dir" | "ODOO_SESSION_REAPER_DATA_DIR" => self.path("odoo"),
            "--sessions-dir" => self.path("odoo/sessions"),
            "--config" | "-c" => self.path("odoo.conf"),
            "--metrics-file" => self.path("odoo_sessions.prom"),
            "--dir" => self.path("made"),
            // Nobody in the demo is called so.
            "--login" => "*".to_owned(),
            "--sessions" => "300".to_owned(),
            _ => value.to_owned(),
        }
    }
}

/// Runs one and says what is wrong with it.
fn try_it(place: &str, shown: &Invocation, wrong: &mut Vec<String>) {
    let ran = Sandbox::new().run(shown);
    if shown
        .args
        .first()
        .is_some_and(|command| command == "doctor")
    {
        // Here is neither an Odoo nor a timer, and it says so.
        let verdict = ran.stdout.contains("not yet: ") && ran.stderr.is_empty();
        if ran.code != 1 || !verdict {
            wrong.push(format!(
                "{place}: doctor ends with {}: {}",
                ran.code,
                ran.all()
            ));
        }
        return;
    }
    if ran.code != 0 && ran.stderr.contains("mounted with noatime") {
        skipped("the commands of the pages", &ran.stderr);
    } else if ran.code != 0 || ran.stderr.contains("WARN") && !ran.stderr.contains("--by-age-only")
    {
        let command = shown.args.join(" ");
        wrong.push(format!(
            "{place}: {command}\n  ends with {}: {}",
            ran.code, ran.stderr
        ));
    }
}

/// The runs of the program on a page: in blocks and between backticks.
fn shown(page: &Page) -> Vec<(String, Invocation)> {
    let mut shown = Vec::new();
    let mut add = |line: usize, found: Vec<Invocation>| {
        let place = format!("{}:{line}", page.path.display());
        shown.extend(found.into_iter().map(|found| (place.clone(), found)));
    };
    for block in &page.blocks {
        let found = match block.language.as_str() {
            "sh" => invocations(&block.text, false),
            "cron" => invocations(&block.text, true),
            "yaml" => block.text.lines().filter_map(container_args).collect(),
            _ => invocations(&typed(&block.text), false),
        };
        add(block.line, found);
    }
    for (line, text) in &page.lines {
        for span in code_spans(text) {
            let found = invocations(span, false);
            add(
                *line,
                found
                    .into_iter()
                    .filter(|found| !found.args.is_empty())
                    .collect(),
            );
        }
    }
    shown
}

/// `args: ["reap", …]`, or `command:` of Compose, of a container whose entry point the program is.
fn container_args(line: &str) -> Option<Invocation> {
    let line = line.trim();
    let args = line
        .strip_prefix("args: ")
        .or(line.strip_prefix("command: "))?;
    Some(Invocation {
        variables: Vec::new(),
        args: serde_json::from_str(args).unwrap(),
    })
}

#[test]
fn every_command_of_the_pages_runs() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in pages() {
        for (place, shown) in shown(&page) {
            try_it(&place, &shown, &mut wrong);
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 20, "only {count} commands were found in the pages");
}

/// Which the packages install, and `tests/packaging/image.sh` runs.
#[test]
fn the_examples_for_containers_are_shown_whole() {
    for (file, shown) in [
        ("docker-run.sh", "docs/containers.md"),
        ("compose.yaml", "docs/containers.md"),
        ("cronjob.yaml", "docs/kubernetes.md"),
    ] {
        let example = fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("container")
                .join(file),
        )
        .unwrap();
        let page = page(shown);
        let block = page.blocks.iter().find(|block| block.text == example);
        assert!(block.is_some(), "{shown} shows another container/{file}");
    }
}

#[test]
fn every_example_of_the_help_runs() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for command in ["audit", "reap"] {
        let help = help(command);
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        for shown in invocations(examples, false) {
            try_it(command, &shown, &mut wrong);
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 6, "only {count} examples were found");
}

#[test]
fn every_odoo_conf_of_the_pages_is_accepted_whole() {
    let mut count = 0;
    for page in pages() {
        for block in &page.blocks {
            if block.language != "ini" || !block.text.contains("[session_reaper") {
                continue;
            }
            let place = format!("{}:{}", page.path.display(), block.line);
            let sandbox = Sandbox::new();
            let mut ours = false;
            let mut said = 0;
            let mut conf = String::new();
            for line in block.text.lines() {
                if line.starts_with('[') {
                    ours = line.starts_with("[session_reaper");
                }
                said += usize::from(ours && line.contains(" = "));
                // The store is the sandbox's.
                if ours || line.starts_with('#') {
                    conf.push_str(&format!("{line}\n"));
                }
            }
            let file = sandbox.path("page.conf");
            fs::write(&file, conf).unwrap();
            let audit = run(program()
                .args(["audit", "--format", "json", "--config", &file, "--data-dir"])
                .arg(sandbox.path("odoo")));
            assert_eq!(audit.code, 0, "{place}: {}", audit.all());
            let report: serde_json::Value = serde_json::from_str(&audit.stdout).unwrap();
            let policy = report["policy"].as_array().unwrap();
            let heard = policy.iter().filter(|value| value["source"] == "file");
            assert_eq!(heard.count(), said, "{place}: not every line is in force");
            count += 1;
        }
    }
    assert!(count >= 3, "only {count} were found");
}

/// What is named between backticks outside of commands must be there as well.
#[test]
fn every_option_that_the_pages_name_exists() {
    let options = all_options();
    let mut wrong = Vec::new();
    for page in pages() {
        // The tests and benches have options of their own.
        if page.path.starts_with("docs/development") || page.path == Path::new("CONTRIBUTING.md") {
            continue;
        }
        for (line, text) in &page.lines {
            let named = code_spans(text).into_iter().flat_map(options_of);
            for option in named.filter(|option| !options.contains(option)) {
                wrong.push(format!("{}:{line}: {option}", page.path.display()));
            }
        }
        for option in variables(&page.text) {
            if !options.contains(&option) {
                wrong.push(format!("{}: the variable of {option}", page.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The options that a span names: `--limit N`, `reap --by-age-only`, or a key of odoo.conf such as `cart_window`.
fn options_of(span: &str) -> Vec<String> {
    let mut words = span.split_whitespace();
    let first = words.next().unwrap_or_default();
    if first.starts_with('-') || ["audit", "reap", "doctor", "demo"].contains(&first) {
        let words = span
            .split_whitespace()
            .filter(|word| word.starts_with('-') && word.len() > 1);
        return words.map(str::to_owned).collect();
    }
    let key = first.split('=').next().unwrap_or_default();
    let is_key = ["_window", "_login", "_lifetime", "_seen"]
        .iter()
        .any(|end| key.ends_with(end));
    if is_key && !key.contains(|c: char| !c.is_ascii_lowercase() && c != '_') {
        return vec![format!("--{}", key.replace('_', "-"))];
    }
    Vec::new()
}

/// The options whose variables a page names.
fn variables(text: &str) -> Vec<String> {
    let names = text.split("ODOO_SESSION_REAPER_").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    });
    // The prefix alone, or a variable of the tests.
    let names = names.filter(|name| !name.is_empty() && !name.starts_with("TEST_"));
    names
        .map(|name| format!("--{}", name.to_lowercase().replace('_', "-")))
        .collect()
}

#[test]
fn options_are_found_in_prose() {
    assert_eq!(options_of("--limit N"), ["--limit"]);
    assert_eq!(
        options_of("reap --by-age-only --threads 2"),
        ["--by-age-only", "--threads"]
    );
    assert_eq!(options_of("keep_login"), ["--keep-login"]);
    assert_eq!(options_of("limit_time_real"), [""; 0]);
    assert_eq!(
        variables("`ODOO_SESSION_REAPER_DATA_DIR=/x` and `ODOO_SESSION_REAPER_`"),
        ["--data-dir"]
    );
}
