//! `who` and `revoke`: whom they mean.

use std::time::Duration;

use clap::Args;

use super::{Format, PlainArgs, whole};
use crate::policy::LoginPattern;
use crate::select::Selection;

/// Options that no environment variable stands for: what was exported once, and forgotten, must not log anybody out.
pub(super) const TYPED_ONLY: [&str; 8] = [
    "login",
    "uid",
    "database",
    "sid",
    "everyone",
    "except-login",
    "visitors",
    "yes",
];

/// Arguments of `who`.
#[derive(Debug, Args)]
pub struct WhoArgs {
    /// Where the store is, when each login will be due, and how the work is done.
    #[command(flatten)]
    pub plain: PlainArgs,
    /// Who is meant.
    #[command(flatten)]
    pub selectors: SelectorArgs,
    /// Also tell addresses, browsers, first and last activity of each device (Odoo 18 and newer). This is personal data
    #[arg(long, help_heading = "Report")]
    pub devices: bool,
    /// Text for people, or JSON for programs
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "Report")]
    pub format: Format,
}

/// Arguments of `revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    /// Where the store is, when each login will be due, and how the work is done.
    #[command(flatten)]
    pub plain: PlainArgs,
    /// Who is meant.
    #[command(flatten)]
    pub selectors: SelectorArgs,
    /// Who else is meant, and who is not.
    #[command(flatten)]
    pub more: RevokedArgs,
    /// Text for people, or JSON for programs, which takes --yes or --dry-run
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text, help_heading = "Report")]
    pub format: Format,
}

/// Who is meant. Within a kind one must match; of each kind that is given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who (one of each kind that is given must match)")]
pub struct SelectorArgs {
    /// Whoever has this login; * is anything, ? one character. Like the next three, it can be repeated
    #[arg(long, value_name = "PATTERN", value_parser = pattern, allow_hyphen_values = true)]
    pub login: Vec<LoginPattern>,
    /// The user with this id, in each database where there is one
    #[arg(long, value_name = "N", value_parser = whole::<i64>)]
    pub uid: Vec<i64>,
    /// Everybody in this database
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub database: Vec<String>,
    /// The login whose session id begins so; `who` shows the first 8 characters
    #[arg(long, value_name = "PREFIX", value_parser = sid, allow_hyphen_values = true)]
    pub sid: Vec<String>,
}

/// Who goes, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging out")]
pub struct RevokedArgs {
    /// Everybody. Needed if no option above says whom
    #[arg(long, conflicts_with_all = ["login", "uid", "database", "sid"])]
    pub everyone: bool,
    /// Not whoever has this login. It can be repeated
    #[arg(long, value_name = "PATTERN", value_parser = pattern, allow_hyphen_values = true)]
    pub except_login: Vec<LoginPattern>,
    /// Also visitors; they lose their carts
    #[arg(long, conflicts_with_all = ["login", "uid", "sid"])]
    pub visitors: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Only show who would be logged out
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Delete what is saved again, until nothing was for this long. 0 does not watch [default: 2m, or odoo.conf's
    /// limit_time_real if that is more]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub watch: Option<Duration>,
}

impl SelectorArgs {
    /// Whether anybody is meant in particular.
    pub(crate) fn are_given(&self) -> bool {
        !(self.login.is_empty()
            && self.uid.is_empty()
            && self.database.is_empty()
            && self.sid.is_empty())
    }

    pub(crate) fn selection(self) -> Selection {
        Selection {
            logins: self.login,
            uids: self.uid,
            databases: self.database,
            sids: self.sid,
            ..Selection::default()
        }
    }
}

fn pattern(written: &str) -> Result<LoginPattern, &'static str> {
    LoginPattern::new(written)
}

/// Other outputs end a prefix in `…`.
fn sid(written: &str) -> Result<String, &'static str> {
    let prefix = written.trim_end_matches(['…', '.']);
    match prefix.is_empty() {
        true => Err("it is empty: copy it from `who`"),
        false => Ok(prefix.to_owned()),
    }
}

fn duration(written: &str) -> Result<Duration, String> {
    match written {
        "0" => Ok(Duration::ZERO),
        _ => humantime::parse_duration(written)
            .map_err(|error| format!("{error}: write it like 2m or 90s")),
    }
}
