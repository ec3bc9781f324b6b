//! What turns a reaper on, and what lets it in.

use super::super::Case;
use super::super::host::user::Refusal;
use super::Unit;
use crate::redact::{self, Shown, joined, shell, shown};
use crate::settings::environment_file;

/// What lets the unit of this name in.
pub fn let_in(refusal: &Refusal, name: &Shown) -> Shown {
    // After `override.conf`, which it may have to correct.
    let lines = refusal.cure.iter().map(|line| shown!(" {}", shell(line)));
    let place = shown!("/etc/systemd/system/{}.service.d", name);
    shown!(
        "sudo mkdir -p {} && printf '%s\\n' '[Service]'{} | sudo tee -a {}/zz-doctor.conf && sudo systemctl daemon-reload",
        &place,
        joined(lines, ""),
        &place
    )
}

/// Where the settings of a unit are.
pub fn defaults(name: &str) -> Shown {
    shell(&redact::printable(environment_file(name).as_bytes()))
}

/// An instance that is called like the store's owner, as who it runs then, or like the data_dir, and that nobody has yet.
fn free_instance(case: &Case<'_>, units: &[Unit]) -> Shown {
    let base = case.store.place.data_dir().file_name().unwrap_or_default();
    let base = base.to_string_lossy().to_lowercase();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let plain: String = base.chars().filter(is_plain).take(32).collect();
    let numbers = std::iter::once(String::new()).chain((2..).map(|number: u32| number.to_string()));
    let fits = |name: &&String| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    };
    let owner = case.store.owner_name.as_ref().filter(fits).cloned();
    let names = owner
        .into_iter()
        .chain(numbers.map(|number| plain.clone() + &number));
    let mut names = names.map(|name| format!("odoo-session-reaper@{name}"));
    let is_free =
        |name: &String| !name.ends_with('@') && units.iter().all(|unit| unit.name != *name);
    let name = names.find(is_free).unwrap_or_default();
    redact::printable(name.as_bytes())
}

/// Whether this is the default unit, and reaps a store that is there and not known to be left.
fn is_taken(case: &Case<'_>, unit: &Unit) -> bool {
    let store = unit.told.as_ref().and_then(|told| told.store.as_ref().ok());
    let is_left = |it| {
        let mut stores = case.stores.iter();
        let store = stores.find(|store| store.place.is(it));
        store.is_some_and(|store| store.audit.as_ref().is_ok_and(|it| it.store.dormant))
    };
    let is_used = store.is_some_and(|it| it.identity.is_some() && !is_left(it));
    unit.name == "odoo-session-reaper" && unit.timer_active && is_used
}

/// What makes cron, or one of our units if they are installed, reap this store.
pub fn turn_on(case: &Case<'_>, units: &[Unit]) -> Shown {
    if units.is_empty() {
        // Cron looks for programs into two directories only.
        let program = std::env::current_exe().unwrap_or_else(|_| "odoo-session-reaper".into());
        let program = shell(&redact::path(&program));
        let line = shown!(
            "17 * * * * root {} reap --data-dir {}",
            program,
            case.data_dir()
        );
        // A bare % ends a line of cron, and a file may lack the end of its last one.
        let escape = match line.contains('%') {
            true => " | sed 's/%/\\\\%/g'",
            false => "",
        };
        let put = " | sudo tee -a /etc/cron.d/odoo-session-reaper";
        return shown!("printf '\\n%s\\n' {}{}{}", shell(&line), escape, put);
    }
    let name = match units.iter().any(|unit| is_taken(case, unit)) {
        false => Shown::from("odoo-session-reaper"),
        true => free_instance(case, units),
    };
    let data_dir = redact::path(case.store.place.data_dir());
    let set = shell(&shown!("ODOO_SESSION_REAPER_DATA_DIR={}", data_dir));
    // The last line that says so counts; the one before may lack its end.
    let write = shown!(
        "printf '\\n%s\\n' {} | sudo tee -a {}",
        set,
        defaults(&name)
    );
    shown!("{} && sudo systemctl enable --now {}.timer", write, name)
}
