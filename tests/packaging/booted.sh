#!/bin/bash
# booted.sh DEB [SUITE...] - installs the Debian package in booted containers, and looks what happens.
# BOOTED_ONLY=PATTERN picks some of the scripts.
#
# Needs root, and what boot-systemd.sh needs. Without root it says so loudly and succeeds; without the rest too, unless
# CI is set.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
boot=$here/boot-systemd.sh
deb=$(realpath "$1")
shift
suites=("$@")
[[ ${#suites[@]} -gt 0 ]] || suites=(bookworm)

# skip PACKAGES WHAT: for the want of packages that could be installed, or with none, of what cannot be had here
skip() {
    [[ -z $1 || -z ${CI-} ]] || { echo "FAIL  $2 (apt-get install $1)"; exit 1; }
    printf '\n%s\n!! SKIPPED: %s\n!! The packages were NOT tried in a booted system.\n%s\n\n' \
        "$(printf '!%.0s' {1..78})" "$2${1:+ (apt-get install $1)}" "$(printf '!%.0s' {1..78})"
    exit 0
}
[[ $(id -u) = 0 ]] || skip '' 'booting a container needs root'
for command in systemd-nspawn:systemd-container mmdebstrap:mmdebstrap gpg:gpg; do
    command -v "${command%:*}" >/dev/null || skip "${command#*:}" "${command%:*} is missing"
done

files=$(mktemp -d) logs=$(mktemp -d)
# shellcheck disable=SC2046
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$files" "$logs"' EXIT
chmod 755 "$files"
mkdir "$files/test"
cp -r "$repository/tests/fixtures" "$here"/booted/{lib.sh,doctor.sh,fake-odoo,odoo.service,probe} "$files/test/"
cp "$repository/docs/hosting.md" "$files/test/"
cp "$deb" "$files/test/odoo-session-reaper.deb"

# The same package as its next version.
mkdir "$files/next"
dpkg-deb -R "$deb" "$files/next"
sed -i 's/^Version: .*/&+next/' "$files/next/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -b "$files/next" "$files/test/next.deb" >/dev/null
rm -r "$files/next"

# What the NixOS module makes of nixpkgs' own services.odoo.
mkdir "$files/test/nixos"
scripts=(deb places sandbox dynamic-user 'dynamic-user static')
if command -v nix-instantiate >/dev/null && command -v jq >/dev/null; then
    "$here/nix/drop-ins.sh" "$files/test/nixos" --arg settings '{ enable = true; }' \
        --arg odoo '{ enable = true; settings.options.data_dir = "/var/lib/private/odoo/data"; }'
else
    [[ -z ${CI-} ]] || { echo 'FAIL  nix-instantiate or jq is missing (apt-get install nix-bin jq)'; exit 1; }
    echo '!! SKIPPED: the NixOS overrides, for want of nix-instantiate or jq (apt-get install nix-bin jq)'
    scripts=(deb places sandbox)
fi
chmod -R a+rX "$files"

# Which scripts a suite is worth. NixOS has no systemd as old as bullseye's; Ubuntu's is another for the sandbox only.
worth() {
    case $1 in
    bullseye) [[ $2 != dynamic-user* ]] ;;
    focal | jammy | noble) [[ $2 = places || $2 = sandbox ]] ;;
    esac
}

# Two at a time, because each of them waits a lot; what one says is shown when it has ended. But journal.sh, which counts
# what a busy journald knows, has the machine for itself, after them.
declare -A runs=()
failed=0
# shows: waits for one of them, and shows what it said
shows() {
    local pid rc=0 run begun
    wait -n -p pid || rc=$?
    read -r begun run <<<"${runs[$pid]}"
    unset "runs[$pid]"
    printf '\n==== %s (%s s)\n' "$run" $((SECONDS - begun))
    cat "$logs/$run"
    if [[ $rc != 0 ]]; then
        echo "==== $run FAILED ($rc)"
        failed=1
    fi
}
# try SUITE SCRIPT BESIDE: starts it as soon as no more than BESIDE others run
try() {
    local name argument
    worth "$1" "$2" || return 0
    [[ $2 = ${BOOTED_ONLY:-*} ]] || return 0
    while [[ ${#runs[@]} -gt $3 ]]; do shows; done
    read -r name argument <<<"$2"
    BOOT_SUITE=$1 "$boot" -t 400 -b 120 "$files" "$here/booted/$name.sh" $argument >"$logs/$2 in a booted $1" 2>&1 &
    runs[$!]="$SECONDS $2 in a booted $1"
}
for suite in "${suites[@]}"; do
    for script in "${scripts[@]}"; do try "$suite" "$script" 1; done
done
for suite in "${suites[@]}"; do try "$suite" journal 0; done
while [[ ${#runs[@]} -gt 0 ]]; do shows; done
exit $failed
