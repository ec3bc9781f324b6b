//! Inactivity windows as the command line tells them: humantime durations, checked once.

use std::time::Duration;

use super::SettingsError;
use crate::cli::WindowArgs;
use crate::policy::Windows;
use crate::redact;
use crate::time::words;

/// Below this a user who works without loading a page is logged out: Odoo 18 and 19 save at most once an
/// hour on routed requests, 16 and 17 every 60 to 90 minutes from an idle tab.
const SHORTEST_AUTHENTICATED: Duration = Duration::from_secs(2 * 3_600);

/// A save takes milliseconds, but deleting its temporary file loses the session; one hour is ample.
const SHORTEST_LEFTOVER: Duration = Duration::from_secs(3_600);

/// Longer than any Odoo has been running; anything above is a slip of the keyboard.
const LONGEST: Duration = Duration::from_secs(1_000 * 365 * 86_400);

/// Checks the windows and fills in the defaults that depend on others.
///
/// # Errors
/// A window that is no duration, zero, absurdly long, or too short to be safe.
pub fn windows(args: &WindowArgs) -> Result<Windows, SettingsError> {
    let authenticated = parse("authenticated-window", &args.authenticated_window)?;
    if authenticated < SHORTEST_AUTHENTICATED && !args.allow_short_window {
        return Err(SettingsError::usage(format!(
            "--authenticated-window is {} ({}), which is under 2 hours and logs out users who are working: \
             Odoo does not save a session on each request, and a tab can stay open for hours without a save \
             (m is minutes, M months); if that is meant, add --allow-short-window",
            args.authenticated_window,
            words(authenticated)
        )));
    }
    let leftover = parse("leftover-window", &args.leftover_window)?;
    if leftover < SHORTEST_LEFTOVER {
        return Err(SettingsError::usage(format!(
            "--leftover-window is {} ({}), but a save that is still under way must not lose its file: \
             give at least 1h",
            args.leftover_window,
            words(leftover)
        )));
    }
    let optional =
        |name, text: &Option<String>| text.as_deref().map(|text| parse(name, text)).transpose();
    Ok(Windows {
        authenticated,
        anonymous: parse("anonymous-window", &args.anonymous_window)?,
        cart: optional("cart-window", &args.cart_window)?.unwrap_or(authenticated),
        leftover,
        unreadable: optional("unreadable-window", &args.unreadable_window)?,
    })
}

fn parse(name: &str, text: &str) -> Result<Duration, SettingsError> {
    let shown = redact::argument(text);
    let window = humantime::parse_duration(text).map_err(|error| {
        SettingsError::usage(format!(
            "--{name} is {shown:?}, which is no duration ({error}): write it like 7d, 36h or 1h 30m"
        ))
    })?;
    if window.is_zero() {
        return Err(SettingsError::usage(format!(
            "--{name} is {shown:?}, which is zero and would delete every file: give a duration like 7d"
        )));
    }
    if window > LONGEST {
        return Err(SettingsError::usage(format!(
            "--{name} is {shown:?}, which is over 1000 years: give a duration like 7d"
        )));
    }
    Ok(window)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn args() -> WindowArgs {
        WindowArgs {
            authenticated_window: "7d".into(),
            anonymous_window: "1d".into(),
            cart_window: None,
            leftover_window: "1d".into(),
            unreadable_window: None,
            allow_short_window: false,
        }
    }

    fn error(args: &WindowArgs) -> String {
        windows(args).unwrap_err().to_string()
    }

    #[test]
    fn carts_live_as_long_as_users_by_default() {
        let args = WindowArgs {
            authenticated_window: "30d".into(),
            ..args()
        };
        assert_eq!(
            windows(&args).unwrap().cart,
            Duration::from_secs(30 * 86_400)
        );
        let args = WindowArgs {
            cart_window: Some("2d".into()),
            ..args
        };
        assert_eq!(
            windows(&args).unwrap().cart,
            Duration::from_secs(2 * 86_400)
        );
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in [
            "",
            "7",
            "-1d",
            "soon",
            "0s",
            "0d",
            "99999999999999999999d",
            "2000years",
        ] {
            let args = WindowArgs {
                anonymous_window: text.into(),
                ..args()
            };
            let error = error(&args);
            assert!(error.starts_with("--anonymous-window is"), "{error}");
            assert!(error.contains("like 7d"), "{error}");
        }
    }

    #[test]
    fn a_short_window_must_be_meant() {
        let mut args = WindowArgs {
            authenticated_window: "7m".into(),
            ..args()
        };
        let message = error(&args);
        assert!(
            message.contains("7m (7 minutes)") && message.contains("--allow-short-window"),
            "{message}"
        );
        args.allow_short_window = true;
        assert_eq!(
            windows(&args).unwrap().authenticated,
            Duration::from_secs(420)
        );
    }

    #[test]
    fn an_unfinished_save_gets_an_hour() {
        let args = WindowArgs {
            leftover_window: "59m".into(),
            ..args()
        };
        assert!(error(&args).contains("at least 1h"));
    }
}
