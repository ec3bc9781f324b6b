//! What turns a reaper on, and what lets it in.

use std::path::Path;

use super::{Evidence, Refusal};
use crate::redact::{self, Shown, joined, shell, shown};

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
    let file = format!("/etc/default/{}", name.replace('@', "-"));
    shell(&redact::printable(file.as_bytes()))
}

/// What makes the service reap this store.
pub fn turn_on(evidence: &Evidence, installed: bool) -> Shown {
    let data_dir = &evidence.data_dir;
    if !installed {
        let line = shown![
            "17 * * * * root odoo-session-reaper reap --data-dir ",
            shell(data_dir)
        ];
        return shown![
            "echo ",
            shell(&line),
            " | sudo tee /etc/cron.d/odoo-session-reaper"
        ];
    }
    let name = match evidence.default_is_taken {
        false => Shown::from("odoo-session-reaper"),
        true => {
            let base = Path::new(&**data_dir)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let base: String = base.chars().filter(|c| plain(*c)).collect();
            let base = if base.is_empty() {
                "second".to_owned()
            } else {
                base.to_lowercase()
            };
            shown!["odoo-session-reaper@", redact::printable(base.as_bytes())]
        }
    };
    let set = shown!["ODOO_SESSION_REAPER_DATA_DIR=", data_dir];
    // The last line that says so counts.
    shown![
        "echo ",
        shell(&set),
        " | sudo tee -a ",
        defaults(&name),
        " && sudo systemctl enable --now ",
        name,
        ".timer"
    ]
}
