#!/bin/bash
# nix.sh PROGRAM - what can be said of nix/ without nixpkgs, which CI cannot reach: that it is formatted, holds nothing
# unused, makes sense of settings (nix/eval.nix), agrees with the program and with systemd/, and that the flake evaluates
# and the package builds (nix/flake.sh). docs/development/packaging.md tells what that leaves open.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."

failed=0
fail() {
    echo "FAIL  $*"
    failed=1
}
evaluate() { nix-instantiate --store dummy:// --readonly-mode --eval --strict --json tests/packaging/nix/eval.nix "$@"; }
# wants WHAT JQ-CONDITION ARGUMENTS...
wants() {
    local what=$1 condition=$2
    shift 2
    if evaluate "$@" >"$out" 2>"$out.error" && jq -e "$condition" "$out" >/dev/null; then
        echo "ok    $what"
    else
        fail "$what"
        cat "$out" "$out.error"
    fi
}
refuses() {
    if evaluate --arg settings "$2" >/dev/null 2>"$out.error"; then fail "$1"; else echo "ok    $1"; fi
}
complains() { wants "$1" ".failed | length == 1 and (.[0] | test(\"$2\"))" --arg settings "$3"; }
out=$(mktemp)
trap 'rm -f "$out" "$out.error"' EXIT

echo '-- syntax, format, dead code'
mapfile -t files < <(git ls-files -co --exclude-standard '*.nix')
for file in "${files[@]}"; do
    nix-instantiate --store dummy:// --parse "$file" >/dev/null || fail "$file"
done
nixfmt --check "${files[@]}" || fail 'run nixfmt'
deadnix --fail nix tests/packaging/nix || fail 'dead code'

echo '-- what the module makes of settings (with a stand-in for nixpkgs, not on a NixOS)'
nixpkgs='{ enable = true; settings.options.data_dir = "/var/lib/private/odoo/data"; }'
wants "beside nixpkgs' services.odoo: its dynamic user, exactly" '.failed == []
    and (.config.systemd.services["odoo-session-reaper"] | .serviceConfig.DynamicUser == true
        and .serviceConfig.User == "odoo" and .serviceConfig.StateDirectory == ["", "\"odoo\""]
        and (.serviceConfig | has("Group") | not)
        and .environment == {ODOO_SESSION_REAPER_DATA_DIR: "/var/lib/private/odoo/data"}
        and .unitConfig.ConditionPathIsDirectory == "/var/lib/private/odoo/data/sessions")
    and .config.systemd.services.odoo.environment == {ODOO_DISABLE_SESSION_GC: "1", ODOO_SKIP_GC_SESSIONS: "1"}' \
    --arg settings '{ enable = true; }' --arg odoo "$nixpkgs" --arg users '[ ]'
wants 'its settings.session_reaper are read, and nothing else of that file' '.failed == []
    and .config.systemd.services["odoo-session-reaper"].environment.ODOO_SESSION_REAPER_CONFIG
        == "/nix/store/odoo.conf {\"session_reaper\":{\"anonymous_window\":\"6h\"},\"session_reaper:shop\":{\"cart_window\":\"3d\"}}"' \
    --arg settings '{ enable = true; }' --arg odoo '{ enable = true; settings = {
        options = { data_dir = "/var/lib/private/odoo/data"; db_password = "secret"; }; session_reapers.x = 1;
        session_reaper.anonymous_window = "6h"; "session_reaper:shop".cart_window = "3d"; }; }'
wants 'a data_dir elsewhere: an ordinary user, and its sessions are writable' '.failed == []
    and (.config.systemd.services["odoo-session-reaper"].serviceConfig | .User == "erp" and .Group == "odoo"
        and .ReadWritePaths == ["\"-/srv/erp/sessions\""] and (has("DynamicUser") | not))
    and (.config.systemd.services | has("odoo") | not)' \
    --arg settings '{ enable = true; dataDir = "/srv/erp"; user = "erp"; }'
for home in /home/odoo /root; do
    wants "a data_dir below $home is let in" '.config.systemd.services["odoo-session-reaper"].serviceConfig
        | .ProtectHome == "tmpfs" and .BindPaths == "\"'$home'/data/sessions\"" and (has("ReadWritePaths") | not)' \
        --arg settings "{ enable = true; dataDir = \"$home/data/\"; }"
done
wants 'instances have units, timers and settings of their own' '.failed == []
    and (.config.systemd.services | keys == ["odoo-session-reaper@crm", "odoo-session-reaper@shop-2.b:x_Y"])
    and .config.systemd.services["odoo-session-reaper@shop-2.b:x_Y"].overrideStrategy == "asDropin"
    and .config.systemd.services["odoo-session-reaper@shop-2.b:x_Y"].environment.ODOO_SESSION_REAPER_ANONYMOUS_WINDOW == "6h"
    and .config.systemd.timers["odoo-session-reaper@crm"].timerConfig.OnCalendar == ["", "daily"]
    and .config.systemd.timers["odoo-session-reaper@crm"].wantedBy == ["timers.target"]' \
    --arg settings '{ enable = true; instances."shop-2.b:x_Y" = { dataDir = "/srv/shop"; settings.anonymous_window = "6h"; };
        instances.crm = { configFile = "/etc/odoo/crm.conf"; schedule = "daily"; }; }'
wants 'each of them says whom it runs as, whatever user the template names' '.failed == []
    and (.config.systemd.services | length == 3) and ([.config.systemd.services[].serviceConfig] | all(.User == "erp"
        and (if .DynamicUser then has("Group") | not else .Group == "odoo" end)))' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; user = "erp"; instances.a = { dataDir = "/srv/a"; user = "erp"; };
        instances.b = { dataDir = "/var/lib/private/b"; user = "erp"; }; }'
wants 'an odoo.conf beside the configuration is in the store, and one on the host is where it is' '.failed == []
    and (.config.systemd.services["odoo-session-reaper"].environment.ODOO_SESSION_REAPER_CONFIG | test("^/nix/store/[0-9a-z]{32}-eval.nix$"))
    and .config.systemd.services["odoo-session-reaper@a"].environment.ODOO_SESSION_REAPER_CONFIG == "/etc/odoo.conf"' \
    --arg settings '{ enable = true; configFile = tests/packaging/nix/eval.nix; instances.a.configFile = "/etc/odoo.conf"; }'
wants 'a metrics file may be written to where it is' '.failed == []
    and (.config.systemd.services["odoo-session-reaper"] | .environment.ODOO_SESSION_REAPER_METRICS_FILE == "/srv/textfile/b.prom"
        and .serviceConfig.ReadWritePaths == ["\"-/srv/textfile\"", "\"-/srv/x/sessions\""])' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; settings.metrics_file = "/srv/textfile/b.prom"; }'
refuses 'a metrics file that node_exporter would not read' '{ enable = true; dataDir = "/srv/x"; settings.metrics_file = "/srv/t/a.txt"; }'
wants 'nothing, unless it is enabled' '.config == {}' --arg settings '{ dataDir = "/srv/odoo"; }'
wants 'every setting is the variable of its option, whatever it is called' '.failed == []
    and .config.systemd.services["odoo-session-reaper"].environment == {ODOO_SESSION_REAPER_DATA_DIR: "/srv/x",
        ODOO_SESSION_REAPER_CONFIG: "/etc/odoo.conf", ODOO_SESSION_REAPER_KEEP_LOGIN: "kiosk*,pos?",
        ODOO_SESSION_REAPER_DRY_RUN: "true", ODOO_SESSION_REAPER_FORCE: "false", ODOO_SESSION_REAPER_THREADS: "2",
        ODOO_SESSION_REAPER_OF_TOMORROW: "30d"}' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; configFile = "/etc/odoo.conf"; settings = { keep_login = [ "kiosk*" "pos?" ];
        dry_run = true; force = false; threads = 2; of_tomorrow = "30d"; limit = null; }; }'
refuses 'two patterns in one' '{ enable = true; dataDir = "/srv/x"; settings.keep_login = [ "kiosk*,pos?" ]; }'
refuses 'a setting that is no text' '{ enable = true; dataDir = "/srv/x"; settings.limit = { }; }'
complains 'a setting as on the command line' 'letters and `_`' '{ enable = true; dataDir = "/srv/x"; settings.keep-login = "a"; }'
complains 'a store that the sandbox does not know' 'name the store with dataDir' '{ enable = true; dataDir = "/srv/x"; settings.sessions_dir = "/srv/y"; }'
complains 'no store' 'name a dataDir' '{ enable = true; }'
complains 'two instances on one store' 'one store' '{ enable = true; dataDir = "/srv/x"; instances.a.dataDir = "/srv/x/"; }'
complains 'an instance without a place' 'name a dataDir or a configFile' '{ enable = true; instances.a = { }; }'
for name in 'a b' 'a/b' 'a@b' 'a%b' 'ä' '' "$(printf 'a%.0s' {1..201})"; do
    complains "an instance called ${name:0:9}" "part of a unit's name" "{ enable = true; instances.\"$name\".dataDir = \"/srv/x\"; }"
done
complains 'a user that nobody declared' '^services.odoo-session-reaper: there is no user shop: set' '{ enable = true; dataDir = "/srv/x"; user = "shop"; }'
complains 'a group that nobody declared' '^services.odoo-session-reaper.instances.a: there is no group shop: set' '{ enable = true; instances.a = { dataDir = "/srv/x"; group = "shop"; }; }'
for state in '"odoo"' '[ "x" "odoo" ]' '"x odoo"'; do
    wants "the link to the directory of a dynamic user's $state" '.failed | length == 1 and (.[0] | contains("write dataDir = \"/var/lib/private/odoo/data\""))' \
        --arg settings '{ enable = true; dataDir = "/var/lib/odoo/data"; }' \
        --arg services "{ odoo.serviceConfig = { DynamicUser = true; StateDirectory = $state; }; }"
done
wants 'the same directory of an ordinary user' '.failed == []' --arg settings '{ enable = true; dataDir = "/var/lib/odoo/data"; }' \
    --arg services '{ odoo.serviceConfig.StateDirectory = "odoo"; b.serviceConfig = { DynamicUser = true; StateDirectory = "b"; }; }'
refuses 'a relative data_dir' '{ enable = true; dataDir = "odoo"; }'
refuses 'an option that it does not have' '{ enable = true; dataDirectory = "/srv/x"; }'
wants 'every option is described' '.undocumented == []' --arg settings '{ }'

echo "-- what systemd makes of its overrides: spaces, % and quotes"
odd='/srv/a b/100%boss "x" \\y:z'
nix_text() { jq -n --arg text "$1" '$text'; }
units=$(mktemp -d)
chmod 755 "$units"
cp systemd/*.service systemd/*.timer "$units/"
tests/packaging/nix/drop-ins.sh "$units" --arg settings "{ enable = true; dataDir = $(nix_text "$odd"); settings.keep_login = [ \"kiosk\" \"100%boss\" ];
    settings.metrics_file = $(nix_text "$odd/m.prom"); instances.home.dataDir = $(nix_text "/home$odd");
    instances.dynamic.dataDir = $(nix_text "/var/lib/private$odd"); }" 2>/dev/null
printf '[Unit]\nWants=odoo-session-reaper.service odoo-session-reaper@home.service odoo-session-reaper@dynamic.service\n' >"$units/default.target"
chmod -R a+rX "$units"
# Not as root: it refuses to.
as_nobody=()
[[ $(id -u) != 0 ]] || as_nobody=(setpriv --reuid 65534 --clear-groups)
"${as_nobody[@]}" env -i SYSTEMD_LOG_TARGET=console SYSTEMD_UNIT_PATH="$units:" /lib/systemd/systemd --test --system --no-pager \
    </dev/null >"$out" 2>&1 || { cat "$out"; fail 'systemd --test'; }
reads() {
    if grep -qxF $'\t\t'"$2" <<<"$(sed -n "/^\t-> Unit $1:/,/^\t-> Unit /p" "$out")"; then echo "ok    $2"; else fail "$1: $2"; fi
}
reads odoo-session-reaper.service 'Environment: ODOO_SESSION_REAPER_KEEP_LOGIN=kiosk,100%boss'
reads odoo-session-reaper.service "Environment: ODOO_SESSION_REAPER_DATA_DIR=$odd"
paths=$(sed -n '/Unit odoo-session-reaper.service:/,/-> Unit /s/^\t\tReadWritePaths: //p' "$out")
[[ $paths = *" -$odd -$odd/sessions" ]] || fail "ReadWritePaths: $paths"
reads odoo-session-reaper@home.service "BindPaths: /home$odd/sessions:/home$odd/sessions:rbind"
reads odoo-session-reaper@dynamic.service "ConditionPathIsDirectory: /var/lib/private$odd/sessions untested"
reads odoo-session-reaper@dynamic.service "ReadOnlyPaths: -/var/lib/private$odd/filestore"
rm -r "$units"

echo '-- it agrees with the program, with systemd/ and with docs/nixos.md'
help=$("$program" reap --help)
sed -n '/^services.odoo-session-reaper = {/,/^};/p' docs/nixos.md |
    sed '1s/.*/{/; $s/.*/}/' >"$out.nix"
evaluate --arg settings "import $out.nix" >"$out" || fail 'the example of docs/nixos.md'
rm "$out.nix"
jq -e '.failed == []' "$out" >/dev/null || { jq .failed "$out"; fail 'the example of docs/nixos.md'; }
for variable in $(jq -r '.config.systemd.services[].environment | keys[]' "$out" | grep ODOO_SESSION_REAPER; grep -ohE 'ODOO_SESSION_REAPER_[A-Z_]+[A-Z]' nix/*.nix; grep -ohE '[a-z]+(_[a-z]+)+ =' nix/*-test.nix | sed -E 's/(.*) =/ODOO_SESSION_REAPER_\U\1/'); do
    flag=${variable#ODOO_SESSION_REAPER_}
    flag=--$(tr 'A-Z_' 'a-z-' <<<"$flag")
    grep -q -- "$flag\b" <<<"$help" || fail "the program has no $variable"
done
# A new option of the program needs nothing here. The sandbox must know of three.
rest=$(sed '/example = {/,/};/d' nix/module.nix)
for option in $(grep -oE -- '--[a-z]+(-[a-z]+)+' <<<"$help" | sort -u | tr - _); do
    [[ $option =~ ^__(metrics_file|data_dir|sessions_dir)$ ]] || ! grep -q "\b${option#__}\b" <<<"$rest" || fail "the module repeats $option"
done
evaluate --arg settings '{ }' >"$out"
grep -qx "OnCalendar=$(jq -r .defaults.schedule "$out")" systemd/odoo-session-reaper.timer || fail 'the default schedule differs'
grep -qx "User=$(jq -r .defaults.user "$out")" systemd/odoo-session-reaper.service || fail 'the default user differs'
for name in $(grep -ohE 'odoo-session-reaper@?(\$\{name\}|[a-zA-Z]*)?\.(service|timer)' nix/*.nix | sed 's/@[^.]*/@/' | sort -u); do
    [[ -e systemd/$name ]] || fail "there is no systemd/$name"
done

tests/packaging/nix/flake.sh || failed=1
exit $failed
