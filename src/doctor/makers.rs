//! `makers`: who makes sessions that nobody comes back to.

use super::finding::Finding;
use super::host::store::Audit;
use super::{Case, DAY, last_use};
use crate::redact::shown;

/// So many an hour is one a minute: a machine that asks, and keeps no cookie.
const MANY: u64 = 60;

pub fn judge(case: &Case<'_>, audit: &Audit) -> Finding {
    let (Some(visitors), Some(bounced)) = (audit.plain("anonymous"), audit.bounced) else {
        let told = "nobody knows which visitors came back: no read was noted here";
        return Finding::unknown(told, last_use::noted(case));
    };
    // As many of today's as of all.
    let today = visitors.younger_than(DAY).saturating_mul(bounced) / visitors.files.max(1);
    let an_hour = today / 24;
    let told = shown!(
        "{} visitors an hour never came back ({} of {} files)",
        an_hour,
        bounced,
        visitors.files
    );
    if an_hour < MANY {
        return Finding::ok(told);
    }
    let told = shown!("{}: most likely health checks, bots or a crawler", told);
    let cure = match case.versions().min() {
        Some((..15, _)) => {
            "# let health checks keep their cookie: Odoo 14 has no page that makes no session"
        }
        _ => "# let health checks ask for /web/health, which makes no session (Odoo 15 and newer)",
    };
    Finding::warning(told, cure)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::{Finding, Status};
    use super::super::host::master::Master;
    use super::super::tests::Scene;

    fn judge(files: u64, of_today: u64, bounced: Option<u64>, major: u32) -> Finding {
        let ages = json!([{ "up_to": super::DAY, "files": of_today }]);
        let visitors = json!({ "class": "anonymous", "files": files, "ages": ages });
        let mut scene = Scene::new(json!({ "classes": [visitors], "bounced": bounced }));
        scene.host.masters = vec![Master::fake(major, Some("1"))];
        scene.judge(super::judge)
    }

    #[test]
    fn a_machine_that_keeps_no_cookie_is_noticed() {
        for ((files, of_today, bounced), status, told) in [
            (
                (0, 0, 0),
                Status::Ok,
                "0 visitors an hour never came back (0 of 0 files)",
            ),
            (
                (4_000, 2_400, 2_000),
                Status::Ok,
                "50 visitors an hour never came back (2000 of 4000 files)",
            ),
            (
                (4_000, 4_000, 3_600),
                Status::Warning,
                "150 visitors an hour never came back (3600 of 4000 files): most likely health checks, bots or a crawler",
            ),
        ] {
            let finding = judge(files, of_today, Some(bounced), 17);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
        let cure = |major| {
            let finding = judge(4_000, 4_000, Some(4_000), major);
            finding.cure.unwrap_or_default()
        };
        assert!(cure(15).contains("/web/health") && !cure(14).contains("/web/health"));
        assert_eq!(judge(0, 0, None, 17).status, Status::Unknown);
    }
}
