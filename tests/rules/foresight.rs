//! What a dry run foresees: every refusal of the kernel that a real run would meet. And what a list says of each.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::testenv::{DAY, Odoo, USER, VISITOR, is_root, sharded, skipped};

const OWNER: u32 = 54_321;
const OTHER: u32 = 54_322;

/// Runs dry and then really; both must end alike. Tells the refusals, by errno, and how many files went.
fn foreseen(odoo: &Odoo, code: i32) -> (Vec<i64>, u64) {
    let dry = odoo.json("reap", &["--dry-run"], code);
    let real = odoo.json("reap", &[], code);
    assert_eq!(dry["errors"], real["errors"]);
    assert_eq!(dry["total"]["deleted"]["files"], 0);
    assert_eq!(dry["total"]["due"], real["total"]["due"]);
    let errors = real["errors"].as_array().unwrap().iter();
    (
        errors
            .map(|error| error["errno"].as_i64().unwrap())
            .collect(),
        real["total"]["deleted"]["files"].as_u64().unwrap(),
    )
}

#[test]
fn who_may_delete_in_a_sticky_directory_is_foreseen() {
    let test = "who_may_delete_in_a_sticky_directory_is_foreseen";
    if !is_root() {
        return skipped(test, "not root");
    }
    const ALLOWED: (&[i64], u64) = (&[], 1);
    const REFUSED: (&[i64], u64) = (&[1], 0);
    for (store, shard, file, mode, outcome) in [
        (OWNER, OTHER, OTHER, 0o1777, REFUSED),
        (OWNER, OWNER, OTHER, 0o1777, ALLOWED),
        (OWNER, OTHER, OWNER, 0o1777, ALLOWED),
        (OWNER, OTHER, OTHER, 0o777, ALLOWED),
        // Root may anywhere.
        (0, OTHER, OTHER, 0o1777, ALLOWED),
    ] {
        let odoo = Odoo::new();
        odoo.session("aa", VISITOR, 2 * DAY);
        for (path, uid) in [
            (odoo.sessions.clone(), store),
            (odoo.path("aa"), shard),
            (odoo.path(&sharded("aa")), file),
        ] {
            lchown(path, Some(uid), Some(uid)).unwrap();
        }
        fs::set_permissions(odoo.path("aa"), Permissions::from_mode(mode)).unwrap();
        let (errors, deleted) = foreseen(&odoo, if outcome == ALLOWED { 0 } else { 3 });
        let case = format!("{store} {shard} {file} {mode:o}");
        assert_eq!((errors.as_slice(), deleted), outcome, "{case}");
    }
}

/// A file or directory that nobody can change until this is dropped.
struct Immutable(File);

impl Immutable {
    fn new(path: &Path) -> Option<Immutable> {
        let file = File::open(path).unwrap();
        let flags = ioctl_getflags(&file).ok()?;
        ioctl_setflags(&file, flags | IFlags::IMMUTABLE).ok()?;
        Some(Immutable(file))
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let flags = ioctl_getflags(&self.0).unwrap();
        ioctl_setflags(&self.0, flags - IFlags::IMMUTABLE).unwrap();
    }
}

#[test]
fn an_immutable_file_or_shard_is_foreseen() {
    let test = "an_immutable_file_or_shard_is_foreseen";
    let immutable: [fn(&Odoo) -> PathBuf; 2] =
        [|odoo| odoo.path("aa"), |odoo| odoo.path(&sharded("aa"))];
    for path in immutable {
        let odoo = Odoo::new();
        odoo.session("aa", VISITOR, 2 * DAY)
            .session("bb", VISITOR, 2 * DAY);
        let Some(_immutable) = Immutable::new(&path(&odoo)) else {
            return skipped(test, "nothing can be made immutable here");
        };
        assert_eq!(foreseen(&odoo, 3), (vec![1], 1));
    }
}

/// What a list says came of the files that are due, whatever their order.
fn outcomes(odoo: &Odoo, command: &str, args: &[&str], code: i32) -> Vec<String> {
    let args = [args, &["--list", "--threads", "1"]].concat();
    let report = odoo.json(command, &args, code);
    let listed = report["due"].as_array().unwrap().iter();
    let mut outcomes: Vec<_> = listed
        .map(|file| file["outcome"].as_str().unwrap().to_owned())
        .collect();
    outcomes.sort();
    outcomes
}

#[test]
fn a_list_says_what_comes_of_each_file() {
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .session("bb", VISITOR, 2 * DAY);
    assert_eq!(outcomes(&odoo, "audit", &[], 0), ["due", "due"]);
    let dry = outcomes(&odoo, "reap", &["--dry-run"], 0);
    assert_eq!(dry, ["would-delete", "would-delete"]);
    let limited = outcomes(&odoo, "reap", &["--limit", "1"], 0);
    assert_eq!(limited, ["deleted", "left"]);
}

#[test]
fn a_refused_deletion_is_told_by_its_kind_and_the_beginning_of_its_id() {
    let test = "a_refused_deletion_is_told_by_its_kind_and_the_beginning_of_its_id";
    let odoo = Odoo::new();
    odoo.session("aa", VISITOR, 2 * DAY)
        .file("tmpabcdefgh.__wz_sess", USER, 2 * DAY);
    for (name, told) in [
        (sharded("aa"), "cannot delete session aaaaaaaa…"),
        (
            "tmpabcdefgh.__wz_sess".to_owned(),
            "cannot delete unfinished save tmpab…",
        ),
    ] {
        let Some(_immutable) = Immutable::new(&odoo.path(&name)) else {
            return skipped(test, "nothing can be made immutable here");
        };
        assert_eq!(outcomes(&odoo, "reap", &["--dry-run"], 3)[0], "failed");
        let ran = odoo.run("reap", &["--dry-run"]);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}
