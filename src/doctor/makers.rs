//! `makers`: who makes sessions that nobody comes back to.

use super::Case;
use super::finding::{Finding, Status};
use super::host::store::{Audit, Row};
use crate::redact::{Shown, shown};

pub const ID: &str = "makers";

const DAY: u64 = 86_400;

/// So many an hour is one a minute: a machine that asks, and keeps no cookie.
const MANY: u64 = 60;

pub struct Evidence {
    /// `None` if this store does not tell.
    pub visitors: Option<Visitors>,
    /// The oldest Odoo of this store.
    pub major: Option<u32>,
    pub data_dir: Shown,
}

/// Sessions of visitors without a cart.
pub struct Visitors {
    pub files: u64,
    /// Those that were saved within a day.
    pub of_today: u64,
    /// Those that nobody read after they were saved.
    pub bounced: u64,
}

pub fn gather(case: &Case<'_>, audit: &Audit) -> Evidence {
    let visitors = |row: &Row| {
        Some(Visitors {
            files: row.files,
            of_today: row.younger_than(DAY),
            bounced: audit.bounced?,
        })
    };
    Evidence {
        visitors: audit.plain("anonymous").and_then(visitors),
        major: case.versions().map(|(major, _)| major).min(),
        data_dir: case.data_dir(),
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    let Some(visitors) = &evidence.visitors else {
        let told = "nobody knows which visitors came back: no read was noted here".into();
        return find(Status::Unknown, told).cured_by(shown![
            "findmnt -T ",
            crate::redact::shell(&evidence.data_dir),
            "    # with noatime, or on NFS, reads are not noted"
        ]);
    };
    // As many of today's as of all.
    let today = visitors.of_today.saturating_mul(visitors.bounced) / visitors.files.max(1);
    let an_hour = today / 24;
    let told = shown![
        an_hour,
        " visitors an hour never came back (",
        visitors.bounced,
        " of ",
        visitors.files,
        " files)"
    ];
    if an_hour < MANY {
        return find(Status::Ok, told);
    }
    let told = shown![told, ": most likely health checks, bots or a crawler"];
    find(Status::Warning, told).cured_by(match evidence.major {
        Some(..15) => {
            "# let health checks keep their cookie: Odoo 14 has no page that makes no session"
                .into()
        }
        _ => "# let health checks ask for /web/health, which makes no session (Odoo 15 and newer)"
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_keeps_no_cookie_is_noticed() {
        let seen = |files, of_today, bounced, major| Evidence {
            visitors: Some(Visitors {
                files,
                of_today,
                bounced,
            }),
            major,
            data_dir: "/o".into(),
        };
        for (evidence, status, told) in [
            (
                seen(0, 0, 0, None),
                Status::Ok,
                "0 visitors an hour never came back (0 of 0 files)",
            ),
            (
                seen(4_000, 2_400, 2_000, None),
                Status::Ok,
                "50 visitors an hour never came back (2000 of 4000 files)",
            ),
            (
                seen(4_000, 4_000, 3_600, Some(17)),
                Status::Warning,
                "150 visitors an hour never came back (3600 of 4000 files): most likely health checks, bots or a crawler",
            ),
        ] {
            let finding = judge(&evidence);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
        let cure = |major| {
            judge(&seen(4_000, 4_000, 4_000, major))
                .cure
                .unwrap_or_default()
        };
        assert!(cure(Some(15)).contains("/web/health") && !cure(Some(14)).contains("/web/health"));
        let silent = Evidence {
            visitors: None,
            ..seen(0, 0, 0, None)
        };
        assert_eq!(judge(&silent).status, Status::Unknown);
    }
}
