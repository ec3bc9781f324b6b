//! What session files say: files that real servers wrote, with another person's number and login, and other times.

use odoo_session_reaper::session::{Scratch, read};

use crate::odoo::Version;
use crate::time::{SECOND, Time};

/// What a file in the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    Visitor,
    Cart,
    Pending,
    Login,
    /// What a rotation leaves (19 and newer).
    Superseded,
    /// What a killed save leaves.
    Leftover,
    /// What a visitor uploaded (14, 15).
    Stash,
}

macro_rules! real {
    ($path:literal) => {
        include_bytes!(concat!("../fixtures/odoo-", $path))
    };
}

/// There are none of 15 and 17; they write as 14 and 16 do.
#[rustfmt::skip]
fn real(version: Version, what: What) -> &'static [u8] {
    use Version::*;
    use What::*;
    match (version, what) {
        (V14 | V15, Visitor) => real!("14/sessions/werkzeug_872ee771da9b0c57ed4aa204a9e29a655b0c21be.sess"),
        (V14 | V15, Cart) => real!("14/sessions/werkzeug_b49414275999124b7de7d1fa027e1e8d3d0123bd.sess"),
        (V14 | V15, Pending) => real!("14/sessions/werkzeug_42df6a6955d7e9934c952c230650d5382e729d89.sess"),
        (V14 | V15, _) => real!("14/sessions/werkzeug_1c311f7022625cab2a9a926c9d82569d27e48aa6.sess"),
        (V16 | V17, Visitor) => real!("16/sessions/ce/cee0e8e9927ad3f9863fb276e00945413dde4547"),
        (V16 | V17, Cart) => real!("16/sessions/ee/ee3f0c2d60c23bd1f3355d89a59264084f6459ce"),
        (V16 | V17, Pending) => real!("16/sessions/ee/eefdf209d99dc9cf59ef6a825a6c7de1beb1ed11"),
        (V16 | V17, _) => real!("16/sessions/5d/5d239f097fb0aff96ebf81636bcd40c0b65b6edb"),
        (V18, Visitor) => real!("18/sessions/Jy/JyQ77v9Cl5esEkcY9hy8qvibWbjUbMxfHbrZkwHlNpo1KURPnthvDy6IVjnaSNyJsLIba3OJJdi9e-kMjMz2"),
        (V18, Cart) => real!("18/sessions/bq/bqgZrD4SiF_DAOxxCJnfxGmXn8Uj1M1rttJkqLtqZD-jLzICSLxrQEr_IzvGHQ9mkYQt9g50G9OCfTtfRg9q"),
        (V18, Pending) => real!("18/sessions/BF/BFJgyg183_fHNapUI3VKZeAjGMbz2rcyvd8aNuycVgpXzcfT2HkoLNPQNCaPzlOnl-jxKGXRxTE5gxWqMtqP"),
        (V18, _) => real!("18/sessions/M9/M9yNLEqAUYHtdzD8jb5-_LKfFHoF_YLbp2sWSCvrRDCqZQxmCSKl7MXIH2SgVzF6rluqF-hKY9Q6sAzpwnSP"),
        (V19, Visitor) => real!("19/sessions/cv/cvWv34djFZmQa6LlnaxXfcVIbZ9JiPAUUM-9Rx54Tl54Dljkkvoyet9ATKWR8DwHjYvf0lMByyR7hUeTvVWb"),
        (V19, Cart) => real!("19/sessions/Zp/ZpRnahks_C4WjAOs_pqCZQ8RmvMqkYemWFMr1hhw90-S_LX49G6Z1Pl61cbONfT197bCgt4DSvmz5B6WGads"),
        (V19, Pending) => real!("19/sessions/cZ/cZkR4PgQnXl3g52aP1pmXKzS-2pCHtuq-f8NbYx-PIH3m7eJcDLjsQoOqwm-iD3VEw9Qzedb7ovdM9cpNmo6"),
        (V19, Superseded) => real!("19/sessions/AS/ASlivAmDM36hlDZSeG-GSA-gyZaeoOXubtmEL74lQsxvVLQ8827lSynxOVz_-PE1sroa0LXSoMouXVryOHI0"),
        (V19, _) => real!("19/sessions/FY/FYVp59pLXiNOUE4-Iu9wuoFK1agme_4tFHp7vhP2B4aAkQ_vLVU8k5RLLfgNtIGiO1lthHQQI_yh78gqEyZc"),
        (V20, Visitor) => real!("20/sessions/42/42qs4mHNDad61C-6AgV8CYsB_I2IiQdYrWtXj_f6iXJI-Yw511IXadY9CnB8KMvRHVYPAg0QwUkScax8Ccb1iA"),
        (V20, Cart) => real!("20/sessions/QY/QYWuzQb_7Rs7yOZ-1qzZR5ct7SimOTpTC65dbuUYXjCfYwIpfZOcHBnWDDRMiKQD-ypSLVSpjGtMqQngqRN_OQ"),
        (V20, Pending) => real!("20/sessions/5C/5CJAazvbFQzL_naU56vbWN3k5ENQ9MrGPIoj-foB6JAgN9cS7wk09gE1VfdEJMCOHSuuUJj_Cj0ppPIojcxOZQ"),
        (V20, Superseded) => real!("20/sessions/RJ/RJfKyGfAnCsqOqr-4v3OdMhVMwGh8TJaduejoj6wk4dJYf9w75ytoLu-IO_8WkEVCtx9IAT0XpKZy12Ps4oogQ"),
        (V20, _) => real!("20/sessions/vU/vUP-up3PPfWcCV_5dzU5oqBoYAYj9OonIJVEjASz0wAsFXGf1uuHPu66sacA4PiEALSRkBpiYz8_oSRUisz46A"),
    }
}

/// The bytes of a session that is saved when the host's clock says `now`; `person` is below 100.
pub fn of(version: Version, what: What, person: u8, now: Time) -> Vec<u8> {
    if matches!(what, What::Leftover | What::Stash) {
        return Vec::new();
    }
    let bytes = real(version, what);
    match std::str::from_utf8(bytes) {
        Ok(json) if json.starts_with('{') => in_json(json, person, now).into_bytes(),
        _ => in_pickle(bytes, person),
    }
}

/// The words of the fixtures that name somebody; those of a login and of what a rotation leaves.
const UIDS: [&str; 3] = [r#""uid": 2"#, r#""uid": 6"#, r#""uid": 11"#];
const LOGINS: [&str; 3] = [
    r#""login": "admin""#,
    r#""login": "internal""#,
    r#""login": "kiosk-3""#,
];

fn in_json(json: &str, person: u8, now: Time) -> String {
    let uid = format!(r#""uid": 1{person:02}"#);
    let login = format!(r#""login": "p{person:04}""#);
    let mut said = json.to_owned();
    for word in UIDS {
        said = said.replace(word, &uid);
    }
    for word in LOGINS {
        said = said.replace(word, &login);
    }
    // Each real file that says a time is of the same four months.
    let times: Vec<usize> = said.match_indices(": 179").map(|(at, _)| at + 2).collect();
    for at in times {
        // A rotated session is refused 120 s later.
        let later = if said[..at].ends_with(r#""deletion_time": "#) {
            120
        } else {
            0
        };
        said.replace_range(at..at + 10, &format!("{:010}", now / SECOND + later));
    }
    said
}

/// Every login of the fixtures is `admin`, number 2; what replaces it has as many bytes.
fn in_pickle(pickle: &[u8], person: u8) -> Vec<u8> {
    let mut said = pickle.to_vec();
    let login = format!("\u{5}p{person:04}");
    let marks: [(&[u8], &[u8]); 2] = [
        (b"\x05admin", login.as_bytes()),
        (
            b"uid\x94K\x02",
            &[b'u', b'i', b'd', 0x94, b'K', 100 + person],
        ),
    ];
    for (from, to) in marks {
        for at in 0..said.len().saturating_sub(from.len()) {
            if said[at..].starts_with(from) {
                said[at..at + to.len()].copy_from_slice(to);
            }
        }
    }
    said
}

/// Whether each of them still reads as what it is meant to be.
pub fn check() {
    for version in Version::ALL {
        for what in [
            What::Visitor,
            What::Cart,
            What::Pending,
            What::Login,
            What::Superseded,
        ] {
            if what == What::Superseded && version < Version::V19 {
                continue;
            }
            let bytes = of(version, what, 42, crate::time::START);
            let mut scratch = Scratch::default();
            let session = read(&bytes, &mut scratch).unwrap();
            let login = matches!(what, What::Login | What::Superseded);
            assert_eq!(session.uid.is_some(), login, "{version:?} {what:?}");
            assert_eq!(session.cart, what == What::Cart, "{version:?} {what:?}");
            assert_eq!(
                session.pending_2fa,
                what == What::Pending,
                "{version:?} {what:?}"
            );
            let deletion =
                (what == What::Superseded).then_some((crate::time::START / SECOND + 120) as f64);
            assert_eq!(
                session.deletion_time.map(f64::floor),
                deletion,
                "{version:?} {what:?}"
            );
            if login {
                let name = session.login.unwrap();
                assert_eq!(name.as_bytes(), b"p0042", "{version:?} {what:?}");
            }
        }
    }
}
