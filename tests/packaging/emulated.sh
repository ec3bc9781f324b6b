#!/bin/bash
# emulated.sh PROGRAM [TEST...] - the project's own tests of what the program does, with PROGRAM of another architecture in its
# place, under qemu.
set -euo pipefail
program=$(realpath "$1")
tests=("${@:2}")
[[ ${#tests[@]} -gt 0 ]] || tests=(reaping fixtures_agree max_logouts)
. "$(dirname "$0")/checks.sh"
qemu=$(command -v qemu-aarch64-static) || { [[ -z ${CI-} ]] || fail 'qemu is missing (apt-get install qemu-user-static)'; }
if [[ -z $qemu || $(id -u) != 0 ]]; then
    echo 'SKIPPED: the tests did NOT run with the program for aarch64, for want of qemu-aarch64-static or of root'
    exit $failed
fi
cargo test --locked --no-run --message-format json "${tests[@]/#/--test=}" >"$work/built"
# The kernel starts no program of another architecture by itself. So a script lies over the ordinary one, for these only.
printf '#!/bin/sh\nexec %s %s "$@"\n' "$qemu" "$program" >"$work/script"
chmod 755 "$work/script"
ordinary=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/odoo-session-reaper
for test in "${tests[@]}"; do
    run=$(jq -r --arg name "$test" 'select(.reason == "compiler-artifact" and .target.name == $name).executable' "$work/built")
    begun=$SECONDS
    unshare --mount bash -c 'mount --bind "$0" "$1" && exec "$2"' "$work/script" "$ordinary" "$run" >"$work/said" 2>&1 ||
        { grep -E '^test .*FAILED|panicked|^test result' "$work/said"; fail "$test"; }
    printf '      %s (%s s)  %s\n' "$test" $((SECONDS - begun)) "$(grep '^test result' "$work/said")"
done
exit $failed
