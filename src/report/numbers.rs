//! Numbers as people read them, or as their tools do.

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// `118 204`: groups of three, separated by a space.
    Grouped,
    /// `118204`: for pipes and the journal, where `grep` and `awk` come next.
    Plain,
}

impl Numbers {
    /// A count.
    pub fn count(self, number: u64) -> String {
        let digits = number.to_string();
        if self == Numbers::Plain {
            return digits;
        }
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                out.push(' ');
            }
            out.push(digit);
        }
        out
    }

    /// A count of things: `1 file`, `2 files`, `2 directories`, `40 people`.
    pub fn of(self, count: u64, one: &str) -> String {
        let many = match (count, one) {
            (1, _) => one.to_owned(),
            (_, "person") => "people".to_owned(),
            _ => match one.strip_suffix('y') {
                Some(start) => format!("{start}ies"),
                None => format!("{one}s"),
            },
        };
        format!("{} {many}", self.count(count))
    }
}

/// `438 MB`: decimal units, two significant digits below ten.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit > 0 && value < 9.95 {
        format!("{value:.1} {}", UNITS[unit])
    } else {
        format!("{value:.0} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands_for_people_only() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1 000"),
            (1_234_567, "1 234 567"),
        ] {
            assert_eq!(Numbers::Grouped.count(number), text);
            assert_eq!(Numbers::Plain.count(number), text.replace(' ', ""));
        }
    }

    #[test]
    fn one_is_not_many() {
        for (count, one, text) in [
            (1, "shard", "1 shard"),
            (0, "file", "0 files"),
            (2_000, "directory", "2 000 directories"),
            (1, "person", "1 person"),
            (40, "person", "40 people"),
        ] {
            assert_eq!(Numbers::Grouped.of(count, one), text);
        }
    }

    #[test]
    fn rounds_bytes() {
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (12_400, "12 kB"),
            (999_600, "1.0 MB"),
            (438_000_000, "438 MB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }
}
