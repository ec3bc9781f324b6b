//! The options that say what is due; each can also stand in `odoo.conf`.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::policy::LastSeen;

/// What is due.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is due (also in odoo.conf: [session_reaper])")]
#[allow(
    dead_code,
    reason = "definitions: `settings` takes each as text, with who said it, beside what `odoo.conf` says"
)]
pub struct PolicyArgs {
    /// Delete a logged-in user's session this long after its last use (7d, 36h, 1h 30m; m is minutes, M months)
    #[arg(long, value_name = "AGE", default_value = "7d")]
    authenticated_window: String,
    /// Delete a visitor's session this long after its last use
    #[arg(long, value_name = "AGE", default_value = "1d")]
    anonymous_window: String,
    /// The same for a visitor with a cart or a wishlist [default: the authenticated window]
    #[arg(long, value_name = "AGE")]
    cart_window: Option<String>,
    /// Delete unfinished saves and upload stashes after this time; at least 1h
    #[arg(long, value_name = "AGE", default_value = "1d")]
    leftover_window: String,
    /// Delete what is named like a session, but reads as none, after this time [default: never]
    #[arg(long, value_name = "AGE")]
    unreadable_window: Option<String>,
    /// Allow windows under 2h for logged-in users, or 10m for visitors: ends sessions in use
    #[arg(long)]
    allow_short_window: bool,
    /// Protect these logins, such as 'kiosk*': they never expire. Repeat it, or use commas
    #[arg(long, value_name = "PATTERN")]
    keep_login: Vec<String>,
    /// Which time counts as the last use
    #[arg(long, value_name = "TIME", value_enum, default_value_t = LastSeen::Mtime)]
    last_seen: LastSeen,
    /// Delete a login this long after sign-in, even if active (Odoo 18 and newer); runs take longer
    #[arg(long, value_name = "AGE")]
    max_lifetime: Option<String>,
}

impl ValueEnum for LastSeen {
    fn value_variants<'a>() -> &'a [LastSeen] {
        &[LastSeen::Mtime, LastSeen::Atime]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(match self {
            LastSeen::Mtime => "The last save",
            LastSeen::Atime => {
                "Of logins and carts, also the last read, up to 90 days after the last save"
            }
        }))
    }
}
