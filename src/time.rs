//! Points in time as the kernel tells them, and durations in words.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// A clock that is this far behind the one that stamped a file is still believed: hosts drift, and a run takes time.
pub const FUTURE_TOLERANCE: Duration = Duration::from_secs(300);

/// A file's time stamp: seconds since the epoch and nanoseconds. Any value that a file system can hold
/// fits, also the absurd ones that `SystemTime` arithmetic would trip over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 UTC, negative before.
    pub secs: i64,
    /// Nanoseconds after `secs`, below 1 000 000 000.
    pub nanos: u32,
}

impl Timestamp {
    /// A whole second.
    pub const fn from_secs(secs: i64) -> Timestamp {
        Timestamp { secs, nanos: 0 }
    }

    /// The system clock, or the epoch if the clock stands before it.
    pub fn of(time: SystemTime) -> Timestamp {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp {
            secs: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            nanos: since.subsec_nanos(),
        }
    }

    /// How long before `now` this was; zero if it lies after it.
    pub fn age(self, now: Timestamp) -> Duration {
        if self >= now {
            return Duration::ZERO;
        }
        let nanos = (i128::from(now.secs) - i128::from(self.secs)) * 1_000_000_000
            + i128::from(now.nanos)
            - i128::from(self.nanos);
        let secs = u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX);
        // A remainder below 1e9 fits.
        Duration::new(secs, (nanos % 1_000_000_000) as u32)
    }

    /// So much later, to the second, as far as the calendar goes.
    pub fn after(self, duration: Duration) -> Timestamp {
        let secs = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Timestamp {
            secs: self.secs.saturating_add(secs),
            ..self
        }
    }

    /// RFC 3339 in UTC to the second, or `None` for years that it cannot express.
    pub fn rfc3339(self) -> Option<String> {
        let time: DateTime<Utc> = DateTime::from_timestamp(self.secs, self.nanos)?;
        (0..10_000)
            .contains(&chrono::Datelike::year(&time))
            .then(|| time.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

/// As RFC 3339, or `null` for years that it cannot express.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rfc3339().serialize(serializer)
    }
}

/// A duration in words, its two largest units: `7 days`, `1 day 12 hours`, `90 seconds` is `1 minute 30 seconds`.
///
/// Windows are echoed in words because humantime's `7m` is minutes and `7M` months.
pub fn words(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut left = duration.as_secs();
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let count = left / size;
        left %= size;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    if parts.is_empty() {
        return "less than a second".to_owned();
    }
    parts.truncate(2);
    parts.join(" ")
}

/// A duration in at most four columns: `59s`, `12m`, `23h`, `400d`.
pub fn short(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3_600 => format!("{}m", secs / 60),
        3_600..172_800 => format!("{}h", secs / 3_600),
        _ => format!("{}d", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_counts_nanoseconds() {
        let now = Timestamp {
            secs: 100,
            nanos: 5,
        };
        assert_eq!(
            Timestamp { secs: 99, nanos: 6 }.age(now),
            Duration::from_nanos(999_999_999)
        );
        assert_eq!(
            Timestamp {
                secs: 100,
                nanos: 6
            }
            .age(now),
            Duration::ZERO
        );
    }

    #[test]
    fn absurd_time_stamps_have_an_age() {
        let now = Timestamp::from_secs(i64::MAX);
        assert_eq!(Timestamp::from_secs(i64::MIN).age(now).as_secs(), u64::MAX);
        assert_eq!(Timestamp::from_secs(i64::MAX).rfc3339(), None);
        assert_eq!(now.after(Duration::MAX), now);
    }

    #[test]
    fn words_tell_minutes_from_months() {
        assert_eq!(words(Duration::from_secs(7 * 60)), "7 minutes");
        assert_eq!(words(Duration::from_secs(7 * 86_400)), "7 days");
        assert_eq!(
            words(Duration::from_secs(86_400 + 43_200)),
            "1 day 12 hours"
        );
        assert_eq!(words(Duration::from_millis(3)), "less than a second");
    }

    #[test]
    fn short_forms_fit_a_column() {
        for (secs, text) in [(0, "0s"), (60, "1m"), (3_600, "1h"), (172_800, "2d")] {
            assert_eq!(short(Duration::from_secs(secs)), text);
        }
    }
}
