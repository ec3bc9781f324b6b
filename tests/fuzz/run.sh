#!/usr/bin/env bash
# Fuzzes the readers of strangers' bytes, guided by coverage, and prints one line for each target.
#
# usage: tests/fuzz/run.sh [EXECUTIONS] [TARGET...]     ten million executions of `json` and of `pickle` if nothing is said
#
# Needs no more than the stable toolchain and a C++ compiler: libFuzzer comes with its crate, and the coverage it feeds on
# with LLVM's own pass. What the fuzzer learns stays below the target directory, so that a later run begins where this ends;
# so does what crashes it. The exit code is 1 if anything did.
#
# Python's answer to all that was learned (it has found what no crash shows):
#
#     ODOO_SESSION_REAPER_TEST_FILES=tests/fuzz/target/fuzz/pickle cargo test --test session_vs_python found -- --nocapture
set -euo pipefail
cd "$(dirname "$0")"

executions=${1:-10000000}
targets=("${@:2}")
[ "${#targets[@]}" -gt 0 ] || targets=(json pickle)

build=${CARGO_TARGET_DIR:-$PWD/target}
triple=$(rustc -vV | sed -n 's/^host: //p')
corpora=$build/fuzz

# One reading takes microseconds and kilobytes. These are far above that, and far below what a host would mind.
limits=(-timeout=2 -rss_limit_mb=512 -malloc_limit_mb=64 -max_len=4096)

coverage=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)
# With --target, build scripts are spared the coverage.
binaries=()
for target in "${targets[@]}"; do binaries+=(--bin "$target"); done
RUSTFLAGS="${coverage[*]}" cargo build --quiet --locked --release --target "$triple" --target-dir "$build" "${binaries[@]}"

# The fixtures by their first byte, as the program tells them apart; at least one file each.
seed() {
  local corpus=$1 file first
  mkdir -p "$corpus"
  case $(basename "$corpus") in
    json | pickle)
      find ../fixtures -path '*/sessions/*' -type f | while read -r file; do
        first=$(head -c 1 "$file" | od -An -tx1 | tr -d ' \n')
        case $(basename "$corpus"):$first in
          json:7b | pickle:80) cp "$file" "$corpus/seed-$(basename "$file")" ;;
        esac
      done
      ;;
    odoo_conf) printf '[options]\ndata_dir = /var/lib/odoo\n' >"$corpus/seed" ;;
    names) printf '0a796d6eb7fd55225f25e5a661da803c19cc56f5' >"$corpus/seed" ;;
  esac
}

of() { sed -n "s/^stat::$1: *//p" "$2"; }

fuzz() {
  local target=$1 corpus=$corpora/$1 log=$corpora/$1.log found=$corpora/crashes/$1- how="no crash, no hang"
  seed "$corpus"
  mkdir -p "$corpora/crashes"
  if ! "$build/$triple/release/$target" "$corpus" -runs="$executions" -dict="dictionaries/$target.dict" \
    "${limits[@]}" -artifact_prefix="$found" -print_final_stats=1 >"$log" 2>&1; then
    how="CRASHED: see $log"
  fi
  printf '%s: %s executions, %s a second, %s edges, peak RSS %s MiB, %s\n' "$target" \
    "$(of number_of_executed_units "$log")" "$(of average_exec_per_sec "$log")" \
    "$(sed -n 's/.*cov: \([0-9]*\).*/\1/p' "$log" | tail -1)" "$(of peak_rss_mb "$log")" "$how"
  [ "$how" = "no crash, no hang" ]
}

# Side by side: each takes one core.
jobs=()
for target in "${targets[@]}"; do
  fuzz "$target" &
  jobs+=($!)
done
failed=0
for job in "${jobs[@]}"; do wait "$job" || failed=1; done
exit "$failed"
