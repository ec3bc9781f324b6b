//! Command lines worth knowing.

use clap::Command;

/// For `--help` and the man page, each with what it is for.
pub const EXAMPLES: [(&str, &str); 13] = [
    (
        "odoo-session-reaper audit",
        "look around for the store, or for several",
    ),
    (
        "odoo-session-reaper audit --config /etc/odoo/odoo.conf --list",
        "list each file that is due",
    ),
    (
        "odoo-session-reaper audit --data-dir /var/lib/odoo --format json",
        "one JSON document, described in docs/report.md",
    ),
    (
        "odoo-session-reaper doctor --quiet",
        "what is in the way of turning Odoo's own garbage collection off; nothing if all is well",
    ),
    (
        "odoo-session-reaper reap --config /etc/odoo/odoo.conf --dry-run",
        "what would be deleted, and whether it could be",
    ),
    (
        "odoo-session-reaper reap --data-dir /var/lib/odoo --anonymous-window 6h",
        "a busy shop's visitors go after six hours, users after a week",
    ),
    (
        "odoo-session-reaper reap --data-dir /var/lib/odoo --keep-login 'kiosk*'",
        "screens in the hall keep their login",
    ),
    (
        "odoo-session-reaper reap --data-dir /var/lib/odoo --limit 10000",
        "a little at a time",
    ),
    (
        "odoo-session-reaper audit --data-dir /var/lib/odoo --metrics-file /srv/textfile/audit.prom",
        "a graph of every class, in Prometheus",
    ),
    (
        "odoo-session-reaper who --data-dir /var/lib/odoo --login 'bob*'",
        "where Bob is logged in, and since when",
    ),
    (
        "odoo-session-reaper revoke --data-dir /var/lib/odoo --login bob",
        "shows Bob's sessions, asks, and logs him out",
    ),
    (
        "odoo-session-reaper revoke --data-dir /var/lib/odoo --database shop --except-login admin",
        "everybody in shop but admin",
    ),
    (
        "odoo-session-reaper revoke --data-dir /var/lib/odoo --everyone --visitors --yes",
        "all of them, without a question: after a breach, or a move to Redis",
    ),
];

/// Adds those of a command to its help.
pub(super) fn with_examples(command: Command) -> Command {
    let own = |line: &str| line.split(' ').nth(1) == Some(command.get_name());
    let examples: Vec<_> = EXAMPLES
        .iter()
        .filter(|(line, _)| own(line))
        .map(|(line, meaning)| format!("  {line}\n      {meaning}"))
        .collect();
    if examples.is_empty() {
        return command;
    }
    command.after_long_help(format!("Examples:\n{}", examples.join("\n")))
}
