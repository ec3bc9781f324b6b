#!/bin/bash
# The units with the overrides that nix/module.nix makes for nixpkgs' own services.odoo, beside a fake Odoo that
# runs as that does: DynamicUser=true, User=odoo, StateDirectory=odoo.
#
#   dynamic-user.sh [static]     static: the user odoo exists, as nixpkgs declares it
# shellcheck disable=SC2154
. /test/lib.sh

state=/var/lib/private/odoo
data=$state/data
service=odoo-session-reaper.service
timer=odoo-session-reaper.timer

[[ ${1-} != static ]] || adduser --system --group --no-create-home --quiet odoo
need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb
cp -r /test/nixos/. /etc/systemd/system/
cat >/etc/systemd/system/odoo.service <<'UNIT'
[Unit]
Description=A fake Odoo that keeps saving sessions
[Service]
DynamicUser=true
User=odoo
StateDirectory=odoo
ExecStartPre=/bin/bash -c '. /test/lib.sh; [[ -e $STATE_DIRECTORY/data ]] || store $STATE_DIRECTORY/data'
ExecStart=/test/fake-odoo /var/lib/private/odoo/data
UNIT
systemctl daemon-reload
for dir in /etc/systemd/system/odoo*.d; do
    echo "        | $dir/overrides.conf"
    sed 's/^/        |   /' "$dir/overrides.conf"
done

section 'Before Odoo has run'
cursor
check 'a run is skipped' systemctl start $service
check 'it made no state directory' test ! -e $state
check 'the journal says why' heard $service 'unmet condition check|[Cc]ondition'

section 'Beside a running Odoo'
need 'Odoo starts' systemctl start odoo
check 'its own garbage collection is off' heard odoo 'collection off'
need 'Odoo saves sessions' wait_until eval "[[ \$(find $data/sessions -newermt '1 hour ago' -type f | wc -l) -gt 50 ]]"
owner=$(stat -c %u:%g $state $data $data/sessions)
check 'every old session is there' test "$(old_files $data/sessions 20 | wc -l)" -gt 150
mkdir -p /etc/systemd/system/$timer.d /etc/systemd/system/$service.d
printf '%s\n' '[Timer]' OnCalendar= 'OnCalendar=*:*:*' RandomizedDelaySec=0 >/etc/systemd/system/$timer.d/zz-hurry.conf
printf '%s\n' '[Service]' 'ExecPaths=-/bin -/usr/bin' "ExecStartPre=/bin/sh -c '! touch $data/filestore/x'" >/etc/systemd/system/$service.d/zz-probe.conf
systemctl daemon-reload
cursor
systemctl start $timer
need 'the timer fires and the run tells its outcome' heard $service '^deleted [1-9]'
systemctl stop $timer
check 'the run ends' wait_until inactive $service
equal 'it succeeded, and could not write to the attachments' success "$(property $service Result)"
story $service | grep '^deleted [1-9]' | sed 's/^/        | /'
check 'what is left are the files that are no sessions' diff <(kept) <(old_files $data/sessions 20)
check 'the attachment is there' test -s $data/filestore/db/ab/ab0123456789abcdef0123456789abcdef012345
equal 'nothing has changed its owner' "$owner" "$(stat -c %u:%g $state $data $data/sessions)"
check 'Odoo still runs' systemctl is-active odoo
saved=$(date +%s)
check 'and saves' wait_until eval "[[ -n \$(find $data/sessions -type f -newermt @$saved) ]]"

section 'While Odoo is stopped'
cursor
systemctl stop odoo
check 'Odoo has lost no save' heard odoo ', 0 of them lost'
find $data/sessions -name '[A-Za-z0-9_-]*' -mindepth 2 -type f -exec touch -d '20 days ago' {} +
touch $data/sessions
cursor
check 'a run succeeds' systemctl start $service
check 'and reaps' heard $service '^deleted [1-9]'
check 'Odoo starts again' systemctl start odoo
saved=$(date +%s)
check 'and saves' wait_until eval "[[ -n \$(find $data/sessions -type f -newermt @$saved) ]]"
check 'nothing failed' no_failed_units
finish
