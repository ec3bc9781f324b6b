//! Who reaps, whether he would be let in, and how long that has been so.

use std::time::Duration;

use serde_json::json;

use super::super::finding::Status;
use super::super::host::told::Told;
use super::super::host::user::{Refusal, User};
use super::super::tests::{NOW, Scene};
use super::*;

const HOUR: i64 = 3_600;

fn unit() -> Unit {
    Unit {
        since: Some(NOW - 9 * DAY),
        next: Some(NOW + HOUR),
        ended: Some(NOW - 720),
        ..Unit::fake()
    }
}

/// The unit of the package, which works on another store.
fn other_unit() -> Unit {
    let store = Place {
        path: "/srv/other/sessions".into(),
        identity: Some((7, 7)),
        owner: Some(104),
    };
    Unit {
        name: "odoo-session-reaper".into(),
        timer_active: false,
        told: Some(Told {
            store: Ok(store),
            dry_run: false,
            audit: Vec::new(),
        }),
        ..unit()
    }
}

fn user(uid: u32) -> Option<User> {
    Some(User {
        name: uid.to_string(),
        uid: Some(uid),
    })
}

fn of(mut units: Vec<Unit>) -> Scene {
    let mut scene = Scene::new(json!({}));
    units.push(other_unit());
    scene.host.units = Some(units);
    scene.host.root = true;
    scene
}

fn judge(scene: &Scene) -> Finding {
    super::judge(&scene.case())
}

fn line(user: User) -> Line {
    Line {
        file: "/etc/cron.d/x".into(),
        user,
        told: Told {
            store: Ok(Place::fake()),
            dry_run: false,
            audit: Vec::new(),
        },
    }
}

#[test]
fn a_unit_is_on_or_is_told_what_is_wrong_with_it() {
    for (unit, status, told, cure) in [
        (
            unit(),
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run succeeded 12 minutes ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            Unit {
                ended: None,
                last: Some(NOW - DAY),
                ..unit()
            },
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run began 1 day ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            Unit {
                ended: None,
                next: None,
                ..unit()
            },
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; no run yet",
            "",
        ),
        (
            Unit {
                timer_active: false,
                enabled: "disabled".into(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.timer is off",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            Unit {
                timer_active: false,
                enabled: String::new(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.timer is off",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            Unit {
                enabled: "enabled-runtime".into(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.timer is off after the next boot",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            Unit {
                status: 75,
                ..unit()
            },
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run was stopped before its end, exit code 75, 12 minutes ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            Unit {
                result: "timeout".into(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.service failed: timeout, 12 minutes ago",
            "sudo journalctl -n 20 -u odoo-session-reaper@shop    # says why; then: sudo systemctl start odoo-session-reaper@shop",
        ),
        (
            Unit {
                told: Some(Told {
                    store: Ok(Place::fake()),
                    dry_run: true,
                    audit: Vec::new(),
                }),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.service is told to delete nothing (dry run)",
            "sudoedit /etc/default/odoo-session-reaper-shop",
        ),
        (
            Unit {
                user: Some(User {
                    name: "odoo".into(),
                    uid: Some(105),
                }),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.service runs as user odoo, but the store belongs to user 104",
            "sudo mkdir -p /etc/systemd/system/odoo-session-reaper@shop.service.d && printf '%s\\n' '[Service]' User=104 | \
             sudo tee -a /etc/systemd/system/odoo-session-reaper@shop.service.d/zz-doctor.conf && sudo systemctl daemon-reload",
        ),
    ] {
        let finding = judge(&of(vec![unit]));
        assert_eq!((finding.status, &*finding.evidence), (status, told));
        assert_eq!(&*finding.cure.unwrap_or_default(), cure);
    }
}

#[test]
fn a_path_stays_one_word_of_a_cure() {
    let mut scene = of(vec![Unit {
        writable: Some(Vec::new()),
        ..unit()
    }]);
    scene.store.real = "/srv/o'$(reboot) %/sessions".into();
    let cure = judge(&scene).cure.unwrap_or_default();
    assert!(
        cure.contains(r#" 'ReadWritePaths="/srv/o'\''$(reboot) %%/sessions"' | sudo tee"#),
        "{cure}"
    );
}

#[test]
fn one_that_is_on_counts_before_one_that_was_forgotten() {
    let forgotten = Unit {
        timer_active: false,
        enabled: "disabled".into(),
        ..unit()
    };
    let both = of(vec![forgotten.clone(), unit(), forgotten.clone()]);
    assert_eq!(judge(&both).status, Status::Ok);
    let odoo = User {
        name: "odoo".into(),
        uid: Some(104),
    };
    let bob = User {
        name: "bob".into(),
        uid: Some(105),
    };
    let mut by_cron = of(vec![forgotten]);
    by_cron.host.cron = vec![line(odoo.clone())];
    assert_eq!(judge(&by_cron).status, Status::Ok);
    // A line of a stranger does not hide the one that works.
    let mut both = of(vec![]);
    both.host.cron = vec![line(bob.clone()), line(odoo)];
    assert_eq!(judge(&both).status, Status::Ok);
    let mut refused = of(vec![]);
    refused.host.cron = vec![line(bob)];
    let finding = judge(&refused);
    assert_eq!(finding.status, Status::Problem);
    assert_eq!(finding.cure, Some("sudoedit /etc/cron.d/x".into()));
}

#[test]
fn nobody_is_cured_by_what_is_there() {
    let cure = |scene: Scene| {
        let finding = judge(&scene);
        (finding.status, finding.cure.unwrap_or_default().to_string())
    };
    let (status, told) = cure(of(vec![]));
    assert_eq!(status, Status::Problem);
    assert!(
        told.contains("| sudo tee -a /etc/default/odoo-session-reaper &&"),
        "{told}"
    );
    assert!(
        told.starts_with("printf '\\n%s\\n' 'ODOO_SESSION_REAPER_DATA_DIR=/srv/my shop'"),
        "{told}"
    );
    let taken = || Unit {
        timer_active: true,
        ..other_unit()
    };
    let (_, told) = cure(of(vec![taken()]));
    assert!(
        told.ends_with("enable --now odoo-session-reaper@myshop.timer"),
        "{told}"
    );
    // An instance runs as the user that it is called like.
    for (owner_name, instance) in [("odoo-17", "odoo-17"), ("erp.shop", "myshop")] {
        let mut owned = of(vec![taken()]);
        owned.store.owner_name = Some(owner_name.to_owned());
        let (_, told) = cure(owned);
        let end = format!("enable --now odoo-session-reaper@{instance}.timer");
        assert!(told.ends_with(&end), "{told}");
    }
    // One of that name works on another data_dir.
    let (_, told) = cure(of(vec![
        taken(),
        Unit {
            name: "odoo-session-reaper@myshop".into(),
            ..other_unit()
        },
    ]));
    assert!(
        told.contains("/etc/default/odoo-session-reaper-myshop2 &&"),
        "{told}"
    );
    let without_units = || {
        let mut scene = of(vec![]);
        scene.host.units = Some(Vec::new());
        scene
    };
    let (status, told) = cure(without_units());
    assert_eq!(status, Status::Problem);
    assert!(
        told.starts_with("printf '\\n%s\\n' '17 * * * * root /")
            && told.ends_with("| sudo tee -a /etc/cron.d/odoo-session-reaper"),
        "{told}"
    );
    assert!(!told.contains("sed"), "{told}");
    let mut percent = without_units();
    percent.store.place.path = "/srv/100%/sessions".into();
    let (_, told) = cure(percent);
    let line = told.split(" | sudo").next().unwrap_or_default();
    let ran = std::process::Command::new("sh").args(["-c", line]).output();
    let ran = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned());
    assert!(
        ran.as_ref()
            .is_ok_and(|it| it.ends_with(" reap --data-dir /srv/100\\%\n")),
        "{ran:?}"
    );
    let mut without_systemd = of(vec![]);
    without_systemd.host.units = None;
    let (status, _) = cure(without_systemd);
    assert_eq!(status, Status::Unknown);
    let mut somebody = of(vec![]);
    somebody.host.root = false;
    let (status, told) = cure(somebody);
    assert_eq!(
        (status, &*told),
        (Status::Unknown, "sudo odoo-session-reaper doctor")
    );
    let refusing = Told {
        store: Err("no such option".into()),
        dry_run: false,
        audit: Vec::new(),
    };
    let finding = judge(&of(vec![Unit {
        name: "x".into(),
        told: Some(refusing),
        ..unit()
    }]));
    assert_eq!(
        finding.evidence,
        "nothing reaps this store; x refuses: no such option"
    );
}

#[test]
fn a_sandbox_lets_in_what_lies_below_its_places() {
    let unit = |writable: Option<&[&str]>, without_homes| Unit {
        user: user(0),
        writable: writable.map(|places| places.iter().map(Into::into).collect()),
        without_homes,
        ..unit()
    };
    let refusal = |unit: &Unit, sessions: &str| {
        let mut scene = of(vec![]);
        scene.store.real = sessions.into();
        let refusal = unit.refusal(&scene.store);
        refusal.map(|Refusal { why, cure }| (why, joined(cure, " ")))
    };
    let read_only = Some((
        "may not write to this store: its sandbox lets it into others only".into(),
        "ReadWritePaths=/srv/sessions".into(),
    ));
    let hidden = Some((
        "does not see this store: its sandbox hides homes".into(),
        "ProtectHome=tmpfs BindPaths=/home/o/sessions".into(),
    ));
    for (writable, without_homes, sessions, refused) in [
        (None, false, "/srv/sessions", None),
        (Some(&["/srv/sessions"][..]), false, "/srv/sessions", None),
        (Some(&["/srv"]), false, "/srv/sessions", None),
        (Some(&["/srv/sess"]), false, "/srv/sessions", read_only),
        (Some(&[]), true, "/home/o/sessions", hidden),
        (Some(&["/home/o"]), true, "/home/o/sessions", None),
    ] {
        let unit = unit(writable, without_homes);
        assert_eq!(refusal(&unit, sessions), refused, "{sessions}");
    }
    let theirs = Unit {
        user: user(105),
        ..unit(None, false)
    };
    let wrong = "runs as user 105, but the store belongs to user 104";
    assert_eq!(
        refusal(&theirs, "/srv"),
        Some((wrong.into(), "User=104".into()))
    );
    let dynamic = Unit {
        user: None,
        ..theirs
    };
    assert_eq!(refusal(&dynamic, "/srv"), None);
}

#[test]
fn a_day_and_a_success_prove_it() {
    let since = |since| {
        of(vec![Unit {
            since: Some(NOW - since),
            ended: None,
            ..unit()
        }])
    };
    let on_since = |secs| Proven::OnSince(Some(Duration::from_secs(secs)));
    for (mut scene, success, proven) in [
        (since(9 * DAY), Some(NOW - 720), Proven::Yes),
        (since(9 * DAY), None, Proven::OnSince(None)),
        (since(600), Some(NOW - 300), on_since(600)),
        (since(600), None, Proven::OnSince(None)),
        // The timer began anew with the last boot, and has been on for longer.
        (since(600), Some(NOW - 2 * DAY), Proven::Yes),
        (of(vec![]), None, Proven::Yes),
    ] {
        scene.journal.success = success;
        assert_eq!(super::proven(&scene.case()), proven);
    }
}
