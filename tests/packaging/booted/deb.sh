#!/bin/bash
# The Debian package in a booted system, as docs/debian.md tells an administrator to use it: installed, audited,
# enabled, reaping under a running Odoo, caught up after a reboot, upgraded, removed during a run, purged.
# shellcheck disable=SC2154
. /test/lib.sh

data=/var/lib/odoo/.local/share/Odoo
service=odoo-session-reaper.service
timer=odoo-session-reaper.timer
stamps=/var/lib/systemd/timers
gc_off=/usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf
wants=/etc/systemd/system/timers.target.wants

# Settings of a test in a drop-in: dropin UNIT NAME LINE...
dropin() {
    local dir=/etc/systemd/system/$1.d
    mkdir -p "$dir"
    printf '%s\n' "${@:3}" >"$dir/$2.conf"
    systemctl daemon-reload
}
# The timer as shipped, but due in the next second instead of the next hour.
hurry() { dropin "$1" hurry '[Timer]' OnCalendar= 'OnCalendar=*:*:*' RandomizedDelaySec=0 AccuracySec=1us; }

# A run over a store big enough, and with a processor share small enough, to be caught and held in the middle.
big=odoo-session-reaper@big.service
big_store() {
    rm -rf /var/lib/odoo-big
    odoo-session-reaper demo --keep --dir /var/lib/odoo-big --sessions 30000 --expired 100 >/dev/null
    age /var/lib/odoo-big/sessions
    chown -R odoo: /var/lib/odoo-big
    echo ODOO_SESSION_REAPER_DATA_DIR=/var/lib/odoo-big >/etc/default/odoo-session-reaper-big
    dropin $big slow '[Service]' CPUQuota=1%
}
free_inodes() { stat -f -c %d /var/lib; }
hold_big_run() {
    local before
    before=$(free_inodes)
    systemctl start --no-block $big
    for ((i = 0; i < 20000; i++)); do
        [[ $(free_inodes) -lt $((before + 500)) ]] || break
    done
    kill -STOP "$(property $big MainPID)"
    # Unlinking goes on in the kernel until the signal is seen.
    sleep 0.2
    left=$(files /var/lib/odoo-big)
    [[ $left -gt 0 && $left -lt 30000 ]]
}

first_boot() {
    odoo_user
    instances_of_odoo
    store "$data"
    all=$(files "$data/sessions")
    cp /test/odoo.service /etc/systemd/system/
    systemctl daemon-reload
    systemctl enable -q --now odoo
    need 'Odoo saves sessions' wait_until eval "[[ \$(files $data/sessions) -gt $all ]]"

    section 'Installing deletes nothing'
    cursor
    old_files "$data" 20 >/tmp/before
    need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb
    equal 'the timer is disabled' disabled "$(systemctl is-enabled $timer)"
    equal 'the timer is not running' inactive "$(systemctl is-active $timer)"
    equal 'the service did not run' '' "$(property $service ExecMainStartTimestamp)"
    equal 'no instance is known' '' "$(systemctl list-units --all --plain --no-legend 'odoo-session-reaper@*')"
    old_files "$data" 20 >/tmp/after
    check 'every old session is there' cmp /tmp/before /tmp/after
    check 'the units are known good' systemd-analyze verify --man=no \
        $(systemd-analyze verify --help | grep -q recursive-errors && echo --recursive-errors=no) \
        "/usr/lib/systemd/system/$service" "/usr/lib/systemd/system/$timer" \
        /usr/lib/systemd/system/odoo-session-reaper@x.service /usr/lib/systemd/system/odoo-session-reaper@x.timer
    for file in man/man1/odoo-session-reaper.1.gz bash-completion/completions/odoo-session-reaper \
        zsh/vendor-completions/_odoo-session-reaper fish/vendor_completions.d/odoo-session-reaper.fish; do
        # Slim images leave man pages and docs out.
        check "installed: $file" eval "test -s /usr/share/$file || grep -rqs path-exclude /etc/dpkg"
    done

    section 'Looking first'
    check 'an audit finds the store by itself' eval 'odoo-session-reaper audit >/tmp/audit'
    check 'it names it' grep -qF "$data/sessions" /tmp/audit
    sed 's/^/        | /' /tmp/audit
    equal 'the audit deleted nothing' "$(wc -l </tmp/before)" "$(old_files "$data" 20 | wc -l)"

    section 'The timer reaps the store while Odoo saves'
    cursor
    hurry $timer
    check 'enables' systemctl enable -q --now $timer
    need 'the timer fires and the run tells its outcome' heard $service '^deleted [1-9]'
    systemctl stop $timer
    check 'the run ends' wait_until inactive $service
    equal 'it succeeded' success "$(property $service Result)"
    equal 'no old session is left, but for those that do not read as one' \
        "$kept" "$(old_files "$data/sessions" 20 | wc -l)"
    check 'those are the expected ones' diff <(kept) <(old_files "$data/sessions" 20)
    equal 'no directory is gone' "$(find /test/fixtures/odoo-{16,18,19,20}/sessions -mindepth 1 -type d -printf '%P\n' | sort -u | paste -sd' ')" \
        "$(comm -12 <(find "$data/sessions" -mindepth 1 -type d -printf '%P\n' | sort) <(find /test/fixtures/odoo-{16,18,19,20}/sessions -mindepth 1 -type d -printf '%P\n' | sort -u) | paste -sd' ')"
    check 'the attachment is there' test -s "$data/filestore/db/ab/ab0123456789abcdef0123456789abcdef012345"

    section 'What the journal says'
    story $service | sed 's/^/        | /' | cut -c1-160 |
        awk '/deleted the/ && ++n > 4 { if (n == 5) print "        | ..."; next } { print }'
    equal 'the outcome is information' 6 "$(priority $service ' on disk, in ')"
    equal 'one line tells the outcome of each run' \
        "$(story $service | grep -c '^Finished')" "$(story $service | grep -c '^deleted [0-9].* in ')"
    said $service -o json >/tmp/json
    check 'it was written by the odoo user' grep -qE "\"_UID\":\"$(id -u odoo)\".*deleted|deleted.*\"_UID\":\"$(id -u odoo)\"" /tmp/json
    check 'no session id is in it' not grep -qE 'MESSAGE":"[^"]*[A-Za-z0-9_-]{36}' /tmp/json

    section 'The sandbox'
    dropin $service probe '[Service]' \
        'ExecPaths=-/bin -/usr/bin' "ExecStartPre=/bin/sh -c '! touch $data/filestore/x'" \
        "ExecStartPre=/bin/sh -c '! touch /var/lib/odoo/x'" \
        "ExecStartPre=/bin/sh -c 'touch $data/sessions/probe && rm $data/sessions/probe'"
    check 'only the sessions are writable, not the attachments beside them' systemctl start $service
    rm -r /etc/systemd/system/$service.d
    systemctl daemon-reload

    section 'Metrics, as docs/metrics.md says'
    metrics=/var/lib/odoo-session-reaper/odoo_sessions.prom
    sed -i 's/^#\(ODOO_SESSION_REAPER_METRICS_FILE=\)/\1/' /etc/default/odoo-session-reaper
    mkdir -p /var/lib/prometheus/node-exporter
    ln -s $metrics /var/lib/prometheus/node-exporter/
    check 'a run succeeds' systemctl start $service
    equal 'its metrics are for everybody' 'odoo 644' "$(stat -c '%U %a' $metrics)"
    check 'its success is in them' grep -q 'last_success_timestamp_seconds{.*command="reap"}' /var/lib/prometheus/node-exporter/odoo_sessions.prom
    check 'no session id is in them' not grep -qE '[A-Za-z0-9-]{36}' $metrics
    cursor
    sed -i 's|^\(ODOO_SESSION_REAPER_METRICS_FILE=\).*|\1/var/lib/prometheus/node-exporter/x.prom|' /etc/default/odoo-session-reaper
    check 'a place that is not writable fails nothing' systemctl start $service
    check 'it says which place is' heard $service 'metrics file.*has /var/lib/odoo-session-reaper for it'
    sed -i "s|^\(ODOO_SESSION_REAPER_METRICS_FILE=\).*|\1$metrics|" /etc/default/odoo-session-reaper

    section 'A busy store is no failure'
    cursor
    flock -o "$data/sessions" sleep 300 &
    check 'somebody else holds the lock' wait_until not flock -n "$data/sessions" true
    check 'the run starts and ends' systemctl start $service
    equal 'exit code' 75 "$(property $service ExecMainStatus)"
    equal 'it does not count as failed' success/inactive "$(property $service Result)/$(property $service ActiveState)"
    check 'it says why' heard $service 'another reap is working'
    story $service | grep another | sed 's/^/        | /'
    kill $!
    wait 2>/dev/null
    check 'the lock is free' wait_until flock -n "$data/sessions" true

    section 'A stop in the middle is no failure'
    big_store
    cursor
    # Keeps the service loaded afterwards, to be asked how it ended.
    systemctl start odoo-session-reaper@big.timer
    need 'a run is under way' hold_big_run
    check 'it stops' systemctl stop odoo-session-reaper@big
    left=$(files /var/lib/odoo-big)
    check "some sessions are left ($left of 30000)" test "$left" -gt 0
    equal 'exit code' 143 "$(property odoo-session-reaper@big.service ExecMainStatus)"
    equal 'it does not count as failed' success/inactive \
        "$(property odoo-session-reaper@big.service Result)/$(property odoo-session-reaper@big.service ActiveState)"
    check 'it told what was done' heard odoo-session-reaper@big '^deleted [0-9].*interrupted'
    story odoo-session-reaper@big | grep '^deleted [0-9]' | sed 's/^/        | /'

    systemctl stop odoo-session-reaper@big.timer

    section 'An instance reaps its own store only'
    for name in shop crm; do
        store "/var/lib/odoo-$name"
        echo "ODOO_SESSION_REAPER_DATA_DIR=/var/lib/odoo-$name" >"/etc/default/odoo-session-reaper-$name"
    done
    crm=$(files /var/lib/odoo-crm)
    cursor
    hurry odoo-session-reaper@shop.timer
    check 'enables' systemctl enable -q --now odoo-session-reaper@shop.timer
    need 'its timer fires' heard odoo-session-reaper@shop '^deleted [1-9]'
    systemctl stop odoo-session-reaper@shop.timer
    check 'its run ends' wait_until inactive odoo-session-reaper@shop.service
    equal 'its store is reaped' "$kept" "$(files /var/lib/odoo-shop/sessions)"
    equal 'the other one is not' "$crm" "$(files /var/lib/odoo-crm)"
    echo 'ODOO_SESSION_REAPER_DATA_DIR=/var/lib/odoo-crm' >/etc/default/odoo-session-reaper-shop
    check 'and could not be, with a wrong setting' not systemctl start odoo-session-reaper@shop
    equal 'the other one is untouched' "$crm" "$(files /var/lib/odoo-crm)"

    section 'A Docker volume, as docs/containers.md says'
    volume=/var/lib/docker/volumes/odoo-data/_data
    store $volume
    useradd --system --uid 4711 odoo-docker
    chown -R 4711:4711 $volume
    chmod 710 /var/lib/docker
    chmod 701 /var/lib/docker/volumes
    echo 'ODOO_SESSION_REAPER_DATA_DIR=/srv/odoo' >/etc/default/odoo-session-reaper-docker
    dropin odoo-session-reaper@docker.service override '[Service]' User=odoo-docker "BindPaths=$volume/sessions:/srv/odoo/sessions"
    check 'a run succeeds' systemctl start odoo-session-reaper@docker
    equal 'the store is reaped' "$kept" "$(files $volume/sessions)"

    section "Odoo's own garbage collection"
    mkdir -p /etc/systemd/system/odoo.service.d
    ln -s $gc_off /etc/systemd/system/odoo.service.d/
    systemctl daemon-reload
    cursor
    systemctl restart odoo
    equal 'Odoo has lost no save meanwhile' 0 "$(journalctl -u odoo -o cat --no-pager | grep -c 'a save')"
    check 'Odoo says so itself' heard odoo ', 0 of them lost'
    check 'is off after a restart' heard odoo 'collection off'

    section 'After a night switched off'
    systemctl reset-failed
    systemctl disable -q --now odoo-session-reaper@shop.timer
    rm -r /etc/systemd/system/$timer.d
    # The shipped timer, but for its random delay, which may be a quarter of an hour.
    dropin $timer now '[Timer]' RandomizedDelaySec=0
    systemctl start $timer
    check 'the next run is an hour away at most' eval \
        "test \$(date -d \"\$(systemctl show -p NextElapseUSecRealtime --value $timer)\" +%s) -gt \$(date +%s)"
    systemctl stop $timer
    touch -d '2 days ago' $stamps/stamp-$timer
    # Odoo was in use until it was switched off.
    find "$data/sessions" -mindepth 2 -type f -newermt '1 day ago' -exec touch -d '20 days ago' {} +
    old=$(old_files "$data/sessions" 10 | wc -l)
    systemctl stop odoo
    echo "$old" >/old
    touch /bootlab/reboot
    [[ $failed = 0 ]] || finish
}

second_boot() {
    section 'After a night switched off (rebooted)'
    check 'the timer runs once at boot' wait_until eval "test -n \"\$(systemctl show -p ExecMainExitTimestamp --value $service)\""
    check 'the run ends' wait_until inactive $service
    equal 'it succeeded' success "$(property $service Result)"
    check 'sessions are reaped' eval "test \$(old_files $data/sessions 10 | wc -l) -lt $(cat /old)"
    rm -r /etc/systemd/system/$timer.d
    systemctl daemon-reload

    section 'Upgrade'
    echo ODOO_SESSION_REAPER_ANONYMOUS_WINDOW=6h >>/etc/default/odoo-session-reaper
    cp /etc/default/odoo-session-reaper /tmp/settings
    # As shipped, it may be due at any moment, and so during the upgrade.
    dropin $timer later '[Timer]' OnCalendar= 'OnCalendar=2100-01-01'
    systemctl start $timer
    touch "$data/sessions"
    ran=$(property $service InvocationID)
    big_store
    cursor
    need 'a run of an instance is under way' hold_big_run
    check 'upgrades' apt-get install -qq -y /test/next.deb
    check 'to the new version' eval "dpkg-query -W -f '\${Version}' odoo-session-reaper | grep -q next"
    check 'settings are kept' cmp /tmp/settings /etc/default/odoo-session-reaper
    equal 'the timer is still enabled and running' enabled/active "$(systemctl is-enabled $timer)/$(systemctl is-active $timer)"
    equal 'an instance stays as it was' disabled "$(systemctl is-enabled odoo-session-reaper@shop.timer)"
    equal 'no run was started' "$ran" "$(property $service InvocationID)"
    equal 'the run goes on' activating "$(systemctl is-active $big)"
    kill -CONT "$(property $big MainPID)"
    check 'to its end' heard $big '^deleted [0-9]* of [0-9]* files( \([0-9]* logins? of [0-9]* (person|people)\))?, [0-9]* MB on disk, in /var/lib/odoo-big/sessions$'
    check 'no unit needs a reload' eval "test \$(systemctl show -p NeedDaemonReload --value $timer) = no"
    check 'nothing failed' no_failed_units
    rm -r /etc/systemd/system/$timer.d
    systemctl daemon-reload

    section 'Removal during a run'
    echo ODOO_SESSION_REAPER_DATA_DIR=/var/lib/odoo-crm >/etc/default/odoo-session-reaper-crm
    systemctl enable -q --now odoo-session-reaper@crm.timer
    big_store
    cursor
    need 'a run is under way' hold_big_run
    check 'removes' apt-get remove -qq -y odoo-session-reaper
    cp /tmp/check.out /tmp/removal
    check "it says what becomes of Odoo's sessions" grep 'restart odoo.service' /tmp/removal
    grep -F 'odoo-session-reaper:' /tmp/removal | sed 's/^/        | /'
    check "some sessions are left" test "$(files /var/lib/odoo-big)" -gt 0
    check 'the run told what was done' heard odoo-session-reaper@big '^deleted [0-9].*interrupted'
    check 'nothing failed' no_failed_units
    equal 'nothing runs' '' "$(systemctl list-units --plain --no-legend 'odoo-session-reaper*')"
    equal 'no stamp is left' '' "$(ls $stamps | grep reaper)"
    equal 'nothing is enabled' '' "$(ls $wants | grep reaper)"
    equal 'no unit needs a reload' no "$(property odoo.service NeedDaemonReload)"
    check 'settings are kept' cmp /tmp/settings /etc/default/odoo-session-reaper
    cursor
    systemctl restart odoo
    check "Odoo's own garbage collection is on again" heard odoo 'collection on'

    section 'Installed again'
    need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb
    equal 'disabled, as it comes' disabled/inactive "$(systemctl is-enabled $timer)/$(systemctl is-active $timer)"
    equal 'so are the instances' disabled "$(systemctl is-enabled odoo-session-reaper@crm.timer)"
    check 'settings are kept' cmp /tmp/settings /etc/default/odoo-session-reaper
    systemctl enable -q --now $timer
    check 'enabling starts no run at once' eval \
        "test \$(date -d \"\$(systemctl show -p NextElapseUSecRealtime --value $timer)\" +%s) -gt \$(date +%s)"
    dropin $service override '[Service]' Nice=5

    section 'Purge'
    check 'purges' apt-get purge -qq -y odoo-session-reaper
    check 'nothing failed' no_failed_units
    systemctl daemon-reload
    equal 'nothing is left' '' "$(find / -xdev \( -path /proc -o -path /sys -o -path /test -o -path /tmp -o -path /bootlab \) -prune -o \
        \( -name '*odoo-session-reaper*' -o -name '*session-gc-off*' -o -lname '*odoo-session-reaper*' \) -print
        find /var/lib/systemd /etc -name '*odoo-session-reaper*' -print
        ls -d /var/lib/odoo-session-reaper* /var/lib/prometheus/node-exporter/* 2>/dev/null)"
    equal 'no unit is known' '' "$(systemctl list-unit-files --no-legend 'odoo-session-reaper*')"
    finish
}

if [[ $BOOT_BOOT = 1 ]]; then first_boot; else second_boot; fi
