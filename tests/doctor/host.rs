//! Units, cron and what the journal says, by programs that stand for systemd's; the real ones: tests/packaging/booted.
