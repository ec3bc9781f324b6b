//! What happens late: after a session was judged, after the logins that are due were counted, after a store fell asleep.

use std::fs;
use std::path::Path;

use filetime::{FileTime, set_file_atime};
use rustix::fs::{StatVfsMountFlags, statvfs};
use serde_json::Value;

use crate::stopped::{After, Stopped};
use crate::testenv::{DAY, Odoo, Ran, USER, VISITOR, flat, now, sharded, skipped};

/// Reaps with one worker, and lets `meanwhile` happen after the program's first such call.
fn reap_while(
    test: &str,
    odoo: &Odoo,
    after: &After<'_>,
    args: &[&str],
    meanwhile: impl FnOnce(),
) -> Option<(Ran, Value)> {
    let place = odoo.data_dir().to_str().unwrap();
    let reap = ["reap", "--threads", "1", "--format", "json", "--data-dir"];
    let args = [&reap[..], &[place], args].concat();
    let ran = Stopped::start(test, None, after, &args)?.while_stopped(|_| meanwhile());
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    Some((ran, report))
}

/// Somebody comes back by a request that only reads his session, after it was read and judged.
fn comes_back(session: &Path) {
    set_file_atime(session, FileTime::from_unix_time(now(), 0)).unwrap();
}

/// The same by one that saves it, as Odoo does.
fn is_saved(session: &Path) {
    let temporary = session.with_file_name("tmpabcdefgh.__wz_sess");
    fs::write(&temporary, USER).unwrap();
    fs::rename(temporary, session).unwrap();
}

/// Or Odoo deletes it, when he logs out.
fn is_logged_out(session: &Path) {
    fs::remove_file(session).unwrap();
}

#[test]
fn who_comes_back_after_he_was_judged_stays_by_a_save_and_where_reads_count_by_a_read() {
    let test = "who_comes_back_after_he_was_judged_stays_by_a_save_and_where_reads_count_by_a_read";
    let by_reads = &["--last-seen", "atime"][..];
    /// How many were saved again, vanished, and were due.
    const KEPT: [u64; 3] = [1, 0, 0];
    const GONE: [u64; 3] = [0, 1, 0];
    const DUE: [u64; 3] = [0, 0, 1];
    for (args, meanwhile, comes) in [
        (&[][..], is_saved as fn(&Path), KEPT),
        (by_reads, is_saved, KEPT),
        (by_reads, comes_back, KEPT),
        (&[], comes_back, DUE),
        (by_reads, |_| (), DUE),
        (by_reads, is_logged_out, GONE),
    ] {
        let odoo = Odoo::new();
        let name = sharded("aa");
        odoo.file(&name, USER, 9 * DAY);
        let mount = statvfs(&odoo.sessions).unwrap().f_flag;
        if mount.contains(StatVfsMountFlags::NOATIME) {
            return skipped(test, "noatime mount");
        }
        let session = odoo.path(&name).canonicalize().unwrap();
        let read = After {
            call: "read",
            path: &session,
        };
        let meanwhile = || meanwhile(&session);
        let Some((ran, report)) = reap_while(test, &odoo, &read, args, meanwhile) else {
            return;
        };
        assert_eq!(ran.code, 0, "{}", ran.all());
        assert_eq!(odoo.has(&name), comes == KEPT, "{args:?}");
        let due = &report["total"]["due"]["files"];
        let told = [&report["kept"]["saved_again"], &report["vanished"], due];
        assert_eq!(told, comes, "{args:?}");
    }
}

#[test]
fn a_backup_that_is_restored_while_logins_are_counted_ends_no_more_than_were_allowed() {
    let test = "a_backup_that_is_restored_while_logins_are_counted_ends_no_more_than_were_allowed";
    let odoo = Odoo::new();
    let (first, late) = (flat("aa"), [flat("bb"), flat("cc"), flat("dd")]);
    odoo.file(&first, USER, 8 * DAY);
    // The store is listed by then, and nothing that comes now is counted.
    let looked = After {
        call: "statx",
        path: Path::new(&first),
    };
    let restored = || {
        for name in &late {
            odoo.file(name, USER, 8 * DAY);
        }
        odoo.file(&flat("ee"), VISITOR, 8 * DAY);
    };
    let args = ["--max-logouts", "1"];
    let Some((ran, report)) = reap_while(test, &odoo, &looked, &args, restored) else {
        return;
    };
    assert_eq!(ran.code, 3, "{}", ran.all());
    let logouts = &report["logouts"];
    assert_eq!([&logouts["logins"], &logouts["kept"]], [1, 3], "{logouts}");
    assert_eq!(report["total"]["deleted"]["files"], 2, "and the visitor");
    assert_eq!(odoo.files().len(), 3);
    // From then on they are counted, and none ends.
    let again = odoo.json("reap", &args, 3);
    assert_eq!(again["logouts"]["kept"], 3);
    assert_eq!(odoo.files().len(), 3);
}

#[test]
fn a_dormant_store_wakes_with_odoos_first_save() {
    let odoo = Odoo::new();
    let [old, new] = ["aa", "ab"].map(sharded);
    odoo.file(&old, USER, 30 * DAY)
        .file(&new, USER, 30 * DAY)
        .unchanged_for(2 * DAY);
    assert_eq!(odoo.json("reap", &[], 0)["end"], "dormant");
    assert_eq!(odoo.files().len(), 2);
    // Odoo writes each session at the top level, and moves it into its shard.
    let temporary = odoo.path("tmpabcdefgh.__wz_sess");
    fs::write(&temporary, USER).unwrap();
    fs::rename(temporary, odoo.path(&new)).unwrap();
    assert_eq!(odoo.json("reap", &[], 0)["end"], "complete");
    assert_eq!(odoo.files(), [new].into());
}
