#!/bin/bash
# program.sh PROGRAM REFERENCE - that the program, as it is released, needs nothing but a kernel, tells nothing of the machine
# that built it, and does what REFERENCE, an ordinary build, does: on session files of real Odoos, and on a store of the
# demo. One of another architecture runs under qemu.
set -euo pipefail
program=$(realpath "$1") reference=$(realpath "$2")
. "$(dirname "$0")/checks.sh"

echo '-- it is static, and has no path of its build'
ls -l "$program"
! readelf -lW "$program" | grep -E 'INTERP' || fail 'it wants a loader'
! readelf -dW "$program" | grep NEEDED || fail 'it wants libraries'
# Where the sources, the crates and the compiler lay.
for path in "$PWD" "${CARGO_HOME:-$HOME/.cargo}" "$(rustc --print sysroot)/lib/rustlib" "$HOME/"; do
    [[ $path = // || $path = / ]] || ! grep -aqF -- "$path" "$program" || fail "it names $path"
done

run=("$program")
case $(readelf -hW "$program" | sed -n 's/ *Machine: *//p') in
AArch64) [[ $(uname -m) = aarch64 ]] || run=(qemu-aarch64-static "$program") ;;
*X86-64) [[ $(uname -m) = x86_64 ]] || run=(qemu-x86_64-static "$program") ;;
esac
if ! command -v "${run[0]}" >/dev/null; then
    [[ -z ${CI-} ]] || { echo "FAIL  ${run[0]} is missing (apt-get install qemu-user-static)"; exit 1; }
    echo "SKIPPED: $program was NOT run, for want of ${run[0]} (apt-get install qemu-user-static)"
    exit $failed
fi

echo '-- it does what an ordinary build does'
stores=0
begun=$(date +%s)
"$reference" demo --keep --sessions 2000 --dir "$work/demo" >/dev/null
for store in tests/fixtures/odoo-*/sessions "$work/demo/sessions"; do
    cp -a "$store" "$work/store"
    [[ $store = "$work"* ]] || find "$work/store" -type f -exec touch -d '@1700000000' {} +
    touch "$work/store"
    for build in it ordinary; do
        # In one place, with the same times, one after the other.
        rm -rf "$work/data"
        mkdir -p "$work/$build" "$work/data"
        cp -a "$work/store" "$work/data/sessions"
        find "$work/data" -type f -exec touch -a -d "@$begun" {} +
        of=("${run[@]}")
        [[ $build = it ]] || of=("$reference")
        for command in 'audit --list' 'reap --force --list'; do
            # shellcheck disable=SC2086
            "${of[@]}" $command --format json --threads 1 --data-dir "$work/data" 2>"$work/errors" |
                # The order is the directory's; and clocks go on.
                jq -S 'walk(if type == "array" then sort elif type == "object"
                    then with_entries(select(.key | test("seconds|time|age|oldest|started|free"; "i") | not)) else . end)' \
                    >"$work/$build/${command%% *}" || { cat "$work/errors"; fail "$build: $command on $store"; }
        done
        (cd "$work/data" && find . -type f | sort) >"$work/$build/left"
    done
    rm -r "$work/store"
    for what in audit reap left; do
        diff "$work/it/$what" "$work/ordinary/$what" >"$work/difference" ||
            { head -n 20 "$work/difference"; fail "$store: another $what"; }
    done
    [[ $(wc -l <"$work/it/left") -lt $(find "$store" -type f | wc -l) ]] || fail "$store: nothing was deleted"
    stores=$((stores + 1))
done
[[ $stores -gt 5 ]] || fail "only $stores stores"
echo "      $stores stores"

[[ ${run[0]} = "$program" ]] || exit $failed
if [[ $(id -u) != 0 ]]; then
    echo 'SKIPPED: only root can show it a system without any file'
    exit $failed
fi
echo '-- it runs where there is nothing else'
mkdir -p "$work/nothing/data"
cp -r tests/fixtures/odoo-18/sessions "$work/nothing/data/"
find "$work/nothing/data/sessions" -type f -exec touch -d '30 days ago' {} +
touch "$work/nothing/data/sessions"
before=$(find "$work/nothing/data" -type f | wc -l)
cp "$program" "$work/nothing/reaper"
chroot "$work/nothing" /reaper reap --data-dir /data >"$work/out" 2>&1 || { cat "$work/out"; fail 'in an empty root'; }
tail -n 1 "$work/out"
[[ $(find "$work/nothing/data" -type f | wc -l) -lt $before ]] || fail 'nothing was deleted'
exit $failed
