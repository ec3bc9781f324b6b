#!/bin/bash
# The journal of a booted system: each deletion and each run is found by its fields, belongs to its unit, and
# is there at journald's own limits, also when a run deletes tens of thousands of logins; and where the socket
# is out of reach, the same is said in lines.
# shellcheck disable=SC2154
. /test/lib.sh

unit=odoo-session-reaper@many.service
data=/var/lib/odoo-many
sessions=$data/sessions
many=40000
deletion=33246ad624654233957020b56b8fc55e
summary=3e3b1b1f4e6c4f75ac98521207696ff7

# logins COUNT: that many sessions of logged-in users, 30 days old, one login each
logins() {
    mkdir -p "$sessions"
    perl -e 'my ($dir, $count) = @ARGV; my $old = time - 30 * 86400;
        for my $number (0 .. $count - 1) {
            my $path = sprintf "%s/werkzeug_%040x.sess", $dir, $number;
            open my $file, ">", $path or die $!;
            print $file qq({"db": "shop", "uid": 2, "login": "user$number", "session_token": "x", "context": {}});
            close $file or die $!;
            utime $old, $old, $path or die $!;
        }' "$sessions" "$1"
    chown -R odoo: "$data"
}
# entries MATCH...: how many entries of this boot have these fields
entries() { journalctl --sync; journalctl -b --since "$since" -o cat --output-fields=_PID --no-pager "$@" | grep -c .; }
suppressed() { journalctl --sync; journalctl -b --since "$since" -o cat --no-pager | grep -c '^Suppressed .* messages from'; }
override() {
    mkdir -p /etc/systemd/system/$unit.d
    printf '%s\n' '[Service]' "$@" >/etc/systemd/system/$unit.d/override.conf
    systemctl daemon-reload
}
no_override() { rm -r /etc/systemd/system/$unit.d; systemctl daemon-reload; }

odoo_user
need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb
instances_of_odoo
echo ODOO_SESSION_REAPER_DATA_DIR=$data >/etc/default/odoo-session-reaper-many
# The container's journald has no limit; this one has the defaults.
rm /etc/systemd/journald.conf.d/bootlab.conf
systemctl restart systemd-journald

section 'Why was Bob logged out?'
logins 3
sed -i s/user1/bob/ "$sessions"/*1.sess
sed -i 's/user2/\\nPRIORITY=0\\nODOO_LOGIN=bob/' "$sessions"/*2.sess
find "$sessions" -type f -exec touch -d '30 days ago' {} +
cursor
need 'a run succeeds' systemctl start $unit
journalctl --sync
journalctl -b ODOO_LOGIN=bob -o export --no-pager >/tmp/bob
for field in ODOO_DB=shop SESSION_CLASS=authenticated SESSION_AGE=259 SESSION_WINDOW=604800 SESSION_SID=00000000 \
    REASON=expired PRIORITY=6 MESSAGE_ID=$deletion SYSLOG_IDENTIFIER=odoo-session-reaper _SYSTEMD_UNIT=$unit \
    "_UID=$(id -u odoo)" _TRANSPORT=journal 'MESSAGE=deleted an authenticated session login="bob" database="shop"'; do
    check "${field%%=*}" grep -q "^$field" /tmp/bob
done
equal 'journalctl ODOO_LOGIN=bob finds his, and nothing that only says so' 1 "$(grep -c ^ODOO_LOGIN= /tmp/bob)"
grep -E '^(MESSAGE|ODOO|SESSION|REASON|_SYSTEMD_UNIT)' /tmp/bob | sed 's/^/        | /'
equal 'all deletions' 3 "$(entries MESSAGE_ID=$deletion)"
equal 'all deletions of the unit' 3 "$(entries MESSAGE_ID=$deletion -u $unit)"
equal 'the run' 1 "$(entries MESSAGE_ID=$summary SESSIONS_DELETED=3 SESSIONS_SEEN=3 EXIT_CODE=0 -u $unit)"
equal 'which is told once' 1 "$(story $unit | grep -c '^deleted 3 of 3 files')"
said $unit MESSAGE_ID=$summary -o export | grep -aE '^(MESSAGE|SESSION|FAILURES|DURATION|EXIT)' | sed 's/^/        | /'

section 'By hand, and from cron'
logins 3
cursor
odoo-session-reaper reap --data-dir $data >/tmp/by-hand 2>&1
logins 3
(cd / && runuser -u odoo -- env -i /usr/bin/odoo-session-reaper reap --data-dir $data) >>/tmp/by-hand 2>&1 </dev/null
equal 'each deletion is an entry' 6 "$(entries MESSAGE_ID=$deletion "_UID=$(id -u odoo)")"
equal 'and each end' 2 "$(entries MESSAGE_ID=$summary SESSIONS_DELETED=3)"
equal 'beside what is printed' 2 "$(grep -c '^deleted 3 of 3 files' /tmp/by-hand)"

section 'Runs that may be over when journald looks'
# Without the empty line that the program begins with, a busy systemd 257 did not know the unit of 1 run in 20.
mkdir -p /etc/systemd/system/$unit.d
printf '%s\n' '[Unit]' StartLimitIntervalSec=0 >/etc/systemd/system/$unit.d/often.conf
systemctl daemon-reload
for _ in 1 2 3 4; do (while :; do :; done) & done
cursor
for _ in {1..100}; do
    logins 1
    systemctl start $unit
done
# shellcheck disable=SC2046
kill $(jobs -p)
wait 2>/dev/null
equal "100 deletions are known to be the unit's" 100 "$(entries MESSAGE_ID=$deletion -u $unit)"
equal 'and so are the ends of the runs' 100 "$(entries MESSAGE_ID=$summary -u $unit)"
no_override
# Whose they are, journald may not know then: systemd 257 takes datagrams before a stream that it has not even accepted,
# and a busy 252 did so once.
logins 3
cursor
kill -STOP "$(property systemd-journald MainPID)"
systemctl start --no-block $unit
check 'a whole run passes while journald stands still' wait_until eval "[[ \$(files $sessions) = 0 ]] && inactive $unit"
kill -CONT "$(property systemd-journald MainPID)"
equal 'its deletions are told' 3 "$(entries MESSAGE_ID=$deletion)"
equal 'and so is its end' 1 "$(entries MESSAGE_ID=$summary)"

section "$many logins in one run, at journald's default limits"
equal 'nothing is configured' '' "$(grep -hs '^[^#[]' /etc/systemd/journald.conf /etc/systemd/journald.conf.d/*)"
logins $many
cursor
started=$(date +%s.%N)
need 'a run succeeds' systemctl start $unit
ended=$(date +%s.%N)
equal 'all are deleted' 0 "$(files $sessions)"
equal 'each is found' $many "$(entries MESSAGE_ID=$deletion -u $unit)"
equal 'by its login' $many "$(journalctl -b --since "$since" -F ODOO_LOGIN --no-pager | grep -c ^user)"
equal 'the run' 1 "$(entries MESSAGE_ID=$summary SESSIONS_DELETED=$many -u $unit)"
equal 'nothing was suppressed' 0 "$(suppressed)"
awk -v from="$started" -v to="$ended" 'BEGIN { printf "        | in %.1f s. ", to - from }'
journalctl --disk-usage

section 'With a limit, entries do get lost: the check above can fail'
override LogRateLimitIntervalSec=2s LogRateLimitBurst=10
cursor
logins 3000
check 'a run succeeds' systemctl start $unit
equal 'all are deleted' 0 "$(files $sessions)"
check 'few are told' test "$(entries MESSAGE_ID=$deletion)" -lt 3000
# journald says what it dropped with the next entry that it does not drop.
sleep 3
logins 1
check 'a run succeeds' systemctl start $unit
check 'journald says so' test "$(suppressed)" -gt 0
no_override

section 'A unit that allows no sockets'
logins 3
override RestrictAddressFamilies= RestrictAddressFamilies=AF_INET6
cursor
check 'a run succeeds' systemctl start $unit
equal 'each deletion is a line' 3 "$(story $unit | grep -c '^deleted an authenticated session login="user')"
equal 'of the same priority' 6 "$(priority $unit 'deleted an auth')"
equal 'the run is told once' 1 "$(story $unit | grep -c '^deleted 3 of 3 files')"
equal 'without fields' 0 "$(entries MESSAGE_ID=$deletion)"
no_override

section 'A journald that is restarted during a run'
logins $many
cursor
systemctl start --no-block $unit
wait_until eval "[[ \$(files $sessions) -lt $((many - 2000)) ]]"
systemctl restart systemd-journald
check 'it was still running' test "$(files $sessions)" -gt 0
check 'the run ends' wait_until inactive $unit
equal 'it succeeded' success "$(property $unit Result)"
equal 'nothing is lost or doubled' "$many $many" \
    "$(story $unit | grep '^deleted an auth' | wc -l) $(story $unit | grep '^deleted an auth' | sort -u | wc -l)"

section 'What the sandbox can talk to'
cursor
override 'ExecPaths=-/bin -/usr/bin' "ExecStartPre=/bin/sh -c 'find /run ! -type d 2>&1 || :'" "ExecStartPre=/bin/sh -c 'test \"\$\$(find /run ! -type d 2>/dev/null)\" = /run/systemd/journal/socket'" \
    "ExecStartPre=/bin/sh -c '! touch /run/x'"
check "journald, and nobody else in /run" systemctl start $unit
story $unit | grep ^/run | sed 's/^/        | /'
check 'as there is outside' test "$(find /run -type s | wc -l)" -gt 1
no_override
check 'nothing failed' no_failed_units
finish
