//! What turns a reaper on, and what lets it in.

use std::path::Path;

use super::{Evidence, Refusal};
use crate::redact::{self, Shown, joined, shell, shown};
use crate::settings::environment_file;

/// What lets a unit in.
pub fn let_in(refusal: &Refusal, evidence: &Evidence, name: &Shown) -> Shown {
    let path = evidence.unit_path.clone();
    let path = path.unwrap_or_else(|| "ITS-PATH".into());
    let user = match evidence.owner {
        Some(owner) => shown!["User=", owner],
        None => "User=NAME".into(),
    };
    let lines = match refusal {
        Refusal::NoSuchUser(_) | Refusal::WrongUser(..) => vec![user],
        Refusal::ReadOnly => vec![shown!["ReadWritePaths=", path]],
        Refusal::Hidden => vec!["ProtectHome=tmpfs".into(), shown!["BindPaths=", path]],
    };
    // After `override.conf`, which it may have to correct.
    let lines = lines.iter().map(|line| shown![" ", shell(line)]);
    let place = shown!["/etc/systemd/system/", name, ".service.d"];
    shown![
        "sudo mkdir -p ",
        &place,
        " && printf '%s\\n' '[Service]'",
        joined(lines, ""),
        " | sudo tee -a ",
        &place,
        "/zz-doctor.conf && sudo systemctl daemon-reload"
    ]
}

/// Where the settings of a unit are.
pub fn defaults(name: &str) -> Shown {
    shell(&redact::printable(environment_file(name).as_bytes()))
}

/// Where this program lies: cron looks into two directories only.
fn program() -> Shown {
    let program = std::env::current_exe();
    let program = program.unwrap_or_else(|_| "odoo-session-reaper".into());
    redact::path(&program)
}

/// An instance that is called like the store's owner, as who it runs then, or like the data_dir, and that nobody has yet.
fn free_instance(evidence: &Evidence) -> Shown {
    let base = Path::new(&*evidence.data_dir).file_name();
    let base = base.unwrap_or_default().to_string_lossy();
    let plain = base
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_');
    let plain: String = plain.take(32).collect::<String>().to_lowercase();
    let numbers = std::iter::once(String::new()).chain((2..).map(|number: u32| number.to_string()));
    let owner = evidence.owner_name.iter().cloned();
    let mut names = owner
        .filter(|name| {
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        })
        .chain(numbers.map(|number| plain.clone() + &number))
        .map(|name| format!("odoo-session-reaper@{name}"));
    let is_free = |name: &String| {
        !name.ends_with('@') && !evidence.names.iter().any(|taken| **taken == **name)
    };
    let name = names.find(is_free).unwrap_or_default();
    redact::printable(name.as_bytes())
}

/// What makes the service reap this store.
pub fn turn_on(evidence: &Evidence, installed: bool) -> Shown {
    let data_dir = &evidence.data_dir;
    if !installed {
        let line = shown![
            "17 * * * * root ",
            shell(&program()),
            " reap --data-dir ",
            shell(data_dir)
        ];
        // A bare % ends a line of cron, and a file may lack the end of its last one.
        let escape = match line.contains('%') {
            true => " | sed 's/%/\\\\%/g'",
            false => "",
        };
        return shown![
            "printf '\\n%s\\n' ",
            shell(&line),
            escape,
            " | sudo tee -a /etc/cron.d/odoo-session-reaper"
        ];
    }
    let name = match evidence.default_is_taken {
        false => Shown::from("odoo-session-reaper"),
        true => free_instance(evidence),
    };
    let set = shown!["ODOO_SESSION_REAPER_DATA_DIR=", data_dir];
    // The last line that says so counts; the one before may lack its end.
    shown![
        "printf '\\n%s\\n' ",
        shell(&set),
        " | sudo tee -a ",
        defaults(&name),
        " && sudo systemctl enable --now ",
        name,
        ".timer"
    ]
}
