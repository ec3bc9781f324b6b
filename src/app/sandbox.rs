//! What to do where the sandbox of a systemd unit hides the store or makes it read-only: the unit lets only
//! the usual places be written to, and no error of the kernel says so.

use std::ffi::OsString;
use std::path::Path;

use crate::redact;

/// By this variable our units say which of them runs the program.
const UNIT: &str = "REAPER_UNIT";

/// By this variable systemd says where the unit's `StateDirectory=` is.
const STATE: &str = "STATE_DIRECTORY";

/// What `ProtectHome=yes` hides.
const HIDDEN: [&str; 3] = ["/home", "/root", "/run/user"];

/// What the administrator can write into a drop-in so that the unit may see a store that could not be
/// opened, if the sandbox is a likely reason.
pub fn if_hidden(sessions: &Path) -> Option<String> {
    advice(std::env::var_os(UNIT), sessions).filter(|_| hidden(sessions))
}

/// What the administrator can write into a drop-in so that the unit may delete in a read-only store.
pub fn if_read_only(sessions: &Path) -> Option<String> {
    advice(std::env::var_os(UNIT), sessions)
}

/// Where the unit lets a metrics file be written to.
pub fn own_directory() -> Option<String> {
    let unit = std::env::var_os(UNIT).filter(|unit| !unit.is_empty())?;
    let place = std::env::var_os(STATE).filter(|place| !place.is_empty())?;
    Some(format!(
        "{} has {} for it",
        redact::printable(unit.as_encoded_bytes()),
        redact::path(Path::new(&place))
    ))
}

fn hidden(sessions: &Path) -> bool {
    HIDDEN.iter().any(|place| sessions.starts_with(place))
}

fn advice(unit: Option<OsString>, sessions: &Path) -> Option<String> {
    let unit = unit.filter(|unit| !unit.is_empty())?;
    let unit = redact::printable(unit.as_encoded_bytes());
    let place = redact::path(sessions);
    Some(if hidden(sessions) {
        format!(
            "the sandbox of {unit} hides home directories; let this one in with a drop-in: \
             `systemctl edit {unit}`, and there the three lines \
             \"[Service]\", \"ProtectHome=tmpfs\" and \"BindPaths={place}\""
        )
    } else {
        format!(
            "the sandbox of {unit} lets only the usual places be written to; add this one with a drop-in: \
             `systemctl edit {unit}`, and there the two lines \"[Service]\" and \"ReadWritePaths={place}\""
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(unit: &str, sessions: &str) -> Option<String> {
        advice(Some(unit.into()), Path::new(sessions))
    }

    #[test]
    fn names_the_drop_in_to_write() {
        let unit = "odoo-session-reaper@shop.service";
        let advice = said(unit, "/srv/erp/sessions").unwrap_or_default();
        assert!(
            advice.contains(&format!("systemctl edit {unit}")),
            "{advice}"
        );
        assert!(
            advice.contains("\"ReadWritePaths=/srv/erp/sessions\""),
            "{advice}"
        );
        let advice = said(unit, "/home/odoo/data/sessions").unwrap_or_default();
        assert!(advice.contains("\"ProtectHome=tmpfs\""), "{advice}");
        assert!(
            advice.contains("\"BindPaths=/home/odoo/data/sessions\""),
            "{advice}"
        );
    }

    #[test]
    fn is_silent_outside_of_our_units() {
        assert_eq!(advice(None, Path::new("/srv/erp/sessions")), None);
        assert_eq!(said("", "/srv/erp/sessions"), None);
    }
}
