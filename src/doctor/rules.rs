//! `rules`: whether what is configured can mean what it says.

use super::Case;
use super::finding::{Finding, Status};
use super::host::store::Audit;
use super::reaper::defaults;
use super::words::lasting;
use crate::redact::{self, Shown, joined, shown};

pub const ID: &str = "rules";

const DAY: u64 = 86_400;

pub struct Evidence {
    pub rules: Rules,
    /// The life of the browser's cookie in seconds, where it is known.
    pub cookie: Option<u64>,
    /// The file that the settings of the service are in.
    pub file: Shown,
}

pub struct Rules {
    /// The longest window of logged-in users.
    pub authenticated: Option<u64>,
    /// Databases with rules, without a session.
    pub databases: Vec<Shown>,
    /// Patterns of `keep_login` that match nobody.
    pub logins: Vec<Shown>,
}

pub fn gather(case: &Case<'_>, audit: &Audit) -> Evidence {
    let text = |text: &str| redact::printable(text.as_bytes());
    let nobody = &audit.nobody;
    let logins = nobody.keep_login.as_ref().and_then(|it| it.as_array());
    let logins = logins.into_iter().flatten();
    Evidence {
        rules: Rules {
            authenticated: audit.longest("authenticated_window"),
            databases: nobody.databases.iter().map(|name| text(name)).collect(),
            logins: logins.filter_map(|it| it.as_str()).map(text).collect(),
        },
        cookie: case.versions().map(cookie).min().flatten(),
        file: defaults(case.unit.map_or("odoo-session-reaper", |unit| &unit.name)),
    }
}

/// How long a browser keeps the cookie. From 18 on, and in 17 of late 2025, a parameter of each database says.
fn cookie((major, _): (u32, u32)) -> Option<u64> {
    match major {
        ..16 => Some(90 * DAY),
        16 => Some(7 * DAY),
        _ => None,
    }
}

pub fn judge(evidence: &Evidence) -> Finding {
    let rules = &evidence.rules;
    let mut doubts = Vec::new();
    if let (Some(window), Some(cookie)) = (rules.authenticated, evidence.cookie) {
        if window > cookie {
            let secs = |secs: u64| lasting(i64::try_from(secs).unwrap_or(i64::MAX));
            doubts.push(shown![
                "logins are kept for ",
                secs(window),
                ", but browsers forget them after ",
                secs(cookie)
            ]);
        }
    }
    doubts.extend(
        rules
            .logins
            .iter()
            .map(|login| shown!["keep_login ", login, " matches nobody"]),
    );
    let empty = rules.databases.iter();
    doubts.extend(empty.map(|name| shown!["[session_reaper:", name, "] has no session"]));
    if doubts.is_empty() {
        let told = match evidence.cookie {
            Some(_) => "no rule is in doubt",
            None => "no rule is in doubt; how long browsers keep a login is not known",
        };
        return Finding::new(ID, Status::Ok, told.into());
    }
    Finding::new(ID, Status::Warning, joined(doubts, "; ")).cured_by(shown![
        "sudoedit ",
        &evidence.file,
        "    # or the odoo.conf that it names"
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_for_nobody_or_beyond_the_cookie_is_doubted() {
        let seen =
            |authenticated, cookie, databases: &[&'static str], logins: &[&'static str]| Evidence {
                rules: Rules {
                    authenticated: Some(authenticated),
                    databases: databases.iter().map(|name| Shown::from(*name)).collect(),
                    logins: logins.iter().map(|login| Shown::from(*login)).collect(),
                },
                cookie,
                file: "/etc/default/x".into(),
            };
        let week = cookie((16, 0));
        for (evidence, status, told) in [
            (
                seen(7 * DAY, week, &[], &[]),
                Status::Ok,
                "no rule is in doubt",
            ),
            (
                seen(90 * DAY, None, &[], &[]),
                Status::Ok,
                "no rule is in doubt; how long browsers keep a login is not known",
            ),
            (
                seen(30 * DAY, week, &[], &[]),
                Status::Warning,
                "logins are kept for 30 days, but browsers forget them after 7 days",
            ),
            (
                seen(30 * DAY, cookie((15, 0)), &["bank"], &["kiosk*"]),
                Status::Warning,
                "keep_login kiosk* matches nobody; [session_reaper:bank] has no session",
            ),
        ] {
            let finding = judge(&evidence);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
    }
}
