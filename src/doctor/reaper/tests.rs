//! Who reaps, whether he would be let in, and how long that has been so.

use std::path::PathBuf;
use std::time::Duration;

use super::*;

const HOUR: i64 = 3_600;
const NOW: i64 = 1_795_292_998;

fn unit() -> Seen {
    Seen {
        name: "odoo-session-reaper@shop".into(),
        enabled: "enabled".into(),
        active: true,
        since: Some(NOW - 9 * DAY),
        next: Some(NOW + HOUR),
        result: "success".into(),
        status: 0,
        ended: Some(NOW - 720),
        last: None,
        dry_run: false,
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
        refusing: Vec::new(),
        data_dir: "/srv/my shop".into(),
        sessions: "/srv/my shop/sessions".into(),
        unit_path: redact::unit_path(Path::new("/srv/my shop/sessions")),
        owner: Some(104),
        root: true,
    }
}

#[test]
fn a_unit_is_on_or_is_told_what_is_wrong_with_it() {
    let wrong_user = Refusal::WrongUser("odoo".into(), 104);
    for (unit, status, told, cure) in [
        (
            unit(),
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run succeeded 12 minutes ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            Seen {
                ended: None,
                last: Some(NOW - DAY),
                ..unit()
            },
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; last run began 1 day ago, next at 2026-11-21 21:29 UTC",
            "",
        ),
        (
            Seen {
                ended: None,
                next: None,
                ..unit()
            },
            Status::Ok,
            "odoo-session-reaper@shop.timer is on; no run yet",
            "",
        ),
        (
            Seen {
                active: false,
                enabled: "disabled".into(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.timer is off",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            Seen {
                active: false,
                enabled: Shown::default(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.timer is off",
            "sudo systemctl enable --now odoo-session-reaper@shop.timer",
        ),
        (
            Seen {
                result: "timeout".into(),
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.service failed: timeout, 12 minutes ago",
            "sudo journalctl -n 20 -u odoo-session-reaper@shop    # says why; then: sudo systemctl start odoo-session-reaper@shop",
        ),
        (
            Seen {
                dry_run: true,
                ..unit()
            },
            Status::Problem,
            "odoo-session-reaper@shop.service is told to delete nothing (dry run)",
            "sudoedit /etc/default/odoo-session-reaper-shop",
        ),
        (
            Seen {
                refusal: Some(wrong_user),
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
    let unit_path = redact::unit_path(Path::new("/srv/o'$(reboot) %/sessions"));
    let refused = Seen {
        refusal: Some(Refusal::ReadOnly),
        ..unit()
    };
    let finding = judge(&Evidence {
        unit_path,
        ..of(vec![refused])
    });
    let cure = finding.cure.unwrap_or_default();
    assert!(
        cure.contains(r#" 'ReadWritePaths="/srv/o'\''$(reboot) %%/sessions"' | sudo tee"#),
        "{cure}"
    );
}

#[test]
fn one_that_is_on_counts_before_one_that_was_forgotten() {
    let forgotten = Seen {
        active: false,
        enabled: "disabled".into(),
        ..unit()
    };
    assert_eq!(
        judge(&of(vec![forgotten.clone(), unit(), forgotten.clone()])).status,
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
        told.contains("'ODOO_SESSION_REAPER_DATA_DIR=/srv/my shop'"),
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
    let (status, told) = cure(Evidence {
        installed: Some(false),
        ..of(vec![])
    });
    assert_eq!(status, Status::Problem);
    assert!(
        told.ends_with("| sudo tee /etc/cron.d/odoo-session-reaper"),
        "{told}"
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
        of(vec![Seen {
            since: Some(NOW - since),
            ..unit()
        }])
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
