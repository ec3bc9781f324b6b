#!/bin/bash
# same.sh DIST ARCH - builds everything for ARCH once more: later, in another directory, by another user with another home,
# umask, locale and time zone, and no cache; and compares it with what dist/build has left in DIST, bit for bit.
#
# What is not committed is not in the second build. Without root it is the same user.
set -euo pipefail
first=$(realpath "$1") arch=$2
repository=$(cd "$(dirname "$0")/../.." && pwd)
away=$(mktemp -d)
trap 'rm -rf "$away"' EXIT
chmod 755 "$away"

git clone --quiet "$repository" "$away/another place"
# The crates are those of Cargo.lock; to have them from here spares the network.
mkdir -p "$away/home" "$away/crates"
cp -r "${CARGO_HOME:-$HOME/.cargo}/registry" "$away/crates/"
as=()
if [[ $(id -u) = 0 ]]; then
    # It may read the tools of this one, wherever they are; the bit is for access(2), which else forgets that.
    as=(setpriv --reuid 12345 --regid 12345 --clear-groups --securebits +no_setuid_fixup \
        --inh-caps +dac_read_search --ambient-caps +dac_read_search)
    chown -R 12345:12345 "$away"
else
    echo 'SKIPPED: without root, the second build is by the same user'
fi
cd "$away/another place"
umask 077
second=$(env -u CARGO_TARGET_DIR -u SOURCE_DATE_EPOCH HOME="$away/home" CARGO_HOME="$away/crates" \
    RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 \
    TZ=Pacific/Auckland USER=somebody TMPDIR="$away/home" "${as[@]}" dist/build "$arch")

cd "$second"
failed=0 count=0
for file in *; do
    [[ $file != SHA256SUMS ]] || continue
    count=$((count + 1))
    cmp "$file" "$first/$file" || failed=1
done
[[ $count = 5 ]] || { echo "FAIL  $count files were built"; failed=1; }
[[ $failed = 1 ]] || echo "same: $count files, bit for bit"
exit $failed
