//! `odoo`: which servers run, and which of them use this store.

use super::Case;
use super::finding::{Finding, Status};
use super::host::master::Master;
use crate::redact::{self, Shown, joined, shown};

pub fn judge(case: &Case<'_>) -> Finding {
    let (ours, others) = case.masters();
    if !ours.is_empty() {
        return Finding::ok(joined(ours.into_iter().map(told), "; "));
    }
    let tells_its_store = |master: &&Master| {
        let seen = master.seen.as_ref();
        seen.is_some_and(|seen| seen.data_dir.is_ok())
    };
    let (others, dark): (Vec<_>, Vec<_>) = others.into_iter().partition(tells_its_store);
    let all = |masters: Vec<&Master>| {
        let masters = masters.into_iter();
        joined(
            masters.map(|master| shown!("{}{}", told(master), store(master))),
            "; ",
        )
    };
    if !dark.is_empty() {
        let told = "the store of these servers cannot be told: ";
        return case.unseen(shown!("{}{}", told, all(dark)));
    }
    if case.host.hidden {
        return case.unseen("other users' processes are out of sight here (/proc)".into());
    }
    if !others.is_empty() {
        let told = shown!("no running Odoo uses this store: {}", all(others));
        return Finding::new(Status::Warning, told);
    }
    let cure = "# start Odoo, or ask where it runs: odoo-session-reaper doctor";
    Finding::unknown("no Odoo runs here", cure)
}

fn told(master: &Master) -> Shown {
    let version = match master.version() {
        Some((major, minor)) => shown!("Odoo {}.{}", major, minor),
        None => "Odoo of unknown version".into(),
    };
    let user = master.uid.map(|uid| shown!(", user {}", uid));
    let user = user.unwrap_or_default();
    shown!("{} (process {}{})", version, master.pid, user)
}

fn store(master: &Master) -> Shown {
    match master.seen.as_ref().map(|seen| &seen.data_dir) {
        None => ", which this user may not look into".into(),
        Some(Err(why)) => shown!(", {}", why),
        Some(Ok(dir)) => shown!(", data_dir {}", redact::path(dir)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::Status;
    use super::super::host::master::Master;
    use super::super::tests::Scene;
    use crate::redact::Shown;

    #[test]
    fn a_server_is_matched_named_or_unknown() {
        let ours = Master::fake(17, None);
        let server = |data_dir: Result<&str, Shown>| {
            let mut server = ours.clone();
            if let Some(seen) = &mut server.seen {
                seen.data_dir = data_dir.map(Into::into);
                seen.store = None;
            }
            server
        };
        let other = server(Ok("/x"));
        let untold = server(Err("no home".into()));
        let closed = Master {
            seen: None,
            ..ours.clone()
        };
        for (servers, hidden, status, told) in [
            (
                vec![ours.clone(), other.clone()],
                true,
                Status::Ok,
                "Odoo 17.0 (process 7, user 104)",
            ),
            (
                vec![other.clone()],
                false,
                Status::Warning,
                "no running Odoo uses this store: Odoo 17.0 (process 7, user 104), data_dir /x",
            ),
            (
                vec![other.clone()],
                true,
                Status::Unknown,
                "other users' processes are out of sight here (/proc)",
            ),
            (
                vec![closed, other],
                false,
                Status::Unknown,
                "the store of these servers cannot be told: Odoo of unknown version (process 7, user 104), which this user may not look into",
            ),
            (
                vec![untold],
                false,
                Status::Unknown,
                "the store of these servers cannot be told: Odoo 17.0 (process 7, user 104), no home",
            ),
            (vec![], false, Status::Unknown, "no Odoo runs here"),
        ] {
            let mut scene = Scene::new(json!({}));
            scene.host.masters = servers;
            scene.host.hidden = hidden;
            let finding = super::judge(&scene.case());
            assert_eq!((finding.status, &*finding.evidence), (status, told));
            let has_way = matches!(status, Status::Unknown);
            assert_eq!(finding.cure.is_some(), has_way);
        }
    }
}
