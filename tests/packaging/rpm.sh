#!/bin/bash
# rpm.sh RPM - the RPM package, installed, updated and removed by dnf in a root of its own, with busybox for a shell and a
# systemctl that only writes down what it is told. No distribution of RPM's is at hand, and none is booted.
set -euo pipefail
package=$(realpath "$1")
. "$(dirname "$0")/checks.sh"
root=$work/root
mkdir -p "$root"/{bin,tmp,run/systemd/system,etc/systemd/system/odoo.service.d,var/lib/odoo/data}
dnf() {
    command dnf --assumeyes --installroot="$root" --releasever=1 --setopt=reposdir="$work/none" --setopt=cachedir="$work/cache" "$@"
}

echo '-- it needs nothing but rpm and a shell'
others=$(command rpm -qp --requires "$package" | grep -vE '^(rpmlib\(.*|/bin/sh$|config\(odoo-session-reaper\) )' || true)
equal 'requirements' '' "$others"

if [[ $(id -u) != 0 ]]; then
    echo 'SKIPPED: only root can install the RPM package'
    exit $failed
fi
command -v dnf >/dev/null || { [[ -z ${CI-} ]] || fail 'dnf is missing (apt-get install dnf)'; echo 'SKIPPED: dnf is missing'; exit $failed; }
# The one thing that the package wants.
printf '%s\n' 'Name: shell' 'Version: 1' 'Release: 1' 'Summary: busybox' 'License: none' 'BuildArch: noarch' \
    'Provides: /bin/sh' '%description' '%files' >"$work/shell.spec"
rpmbuild --quiet -bb --define "_topdir $work" --define "_rpmdir $work" "$work/shell.spec"
cp "$(command -v busybox)" "$root/bin/busybox"
for name in sh rm readlink rmdir ls cat echo; do ln -s busybox "$root/bin/$name"; done
printf '#!/bin/sh\necho "$@" >>/tmp/systemctl\n' >"$root/bin/systemctl"
chmod 755 "$root/bin/systemctl"
told() { cat "$root/tmp/systemctl" 2>/dev/null | paste -sd';' || true; rm -f "$root/tmp/systemctl"; }

echo '-- installing starts nothing'
dnf install "$work"/noarch/shell-*.rpm "$package" >"$work/said"
grep -q 'the timer is off' "$work/said" || fail 'it does not say that it is off'
equal 'systemctl was told' daemon-reload "$(told)"
rpm --root "$root" -V odoo-session-reaper || fail 'rpm -V'
cp -r "tests/fixtures/odoo-18/sessions" "$root/var/lib/odoo/data/"
chroot "$root" /usr/bin/odoo-session-reaper audit --data-dir /var/lib/odoo/data | tail -n 1 || fail 'it does not run'
ln -s /usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf "$root/etc/systemd/system/odoo.service.d/"

echo '-- an update keeps the settings, and restarts timers only'
echo 'ODOO_SESSION_REAPER_DATA_DIR=/srv/mine' >"$root/etc/default/odoo-session-reaper"
dnf reinstall "$package" >"$work/said"
equal 'systemctl was told' "daemon-reload;daemon-reload;try-restart odoo-session-reaper.timer odoo-session-reaper@*.timer" "$(told)"
equal 'settings' 'ODOO_SESSION_REAPER_DATA_DIR=/srv/mine' "$(cat "$root/etc/default/odoo-session-reaper")"
[[ -L $root/etc/systemd/system/odoo.service.d/session-gc-off.conf ]] || fail 'the link is gone'

echo '-- removing it stops the timers, and turns the garbage collection of Odoo on again'
dnf remove odoo-session-reaper >"$work/said"
told >"$work/told"
grep -q 'stop odoo-session-reaper.timer odoo-session-reaper@\*.timer' "$work/told" || fail 'the timers go on'
grep -q 'restart odoo.service to turn' "$work/said" || fail 'it does not say what to restart'
[[ ! -L $root/etc/systemd/system/odoo.service.d/session-gc-off.conf ]] || fail 'the link leads nowhere'
equal 'left' './etc/default/odoo-session-reaper.rpmsave' "$(cd "$root" && find . -name '*odoo-session-reaper*' ! -path './tmp/*' | sort | paste -sd';')"
[[ $(find "$root/var/lib/odoo/data" -type f | wc -l) -gt 20 ]] || fail 'sessions were deleted'
exit $failed
