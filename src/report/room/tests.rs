//! Which window makes room, and the command for it.

use super::*;

const HOUR: u64 = 3_600;
const DAY: Duration = Duration::from_secs(24 * HOUR);

fn room(inodes: Option<(u64, u64)>, bytes: Option<(u64, u64)>) -> Room {
    let share = |(free, total)| Share { total, free };
    Room {
        inodes: inodes.map(share),
        bytes: bytes.map(share),
    }
}

fn pile(files: u64) -> Pile {
    Pile {
        files,
        bytes: files * 200,
        disk_bytes: files * 4_096,
    }
}

/// Visitors of under 1h, of up to 6h, of up to 1d, and older ones, which are due.
fn visitors(ages: [u64; 4]) -> Row {
    let mut row = Row {
        all: pile(ages.iter().sum()),
        due: pile(ages[3]),
        ..Row::default()
    };
    row.ages[..4].copy_from_slice(&ages);
    row
}

fn chosen(ages: [u64; 4], window: Duration, room: &Room) -> Option<(&'static str, u64)> {
    let row = visitors(ages);
    let missing = missing(room, row.due)?;
    shorter(&row, window, missing, room).map(|((_, label), files)| (label, files))
}

#[test]
fn the_longest_window_that_makes_enough_room_is_chosen() {
    for (ages, free, window) in [
        // 50 of 1 000 must be free.
        ([100, 100, 100, 0], 0, Some(("6h", 100))),
        ([100, 100, 49, 0], 0, Some(("1h", 149))),
        ([100, 100, 49, 0], 1, Some(("6h", 49))),
        ([100, 100, 49, 1], 0, Some(("6h", 49))),
        // As much as can be had.
        ([900, 30, 0, 0], 0, Some(("1h", 30))),
        ([900, 0, 30, 0], 0, Some(("6h", 30))),
        // What is due is enough, or there is room.
        ([100, 100, 100, 50], 0, None),
        ([100, 100, 100, 0], 50, None),
        // A shorter window frees nothing, or nothing to speak of.
        ([900, 0, 0, 0], 0, None),
        ([900, 5, 4, 0], 0, None),
    ] {
        let room = room(Some((free, 1_000)), Some((900, 1_000)));
        assert_eq!(chosen(ages, DAY, &room), window, "{ages:?}, {free} free");
    }
    let full = room(Some((0, 1_000)), None);
    let six_hours = Duration::from_secs(6 * HOUR);
    assert_eq!(
        chosen([100, 100, 0, 100], six_hours, &full),
        None,
        "what is due is enough"
    );
    assert_eq!(
        chosen([100, 90, 0, 20], six_hours, &full),
        Some(("1h", 90)),
        "no window that is not shorter"
    );
    let an_hour = Duration::from_secs(HOUR);
    assert_eq!(chosen([100, 0, 0, 0], an_hour, &full), None);
}

#[test]
fn space_counts_as_inodes_do() {
    let full = |free: u64| room(None, Some((free * 4_096, 1_000 * 4_096)));
    assert_eq!(chosen([100, 60, 40, 0], DAY, &full(0)), Some(("1h", 100)));
    assert_eq!(chosen([100, 60, 40, 0], DAY, &full(10)), Some(("6h", 40)));
    assert_eq!(chosen([100, 60, 40, 0], DAY, &full(50)), None);
    // Something else fills it.
    let disk = room(Some((900, 1_000)), Some((0, 1 << 40)));
    assert_eq!(chosen([100, 60, 40, 0], DAY, &disk), None);
    assert_eq!(chosen([100, 60, 40, 0], DAY, &room(None, None)), None);
}

#[test]
fn a_login_that_may_not_be_shown_is_in_no_command() {
    let copied = |login: &str, shown| may_be_copied(&[login.to_owned()], shown);
    assert!(copied("kiosk*", true) && copied(r"CORP\bob", true));
    assert!(!copied("kiosk*", false), "--no-logins");
    let session_id = "aB3-xyz9".repeat(10);
    for login in [
        "a\u{1b}b",
        "a\u{202e}b",
        "a\nb",
        &"x".repeat(200),
        &session_id,
    ] {
        assert!(!copied(login, true), "{login:?}");
    }
    assert!(may_be_copied(&[], false));
}

#[test]
fn a_value_that_begins_like_an_option_stays_a_value() {
    for (value, words) in [
        (Some("-x"), "--keep-login=-x"),
        (Some("-x*"), "--keep-login='-x*'"),
        (Some("x-*"), "--keep-login 'x-*'"),
        (None, "--keep-login"),
    ] {
        assert_eq!(option_words("keep_login", value), words);
    }
}

#[test]
fn only_a_store_that_the_new_window_alone_makes_dormant_is_forced() {
    let [half, hour, two, day] = [HOUR / 2, HOUR, 2 * HOUR, 24 * HOUR].map(Duration::from_secs);
    assert!(needs_force(two, day, hour));
    assert!(!needs_force(half, day, hour));
    assert!(!needs_force(2 * day, day, hour), "dormant already");
}

#[test]
fn what_is_short_is_named() {
    for (room, told) in [
        (room(Some((0, 12_500)), None), "only 0 of 12500 inodes free"),
        (
            room(Some((9, 10)), Some((1_000_000, 100_000_000))),
            "only 1.0 MB of 100 MB free",
        ),
        (
            room(Some((1, 100)), Some((0, 4_096_000))),
            "only 1 of 100 inodes and 0 B of 4.1 MB free",
        ),
    ] {
        let told = format!("{told} on this file system");
        assert_eq!(shortage(&room), Some(told));
    }
    assert_eq!(shortage(&room(Some((50, 1_000)), None)), None);
}
