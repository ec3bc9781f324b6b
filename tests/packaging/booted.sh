#!/bin/bash
# booted.sh DEB [SUITE...] - installs the Debian package in booted containers, and looks what happens.
#
# Needs root, systemd-nspawn, mmdebstrap, and ../shared/tools/boot-systemd.sh beside the repository. Without
# them it says so loudly and succeeds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
boot=$repository/../shared/tools/boot-systemd.sh
deb=$(realpath "$1")
shift
suites=("$@")
[[ ${#suites[@]} -gt 0 ]] || suites=(bookworm)

skip() {
    printf '\n%s\n!! SKIPPED: %s\n!! The packages were NOT tried in a booted system.\n%s\n\n' \
        "$(printf '!%.0s' {1..78})" "$*" "$(printf '!%.0s' {1..78})"
    exit 0
}
[[ $(id -u) = 0 ]] || skip 'booting a container needs root'
[[ -x $boot ]] || skip 'there is no ../shared/tools/boot-systemd.sh'
for command in systemd-nspawn mmdebstrap; do
    command -v $command >/dev/null || skip "$command is missing (apt-get install systemd-container mmdebstrap)"
done

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT
chmod 755 "$files"
mkdir "$files/test"
cp -r "$repository/tests/fixtures" "$here"/booted/{lib.sh,fake-odoo,odoo.service} "$files/test/"
cp "$deb" "$files/test/odoo-session-reaper.deb"

# The same package as its next version.
mkdir "$files/next"
dpkg-deb -R "$deb" "$files/next"
sed -i 's/^Version: .*/&+next/' "$files/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -b "$files/next" "$files/test/next.deb" >/dev/null
rm -r "$files/next"
chmod -R a+rX "$files"

failed=0
for suite in "${suites[@]}"; do
    for script in ${BOOTED_ONLY:-deb dynamic-user}; do
        [[ $script = deb || $suite != bullseye ]] || continue
        printf '\n==== %s in a booted %s\n' "$script" "$suite"
        rc=0
        BOOT_SUITE=$suite "$boot" -t 400 -b 120 "$files" "$here/booted/$script.sh" || rc=$?
        if [[ $rc != 0 ]]; then
            echo "==== $script in a booted $suite FAILED ($rc)"
            failed=1
        fi
    done
done
exit $failed
