//! Real processes: Odoos that do nothing, started in every way that Odoo is.

use crate::scene::{OLD, Scene};
use crate::testenv::{USER, is_root, skipped};

const OLD_SWITCH: &str = "ODOO_DISABLE_SESSION_GC";
const NEW_SWITCH: &str = "ODOO_SKIP_GC_SESSIONS";

const PLAIN: &str = "start python3 src/odoo-bin -c odoo.conf";

#[test]
fn each_version_has_its_own_switch() {
    for (version, knows, variables, status, evidence) in [
        (
            "14, 0",
            OLD_SWITCH,
            "ODOO_DISABLE_SESSION_GC=1",
            "ok",
            "(14.0) has ODOO_DISABLE",
        ),
        (
            "15, 0",
            OLD_SWITCH,
            "ODOO_DISABLE_SESSION_GC=off",
            "problem",
            "which says no",
        ),
        (
            "15, 0",
            OLD_SWITCH,
            "ODOO_SKIP_GC_SESSIONS=1",
            "problem",
            "has no ODOO_DISABLE",
        ),
        (
            "16, 0",
            NEW_SWITCH,
            "ODOO_SKIP_GC_SESSIONS=0",
            "ok",
            "(16.0) has ODOO_SKIP",
        ),
        (
            "17, 0",
            "nothing",
            "ODOO_SKIP_GC_SESSIONS=1",
            "problem",
            "does not know",
        ),
        (
            "18, 0",
            NEW_SWITCH,
            "ODOO_SKIP_GC_SESSIONS=",
            "problem",
            "has no ODOO_SKIP",
        ),
        (
            "'saas~18', 2",
            NEW_SWITCH,
            "ODOO_SKIP_GC_SESSIONS=no",
            "ok",
            "(18.2) has",
        ),
        ("19, 0", NEW_SWITCH, "X=1", "problem", "has no ODOO_SKIP"),
    ] {
        let Some(scene) = Scene::new("each_version_has_its_own_switch", version, knows) else {
            return;
        };
        let found = scene.doctor(&format!(
            "start env {variables} python3 src/odoo-bin -c odoo.conf"
        ));
        let (gc, told, cure) = found.of("odoo-gc");
        assert_eq!(
            (gc, told.contains(evidence)),
            (status, true),
            "{version} {variables}: {found:?}"
        );
        assert_eq!(cure.is_empty(), status == "ok");
        assert_eq!(found.status("odoo"), "ok");
    }
}

#[test]
fn the_switch_is_looked_for_in_every_file_that_may_have_it() {
    let test = "the_switch_is_looked_for_in_every_file_that_may_have_it";
    for file in ["odoo/http/session.py", "odoo/addons/base/models/ir_http.py"] {
        let Some(scene) = Scene::new(test, "17, 0", "nothing") else {
            return;
        };
        scene.file(
            &format!("src/{file}"),
            "os.getenv('ODOO_SKIP_GC_SESSIONS')\n",
        );
        let start = "start env ODOO_SKIP_GC_SESSIONS=1 python3 src/odoo-bin -c odoo.conf";
        assert_eq!(scene.doctor(start).status("odoo-gc"), "ok", "{file}");
    }
}

#[test]
fn a_data_dir_is_found_in_every_way_that_odoo_finds_it() {
    let test = "a_data_dir_is_found_in_every_way_that_odoo_finds_it";
    let Some(scene) = Scene::new(test, "19, 0", NEW_SWITCH) else {
        return;
    };
    scene.file("home/.odoorc", "[options]\ndata_dir = ~/../data\n");
    scene.file(
        "old/.openerp_serverrc",
        "[options]\ndata_dir = $HOME/../data\n",
    );
    scene.file("wrong.conf", "[options]\ndata_dir = /nowhere\n");
    std::fs::create_dir_all(scene.path("xdg")).unwrap();
    std::os::unix::fs::symlink("../data", scene.path("xdg/Odoo")).unwrap();
    for start in [
        "start python3 src/odoo-bin -codoo.conf",
        "start python3 src/odoo-bin --config=odoo.conf",
        "start python3 src/odoo-bin --config odoo.conf --workers 2",
        "start python3 src/odoo-bin server -c odoo.conf",
        "start python3 -u -W ignore -X dev src/odoo-bin -c odoo.conf",
        "start python3 src/odoo-bin -D data -c wrong.conf",
        "start python3 src/odoo-bin --data-dir=data",
        "start env ODOO_RC=odoo.conf python3 src/odoo-bin",
        "start env OPENERP_SERVER=odoo.conf python3 src/odoo-bin",
        "start env HOME=$SCENE/home python3 src/odoo-bin",
        "start env HOME=$SCENE/old python3 src/odoo-bin",
        "start env ODOO_DATA_DIR=$SCENE/data python3 src/odoo-bin -c wrong.conf",
        "start env HOME=$SCENE XDG_DATA_HOME=$SCENE/xdg python3 src/odoo-bin",
    ] {
        let found = scene.doctor(start);
        assert_eq!(found.status("odoo"), "ok", "{start}: {found:?}");
    }
    let found = scene.doctor("start python3 src/odoo-bin -c wrong.conf");
    let (status, told, _) = found.of("odoo");
    assert_eq!(status, "warning");
    assert!(
        told.starts_with("no running Odoo uses this store: Odoo 19.0 (process ")
            && told.ends_with("data_dir /nowhere"),
        "{told}"
    );
    assert_eq!(found.status("odoo-gc"), "unknown");
}

#[test]
fn before_19_no_variable_names_the_data_dir() {
    let Some(scene) = Scene::new(
        "before_19_no_variable_names_the_data_dir",
        "18, 0",
        NEW_SWITCH,
    ) else {
        return;
    };
    let start = "start env ODOO_DATA_DIR=/nowhere python3 src/odoo-bin -c odoo.conf";
    assert_eq!(scene.doctor(start).status("odoo"), "ok");
}

#[test]
fn the_source_is_found_where_python_finds_it() {
    let test = "the_source_is_found_where_python_finds_it";
    let Some(scene) = Scene::new(test, "1, 0", "nothing") else {
        return;
    };
    std::fs::remove_dir_all(scene.path("src/odoo")).unwrap();
    scene.source("elsewhere", "18, 0", NEW_SWITCH);
    let package = scene.path("elsewhere");
    let package = package.display();
    let start = "start env ODOO_SKIP_GC_SESSIONS=1 venv/bin/python3 src/odoo-bin -c odoo.conf";
    let python = std::process::Command::new("sh")
        .args(["-c", "PATH=/usr/bin:/bin:$PATH; command -v python3"])
        .output()
        .unwrap();
    let python = String::from_utf8(python.stdout).unwrap();
    std::fs::create_dir_all(scene.path("venv/bin")).unwrap();
    std::os::unix::fs::symlink(python.trim(), scene.path("venv/bin/python3")).unwrap();
    let real = std::fs::canonicalize(python.trim()).unwrap();
    let home = real.parent().unwrap().display();
    let version = real.file_name().unwrap().to_string_lossy();
    let site = format!("venv/lib/{version}/site-packages");
    // What was left of another Python is not what runs.
    scene.source("venv/lib/python3.0/site-packages", "18, 0", NEW_SWITCH);
    scene.file("venv/pyvenv.cfg", &format!("home = {home}\n"));

    let found = scene.doctor(start);
    assert_eq!(found.of("odoo-gc").0, "unknown", "{found:?}");
    assert!(found.of("odoo-gc").1.contains("its source was not found"));
    for (file, text) in [
        ("odoo.pth", format!("{package}\n")),
        ("odoo.egg-link", format!("{package}\n.\n")),
        (
            "__editable___odoo_finder.py",
            format!("MAPPING = {{'odoo': '{package}/odoo'}}\n"),
        ),
    ] {
        let file = format!("{site}/{file}");
        scene.file(&file, &text);
        assert_eq!(scene.doctor(start).status("odoo-gc"), "ok", "{file}");
        std::fs::remove_file(scene.path(&file)).unwrap();
    }
    let start = start.replace("ODOO_SKIP_GC", "PYTHONPATH=elsewhere ODOO_SKIP_GC");
    assert_eq!(scene.doctor(&start).status("odoo-gc"), "ok");
    // A script in a `bin` is a link; Python goes by where it leads.
    std::os::unix::fs::symlink("../src/odoo-bin", scene.path("venv/odoo")).unwrap();
    scene.source("src", "18, 0", NEW_SWITCH);
    let start = "start env ODOO_SKIP_GC_SESSIONS=1 python3 venv/../venv/odoo -c odoo.conf";
    let start = start.replace("venv/../venv/odoo", "bin/odoo");
    std::fs::create_dir_all(scene.path("bin")).unwrap();
    std::os::unix::fs::symlink("../src/odoo-bin", scene.path("bin/odoo")).unwrap();
    assert_eq!(scene.doctor(&start).status("odoo-gc"), "ok");
}

#[test]
fn it_is_off_only_if_it_is_off_in_all_masters_of_the_store() {
    let test = "it_is_off_only_if_it_is_off_in_all_masters_of_the_store";
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    let off = "start env ODOO_SKIP_GC_SESSIONS=1 python3 src/odoo-bin -c odoo.conf";
    let found = scene.doctor(&format!("{off}\n{PLAIN}\n{off}"));
    let (status, told, _) = found.of("odoo-gc");
    assert_eq!(
        (status, told.matches("has no ODOO_SKIP").count()),
        ("problem", 1),
        "{told}"
    );
    assert_eq!(found.of("odoo").1.matches("Odoo 18.0").count(), 3);
    // One on another store is nobody's concern here; one whose store is not there may be misunderstood.
    let data_dir = scene.path("other").display().to_string();
    scene.file("other.conf", &format!("[options]\ndata_dir = {data_dir}\n"));
    let other = format!("{off}\nstart python3 src/odoo-bin -c other.conf");
    assert_eq!(scene.doctor(&other).status("odoo-gc"), "unknown");
    std::fs::create_dir_all(scene.path("other/sessions")).unwrap();
    assert_eq!(scene.doctor(&other).status("odoo-gc"), "ok");
}

#[test]
fn a_server_of_a_user_whom_the_store_does_not_let_in_proves_nothing() {
    let test = "a_server_of_a_user_whom_the_store_does_not_let_in_proves_nothing";
    if !is_root() {
        return skipped(test, "not root");
    }
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    scene.owned_by(54_321);
    let stranger = "start setpriv --reuid 54322 --regid 54322 --clear-groups";
    let fake = format!("{stranger} env ODOO_SKIP_GC_SESSIONS=1 python3 src/odoo-bin -c odoo.conf");
    let found = scene.doctor(&fake);
    let (status, told, _) = found.of("odoo-gc");
    assert_eq!(status, "unknown", "{told}");
    assert!(told.contains("belongs to another user"), "{told}");
}

#[test]
fn of_a_variable_that_is_there_twice_the_first_counts_as_for_python() {
    let test = "of_a_variable_that_is_there_twice_the_first_counts_as_for_python";
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    scene.executable(
        "twice",
        "#!/usr/bin/env python3\nimport ctypes, shutil\n\
         words = lambda *it: (ctypes.c_char_p * (len(it) + 1))(*it)\n\
         python = shutil.which('python3').encode()\n\
         switch = b'ODOO_SKIP_GC_SESSIONS='\n\
         ctypes.CDLL(None).execve(python, words(python, b'src/odoo-bin', b'-codoo.conf'), words(switch, switch + b'1'))\n",
    );
    assert_eq!(scene.doctor("start ./twice").status("odoo-gc"), "problem");
}

#[test]
fn workers_and_the_gevent_process_are_no_servers() {
    let test = "workers_and_the_gevent_process_are_no_servers";
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    // The worker's variables are gone; what counts are its master's.
    scene.file(
        "src/with-worker/odoo/release.py",
        "version_info = (18, 0, 0, FINAL, 0, '')\n",
    );
    scene.file("src/with-worker/odoo/http.py", "ODOO_SKIP_GC_SESSIONS\n");
    let start = "env ODOO_SKIP_GC_SESSIONS=1 MORE=SPACE python3 src/with-worker/odoo-bin -c odoo.conf &\n\
                 until [ -e src/with-worker/up/$! ]; do sleep 0.02; done; sleep 0.3\n\
                 grep -qa 'odoo: Worker' /proc/[0-9]*/cmdline";
    let found = scene.doctor(start);
    assert_eq!(
        (found.status("odoo"), found.status("odoo-gc")),
        ("ok", "ok"),
        "{found:?}"
    );
    assert_eq!(found.of("odoo").1.matches("Odoo 18.0").count(), 1);
    let gevent = "start python3 src/odoo-bin gevent -c odoo.conf\nstart python3 src/odoo-bin shell -c odoo.conf";
    let found = scene.doctor(gevent);
    assert_eq!(found.of("odoo").1, "no Odoo runs here");
    // A worker alone proves nothing.
    let orphan = "env ORPHAN=1 MORE=MORE-SPACE-FOR-A-TITLE python3 src/with-worker/odoo-bin -c odoo.conf &\n\
                  until grep -qa 'odoo: Worker' /proc/[0-9]*/cmdline; do sleep 0.02; done; sleep 0.2";
    let found = scene.doctor(orphan);
    assert_eq!(
        (found.status("odoo"), found.status("odoo-gc")),
        ("unknown", "unknown"),
        "{found:?}"
    );
}

#[test]
fn an_empty_environment_proves_nothing() {
    let Some(scene) = Scene::new("an_empty_environment_proves_nothing", "18, 0", NEW_SWITCH) else {
        return;
    };
    let found = scene.doctor("start env -i $(command -v python3) src/odoo-bin -c odoo.conf");
    let (status, told, _) = found.of("odoo-gc");
    assert_eq!(
        (status, told.contains("which proves nothing")),
        ("unknown", true),
        "{told}"
    );
}

#[test]
fn another_users_server_is_unknown_and_its_own_user_and_root_know() {
    let test = "another_users_server_is_unknown_and_its_own_user_and_root_know";
    if !is_root() {
        return skipped(test, "not root");
    }
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    scene.owned_by(54_321);
    let as_user = |uid: u32| format!("setpriv --reuid {uid} --regid {uid} --clear-groups");
    let start = format!(
        "start {} env ODOO_SKIP_GC_SESSIONS=1 python3 src/odoo-bin -c odoo.conf",
        as_user(54_321)
    );
    for (user, status, way) in [
        (String::new(), "ok", ""),
        (as_user(54_321), "ok", ""),
        (
            as_user(54_322),
            "unknown",
            "sudo odoo-session-reaper doctor",
        ),
    ] {
        // Who may not see the store itself still says so of the servers.
        let doctor =
            format!("doctor() {{ {user} \"$DOCTOR\" doctor --data-dir \"$SCENE/data\" \"$@\"; }}");
        let found = scene.doctor(&format!("{start}\n{doctor}"));
        assert_eq!(found.status("odoo"), status, "{user}: {found:?}");
        assert_eq!(
            (found.status("odoo-gc"), found.of("odoo-gc").2),
            (status, way)
        );
        assert_eq!(found.code, 1, "the reaper is unknown");
    }
    // With hidepid there is nothing to be seen at all.
    let doctor = format!(
        "mount -t proc -o hidepid=2 proc /proc\ndoctor() {{ {} \"$DOCTOR\" doctor --data-dir \"$SCENE/data\" \"$@\"; }}",
        as_user(54_322)
    );
    let found = scene.doctor(&format!("{start}\n{doctor}"));
    let (status, told, way) = found.of("odoo");
    assert_eq!(
        (status, way),
        ("unknown", "sudo odoo-session-reaper doctor"),
        "{told}"
    );
    assert!(told.contains("out of sight"), "{told}");
    assert_eq!(found.status("odoo-gc"), "unknown");
}

#[test]
fn a_server_in_a_root_of_its_own_is_matched_by_the_directory_itself() {
    let test = "a_server_in_a_root_of_its_own_is_matched_by_the_directory_itself";
    if !is_root() {
        return skipped(test, "not root");
    }
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    scene.file("inside.conf", "[options]\ndata_dir = /mnt/data\n");
    let mounted = "mount --bind $SCENE/src $R/opt && mount --bind $SCENE/data $R/mnt/data && cp inside.conf $R/mnt";
    let tmpfs = "mount -t tmpfs none $R/mnt && mkdir $R/mnt/data";
    let private = format!("R=; {tmpfs} && {mounted} && ");
    for (way, inner) in [
        (
            "a private mount namespace",
            format!(
                "{private} exec env ODOO_SKIP_GC_SESSIONS=1 python3 /opt/odoo-bin -c /mnt/inside.conf"
            ),
        ),
        (
            "a chroot",
            format!(
                "mkdir -p root; R=$SCENE/root; mount --rbind / $R && {tmpfs} && {mounted} && exec env ODOO_SKIP_GC_SESSIONS=1 chroot $R python3 /opt/odoo-bin -c /mnt/inside.conf"
            ),
        ),
    ] {
        let start = format!("start unshare --mount sh -ec '{inner}'");
        let found = scene.doctor(&start);
        assert_eq!(
            (found.status("odoo"), found.status("odoo-gc")),
            ("ok", "ok"),
            "{way}: {found:?}"
        );
        assert!(found.of("odoo").1.contains("Odoo 18.0"));
    }
}

#[test]
fn a_store_that_only_its_server_sees_is_found_through_it() {
    let test = "a_store_that_only_its_server_sees_is_found_through_it";
    if !is_root() {
        return skipped(test, "not root");
    }
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    // As a container has it: a file system that is mounted nowhere else.
    scene.file("inside.conf", "[options]\ndata_dir = /mnt/data\n");
    let inner = "mount -t tmpfs none /mnt && cp -r data inside.conf /mnt && exec python3 src/odoo-bin -c /mnt/inside.conf";
    let ran = scene.run(&format!(
        "start unshare --mount sh -ec '{inner}'\nODOO_RC=odoo.conf \"$DOCTOR\" doctor"
    ));
    let inside = ran.stdout.split_once("/mnt/data/sessions\n").unwrap().1;
    assert!(
        inside.starts_with("✓ odoo      Odoo 18.0"),
        "{}",
        ran.stdout
    );
    assert!(
        inside.contains("✗ odoo-gc   on: ")
            && inside.contains("# ask in that container: odoo-session-reaper doctor"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .contains("! odoo      no running Odoo uses this store"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_host_where_things_are_renamed_all_the_time_is_looked_at_all_the_same() {
    let test = "a_host_where_things_are_renamed_all_the_time_is_looked_at_all_the_same";
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    // The kernel gives up on a `..` while anything is renamed anywhere.
    std::fs::create_dir_all(scene.path("a/b/c")).unwrap();
    std::os::unix::fs::symlink("../../../src", scene.path("a/b/c/src")).unwrap();
    scene.file(
        "rename.py",
        "import os\nos.mkdir('x')\nwhile True:\n    os.rename('x', 'y')\n    os.rename('y', 'x')\n",
    );
    let start = "start env ODOO_SKIP_GC_SESSIONS=1 python3 a/b/c/src/odoo-bin -c odoo.conf";
    let renames = "python3 rename.py &\nuntil [ -e x ] || [ -e y ]; do sleep 0.02; done";
    let ran = scene.run(&format!(
        "{start}\n{renames}\nfor _ in 1 2 3 4 5 6 7 8; do doctor || :; done"
    ));
    assert_eq!(ran.stdout.matches("✓ odoo-gc ").count(), 8, "{}", ran.all());
}

#[test]
fn a_link_in_its_root_leads_nowhere_else() {
    let Some(scene) = Scene::new("a_link_in_its_root_leads_nowhere_else", "18, 0", NEW_SWITCH)
    else {
        return;
    };
    if !is_root() {
        return skipped("a_link_in_its_root_leads_nowhere_else", "not root");
    }
    // In its root, /mnt/link leads to its own /secret.conf, which is not there; ours must not be read for it.
    scene.file("secret.conf", "[options]\ndata_dir = /of-the-host\n");
    let secret = scene.path("secret.conf");
    let inner = format!(
        "mkdir -p root; R=$SCENE/root; mount --rbind / $R && mount -t tmpfs none $R/tmp && mount -t tmpfs none $R/mnt && \
         mkdir $R/mnt/src && mount --bind $SCENE/src $R/mnt/src && ln -s {} $R/mnt/link && \
         exec chroot $R env HOME=/mnt python3 /mnt/src/odoo-bin -c /mnt/link",
        secret.display()
    );
    let found = scene.doctor(&format!("start unshare --mount sh -ec '{inner}'"));
    let told = found.of("odoo").1;
    assert!(told.contains("data_dir /mnt/.local/share/Odoo"), "{told}");
}

#[test]
fn a_source_newer_than_the_process_is_a_restart_pending() {
    let test = "a_source_newer_than_the_process_is_a_restart_pending";
    let Some(scene) = Scene::new(test, "18, 0", NEW_SWITCH) else {
        return;
    };
    let start = "start env ODOO_SKIP_GC_SESSIONS=1 python3 src/odoo-bin -c odoo.conf";
    assert_eq!(scene.doctor(start).status("odoo-gc"), "ok");
    let found = scene.doctor(&format!(
        "{start}\nsleep 4; touch -d 2020-01-01 src/odoo/http.py"
    ));
    let (status, told, cure) = found.of("odoo-gc");
    assert_eq!(
        (status, told.contains("restart pending"), cure),
        ("warning", true, "# restart this Odoo"),
        "{told}"
    );
}

#[test]
fn an_old_pile_says_that_a_build_without_a_switch_is_off_by_its_parameter() {
    let test = "an_old_pile_says_that_a_build_without_a_switch_is_off_by_its_parameter";
    let Some(scene) = Scene::new(test, "17, 0", "nothing") else {
        return;
    };
    assert_eq!(scene.doctor(PLAIN).status("odoo-gc"), "problem");
    scene.session("c3", USER, OLD);
    let (status, told) = {
        let found = scene.doctor(PLAIN);
        let (status, told, _) = found.of("odoo-gc");
        (status.to_owned(), told.to_owned())
    };
    assert_eq!(status, "ok");
    assert!(
        told.contains("1 file older than 14 days, so nothing of Odoo's deletes"),
        "{told}"
    );
    // One of many may be what Odoo is not let at.
    for number in 0..20 {
        scene.session(&format!("d{}", char::from(b'a' + number)), USER, 60);
    }
    assert_eq!(scene.doctor(PLAIN).status("odoo-gc"), "problem");
    for number in 0..4 {
        scene.session(&format!("e{number}"), USER, OLD);
    }
    assert_eq!(scene.doctor(PLAIN).status("odoo-gc"), "ok");
    // Where there is nothing, nothing is old.
    let sessions = scene.path("data/sessions");
    std::fs::remove_dir_all(&sessions).unwrap();
    std::fs::create_dir(&sessions).unwrap();
    assert_eq!(scene.doctor(PLAIN).status("odoo-gc"), "problem");
    scene.session("c3", USER, OLD);
    assert_eq!(scene.doctor(PLAIN).status("odoo-gc"), "ok");
    // Nothing was saved for days: then nobody would delete either.
    crate::testenv::set_age(&scene.path("data/sessions"), 2 * crate::testenv::DAY);
    assert_eq!(scene.doctor(PLAIN).status("odoo-gc"), "problem");
}

#[test]
fn a_hostile_server_is_told_in_harmless_words() {
    let Some(scene) = Scene::new(
        "a_hostile_server_is_told_in_harmless_words",
        "18, 0",
        NEW_SWITCH,
    ) else {
        return;
    };
    let sid = "Zq9Xw-3_".repeat(11);
    let hostile = format!(
        "start python3 src/odoo-bin -D \"$(printf '/x/\\033[31m')/sessions/Zq/{}\"",
        &sid[..84]
    );
    let ran = scene.run(&format!("{hostile}\ndoctor"));
    assert!(
        !ran.all().contains('\u{1b}') && !ran.all().contains(&sid[..9]),
        "{}",
        ran.all()
    );
    // Neither a FIFO nor a device holds it up, and what is no odoo.conf is not shown.
    scene.file("passwd", "root:SECRETHASH:0\n[options\n");
    for conf in ["fifo", "/dev/zero", "passwd"] {
        let start = format!("[ -e fifo ] || mkfifo fifo\nstart python3 src/odoo-bin -c {conf}");
        let ran = scene.run(&format!(
            "{start}\ntimeout 20 \"$DOCTOR\" doctor --data-dir data"
        ));
        assert_eq!(ran.code, 1, "{conf}: {}", ran.all());
        assert!(
            ran.stdout.contains("? odoo ") && !ran.all().contains("SECRET"),
            "{}",
            ran.all()
        );
    }
}
