//! Our units as systemd sees them: `systemctl show`, which asks and changes nothing.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use chrono::NaiveDateTime;

use super::told::Told;
use crate::redact::{self, Shown};
use crate::settings;

/// The properties that matter, of services and timers alike.
const PROPERTIES: &str = "Id,LoadState,User,DynamicUser,Environment,EnvironmentFiles,ExecStart,ReadWritePaths,\
                          BindPaths,StateDirectory,ProtectHome,ProtectSystem,Result,ExecMainStatus,\
                          ExecMainStartTimestamp,ExecMainExitTimestamp,UnitFileState,ActiveState,\
                          ActiveEnterTimestamp,NextElapseUSecRealtime,LastTriggerUSec";

/// How long a program of the system is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the files of an instance's environment are.
const DEFAULTS: &str = "/etc/default";
const NAME: &str = "odoo-session-reaper";

/// A service of ours with its timer.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Without `.service`.
    pub name: String,
    /// The user's name, or number; root's where there is none.
    pub user: String,
    pub dynamic_user: bool,
    /// `None` where it does not run `reap`.
    pub told: Option<Told>,
    /// What the sandbox lets it write to; `None` where it may write everywhere.
    pub writable: Option<Vec<PathBuf>>,
    /// Homes are out of its sight, but for what is bound in.
    pub without_homes: bool,
    /// How the last run ended: `success`, `exit-code`, …, and its exit code.
    pub result: String,
    pub status: i32,
    /// When that was, in epoch seconds; `None` before its first run since the boot.
    pub ended: Option<i64>,
    /// `enabled`, `disabled`, `linked`, … of its timer; empty where there is no timer.
    pub enabled: String,
    pub timer_active: bool,
    /// When the timer was started, and when it will start the service next.
    pub since: Option<i64>,
    pub next: Option<i64>,
    /// When the timer started the service last, also before the last boot.
    pub last: Option<i64>,
}

impl Unit {
    pub fn shown(&self) -> Shown {
        redact::printable(self.name.as_bytes())
    }
}

/// The values of the properties of one unit; one that stands there more than once has several.
type Properties = BTreeMap<String, Vec<String>>;

/// Asks systemd. `None` where there is none, or where it does not answer.
pub fn units() -> Option<Vec<Unit>> {
    let list = systemctl(&[
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "--full",
        "odoo-session-reaper*",
    ])?;
    let units = list
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let mut names: Vec<String> = units
        .filter_map(|unit| {
            unit.strip_suffix(".timer")
                .or(unit.strip_suffix(".service"))
        })
        .map(str::to_owned)
        .chain(instances())
        .chain([NAME.to_owned()])
        .collect();
    names.sort();
    names.dedup();
    let wanted: Vec<String> = names
        .iter()
        .flat_map(|name| [format!("{name}.service"), format!("{name}.timer")])
        .collect();
    let mut args = vec!["show", "--property", PROPERTIES, "--"];
    args.extend(wanted.iter().map(String::as_str));
    let shown = blocks(&systemctl(&args)?);
    Some(names.iter().filter_map(|name| unit(name, &shown)).collect())
}

/// Whether the unit of an Odoo has this variable in its environment, also if that runs without it still.
pub fn sets(unit: &str, variable: &str) -> bool {
    let shown = systemctl(&["show", "--property", "Environment", "--", unit]);
    let shown = blocks(&shown.unwrap_or_default());
    let environment = shown.first().map(environment).unwrap_or_default();
    environment
        .get(variable)
        .is_some_and(|value| !value.is_empty())
}

/// Instances that were given an environment, also if nobody has turned them on.
fn instances() -> Vec<String> {
    let names = std::fs::read_dir(DEFAULTS).into_iter().flatten().flatten();
    let instance = |name: &str| {
        let instance = name.strip_prefix(NAME)?.strip_prefix('-')?;
        (!instance.contains(['.', '~'])).then(|| format!("{NAME}@{instance}"))
    };
    names
        .filter_map(|entry| instance(entry.file_name().to_str()?))
        .collect()
}

/// What `systemctl` prints, in words of its own and in UTC.
pub fn systemctl(args: &[&str]) -> Option<String> {
    output("systemctl", args)
}

/// What a program of the system prints, if it succeeds, and in time.
pub fn output(program: &str, args: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .env("SYSTEMD_COLORS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut pipe = child.stdout.take()?;
    let (send, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.read_to_end(&mut bytes);
        send.send(read.map(|_| bytes))
    });
    let Ok(said) = said.recv_timeout(PATIENCE) else {
        // Not waited for: where the kernel holds it, it does not end.
        let _ = child.kill();
        return None;
    };
    let succeeded = child.wait().ok()?.success();
    succeeded.then_some(String::from_utf8_lossy(&said.ok()?).into_owned())
}

fn blocks(text: &str) -> Vec<Properties> {
    let blocks = text.split("\n\n").map(|block| {
        let mut shown = Properties::new();
        for (name, value) in block.lines().filter_map(|line| line.split_once('=')) {
            shown
                .entry(name.to_owned())
                .or_default()
                .push(value.to_owned());
        }
        shown
    });
    blocks.collect()
}

fn one<'s>(shown: &'s Properties, name: &str) -> &'s str {
    let values = shown.get(name).map(Vec::as_slice).unwrap_or_default();
    values.first().map_or("", String::as_str)
}

fn unit(name: &str, shown: &[Properties]) -> Option<Unit> {
    let of = |id: String| {
        let is_loaded =
            |shown: &&Properties| one(shown, "LoadState") == "loaded" && one(shown, "Id") == id;
        shown.iter().find(is_loaded)
    };
    let service = of(format!("{name}.service"))?;
    let timer = of(format!("{name}.timer"));
    let of_timer = |property| timer.map_or("", |timer| one(timer, property));
    let user = Some(one(service, "User"))
        .filter(|user| !user.is_empty())
        .unwrap_or("root");
    let environment = environment(service);
    let uid = uid_of(user).unwrap_or(u32::MAX);
    let told =
        arguments(one(service, "ExecStart")).and_then(|words| Told::of(&words, &environment, uid));
    Some(Unit {
        name: name.to_owned(),
        user: user.to_owned(),
        dynamic_user: one(service, "DynamicUser") == "yes",
        told,
        writable: (one(service, "ProtectSystem") == "strict").then(|| writable(service)),
        without_homes: ["yes", "tmpfs"].contains(&one(service, "ProtectHome")),
        result: one(service, "Result").to_owned(),
        status: one(service, "ExecMainStatus").parse().unwrap_or(0),
        ended: time(one(service, "ExecMainExitTimestamp")),
        enabled: of_timer("UnitFileState").to_owned(),
        timer_active: of_timer("ActiveState") == "active",
        since: time(of_timer("ActiveEnterTimestamp")),
        next: time(of_timer("NextElapseUSecRealtime")),
        last: time(of_timer("LastTriggerUSec")),
    })
}

/// The number of a user of this host.
pub fn uid_of(user: &str) -> Option<u32> {
    let number = user.parse().ok();
    number.or_else(|| output("id", &["-u", "--", user])?.trim().parse().ok())
}

/// What a user of this host is called.
pub fn name_of(uid: u32) -> Option<String> {
    Some(
        output("id", &["-nu", "--", &uid.to_string()])?
            .trim()
            .to_owned(),
    )
}

fn environment(service: &Properties) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let lines = service.get("Environment").into_iter().flatten();
    for word in lines.flat_map(|line| words(line)) {
        if let Some((name, value)) = word.split_once('=') {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    for file in service.get("EnvironmentFiles").into_iter().flatten() {
        let path = file.rsplit_once(" (").map_or(&**file, |(path, _)| path);
        variables.extend(settings::variables(Path::new(path)).unwrap_or_default());
    }
    variables
}

/// The words behind the program's name in `{ path=… ; argv[]=… ; ignore_errors=no ; … }`.
fn arguments(exec: &str) -> Option<Vec<String>> {
    let (_, argv) = exec.split_once("argv[]=")?;
    let (argv, _) = argv.split_once(" ; ignore_errors=")?;
    Some(words(argv).into_iter().skip(1).collect())
}

fn writable(service: &Properties) -> Vec<PathBuf> {
    let of = |property| words(one(service, property));
    let allowed = of("ReadWritePaths");
    let allowed = allowed
        .iter()
        .map(|path| path.trim_start_matches(['-', '+']));
    let bound = of("BindPaths");
    let bound = bound.iter().map(|path| {
        let path = path.trim_start_matches('-');
        path.split(':').nth(1).unwrap_or(path)
    });
    let own = of("StateDirectory");
    let own = own
        .iter()
        .flat_map(|name| ["/var/lib", "/var/lib/private"].map(|place| Path::new(place).join(name)));
    allowed.chain(bound).map(PathBuf::from).chain(own).collect()
}

/// Words as `systemctl show` quotes them.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (_, '\\') if quote != Some('\'') => word.get_or_insert_default().extend(chars.next()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// `Sat 2026-11-21 20:29:58 UTC`, as epoch seconds.
fn time(text: &str) -> Option<i64> {
    let text = text.split_once(' ')?.1.strip_suffix(" UTC")?;
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_as_systemctl_shows_it() {
        let shown = "User=nobody
ReadWritePaths=-/var/lib/odoo/sessions /srv/x
BindPaths=/home/o/s:/home/o/s:rbind
StateDirectory=odoo-session-reaper
Environment=REAPER_UNIT=x.service ODOO_SESSION_REAPER_DATA_DIR=/srv \"ODOO_SESSION_REAPER_KEEP_LOGIN=a b\"
ExecStart={ path=/usr/bin/odoo-session-reaper ; argv[]=/usr/bin/odoo-session-reaper reap --limit 5 ; ignore_errors=no ; start_time=[n/a] }
ProtectSystem=strict
ProtectHome=tmpfs
Result=exit-code
ExecMainStatus=1
ExecMainExitTimestamp=Sat 2026-11-21 20:29:58 UTC
Id=x.service
LoadState=loaded
ActiveState=failed

Id=x.timer
LoadState=loaded
UnitFileState=enabled
ActiveState=active
NextElapseUSecRealtime=Sat 2026-11-21 21:09:58 UTC
LastTriggerUSec=n/a
";
        let unit = unit("x", &blocks(shown));
        let unit = unit.unwrap_or_default();
        assert_eq!(unit.user, "nobody");
        let paths = [
            "/var/lib/odoo/sessions",
            "/srv/x",
            "/home/o/s",
            "/var/lib/odoo-session-reaper",
            "/var/lib/private/odoo-session-reaper",
        ];
        assert_eq!(unit.writable, Some(paths.map(PathBuf::from).to_vec()));
        let told = unit.told.map(|told| (told.sessions, told.audit));
        let audit = ["--data-dir=/srv", "--keep-login=a b"];
        let audit = audit.map(std::ffi::OsString::from).to_vec();
        assert_eq!(told, Some((Ok("/srv/sessions".into()), audit)));
        assert_eq!(
            (unit.result.as_str(), unit.status, unit.ended),
            ("exit-code", 1, Some(1_795_292_998))
        );
        assert!(unit.timer_active && unit.without_homes && !unit.dynamic_user);
        assert_eq!(
            (unit.enabled.as_str(), unit.next, unit.last),
            ("enabled", Some(1_795_295_398), None)
        );
    }
}
