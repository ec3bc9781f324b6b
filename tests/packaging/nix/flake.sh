#!/bin/bash
# flake.sh - nix/flake.nix as Nix itself takes it, with tests/packaging/nix/nixpkgs in the place of nixpkgs: all outputs are
# evaluated by `nix flake check`, and the package is built, tested and installed in Nix' sandbox, which has no network,
# hardly an /etc, and another user.
set -euo pipefail
cd "$(dirname "$0")/../../.."
target=${CARGO_TARGET_DIR:-$PWD/target}
rust=$(rustc --print sysroot)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
failed=0
fail() {
    echo "FAIL  $*"
    failed=1
}

# A store of its own, for whoever may not write to /nix.
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export NIX_STORE_DIR=$work/store NIX_STATE_DIR=$work/state NIX_LOG_DIR=$work/log NIX_CONF_DIR=$work/conf XDG_CACHE_HOME=$work/cache
mkdir "$work"/{conf,man,tree}
cat >"$NIX_CONF_DIR/nix.conf" <<CONF
experimental-features = nix-command flakes
build-users-group =
sandbox = true
sandbox-fallback = false
sandbox-paths = /bin /usr /lib /lib64 /etc/alternatives /rust=$rust /cargo=${CARGO_HOME:-$HOME/.cargo} /target=$target/nix
CONF
# As in a clone: what git knows of, as it is now.
git ls-files -z | xargs -0 tar -cf - | tar -xf - -C "$work/tree"
git -C "$work/tree" init -q
git -C "$work/tree" add -A
# flake COMMAND [#OUTPUT] OPTIONS...
flake() {
    local command=$1 output=$2
    shift 2
    # shellcheck disable=SC2086
    nix $command "git+file://$work/tree?dir=nix$output" --no-write-lock-file --offline \
        --override-input nixpkgs "path:$work/tree/tests/packaging/nix/nixpkgs" "$@" 2>"$work/error" ||
        { cat "$work/error" >&2; return 1; }
}
package=packages.x86_64-linux.default

echo '-- nix flake check --no-build, with a stand-in for nixpkgs'
flake 'flake check' '' --no-build || fail 'nix flake check'
outputs=$(flake 'flake show' '' --json | jq -r 'paths(has("type")?) | join(".")' | sort)
diff - <(echo "$outputs") <<'OUTPUTS' || fail 'other outputs'
checks.aarch64-linux.module
checks.aarch64-linux.package
checks.aarch64-linux.vm
checks.x86_64-linux.module
checks.x86_64-linux.package
checks.x86_64-linux.vm
formatter.aarch64-linux
formatter.x86_64-linux
nixosModules.default
packages.aarch64-linux.default
packages.x86_64-linux.default
OUTPUTS
flake eval "#checks.x86_64-linux.vm.testScript" --raw >"$work/test.py"
python3 -m py_compile "$work/test.py" || fail "the VM test's script"

echo '-- what the package says of itself is what Cargo.toml says'
said() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" Cargo.toml | head -1; }
flake eval "#$package.meta" --json | jq -e --arg home "$(said homepage)" --arg repository "$(said repository)" \
    --arg description "$(said description)" --arg version "$version" \
    --arg authors "$(sed -n 's/^authors = \["\(.*\)"\]/\1/p' Cargo.toml)" '.homepage == $home and .description == $description
    and .changelog == "\($repository)/blob/v\($version)/CHANGELOG.md" and .license.spdxId == "MIT"
    and (.maintainers | map("\(.name) <\(.email)>") | join("\", \"")) == $authors
    and .platforms == ["x86_64-linux", "aarch64-linux"] and .mainProgram == "odoo-session-reaper"' >/dev/null || fail 'meta'
[[ $(flake eval "#$package.version" --raw) = "$version" ]] || fail 'version'

echo '-- in the sandbox of Nix'
if [[ $(id -u) != 0 ]] && ! unshare --user --map-root-user --mount true; then
    echo 'SKIPPED nix: this user can make no sandbox, so the package was NOT BUILT'
    [[ -z ${CI-} ]] || fail 'no sandbox for Nix'
    exit $failed
fi
cargo fetch --locked --quiet
mkdir -p "$target/nix"
flake build "#$package" --print-build-logs --out-link "$work/result" || { fail 'the package'; exit 1; }
grep -oE '[0-9]+ passed; .*' "$work/error" || fail 'no tests ran'
grep -qE "> odoo-session-reaper $version" "$work/error" || fail 'versionCheckHook did not run'
out=$work/result
diff <(cd "$out/" && find . -type f | sort) - <<FILES || fail 'other files'
./bin/odoo-session-reaper
./lib/systemd/system/odoo-session-reaper.service
./lib/systemd/system/odoo-session-reaper.timer
./lib/systemd/system/odoo-session-reaper@.service
./lib/systemd/system/odoo-session-reaper@.timer
./share/bash-completion/completions/odoo-session-reaper.bash
./share/fish/vendor_completions.d/odoo-session-reaper.fish
$(cd "$work/man" && "$out/bin/odoo-session-reaper" man --dir . >/dev/null && printf './share/man/man1/%s\n' *.1)
./share/odoo-session-reaper/odoo-session-reaper.rules.yml
./share/odoo-session-reaper/odoo.service.d/session-gc-off.conf
./share/zsh/site-functions/_odoo-session-reaper
FILES
for unit in "$out"/lib/systemd/system/*.service; do
    grep -q "^ExecStart=$(realpath "$out")/bin/odoo-session-reaper " "$unit" || fail "$unit starts another program"
    ! grep -F /usr/bin/odoo-session-reaper "$unit" || fail "$unit"
done

echo '-- a change to a page of docs builds nothing anew, a change to the program does'
before=$(flake eval "#$package.drvPath" --raw)
echo >>"$work/tree/docs/nixos.md"
[[ $(flake eval "#$package.drvPath" --raw) = "$before" ]] || fail 'docs are part of the package'
echo >>"$work/tree/src/main.rs"
[[ $(flake eval "#$package.drvPath" --raw) != "$before" ]] || fail 'src is not'
exit $failed
