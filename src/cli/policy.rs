//! The options that say what is due; each can also stand in `odoo.conf`.

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum, value_parser};

use crate::policy::LastSeen;

/// What is due. These are definitions only: `settings` takes each as text, with who said it, beside what `odoo.conf` says.
#[derive(Debug)]
pub struct PolicyArgs;

impl Args for PolicyArgs {
    fn augment_args(command: Command) -> Command {
        let option = |long: &'static str| Arg::new(long.replace('-', "_")).long(long);
        let age = |long| option(long).value_name("AGE");
        let options = [
            age("authenticated-window")
                .default_value("7d")
                .help("Delete a logged-in user's session this long after its last use (7d, 36h, 1h 30m; m is minutes, M months)"),
            age("anonymous-window")
                .default_value("1d")
                .help("Delete a visitor's session this long after its last use"),
            age("cart-window")
                .help("The same for a visitor with a cart or a wishlist [default: the authenticated window]"),
            age("leftover-window")
                .default_value("1d")
                .help("Delete unfinished saves and upload stashes after this time; at least 1h"),
            age("unreadable-window")
                .help("Delete what is named like a session, but reads as none, after this time [default: never]"),
            option("allow-short-window")
                .action(ArgAction::SetTrue)
                .help("Allow windows under 2h for logged-in users, or 10m for visitors: ends sessions in use"),
            option("keep-login")
                .value_name("PATTERN")
                .action(ArgAction::Append)
                .help("Protect these logins, such as 'kiosk*': they never expire. Repeat it, or use commas"),
            option("last-seen")
                .value_name("TIME")
                .value_parser(value_parser!(LastSeen))
                .default_value(LastSeen::Mtime.name())
                .help("Which time counts as the last use"),
            age("max-lifetime")
                .help("Delete a login this long after sign-in, even if active (Odoo 18 and newer); runs take longer"),
        ];
        let heading = "What is due (also in odoo.conf: [session_reaper])";
        command.next_help_heading(heading).args(options)
    }

    fn augment_args_for_update(command: Command) -> Command {
        PolicyArgs::augment_args(command)
    }
}

impl FromArgMatches for PolicyArgs {
    fn from_arg_matches(_: &ArgMatches) -> Result<PolicyArgs, clap::Error> {
        Ok(PolicyArgs)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
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
