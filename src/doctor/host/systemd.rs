//! Our units as systemd sees them: `systemctl show`, which asks and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::output::output;
use super::store::Store;
use super::told::{Environment, Told};
use super::user::{Refusal, User};
use crate::redact::{self, Shown, shown};
use crate::settings;

/// The properties that matter, of services and timers alike.
const PROPERTIES: &str = "Id,LoadState,User,DynamicUser,Environment,EnvironmentFiles,ExecStart,ReadWritePaths,\
                          BindPaths,StateDirectory,ProtectHome,ProtectSystem,Result,ExecMainStatus,\
                          ExecMainStartTimestamp,ExecMainExitTimestamp,UnitFileState,ActiveState,\
                          ActiveEnterTimestamp,NextElapseUSecRealtime,LastTriggerUSec";

/// Where the files of an instance's environment are.
const DEFAULTS: &str = "/etc/default";
const NAME: &str = "odoo-session-reaper";

/// A service of ours with its timer.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Without `.service`.
    pub name: String,
    /// Root where it names none; `None` for a dynamic one: who that is shows only while the service runs.
    pub user: Option<User>,
    /// `None` where it does not run `reap`.
    pub told: Option<Told>,
    /// What the sandbox lets it write to, without symlinks; `None` where it may write everywhere.
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

    /// Why its run would not be let in: for its user, or for its sandbox.
    pub fn refusal(&self, store: &Store) -> Option<Refusal> {
        let of_user = self
            .user
            .as_ref()
            .and_then(|user| user.refusal(&store.place));
        of_user.or_else(|| {
            let places = self.writable.as_ref()?;
            if places.iter().any(|place| store.real.starts_with(place)) {
                return None;
            }
            let path = redact::unit_path(&store.real).unwrap_or_else(|| "ITS-PATH".into());
            let mut homes = ["/home", "/root"].iter();
            let is_hidden = self.without_homes && homes.any(|home| store.real.starts_with(home));
            Some(match is_hidden {
                true => Refusal {
                    why: "does not see this store: its sandbox hides homes".into(),
                    cure: vec!["ProtectHome=tmpfs".into(), shown!("BindPaths={}", path)],
                },
                false => Refusal {
                    why: "may not write to this store: its sandbox lets it into others only".into(),
                    cure: vec![shown!("ReadWritePaths={}", path)],
                },
            })
        })
    }
}

/// The values of the properties of one unit; one that stands there more than once has several.
type Properties = BTreeMap<String, Vec<String>>;

/// Asks systemd. `None` where there is none, or where it does not answer.
pub fn units() -> Option<Vec<Unit>> {
    let all = [
        "list-units",
        "--all",
        "--plain",
        "--no-legend",
        "--full",
        "odoo-session-reaper*",
    ];
    let list = output("systemctl", &all)?;
    let listed = list.lines().filter_map(|line| {
        let unit = line.split_whitespace().next()?;
        unit.strip_suffix(".timer")
            .or(unit.strip_suffix(".service"))
    });
    let named = [NAME].into_iter().chain(listed).map(str::to_owned);
    let names: BTreeSet<String> = named.chain(instances()).collect();
    let wanted = names
        .iter()
        .flat_map(|name| [format!("{name}.service"), format!("{name}.timer")]);
    let wanted: Vec<String> = wanted.collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let shown = show(PROPERTIES, &wanted)?;
    Some(names.iter().filter_map(|name| unit(name, &shown)).collect())
}

/// Whether the unit of an Odoo has this variable in its environment, also if that runs without it still.
pub fn sets(unit: &str, variable: &str) -> bool {
    let shown = show("Environment", &[unit]).unwrap_or_default();
    let environment = shown.first().map(environment).unwrap_or_default();
    environment
        .get(variable)
        .is_some_and(|value| !value.is_empty())
}

fn show(properties: &str, units: &[&str]) -> Option<Vec<Properties>> {
    let args = [&["show", "--property", properties, "--"], units].concat();
    Some(blocks(&output("systemctl", &args)?))
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
    let of_service = |property| one(service, property);
    let of_timer = |property| timer.map_or("", |timer| one(timer, property));
    let user = User::of(match of_service("User") {
        "" => "root",
        user => user,
    });
    let words = arguments(of_service("ExecStart"));
    Some(Unit {
        name: name.to_owned(),
        told: words.and_then(|words| Told::of(&words, &environment(service), &user)),
        user: (of_service("DynamicUser") != "yes").then_some(user),
        writable: (of_service("ProtectSystem") == "strict").then(|| writable(service)),
        without_homes: ["yes", "tmpfs"].contains(&of_service("ProtectHome")),
        result: of_service("Result").to_owned(),
        status: of_service("ExecMainStatus").parse().unwrap_or(0),
        ended: time(of_service("ExecMainExitTimestamp")),
        enabled: of_timer("UnitFileState").to_owned(),
        timer_active: of_timer("ActiveState") == "active",
        since: time(of_timer("ActiveEnterTimestamp")),
        next: time(of_timer("NextElapseUSecRealtime")),
        last: time(of_timer("LastTriggerUSec")),
    })
}

fn environment(service: &Properties) -> Environment {
    let of = |property| service.get(property).into_iter().flatten();
    let set = of("Environment").flat_map(|line| words(line));
    let set = set.filter_map(|word| {
        let (name, value) = word.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    let mut variables: Environment = set.collect();
    for file in of("EnvironmentFiles") {
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
    let of = |property| words(one(service, property)).into_iter();
    let allowed = of("ReadWritePaths").map(|path| path.trim_start_matches(['-', '+']).into());
    let bound = of("BindPaths").map(|path| {
        let path = path.trim_start_matches('-');
        path.split(':').nth(1).unwrap_or(path).into()
    });
    let own = of("StateDirectory").flat_map(|name| {
        ["/var/lib", "/var/lib/private"].map(|place| Path::new(place).join(&name))
    });
    let all = allowed.chain(bound).chain(own);
    all.map(|path: PathBuf| std::fs::canonicalize(&path).unwrap_or(path))
        .collect()
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
        assert_eq!(unit.user.map(|user| user.name).as_deref(), Some("nobody"));
        let paths = [
            "/var/lib/odoo/sessions",
            "/srv/x",
            "/home/o/s",
            "/var/lib/odoo-session-reaper",
            "/var/lib/private/odoo-session-reaper",
        ];
        assert_eq!(unit.writable, Some(paths.map(PathBuf::from).to_vec()));
        let told = unit
            .told
            .map(|told| (told.store.map(|store| store.path), told.audit));
        let audit = ["--data-dir=/srv", "--keep-login=a b"];
        let audit = audit.map(std::ffi::OsString::from).to_vec();
        assert_eq!(told, Some((Ok("/srv/sessions".into()), audit)));
        assert_eq!(
            (unit.result.as_str(), unit.status, unit.ended),
            ("exit-code", 1, Some(1_795_292_998))
        );
        assert!(unit.timer_active && unit.without_homes);
        assert_eq!(
            (unit.enabled.as_str(), unit.next, unit.last),
            ("enabled", Some(1_795_295_398), None)
        );
    }
}
