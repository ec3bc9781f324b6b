use super::*;
use std::collections::HashMap;
use std::fs;

/// A system in a directory of its own.
struct System {
    dir: tempfile::TempDir,
    vars: HashMap<&'static str, OsString>,
}

impl System {
    fn new() -> System {
        System {
            dir: tempfile::tempdir().unwrap(),
            vars: HashMap::new(),
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

    fn look(&self) -> Result<Location, SettingsError> {
        let vars = self.vars.clone();
        let located = look_around(&Surroundings {
            var: Box::new(move |name| vars.get(name).cloned()),
            root: false,
            system: self.dir.path().to_owned(),
        })?;
        Ok(located.location)
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
    let system = System::new().sessions("var/lib/odoo");
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
        "var/lib/odoo/sessions",
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

#[test]
fn root_does_not_take_its_own_home_for_odoos() {
    let conf = OdooConf::parse(b"[options]\ndata_dir = ~/data\n").unwrap();
    let around = |root| Surroundings {
        var: Box::new(|name| (name == "HOME").then(|| "/home/odoo".into())),
        root,
        system: PathBuf::from("/"),
    };
    let file = Path::new("/etc/odoo.conf");
    assert_eq!(
        data_dir(&conf, file, &around(false)).unwrap(),
        Some((PathBuf::from("/home/odoo/data"), 2))
    );
    let error = data_dir(&conf, file, &around(true))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 2") && error.contains("--data-dir"),
        "{error}"
    );
}
