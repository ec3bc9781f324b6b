//! `clock`: whether ages can be believed.

use super::Case;
use super::finding::Finding;
use super::words::count;
use crate::redact::shown;

/// What bounds the harm of a clock that jumps.
const FUSE: &str = "; --max-logouts limits how many logins a wrong clock can end";

pub fn judge(case: &Case<'_>) -> Finding {
    let synchronised = match case.host.synchronised {
        Some(true) => "synchronised",
        Some(false) => "not synchronised with a time server",
        None => "nobody says whether it is synchronised",
    };
    let audit = case.store.audit.as_ref();
    if let Ok(files @ 1..) = audit.map(|audit| audit.kept.implausible_time) {
        let told = shown!(
            "{}; {} saved in the future, and kept until then, or before 2010, and kept for ever{}",
            synchronised,
            count(files, "file"),
            FUSE
        );
        return Finding::warning(
            told,
            "timedatectl    # is it right now? Then let those people log in again, and `touch` their files",
        );
    }
    match case.host.synchronised {
        Some(true) => Finding::ok(synchronised),
        Some(false) => Finding::warning(
            shown!("{}{}", synchronised, FUSE),
            "sudo timedatectl set-ntp true",
        ),
        None => Finding::unknown(synchronised, "timedatectl; chronyc tracking"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::super::tests::Scene;

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
            let mut scene = Scene::new(serde_json::json!({
                "kept": { "implausible_time": implausible.unwrap_or(0) }
            }));
            scene.host.synchronised = synchronised;
            if implausible.is_none() {
                scene.store.audit = Err("not to be seen".into());
            }
            let finding = super::judge(&scene.case());
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
