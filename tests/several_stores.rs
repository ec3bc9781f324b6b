//! Looking around on a whole system. A small one in a directory of its own, which takes root to enter: no test looks
//! through the real one.

#![allow(clippy::unwrap_used)]

mod testenv;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use testenv::{
    DAY, HOUR, Ran, USER, VISITOR, is_root, missing, program, run, set_age, sharded, skipped,
};

const ODOO: u32 = 54_321;
const OTHER: u32 = 54_322;

/// The program, its libraries, `/proc`, and whatever a test puts in.
struct System {
    dir: TempDir,
}

/// Copies a program by another process: a child of another test could still hold it open for writing here.
fn copied(program: impl AsRef<Path>, to: &Path) {
    let copied = Command::new("cp").arg(program.as_ref()).arg(to).status();
    assert!(copied.unwrap().success());
}

impl System {
    fn new(test: &str) -> Option<System> {
        if !is_root() {
            skipped(test, "not root");
            return None;
        }
        let system = System {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::set_permissions(system.dir.path(), Permissions::from_mode(0o755)).unwrap();
        let own = Path::new(program().get_program()).to_owned();
        let libraries = Command::new("ldd").arg(&own).output().unwrap();
        let libraries = String::from_utf8(libraries.stdout).unwrap();
        for library in libraries
            .split_whitespace()
            .filter(|word| word.starts_with('/'))
        {
            let copy = system.path(library);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            copied(library, &copy);
        }
        copied(own, &system.path("/odoo-session-reaper"));
        fs::create_dir(system.path("/proc")).unwrap();
        system.file(
            "/etc/passwd",
            &format!("odoo:x:{ODOO}:{ODOO}::/var/lib/odoo:/bin/sh\n"),
        );
        Some(system)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path.trim_start_matches('/'))
    }

    fn file(&self, path: &str, content: &str) {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        fs::write(self.path(path), content).unwrap();
    }

    /// A store of `uid`, private as Odoo makes it, with a user who is active and this many visitors who are due.
    fn store(&self, data_dir: &str, uid: u32, due: usize) {
        let sessions = format!("{data_dir}/sessions");
        for number in 0..=due {
            let file = format!("{sessions}/{}", sharded(&format!("{}", number + 10)));
            self.file(&file, if number == 0 { USER } else { VISITOR });
            set_age(&self.path(&file), if number == 0 { HOUR } else { 2 * DAY });
        }
        let sessions = self.path(&sessions);
        for entry in walkdir::WalkDir::new(&sessions) {
            lchown(entry.unwrap().path(), Some(uid), Some(uid)).unwrap();
        }
        fs::set_permissions(&sessions, Permissions::from_mode(0o700)).unwrap();
    }

    /// Runs a line of a shell, with its paths led into the system.
    fn shell(&self, line: &str) -> Ran {
        let root = self.dir.path().display();
        let line = line
            .replace(" /etc/default", &format!(" {root}/etc/default"))
            .replace(
                "odoo-session-reaper audit",
                &format!("chroot {root} /odoo-session-reaper audit"),
            )
            .replace(
                "odoo-session-reaper reap",
                &format!("chroot {root} /odoo-session-reaper reap"),
            );
        let path = std::env::var_os("PATH").unwrap();
        run(Command::new("sh")
            .args(["-c", &line])
            .env_clear()
            .env("PATH", path))
    }

    fn run(&self, uid: u32, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut unshare = Command::new("unshare");
        unshare
            .args(["--mount", "sh", "-c"])
            .arg(r#"mount -t proc proc "$0/proc" && { [ -z "$MOUNT" ] || mount --bind "$MOUNT" "$0/opt/mounted"; } && user=$1 && shift && exec chroot --userspec="$user:$user" "$0" "$@""#)
            .arg(self.dir.path())
            .arg(uid.to_string())
            .arg("/odoo-session-reaper")
            .args(args);
        let path = std::env::var_os("PATH").unwrap();
        unshare.env_clear().env("PATH", path);
        run(unshare.envs(variables.iter().copied()))
    }
}

/// The lines of a table, each as its words.
fn rows(ran: &Ran) -> Vec<Vec<&str>> {
    let rows = ran
        .stdout
        .lines()
        .skip(3)
        .take_while(|line| !line.is_empty());
    rows.map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn an_audit_tells_a_line_of_each_store_and_how_to_name_one() {
    let test = "an_audit_tells_a_line_of_each_store_and_how_to_name_one";
    let Some(system) = System::new(test) else {
        return;
    };
    system.store("/var/lib/odoo", ODOO, 3);
    system.store("/srv/it's a shop", OTHER, 4);
    system.file("/var/lib/php/sessions/sess_0a796d6eb7fd55225f25e5a661", "");
    let ran = system.run(0, &["audit"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    let (odoo, shop) = ("/var/lib/odoo", "/srv/it's a shop");
    let expected = format!(
        "2 session stores, found by searching\n\n       Files          Due   On disk  Store\n\
         {:>12} {:>12} {:>9}  {odoo}/sessions\n{:>12} {:>12} {:>9}  {shop}/sessions\n\
         {:>12} {:>12} {:>9}  total\n\n7 of 9 files in 2 stores are due; look at one of them:\n  \
         odoo-session-reaper audit --data-dir {odoo}\n  \
         odoo-session-reaper audit --data-dir '/srv/it'\\''s a shop'\n",
        4, 3, "16 kB", 5, 4, "20 kB", 9, 7, "37 kB"
    );
    assert_eq!(ran.stdout, expected);
    // What is said of what is due is said to each, on the command line and by variables.
    let said = system.run(0, &["audit", "--anonymous-window", "3d"], &[]);
    assert!(
        said.stdout.contains("0 of 9 files in 2 stores"),
        "{}",
        said.all()
    );
    let variable = ("ODOO_SESSION_REAPER_ANONYMOUS_WINDOW", "3d");
    let said = system.run(0, &["audit", "-v"], &[variable]);
    assert!(
        said.stdout.contains("0 of 9 files in 2 stores"),
        "{}",
        said.all()
    );
    system.file("/odoo.conf", "[session_reaper]\nanonymous_window = 3d\n");
    let said = system.run(0, &["audit", "--config", "/odoo.conf"], &[]);
    assert!(
        said.stdout.contains("0 of 9 files in 2 stores"),
        "{}",
        said.all()
    );
    let variable = ("ODOO_SESSION_REAPER_VERBOSE", "2");
    let silent = system.run(0, &["audit", "--report", "none", "-qqqqq"], &[variable]);
    assert_eq!((silent.code, silent.all().as_str()), (0, ""));
    // Who is not root sees what he may read.
    let own = system.run(OTHER, &["audit", "--report", "full"], &[]);
    assert_eq!(own.code, 0, "{}", own.all());
    assert!(
        own.stdout
            .contains("Session store  /srv/it's a shop/sessions"),
        "{}",
        own.stdout
    );
}

#[test]
fn each_store_is_looked_at_as_its_owner_and_the_worst_end_is_the_end() {
    let test = "each_store_is_looked_at_as_its_owner_and_the_worst_end_is_the_end";
    let Some(system) = System::new(test) else {
        return;
    };
    system.store("/opt/a", ODOO, 1);
    system.store("/opt/b", OTHER, 1);
    // Root could list it. The owner of the store cannot.
    let closed = system.path(&format!("/opt/a/sessions/{}", sharded("10")));
    let closed = closed.parent().unwrap();
    lchown(closed, Some(OTHER), Some(OTHER)).unwrap();
    fs::set_permissions(closed, Permissions::from_mode(0o700)).unwrap();
    let ran = system.run(0, &["audit"], &[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    let rows = rows(&ran);
    assert!(
        rows[0].join(" ").ends_with("/opt/a/sessions (exit code 3)"),
        "{rows:?}"
    );
    assert!(rows[1].join(" ").ends_with("/opt/b/sessions"), "{rows:?}");
    // Not root: no user to become, but the same lines.
    system.store("/opt/c", OTHER, 2);
    let ran = system.run(OTHER, &["audit"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    assert!(
        ran.stdout.contains("3 of 5 files in 2 stores are due"),
        "{}",
        ran.stdout
    );
}

/// The child that looks at the first store is killed, as by a kernel that is out of memory.
#[test]
fn a_child_that_dies_ends_its_own_line_only_and_is_named_at_the_end() {
    let test = "a_child_that_dies_ends_its_own_line_only_and_is_named_at_the_end";
    let Some(system) = System::new(test) else {
        return;
    };
    system.store("/opt/a", ODOO, 1);
    system.store("/opt/b", OTHER, 1);
    let shard = system.path(&format!("/opt/a/sessions/{}", sharded("10")));
    let mut killed = Command::new("strace");
    killed
        .args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=openat2,getdents64",
        ])
        .args(["-e", "inject=openat2,getdents64:signal=KILL", "-P"])
        .arg(shard.parent().unwrap())
        .args(["unshare", "--mount", "sh", "-c"])
        .arg(r#"mount -t proc proc "$0/proc" && exec chroot "$0" /odoo-session-reaper audit"#)
        .arg(system.dir.path());
    if Command::new("strace").arg("-V").output().is_err() {
        return missing(test, "strace");
    }
    let ran = run(&mut killed);
    assert_eq!(ran.code, 1, "{}", ran.all());
    let rows = rows(&ran);
    assert_eq!(
        rows[0].join(" "),
        "? ? ? /opt/a/sessions (exit code 1)",
        "{rows:?}"
    );
    assert!(rows[1].join(" ").ends_with("/opt/b/sessions"), "{rows:?}");
    assert!(
        ran.stdout.contains("1 of 2 files in 2 stores are due"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains("nobody knows what is in /opt/a/sessions: the child that looked there ended with signal: 9")
            && ran.stderr.lines().count() == 1,
        "{}",
        ran.stderr
    );
}

#[test]
fn what_is_for_one_store_is_refused_with_the_list_of_them() {
    let test = "what_is_for_one_store_is_refused_with_the_list_of_them";
    let Some(system) = System::new(test) else {
        return;
    };
    system.store("/opt/a", ODOO, 1);
    system.store("/opt/b", OTHER, 1);
    // As whole commands, what to add would log out whom they should keep.
    for (args, what) in [
        (&["audit", "--format", "json"][..], "JSON is for"),
        (&["audit", "--list"], "--list is for"),
        (
            &["audit", "--metrics-file", "/m.prom"],
            "--metrics-file is for",
        ),
        (&["reap", "--dry-run"], "a dry run is for"),
        (
            &["reap", "--keep-login", "boss"],
            "A command that deletes does not guess it",
        ),
    ] {
        let ran = system.run(0, args, &[]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{args:?} {}",
            ran.all()
        );
        let list = " add one of these to your command:\n  --data-dir /opt/a\n  --data-dir /opt/b\n";
        assert!(
            ran.stderr.contains(what) && ran.stderr.ends_with(list),
            "{}",
            ran.stderr
        );
    }
    let named = system.run(0, &["reap", "--data-dir", "/opt/b"], &[]);
    assert_eq!(named.code, 0, "{}", named.all());
    assert!(
        named.stdout.starts_with("deleted 1 of 2 files"),
        "{}",
        named.stdout
    );
}

#[test]
fn debians_odoo_conf_leads_to_the_home_of_the_user_it_is_given_to() {
    let test = "debians_odoo_conf_leads_to_the_home_of_the_user_it_is_given_to";
    let Some(system) = System::new(test) else {
        return;
    };
    let home = "/var/lib/odoo/.local/share/Odoo";
    system.store(home, ODOO, 3);
    system.store("/opt/b", OTHER, 1);
    let conf = "/etc/odoo/odoo.conf";
    system.file(
        conf,
        "[options]\ndb_user = odoo\n[session_reaper]\nanonymous_window = 3d\n",
    );
    lchown(system.path(conf), Some(ODOO), Some(ODOO)).unwrap();
    fs::set_permissions(system.path(conf), Permissions::from_mode(0o640)).unwrap();
    for uid in [0, ODOO] {
        for args in [
            &["audit", "--report", "summary", "--config", conf][..],
            &["audit", "--report", "summary"],
            &["reap", "-n", "-c", conf],
        ] {
            let ran = system.run(uid, args, &[]);
            assert_eq!(
                (ran.code, ran.stderr.as_str()),
                (0, ""),
                "{args:?} {}",
                ran.all()
            );
            let found =
                format!("{home}/sessions; found by searching: the home of the owner of {conf}");
            assert!(ran.stdout.contains("delete 0 of 4 files"), "{}", ran.stdout);
            assert!(ran.stdout.contains(&found), "{}", ran.stdout);
        }
        let ran = system.run(uid, &["reap"], &[]);
        assert_eq!(ran.code, 2, "{}", ran.all());
        let ready = format!(" add this to your command:\n  --config {conf} --data-dir {home}\n");
        assert!(ran.stderr.ends_with(&ready), "{}", ran.stderr);
    }
}

#[test]
fn what_only_the_service_is_told_is_said_with_a_line_that_takes_it_over() {
    let test = "what_only_the_service_is_told_is_said_with_a_line_that_takes_it_over";
    let Some(system) = System::new(test) else {
        return;
    };
    let home = "/var/lib/odoo/.local/share/Odoo";
    system.store(home, ODOO, 3);
    let file = "/etc/default/odoo-session-reaper";
    let usual = format!("ODOO_SESSION_REAPER_DATA_DIR={home}\n#ODOO_SESSION_REAPER_LIST=yes\n");
    system.file(file, &usual);
    let ran = system.run(0, &["audit"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    let told = "ODOO_SESSION_REAPER_ANONYMOUS_WINDOW=2days 12h\nODOO_SESSION_REAPER_KEEP_LOGIN=secret, bob\n\
                ODOO_SESSION_REAPER_METRICS_FILE=/m.prom\nODOO_SESSION_REAPER_AUTHENTICATED_WINDOW=7d\n";
    system.file(file, &format!("{usual}{told}"));
    for args in [
        &["audit"][..],
        &["reap", "--dry-run"],
        &["audit", "--data-dir", home],
    ] {
        let ran = system.run(0, args, &[]);
        assert_eq!(ran.code, 0, "{}", ran.all());
        let names = format!(
            "by {file}: ODOO_SESSION_REAPER_ANONYMOUS_WINDOW, ODOO_SESSION_REAPER_KEEP_LOGIN; to look as it does:\n"
        );
        assert!(ran.stderr.contains(&names), "{}", ran.stderr);
        assert!(
            !ran.stderr.contains("secret") && !ran.stderr.contains("12h"),
            "{}",
            ran.stderr
        );
        assert!(ran.stdout.contains("delete 3 of 4 files"), "{}", ran.stdout);
        let line = ran.stderr.lines().last().unwrap();
        let taken_over = system.shell(line);
        assert_eq!(
            (taken_over.code, taken_over.stderr.as_str()),
            (0, ""),
            "{line} {}",
            taken_over.all()
        );
        assert!(
            taken_over.stdout.contains("delete 0 of 4 files"),
            "{}",
            taken_over.stdout
        );
        assert!(
            !system.path("/m.prom").exists(),
            "the metrics are those of the service"
        );
    }
    // A reap by hand says it, too. What was typed is part of the line, which never deletes.
    let typed = [
        "--data-dir",
        home,
        "--leftover-window=2d 1h",
        "--limit",
        "0",
    ];
    let ran = system.run(0, &[&["reap"][..], &typed].concat(), &[]);
    let line = ran.stderr.lines().last().unwrap();
    for part in ["reap --dry-run ", "--limit=0", "--leftover-window=2d 1h"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    let taken_over = system.shell(line);
    assert!(
        taken_over.stdout.contains("delete 0 of 4 files"),
        "{line} {}",
        taken_over.all()
    );
    // Whom it protects is not shown where no login may be.
    let discreet = ["audit", "--no-logins", "--keep-login", "boss"];
    let ran = system.run(0, &discreet, &[]);
    assert!(
        ran.stderr.ends_with(
            "by /etc/default/odoo-session-reaper: ODOO_SESSION_REAPER_ANONYMOUS_WINDOW\n"
        ),
        "{}",
        ran.stderr
    );
    // What is said here, one way or the other, is no news; nor is what holds for another store, or for a reap.
    let here = ["--anonymous-window", "3d", "--keep-login", "x"];
    let variables = [
        ("ODOO_SESSION_REAPER_ANONYMOUS_WINDOW", "2days 12h"),
        ("ODOO_SESSION_REAPER_KEEP_LOGIN", "secret, bob"),
    ];
    system.store("/opt/b", OTHER, 1);
    for ran in [
        system.run(0, &[&["audit"][..], &here].concat(), &[]),
        system.run(0, &["audit", "--data-dir", home], &variables),
        system.run(0, &["audit", "--data-dir", "/opt/b"], &[]),
        system.run(0, &["reap", "--data-dir", home, "--limit", "0"], &variables),
    ] {
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    }
    // What an odoo.conf says here, and the service does not hear.
    let conf = "/etc/odoo/odoo.conf";
    let says = format!("[options]\ndata_dir = {home}\n[session_reaper]\nkeep_login = bob\n");
    system.file(conf, &says);
    system.file(file, &usual);
    let news = format!(
        "does not read {conf}, so this does not count there: keep_login; add the line \
         ODOO_SESSION_REAPER_CONFIG={conf} to {file}"
    );
    for args in [&["audit"][..], &["audit", "--config", conf]] {
        let ran = system.run(0, args, &[]);
        assert!(ran.stderr.contains(&news), "{args:?} {}", ran.all());
    }
    system.file(file, &format!("{usual}ODOO_SESSION_REAPER_CONFIG={conf}\n"));
    let ran = system.run(0, &["audit"], &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.all());
    std::fs::remove_file(system.path(conf)).unwrap();
    system.file(file, &format!("{usual}{told}"));
    // An instance has a file of its own; an old copy is nobody's.
    for (name, line) in [
        ("shop", "ANONYMOUS_WINDOW=5h"),
        ("shop.dpkg-old", "CART_WINDOW=5h"),
    ] {
        let content = format!("ODOO_SESSION_REAPER_DATA_DIR=/opt/b\nODOO_SESSION_REAPER_{line}\n");
        system.file(&format!("{file}-{name}"), &content);
    }
    let ran = system.run(0, &["audit", "--data-dir", "/opt/b"], &[]);
    let names = format!("by {file}-shop: ODOO_SESSION_REAPER_ANONYMOUS_WINDOW; to look");
    assert!(ran.stderr.contains(&names), "{}", ran.stderr);
    // systemd takes quotes away, a shell's `env` does not.
    system.file(
        file,
        &format!("{usual}ODOO_SESSION_REAPER_KEEP_LOGIN=\"secret\"\n"),
    );
    let ran = system.run(0, &["audit", "--data-dir", home], &[]);
    assert!(
        ran.stderr
            .ends_with(&format!("by {file}: ODOO_SESSION_REAPER_KEEP_LOGIN\n")),
        "{}",
        ran.stderr
    );
}

#[test]
fn another_file_system_is_not_entered() {
    let test = "another_file_system_is_not_entered";
    let Some(system) = System::new(test) else {
        return;
    };
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        skipped(test, "no /dev/shm");
        return;
    };
    let store = |root: &Path| {
        let file = root.join("odoo/sessions").join(sharded("10"));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, USER).unwrap();
    };
    fs::create_dir_all(system.path("/opt/mounted")).unwrap();
    store(other.path());
    let mount = [("MOUNT", other.path().to_str().unwrap())];
    let ran = system.run(0, &["audit"], &mount);
    assert_eq!(ran.code, 1, "{}", ran.all());
    assert!(
        ran.stderr.contains("no session store was found"),
        "{}",
        ran.stderr
    );
    // Unmounted, the same place is entered.
    store(&system.path("/opt/mounted"));
    let ran = system.run(0, &["audit"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    assert!(
        ran.stdout.contains("/opt/mounted/odoo/sessions"),
        "{}",
        ran.stdout
    );
}
