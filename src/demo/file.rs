//! Makes one file after the other: decides who wrote it and when, has its content written, and gives it its name.

use super::age::{Ages, since_rotation};
use super::content::{Writer, supersede};
use super::kind::{Kind, Odoo, written_by};
use super::people::{self, Person};
use super::store::{NewFile, Store};
use super::value::Dict;
use super::{Made, Recipe, json, name, pickle};
use fastrand::Rng;
use rustix::fs::Mode;
use std::io;
use std::time::Duration;

/// A login that Odoo 19 is moving from one file to another.
struct Rotation {
    person: Person,
    next_sid: String,
    /// How long ago.
    age: Duration,
}

/// The files of a store, in the order in which they are made.
pub(super) struct Files<'a> {
    recipe: &'a Recipe,
    ages: &'a Ages,
    /// Since the epoch.
    now: Duration,
    rng: Rng,
    /// Between a superseded session and its successor, which is the next file.
    rotation: Option<Rotation>,
}

impl<'a> Files<'a> {
    pub(super) fn new(recipe: &'a Recipe, ages: &'a Ages, now: Duration, rng: Rng) -> Self {
        Self {
            recipe,
            ages,
            now,
            rng,
            rotation: None,
        }
    }

    /// Puts file number `index`, of the dealt `kind`, into the store and counts it.
    pub(super) fn make(
        &mut self,
        index: u64,
        kind: Kind,
        store: &mut Store,
        made: &mut Made,
    ) -> io::Result<()> {
        let kind = match kind {
            // There is no next file to be its successor.
            Kind::Superseded if index + 1 == self.recipe.sessions => Kind::Authenticated,
            // The one kind that `find` deletes and the reaper keeps.
            Kind::Unreadable if matches!(self.ages, Ages::Measured(_)) => Kind::Anonymous,
            other => other,
        };
        let (kind, odoo) = written_by(kind, self.recipe.layout, &mut self.rng);
        let rotation = self.rotation.take();
        let age = match (&rotation, self.ages) {
            (Some(rotation), Ages::Natural { .. }) => since_rotation(rotation.age, &mut self.rng),
            _ => self.ages.age(index, kind, odoo, &mut self.rng),
        };
        let saved = self.now.saturating_sub(age);

        let (sid, content) = match kind {
            Kind::Authenticated | Kind::Superseded | Kind::Successor => {
                self.logged_in(kind, odoo, age, rotation)
            }
            _ => (None, self.not_logged_in(kind, odoo, saved)),
        };
        let (shard, name) = self.place(kind, odoo, sid, made);
        *counter(made, kind) += 1;
        let mode = match kind {
            Kind::UnfinishedSave => 0o600,
            _ => 0o644,
        };
        store.put(&NewFile {
            shard,
            name: &name,
            mode: Mode::from_raw_mode(mode),
            saved,
            content: &content,
        })
    }

    /// The content of a login's file, and its session id if a rotation decides it.
    fn logged_in(
        &mut self,
        kind: Kind,
        odoo: Odoo,
        age: Duration,
        rotation: Option<Rotation>,
    ) -> (Option<String>, Vec<u8>) {
        let (person, mut sid) = match rotation {
            Some(rotation) => (rotation.person, Some(rotation.next_sid)),
            None => (people::somebody(&mut self.rng), None),
        };
        let saved = self.now.saturating_sub(age);
        let mut writer = Writer {
            odoo,
            saved,
            rng: &mut self.rng,
        };
        let mut session = writer.authenticated(&person);
        if kind == Kind::Superseded {
            let old_sid = name::base64_sid(&mut self.rng);
            let next_sid = name::rotated(&mut self.rng, &old_sid);
            supersede(&mut session, saved, &next_sid);
            sid = Some(old_sid);
            self.rotation = Some(Rotation {
                person,
                next_sid,
                age,
            });
        }
        (sid, self.bytes(&session, odoo))
    }

    /// The content of any other file.
    fn not_logged_in(&mut self, kind: Kind, odoo: Odoo, saved: Duration) -> Vec<u8> {
        match kind {
            Kind::Empty | Kind::UploadStash => return Vec::new(),
            // A full disk leaves the file, but nothing in it.
            Kind::UnfinishedSave if self.rng.u8(..4) == 0 => return Vec::new(),
            _ => {}
        }
        let mut writer = Writer {
            odoo,
            saved,
            rng: &mut self.rng,
        };
        let session = match kind {
            Kind::UnfinishedSave => {
                let person = people::somebody(writer.rng);
                writer.authenticated(&person)
            }
            _ => writer.anonymous(kind),
        };
        let whole = self.bytes(&session, odoo);
        match kind {
            Kind::Unreadable => self.spoilt(whole, odoo),
            _ => whole,
        }
    }

    /// A session as this Odoo writes it.
    fn bytes(&mut self, session: &Dict, odoo: Odoo) -> Vec<u8> {
        match odoo {
            Odoo::V14 => pickle::dumps(session, self.rng.u8(4..=5)),
            Odoo::V16 => pickle::dumps(session, 5),
            Odoo::V18 | Odoo::V19 => json::dump(session),
        }
    }

    /// What may be in a session's file that is no session.
    fn spoilt(&mut self, mut whole: Vec<u8>, odoo: Odoo) -> Vec<u8> {
        match self.rng.u8(..3) {
            // Somebody's copy of the store ran out of space.
            0 => whole.truncate(whole.len() / 2),
            // The machine lost power: the length was on the disk already, the bytes were not.
            1 => whole.fill(0),
            // An addon's bug; Odoo answers HTTP 500 to this visitor.
            _ if odoo.pickles() => whole = pickle::dumps_list(&[1.into(), 2.into()], 5),
            _ => whole = b"null".to_vec(),
        }
        whole
    }

    /// The shard, if any, and the name of a file.
    fn place(
        &mut self,
        kind: Kind,
        odoo: Odoo,
        sid: Option<String>,
        made: &Made,
    ) -> (Option<[u8; 2]>, String) {
        let rng = &mut self.rng;
        let sid = match kind {
            Kind::UnfinishedSave => return (None, name::unfinished_save(made.unfinished_saves)),
            Kind::UploadStash => return (None, name::upload_stash(rng)),
            Kind::Irregular => name::irregular_sid(rng, made.irregular),
            _ => sid.unwrap_or_else(|| match odoo {
                Odoo::V14 | Odoo::V16 => name::hex_sid(rng),
                Odoo::V18 | Odoo::V19 => name::base64_sid(rng),
            }),
        };
        match odoo {
            Odoo::V14 => (None, name::flat(&sid)),
            _ => (Some(name::shard(&sid)), sid),
        }
    }
}

/// Where files of a kind are counted.
fn counter(made: &mut Made, kind: Kind) -> &mut u64 {
    match kind {
        Kind::Anonymous => &mut made.anonymous,
        Kind::Authenticated | Kind::Successor => &mut made.authenticated,
        Kind::Cart => &mut made.carts,
        Kind::Wishlist => &mut made.wishlists,
        Kind::PendingTwoFactor => &mut made.pending_two_factor,
        Kind::Superseded => &mut made.superseded,
        Kind::Empty => &mut made.empty,
        Kind::Unreadable => &mut made.unreadable,
        Kind::Irregular => &mut made.irregular,
        Kind::UnfinishedSave => &mut made.unfinished_saves,
        Kind::UploadStash => &mut made.upload_stashes,
    }
}
