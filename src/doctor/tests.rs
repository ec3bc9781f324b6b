//! A store on a host, made up for the tests of the checks.

use serde_json::Value;

use super::host::master::Insight;
use super::host::source::Source;
use super::host::told::Told;
use super::*;

/// 2026-11-21 20:29:58 UTC, a Saturday.
pub const NOW: i64 = 1_795_292_998;

pub struct Scene {
    pub host: Host,
    pub store: Store,
    pub journal: Journal,
}

impl Scene {
    /// A host where nothing runs, and a store of which an audit says this.
    pub fn new(audit: Value) -> Scene {
        Scene {
            host: Host {
                now: NOW,
                ..Host::default()
            },
            store: Store {
                place: Place::fake(),
                real: "/srv/my shop/sessions".into(),
                owner_name: None,
                audit: serde_json::from_value(audit).map_err(|error| panic!("{error}")),
            },
            journal: Journal::default(),
        }
    }

    pub fn case(&self) -> Case<'_> {
        Case {
            host: &self.host,
            store: &self.store,
            stores: &[],
            journal: self.journal.clone(),
        }
    }

    /// What a check finds that goes by the audit.
    pub fn judge(&self, judge: fn(&Case<'_>, &Audit) -> Finding) -> Finding {
        match &self.store.audit {
            Ok(audit) => judge(&self.case(), audit),
            Err(why) => panic!("{why}"),
        }
    }
}

impl Place {
    /// The store of the tests.
    pub fn fake() -> Place {
        Place {
            path: "/srv/my shop/sessions".into(),
            identity: Some((1, 2)),
            owner: Some(104),
        }
    }
}

impl Master {
    /// One of this version that saves in the store of the tests, with this value of its switch; a build that does not
    /// know the switch where there is none.
    pub fn fake(major: u32, switch: Option<&str>) -> Master {
        Master {
            pid: 7,
            uid: Some(104),
            unit: Some("odoo.service".into()),
            unit_sets_switch: false,
            seen: Some(Insight {
                source: Some(Source {
                    version: (major, 0),
                    knows_switch: true,
                    changed: 0,
                }),
                switch: switch.map(str::to_owned),
                without_environment: false,
                started: Some(0),
                data_dir: Ok("/srv/my shop".into()),
                store: Place::fake().identity,
            }),
        }
    }
}

impl Unit {
    /// One that is on, and reaps the store of the tests.
    pub fn fake() -> Unit {
        Unit {
            name: "odoo-session-reaper@shop".into(),
            enabled: "enabled".into(),
            timer_active: true,
            result: "success".into(),
            told: Some(Told {
                store: Ok(Place::fake()),
                dry_run: false,
                audit: Vec::new(),
            }),
            ..Unit::default()
        }
    }
}
