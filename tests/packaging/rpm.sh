#!/bin/bash
# rpm.sh RPM - the RPM package, installed, updated and removed by rpm itself in a root of its own, with busybox for a shell and
# a systemctl that only writes down what it is told. No distribution of RPM's is at hand, and none is booted.
set -euo pipefail
package=$(realpath "$1")
failed=0
fail() {
    echo "FAIL  $*"
    failed=1
}
equal() { [[ $2 = "$3" ]] || fail "$1: wanted '$2', got '$3'"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,tmp,run/systemd/system,etc/systemd/system/odoo.service.d,var/lib/odoo/data}
# Debian's rpm advises to use alien.
rpm() { command rpm --root "$root" --dbpath /var/lib/rpm "$@" 2> >(grep -v '^rpm: ' >&2); }

echo '-- it needs nothing but rpm and a shell'
others=$(command rpm -qp --requires "$package" | grep -vE '^(rpmlib\(.*|/bin/sh$|config\(odoo-session-reaper\) )' || true)
equal 'requirements' '' "$others"

if [[ $(id -u) != 0 ]]; then
    echo 'SKIPPED: only root can install the RPM package'
    exit $failed
fi
cp "$(command -v busybox)" "$root/bin/busybox"
for name in sh rm readlink rmdir ls cat echo; do ln -s busybox "$root/bin/$name"; done
printf '#!/bin/sh\necho "$@" >>/tmp/systemctl\n' >"$root/bin/systemctl"
chmod 755 "$root/bin/systemctl"
told() { cat "$root/tmp/systemctl" 2>/dev/null | paste -sd';' || true; rm -f "$root/tmp/systemctl"; }

echo '-- installing starts nothing'
# The busybox of this root is no package, hence --nodeps.
rpm --initdb
rpm -i --nodeps "$package" | tee "$work/said"
grep -q 'the timer is off' "$work/said" || fail 'it does not say that it is off'
equal 'systemctl was told' daemon-reload "$(told)"
rpm -V --nodeps odoo-session-reaper || fail 'rpm -V'
cp -r "$(dirname "$0")/../fixtures/odoo-18/sessions" "$root/var/lib/odoo/data/"
chroot "$root" /usr/bin/odoo-session-reaper audit --data-dir /var/lib/odoo/data | tail -n 1 || fail 'it does not run'
ln -s /usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf "$root/etc/systemd/system/odoo.service.d/"

echo '-- an update keeps the settings, and restarts timers only'
echo 'ODOO_SESSION_REAPER_DATA_DIR=/srv/mine' >"$root/etc/default/odoo-session-reaper"
rpm -U --nodeps --replacepkgs "$package"
equal 'systemctl was told' "daemon-reload;daemon-reload;try-restart odoo-session-reaper.timer odoo-session-reaper@*.timer" "$(told)"
equal 'settings' 'ODOO_SESSION_REAPER_DATA_DIR=/srv/mine' "$(cat "$root/etc/default/odoo-session-reaper")"
[[ -L $root/etc/systemd/system/odoo.service.d/session-gc-off.conf ]] || fail 'the link is gone'

echo '-- removing it stops the timers, and turns the garbage collection of Odoo on again'
rpm -e odoo-session-reaper 2>&1 | tee "$work/said"
told >"$work/told"
grep -q 'stop odoo-session-reaper.timer odoo-session-reaper@\*.timer' "$work/told" || fail 'the timers go on'
grep -q 'restart odoo.service to turn' "$work/said" || fail 'it does not say what to restart'
[[ ! -L $root/etc/systemd/system/odoo.service.d/session-gc-off.conf ]] || fail 'the link leads nowhere'
equal 'left' './etc/default/odoo-session-reaper.rpmsave' "$(cd "$root" && find . -name '*odoo-session-reaper*' ! -path './tmp/*' | sort | paste -sd';')"
[[ $(find "$root/var/lib/odoo/data" -type f | wc -l) -gt 20 ]] || fail 'sessions were deleted'
exit $failed
