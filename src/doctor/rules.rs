//! `rules`: whether what is configured can mean what it says.

use serde_json::Value;

use super::finding::Finding;
use super::host::source::Version;
use super::host::store::Audit;
use super::words::lasting;
use super::{Case, DAY};
use crate::redact::{self, joined, shown};

pub fn judge(case: &Case<'_>, audit: &Audit) -> Finding {
    let text = |text: &str| redact::printable(text.as_bytes());
    let cookie = case.versions().map(cookie).min().flatten();
    let mut doubts = Vec::new();
    let window = audit.longest("authenticated_window");
    if let Some((window, cookie)) = window
        .zip(cookie)
        .filter(|(window, cookie)| window > cookie)
    {
        doubts.push(shown!(
            "logins are kept for {}, but browsers forget them after {}",
            lasting(window),
            lasting(cookie)
        ));
    }
    let nobody = &audit.nobody;
    let logins = nobody.keep_login.iter().flat_map(Value::as_array).flatten();
    let logins = logins.filter_map(Value::as_str);
    doubts.extend(logins.map(|login| shown!("keep_login {} matches nobody", text(login))));
    let empty = nobody.databases.iter();
    doubts.extend(empty.map(|name| shown!("[session_reaper:{}] has no session", text(name))));
    if !doubts.is_empty() {
        let cure = shown!(
            "sudoedit {}    # or the odoo.conf that it names",
            case.defaults()
        );
        return Finding::warning(joined(doubts, "; "), cure);
    }
    Finding::ok(match cookie {
        Some(_) => "no rule is in doubt",
        None => "no rule is in doubt; how long browsers keep a login is not known",
    })
}

/// How long a browser keeps the cookie, in seconds. From 18 on, and in 17 of late 2025, a parameter of each database says.
fn cookie((major, _): Version) -> Option<i64> {
    match major {
        ..16 => Some(90 * DAY),
        16 => Some(7 * DAY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::DAY;
    use super::super::finding::Status;
    use super::super::host::master::Master;
    use super::super::tests::Scene;

    #[test]
    fn a_rule_for_nobody_or_beyond_the_cookie_is_doubted() {
        let none = &[][..];
        for (days, major, databases, logins, status, told) in [
            (7, 16, none, none, Status::Ok, "no rule is in doubt"),
            (
                90,
                17,
                none,
                none,
                Status::Ok,
                "no rule is in doubt; how long browsers keep a login is not known",
            ),
            (
                30,
                16,
                none,
                none,
                Status::Warning,
                "logins are kept for 30 days, but browsers forget them after 7 days",
            ),
            (
                30,
                15,
                &["bank"],
                &["kiosk*"],
                Status::Warning,
                "keep_login kiosk* matches nobody; [session_reaper:bank] has no session",
            ),
        ] {
            let mut scene = Scene::new(json!({
                "policy": [{ "option": "authenticated_window", "value": days * DAY }],
                "nobody": { "databases": databases, "keep_login": logins },
            }));
            scene.host.masters = vec![Master::fake(major, Some("1"))];
            let finding = scene.judge(super::judge);
            assert_eq!((finding.status, &*finding.evidence), (status, told));
        }
    }
}
