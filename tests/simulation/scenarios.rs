//! What goes wrong with clocks, mounts, backups and upgrades, and what must come of it.

use odoo_session_reaper::policy::LastSeen::{self, Atime, Mtime};

use crate::judge::Judge;
use crate::mount::Mount::{self, FileServer, Noatime, Relatime, Strictatime};
use crate::odoo::Version::{self, *};
use crate::reaper::Setup;
use crate::site::Incident::*;
use crate::site::{Case, Incident};
use crate::time::{DAY, HOUR, MINUTE, Time};

/// What the short run tries, and for how many days.
pub const SHORT: [(&str, i64); 4] = [
    ("clock 8 days ahead, fuse", 17),
    ("restored backup, fuse", 20),
    ("killed, flat", 13),
    ("killed, shards", 13),
];

/// What must have come of a case, beside what always must: in words, and how it is seen.
pub type Wanted = (&'static str, fn(&Judge) -> bool);

fn scenario(
    name: &str,
    version: Version,
    (window, last_seen, mount): (Time, LastSeen, Mount),
    days: i64,
    incidents: &[(Time, Incident)],
    wanted: Wanted,
) -> (Case, Wanted) {
    let setup = Setup {
        window,
        last_seen,
        mount,
        fuse: None,
    };
    let case = Case {
        name: name.to_owned(),
        version,
        setup,
        days,
        people: 16,
        seed: 0,
        incidents: incidents.to_vec(),
    };
    (case, wanted)
}

const NOBODY: Wanted = ("nobody active is logged out", |judge| judge.of_active == 0);
const SOME: Wanted = ("people are logged out", |judge| judge.of_active > 0);
const FUSED: Wanted = ("the fuse keeps everybody logged in", |judge| {
    judge.of_active == 0 && judge.fused > 0
});
const ANY: Wanted = ("ages and announcements are right", |judge| {
    judge.deleted > 0
});

const KILLED: Wanted = ("some runs were killed in their middle", |judge| {
    judge.killed > 0
});

/// A Tuesday, 10:30.
const TUESDAY: Time = 15 * DAY + 10 * HOUR + 30 * MINUTE;

#[rustfmt::skip]
pub fn all() -> Vec<(Case, Wanted)> {
    let week = (7 * DAY, Atime, Relatime);
    let (ahead, right) = ((TUESDAY, Clock(8 * DAY)), (TUESDAY + DAY, Clock(0)));
    let (behind, right_again) = ((TUESDAY, Clock(-8 * DAY)), (TUESDAY + 3 * DAY, Clock(0)));
    // Who looks leaves the fuse in for a window after the clock is right: until then ages are wrong.
    let (fuse, looked) = ((DAY, Fuse(Some(3))), (TUESDAY + 11 * DAY, Fuse(None)));
    let backup = (TUESDAY - 7 * DAY, Backup);
    let restore = (TUESDAY + 3 * DAY, Restore(20 * HOUR));
    let after = (TUESDAY + 12 * DAY, Fuse(None));
    let mut all = vec![
        scenario("clock 8 days ahead", V18, week, 100, &[ahead, right], SOME),
        scenario("clock 8 days ahead, fuse", V18, week, 100, &[fuse, ahead, right, looked], FUSED),
        scenario("clock 8 days behind", V15, week, 100, &[behind, right_again], SOME),
        scenario("clock 8 days behind, fuse", V15, week, 100, &[fuse, behind, right_again, looked],
            ("the fuse holds while more than three are due", |judge| judge.fused > 0)),
        scenario("restored backup", V16, week, 100, &[backup, restore],
            ("nothing goes until Odoo saves, then people do", |judge| judge.left_alone > 10 && judge.of_active > 0)),
        scenario("restored backup, fuse", V16, week, 100, &[fuse, backup, restore, after],
            ("nothing goes until Odoo saves, then the fuse holds", |judge| judge.left_alone > 10 && judge.of_active == 0 && judge.fused > 0)),
        scenario("file server 4 minutes ahead", V16, (DAY, Mtime, FileServer), 40, &[(0, Server(4 * MINUTE))], ANY),
        scenario("file server 20 minutes ahead", V17, (DAY, Mtime, FileServer), 40, &[(0, Server(20 * MINUTE))], ANY),
        scenario("file server 4 minutes behind", V19, (DAY, Mtime, FileServer), 40, &[(0, Server(-4 * MINUTE))], ANY),
        scenario("noatime, by saves", V15, (3 * DAY, Mtime, Noatime), 60, &[], SOME),
        scenario("noatime, by reads", V15, (3 * DAY, Atime, Noatime), 20, &[],
            ("each run is refused", |judge| judge.left_alone == judge.runs && judge.deleted == 0)),
        scenario("strictatime, by saves", V15, (3 * DAY, Mtime, Strictatime), 120, &[], SOME),
        scenario("strictatime, by reads", V14, (12 * HOUR, Atime, Strictatime), 120, &[], NOBODY),
        scenario("relatime, by saves", V14, (3 * DAY, Mtime, Relatime), 120, &[], SOME),
        scenario("relatime, by reads, 3 hours", V15, (3 * HOUR, Atime, Relatime), 120, &[], NOBODY),
        scenario("backup that reads", V15, week, 250, &[(DAY, ReadingBackup)], ANY),
        scenario("killed, flat", V15, (7 * DAY, Mtime, Relatime), 60, &killed(), KILLED),
        scenario("killed, shards", V19, (7 * DAY, Mtime, Relatime), 60, &killed(), KILLED),
    ];
    for (how, name) in [(Atime, "upgrades, by reads"), (Mtime, "upgrades, by saves")] {
        let versions = [(30 * DAY, Upgrade(V16)), (60 * DAY, Upgrade(V18)), (90 * DAY, Upgrade(V20))];
        let expected = if how == Atime { NOBODY } else { ANY };
        all.push(scenario(name, V15, (7 * DAY, how, Relatime), 120, &versions, expected));
        let missed = [(30 * DAY, Timer(false)), (37 * DAY, Timer(true))];
        let name = name.replace("upgrades", "a week without runs");
        all.push(scenario(&name, V17, (3 * DAY, how, Relatime), 60, &missed, expected));
    }
    all
}

/// Floods make enough to do for a run to be killed in its middle, and more than one make a chance for it on a busy machine.
fn killed() -> Vec<(Time, Incident)> {
    let mut incidents = vec![(5 * DAY, Timer(false)), (11 * DAY, Timer(true))];
    for day in 5..10 {
        incidents.push((day * DAY, Flood(1_500)));
        let killed = |minute| ((day + 1) * DAY + HOUR + minute * MINUTE, Kill);
        incidents.extend((0..3).map(killed));
    }
    incidents
}
