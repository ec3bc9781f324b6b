//! What each kind of session says, in the shape that each Odoo gives it: keys, their order and their values are those of
//! the real files in `tests/fixtures`.

use super::kind::{Kind, Odoo};
use super::name;
use super::people::{self, Person};
use super::value::{Dict, Value};
use fastrand::Rng;
use std::time::Duration;

/// How long a superseded session still works: Odoo 19 refuses it two minutes after the rotation.
const GRACE: f64 = 120.0;

/// One session, about to be written.
pub(super) struct Writer<'a> {
    pub(super) odoo: Odoo,
    /// Time of its last save, since the epoch.
    pub(super) saved: Duration,
    pub(super) rng: &'a mut Rng,
}

impl Writer<'_> {
    /// An anonymous session of this `kind`, as most kinds are.
    pub(super) fn anonymous(&mut self, kind: Kind) -> Dict {
        let mut session = self.keys_of_all(None);
        match kind {
            Kind::Cart => {
                let order = i64::from(self.rng.u32(1..80_000));
                self.shop_visit(&mut session);
                session.push(("sale_order_id", order.into()));
                if self.odoo != Odoo::V14 {
                    let quantity = self.rng.i64(1..9);
                    session.push(("website_sale_cart_quantity", quantity.into()));
                }
            }
            Kind::Wishlist => {
                self.shop_visit(&mut session);
                let wishes = (0..self.rng.u8(1..4)).map(|_| self.rng.i64(1..500).into());
                session.push(("wishlist_ids", wishes.collect::<Vec<Value>>().into()));
            }
            Kind::PendingTwoFactor => {
                let person = people::somebody(self.rng);
                if self.odoo == Odoo::V14 {
                    set(&mut session, "login", person.login.into());
                } else {
                    session.push(("pre_login", person.login.into()));
                }
                session.push(("pre_uid", person.uid.into()));
            }
            _ => match self.rng.u8(..20) {
                0..=5 if self.odoo != Odoo::V14 => self.shop_visit(&mut session),
                6 if self.odoo != Odoo::V14 => {
                    session.push(("is_websocket_session", true.into()));
                }
                7 => session.push(("affiliate_id", self.rng.i64(1..40).into())),
                8 => set(&mut session, "debug", "1".into()),
                // A visitor of a server with several databases, before he has chosen one.
                9 => set(&mut session, "db", Value::None),
                _ => {}
            },
        }
        session
    }

    /// The session of `person`, who is logged in.
    pub(super) fn authenticated(&mut self, person: &Person) -> Dict {
        let mut session = self.keys_of_all(Some(person));
        match self.rng.u8(..20) {
            0 | 1 => {
                let order = i64::from(self.rng.u32(1..80_000));
                session.push(("sale_order_id", order.into()));
            }
            2 => set(&mut session, "debug", "assets".into()),
            3 => session.push(("identity-check-last", self.moment_before(3600.0).into())),
            _ => {}
        }
        session
    }

    /// What every session of this Odoo has, in its order.
    fn keys_of_all(&mut self, person: Option<&Person>) -> Dict {
        let language = person.map_or_else(|| people::language(self.rng), |who| who.lang);
        let mut context: Dict = vec![("lang", language.into())];
        if let Some(who) = person {
            context.push(("tz", who.tz.map_or(false.into(), Value::from)));
            context.push(("uid", who.uid.into()));
        }
        let db = person.map_or_else(|| people::database(self.rng), |who| who.db);
        let uid = person.map(|who| who.uid).into();
        let login = person.map(|who| who.login.clone()).into();
        let token = person.map(|_| name::hex(self.rng, 64)).into();
        if self.odoo == Odoo::V14 {
            return vec![
                ("db", db.into()),
                ("uid", uid),
                ("login", login),
                ("session_token", token),
                ("context", context.into()),
                ("debug", "".into()),
                ("geoip", Dict::new().into()),
            ];
        }
        let mut session: Dict = vec![("context", context.into())];
        if self.odoo == Odoo::V19 {
            session.push(("create_time", self.moment_before(3.0 * 3600.0).into()));
        }
        session.extend([
            ("db", db.into()),
            ("debug", "".into()),
            ("login", login),
            ("uid", uid),
            ("session_token", token),
            match self.odoo {
                Odoo::V16 => ("_geoip", Dict::new().into()),
                _ => ("_trace", self.devices(person.is_some()).into()),
            },
        ]);
        session
    }

    /// Where the session was used from: mostly one device, rarely dozens of them (kilobytes).
    fn devices(&mut self, logged_in: bool) -> Vec<Value> {
        let count = match self.rng.u8(..100) {
            _ if !logged_in => 0,
            0 => self.rng.u8(20..60),
            1..=10 => 2,
            _ => 1,
        };
        let mut devices = Vec::new();
        for _ in 0..count {
            let (platform, browser) = match self.rng.u8(..4) {
                0 => ("linux", "firefox"),
                1 => ("macos", "safari"),
                2 => ("android", "chrome"),
                _ => ("windows", "chrome"),
            };
            // 192.0.2.0/24 belongs to documentation and to nobody's computer.
            let address = format!("192.0.2.{}", self.rng.u8(1..255));
            let last = self.saved.as_secs() as i64;
            let device: Dict = vec![
                ("platform", platform.into()),
                ("browser", browser.into()),
                ("ip_address", address.into()),
                ("first_activity", (last - self.rng.i64(..86_400)).into()),
                ("last_activity", last.into()),
            ];
            devices.push(device.into());
        }
        devices
    }

    /// What a look at the shop leaves in a session.
    fn shop_visit(&mut self, session: &mut Dict) {
        match self.odoo {
            Odoo::V14 => session.push(("website_sale_current_pl", 1.into())),
            Odoo::V16 | Odoo::V18 => session.extend([
                (
                    "website_sale_pricelist_time",
                    self.moment_before(60.0).into(),
                ),
                ("website_sale_current_pl", 1.into()),
                ("website_sale_shop_layout_mode", "grid".into()),
            ]),
            Odoo::V19 => session.push(("fiscal_position_id", false.into())),
        }
    }

    /// A moment in the last `seconds` before the save, in Python's float seconds.
    fn moment_before(&mut self, seconds: f64) -> f64 {
        self.saved.as_secs_f64() - seconds * self.rng.f64()
    }
}

/// Adds the keys that make a session, `saved` at its rotation, a superseded one.
pub(super) fn supersede(session: &mut Dict, saved: Duration, next_sid: &str) {
    session.push(("next_sid", next_sid.to_owned().into()));
    session.push(("deletion_time", (saved.as_secs_f64() + GRACE).into()));
}

fn set(session: &mut Dict, key: &str, value: Value) {
    if let Some(entry) = session.iter_mut().find(|entry| entry.0 == key) {
        entry.1 = value;
    }
}
