//! Units, cron, the journal and moved stores, by programs that stand for systemd's. The real ones are asked in the booted
//! systems of tests/packaging.

use std::fs;

use crate::scene::{Findings, OLD, Scene};
use crate::testenv::{DAY, HOUR, Ran, USER, VISITOR, is_root, set_age, sharded, skipped};

const OFF: &str = "start env ODOO_SKIP_GC_SESSIONS=1 python3 src/odoo-bin -c odoo.conf";
const ON: &str = "start python3 src/odoo-bin -c odoo.conf";

/// A unit as `systemctl show` shows it, for the store in this data_dir. Times are in seconds before now.
struct Unit {
    name: &'static str,
    data_dir: String,
    user: String,
    writable: String,
    result: &'static str,
    enabled: &'static str,
    active: &'static str,
    since: i64,
    ended: i64,
}

impl Unit {
    fn good(scene: &Scene) -> Unit {
        let data_dir = scene.path("data").display().to_string();
        Unit {
            name: "odoo-session-reaper",
            user: "root".to_owned(),
            writable: format!("{data_dir}/sessions"),
            data_dir,
            result: "success",
            enabled: "enabled",
            active: "active",
            since: 9 * DAY,
            ended: HOUR / 2,
        }
    }

    fn shown(&self) -> String {
        let Unit {
            name,
            data_dir,
            user,
            writable,
            result,
            enabled,
            active,
            ..
        } = self;
        let time = |ago: i64| {
            let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
            let then = now - chrono::Duration::seconds(ago);
            then.format("%a %Y-%m-%d %H:%M:%S UTC").to_string()
        };
        let status = i32::from(*result != "success");
        let (since, ended, next) = (time(self.since), time(self.ended), time(-HOUR));
        format!(
            "Id={name}.service\nLoadState=loaded\nUser={user}\nEnvironment=ODOO_SESSION_REAPER_DATA_DIR={data_dir}\n\
             ExecStart={{ path=/usr/bin/odoo-session-reaper ; argv[]=/usr/bin/odoo-session-reaper reap ; ignore_errors=no ; }}\n\
             ProtectSystem=strict\nProtectHome=yes\nReadWritePaths=-{writable}\nResult={result}\nExecMainStatus={status}\n\
             ExecMainExitTimestamp={ended}\n\n\
             Id={name}.timer\nLoadState=loaded\nUnitFileState={enabled}\nActiveState={active}\n\
             ActiveEnterTimestamp={since}\nNextElapseUSecRealtime={next}\n\n"
        )
    }
}

/// A host whose systemd says these units are there, and whose clock is right.
fn host(test: &str, units: impl Fn(&Scene) -> Vec<Unit>) -> Option<Scene> {
    let scene = Scene::new(test, "18, 0", "ODOO_SKIP_GC_SESSIONS")?;
    let units = units(&scene);
    let list: String = units
        .iter()
        .map(|unit| format!("{}.timer loaded\n", unit.name))
        .collect();
    let shown: String = units.iter().map(Unit::shown).collect();
    scene.file("list", &list).file("shown", &shown);
    scene.executable("bin/timedatectl", "#!/bin/sh\necho yes\n");
    scene.executable("bin/journalctl", "#!/bin/sh\nexit 1\n");
    let root = scene.path("");
    let root = root.display();
    scene.executable(
        "bin/systemctl",
        &format!(
            "#!/bin/sh\ncase $1 in list-units) cat {root}/list;; *) cat {root}/shown;; esac\n"
        ),
    );
    Some(scene)
}

fn only(test: &str, change: impl Fn(&mut Unit)) -> Option<Findings> {
    let scene = host(test, |scene| {
        let mut unit = Unit::good(scene);
        change(&mut unit);
        vec![unit]
    })?;
    Some(scene.doctor(OFF))
}

#[test]
fn off_and_reaped_is_well() {
    let Some(found) = only("off_and_reaped_is_well", |_| {}) else {
        return;
    };
    assert_eq!(found.code, 0, "{found:?}");
    assert_eq!(found.verdict(), "Odoo's GC is off and the reaper keeps up");
    for id in [
        "odoo", "odoo-gc", "reaper", "keeps-up", "clock", "rules", "unknown",
    ] {
        assert_eq!(found.status(id), "ok", "{id}: {found:?}");
    }
    let (_, told, _) = found.of("reaper");
    assert!(
        told.starts_with("odoo-session-reaper.timer is on; last run succeeded 30 minutes"),
        "{told}"
    );
}

#[test]
fn a_systemd_that_does_not_answer_is_given_up() {
    let test = "a_systemd_that_does_not_answer_is_given_up";
    let Some(scene) = host(test, |scene| vec![Unit::good(scene)]) else {
        return;
    };
    // What it has started holds the pipe open.
    scene.executable("bin/systemctl", "#!/bin/sh\nsleep 600\n");
    let ran = scene.run(&format!(
        "{OFF}\ntimeout 60 \"$DOCTOR\" doctor --data-dir data"
    ));
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(ran.stdout.contains("? reaper "), "{}", ran.stdout);
}

#[test]
fn a_timer_of_ten_minutes_has_proved_nothing_yet() {
    let Some(found) = only("a_timer_of_ten_minutes_has_proved_nothing_yet", |unit| {
        unit.since = 600;
        unit.ended = 300;
    }) else {
        return;
    };
    assert_eq!(found.code, 0, "{found:?}");
    let told = found.verdict();
    assert!(
        told.starts_with("Odoo's GC is off; the reaper is on since 10 minutes"),
        "{told}"
    );
}

#[test]
fn with_odoos_own_on_it_is_safe_to_turn_it_off() {
    let Some(scene) = host("with_odoos_own_on_it_is_safe_to_turn_it_off", |scene| {
        vec![Unit::good(scene)]
    }) else {
        return;
    };
    let found = scene.doctor(ON);
    assert_eq!((found.code, found.status("odoo-gc")), (1, "problem"));
    let told = found.verdict();
    assert!(
        told.starts_with("safe to turn Odoo's GC off: # start Odoo with ODOO_SKIP"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_with_a_unit_is_told_with_its_cure() {
    let test = "what_is_wrong_with_a_unit_is_told_with_its_cure";
    type Change = fn(&mut Unit);
    let changes: [(Change, &str, &str); 6] = [
        (
            |unit| (unit.enabled, unit.active) = ("disabled", "inactive"),
            "odoo-session-reaper.timer is off",
            "sudo systemctl enable --now odoo-session-reaper.timer",
        ),
        (
            |unit| unit.enabled = "disabled",
            "is off after the next boot",
            "sudo systemctl enable --now odoo-session-reaper.timer",
        ),
        (
            |unit| unit.result = "exit-code",
            "failed: exit-code, exit code 1, 30 minutes",
            "sudo journalctl -n 20 -u odoo-session-reaper ",
        ),
        (
            |unit| unit.user = "4321".to_owned(),
            "runs as user 4321, but the store belongs to user",
            "'[Service]' User=",
        ),
        (
            |unit| unit.user = "nobody-of-that-name".to_owned(),
            "who does not exist",
            "'[Service]' User=",
        ),
        (
            |unit| unit.writable = "/elsewhere".to_owned(),
            "may not write to this store",
            "'[Service]' ReadWritePaths=/",
        ),
    ];
    for (change, evidence, cure) in changes {
        let Some(found) = only(test, change) else {
            return;
        };
        let (status, told, how) = found.of("reaper");
        assert_eq!((status, found.code), ("problem", 1), "{told}");
        assert!(
            told.contains(evidence) && how.contains(cure),
            "{told}: {how}"
        );
        assert_eq!(found.verdict(), "not yet: 1 thing");
    }
}

#[test]
fn a_store_without_a_unit_is_told_how_to_get_one() {
    let Some(scene) = host("a_store_without_a_unit_is_told_how_to_get_one", |scene| {
        vec![Unit {
            data_dir: "/nowhere".to_owned(),
            ..Unit::good(scene)
        }]
    }) else {
        return;
    };
    let found = scene.doctor(OFF);
    let (status, told, cure) = found.of("reaper");
    assert_eq!((status, told), ("problem", "nothing reaps this store"));
    let data_dir = scene.path("data").display().to_string();
    assert!(cure.contains(&format!( "printf '\\n%s\\n' ODOO_SESSION_REAPER_DATA_DIR={data_dir} | sudo tee -a /etc/default/odoo-session-reaper ")), "{cure}");
    assert!(
        cure.ends_with("sudo systemctl enable --now odoo-session-reaper.timer"),
        "{cure}"
    );
    assert_eq!(found.status("keeps-up"), "unknown");
}

/// A second data_dir, where nothing was saved for weeks.
fn old_store(scene: &Scene) {
    let file = scene.path(&format!("old/sessions/{}", sharded("d4")));
    scene.file(file.to_str().unwrap(), USER);
    set_age(&file, OLD);
    set_age(&scene.path("old/sessions"), OLD);
}

#[test]
fn a_moved_data_dir_is_seen_from_both_ends() {
    let Some(scene) = host("a_moved_data_dir_is_seen_from_both_ends", |scene| {
        let old = scene.path("old").display().to_string();
        vec![Unit {
            writable: format!("{old}/sessions"),
            data_dir: old,
            ..Unit::good(scene)
        }]
    }) else {
        return;
    };
    old_store(&scene);
    let Ran { code, stdout, .. } = scene.run(&format!(
        "{OFF}\nODOO_RC=odoo.conf \"$DOCTOR\" doctor --quiet"
    ));
    assert_eq!(code, 1, "{stdout}");
    let root = scene.path("").display().to_string();
    let root = root.trim_end_matches('/');
    for line in [
        format!("{root}/data/sessions"),
        "✗ reaper    nothing reaps this store".to_owned(),
        format!("{root}/old/sessions"),
        "! odoo      no running Odoo uses this store: Odoo 18.0".to_owned(),
        "✗ keeps-up  nothing was saved here for 40 days".to_owned(),
        format!("            sudo odoo-session-reaper doctor --data-dir {root}/data"),
    ] {
        assert!(
            stdout.lines().any(|told| told.starts_with(&line)),
            "{line}\n{stdout}"
        );
    }
    assert!(
        stdout.contains(&format!(": Odoo saves in {root}/data now\n")),
        "{stdout}"
    );
    // The unit is to follow Odoo.
    assert!(
        stdout.contains("| sudo tee -a /etc/default/odoo-session-reaper &&"),
        "{stdout}"
    );
    assert!(!stdout.contains('✓'), "{stdout}");
}

#[test]
fn two_instances_have_a_list_each() {
    let Some(scene) = host("two_instances_have_a_list_each", |scene| {
        let data_dir = scene.path("second").display().to_string();
        let writable = format!("{data_dir}/sessions");
        let second = Unit {
            name: "odoo-session-reaper@second",
            data_dir,
            writable,
            ..Unit::good(scene)
        };
        vec![Unit::good(scene), second]
    }) else {
        return;
    };
    let data_dir = scene.path("second").display().to_string();
    scene.file(&format!("second/sessions/{}", sharded("e5")), VISITOR);
    scene.file(
        "second.conf",
        &format!("[options]\ndata_dir = {data_dir}\n"),
    );
    let servers = format!("{OFF}\nstart python3 src/odoo-bin -c second.conf");
    let ran = scene.run(&format!(
        "{servers}\nODOO_RC=odoo.conf \"$DOCTOR\" doctor --format json"
    ));
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let gc: Vec<_> = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["id"] == "odoo-gc")
        .map(|check| {
            (
                check["store"].as_str().unwrap().to_owned(),
                check["status"].as_str().unwrap(),
            )
        })
        .collect();
    let first = scene.path("data/sessions").display().to_string();
    assert_eq!(
        gc,
        [(first, "ok"), (format!("{data_dir}/sessions"), "problem")]
    );
    let reapers = document["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["id"] == "reaper");
    assert!(
        reapers.clone().count() == 2 && reapers.clone().all(|check| check["status"] == "ok"),
        "{document}"
    );
}

#[test]
fn a_line_of_cron_reaps_too() {
    let test = "a_line_of_cron_reaps_too";
    if !is_root() {
        return skipped(test, "not root");
    }
    let Some(scene) = Scene::new(test, "18, 0", "ODOO_SKIP_GC_SESSIONS") else {
        return;
    };
    let cron = |line: &str| {
        let table = "mount -t tmpfs none /var/spool && mkdir -p /var/spool/cron/crontabs";
        scene.doctor(&format!(
            "{OFF}\n{table} && echo '{line}' > /var/spool/cron/crontabs/root"
        ))
    };
    let data_dir = scene.path("data").display().to_string();
    let found = cron(&format!(
        "17 * * * * /usr/bin/odoo-session-reaper reap --data-dir {data_dir} --cart-window 9d"
    ));
    let (status, told, _) = found.of("reaper");
    assert_eq!(
        (status, told),
        (
            "ok",
            "a line of cron in /var/spool/cron/crontabs/root, as user root"
        )
    );
    assert_eq!(
        (found.status("keeps-up"), found.code),
        ("ok", 0),
        "{found:?}"
    );
    let found = cron("17 * * * * /usr/bin/odoo-session-reaper reap --data-dir /elsewhere");
    assert_eq!((found.status("reaper"), found.code), ("unknown", 1));
}

#[test]
fn what_stays_due_for_days_is_not_kept_up_with() {
    let Some(scene) = host("what_stays_due_for_days_is_not_kept_up_with", |scene| {
        vec![Unit::good(scene)]
    }) else {
        return;
    };
    scene.session("f6", VISITOR, 9 * DAY);
    let found = scene.doctor(OFF);
    let (status, told, cure) = found.of("keeps-up");
    assert_eq!(status, "problem", "{told}");
    assert!(
        told.contains("1 of 3 files are due, the oldest since 8 days"),
        "{told}"
    );
    assert!(cure.contains("systemctl start odoo-session-reaper"));
}

#[test]
fn the_service_s_own_rules_are_judged() {
    let Some(scene) = host("the_service_s_own_rules_are_judged", |scene| {
        vec![Unit::good(scene)]
    }) else {
        return;
    };
    let shown = fs::read_to_string(scene.path("shown")).unwrap();
    let said = "ExecStart=";
    scene.file(
        "shown",
        &shown
            .replacen(
                said,
                "EnvironmentFiles=/SCENE/default (ignore_errors=no)\nExecStart=",
                1,
            )
            .replace("/SCENE", &scene.path("").display().to_string()),
    );
    scene.file("default", "ODOO_SESSION_REAPER_KEEP_LOGIN=kiosk*,bob\n");
    let (status, told) = {
        let found = scene.doctor(OFF);
        let (status, told, _) = found.of("rules");
        (status.to_owned(), told.to_owned())
    };
    assert_eq!(
        (&*status, &*told),
        ("warning", "keep_login kiosk* matches nobody")
    );
    // A login that is kept does not hide that visitors stay.
    scene.session("f6", VISITOR, 9 * DAY);
    assert_eq!(scene.doctor(OFF).status("keeps-up"), "problem");
}

#[test]
fn quiet_tells_only_what_is_not_well() {
    let Some(scene) = host("quiet_tells_only_what_is_not_well", |scene| {
        vec![Unit::good(scene)]
    }) else {
        return;
    };
    let well = scene.run(&format!("{OFF}\nuntil [ -n \"$(doctor | grep ✓)\" ]; do sleep 0.1; done; doctor -q | grep -v -e room -e clock"));
    assert!(!well.stdout.contains('✓'), "{}", well.stdout);
    let ran = scene.run(&format!("{ON}\ndoctor --quiet"));
    let first: Vec<_> = ran.stdout.lines().take(2).collect();
    assert!(
        first[0].ends_with("/data/sessions") && first[1].starts_with("✗ odoo-gc "),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains('✓'));
}

#[test]
fn nothing_is_changed() {
    let Some(scene) = host("nothing_is_changed", |scene| vec![Unit::good(scene)]) else {
        return;
    };
    scene.session("f6", VISITOR, 9 * DAY);
    let state = || {
        let entries = walkdir::WalkDir::new(scene.path("data")).sort_by_file_name();
        let entries = entries.into_iter().map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            (
                entry.path().to_owned(),
                metadata.modified().unwrap(),
                metadata.accessed().unwrap(),
                metadata.len(),
            )
        });
        entries
            .filter(|(path, ..)| path.is_file())
            .collect::<Vec<_>>()
    };
    let before = state();
    scene.doctor(OFF);
    assert_eq!(state(), before);
}
