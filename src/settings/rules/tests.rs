#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::super::odoo_conf::OdooConf;
use super::*;
use crate::cli;
use crate::time::Timestamp;

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// What `audit` makes of these arguments and of this `odoo.conf`.
fn asked(args: &[&str], conf: &str) -> Result<Resolved, SettingsError> {
    let line = ["odoo-session-reaper", "audit"].iter().chain(args);
    let matches = cli::command().try_get_matches_from(line).unwrap();
    let conf = OdooConf::parse(conf.as_bytes()).unwrap();
    let sections = Sections::of(&conf, Path::new("/etc/odoo.conf"))?;
    resolve(matches.subcommand().unwrap().1, &sections)
}

fn error(args: &[&str], conf: &str) -> String {
    let error = asked(args, conf).unwrap_err();
    assert_eq!(error.exit, crate::exit::Exit::Usage);
    error.to_string()
}

fn source<'a>(resolved: &'a Resolved, option: &str, database: Option<&str>) -> &'a Source {
    let found = resolved
        .effective
        .iter()
        .find(|value| value.option == option && value.database.as_deref() == database);
    &found.unwrap().source
}

#[test]
fn carts_live_as_long_as_users_by_default() {
    let resolved = asked(&["--authenticated-window", "30d"], "").unwrap();
    assert_eq!(resolved.general.windows.cart, days(30));
    let args = ["--authenticated-window", "30d", "--cart-window", "2d"];
    assert_eq!(asked(&args, "").unwrap().general.windows.cart, days(2));
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
        let message = error(&[&format!("--anonymous-window={text}")], "");
        assert!(
            message.starts_with("--anonymous-window is") && message.contains("like 7d"),
            "{message}"
        );
        let words = ["number", "unit", "character"];
        assert!(
            !words
                .iter()
                .any(|of_a_parser| message.contains(of_a_parser))
        );
        let message = error(&[&format!("--max-lifetime={text}")], "");
        assert!(message.starts_with("--max-lifetime is"), "{message}");
        let conf = format!("[session_reaper]\nanonymous_window = {text}\n");
        let message = error(&[], &conf);
        let place = "/etc/odoo.conf line 2: anonymous_window in [session_reaper] is";
        assert!(
            message.starts_with(place) && message.contains("like 7d"),
            "{message}"
        );
    }
}

#[test]
fn a_short_window_must_be_meant() {
    for option in ["authenticated-window", "max-lifetime"] {
        let short = format!("--{option}=7m");
        let message = error(&[&short], "");
        assert!(
            message.contains("7m (7 minutes)") && message.contains("add --allow-short-window"),
            "{message}"
        );
        assert!(asked(&[&short, "--allow-short-window"], "").is_ok());
        assert!(asked(&[&format!("--{option}=2h")], "").is_ok());
        assert!(error(&[&format!("--{option}=119m 59s")], "").contains("--allow-short-window"));
        let key = option.replace('-', "_");
        let conf = format!("[session_reaper:shop]\n{key} = 7m\n");
        let message = error(&[], &conf);
        assert!(
            message.starts_with(&format!(
                "/etc/odoo.conf line 2: {key} in [session_reaper:shop]"
            )) && message.contains("for database shop")
                && message.contains("add allow_short_window = True to that section"),
            "{message}"
        );
        assert!(asked(&["--allow-short-window"], &conf).is_ok());
        assert!(asked(&[], &format!("{conf}allow_short_window = on\n")).is_ok());
    }
}

#[test]
fn minutes_for_visitors_must_be_meant() {
    for option in ["anonymous-window", "cart-window"] {
        let key = option.replace('-', "_");
        let short = format!("--{option}=1m");
        let message = error(&[&short], "");
        assert!(
            message.starts_with(&format!(
                "--{option} is 1m (1 minute), which is under 10 minutes and ends sessions of visitors"
            )) && message.ends_with(
                "If that is meant, add --allow-short-window; m is minutes, M is months"
            ),
            "{message}"
        );
        assert!(asked(&[&short, "--allow-short-window"], "").is_ok());
        assert!(asked(&[&format!("--{option}=1M")], "").is_ok());
        assert!(asked(&[&format!("--{option}=10m")], "").is_ok());
        assert!(error(&[&format!("--{option}=9m 59s")], "").contains("under 10 minutes"));
        for (section, whose) in [("", ""), (":shop", ", for database shop")] {
            let conf = format!("[session_reaper{section}]\n{key} = 1m\n");
            let message = error(&[], &conf);
            assert!(
                message.starts_with(&format!(
                    "/etc/odoo.conf line 2: {key} in [session_reaper{section}] is 1m (1 minute){whose}, which"
                )) && message.contains(". If that is meant, add allow_short_window = True to that section; m is"),
                "{message}"
            );
            assert!(asked(&[], &format!("{conf}allow_short_window = yes\n")).is_ok());
        }
    }
}

#[test]
fn what_a_database_does_not_allow_itself_is_refused_to_it() {
    let conf = "[session_reaper]\nauthenticated_window = 1h\nallow_short_window = True\n\
                [session_reaper:shop]\nallow_short_window = False\n";
    let message = error(&[], conf);
    assert!(
        message.contains("line 2") && message.contains("for database shop"),
        "{message}"
    );
}

#[test]
fn an_unfinished_save_gets_an_hour() {
    assert!(error(&["--leftover-window", "59m"], "").contains("at least 1h"));
    let message = error(&[], "[session_reaper]\n\nLeftover_Window: 59m\n");
    assert!(
        message.starts_with("/etc/odoo.conf line 3: leftover_window in [session_reaper]"),
        "{message}"
    );
}

#[test]
fn the_command_line_beats_the_section_which_beats_the_default() {
    let conf =
        "[session_reaper]\nauthenticated_window = 30d\nanonymous_window = 2d\nlast_seen = atime\n";
    let resolved = asked(&["--anonymous-window", "3d"], conf).unwrap();
    let windows = &resolved.general.windows;
    assert_eq!(
        (windows.authenticated, windows.anonymous, windows.leftover),
        (days(30), days(3), days(1))
    );
    assert_eq!(windows.cart, days(30));
    assert_eq!(resolved.last_seen, LastSeen::Atime);
    let line = |line| Source::File {
        file: "/etc/odoo.conf".into(),
        section: "session_reaper".into(),
        line,
    };
    assert_eq!(source(&resolved, "authenticated_window", None), &line(2));
    assert_eq!(
        source(&resolved, "anonymous_window", None),
        &Source::CommandLine
    );
    assert_eq!(source(&resolved, "last_seen", None), &line(4));
    assert_eq!(source(&resolved, "cart_window", None), &Source::Default);
}

#[test]
fn a_database_has_the_general_values_but_for_its_own() {
    let conf = "[session_reaper]\nkeep_login = kiosk*\nmax_lifetime = 30d\n\
                [session_reaper:Shop]\nauthenticated_window = 2d\n\
                [session_reaper:crm.x]\nmax_lifetime = False\nkeep_login =\n";
    let resolved = asked(&["--authenticated-window", "9d", "--cart-window=4d"], conf).unwrap();
    let shop = &resolved.databases["Shop"];
    assert_eq!(shop.windows.authenticated, days(2), "its own beats a flag");
    assert_eq!(shop.windows.cart, days(4), "a flag reaches it otherwise");
    assert_eq!(shop.keep_logins, resolved.general.keep_logins);
    assert_eq!(shop.max_lifetime, Some(days(30)));
    let crm = &resolved.databases["crm.x"];
    assert_eq!(crm.windows, resolved.general.windows);
    assert_eq!((crm.keep_logins.len(), crm.max_lifetime), (0, None));
    let own = |name: &str| {
        let of = |value: &&Effective| value.database.as_deref() == Some(name);
        resolved
            .effective
            .iter()
            .filter(of)
            .map(|value| value.option)
            .collect::<Vec<_>>()
    };
    assert_eq!(own("Shop"), ["authenticated_window"]);
    assert_eq!(own("crm.x"), ["keep_login", "max_lifetime"]);
}

/// An option that is in the command line's definition only, or whose name is mistyped, would be accepted and do nothing.
#[test]
fn every_option_that_a_section_takes_is_read_from_it() {
    let mut of_databases = 0;
    for option in options() {
        let texts = ["30d", "True", "atime"];
        let of = |name: &str| {
            let tried = texts.map(|text| asked(&[], &format!("[{name}]\n{option} = {text}\n")));
            tried.into_iter().find_map(Result::ok)
        };
        let general = of("session_reaper").unwrap();
        assert_ne!(source(&general, &option, None), &Source::Default);
        if let Some(shop) = of("session_reaper:shop") {
            of_databases += 1;
            assert_ne!(source(&shop, &option, Some("shop")), &Source::Default);
        }
    }
    assert_eq!(
        of_databases,
        options().len() - 3,
        "these hold for all alike"
    );
}

#[test]
fn a_databases_cart_lives_as_long_as_its_users_unless_somebody_says_otherwise() {
    let conf = "[session_reaper:shop]\nauthenticated_window = 2d\n";
    let resolved = asked(&[], conf).unwrap();
    assert_eq!(resolved.databases["shop"].windows.cart, days(2));
    let general = format!("[session_reaper]\ncart_window = 5d\n{conf}");
    let resolved = asked(&[], &general).unwrap();
    assert_eq!(resolved.databases["shop"].windows.cart, days(5));
    let resolved = asked(&[], &format!("{general}cart_window = None\n")).unwrap();
    assert_eq!(resolved.databases["shop"].windows.cart, days(2));
}

#[test]
fn default_is_general_whether_or_not_the_general_section_stands_there() {
    let conf = "[DEFAULT]\nanonymous_window = 2d\nleftover_window = 3d\nsomething = else\n\
                [session_reaper]\n[session_reaper:shop]\n";
    let resolved = asked(&[], conf).unwrap();
    assert_eq!(resolved.general.windows.anonymous, days(2));
    assert_eq!(resolved.general.windows.leftover, days(3));
    assert_eq!(resolved.databases["shop"].windows.anonymous, days(2));
    let resolved = asked(&["--anonymous-window", "5d"], conf).unwrap();
    assert_eq!(resolved.databases["shop"].windows.anonymous, days(5));
    for rest in ["[options]", "[session_reaper:shop]", "[session_reaper]", ""] {
        let conf = format!("[DEFAULT]\nanonymous_window = 2d\nkeep_login = boss\n{rest}\n");
        let resolved = asked(&[], &conf).unwrap();
        let databases = resolved.databases.values();
        for rules in databases.chain([&resolved.general]) {
            assert_eq!(rules.windows.anonymous, days(2), "{rest}");
            assert_eq!(rules.keep_logins[0].as_str(), "boss", "{rest}");
        }
    }
    let both = "[DEFAULT]\nanonymous_window = 2d\n[session_reaper]\nanonymous_window = 3d\n";
    let resolved = asked(&[], both).unwrap();
    assert_eq!(resolved.general.windows.anonymous, days(3));
}

#[test]
fn logins_are_separated_by_commas_and_lines() {
    let logins = |args: &[&str], conf: &str| -> Vec<String> {
        let resolved = asked(args, conf).unwrap();
        let logins = resolved.general.keep_logins.iter();
        logins.map(|login| login.as_str().to_owned()).collect()
    };
    let conf = "[session_reaper]\nkeep_login =\n  kiosk* , pos?,\n\n  # but not this\n  till@shop.example\n";
    assert_eq!(logins(&[], conf), ["kiosk*", "pos?", "till@shop.example"]);
    let args = ["--keep-login", "a,b", "--keep-login", " c"];
    assert_eq!(logins(&args, conf), ["a", "b", "c"]);
    assert!(error(&["--keep-login", ""], "").contains("it is empty"));
    let message = error(&[], "[session_reaper:shop]\nkeep_login = a, b[\n");
    assert!(
        message.starts_with("/etc/odoo.conf line 2: keep_login in [session_reaper:shop] has")
            && message.contains("\"b[\""),
        "{message}"
    );
}

/// An indented line goes on with the value above. It may be a password, and is not repeated.
#[test]
fn a_setting_that_is_indented_by_mistake_is_not_repeated() {
    for key in [
        "keep_login",
        "anonymous_window",
        "last_seen",
        "allow_short_window",
        "max_lifetime",
    ] {
        let conf = format!("[session_reaper]\n{key} = 1\n  admin_passwd = S3CRET\n");
        let message = error(&[], &conf);
        assert!(
            message.contains("line 2")
                && message.contains("unindent")
                && !message.contains("S3CRET"),
            "{message}"
        );
    }
}

#[test]
fn what_is_misspelt_is_named_with_its_line_and_what_was_meant() {
    for (conf, parts) in [
        (
            "[session_reaper]\n\nauthentcated_window = 7d\n",
            [
                "line 3: authentcated_window in [session_reaper]",
                "did you mean authenticated_window?",
            ],
        ),
        (
            "[session_reaper]\nkeep-logins = a\n",
            ["line 2: keep-logins", "did you mean keep_login?"],
        ),
        (
            "[session_reaper]\nwindow = 7d\n",
            ["line 2: window", "known are authenticated_window, "],
        ),
        (
            "[session_reaper:a]\nleftover_window = 7d\n",
            [
                "line 2: leftover_window in [session_reaper:a]",
                "move it to [session_reaper]",
            ],
        ),
        (
            "[session_reaper:a]\nlast_seen = atime\n",
            ["line 2: last_seen", "move it to [session_reaper]"],
        ),
        (
            "[session-reaper]\n",
            ["line 1: [session-reaper]", "write [session_reaper]"],
        ),
        (
            "[Session_Reaper:Shop]\n",
            [
                "line 1: [Session_Reaper:Shop]",
                "write [session_reaper:Shop]",
            ],
        ),
        (
            "[session_reaper ]\n",
            ["line 1: [session_reaper ]", "write [session_reaper]"],
        ),
        (
            "[session_reaper: shop]\n",
            ["line 1", "write [session_reaper:shop]"],
        ),
        ("[session_reaper:]\n", ["line 1", "[session_reaper:DBNAME]"]),
        (
            "[session_reaper] ; see [1]\n",
            ["line 1", "write [session_reaper]"],
        ),
        (
            "[session_reaper.Shop]\n",
            [
                "line 1: [session_reaper.Shop]",
                "write [session_reaper:Shop]",
            ],
        ),
        (
            "[Session-Reaper shop]\n",
            ["line 1", "write [session_reaper:shop]"],
        ),
        (
            "[session_reaper_shop]\n",
            ["line 1", "write [session_reaper:shop]"],
        ),
        (
            "[odoo-session-reaper]\n",
            ["line 1", "write [session_reaper]"],
        ),
        ("[session:reaper]\n", ["line 1", "write [session_reaper],"]),
        ("[sesion:reaper]\n", ["line 1", "write [session_reaper],"]),
        ("[reaper]\n", ["line 1", "write [session_reaper],"]),
        (
            "[reaper:shop]\n",
            ["line 1", "write [session_reaper:shop],"],
        ),
        (
            "[sessionreaper_shop]\n",
            ["line 1", "write [session_reaper:shop],"],
        ),
        (
            "[sessionreapershop]\n",
            ["line 1", "write [session_reaper],"],
        ),
        (
            "[odoo_sessions_reaper]\n",
            ["line 1", "write [session_reaper],"],
        ),
        (
            "[odoo_sessions_reaper:shop]\n",
            ["line 1", "write [session_reaper:shop],"],
        ),
        (
            "[session_reaper:\"shop\"]\n",
            ["line 1", "write [session_reaper:shop],"],
        ),
        (
            "[session_reaper:'shop']\n",
            ["line 1", "write [session_reaper:shop],"],
        ),
    ] {
        let message = error(&[], conf);
        for part in parts {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    let others = "[reaper_of_queues]\nx = 1\n[session_redis]\nx = 1\n[session]\n[queue_job]\n[session_store]\n[session:redis]\n[odoo]\n\
                  [odoo_session_redis]\n[session_reaper:o'neil]\n";
    assert!(asked(&[], others).is_ok());
    let hostile = format!("[session_reaper]\n{}\x1b[31m = 1\n", "ä".repeat(100_000));
    let message = error(&[], &hostile);
    assert!(!message.contains('\x1b') && message.len() < 1_000);
}

#[test]
fn a_pattern_that_could_only_protect_nobody_is_refused() {
    for (patterns, part) in [
        ("kiosk* ; screens", "takes in a comment"),
        ("kiosk*, # screens", "takes in a comment"),
        ("\n  kiosk*\t#screens", "takes in a comment"),
        ("\"kiosk*\"", "begins with a quote"),
        ("'kiosk*, till'", "begins with a quote"),
    ] {
        let message = error(&[], &format!("[session_reaper]\nkeep_login = {patterns}\n"));
        assert!(
            message.contains("line 2") && message.contains(part),
            "{message}"
        );
    }
    for patterns in ["a;b, c#d", "a ?; b", "?1", "o'neil"] {
        assert!(asked(&[], &format!("[session_reaper]\nkeep_login = {patterns}\n")).is_ok());
    }
    assert!(asked(&["--keep-login", "# 7"], "").is_ok());
}

#[test]
fn the_rules_of_a_database_reach_its_sessions() {
    let conf = "[session_reaper:Shop]\nanonymous_window = 2h\n";
    let resolved = asked(&[], conf).unwrap();
    let policy = crate::policy::Policy::new(
        resolved.general,
        resolved.databases,
        Timestamp::from_secs(0),
    );
    assert_eq!(policy.shortest(), Duration::from_secs(7_200));
    assert_eq!(policy.longest(), days(7));
}
