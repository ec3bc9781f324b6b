#!/bin/bash
# archive.sh DIST - the archives, the sums and the bills of materials that dist/build has left in DIST, and that only
# Cargo.toml names the project's home.
set -euo pipefail
dist=$(realpath "$1")
. "$(dirname "$0")/checks.sh"

echo '-- each file has its sum'
(cd "$dist" && sha256sum --quiet -c SHA256SUMS) || fail 'sums'
diff <(cd "$dist" && printf '%s\n' * | grep -vx SHA256SUMS | sort) <(sed 's/^[^ ]*  //' "$dist/SHA256SUMS" | sort) || fail 'SHA256SUMS names other files'

echo '-- each archive holds what the Debian package holds, and unpacks as the README says'
for archive in "$dist"/*-linux.tar.gz; do
    name=$(basename "$archive" .tar.gz)
    case $name in *x86_64*) deb=amd64 ;; *) deb=arm64 ;; esac
    rm -rf "$work/root"
    mkdir "$work/root"
    tar -xzf "$archive" -C "$work/root" --strip-components=1
    ! tar -tzf "$archive" | grep '/$' || fail "$name: directories, so that unpacking in / changes them"
    ! tar --numeric-owner -tvzf "$archive" | grep -v ' 0/0 ' || fail "$name: not root's"
    # Where one of them has it, and what only Debian wants.
    diff <(cd "$work/root" && find . -type f ! -name LICENSE | sed 's,zsh/site-functions,zsh/vendor-completions,' | sort) \
        <(dpkg-deb --fsys-tarfile "$dist"/*_$deb.deb | tar -t | grep -vE '/$|changelog.Debian|/copyright$|lintian' | sort) || fail "$name: its files"
    [[ $(stat -c %a "$work/root/usr/bin/odoo-session-reaper") = 755 ]] || fail "$name: modes"
done
cmp <(tar -xzf "$dist"/*-x86_64-linux.tar.gz -O --wildcards '*/usr/bin/*') \
    <(dpkg-deb --fsys-tarfile "$dist"/*_amd64.deb | tar -xO ./usr/bin/odoo-session-reaper) || fail 'another program'

echo '-- each bill of materials lists what is linked in, with its sum'
for bill in "$dist"/*.cdx.json; do
    jq -e '.bomFormat == "CycloneDX" and .specVersion == "1.5" and .metadata.component.name == "odoo-session-reaper"
        and ([.components[] | select(.name == "musl, of Zig" or .name == "Rust'"'"'s standard library")] | length == 2)
        and ([.components[] | select(.purl)] | all(.hashes[0].alg == "SHA-256" and (.hashes[0].content | length == 64) and .licenses[0].expression != ""))
        and ([.components[]."bom-ref"] | length == (unique | length))
        and (([.dependencies[].dependsOn[]] - [.components[]."bom-ref"]) == [])' "$bill" >/dev/null || fail "$bill"
    case $bill in *x86_64*) target=x86_64-unknown-linux-musl ;; *) target=aarch64-unknown-linux-musl ;; esac
    diff <(jq -r '.components[] | select(.purl) | "\(.name) v\(.version)"' "$bill" | sort) \
        <(cargo tree --locked --edges normal --target $target --prefix none --format '{p}' | cut -d' ' -f1,2 | grep -v '^odoo-session-reaper ' | sort -u) ||
        fail "$bill: other crates than cargo tree's"
done

echo '-- only Cargo.toml names the home of the project'
home=$(sed -n 's,^homepage = "https://\(.*\)",\1,p' Cargo.toml)
[[ -n $home ]] || fail 'Cargo.toml has no homepage'
! git grep -nF -- "$home" -- . ':!Cargo.toml' || fail "others name $home"
exit $failed
