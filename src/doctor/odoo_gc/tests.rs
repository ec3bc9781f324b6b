//! What each version, each server and the pile say.

use super::*;

#[test]
fn each_version_takes_its_own_texts_for_off() {
    let off = Gc::Off;
    let unset = Gc::On(Why::Unset);
    for (version, knows, value, gc) in [
        (14, true, Some("1"), &off),
        (14, true, Some("TRUE"), &off),
        (15, true, Some("on"), &off),
        (15, true, Some("0"), &Gc::On(Why::SaysNo)),
        (15, true, Some("off"), &Gc::On(Why::SaysNo)),
        (15, true, None, &unset),
        (15, false, Some("1"), &Gc::On(Why::NoSwitch)),
        (13, false, Some("1"), &Gc::On(Why::NoSwitch)),
        (16, true, Some("0"), &off),
        (18, true, Some("no"), &off),
        (19, true, Some(""), &unset),
        (19, true, None, &unset),
        (17, false, Some("1"), &Gc::On(Why::NoSwitch)),
    ] {
        assert_eq!(
            &switched((version, 0), knows, value),
            gc,
            "{version} {value:?}"
        );
    }
    for wrong in ["", "ja"] {
        assert!(matches!(
            switched((15, 0), true, Some(wrong)),
            Gc::Untold(_)
        ));
    }
}

fn one(version: u32, gc: Gc) -> Server {
    Server {
        pid: 7,
        version: Some((version, 0)),
        gc,
        restart_pending: false,
        unit: Some("odoo.service".into()),
        unit_sets_it: false,
    }
}

fn seen(servers: Vec<Server>) -> Evidence {
    Evidence {
        servers,
        dark: 0,
        hidden: false,
        root: true,
        pile: Pile::Silent,
        drop_in: true,
    }
}

#[test]
fn it_is_off_only_if_all_are() {
    let off = one(18, Gc::Off);
    let on = one(18, Gc::On(Why::Unset));
    let untold = one(18, Gc::Untold("x".into()));
    for (servers, status) in [
        (vec![off.clone()], Status::Ok),
        (vec![off.clone(), on.clone()], Status::Problem),
        (vec![untold.clone(), on], Status::Problem),
        (vec![off.clone(), untold], Status::Unknown),
        (vec![], Status::Unknown),
    ] {
        assert_eq!(judge(&seen(servers)).status, status);
    }
    let dark = Evidence {
        dark: 1,
        ..seen(vec![off.clone()])
    };
    assert_eq!(judge(&dark).status, Status::Unknown);
    let hidden = Evidence {
        hidden: true,
        root: false,
        ..seen(vec![off.clone()])
    };
    assert_eq!(judge(&hidden).status, Status::Unknown);
    assert_eq!(
        judge(&hidden).cure,
        Some("sudo odoo-session-reaper doctor".into())
    );
    let pending = Server {
        restart_pending: true,
        ..off
    };
    let finding = judge(&seen(vec![pending]));
    assert_eq!(finding.status, Status::Warning);
    assert!(
        finding.evidence.contains("restart pending"),
        "{}",
        finding.evidence
    );
    assert_eq!(
        finding.cure,
        Some("sudo systemctl restart odoo.service".into())
    );
}

#[test]
fn the_pile_speaks_where_it_can() {
    let of = |server, pile| {
        judge(&Evidence {
            pile,
            ..seen(vec![server])
        })
    };
    let without = one(17, Gc::On(Why::NoSwitch));
    assert_eq!(of(without.clone(), Pile::Silent).status, Status::Problem);
    let finding = of(without, Pile::Old(40));
    assert_eq!(finding.status, Status::Ok);
    assert!(finding.evidence.contains("40 files older than 14 days"));
    assert_eq!(
        of(one(17, Gc::On(Why::Unset)), Pile::Old(40)).status,
        Status::Problem
    );
    assert_eq!(of(one(17, Gc::Off), Pile::Cut).status, Status::Warning);
    assert!(
        of(one(17, Gc::Off), Pile::Silent)
            .evidence
            .contains("the pile cannot tell")
    );
}

#[test]
fn the_cure_is_that_of_the_version_and_of_what_started_it() {
    let cure = |server| {
        judge(&seen(vec![server]))
            .cure
            .unwrap_or_default()
            .to_string()
    };
    let unset = Gc::On(Why::Unset);
    assert_eq!(
        cure(one(18, unset.clone())),
        "sudo mkdir -p /etc/systemd/system/odoo.service.d && sudo ln -sf \
         /usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf /etc/systemd/system/odoo.service.d/ && \
         sudo systemctl daemon-reload && sudo systemctl restart odoo.service"
    );
    let without_unit = Server {
        unit: None,
        ..one(15, unset.clone())
    };
    assert!(cure(without_unit).contains("ODOO_DISABLE_SESSION_GC=1"));
    let told = Server {
        unit_sets_it: true,
        ..one(18, unset)
    };
    assert_eq!(cure(told), "sudo systemctl restart odoo.service");
    assert!(cure(one(17, Gc::On(Why::NoSwitch))).contains("315360000"));
    assert!(cure(one(13, Gc::On(Why::NoSwitch))).contains("no switch"));
}
