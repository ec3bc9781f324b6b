//! `unknown`: traces of an Odoo that this program does not know.

use super::Case;
use super::finding::Finding;
use super::host::store::{Audit, Shape};
use crate::redact::{self, joined, shown};

/// The newest Odoo whose session files this program was tried with.
const NEWEST: u32 = 20;

pub fn judge(case: &Case<'_>, audit: &Audit) -> Finding {
    let newer = case.versions().filter(|(major, _)| *major > NEWEST);
    let newer = newer.map(|(major, _)| shown!("Odoo {} is newer than this program knows", major));
    let shapes = audit.unknown.iter().map(|Shape { like, count }| {
        let like = redact::printable(like.as_bytes());
        shown!("{} foreign files are like {}", *count, like)
    });
    let doubts: Vec<_> = newer.chain(shapes).collect();
    if doubts.is_empty() {
        return Finding::ok("no files of an unknown kind, and no Odoo newer than 20");
    }
    let cure = shown!(
        "sudo odoo-session-reaper audit --data-dir {}    # and look for a newer version of this program",
        case.data_dir()
    );
    Finding::warning(joined(doubts, "; "), cure)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::Status;
    use super::super::host::master::Master;
    use super::super::tests::Scene;

    #[test]
    fn what_nobody_knows_is_said() {
        for (shapes, major, status, told) in [
            (
                json!([]),
                20,
                Status::Ok,
                "no files of an unknown kind, and no Odoo newer than 20",
            ),
            (
                json!([{ "like": "tmp?{8}.__new", "count": 40 }]),
                21,
                Status::Warning,
                "Odoo 21 is newer than this program knows; 40 foreign files are like tmp?{8}.__new",
            ),
        ] {
            let mut scene = Scene::new(json!({ "unknown": shapes }));
            scene.host.masters = vec![Master::fake(major, Some("1"))];
            let finding = scene.judge(super::judge);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
    }
}
