//! The simulation's own time, in milliseconds since the epoch: what really is, whatever a machine's clock says.

use std::time::Duration;

use filetime::FileTime;
use odoo_session_reaper::time::Timestamp;

pub type Time = i64;

pub const SECOND: Time = 1_000;
pub const MINUTE: Time = 60 * SECOND;
pub const HOUR: Time = 60 * MINUTE;
pub const DAY: Time = 24 * HOUR;

/// Monday, 2024-01-01, 00:00 UTC.
pub const START: Time = 1_704_067_200 * SECOND;

/// 0 for a Monday; the epoch was a Thursday.
pub fn weekday(time: Time) -> i64 {
    (time / DAY + 3) % 7
}

pub fn midnight(time: Time) -> Time {
    time - time % DAY
}

pub fn timestamp(time: Time) -> Timestamp {
    Timestamp {
        secs: time.div_euclid(SECOND),
        nanos: (time.rem_euclid(SECOND) * 1_000_000) as u32,
    }
}

pub fn file_time(time: Time) -> FileTime {
    let Timestamp { secs, nanos } = timestamp(time);
    FileTime::from_unix_time(secs, nanos)
}

pub fn duration(time: Time) -> Duration {
    Duration::from_millis(time.unsigned_abs())
}

/// `36h`, `7d`.
pub fn short(time: Time) -> String {
    if time % DAY == 0 {
        format!("{}d", time / DAY)
    } else {
        format!("{}h", time / HOUR)
    }
}
