//! `clock`: whether ages can be believed.

use super::Case;
use super::finding::{Finding, Status};
use super::host::systemd::output;
use super::words::count;
use crate::redact::shown;

const ID: &str = "clock";

/// What bounds the harm of a clock that jumps.
const FUSE: &str = "; --max-logouts limits how many logins a wrong clock can end";

pub struct Evidence {
    /// systemd says whether something keeps the clock right; `None` where nobody says.
    pub synchronised: Option<bool>,
    /// Files that were saved in the future or before 2010; `None` if nobody could look.
    pub implausible: Option<u64>,
}

pub fn gather(case: &Case<'_>) -> Evidence {
    let property = output(
        "timedatectl",
        &["show", "--property", "NTPSynchronized", "--value"],
    );
    Evidence {
        synchronised: match property.as_deref().map(str::trim) {
            Some("yes") => Some(true),
            Some("no") => Some(false),
            _ => None,
        },
        implausible: case
            .store
            .audit
            .as_ref()
            .ok()
            .map(|audit| audit.kept.implausible_time),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    let sync = match evidence.synchronised {
        Some(true) => "synchronised",
        Some(false) => "not synchronised with a time server",
        None => "nobody says whether it is synchronised",
    };
    if let Some(files @ 1..) = evidence.implausible {
        let told = shown![
            sync,
            "; ",
            count(files, "file"),
            " saved in the future, and kept until then, or before 2010, and kept for ever",
            FUSE
        ];
        return find(Status::Warning, told).cured_by(
            "timedatectl    # is it right now? Then let those people log in again, and `touch` their files".into(),
        );
    }
    match evidence.synchronised {
        Some(true) => find(Status::Ok, sync.into()),
        Some(false) => find(Status::Warning, shown![sync, FUSE])
            .cured_by("sudo timedatectl set-ntp true".into()),
        None => find(Status::Unknown, sync.into()).cured_by("timedatectl; chronyc tracking".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_right_wrong_or_unknown() {
        for (synchronised, implausible, status) in [
            (Some(true), Some(0), Status::Ok),
            (Some(true), None, Status::Ok),
            (Some(true), Some(1), Status::Warning),
            (Some(false), Some(0), Status::Warning),
            (None, Some(0), Status::Unknown),
            (None, Some(3), Status::Warning),
        ] {
            let finding = judge(&Evidence {
                synchronised,
                implausible,
            });
            assert_eq!(finding.status, status, "{}", finding.evidence);
            assert_eq!(finding.cure.is_none(), status == Status::Ok);
            let fuse = finding.evidence.to_string().contains("--max-logouts");
            assert_eq!(fuse, status == Status::Warning);
            if let Some(files @ 1..) = implausible {
                let told = if files == 1 {
                    "; 1 file saved"
                } else {
                    "; 3 files saved"
                };
                assert!(finding.evidence.contains(told), "{}", finding.evidence);
            }
        }
    }
}
