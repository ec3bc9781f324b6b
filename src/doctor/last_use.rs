//! `last-use`: whether people who are active would be logged out, and whether anybody could tell.

use super::Case;
use super::finding::{Finding, Status};
use super::host::store::Audit;
use super::reaper::defaults;
use super::words::count;
use crate::redact::{Shown, shell, shown};

pub const ID: &str = "last-use";

/// Of fewer, all may be read at once by chance.
const MANY: u64 = 50;

pub struct Evidence {
    /// Logins that are due though they were used within their window: at least, and at most. `None` if reads
    /// are not noted here.
    pub active: Option<(u64, u64)>,
    /// Sessions that were read in the last day and not saved, and those of them that were read at once.
    pub read: (u64, u64),
    /// Reads count already (`--last-seen atime`).
    pub by_reads: bool,
    pub file: Shown,
    pub data_dir: Shown,
}

pub fn gather(case: &Case<'_>, audit: &Audit) -> Evidence {
    let mut policy = audit.policy.iter();
    let last_seen = policy.find(|setting| setting.option == "last_seen");
    let most = |least| (least, audit.due_but_active_up_to.unwrap_or(least));
    Evidence {
        active: audit.due_but_active.map(most),
        read: (audit.read.unwrap_or(0), audit.read_together.unwrap_or(0)),
        by_reads: last_seen.is_some_and(|setting| setting.value == "atime"),
        file: defaults(case.unit.map_or("odoo-session-reaper", |unit| &unit.name)),
        data_dir: case.data_dir(),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    let Some((least, most)) = evidence.active else {
        let told = "reads are not noted here, so only saves tell who is active".into();
        return find(Status::Unknown, told).cured_by(shown![
            "findmnt -T ",
            shell(&evidence.data_dir),
            "    # with noatime, or on NFS, reads are not noted"
        ]);
    };
    let (read, together) = evidence.read;
    if read >= MANY && together * 10 >= read * 9 {
        let told = shown![
            together,
            " of ",
            count(read, "session"),
            " read in a day were read within 20 minutes: by a backup or a scanner, so reads say little"
        ];
        return find(Status::Warning, told).cured_by(
            "# leave `sessions` out of that backup or scanner: nobody needs them restored".into(),
        );
    }
    if most == 0 {
        return find(Status::Ok, "nobody active is due".into());
    }
    let number = match least == most {
        true => count(least, "login"),
        false => shown![least, " to ", count(most, "login")],
    };
    let told = shown![number, " due, though the file was read within the window"];
    let finding = find(Status::Warning, told);
    finding.cured_by(match evidence.by_reads {
        true => {
            "# read for more than 90 days after the last save: let these people log in again".into()
        }
        false => shown![
            "printf '\\n%s\\n' ODOO_SESSION_REAPER_LAST_SEEN=atime | sudo tee -a ",
            &evidence.file,
            "    # the option --last-seen atime"
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_due_but_active_is_told_with_the_option() {
        let seen = |active, by_reads| Evidence {
            active,
            read: (0, 0),
            by_reads,
            file: "/etc/default/x".into(),
            data_dir: "/o".into(),
        };
        for (evidence, status, told) in [
            (
                seen(Some((0, 0)), false),
                Status::Ok,
                "nobody active is due",
            ),
            (seen(Some((0, 0)), true), Status::Ok, "nobody active is due"),
            (
                seen(Some((1, 1)), false),
                Status::Warning,
                "1 login due, though the file was read within the window",
            ),
            (
                seen(Some((0, 3)), false),
                Status::Warning,
                "0 to 3 logins due, though the file was read within the window",
            ),
            (
                seen(None, false),
                Status::Unknown,
                "reads are not noted here, so only saves tell who is active",
            ),
        ] {
            let finding = judge(&evidence);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
            assert_eq!(finding.cure.is_none(), status == Status::Ok);
        }
        let read = |read| Evidence {
            read,
            ..seen(Some((1, 1)), true)
        };
        let backup = judge(&read((100, 90)));
        assert!(
            backup
                .evidence
                .starts_with("90 of 100 sessions read in a day were read within"),
            "{}",
            backup.evidence
        );
        for few in [(100, 89), (49, 49)] {
            assert!(judge(&read(few)).evidence.starts_with("1 login due"));
        }
        let cure = judge(&seen(Some((1, 1)), false)).cure.unwrap_or_default();
        assert!(
            cure.contains("LAST_SEEN=atime | sudo tee -a /etc/default/x"),
            "{cure}"
        );
    }
}
