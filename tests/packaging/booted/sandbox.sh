#!/bin/bash
# What the service could do if somebody broke into it: a probe runs in the unit's own sandbox instead of the program.
# And what the unit does to others by itself.
# shellcheck disable=SC2154
. /test/lib.sh

data=/var/lib/odoo/.local/share/Odoo
unit=odoo-session-reaper.service
dropins=/etc/systemd/system/$unit.d

override() {
    mkdir -p $dropins
    printf '%s\n' '[Service]' "$@" >$dropins/override.conf
    systemctl daemon-reload
}
no_override() { rm -r $dropins; systemctl daemon-reload; }
as_odoo() { setpriv --reuid odoo --regid odoo --clear-groups "$@"; }
# What the probe could do, or with "cannot" could not.
probed() { story $unit | sed -n "s/  # .*//; s/^$1  *//p"; }

odoo_user
store $data
need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb

section 'Shared memory of Odoo'
# Of a process that is not of a unit with User=odoo, as in a screen session, supervisor or cron.
plant() {
    segment=$(as_odoo ipcmk -M 4096 | sed 's/.*: //')
    semaphore=$(as_odoo ipcmk -S 1 | sed 's/.*: //')
    queue=$(as_odoo ipcmk -Q | sed 's/.*: //')
    as_odoo sh -c 'echo x >/dev/shm/planted; mkdir -p /dev/shm/directory'
}
planted() {
    ipcs -m | grep -q "^0x[0-9a-f]* *$segment " && echo segment
    ipcs -s | grep -q "^0x[0-9a-f]* *$semaphore " && echo semaphore
    ipcs -q | grep -q "^0x[0-9a-f]* *$queue " && echo queue
    ls -d /dev/shm/planted /dev/shm/directory 2>/dev/null
}
everything=$'segment\nsemaphore\nqueue\n/dev/shm/directory\n/dev/shm/planted'
plant
equal 'is there before a run' "$everything" "$(planted)"
check 'a run succeeds' systemctl start $unit
# PID 1 cleans up a moment after the unit has ended.
sleep 2
equal 'and after it' "$everything" "$(planted)"
override RemoveIPC=yes
check 'with RemoveIPC=yes a run succeeds' systemctl start $unit
check 'and all is gone: the check above can fail' wait_until eval '[[ -z $(planted) ]]'
no_override

section 'A broken program in the sandbox'
mkdir -p /etc/odoo /home/erp /run/postgresql /var/lib/postgresql
echo '[options]' >/etc/odoo/odoo.conf
echo secret >/var/lib/odoo/.pgpass
as_odoo sh -c 'touch /dev/shm/planted /tmp/planted'
cp /bin/true $data/sessions/program
chown -R odoo: /etc/odoo /home/erp /var/lib/odoo
chmod 755 $data/sessions/program
chmod 1777 /tmp
perl -MSocket -e 'for (@ARGV) { unlink; socket my $s, PF_UNIX, SOCK_STREAM, 0 or die; bind $s, pack_sockaddr_un($_) or die "$_: $!"; listen $s, 5; chmod 0777, $_; push @all, $s } sleep 3600' \
    /run/postgresql/.s.PGSQL.5432 /run/docker.sock /var/lib/postgresql/.s.PGSQL.5432 &
sockets=$!
setpriv --reuid odoo --regid odoo --clear-groups perl -e 'shmget(4711, 4096, 01666) // die $!; sleep 3600' &
odoo=$!
check 'Odoo has a segment, and PostgreSQL a socket' wait_until eval '[[ -S /var/lib/postgresql/.s.PGSQL.5432 ]] && ipcs -m | grep -q 0x00001267'
probe=("ExecStart=" "ExecStart=/usr/bin/perl /test/probe $odoo")

cursor
override "${probe[@]}" ExecPaths=/usr/bin/perl
check 'the probe runs' systemctl start $unit
heard $unit 'its state directory'
story $unit | grep '^can' | sed 's/^/        | /'
# The README tells these ("What it still can").
can='read odoo.conf
read ~/.pgpass
read an attachment
reach a PostgreSQL socket outside /run
write and delete in sessions
write to its state directory'
# systemd 247 and older have no NoExecPaths= and no PrivateIPC=.
[[ $systemd -ge 248 ]] || can="find a SysV segment of Odoo's
run /bin/sh
run a program that lies in sessions
run it by the loader
run a program that it puts into /tmp
run a program that it puts into /var/lib/odoo-session-reaper
$can"
# 246 and older have no ProtectProc= either.
[[ $systemd -ge 247 ]] || can="see Odoo's process"$'\n'$can
equal 'it can do this, and nothing else' "$can" "$(probed can)"
equal 'it has tried everything' 35 "$(story $unit | grep -cE '^can(not)? ')"

cursor
override "${probe[@]}" NoExecPaths= ExecPaths= InaccessiblePaths= SystemCallFilter= TemporaryFileSystem= PrivateUsers=no \
    PrivateIPC=no PrivateTmp=no ProtectHome=no ProtectSystem=no RestrictAddressFamilies= KeyringMode=inherit
check 'without its walls the probe runs' systemctl start $unit
heard $unit 'its state directory'
# systemd's own socket is root's; the kernel or the host may refuse the others to everybody.
equal 'and can do everything: the checks above can fail' '' "$(probed cannot | grep -vE "systemd's own|userfaultfd|io_uring|message queue")"
no_override
kill $sockets $odoo
rm -f $data/sessions/program

section 'A program that aborts'
cursor
override ExecStart= "ExecStart=/usr/bin/perl -MPOSIX -e 'POSIX::abort(); sleep 60'" ExecPaths=/usr/bin/perl TimeoutStartSec=30
check 'fails' not systemctl start $unit
# No signal may be sent, not even to itself; libc then ends it by a forbidden instruction.
check 'ended by a signal' grep -qE '^(signal|core-dump)$' <<<"$(property $unit Result)"
no_override
systemctl reset-failed

# MemoryMax= and TasksMax= hold only where the host gives the container the controllers; where it does not, this shows that
# so many threads are not refused by the rest.
section 'A large store, 64 threads'
odoo-session-reaper demo --keep --dir /var/lib/odoo-big --sessions 60000 --expired 60 >/dev/null
chown -R odoo: /var/lib/odoo-big
instances_of_odoo
echo ODOO_SESSION_REAPER_DATA_DIR=/var/lib/odoo-big >/etc/default/odoo-session-reaper-big
echo ODOO_SESSION_REAPER_THREADS=64 >>/etc/default/odoo-session-reaper-big
cursor
check 'a run succeeds' systemctl start odoo-session-reaper@big
equal 'it complains of nothing' '' "$(said odoo-session-reaper@big -q -o cat -p warning SYSLOG_IDENTIFIER=odoo-session-reaper)"
story odoo-session-reaper@big | grep -E '^deleted [0-9]|Consumed' | sed 's/^/        | /'

section 'Metrics are for everybody, whatever the umask'
echo ODOO_SESSION_REAPER_METRICS_FILE=/var/lib/odoo-session-reaper/odoo_sessions.prom >>/etc/default/odoo-session-reaper
mkdir -p /var/lib/prometheus/node-exporter
ln -s /var/lib/odoo-session-reaper/odoo_sessions.prom /var/lib/prometheus/node-exporter/
override UMask=0077
check 'a run succeeds' systemctl start $unit
no_override
check 'another user reads them through the link' setpriv --reuid nobody --regid nogroup --clear-groups \
    grep -q odoo_session_reaper_last_success /var/lib/prometheus/node-exporter/odoo_sessions.prom
check 'nothing failed' no_failed_units
finish
