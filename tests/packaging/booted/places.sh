#!/bin/bash
# Stores in all kinds of places: the usual ones are let in; for any other the error says what to do, and a drop-in of
# exactly that works. And users that do not fit.
# shellcheck disable=SC2154
. /test/lib.sh

unit=odoo-session-reaper@elsewhere.service
settings=/etc/default/odoo-session-reaper-elsewhere

# dropin UNIT LINE... as `systemctl edit` writes it
dropin() {
    mkdir -p "/etc/systemd/system/$1.d"
    printf '%s\n' "${@:2}" >"/etc/systemd/system/$1.d/override.conf"
    systemctl daemon-reload
}
no_dropin() { rm -rf "/etc/systemd/system/$1.d"; systemctl daemon-reload; systemctl reset-failed; }
# reaps WHAT UNIT SESSIONS [USER]: a run of UNIT reaps the store there, which belongs to USER.
reaps() {
    check "$1" systemctl start "$2"
    equal 'the store is reaped' "$kept" "$(files "$3")"
}
# Fails, and the last error is what is wanted: errs UNIT; its text is then in $error.
errs() {
    check 'a run fails' not systemctl start "$1"
    heard "$1" 'cannot|no directory'
    error=$(said "$1" -o cat -q -p err SYSLOG_IDENTIFIER=odoo-session-reaper)
    equal 'and says so once' 1 "$(wc -l <<<"$error")"
    echo "        | $error"
}
# What the error tells to write: the text between backquotes, but for the command.
cure() { grep -o '`[^`]*`' <<<"$error" | tr -d '`' | tail -n +2; }
# cured WHAT SESSIONS: does what the errors say, word by word, until the run succeeds (three times at most).
cured() {
    local lines=()
    for _ in 1 2 3; do
        cursor
        errs $unit
        check 'it names the command' grep -qF "systemctl edit $unit" <<<"$error"
        mapfile -t -O ${#lines[@]} lines < <(cure)
        dropin $unit "${lines[@]}"
        if systemctl start $unit; then
            check "$1: with that drop-in it works" true
            equal 'the store is reaped' "$kept" "$(files "$2")"
            no_dropin $unit
            return
        fi
    done
    check "$1: with that drop-in it works" false
    no_dropin $unit
}

section 'Without a user odoo'
need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb
cp /tmp/check.out /tmp/installed
check 'it says that it is off' grep -q 'odoo-session-reaper: the timer is off' /tmp/installed
check 'and how to turn it on' grep -q 'systemctl enable --now odoo-session-reaper.timer' /tmp/installed
check 'and that there is no user odoo' grep -q 'there is no user "odoo"' /tmp/installed
grep '^odoo-session-reaper:' /tmp/installed | sed 's/^/        | /'
check 'a run fails' not systemctl start odoo-session-reaper
equal 'as the README says' 217 "$(property odoo-session-reaper.service ExecMainStatus)"
systemctl reset-failed
check 'purges' apt-get purge -qq -y odoo-session-reaper
odoo_user
need 'installs' apt-get install -qq -y /test/odoo-session-reaper.deb
equal 'with a user odoo, no word about it' 2 "$(grep -c '^odoo-session-reaper:' /tmp/check.out)"

section 'Usual places'
for place in /var/lib/odoo /var/lib/Odoo /opt/odoo/.local/share/Odoo /opt/odoo/data /srv/odoo /odoo/.local/share/Odoo; do
    store $place
    echo "ODOO_SESSION_REAPER_DATA_DIR=$place" >/etc/default/odoo-session-reaper
    reaps $place odoo-session-reaper $place/sessions
done
# From source: user odoo17 with its home in /opt, by the unit itself and by an instance called 17.
adduser --system --group --home /opt/odoo17 --quiet odoo17
for service in odoo-session-reaper.service odoo-session-reaper@17.service; do
    store /opt/odoo17/.local/share/Odoo
    chown -R odoo17: /opt/odoo17
    dropin $service '[Service]' User=odoo17
    for file in /etc/default/odoo-session-reaper /etc/default/odoo-session-reaper-17; do
        echo ODOO_SESSION_REAPER_DATA_DIR=/opt/odoo17/.local/share/Odoo >$file
    done
    reaps "/opt/odoo17, $service" $service /opt/odoo17/.local/share/Odoo/sessions
    no_dropin $service
done

section 'Usual places of an instance that has its name from the user of its Odoo: no drop-in'
for place in /opt/erp1 /opt/erp2/data /opt/erp3/.local/share/Odoo /srv/erp4 /var/lib/erp5 /erp6 /erp7/.local/share/Odoo; do
    name=$(grep -o 'erp[0-9]' <<<$place)
    adduser --system --group --home "${place%$name*}$name" --quiet $name
    store $place
    chown -R $name: "${place%$name*}$name"
    if [[ $place = */Odoo ]]; then
        cursor
        check 'nobody has named its store: a run guesses none' not systemctl start odoo-session-reaper@$name
        check 'and says what to add, and where' heard odoo-session-reaper@$name \
            "add this to /etc/default/odoo-session-reaper-$name:"
        story odoo-session-reaper@$name | grep '^  ODOO_SESSION_REAPER_DATA_DIR=' | tee /etc/default/odoo-session-reaper-$name
    else
        echo "ODOO_SESSION_REAPER_DATA_DIR=$place" >/etc/default/odoo-session-reaper-$name
    fi
    reaps "$place, of user $name" odoo-session-reaper@$name $place/sessions
    equal 'as that user' $name "$(property odoo-session-reaper@$name.service User)"
done

section 'Instances of one user: a drop-in for the template'
template=odoo-session-reaper@.service
check 'a run fails' not systemctl start odoo-session-reaper@shop
equal 'as docs/hosting.md says' 217 "$(property odoo-session-reaper@shop.service ExecMainStatus)"
dropin $template '[Service]' User=odoo
for place in /var/lib/odoo/shop /var/lib/odoo-shop /var/lib/odoo-shop/.local/share/Odoo /opt/odoo/shop /opt/odoo/shop/data \
    /opt/odoo-shop/.local/share/Odoo /opt/odoo-shop/data /srv/odoo/shop /odooshop/.local/share/Odoo; do
    store $place
    echo "ODOO_SESSION_REAPER_DATA_DIR=$place" >/etc/default/odoo-session-reaper-shop
    reaps "$place, of an instance" odoo-session-reaper@shop $place/sessions
done
store /srv/erp
echo 'ODOO_SESSION_REAPER_DATA_DIR=/srv/erp' >$settings
cursor
errs $unit
check 'it names the instance' grep -qF "systemctl edit $unit" <<<"$error"
check "and whose place that drop-in takes" grep -qF "in place of the drop-in of $template: repeat its lines" <<<"$error"
dropin $unit '[Service]' User=odoo $(cure | tail -n +2)
reaps 'with both it works' $unit /srv/erp/sessions
store /data/elsewhere
echo 'ODOO_SESSION_REAPER_DATA_DIR=/data/elsewhere' >$settings
cursor
errs $unit
equal 'where the instance has a drop-in of its own, that is named' "systemctl edit $unit" "$(grep -o 'systemctl edit [^`]*' <<<"$error")"
no_dropin $unit
no_dropin $template

section 'Twenty instances, by one drop-in for the template and no file of their own'
names=(c{01..20})
for name in "${names[@]}"; do
    adduser --system --group --no-create-home --home "/srv/$name" --quiet "odoo-$name"
    store "/srv/$name/data"
    chown -R "odoo-$name:" "/srv/$name"
done
lines=('[Service]' User=odoo-%i Environment=ODOO_SESSION_REAPER_DATA_DIR=/srv/%i/data)
dropin $template "${lines[@]}"
cursor
errs odoo-session-reaper@c01.service
check 'it names the template' grep -qF "systemctl edit $template" <<<"$error"
equal 'and what to write' '[Service] ReadWritePaths=-/srv/%i/data/sessions' "$(cure | paste -sd' ')"
dropin $template "${lines[@]}" $(cure | tail -n +2)
# The page shows this very drop-in.
sort "/etc/systemd/system/$template.d/override.conf" >/tmp/written
sed -n '/^## Many instances/,/^## /p' /test/hosting.md | sed -n '/^```ini/,/^```$/{/^```/d;p}' | sort >/tmp/shown
check 'the page shows this very drop-in' diff /tmp/shown /tmp/written
check 'all of them run' systemctl start "${names[@]/#/odoo-session-reaper@}"
for name in "${names[@]}"; do
    [[ $(files "/srv/$name/data/sessions") = "$kept" ]] || check "the store of $name is reaped" false
done
check 'and each has a timer' systemctl enable -q --now $(printf 'odoo-session-reaper@%s.timer ' "${names[@]}")
equal 'twenty timers wait' 20 "$(systemctl list-timers --no-legend 'odoo-session-reaper@c*' | wc -l)"
systemctl disable -q --now $(printf 'odoo-session-reaper@%s.timer ' "${names[@]}")
no_dropin $template

section 'Other places'
instances_of_odoo
for place in /srv/erp '/srv/my erp/100%boss' '/srv/a"b\c:d' /home/odoo-data '/home/my data:100%' /var/tmp/odoo; do
    store "$place"
    echo "ODOO_SESSION_REAPER_DATA_DIR=$(sed 's/[\\"]/\\&/g; s/.*/"&"/' <<<"$place")" >$settings
    cured "$place" "$place/sessions"
done

section 'A symlink into /home'
store /home/linked
mkdir -p /srv/link
ln -s /home/linked/sessions /srv/link/sessions
chown -h odoo: /srv/link/sessions
echo ODOO_SESSION_REAPER_DATA_DIR=/srv/link >$settings
cured 'a link' /home/linked/sessions

section 'odoo.conf below /home'
store /srv/erp
mkdir -p /home/conf
printf '%s\n' '[options]' 'data_dir = /srv/erp' >/home/conf/odoo.conf
echo ODOO_SESSION_REAPER_CONFIG=/home/conf/odoo.conf >$settings
cured 'odoo.conf' /srv/erp/sessions

section "Another user's store"
adduser --system --group --home /srv/theirs --quiet theirs
for place in /srv/odoo/elsewhere /srv/theirs; do
    store $place
    chown -R theirs: $place
    echo "ODOO_SESSION_REAPER_DATA_DIR=$place" >$settings
    cursor
    errs $unit
    check 'it names the user' grep -qF "runs as user $(id -u odoo)" <<<"$error"
    equal 'and what to write' '[Service] User=NAME' "$(cure | paste -sd' ')"
done
dropin $unit '[Service]' User=theirs ReadWritePaths=/srv/theirs/sessions
reaps 'with that user it works' $unit /srv/theirs/sessions
no_dropin $unit

section 'A file system that really is read-only'
mkdir -p /srv/ro
mount -t tmpfs tmpfs /srv/ro
store /srv/ro
mount -o remount,ro /srv/ro
echo ODOO_SESSION_REAPER_DATA_DIR=/srv/ro >$settings
cursor
errs $unit
check 'it says so' grep -q 'read-only; so is its whole file system' <<<"$error"
equal 'and advises no drop-in' '' "$(cure)"
umount /srv/ro
# A mount that is read-only by itself: the sandbox's look the same.
store /srv/erp
mkdir -p /srv/bound
mount --bind /srv/erp /srv/bound
mount -o remount,bind,ro /srv/bound
echo ODOO_SESSION_REAPER_DATA_DIR=/srv/bound >$settings
cursor
errs $unit
check 'it says how to find out' grep -q 'If that changes nothing, the mount itself is read-only' <<<"$error"
umount /srv/bound
systemctl reset-failed
check 'nothing failed' no_failed_units

. /test/doctor.sh
finish
