//! Who reaps, whether he would be let in, and how long that has been so.

use std::path::PathBuf;
use std::time::Duration;

use super::super::host::told::Told;
use super::*;

const HOUR: i64 = 3_600;
const NOW: i64 = 1_795_292_998;

fn unit() -> Unit {
    Unit {
        name: "odoo-session-reaper@shop".into(),
        enabled: "enabled".into(),
        timer_active: true,
        since: Some(NOW - 9 * DAY),
        next: Some(NOW + HOUR),
        result: "success".into(),
        ended: Some(NOW - 720),
        ..Unit::default()
    }
}

fn refused(refusal: Refusal) -> Seen {
    Seen {
        refusal: Some(refusal),
        ..seen(unit())
    }
}

fn seen(unit: Unit) -> Seen {
    Seen {
        unit,
        refusal: None,
    }
}

fn of(units: Vec<Seen>) -> Evidence {
    Evidence {
        now: NOW,
        units,
        cron: Vec::new(),
        installed: Some(true),
        default_is_taken: false,
        names: vec!["odoo-session-reaper".into()],
        refusing: Vec::new(),
        data_dir: "/srv/my shop".into(),
        sessions: "/srv/my shop/sessions".into(),
        unit_path: redact::unit_path(Path::new("/srv/my shop/sessions")),
        owner: Some(104),
        owner_name: None,
        root: true,
    }
}

#[test]
fn a_unit_is_on_or_is_told_what_is_wrong_with_it() {
    for (unit, status, told, cure) in [
        (
            seen(unit()),
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run succeeded 12 minutes ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            seen(Unit {
                ended: None,
                last: Some(NOW - DAY),
                ..unit()
            }),
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run began 1 day ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            seen(Unit {
                ended: None,
                next: None,
                ..unit()
            }),
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; no run yet",
            "",
        ),
        (
            seen(Unit {
                timer_active: false,
                enabled: "disabled".into(),
                ..unit()
            }),
            Status::Problem,
            "odoo-session-reaper@shop.timer is off",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            seen(Unit {
                timer_active: false,
                enabled: String::new(),
                ..unit()
            }),
            Status::Problem,
            "odoo-session-reaper@shop.timer is off",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            seen(Unit {
                enabled: "enabled-runtime".into(),
                ..unit()
            }),
            Status::Problem,
            "odoo-session-reaper@shop.timer is off after the next boot",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            seen(Unit {
                status: 75,
                ..unit()
            }),
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run was stopped before its end, exit code 75, 12 minutes ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            seen(Unit {
                result: "timeout".into(),
                ..unit()
            }),
            Status::Problem,
            "odoo-session-reaper@shop.service failed: timeout, 12 minutes ago",
            "sudo journalctl -n 20 -u odoo-session-reaper@shop    # says why; then: sudo systemctl start odoo-session-reaper@shop",
        ),
        (
            seen(Unit {
                told: Some(Told {
                    sessions: Ok("/srv".into()),
                    dry_run: true,
                    audit: Vec::new(),
                }),
                ..unit()
            }),
            Status::Problem,
            "odoo-session-reaper@shop.service is told to delete nothing (dry run)",
            "sudoedit /etc/default/odoo-session-reaper-shop",
        ),
        (
            refused(Refusal::WrongUser("odoo".into(), 104)),
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
    let unit_path = redact::unit_path(Path::new("/srv/o'$(reboot) %/sessions"));
    let finding = judge(&Evidence {
        unit_path,
        ..of(vec![refused(Refusal::ReadOnly)])
    });
    let cure = finding.cure.unwrap_or_default();
    assert!(
        cure.contains(r#" 'ReadWritePaths="/srv/o'\''$(reboot) %%/sessions"' | sudo tee"#),
        "{cure}"
    );
}

#[test]
fn one_that_is_on_counts_before_one_that_was_forgotten() {
    let forgotten = seen(Unit {
        timer_active: false,
        enabled: "disabled".into(),
        ..unit()
    });
    assert_eq!(
        judge(&of(vec![
            forgotten.clone(),
            seen(unit()),
            forgotten.clone()
        ]))
        .status,
        Status::Ok
    );
    let cron = Cron {
        file: "/etc/cron.d/x".into(),
        user: "odoo".into(),
        refusal: None,
    };
    let by_cron = Evidence {
        cron: vec![cron.clone()],
        ..of(vec![forgotten])
    };
    assert_eq!(judge(&by_cron).status, Status::Ok);
    let refused = Cron {
        refusal: Some(Refusal::WrongUser("bob".into(), 104)),
        ..cron
    };
    // A line of a stranger does not hide the one that works.
    let both = Evidence {
        cron: vec![refused.clone(), by_cron.cron[0].clone()],
        ..of(vec![])
    };
    assert_eq!(judge(&both).status, Status::Ok);
    let finding = judge(&Evidence {
        cron: vec![refused],
        ..of(vec![])
    });
    assert_eq!(finding.status, Status::Problem);
    assert_eq!(finding.cure, Some("sudoedit /etc/cron.d/x".into()));
}

#[test]
fn nobody_is_cured_by_what_is_there() {
    let cure = |evidence: Evidence| {
        let finding = judge(&evidence);
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
    let (_, told) = cure(Evidence {
        default_is_taken: true,
        ..of(vec![])
    });
    assert!(
        told.ends_with("enable --now odoo-session-reaper@myshop.timer"),
        "{told}"
    );
    // An instance runs as the user that it is called like.
    for (owner_name, instance) in [("odoo-17", "odoo-17"), ("erp.shop", "myshop")] {
        let (_, told) = cure(Evidence {
            default_is_taken: true,
            owner_name: Some(owner_name.to_owned()),
            ..of(vec![])
        });
        let end = format!("enable --now odoo-session-reaper@{instance}.timer");
        assert!(told.ends_with(&end), "{told}");
    }
    // One of that name works on another data_dir.
    let (_, told) = cure(Evidence {
        default_is_taken: true,
        names: vec!["odoo-session-reaper@myshop".into()],
        ..of(vec![])
    });
    assert!(
        told.contains("/etc/default/odoo-session-reaper-myshop2 &&"),
        "{told}"
    );
    let (status, told) = cure(Evidence {
        installed: Some(false),
        ..of(vec![])
    });
    assert_eq!(status, Status::Problem);
    assert!(
        told.starts_with("printf '\\n%s\\n' '17 * * * * root /")
            && told.ends_with("| sudo tee -a /etc/cron.d/odoo-session-reaper"),
        "{told}"
    );
    assert!(!told.contains("sed"), "{told}");
    let (_, told) = cure(Evidence {
        data_dir: "/srv/100%".into(),
        installed: Some(false),
        ..of(vec![])
    });
    let line = told.split(" | sudo").next().unwrap_or_default();
    let ran = std::process::Command::new("sh").args(["-c", line]).output();
    let ran = ran.map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned());
    assert!(
        ran.as_ref()
            .is_ok_and(|it| it.ends_with(" reap --data-dir /srv/100\\%\n")),
        "{ran:?}"
    );
    let (status, _) = cure(Evidence {
        installed: None,
        ..of(vec![])
    });
    assert_eq!(status, Status::Unknown);
    let (status, told) = cure(Evidence {
        root: false,
        ..of(vec![])
    });
    assert_eq!(
        (status, &*told),
        (Status::Unknown, "sudo odoo-session-reaper doctor")
    );
    let refusing = vec![("x".into(), "no such option".into())];
    let finding = judge(&Evidence {
        refusing,
        ..of(vec![])
    });
    assert_eq!(
        finding.evidence,
        "nothing reaps this store; x refuses: no such option"
    );
}

#[test]
fn a_sandbox_lets_in_what_lies_below_its_places() {
    let unit = |writable: Option<&[&str]>, without_homes| Unit {
        user: "0".to_owned(),
        writable: writable.map(|places| places.iter().map(PathBuf::from).collect()),
        without_homes,
        ..Unit::default()
    };
    for (writable, without_homes, sessions, refused) in [
        (None, false, "/srv/sessions", None),
        (Some(&["/srv/sessions"][..]), false, "/srv/sessions", None),
        (Some(&["/srv"]), false, "/srv/sessions", None),
        (
            Some(&["/srv/sess"]),
            false,
            "/srv/sessions",
            Some(Refusal::ReadOnly),
        ),
        (Some(&[]), true, "/home/o/sessions", Some(Refusal::Hidden)),
        (Some(&["/home/o"]), true, "/home/o/sessions", None),
    ] {
        let unit = unit(writable, without_homes);
        assert_eq!(
            refusal(&unit, Path::new(sessions), Some(104)),
            refused,
            "{sessions}"
        );
    }
    let theirs = Unit {
        user: "105".to_owned(),
        ..unit(None, false)
    };
    assert_eq!(
        refusal(&theirs, Path::new("/srv"), Some(104)),
        Some(Refusal::WrongUser("105".into(), 104))
    );
    let dynamic = Unit {
        dynamic_user: true,
        ..theirs
    };
    assert_eq!(refusal(&dynamic, Path::new("/srv"), Some(104)), None);
}

#[test]
fn a_day_and_a_success_prove_it() {
    let since = |since| {
        of(vec![seen(Unit {
            since: Some(NOW - since),
            ..unit()
        })])
    };
    let on_since = |secs| Proven::OnSince(Some(Duration::from_secs(secs)));
    for (evidence, success, proven) in [
        (since(9 * DAY), Some(NOW - 720), Proven::Yes),
        (since(9 * DAY), None, Proven::OnSince(None)),
        (since(600), Some(NOW - 300), on_since(600)),
        (since(600), None, Proven::OnSince(None)),
        // The timer began anew with the last boot, and has been on for longer.
        (since(600), Some(NOW - 2 * DAY), Proven::Yes),
        (of(vec![]), None, Proven::Yes),
    ] {
        assert_eq!(super::proven(&evidence, success), proven);
    }
}
