//! `odoo`: which servers run, and which of them use this store.

use super::Case;
use super::finding::{Finding, Status};
use super::host::master::Master;
use crate::redact::{self, Shown, joined, shown};

const ID: &str = "odoo";

/// A server, as far as it could be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub pid: u64,
    pub uid: Option<u64>,
    pub version: Option<Shown>,
    pub uses: Uses,
}

/// Which store it uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uses {
    This,
    /// Another one, in this data_dir.
    Other(Shown),
    /// Its data_dir cannot be told, for this reason.
    Untold(Shown),
    /// This user may not look into the process.
    Closed,
}

pub struct Evidence {
    pub servers: Vec<Server>,
    /// There may be others that this user cannot see.
    pub hidden: bool,
    pub root: bool,
}

pub fn gather(case: &Case<'_>) -> Evidence {
    let host = case.host;
    let orphan = |pid: &i32| Server {
        pid: number(*pid),
        uid: None,
        version: None,
        uses: Uses::Closed,
    };
    Evidence {
        servers: host
            .masters
            .iter()
            .map(|master| server(case, master))
            .chain(host.orphans.iter().map(orphan))
            .collect(),
        hidden: host.hidden,
        root: host.root,
    }
}

fn number(pid: i32) -> u64 {
    u64::try_from(pid).unwrap_or(0)
}

fn server(case: &Case<'_>, master: &Master) -> Server {
    let seen = master.seen.as_ref();
    let source = seen.and_then(|seen| seen.source.as_ref());
    let version = source.map(|source| {
        let (major, minor) = source.version;
        shown![u64::from(major), ".", u64::from(minor)]
    });
    Server {
        pid: number(master.pid),
        uid: master.uid.map(u64::from),
        version,
        uses: match seen {
            None => Uses::Closed,
            Some(seen) => match &seen.data_dir {
                Err(why) => Uses::Untold(why.clone()),
                Ok(_) if case.is_its_store(master) => Uses::This,
                Ok(dir) => Uses::Other(redact::path(dir)),
            },
        },
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let find = |status, evidence| Finding::new(ID, status, evidence);
    let all = |wanted: fn(&Uses) -> bool| -> Vec<&Server> {
        let servers = evidence.servers.iter();
        servers.filter(|server| wanted(&server.uses)).collect()
    };
    let ours = all(|uses| *uses == Uses::This);
    if !ours.is_empty() {
        let told = joined(ours.into_iter().map(told), "; ");
        return find(Status::Ok, told);
    }
    let dark = all(|uses| matches!(uses, Uses::Closed | Uses::Untold(_)));
    if !dark.is_empty() {
        let told = shown![
            "the store of these servers cannot be told: ",
            joined(dark.into_iter().map(told), "; ")
        ];
        return seen_by_root(find(Status::Unknown, told), evidence.root);
    }
    if evidence.hidden {
        let told = "other users' processes are out of sight here (/proc)".into();
        return seen_by_root(find(Status::Unknown, told), evidence.root);
    }
    let others = all(|uses| matches!(uses, Uses::Other(_)));
    if !others.is_empty() {
        let told = shown![
            "no running Odoo uses this store: ",
            joined(others.into_iter().map(told), "; ")
        ];
        return find(Status::Warning, told);
    }
    find(Status::Unknown, "no Odoo runs here".into())
        .cured_by("# start Odoo, or ask where it runs: odoo-session-reaper doctor".into())
}

/// Says how to see what this user could not.
pub fn seen_by_root(finding: Finding, root: bool) -> Finding {
    finding.cured_by(if root {
        "# ask where Odoo runs (its host, its container): odoo-session-reaper doctor".into()
    } else {
        "sudo odoo-session-reaper doctor".into()
    })
}

fn told(server: &Server) -> Shown {
    let version = match &server.version {
        Some(version) => shown!["Odoo ", version],
        None => "Odoo of unknown version".into(),
    };
    let user = match server.uid {
        Some(uid) => shown![", user ", uid],
        None => Shown::default(),
    };
    let more = match &server.uses {
        Uses::This => Shown::default(),
        Uses::Other(dir) => shown![", data_dir ", dir],
        Uses::Untold(why) => shown![", ", why],
        Uses::Closed => ", which this user may not look into".into(),
    };
    shown![version, " (process ", server.pid, user, ")", more]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_matched_named_or_unknown() {
        let server = |uses| Server {
            pid: 7,
            uid: Some(101),
            version: Some("17.0".into()),
            uses,
        };
        let (ours, other) = (server(Uses::This), server(Uses::Other("/x".into())));
        let untold = server(Uses::Untold("no home".into()));
        let closed = Server {
            version: None,
            ..server(Uses::Closed)
        };
        for (servers, hidden, status, told) in [
            (
                vec![ours.clone(), other.clone()],
                true,
                Status::Ok,
                "Odoo 17.0 (process 7, user 101)",
            ),
            (
                vec![other.clone()],
                false,
                Status::Warning,
                "no running Odoo uses this store: Odoo 17.0 (process 7, user 101), data_dir /x",
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
                "the store of these servers cannot be told: Odoo of unknown version (process 7, user 101), which this user may not look into",
            ),
            (
                vec![untold],
                false,
                Status::Unknown,
                "the store of these servers cannot be told: Odoo 17.0 (process 7, user 101), no home",
            ),
            (vec![], false, Status::Unknown, "no Odoo runs here"),
        ] {
            let finding = judge(&Evidence {
                servers,
                hidden,
                root: false,
            });
            assert_eq!((finding.status, &*finding.evidence), (status, told));
            let has_way = matches!(status, Status::Unknown);
            assert_eq!(finding.cure.is_some(), has_way);
        }
    }
}
