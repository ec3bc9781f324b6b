#!/bin/bash
# drop-ins.sh DIR [NIX-EXPRESSION...] - writes what nix/module.nix makes of some settings into DIR as drop-ins
# for the units in systemd/, much as NixOS would. The arguments go to eval.nix.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
shift
nix-instantiate --store dummy:// --readonly-mode --eval --strict --json "$here/eval.nix" "$@" | jq '.config' >"$dir/module.json"

# NixOS writes a list as several lines with one key, booleans as true and false, and variables as JSON.
section='def section($name; $values): "[\($name)]",
    ($values // {} | to_entries[] | .key as $key | .value | if type == "array" then .[] else . end | "\($key)=\(.)");'
for kind in services timers; do
    jq -r ".systemd.$kind | keys[]" "$dir/module.json" | while read -r unit; do
        conf=$dir/$unit.${kind%s}.d/overrides.conf
        mkdir -p "${conf%/*}"
        jq -r --arg unit "$unit" "$section"' .systemd.'"$kind"'[$unit] |
            section("Unit"; .unitConfig),
            (if "'$kind'" == "services" then
                section("Service"; .serviceConfig), (.environment | to_entries[] | "Environment=\("\(.key)=\(.value)" | tojson)")
            else section("Timer"; .timerConfig) end)' "$dir/module.json" |
            # Where these are tried, programs are where the units have them.
            sed '/^ExecPaths=/d' >"$conf"
    done
done
rm "$dir/module.json"
