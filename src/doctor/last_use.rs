//! `last-use`: whether people who are active would be logged out, and whether anybody could tell.

use super::Case;
use super::finding::Finding;
use super::host::store::Audit;
use super::words::count;
use crate::redact::{Shown, shown};

/// Of fewer, all may be read at once by chance.
const MANY: u64 = 50;

pub fn judge(case: &Case<'_>, audit: &Audit) -> Finding {
    // At least, and at most.
    let Some(least) = audit.due_but_active else {
        let told = "reads are not noted here, so only saves tell who is active";
        return Finding::unknown(told, noted(case));
    };
    let most = audit.due_but_active_up_to.unwrap_or(least);
    let (read, together) = (audit.read.unwrap_or(0), audit.read_together.unwrap_or(0));
    if read >= MANY && together * 10 >= read * 9 {
        let told = shown!(
            "{} of {} read in a day were read within 20 minutes: by a backup or a scanner, so reads say little",
            together,
            count(read, "session")
        );
        let cure = "# leave `sessions` out of that backup or scanner: nobody needs them restored";
        return Finding::warning(told, cure);
    }
    if most == 0 {
        return Finding::ok("nobody active is due");
    }
    let number = match least == most {
        true => count(least, "login"),
        false => shown!("{} to {}", least, count(most, "login")),
    };
    let told = shown!("{} due, though the file was read within the window", number);
    if audit.said("last_seen").any(|it| it == "atime") {
        let cure =
            "# read for more than 90 days after the last save: let these people log in again";
        return Finding::warning(told, cure);
    }
    let cure = shown!(
        "printf '\\n%s\\n' ODOO_SESSION_REAPER_LAST_SEEN=atime | sudo tee -a {}    # the option --last-seen atime",
        case.defaults()
    );
    Finding::warning(told, cure)
}

/// What shows whether reads are noted.
pub fn noted(case: &Case<'_>) -> Shown {
    shown!(
        "findmnt -T {}    # with noatime, or on NFS, reads are not noted",
        case.data_dir()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::{Finding, Status};
    use super::super::tests::Scene;

    fn judge(active: Option<(u64, u64)>, by_reads: bool, read: (u64, u64)) -> Finding {
        let scene = Scene::new(json!({
            "due_but_active": active.map(|it| it.0),
            "due_but_active_up_to": active.map(|it| it.1),
            "read": read.0,
            "read_together": read.1,
            "policy": [{ "option": "last_seen", "value": if by_reads { "atime" } else { "mtime" } }],
        }));
        scene.judge(super::judge)
    }

    #[test]
    fn who_is_due_but_active_is_told_with_the_option() {
        for (active, by_reads, status, told) in [
            (Some((0, 0)), false, Status::Ok, "nobody active is due"),
            (Some((0, 0)), true, Status::Ok, "nobody active is due"),
            (
                Some((1, 1)),
                false,
                Status::Warning,
                "1 login due, though the file was read within the window",
            ),
            (
                Some((0, 3)),
                false,
                Status::Warning,
                "0 to 3 logins due, though the file was read within the window",
            ),
            (
                None,
                false,
                Status::Unknown,
                "reads are not noted here, so only saves tell who is active",
            ),
        ] {
            let finding = judge(active, by_reads, (0, 0));
            assert_eq!((finding.status, &*finding.evidence), (status, told));
            assert_eq!(finding.cure.is_none(), status == Status::Ok);
        }
        let read = |read| judge(Some((1, 1)), true, read).evidence;
        let backup = read((100, 90));
        assert!(
            backup.starts_with("90 of 100 sessions read in a day were read within"),
            "{backup}"
        );
        for few in [(100, 89), (49, 49)] {
            assert!(read(few).starts_with("1 login due"));
        }
        let cure = judge(Some((1, 1)), false, (0, 0)).cure.unwrap_or_default();
        assert!(
            cure.contains("LAST_SEEN=atime | sudo tee -a /etc/default/odoo-session-reaper"),
            "{cure}"
        );
    }
}
