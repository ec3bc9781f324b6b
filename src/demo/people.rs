//! Who is logged in where: invented people only.

use fastrand::Rng;

/// The databases of the demo's server.
const DATABASES: [&str; 4] = ["acme", "acme", "acme_test", "bakery"];

/// The staff, whose user ids follow Odoo's own first few.
const STAFF: [&str; 12] = [
    "alice@example.com",
    "bob@example.com",
    "carla.rossi@example.com",
    "dimitri@example.com",
    "elise",
    "frank.o'hara@example.com",
    "gülay@example.com",
    "hana@example.com",
    "ivan",
    "jürgen@example.com",
    "zoë@example.com",
    "日本@example.com",
];

/// The highest number of a customer with a portal login: above what two bytes of a pickle hold.
const CUSTOMERS: u32 = 90_000;

const LANGUAGES: [&str; 6] = ["en_US", "en_US", "en_US", "fr_FR", "de_DE", "nl_BE"];

/// One user of one database.
pub(super) struct Person {
    pub(super) login: String,
    pub(super) uid: i64,
    pub(super) db: &'static str,
    pub(super) lang: &'static str,
    pub(super) tz: Option<&'static str>,
}

/// The administrator, one of the staff, or a customer on the portal; the same login always has the same user id.
pub(super) fn somebody(rng: &mut Rng) -> Person {
    let (login, uid) = match rng.u8(..10) {
        0 => ("admin".to_owned(), 2),
        1..=6 => {
            let index = rng.usize(..STAFF.len());
            (STAFF[index].to_owned(), index as i64 + 6)
        }
        _ => {
            let number = rng.u32(1..CUSTOMERS);
            let login = format!("customer{number}@example.com");
            (login, i64::from(number) + 20)
        }
    };
    Person {
        login,
        uid,
        db: database(rng),
        lang: language(rng),
        tz: rng.bool().then_some("Europe/Brussels"),
    }
}

/// One of the server's databases.
pub(super) fn database(rng: &mut Rng) -> &'static str {
    DATABASES[rng.usize(..DATABASES.len())]
}

/// A language of a visitor.
pub(super) fn language(rng: &mut Rng) -> &'static str {
    LANGUAGES[rng.usize(..LANGUAGES.len())]
}
