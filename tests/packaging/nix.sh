#!/bin/bash
# nix.sh PROGRAM - what can be said of nix/ without nixpkgs, which CI cannot reach: that it parses, is formatted,
# holds nothing unused, makes sense of settings (tests/packaging/nix/eval.nix), and agrees with the program and
# with systemd/.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."

failed=0
fail() {
    echo "FAIL  $*"
    failed=1
}
evaluate() { nix-instantiate --eval --strict --json tests/packaging/nix/eval.nix "$@"; }
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
for file in nix/*.nix tests/packaging/nix/*.nix; do
    nix-instantiate --parse "$file" >/dev/null || fail "$file"
done
nixfmt --check nix/*.nix tests/packaging/nix/*.nix || fail 'run nixfmt'
deadnix --fail nix tests/packaging/nix || fail 'dead code'

echo '-- what the module makes of settings (with stand-ins for the functions of nixpkgs, not on a NixOS)'
nixpkgs='{ enable = true; settings.options.data_dir = "/var/lib/private/odoo/data"; }'
wants "beside nixpkgs' services.odoo: its dynamic user, exactly" '.failed == []
    and (.config.systemd.services["odoo-session-reaper"] | .serviceConfig.DynamicUser == true
        and .serviceConfig.User == "odoo" and .serviceConfig.StateDirectory == ["", "odoo"]
        and (.serviceConfig | has("Group") | not)
        and .unitConfig.ConditionPathIsDirectory == "/var/lib/private/odoo/data/sessions")
    and .config.systemd.services.odoo.environment == {ODOO_DISABLE_SESSION_GC: "1", ODOO_SKIP_GC_SESSIONS: "1"}' \
    --arg settings '{ enable = true; }' --arg odoo "$nixpkgs"
wants 'a data_dir elsewhere: an ordinary user, and its sessions are writable' '.failed == []
    and (.config.systemd.services["odoo-session-reaper"].serviceConfig | .User == "erp" and .Group == "odoo"
        and .ReadWritePaths == "-/srv/erp/sessions" and (has("DynamicUser") | not))
    and (.config.systemd.services | has("odoo") | not)' \
    --arg settings '{ enable = true; dataDir = "/srv/erp"; user = "erp"; }'
wants 'a data_dir below /home is let in' '.config.systemd.services["odoo-session-reaper"].serviceConfig
    | .ProtectHome == "tmpfs" and .BindPaths == "/home/odoo/data/sessions"' \
    --arg settings '{ enable = true; dataDir = "/home/odoo/data/"; }'
wants 'instances have units, timers and settings of their own' '.failed == []
    and (.config.systemd.services | keys == ["odoo-session-reaper@crm", "odoo-session-reaper@shop"])
    and .config.systemd.services["odoo-session-reaper@shop"].overrideStrategy == "asDropin"
    and .config.systemd.services["odoo-session-reaper@shop"].environment.ODOO_SESSION_REAPER_ANONYMOUS_WINDOW == "6h"
    and .config.systemd.timers["odoo-session-reaper@crm"].timerConfig.OnCalendar == ["", "daily"]
    and .config.systemd.timers["odoo-session-reaper@crm"].wantedBy == ["timers.target"]' \
    --arg settings '{ enable = true; instances.shop = { dataDir = "/srv/shop"; anonymousWindow = "6h"; };
        instances.crm = { configFile = "/etc/odoo/crm.conf"; schedule = "daily"; }; }'
wants 'a metrics file in a directory of its own, and in another' '
    (.config.systemd.services["odoo-session-reaper"] | .environment.ODOO_SESSION_REAPER_METRICS_FILE == "/var/lib/odoo-session-reaper/a.prom"
        and .serviceConfig.ReadWritePaths == "-/srv/x/sessions")
    and .config.systemd.services["odoo-session-reaper@b"].serviceConfig.ReadWritePaths == "-/srv/y/sessions -/srv/textfile"' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; metricsFile = "/var/lib/odoo-session-reaper/a.prom";
        instances.b = { dataDir = "/srv/y"; metricsFile = "/srv/textfile/b.prom"; }; }'
refuses 'a metrics file that node_exporter would not read' '{ enable = true; dataDir = "/srv/x"; metricsFile = "/srv/a.txt"; }'
wants 'nothing, unless it is enabled' '.config == {}' --arg settings '{ dataDir = "/srv/odoo"; }'
complains 'no store' 'name a dataDir' '{ enable = true; }'
complains 'two instances on one store' 'one store' '{ enable = true; dataDir = "/srv/x"; instances.a.dataDir = "/srv/x/"; }'
complains 'an instance without a place' 'name a dataDir or a configFile' '{ enable = true; instances.a = { }; }'
wants 'an odoo.conf beside the data_dir, and nothing that would beat its sections' '.failed == []
    and .config.systemd.services["odoo-session-reaper"].environment
        == {ODOO_SESSION_REAPER_DATA_DIR: "/srv/x", ODOO_SESSION_REAPER_CONFIG: "/etc/odoo.conf"}' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; configFile = "/etc/odoo.conf"; }'
wants 'protected logins, a lifetime and the access time' '.failed == []
    and (.config.systemd.services["odoo-session-reaper"].environment
        | .ODOO_SESSION_REAPER_KEEP_LOGIN == "kiosk*,pos?" and .ODOO_SESSION_REAPER_MAX_LIFETIME == "30d"
        and .ODOO_SESSION_REAPER_LAST_SEEN == "atime")' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; keepLogins = [ "kiosk*" "pos?" ]; maxLifetime = "30d"; lastSeen = "atime"; }'
complains 'a lifetime under 2h' 'under 2h' '{ enable = true; dataDir = "/srv/x"; maxLifetime = "119min"; }'
refuses 'two patterns in one' '{ enable = true; dataDir = "/srv/x"; keepLogins = [ "kiosk*,pos?" ]; }'
refuses 'another clock' '{ enable = true; dataDir = "/srv/x"; lastSeen = "ctime"; }'
complains 'a window under 2h' 'under 2h' '{ enable = true; dataDir = "/srv/x"; authenticatedWindow = "1h 59min"; }'
complains 'a leftover window under 1h' 'under 1h' '{ enable = true; dataDir = "/srv/x"; leftoverWindow = "59m"; }'
wants 'a window under 2h, if it is meant' '.failed == []
    and .config.systemd.services["odoo-session-reaper"].environment.ODOO_SESSION_REAPER_ALLOW_SHORT_WINDOW == "true"' \
    --arg settings '{ enable = true; dataDir = "/srv/x"; authenticatedWindow = "90m"; allowShortWindow = true; }'
refuses 'a window that is no duration' '{ enable = true; dataDir = "/srv/x"; anonymousWindow = "soon"; }'
refuses 'a relative data_dir' '{ enable = true; dataDir = "odoo"; }'
refuses 'an option that it does not have' '{ enable = true; dataDirectory = "/srv/x"; }'
wants 'every option is described' '.undocumented == []' --arg settings '{ }'

echo '-- it agrees with the program and with systemd/'
help=$("$program" reap --help)
for variable in $(grep -ohE 'ODOO_SESSION_REAPER_[A-Z_]+' nix/*.nix | sort -u); do
    flag=${variable#ODOO_SESSION_REAPER_}
    flag=--$(tr 'A-Z_' 'a-z-' <<<"$flag")
    grep -q -- "$flag\b" <<<"$help" || fail "the program has no $variable"
done
for flag in $(grep -ohE '"--[a-z-]+"' nix/module.nix | tr -d '"' | sort -u); do
    grep -q -- "$flag\b" <<<"$help" || fail "the program has no $flag"
done
evaluate --arg settings '{ }' >"$out"
for window in authenticated anonymous leftover; do
    theirs=$(tr -s ' \n' ' ' <<<"$help" | sed -E "s/.*--$window-window <AGE>[^[]*\[default: ([a-z0-9]+)\].*/\1/")
    # Set by the module, it would beat what odoo.conf says: so only the description may tell it.
    jq -e ".defaults.${window}Window == null" "$out" >/dev/null || fail "${window}Window has a default"
    jq -r ".descriptions.${window}Window" "$out" | tr -s ' \n' ' ' | grep -q "or else $theirs\." ||
        fail "${window}Window does not tell the program's default, $theirs"
done
grep -qx "OnCalendar=$(jq -r .defaults.schedule "$out")" systemd/odoo-session-reaper.timer || fail 'the default schedule differs'
grep -qx "User=$(jq -r .defaults.user "$out")" systemd/odoo-session-reaper.service || fail 'the default user differs'
# Every duration that the module accepts, the program accepts too.
mkdir "$out.d" "$out.d/sessions"
for unit in s secs sec m min mins h hr hrs d day days w week weeks; do
    "$program" audit --data-dir "$out.d" --anonymous-window "20 $unit 1h" >/dev/null || fail "the program does not know the unit $unit"
done
rm -r "$out.d"
for name in $(grep -ohE 'odoo-session-reaper@?(\$\{name\}|[a-zA-Z]*)?\.(service|timer)' nix/*.nix | sed 's/@[^.]*/@/' | sort -u); do
    [[ -e systemd/$name ]] || fail "there is no systemd/$name"
done
for path in $(sed 's|lib/systemd/system||g' nix/package.nix | grep -oE 'systemd/[a-z.*/]+' | sort -u); do
    compgen -G "$path" >/dev/null || fail "package.nix: there is no $path"
done
grep -q '/usr/bin/odoo-session-reaper' systemd/odoo-session-reaper.service || fail 'package.nix replaces a path that is not there'
exit $failed
