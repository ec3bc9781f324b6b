//! What to do where the file system has hardly any room and no window has passed: which shorter window for visitors would
//! make room, as a command. Users are left alone.

use std::time::Duration;

use super::Finished;
use super::numbers::{Numbers, bytes};
use crate::policy::Class;
use crate::reap::{End, Mode};
use crate::redact;
use crate::settings::{ConfFile, Effective, Source, Value};
use crate::store::{Room, Share};
use crate::tally::{AGE_BOUNDS, AGE_BUCKETS, Pile, Row, Tally};

/// It is told in the log, as a command to be copied.
const NUMBERS: Numbers = Numbers::Plain;

/// Below this much free, in percent, the file system is short of room.
const SHORT: u64 = 5;

/// Sessions that take less than this much of the file system, in percent, are not what fills it.
const WORTH_IT: u64 = 1;

/// Files and disk space that are missing until the file system is not short of room any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Missing {
    files: u64,
    disk: u64,
}

/// What a shorter window for visitors would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shorter {
    window: (Duration, &'static str),
    /// Files that would go, in addition to those that are due already.
    files: u64,
}

/// What there is to say of a run after which the file system is short of room, if shorter windows could help.
pub(super) fn advice(
    finished: &Finished<'_>,
    conf_file: Option<&ConfFile>,
    any_directory: bool,
) -> Option<String> {
    let tally = finished.tally;
    let total = tally.total();
    let mode = finished.plan.mode;
    // What a reap has deleted is room already.
    let to_go = match mode {
        Mode::Audit | Mode::DryRun => total.settled,
        Mode::Reap => Pile::default(),
    };
    let missing = missing(&finished.room, to_go)?;
    let short = shortage(&finished.room);
    let command = |verb, set| command(finished, conf_file, any_directory, verb, set);
    if mode != Mode::Audit {
        let left = total.all.files.saturating_sub(total.settled.files);
        let disk = total
            .all
            .disk_bytes
            .saturating_sub(total.settled.disk_bytes);
        let cut_short = matches!(finished.end, Some(End::LimitReached | End::Interrupted(_)));
        // Of a dormant store nobody has counted anything.
        let worth_it = finished.end.is_none() || is_worth_it(&finished.room, left, disk);
        return (worth_it && !cut_short).then(|| {
            let audit =
                command("audit", None).unwrap_or("an audit with your --keep-login".to_owned());
            format!("{short}; which shorter window would make room tells {audit}")
        });
    }
    let policy = &finished.plan.policy;
    let shorter = shorter(
        &visitors(tally),
        policy.general().windows.anonymous,
        missing,
        &finished.room,
    )?;
    // A command would need --force, which logs everybody out whose window has passed meanwhile.
    if finished.dormant {
        return Some(format!("{short}; the store is dormant: look first"));
    }
    let of_their_own =
        |value: &&Effective| value.option == "anonymous_window" && value.database.is_some();
    let up_to = match finished.effective.iter().find(of_their_own) {
        Some(_) => "up to ",
        None => "",
    };
    let (window, label) = shorter.window;
    let unchanged = finished.store.stat.mtime.age(policy.now);
    let force = needs_force(unchanged, policy.shortest(), window);
    let reap = command("reap", Some(("anonymous_window", label, force)))
        .unwrap_or_else(|| format!("--anonymous-window {label} with your --keep-login"));
    let files = NUMBERS.of(total.due.files + shorter.files, "file");
    Some(format!("{short}; {reap} would delete {up_to}{files}"))
}

/// The sessions that the anonymous window is for.
fn visitors(tally: &Tally) -> Row {
    let mut visitors = *tally.row(Class::Anonymous);
    visitors.merge(tally.row(Class::Pending2fa));
    visitors
}

fn is_short(share: Share) -> bool {
    share.free < of(share.total, SHORT)
}

fn of(total: u64, percent: u64) -> u64 {
    total.saturating_mul(percent).div_ceil(100)
}

/// What is still missing once these files have gone, or `None` if nothing is.
fn missing(room: &Room, to_go: Pile) -> Option<Missing> {
    let lacking = |share: Option<Share>, gone: u64| {
        let short = share.filter(|share| is_short(*share));
        short.map_or(0, |share| {
            of(share.total, SHORT).saturating_sub(share.free.saturating_add(gone))
        })
    };
    let missing = Missing {
        files: lacking(room.inodes, to_go.files),
        disk: lacking(room.bytes, to_go.disk_bytes),
    };
    (missing != Missing::default()).then_some(missing)
}

/// Whether files of this number and size are much of what the file system can hold.
fn is_worth_it(room: &Room, files: u64, disk: u64) -> bool {
    let much = |share: Option<Share>, taken| {
        share.is_some_and(|share| is_short(share) && taken >= of(share.total, WORTH_IT))
    };
    much(room.inodes, files) || much(room.bytes, disk)
}

/// The longest window that makes enough room; or, if none does, the longest that makes as much as any.
fn shorter(visitors: &Row, window: Duration, missing: Missing, room: &Room) -> Option<Shorter> {
    let each = visitors.all.disk_bytes / visitors.all.files.max(1);
    let mut best: Option<Shorter> = None;
    let bounds = AGE_BOUNDS.into_iter().enumerate().rev();
    for (index, bound) in bounds.filter(|(_, (bound, _))| *bound < window) {
        let older: u64 = visitors.ages[index + 1..AGE_BUCKETS].iter().sum();
        let files = older.saturating_sub(visitors.due.files);
        if best.map_or(0, |best| best.files) < files {
            best = Some(Shorter {
                window: bound,
                files,
            });
        }
        if files >= missing.files && files.saturating_mul(each) >= missing.disk {
            break;
        }
    }
    best.filter(|best| is_worth_it(room, best.files, best.files.saturating_mul(each)))
}

fn shortage(room: &Room) -> String {
    let inodes = room.inodes.filter(|share| is_short(*share));
    let space = room.bytes.filter(|share| is_short(*share));
    let told = [
        inodes.map(|share| {
            format!(
                "{} of {} inodes",
                NUMBERS.count(share.free),
                NUMBERS.count(share.total)
            )
        }),
        space.map(|share| format!("{} of {}", bytes(share.free), bytes(share.total))),
    ];
    let told: Vec<_> = told.into_iter().flatten().collect();
    format!("only {} free on this file system", told.join(" and "))
}

fn said_here(value: &Effective) -> bool {
    matches!(value.source, Source::CommandLine | Source::Environment) && value.database.is_none()
}

/// The logins that a command must repeat; `None` if one may not be shown, as without it the command would log it out.
fn logins(finished: &Finished<'_>) -> Option<Vec<String>> {
    let said = finished.effective.iter().filter(|value| said_here(value));
    let logins: Vec<String> = said
        .filter_map(|value| match &value.value {
            Value::Logins(logins) => Some(logins.clone()),
            _ => None,
        })
        .flatten()
        .collect();
    may_be_copied(&logins, finished.logins).then_some(logins)
}

/// Whether these patterns would be the same once they were read in a log and typed.
fn may_be_copied(logins: &[String], shown: bool) -> bool {
    let same = |login: &String| redact::printable(login.as_bytes()) == login.as_str();
    logins.is_empty() || (shown && logins.iter().all(same))
}

/// An option with its value as a shell takes them; what begins with `-` would be another option.
fn option_words(name: &str, value: Option<&str>) -> String {
    let name = name.replace('_', "-");
    match value.map(|value| (value.starts_with('-'), redact::word(value))) {
        None => format!("--{name}"),
        Some((true, value)) => format!("--{name}={value}"),
        Some((false, value)) => format!("--{name} {value}"),
    }
}

/// Whether a store becomes dormant by a new window alone: where nothing can be saved any more, it soon looks so.
fn needs_force(unchanged: Duration, shortest: Duration, window: Duration) -> bool {
    unchanged > window && unchanged <= shortest
}

/// The command line for the same store by the same rules, as far as they were not said in `odoo.conf`, but with one option
/// set, and perhaps with force. `None` if it would have to show a login that may not be shown.
pub(super) fn command(
    finished: &Finished<'_>,
    conf_file: Option<&ConfFile>,
    any_directory: bool,
    verb: &str,
    set: Option<(&str, &str, bool)>,
) -> Option<String> {
    let logins = logins(finished)?;
    let mut words = vec!["odoo-session-reaper".to_owned(), verb.to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        words.push(option_words(name, value.as_deref()));
    };
    if let Some(file) = conf_file {
        option("config", Some(file.shown().to_string()));
    }
    let sessions = &finished.location.sessions;
    match sessions.parent() {
        Some(data_dir) if sessions.ends_with("sessions") && data_dir.is_absolute() => {
            option("data_dir", Some(redact::path(data_dir).into()));
        }
        _ => option(
            "sessions_dir",
            Some(redact::path(&finished.store.resolved).into()),
        ),
    }
    if any_directory {
        option("accept_any_directory", None);
    }
    for said in finished.effective.iter().filter(|value| said_here(value)) {
        let name = said.option;
        if set.is_some_and(|(set, ..)| set == name) {
            continue;
        }
        match &said.value {
            Value::Duration(duration) => {
                let text = humantime::format_duration(*duration).to_string();
                option(name, Some(text.replace(' ', "")));
            }
            Value::Logins(_) => {
                for login in &logins {
                    option(name, Some(login.clone()));
                }
            }
            Value::Switch(true) => option(name, None),
            Value::LastSeen(last_seen) => option(name, Some(last_seen.name().to_owned())),
            Value::Switch(false) | Value::Never => {}
        }
    }
    if let Some((name, value, force)) = set {
        option(name, Some(value.to_owned()));
        if force {
            option("force", None);
        }
    }
    Some(format!("`{}`", words.join(" ")))
}

#[cfg(test)]
mod tests {
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
        shorter(&row, window, missing, room).map(|shorter| (shorter.window.1, shorter.files))
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
        for login in ["a\u{1b}b", "a\u{202e}b", "a\nb", &"x".repeat(200)] {
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
            assert_eq!(shortage(&room), format!("{told} on this file system"));
        }
    }
}
