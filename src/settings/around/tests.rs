use super::*;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

/// A system in a directory of its own.
struct System {
    dir: tempfile::TempDir,
    vars: HashMap<&'static str, OsString>,
    uid: u32,
    patience: Duration,
}

impl System {
    fn new() -> System {
        System {
            dir: tempfile::tempdir().unwrap(),
            vars: HashMap::new(),
            uid: 1_000,
            patience: Duration::from_secs(600),
        }
    }

    fn with(mut self, variable: &'static str, path: &str) -> System {
        let value = if path.is_empty() {
            OsString::new()
        } else {
            self.path(path).into()
        };
        self.vars.insert(variable, value);
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn conf(self, path: &str, data_dir: &str) -> System {
        fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        let data_dir = self.path(data_dir);
        fs::write(
            self.path(path),
            format!("[options]\ndata_dir = {}\n", data_dir.display()),
        )
        .unwrap();
        self
    }

    fn sessions(self, data_dir: &str) -> System {
        fs::create_dir_all(self.path(data_dir).join("sessions")).unwrap();
        self
    }

    /// A `sessions` with this file in it, and no filestore beside it.
    fn with_file(self, sessions: &str, name: &str) -> System {
        let file = self.path(sessions).join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
        self
    }

    fn filestore(self, data_dir: &str) -> System {
        fs::create_dir_all(self.path(data_dir).join("filestore")).unwrap();
        self
    }

    fn user(self, name: &str, uid: u32, home: &str) -> System {
        fs::create_dir_all(self.path("etc")).unwrap();
        let passwd = self.path("etc/passwd");
        let mut users = fs::read_to_string(&passwd).unwrap_or_default();
        users.push_str(&format!("{name}:x:{uid}:{uid}:,,,:{home}:/bin/sh\n"));
        fs::write(passwd, users).unwrap();
        self
    }

    fn surroundings(&self) -> Surroundings {
        let vars = self.vars.clone();
        Surroundings {
            var: Box::new(move |name| vars.get(name).cloned()),
            uid: self.uid,
            system: self.dir.path().to_owned(),
            patience: self.patience,
        }
    }

    fn look(&self) -> Result<Location, SettingsError> {
        Ok(look(None, &self.surroundings())?.location)
    }

    /// All that looking through directories finds, relative to the system.
    fn stores(&self) -> Vec<String> {
        let Ok(located) = look(None, &self.surroundings()) else {
            return Vec::new();
        };
        let found = if located.several.is_empty() {
            vec![located.location.sessions]
        } else {
            located.several
        };
        let relative = |path: PathBuf| {
            let path = path.strip_prefix(self.dir.path()).unwrap();
            path.to_str().unwrap().to_owned()
        };
        found.into_iter().map(relative).collect()
    }

    fn finds(&self, data_dir: &str) {
        let found = self.look().unwrap();
        assert_eq!(
            found.sessions,
            self.path(data_dir).join("sessions"),
            "{}",
            found.from
        );
        assert!(found.found);
    }
}

#[test]
fn looks_where_odoo_looks_in_its_order() {
    let system = System::new()
        .sessions("var/lib/odoo")
        .filestore("var/lib/odoo");
    system.finds("var/lib/odoo");
    let system = system
        .with("HOME", "home")
        .sessions("home/.local/share/Odoo");
    system.finds("home/.local/share/Odoo");
    let system = system
        .with("ODOO_DATA_DIR", "nineteen")
        .sessions("nineteen");
    system.finds("nineteen");
    let system = system.conf("etc/odoo.conf", "a");
    system.finds("a");
    let system = system.conf("etc/odoo/odoo.conf", "b");
    system.finds("b");
    let system = system.conf("home/.odoorc", "c");
    system.finds("c");
    let system = system
        .conf("old.conf", "d")
        .with("OPENERP_SERVER", "old.conf");
    system.finds("d");
    let system = system.conf("rc.conf", "e").with("ODOO_RC", "rc.conf");
    system.finds("e");
    system.with("ODOO_RC", "").finds("d");
}

#[test]
fn says_what_it_looked_for_when_there_is_nothing() {
    let error = System::new().with("HOME", "home").look().unwrap_err();
    let message = error.to_string();
    for part in [
        ".odoorc",
        "etc/odoo/odoo.conf",
        "home/.local/share/Odoo/sessions",
        "any in /var/lib, /opt",
        "--data-dir",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert_eq!(error.exit, crate::exit::Exit::Failed);
}

#[test]
fn a_broken_odoo_conf_is_an_error_and_not_skipped() {
    let system = System::new()
        .sessions("var/lib/odoo")
        .conf("etc/odoo.conf", "a");
    fs::write(system.path("etc/odoo.conf"), "data_dir = /srv\n").unwrap();
    assert!(
        system
            .look()
            .unwrap_err()
            .to_string()
            .contains("etc/odoo.conf: line 1")
    );
}

const HEX: &str = "0a796d6eb7fd55225f25e5a661da803c19cc56f5";

#[test]
fn a_sessions_with_a_filestore_beside_it_or_a_name_of_odoos_in_it_is_a_store() {
    let sharded = format!("0a/{HEX}");
    let flat = format!("werkzeug_{HEX}.sess");
    let new = format!("ab/{}", "ab".repeat(42));
    for name in [&sharded, &flat, &new, "tmpe_m58b7w.__wz_sess"] {
        let system = System::new().with_file("opt/a/sessions", name);
        assert_eq!(system.stores(), ["opt/a/sessions"], "{name}");
    }
    let system = System::new().sessions("opt/a").filestore("opt/a");
    assert_eq!(system.stores(), ["opt/a/sessions"]);
    for (sessions, name) in [
        ("var/lib/php/sessions", "sess_0a796d6eb7fd55225f25e5a661"),
        ("opt/a/sessions", "README"),
        (
            "opt/a/sessions",
            "0a/0b796d6eb7fd55225f25e5a661da803c19cc56f5",
        ),
        ("opt/a/sessions", "0a/hello"),
        ("opt/a/old-sessions", &flat),
        ("opt/a/filestore/shop/sessions", &sharded),
        ("var/lib/docker/overlay2/1/sessions", &flat),
        ("1/2/3/sessions", &flat),
        ("opt/1/2/3/4/5/6/sessions", &flat),
    ] {
        let system = System::new().with_file(sessions, name);
        assert!(system.stores().is_empty(), "{sessions}/{name}");
    }
}

#[test]
fn looks_where_people_put_an_odoo_and_finds_each_store_once() {
    let flat = format!("werkzeug_{HEX}.sess");
    let places = [
        "home/o/17/.local/share/Odoo/sessions",
        "var/lib/private/odoo/sessions",
        "var/lib/docker/volumes/odoo/_data/sessions",
        "var/lib/odoo/sessions",
        "opt/odoo/data/sessions",
        "srv/odoo/a/b/c/sessions",
        "data/odoo/sessions",
    ];
    let mut system = System::new().user("odoo", 101, "/home/o/17");
    for place in places {
        system = system.with_file(place, &flat);
    }
    let found = system.stores();
    assert_eq!(found[..2], places[..2], "where it is most likely first");
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let places = places.map(str::to_owned).to_vec();
    assert_eq!(sorted(found), sorted(places));
}

#[test]
fn a_home_is_looked_through_wherever_it_is() {
    let flat = format!("werkzeug_{HEX}.sess");
    let place = "usr/local/odoo/x/17/data/sessions";
    let system = System::new().with_file(place, &flat);
    assert!(system.stores().is_empty());
    // The service's user, and whoever looks, but not root.
    assert_eq!(
        system.user("odoo", 101, "/usr/local/odoo").stores(),
        [place]
    );
    let mut own = System::new()
        .with_file(place, &flat)
        .user("me", 1_000, "/usr/local/odoo");
    assert_eq!(own.stores(), [place]);
    own.uid = 0;
    assert!(own.stores().is_empty());
}

#[test]
fn a_store_that_two_ways_lead_to_is_one() {
    let flat = format!("werkzeug_{HEX}.sess");
    let system = System::new()
        .with_file("opt/odoo/sessions", &flat)
        .user("odoo", 101, "/odoo");
    symlink(system.path("opt/odoo"), system.path("odoo")).unwrap();
    assert_eq!(system.stores(), ["odoo/sessions"]);
}

#[test]
fn no_link_is_followed_and_nothing_taken_from_where_everybody_may_write() {
    let flat = format!("werkzeug_{HEX}.sess");
    let system = System::new().with_file("usr/a/b/c/sessions", &flat);
    fs::create_dir(system.path("opt")).unwrap();
    symlink(system.path("usr/a/b"), system.path("opt/a")).unwrap();
    assert!(system.stores().is_empty());
    let system = System::new().with_file("tmp/a/sessions", &flat);
    assert_eq!(system.stores(), ["tmp/a/sessions"]);
    fs::set_permissions(system.path("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(system.stores().is_empty());
}

#[test]
fn what_takes_too_long_is_stopped_and_told() {
    let mut system = System::new().filestore("opt/a").sessions("opt/a");
    assert_eq!(system.stores(), ["opt/a/sessions"]);
    system.patience = Duration::ZERO;
    let message = system.look().unwrap_err().to_string();
    assert!(message.contains("stopped looking after 0 s"), "{message}");
}

#[test]
fn more_stores_than_a_host_has_are_not_remembered() {
    let mut system = System::new();
    for number in 0..100 {
        let data_dir = format!("opt/{number}");
        system = system.filestore(&data_dir).sessions(&data_dir);
    }
    assert_eq!(system.stores().len(), 64);
}

#[test]
fn a_named_odoo_conf_without_a_data_dir_is_told_where_nothing_is_found() {
    let system = System::new();
    fs::create_dir_all(system.path("etc")).unwrap();
    let conf = system.path("etc/my.conf");
    fs::write(&conf, "[options]\n").unwrap();
    let file = ConfFile::read(&conf).unwrap();
    let error = look(Some(file), &system.surroundings()).unwrap_err();
    let told = "/etc/my.conf names no data_dir, and no session store was found";
    assert!(error.to_string().contains(told), "{error}");
}

#[test]
fn an_odoo_conf_without_a_data_dir_leads_to_the_home_of_its_owner() {
    use std::os::unix::fs::MetadataExt as _;
    let system = System::new().sessions("opt/x").filestore("opt/x");
    fs::create_dir_all(system.path("etc/odoo")).unwrap();
    let conf = system.path("etc/odoo/odoo.conf");
    fs::write(
        &conf,
        "[options]\n[session_reaper]\nanonymous_window = 6h\n",
    )
    .unwrap();
    // Who runs the tests may be root, whose home is not Odoo's.
    let uid = fs::metadata(&conf).unwrap().uid();
    let user = if uid == 0 { "odoo" } else { "of-the-file" };
    let system = system
        .user(user, uid.max(1), "/var/lib/o")
        .sessions("var/lib/o/.local/share/Odoo");
    let located = look(None, &system.surroundings()).unwrap();
    let place = system.path("var/lib/o/.local/share/Odoo/sessions");
    assert_eq!(located.location.sessions, place);
    assert!(
        located.location.from.contains("names no data_dir"),
        "{}",
        located.location.from
    );
    assert!(
        located
            .conf_file
            .is_some_and(|file| !file.sections.are_empty())
    );
    // Without that one, what is found has nothing to do with the file.
    fs::remove_dir(place).unwrap();
    let located = look(None, &system.surroundings()).unwrap();
    assert_eq!(located.location.sessions, system.path("opt/x/sessions"));
    assert!(located.conf_file.is_none());
}
