#!/bin/bash
# units.sh PROGRAM - what can be said of systemd/ without booting it.
#
# `systemd-analyze verify` wants the program where ExecStart= says, so it is shown there in a mount namespace
# of its own.
set -euo pipefail
program=$(realpath "$1")
. "$(dirname "$0")/checks.sh"
cd systemd

echo '-- systemd-analyze verify'
units=(odoo-session-reaper.service odoo-session-reaper.timer odoo-session-reaper@.service odoo-session-reaper@.timer)
# An instance's name, because a template itself is not complete.
instances=(odoo-session-reaper.service odoo-session-reaper.timer odoo-session-reaper@x.service odoo-session-reaper@x.timer)
verify() {
    local dir=$work/units
    rm -rf "$dir"
    mkdir "$dir"
    cp "${units[@]}" "$dir"
    [[ -z ${1-} ]] || sed -i "$1" "$dir"/*
    # shellcheck disable=SC2016
    unshare --mount bash -c '
        if [[ ! -e /usr/bin/odoo-session-reaper ]]; then
            mkdir "$1/layer"
            mount -t tmpfs tmpfs "$1/layer" && mkdir "$1/layer/up" "$1/layer/wk"
            mount -t overlay -o lowerdir=/usr/bin,upperdir="$1/layer/up",workdir="$1/layer/wk" overlay /usr/bin
            cp "$2" /usr/bin/odoo-session-reaper
        fi
        shift 2
        SYSTEMD_UNIT_PATH=$0: systemd-analyze verify --man=no --recursive-errors=no "$@"
    ' "$dir" "$dir" "$program" "${instances[@]/#/$dir/}"
}
if [[ $(id -u) = 0 ]]; then
    verify || fail 'systemd-analyze verify'
    # A check that never fails is none.
    for mistake in 's/^ProtectSystem=/ProtectSytem=/' 's/^OnCalendar=hourly/OnCalendar=hurly/' 's|/usr/bin/odoo|/usr/bin/0doo|'; do
        ! verify "$mistake" 2>/dev/null || fail "systemd-analyze verify does not notice $mistake"
    done
else
    echo '!! SKIPPED: systemd-analyze verify needs root, to show it the program in /usr/bin'
fi

echo '-- systemd-analyze security: 0.2 at most'
for unit in odoo-session-reaper.service odoo-session-reaper@.service; do
    systemd-analyze security --offline=true --threshold=2 --no-pager "$unit" | tail -n 1 || fail "$unit is more exposed than 0.2"
    sed '/^PrivateNetwork=/d' "$unit" >"$work/${unit/@/}"
    ! systemd-analyze security --offline=true --threshold=2 --no-pager "$work/${unit/@/}" >/dev/null 2>&1 || fail 'a hole more is not noticed'
done

echo '-- systemd-analyze calendar'
for unit in *.timer; do
    systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' "$unit")" >/dev/null || fail "$unit"
done

echo '-- the template differs only in what it must'
for kind in service timer; do
    # The comment on other places names another unit.
    differences=$(diff <(grep -v '^#' odoo-session-reaper.$kind) <(grep -v '^#' odoo-session-reaper@.$kind) |
        grep '^[<>]' | grep -vE '^[<>] (Description|User|ReadWritePaths|NoExecPaths|EnvironmentFile|StateDirectory)=' |
        grep -vE '^[<>]     -/' || true)
    [[ -z $differences ]] || fail "$kind: $differences"
done
! grep '^ReadWritePaths=' odoo-session-reaper@.service | grep -v %i || fail 'an instance can write to the store of another'
! grep '^ReadWritePaths=' ./*.service | grep -vE 'ReadWritePaths=-/[^ ]*/sessions$' || fail 'more than sessions is writable'
for unit in *.service; do
    # A mount of its own in the sandbox, and so not covered by NoExecPaths=/.
    closed=$(sed -n '/^NoExecPaths=/,/[^\\]$/p' "$unit")
    while read -r place; do
        grep -qE -- " $place( |$)" <<<"$closed" || fail "$unit: what lies in ${place#-} can be executed"
    done < <(sed -n 's/^ReadWritePaths=//p' "$unit")
    ! grep '^RemoveIPC=' "$unit" || fail "$unit deletes the shared memory of Odoo"
done

echo '-- the environment file documents every option of reap, and its defaults'
help=$("$program" reap --help)
# Each option begins a line; what follows up to the next one is its help.
options=$(awk '/^ +(-[a-z], )?--[a-z-]+/ { match($0, /--[a-z-]+/); name = toupper(substr($0, RSTART + 2, RLENGTH - 2)); gsub("-", "_", name)
        if (name != "HELP") print "ODOO_SESSION_REAPER_" name }
    match($0, /\[default: [a-z0-9]+\]/) { print "ODOO_SESSION_REAPER_" name " " substr($0, RSTART + 10, RLENGTH - 11) }' <<<"$help")
diff <(grep -v ' ' <<<"$options" | sort) <(sed -n 's/^#\?\(ODOO_SESSION_REAPER_[A-Z_]*\)=.*/\1/p' default/odoo-session-reaper | sort) ||
    fail 'default/odoo-session-reaper and reap --help name different variables'
while read -r variable default; do
    grep -qx "#\?$variable=$default" default/odoo-session-reaper || fail "$variable: the default is $default"
# `never` is no value: it says what an unset one means.
done < <(grep ' ' <<<"$options" | grep -v ' never$')
[[ $(grep -c '^[^#]' default/odoo-session-reaper) = 1 ]] || fail 'more than the data_dir is set'

echo '-- an environment file with every setting in it is accepted'
mkdir -p "$work/odoo/sessions"
sed -n 's/^#\?\(ODOO_SESSION_REAPER_[A-Z_]*=.*\)/\1/p' default/odoo-session-reaper |
    sed -e "s|^\(ODOO_SESSION_REAPER_DATA_DIR\)=.*|\1=$work/odoo|" -e '/_CONFIG=/d' \
        -e "s|^\(ODOO_SESSION_REAPER_METRICS_FILE\)=/var/lib/odoo-session-reaper|\1=$work|" >"$work/env"
# shellcheck disable=SC2046
env -i $(cat "$work/env") "$program" reap >"$work/out" 2>&1 || { cat "$work/out"; fail 'reap refuses them'; }
! grep -i 'warn\|belongs to no option' "$work/out" || fail 'reap warns'
[[ -s $work/odoo_sessions.prom ]] || fail 'reap writes no metrics'
exit $failed
