#!/bin/bash
# deb.sh DEB - what can be said of the Debian package without installing it.
set -euo pipefail
deb=$(realpath "$1")
. "$(dirname "$0")/checks.sh"
dpkg-deb -x "$deb" "$work"
dpkg-deb -e "$deb" "$work/DEBIAN"

echo '-- lintian'
lintian --allow-root --fail-on error,warning "$deb" || fail lintian

echo '-- the version is that of the program'
version=$("$work/usr/bin/odoo-session-reaper" --version | cut -d' ' -f2)
[[ $(dpkg-deb -f "$deb" Version) = "$version-1" ]] || fail "the package's version is $(dpkg-deb -f "$deb" Version)"
[[ $(zcat "$work/usr/share/doc/odoo-session-reaper/changelog.Debian.gz" | dpkg-parsechangelog -l - -S Version) = "$version-1" ]] ||
    fail 'changelog.Debian.gz has another version'

echo '-- it needs nothing'
! dpkg-deb -f "$deb" Depends | grep . || fail 'it depends on something'

echo '-- what is in it'
[[ $(cat "$work/DEBIAN/conffiles") = /etc/default/odoo-session-reaper ]] || fail 'conffiles'
mkdir "$work/man"
"$work/usr/bin/odoo-session-reaper" man --dir "$work/man" >/dev/null
[[ -s $work/man/odoo-session-reaper-reap.1 ]] || fail 'man --dir'
sort <<FILES | diff <(cd "$work" && find usr etc -type f | sort) - || fail 'its files'
etc/default/odoo-session-reaper
usr/bin/odoo-session-reaper
usr/lib/systemd/system/odoo-session-reaper.service
usr/lib/systemd/system/odoo-session-reaper.timer
usr/lib/systemd/system/odoo-session-reaper@.service
usr/lib/systemd/system/odoo-session-reaper@.timer
usr/share/bash-completion/completions/odoo-session-reaper
usr/share/doc/odoo-session-reaper/NOTICES.gz
usr/share/doc/odoo-session-reaper/README.md
$(find docs -name '*.md' -printf 'usr/share/doc/odoo-session-reaper/%p\n')
usr/share/doc/odoo-session-reaper/changelog.Debian.gz
usr/share/doc/odoo-session-reaper/changelog.gz
$(find container -type f -printf 'usr/share/doc/odoo-session-reaper/%p\n')
usr/share/doc/odoo-session-reaper/copyright
usr/share/fish/vendor_completions.d/odoo-session-reaper.fish
usr/share/lintian/overrides/odoo-session-reaper
$(cd "$work/man" && printf 'usr/share/man/man1/%s.gz\n' *)
usr/share/odoo-session-reaper/odoo-session-reaper.rules.yml
usr/share/odoo-session-reaper/odoo.service.d/session-gc-off.conf
usr/share/zsh/vendor-completions/_odoo-session-reaper
FILES

echo '-- each file has its sum, but for the settings'
(cd "$work" && md5sum --quiet -c DEBIAN/md5sums) || fail 'md5sums'
diff <(cd "$work" && find usr -type f | sort) <(sed 's/^[^ ]*  //' "$work/DEBIAN/md5sums" | sort) || fail 'md5sums has other files'

echo '-- whatever is linked in has its notice'
zcat "$work/usr/share/doc/odoo-session-reaper/NOTICES.gz" >"$work/notices"
linked=0
while read -r name version _; do
    [[ $name != odoo-session-reaper ]] || continue
    linked=$((linked + 1))
    grep -q "^$name ${version#v}: " "$work/notices" || fail "NOTICES: no licence of $name $version"
    grep -q "^$name ${version#v} (.*)$" "$work/notices" || fail "NOTICES: no text for $name $version"
done < <(cargo tree --locked --edges normal --target x86_64-unknown-linux-musl --prefix none --format '{p}' | cut -d' ' -f1,2 | sort -u)
echo "      $linked crates"
[[ $linked -gt 20 ]] || fail 'cargo tree tells of hardly any'
grep -q "^Rust's standard library .*: " "$work/notices" || fail "NOTICES: no licence of Rust's standard library"
[[ $(grep -c 'Permission is hereby granted' "$work/notices") -gt 5 ]] || fail 'NOTICES: hardly any text'

echo '-- its scripts only ever stop, restart what runs, and reload'
for script in postinst prerm postrm; do
    sh -n "$work/DEBIAN/$script" || fail "$script"
    # What it tells the administrator to do, it does not do.
    sed -i -e ':joined' -e '/^ *echo .*\\$/{N;s/\\\n *//;b joined' -e '}' -e '/^ *echo /d' "$work/DEBIAN/$script"
done
! grep -hE 'systemctl|deb-systemd' "$work"/DEBIAN/p* | grep -vE 'daemon-reload|invoke (stop|try-restart|reset-failed)' |
    grep -v 'invoke start odoo-session-reaper.timer' || fail 'a script does more'
! grep -hE 'enable' "$work"/DEBIAN/p* | grep -v '^ *#' || fail 'a script enables something'
exit $failed
