#![allow(clippy::unwrap_used)]

use super::*;

const UNIT: &str = "odoo-session-reaper@shop.service";

fn said(path: &str, bind: &str, errno: Errno, closed: bool) -> String {
    cure(UNIT, Path::new(path), bind, errno, |_| closed).unwrap_or_default()
}

/// What is between backquotes: what the administrator types.
fn typed(advice: &str) -> Vec<&str> {
    advice.split('`').skip(1).step_by(2).collect()
}

const EDIT: &str = "systemctl edit odoo-session-reaper@shop.service";

#[test]
fn lets_a_hidden_home_in() {
    for (errno, closed) in [(Errno::ACCESS, true), (Errno::NOENT, false)] {
        let advice = said("/home/odoo/data/sessions", DELETING, errno, closed);
        assert_eq!(
            typed(&advice),
            [
                EDIT,
                "[Service]",
                "ProtectHome=tmpfs",
                "BindPaths=/home/odoo/data/sessions"
            ]
        );
    }
    let advice = said("/home/erp/odoo.conf", READING, Errno::ACCESS, true);
    assert_eq!(
        typed(&advice)[2..],
        ["ProtectHome=tmpfs", "BindReadOnlyPaths=/home/erp/odoo.conf"]
    );
}

#[test]
fn lets_a_hidden_temporary_directory_in() {
    let advice = said("/var/tmp/odoo/sessions", DELETING, Errno::NOENT, false);
    assert_eq!(
        typed(&advice),
        [EDIT, "[Service]", "BindPaths=/var/tmp/odoo/sessions"]
    );
}

#[test]
fn names_the_user_where_the_permission_is_missing() {
    for path in ["/srv/erp/sessions", "/home/odoo/data/sessions"] {
        let advice = said(path, DELETING, Errno::ACCESS, false);
        assert_eq!(typed(&advice), [EDIT, "[Service]", "User=NAME"], "{path}");
    }
}

#[test]
fn names_the_template_where_the_place_has_the_name_of_the_instance() {
    const TEMPLATE: &str = "systemctl edit odoo-session-reaper@.service";
    let shared = |path: &str, written: &str| {
        let advice = drop_in(UNIT, &[("ReadWritePaths=", Some(Path::new(path)))]);
        assert_eq!(typed(&advice), [TEMPLATE, "[Service]", written]);
    };
    shared("/data/shop/sessions", "ReadWritePaths=-/data/%i/sessions");
    shared(
        "/erp/odooshop/x-shop/sessions",
        "ReadWritePaths=-/erp/odoo%i/x-%i/sessions",
    );
    let advice = said("/home/shop/data/sessions", DELETING, Errno::NOENT, false);
    assert_eq!(
        typed(&advice),
        [
            TEMPLATE,
            "[Service]",
            "ProtectHome=tmpfs",
            "BindPaths=-/home/%i/data/sessions"
        ]
    );
    // Another's name that only ends alike, a path that needs quotes or doubled signs, a unit that is no instance's.
    for (unit, path) in [
        (UNIT, "/data/workshop/sessions"),
        (UNIT, "/my data/shop/sessions"),
        (UNIT, "/100%/shop/sessions"),
        ("odoo-session-reaper.service", "/data/shop/sessions"),
        ("odoo-session-reaper@a\\x2db.service", "/data/a-b/sessions"),
    ] {
        let advice = drop_in(unit, &[("ReadWritePaths=", Some(Path::new(path)))]);
        assert_eq!(typed(&advice)[0], format!("systemctl edit {unit}"));
        assert!(!advice.contains("%i"), "{advice}");
    }
}

#[test]
fn is_silent_where_the_sandbox_is_no_likely_reason() {
    assert_eq!(said("/srv/erp/sessions", DELETING, Errno::NOENT, false), "");
    assert_eq!(said("/srv/erp/sessions", DELETING, Errno::IO, false), "");
}

#[test]
fn quotes_a_path_as_systemd_reads_it() {
    let quoted = |path: &str| redact::unit_path(Path::new(path)).unwrap_or_default();
    assert_eq!(quoted("/srv/erp/sessions"), "/srv/erp/sessions");
    assert_eq!(quoted("/srv/été/sessions"), "/srv/été/sessions");
    assert_eq!(quoted("/srv/my erp/sessions"), r#""/srv/my erp/sessions""#);
    assert_eq!(quoted("/srv/100%b/sessions"), "/srv/100%%b/sessions");
    assert_eq!(
        quoted(r#"/srv/a"b\c:d/sessions"#),
        r#""/srv/a\"b\\c:d/sessions""#
    );
    // It would be shown in escapes, so that what is typed would be wrong.
    assert_eq!(quoted("/srv/a\nb/sessions"), "");
}

#[test]
fn follows_links_as_far_as_they_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, dir.join(name)).unwrap();
    link("/home/nobody-here/data", "data");
    link("data/odoo/../Odoo", "relative");
    link("circle", "circle");
    assert_eq!(
        leads_to(&dir.join("relative/sessions")),
        Path::new("/home/nobody-here/data/Odoo/sessions")
    );
    assert_eq!(
        leads_to(&dir.join("plain/sessions")),
        dir.join("plain/sessions")
    );
    assert_eq!(
        leads_to(&dir.join("circle/sessions")),
        dir.join("circle/sessions")
    );
}

#[test]
fn tells_a_read_only_file_system_from_a_read_only_mount() {
    let mounts = b"22 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n\
        30 22 8:2 / /srv ro,relatime shared:2 - ext4 /dev/sdb1 ro\n\
        31 30 8:3 / /srv/my\\040erp ro - ext4 /dev/sdc1 rw\n\
        32 22 8:4 / /mnt rw - ext4 /dev/sdd1 rw\n\
        33 32 8:5 / /mnt ro - squashfs /dev/loop0 ro,errors=continue\n";
    let read_only = |path: &str| file_system_is_read_only(mounts, Path::new(path));
    assert!(!read_only("/var/lib/odoo/sessions"));
    assert!(read_only("/srv/odoo/sessions"));
    assert!(!read_only("/srv/my erp/sessions"));
    assert!(!read_only("/srvother/sessions"));
    assert!(read_only("/mnt/sessions"));
    assert!(!file_system_is_read_only(b"", Path::new("/srv/sessions")));
}
