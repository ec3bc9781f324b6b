//! Moments as an administrator reads them.

use std::time::Duration;

use chrono::DateTime;

use crate::redact::{self, Shown, shown};
use crate::report::Numbers;

/// `12 minutes ago`.
pub fn ago(secs: i64) -> Shown {
    shown!("{} ago", lasting(secs))
}

/// `1 file`, `2 files`.
pub fn count(number: u64, one: &str) -> Shown {
    redact::printable(Numbers::Plain.of(number, one).as_bytes())
}

/// `12 minutes`; the past and the present last less than a second.
pub fn lasting(secs: i64) -> Shown {
    Shown::from(Duration::from_secs(u64::try_from(secs).unwrap_or(0)))
}

/// `2026-11-21 21:10 UTC`.
pub fn moment(secs: i64) -> Shown {
    formatted(secs, "%Y-%m-%d %H:%M UTC")
}

/// `Thursday`, or a date where that is more than six days ahead.
pub fn day(secs: i64, now: i64) -> Shown {
    let is_near = secs - now < 6 * 86_400;
    formatted(secs, if is_near { "%A" } else { "%Y-%m-%d" })
}

fn formatted(secs: i64, format: &str) -> Shown {
    let time = DateTime::from_timestamp(secs, 0).unwrap_or_default();
    redact::printable(time.format(format).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_as_long_as_they_are_near() {
        // 2026-11-21 20:29:58 UTC, a Saturday.
        let now = 1_795_292_998;
        assert_eq!(moment(now), "2026-11-21 20:29 UTC");
        assert_eq!(day(now + 5 * 86_400, now), "Thursday");
        assert_eq!(day(now + 9 * 86_400, now), "2026-11-30");
        assert_eq!(ago(720), "12 minutes ago");
        assert_eq!(lasting(-5), "less than a second");
    }
}
