//! The store that is fought over.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::testenv::Odoo;

/// Where sessions lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As Odoo 15 and older.
    Flat,
    /// As Odoo 16 and newer.
    Sharded,
}

/// Few enough that several writers and workers meet in one shard.
const SHARDS: [&str; 12] = [
    "aa", "bb", "-a", "_b", "0c", "Zz", "--", "__", "9z", "a-", "Qx", "q_",
];

pub const SID: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A store, and the shards it had at the start.
pub struct Store {
    pub odoo: Odoo,
    pub layout: Layout,
    shards: BTreeMap<&'static str, u64>,
}

impl Store {
    pub fn new(layout: Layout) -> Store {
        let odoo = Odoo::new();
        let mut shards = BTreeMap::new();
        if layout == Layout::Sharded {
            for shard in SHARDS {
                fs::create_dir(odoo.path(shard)).unwrap();
                shards.insert(shard, fs::metadata(odoo.path(shard)).unwrap().ino());
            }
        }
        Store {
            odoo,
            layout,
            shards,
        }
    }

    /// The place of a new session.
    pub fn new_name(&self, random: &mut fastrand::Rng) -> String {
        match self.layout {
            Layout::Flat => {
                let sid: String = (0..40).map(|_| random.digit(16)).collect();
                format!("werkzeug_{sid}.sess")
            }
            Layout::Sharded => {
                let shard = SHARDS[random.usize(..SHARDS.len())];
                let login = format!("{shard}/{shard}{}", letters(random, 40));
                // Odoo 18 and 19.0 make 84 characters of it, 19.1 and newer 86.
                let rest = [42, 44][random.usize(..2)];
                login + &letters(random, rest)
            }
        }
    }

    /// The place that Odoo moves a session to: the first 42 characters of its id stay, and 19.1 and newer make the
    /// whole 86 long, also where it had 84.
    pub fn rotated(&self, name: &str, random: &mut fastrand::Rng) -> String {
        let start = "aa/".len() + 42;
        let of_19 = name.len() == "aa/".len() + 84 && random.bool();
        let rest = if of_19 { 42 } else { 44 };
        format!("{}{}", &name[..start], letters(random, rest))
    }

    /// Odoo loses logins where a shard is removed, even an empty one that is made again at once.
    pub fn assert_no_shard_has_gone(&self) {
        for (shard, ino) in &self.shards {
            let now = fs::metadata(self.odoo.path(shard)).map(|stat| stat.ino());
            assert_eq!(now.ok(), Some(*ino), "the shard {shard}");
        }
    }
}

fn letters(random: &mut fastrand::Rng, count: usize) -> String {
    (0..count)
        .map(|_| char::from(SID[random.usize(..SID.len())]))
        .collect()
}
