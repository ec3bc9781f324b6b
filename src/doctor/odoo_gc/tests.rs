//! What each version, each server and the pile say.

use serde_json::json;

use super::super::finding::Status;
use super::super::tests::Scene;
use super::*;

#[test]
fn each_version_takes_its_own_texts_for_off() {
    let off = Gc::Off;
    let unset = Gc::Unset;
    for (version, knows, value, gc) in [
        (14, true, Some("1"), &off),
        (14, true, Some("TRUE"), &off),
        (15, true, Some("on"), &off),
        (15, true, Some("0"), &Gc::SaysNo),
        (15, true, Some("off"), &Gc::SaysNo),
        (15, true, None, &unset),
        (15, false, Some("1"), &Gc::NoSwitch),
        (13, false, Some("1"), &Gc::NoSwitch),
        (16, true, Some("0"), &off),
        (18, true, Some("no"), &off),
        (19, true, Some(""), &unset),
        (19, true, None, &unset),
        (17, false, Some("1"), &Gc::NoSwitch),
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

/// A server, and what it says of its garbage collection.
fn one(version: u32, gc: Gc) -> Master {
    let switch = match gc {
        Gc::Off => Some("1"),
        _ => None,
    };
    let mut server = Master::fake(version, switch);
    if let Some(seen) = &mut server.seen {
        seen.without_environment = matches!(gc, Gc::Untold(_));
        if let Some(source) = &mut seen.source {
            source.knows_switch = gc != Gc::NoSwitch;
        }
    }
    server
}

fn seen(servers: Vec<Master>) -> Scene {
    let mut scene = Scene::new(json!({}));
    scene.host.masters = servers;
    scene.host.root = true;
    scene.host.has_drop_in = true;
    scene
}

fn judge(scene: &Scene) -> Finding {
    judged(&scene.case(), Pile::Silent)
}

#[test]
fn it_is_off_only_if_all_are() {
    let off = one(18, Gc::Off);
    let on = one(18, Gc::Unset);
    let untold = one(18, Gc::Untold("x"));
    for (servers, status) in [
        (vec![off.clone()], Status::Ok),
        (vec![off.clone(), on.clone()], Status::Problem),
        (vec![untold.clone(), on], Status::Problem),
        (vec![off.clone(), untold], Status::Unknown),
        (vec![], Status::Unknown),
    ] {
        assert_eq!(judge(&seen(servers)).status, status);
    }
    let closed = Master {
        seen: None,
        ..off.clone()
    };
    let dark = seen(vec![off.clone(), closed]);
    assert_eq!(judge(&dark).status, Status::Unknown);
    let mut hidden = seen(vec![off.clone()]);
    hidden.host.hidden = true;
    hidden.host.root = false;
    assert_eq!(judge(&hidden).status, Status::Unknown);
    assert_eq!(
        judge(&hidden).cure,
        Some("sudo odoo-session-reaper doctor".into())
    );
    let mut pending = off;
    if let Some(source) = pending.seen.as_mut().and_then(|it| it.source.as_mut()) {
        source.changed = 600;
    }
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
    let of = |server, pile| judged(&seen(vec![server]).case(), pile);
    let without = one(17, Gc::NoSwitch);
    assert_eq!(of(without.clone(), Pile::Silent).status, Status::Problem);
    let finding = of(without, Pile::Old(40));
    assert_eq!(finding.status, Status::Ok);
    assert!(finding.evidence.contains("40 files older than 14 days"));
    assert_eq!(
        of(one(17, Gc::Unset), Pile::Old(40)).status,
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
    let unset = Gc::Unset;
    assert_eq!(
        cure(one(18, unset.clone())),
        "sudo mkdir -p /etc/systemd/system/odoo.service.d && sudo ln -sf \
         /usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf /etc/systemd/system/odoo.service.d/ && \
         sudo systemctl daemon-reload && sudo systemctl restart odoo.service"
    );
    let without_unit = Master {
        unit: None,
        ..one(15, unset.clone())
    };
    assert!(cure(without_unit).contains("ODOO_DISABLE_SESSION_GC=1"));
    let told = Master {
        unit_sets_switch: true,
        ..one(18, unset)
    };
    assert_eq!(cure(told), "sudo systemctl restart odoo.service");
    assert!(cure(one(17, Gc::NoSwitch)).contains("315360000"));
    assert!(cure(one(13, Gc::NoSwitch)).contains("no switch"));
}
