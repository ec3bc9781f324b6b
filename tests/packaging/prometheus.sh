#!/bin/bash
# prometheus.sh PROGRAM - what Prometheus' own tools say of the metrics and of the alert rules, and whether
# node_exporter reads a metrics file through a link.
#
# The tools are taken from the Debian packages without installing them: nothing is started by that.
set -euo pipefail
program=$(realpath "$1")
. "$(dirname "$0")/checks.sh"
exporter=''
trap 'kill $exporter 2>/dev/null || true; rm -rf "$work"' EXIT
chmod 755 "$work"

tools=${PROMETHEUS_TOOLS:-$work/tools}
mkdir -p "$tools"
for package in prometheus prometheus-node-exporter; do
    [[ ! -x $tools/usr/bin/$package ]] || continue
    (cd "$tools" && apt-get download -qq "$package" 2>/dev/null) && dpkg-deb -x "$tools/$package"_*.deb "$tools" ||
        { printf '!! SKIPPED: no package %s; the metrics were NOT checked by Prometheus\n' "$package"; exit 0; }
done
export PATH=$tools/usr/bin:$PATH

echo '-- promtool check metrics: not a word'
"$program" demo --keep --dir "$work/odoo" --sessions 2000 >/dev/null
file=$work/odoo_sessions.prom
speechless() {
    local said
    said=$(promtool check metrics <"$file" 2>&1) && [[ -z $said ]] || fail "$1: $said"
}
for command in audit 'reap --dry-run' reap; do
    # shellcheck disable=SC2086
    "$program" $command --data-dir "$work/odoo" --metrics-file "$file" >/dev/null
    speechless "$command"
done
! "$program" reap --data-dir /nonexistent --metrics-file "$file" 2>/dev/null || fail 'it should not succeed'
speechless 'a run that failed'
sed -i 's/_last_run_exit_code/&_total/' "$file"
! promtool check metrics <"$file" >/dev/null 2>&1 || fail 'promtool notices nothing'

echo '-- the alert rules'
rules=prometheus/odoo-session-reaper.rules.yml
tests=tests/packaging/prometheus/alerts.yml
promtool check rules "$rules" | sed 's/^/      /'
promtool test rules "$tests" | sed 's/^/      /'
# A test that never fails is none.
mutant() {
    mkdir -p "$work/mutant"
    sed "$1" "$rules" >"$work/mutant/rules.yml"
    ! cmp -s "$rules" "$work/mutant/rules.yml" || fail "$1 changes nothing"
    sed "s|^rule_files:.*|rule_files: [rules.yml]|" "$tests" >"$work/mutant/tests.yml"
    ! promtool test rules "$work/mutant/tests.yml" >/dev/null 2>&1 || fail "the tests do not notice $1"
}
mutant 's/> 86400/> 864000/'
mutant 's/> 86400/> 60/'
mutant 's/{command="reap"} > 86400/ > 86400/;s/for: 15m/for: 0m/;s/> 86400/> 100/'
mutant 's/ on (instance, store)/ on (store)/'
mutant 's/ offset 1d/ offset 10d/'
mutant 's/ offset 1d//'
mutant '/^ *and on (instance, store)/,+1d;s/^\( *odoo_session_reaper_last_run_timestamp_seconds.*\)$/\1 offset 1d/'
mutant '/^ *odoo_session_reaper_last_run_info{command="reap", end="dormant"}$/s/, end="dormant"//'
mutant '/last_run_info/s/command="reap", //'
mutant 's/<= 345600/<= 445600/'
mutant 's/<= 345600/<= 245600/'
mutant 's/{command="reap"} <= 345600/ <= 0/'
mutant 's/absent(odoo_session_reaper_last_run_timestamp_seconds{command="reap"})/absent(odoo_session_reaper_last_run_timestamp_seconds)/'
mutant '/ absent(/,/ or$/d'
mutant 's/, store!=""//'
mutant 's/\[3d\]/[1d]/'
mutant 's/for: 1h/for: 0m/'
mutant 's/min by (instance, store)/min by (instance, store, command)/'
mutant 's/min by/max by/'
mutant 's/< 0.05/<= 0.05/'
mutant 's/< 0.05/< 0.04/'
mutant '/0.05/,/severity/s/for: 15m/for: 0m/'
mutant 's/> 100000/> 99999/'
mutant 's/> 100000/> 200000/'
mutant 's/anonymous|recent/anonymous/'
mutant 's/for: 2h/for: 0m/'
mutant 's/for: 90m/for: 0m/'
mutant 's/ != 0 < 75/ != 0/'
mutant 's/ != 0 < 75/ > 9000/'
mutant 's/_errors) > 0/_errors) > 9/'
mutant 's/_kept_logins{command="reap"} > 0/_kept_logins > 0/'
mutant 's/_kept_logins{command="reap"} > 0/_kept_logins{command="reap"} > 500/'
mutant 's/_kept_logins > 0/_kept_logins > 500/'
mutant 's/unless on (instance, store, command)/unless on (instance, command)/'

echo '-- every series of the rules and of docs/metrics.md is there, and the other way round'
# Only an audit tells who bounced, and only where some session was read since its last save.
audited=$work/audited.prom
find "$work/odoo/sessions" -type f -exec touch -a {} +
"$program" audit --data-dir "$work/odoo" --metrics-file "$audited" >/dev/null
"$program" reap --data-dir "$work/odoo" --metrics-file "$file" >/dev/null
series() { grep -ohE 'odoo_session_[a-z_]+[a-z]' "$@" | sort -u; }
types() { sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$@" | sort -u; }
ours=$(types "$file" "$audited")
missing=$(comm -13 <(echo "$ours") <(series "$rules"))
[[ -z $missing ]] || fail "the rules use $missing"
diff <(echo "$ours") <(sed -n '/^## The series/,/^## /p' docs/metrics.md | series) || fail 'docs/metrics.md'

echo '-- node_exporter reads it through a link'
mkdir "$work/textfile"
ln -s "$file" "$work/textfile/odoo_sessions.prom"
port=$((20000 + RANDOM % 10000))
prometheus-node-exporter --web.listen-address="127.0.0.1:$port" --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$work/textfile" >"$work/exporter.log" 2>&1 &
exporter=$!
scrape() { python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())' "http://127.0.0.1:$port/metrics" 2>/dev/null; }
for ((i = 0; i < 100; i++)); do
    ! scrape >"$work/scraped" || break
    sleep 0.1
done
missing=$(comm -23 <(types "$file") <(series "$work/scraped"))
[[ -z $missing ]] || fail "node_exporter does not show $missing"
grep -qx 'node_textfile_scrape_error 0' "$work/scraped" || { cat "$work/exporter.log"; fail 'node_exporter complains'; }
# A second store and an audit beside it.
"$program" demo --keep --dir "$work/shop" --sessions 50 >/dev/null
"$program" reap --data-dir "$work/shop" --metrics-file "$work/textfile/shop.prom" >/dev/null
"$program" audit --data-dir "$work/shop" --metrics-file "$work/textfile/shop-audit.prom" >/dev/null
scrape >"$work/scraped" || fail 'two stores and an audit side by side'
[[ $(grep -c '^odoo_session_reaper_last_run_exit_code' "$work/scraped") = 3 ]] || fail 'two stores and an audit side by side'
exit $failed
