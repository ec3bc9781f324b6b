//! What was most likely meant by a name that nobody knows: an option of `odoo.conf`, or an environment variable.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Command;

use crate::cli::{ENV_PREFIX, has_variable, variable};
use crate::redact::{self, Shown, shown};

/// How many letters may be wrong in a name that something else is suggested for.
pub(super) const SLIPS: usize = 3;

/// How many may be wrong in what our variables begin with.
const SLIPS_OF_PREFIX: usize = 2;

/// The known name that was most likely meant: it was abbreviated, or few letters differ.
pub(crate) fn closest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name: String = name
        .replace(['-', ' ', '.'], "_")
        .chars()
        .take(64)
        .collect();
    if let Some(known) = known.iter().find(|known| **known == name) {
        return Some(known);
    }
    let mut longer = known.iter().filter(|known| abbreviates(&name, known));
    if let (Some(meant), None) = (longer.next(), longer.next()) {
        return Some(meant);
    }
    let distances = known
        .iter()
        .map(|known| (strsim::osa_distance(&name, known), *known));
    let (distance, meant) = distances.min()?;
    // Of a short name everything else would be close.
    (distance <= SLIPS.min(name.chars().count() / 2)).then_some(meant)
}

/// Whether each word of `name` begins the word of `known` in its place, as in `auth_window`.
fn abbreviates(name: &str, known: &str) -> bool {
    let mut words = known.split('_');
    let begins = |word: &str| words.next().is_some_and(|known| known.starts_with(word));
    name.len() > SLIPS && name.split('_').all(begins)
}

/// The environment variables that look like ours but belong to no option of the commands `of`, as they may be shown,
/// and with what was probably meant.
///
/// Variables that are empty count as unset, as those of options do.
pub(crate) fn unknown_variables(
    command: &Command,
    of: &[&str],
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<String> {
    let known = options(command, of);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let set = environment.filter(|(_, value)| !value.is_empty());
    set.filter_map(|(name, _)| {
        let meant = slip(&name.to_string_lossy(), &known)?;
        let shown = shown(&name);
        match meant.map(variable) {
            Some(meant) if name == *meant => None,
            Some(meant) => Some(format!("{shown} (did you mean {meant}?)")),
            None => Some(shown.into()),
        }
    })
    .collect()
}

/// The name of a variable. What follows our prefix, or a name with small letters or digits, may have a session id in it.
fn shown(name: &OsStr) -> Shown {
    let plain = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'_';
    match name.to_string_lossy().strip_prefix(ENV_PREFIX) {
        Some(rest) => shown!("{}{}", ENV_PREFIX, redact::argument(rest)),
        None if name.as_encoded_bytes().iter().all(plain) => {
            redact::printable(name.as_encoded_bytes())
        }
        None => redact::path(Path::new(name)),
    }
}

/// For a variable that looks like ours, the option that was meant, if one can be told.
fn slip<'k>(name: &str, known: &[&'k str]) -> Option<Option<&'k str>> {
    let name = name.to_uppercase().replace('-', "_");
    let option = |rest: &str| closest(&rest.to_lowercase(), known);
    if let Some(rest) = name.strip_prefix(ENV_PREFIX) {
        // Kubernetes gives every pod these for a Service of our name.
        let of_kubernetes = rest.starts_with("SERVICE_") || rest.starts_with("PORT");
        return (!of_kubernetes && !rest.is_empty()).then(|| option(rest));
    }
    if let Some(option) = ends_in(&name, known) {
        return Some(Some(option));
    }
    let (prefix, rest) = name.split_at_checked(ENV_PREFIX.len())?;
    let near = strsim::osa_distance(prefix, ENV_PREFIX) <= SLIPS_OF_PREFIX;
    (name.starts_with("ODOO") && near && !rest.is_empty()).then(|| option(rest))
}

/// The option whose exact name stands behind another prefix than ours, if that was meant to be ours.
///
/// A false alarm stops somebody's timer. So a reaper of somebody else's may have a `CONFIG`, and what else keeps
/// sessions for Odoo a `LIMIT`; but only we have what keeps sessions from being deleted.
fn ends_in<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let stem = |option: &str| {
        let stem = name.strip_suffix(&option.to_uppercase())?;
        stem.strip_suffix('_')
    };
    let ends = known
        .iter()
        .filter_map(|option| Some((*option, stem(option)?)));
    // `LOG_FORMAT` ends in `FORMAT`.
    let (option, stem) = ends.min_by_key(|(_, stem)| stem.len())?;
    let keeps = option.ends_with("_window") || ["dry_run", "keep_login"].contains(&option);
    // Not `PREAPPROVED`.
    let reaps = stem
        .split('_')
        .any(|word| word.ends_with("REAP") || word.ends_with("REAPER"));
    let of_odoo = ["ODO", "OOD", "ODD"].iter().any(|it| stem.starts_with(it));
    let of_sessions = stem.contains("SESSION");
    let ours = match reaps {
        true => keeps || of_odoo || of_sessions,
        false => keeps && of_odoo && of_sessions,
    };
    ours.then_some(option)
}

/// The options of these commands, with underscores.
fn options(command: &Command, of: &[&str]) -> Vec<String> {
    let commands = of.iter().filter_map(|name| command.find_subcommand(name));
    let mut options: Vec<String> = commands
        .chain([command])
        .flat_map(Command::get_arguments)
        .filter_map(|arg| arg.get_long())
        .filter(|long| has_variable(long))
        .map(|long| long.replace('-', "_"))
        .collect();
    options.sort();
    options.dedup();
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: &[&str] = &["audit", "reap"];

    fn unknown(names: &[&str]) -> Vec<String> {
        let environment = names.iter().map(|name| ((*name).into(), "yes".into()));
        unknown_variables(&crate::cli::command(), RUNS, environment)
    }

    #[test]
    fn a_misspelt_variable_is_told_with_what_was_meant() {
        for (name, meant) in [
            ("ODOO_SESSION_REAPER_DRYRUN", "DRY_RUN"),
            ("ODOO_SESSION_REAPER_KEEP_LOGINS", "KEEP_LOGIN"),
            ("ODOO_SESSION_REAPER_AUTH_WINDOW", "AUTHENTICATED_WINDOW"),
            ("ODOO_SESSION_REAPER_ANON_WINDOW", "ANONYMOUS_WINDOW"),
            ("odoo_session_reaper_dry_run", "DRY_RUN"),
            ("ODOO-SESSION-REAPER-DRY-RUN", "DRY_RUN"),
            ("ODOO_SESSIONS_REAPER_DRY_RUN", "DRY_RUN"),
            ("ODOO_SESION_REAPER_DRY_RUN", "DRY_RUN"),
            ("ODOO_REAPER_DRY_RUN", "DRY_RUN"),
            ("SESSION_REAPER_DRY_RUN", "DRY_RUN"),
            ("REAPER_KEEP_LOGIN", "KEEP_LOGIN"),
            ("OODO_SESSION_REAPER_DRY_RUN", "DRY_RUN"),
            ("ODDO_SESSION_REAPER_LIMIT", "LIMIT"),
            ("ODOO_SESSION_REAP_DRY_RUN", "DRY_RUN"),
            ("ODOO_REAPER_LOG_FORMAT", "LOG_FORMAT"),
            ("ODOO_SESSION_DRY_RUN", "DRY_RUN"),
            ("ODOOSESSIONREAPER_DRY_RUN", "DRY_RUN"),
            ("ODDO_SESSION_REAPER_DRY_RUN", "DRY_RUN"),
            ("ODOO_SESSION_CLEANER_DRY_RUN", "DRY_RUN"),
            ("ODOO_SESSION_ANONYMOUS_WINDOW", "ANONYMOUS_WINDOW"),
            // Options of the demo, which a reap does not have.
            ("ODOO_SESSION_REAPER_SESSIONS", "SESSIONS_DIR"),
            ("ODOO_SESSION_REAPER_KEEP", "KEEP_LOGIN"),
        ] {
            let told = format!("{name} (did you mean ODOO_SESSION_REAPER_{meant}?)");
            assert_eq!(unknown(&[name]), [told]);
        }
        assert_eq!(
            unknown(&["ODOO_SESSION_REAPER_COLOUR"]),
            ["ODOO_SESSION_REAPER_COLOUR"]
        );
        let pasted = format!("ODOO_SESSION_REAPER_{}", "aB3-xyz9".repeat(10));
        assert_eq!(unknown(&[&pasted]), ["ODOO_SESSION_REAPER_aB3-xyz9…"]);
    }

    #[test]
    fn every_option_of_a_run_and_every_strange_variable_is_left_alone() {
        for option in options(&crate::cli::command(), RUNS) {
            assert!(unknown(&[&variable(&option)]).is_empty(), "{option}");
        }
        assert!(
            unknown(&[
                "ODOO_RC",
                "ODOO_SESSION_REDIS_HOST",
                "ODOO_SKIP_GC_SESSIONS",
                "ODOO_SESSION_REAPER",
                "REAPER_UNIT",
                "ODOO_DISABLE_SESSION_GC",
                "ODOO_DATA_DIR",
                "ODOO_CONFIG",
                "XDG_DATA_HOME",
                "XDG_CONFIG_HOME",
                "XDG_SESSION_ID",
                "ODOO_SESSION_REDIS",
                "ODOO_SESSION_REDIS_CONFIG",
                "ODOO_SESSION_CONFIG",
                "ODOO_SESSION_LIMIT",
                "ODOO_SESSIONS_DIR",
                "ODOO_DRY_RUN",
                "DRY_RUN",
                "CASSANDRA_REAPER_CONFIG",
                "ODOO_PREAPPROVED_LIMIT",
                "ODOO_REAPER_SERVICE_HOST",
                "ODOO_SESSION_REAPER_SERVICE_HOST",
                "ODOO_SESSION_REAPER_PORT_80_TCP",
                "SESSION_REAPER_PORT",
            ])
            .is_empty()
        );
        let empty = ("ODOO_SESSION_REAPER_DRYRUN".into(), OsString::new());
        let environment = [empty].into_iter();
        assert!(unknown_variables(&crate::cli::command(), RUNS, environment).is_empty());
    }

    #[test]
    fn an_abbreviation_that_could_be_two_is_none() {
        let known = ["keep_login", "keep_logins_of"];
        assert_eq!(closest("keep", &known), None);
        assert_eq!(
            closest("keep_l_of", &["keep_logins_of"]),
            Some("keep_logins_of")
        );
        assert_eq!(closest("k", &["keep_login"]), None);
        assert_eq!(closest("", &known), None);
    }
}
