# Sourced at the end of places.sh: `doctor` in every state that a host can be in, and a way through them all on which an
# administrator does nothing but what it says.
# shellcheck shell=bash disable=SC2154

# A perl that calls itself python3.11, so that what runs is what an Odoo looks like.
mkdir -p /opt/erp/venv/bin /opt/erp/src/odoo
cp "$(readlink -f /usr/bin/perl)" /opt/erp/venv/bin/python3.11
printf 'version_info = (18, 0, 0, FINAL, 0, "")\n' >/opt/erp/src/odoo/release.py
printf 'ODOO_SKIP_GC_SESSIONS\n' >/opt/erp/src/odoo/http.py
# up UNIT: systemctl is done before the program runs.
is_up() { readlink "/proc/$(property "$1" MainPID)/exe" | grep -q python3; }
up() { wait_until is_up "$1"; }
# erp NAME DATA_DIR: an Odoo of that name as a service, which saves there.
erp() {
    mkdir -p "$2/sessions"
    chown -R odoo: "$2"
    chmod 700 "$2/sessions"
    printf '[options]\ndata_dir = %s\n' "$2" >"/opt/erp/$1.conf"
    mkdir -p "/opt/erp/$1"
    ln -sfn ../src/odoo "/opt/erp/$1/odoo"
    printf '@ARGV = ("%s"); do "/test/fake-odoo" or die $@;\n' "$2" >"/opt/erp/$1/odoo-bin"
    printf '%s\n' '[Unit]' StartLimitIntervalSec=0 '[Service]' User=odoo \
        "ExecStart=/opt/erp/venv/bin/python3.11 /opt/erp/$1/odoo-bin -c /opt/erp/$1.conf" >"/etc/systemd/system/$1.service"
    systemctl daemon-reload
    systemctl restart "$1"
    up "$1"
    need "an Odoo saves in $2" wait_until eval "[[ \$(files $2/sessions) -gt 20 ]]"
}
doctor() { odoo-session-reaper doctor "$@" >/tmp/doctor 2>&1; }
# diagnosed WHAT CODE ARGS...: it ends with that code.
diagnosed() {
    doctor "${@:3}"
    equal "$1: exit code" "$2" $?
    sed 's/^/        | /' /tmp/doctor | cut -c1-180
}
# found MARK CHECK TEXT
found() { check "it says: $1 $2 $3" grep -qE "^$1 $2 .*$3" /tmp/doctor; }
# The commands below what is a problem.
cures() { awk '/^[^ ]/ { problem = /^✗/ } /^ / && problem { sub(/^ +/, ""); print }' /tmp/doctor; }
# follow: does the first thing that it says
follow() { cures | head -1 >/tmp/cure; sed 's/^/        $ /' /tmp/cure; sh -e /tmp/cure >/tmp/cured 2>&1 && up odoo; }

section 'doctor: a new host'
printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
chmod 755 /usr/local/bin/sudo
rm -rf /etc/systemd/system/odoo-session-reaper*.d /etc/default/odoo-session-reaper-*
systemctl daemon-reload
erp=/srv/erp/live
erp odoo $erp
check 'the package is as it comes' eval 'apt-get purge -qq -y odoo-session-reaper && apt-get install -qq -y /test/odoo-session-reaper.deb'
cp /tmp/check.out /tmp/installed
check 'its closing lines name doctor' grep -q 'odoo-session-reaper doctor' /tmp/installed
diagnosed 'not enabled' 1 --data-dir $erp
found ✓ odoo "Odoo 18.0"
found ✗ odoo-gc 'has no ODOO_SKIP_GC_SESSIONS'
found ✗ reaper 'nothing reaps this store'
check 'not yet' grep -q '^not yet: 2 things' /tmp/doctor
for ((step = 0; step < 8; step++)); do
    doctor --data-dir $erp && break
    check 'what it says can be done' follow
done
diagnosed 'only what it said was done' 0 --data-dir $erp
found ✓ odoo-gc 'off: .* has ODOO_SKIP_GC_SESSIONS'
found ✓ reaper 'odoo-session-reaper.timer is on; no run yet'
check 'it must prove itself' grep -q "^Odoo's GC is off; the reaper is on, but has not run yet; ask again tomorrow" /tmp/doctor
equal 'nobody enabled what nobody named' '' "$(systemctl list-timers --all --no-legend 'odoo-session-reaper@*')"
check 'a run succeeds' systemctl start odoo-session-reaper
diagnosed 'a run later' 0 --data-dir $erp
check 'it is on since a moment' grep -qE "^Odoo's GC is off; the reaper is on since [a-z0-9 ]+; ask again tomorrow" /tmp/doctor
doctor --data-dir $erp --quiet
check 'quiet leaves out what is well' not grep -q '^✓' /tmp/doctor

section 'doctor: as the Odoo user, and as somebody else'
setpriv --reuid odoo --regid odoo --init-groups odoo-session-reaper doctor --data-dir $erp >/tmp/doctor 2>&1
equal 'the Odoo user may know' 0 $?
found ✓ odoo-gc 'off: '
setpriv --reuid nobody --regid nogroup --clear-groups odoo-session-reaper doctor --data-dir $erp >/tmp/doctor 2>&1
equal 'nobody may not' 1 $?
found '\?' odoo-gc 'may use this store'

section 'doctor: failed last night'
dropin odoo-session-reaper.service '[Service]' ExecStartPre=/bin/false
check 'a run fails' not systemctl start odoo-session-reaper
diagnosed 'failed' 1 --data-dir $erp
found ✗ reaper 'odoo-session-reaper.service failed: exit-code'
rm /etc/systemd/system/odoo-session-reaper.service.d/override.conf
systemctl daemon-reload
check 'the next run succeeds' systemctl start odoo-session-reaper

section 'doctor: the wrong user'
dropin odoo-session-reaper.service '[Service]' User=theirs
diagnosed 'the wrong user' 1 --data-dir $erp
found ✗ reaper 'runs as user theirs, but the store belongs to user'
check 'what it says can be done' follow
check 'and the run succeeds' systemctl start odoo-session-reaper

section 'doctor: Odoo without the switch'
rm /etc/systemd/system/odoo.service.d/session-gc-off.conf
systemctl daemon-reload
systemctl restart odoo
up odoo
diagnosed 'on' 1 --data-dir $erp
check 'it is safe to turn off' grep -q "^safe to turn Odoo's GC off: sudo mkdir -p /etc/systemd/system/odoo.service.d" /tmp/doctor
check 'what it says can be done' follow
diagnosed 'off' 0 --data-dir $erp

section 'doctor: the data_dir moves'
erp odoo /srv/erp/moved
touch -d '30 days ago' $erp/sessions
ODOO_RC=/opt/erp/odoo.conf diagnosed 'moved' 1
found ✗ keeps-up 'nothing was saved here for 30 days.*: Odoo saves in /srv/erp/moved now'
found ✗ reaper 'nothing reaps this store'

section 'doctor: a second instance, on a disk that is nearly full'
mkdir -p /srv/small
mount -t tmpfs -o size=1m,nr_inodes=1k tmpfs /srv/small
erp shop /srv/small
echo ODOO_SESSION_REAPER_DATA_DIR=/srv/small >/etc/default/odoo-session-reaper-shop
dropin odoo-session-reaper@shop.service '[Service]' ReadWritePaths=/srv/small/sessions
systemctl enable -q --now odoo-session-reaper@shop.timer
diagnosed 'no user is called like the instance' 1 --data-dir /srv/small
found ✗ reaper 'odoo-session-reaper@shop.service runs as user shop, who does not exist'
grep -A1 '^✗ reaper' /tmp/doctor | tail -1 >/tmp/cure
check 'what it says can be done' sh -e /tmp/cure
check 'and a run succeeds' systemctl start odoo-session-reaper@shop
wait_until eval "[[ \$(files /srv/small/sessions) -ge 200 ]]"
head -c 1M /dev/zero >/srv/small/other 2>/dev/null
diagnosed 'two' 1
found ✗ room 'free'
equal 'each store has its own reaper' 2 "$(grep -cE '^(✓|✗) reaper' /tmp/doctor | awk '{ print ($1 >= 2) ? 2 : $1 }')"
found ✓ reaper 'odoo-session-reaper@shop.timer is on'
systemctl stop shop odoo
umount /srv/small

section 'doctor: a bare chroot'
mkdir -p /srv/bare/proc /srv/bare/etc
for file in /usr/bin/odoo-session-reaper $(ldd /usr/bin/odoo-session-reaper | grep -o '/[^ ]*'); do
    mkdir -p "/srv/bare${file%/*}"
    cp -L "$file" "/srv/bare$file"
done
store /srv/bare/odoo
chroot /srv/bare /usr/bin/odoo-session-reaper doctor --data-dir /odoo >/tmp/doctor 2>&1
equal 'nothing can be known' 1 $?
sed 's/^/        | /' /tmp/doctor | cut -c1-180
found '\?' odoo-gc 'no Odoo can be seen'
found '\?' reaper 'systemd does not answer here'
found '\?' keeps-up '[1-9][0-9]* of [1-9][0-9]* files are due'
