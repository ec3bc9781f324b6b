# Sourced by the scripts that run in the booted container. /test holds what the host laid out for them.
# shellcheck shell=bash
set -u # no pipefail: grep -q ends a pipe early
export LC_ALL=C SYSTEMD_PAGER='' SYSTEMD_COLORS=0
systemd=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
failed=0

section() { printf '\n  -- %s\n' "$*"; }

# check WHAT COMMAND...: the command must succeed
check() {
    local what=$1
    shift
    if "$@" >/tmp/check.out 2>&1; then
        echo "  ok    $what"
    else
        echo "  FAIL  $what"
        echo "        $*"
        sed 's/^/        | /' /tmp/check.out | head -40
        failed=$((failed + 1))
        return 1
    fi
}
# need WHAT COMMAND...: as check, but nothing after it makes sense if it fails
need() { check "$@" || finish; }
not() { ! "$@"; }

# equal WHAT WANTED GOT
equal() { check "$1" test "$2" = "$3"; [[ $2 = "$3" ]] || echo "        wanted: $2"$'\n'"        got:    $3"; }

# How long something that must happen may take. No test says that something is fast.
wait_until() {
    for ((i = 0; i < 600; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}

finish() {
    echo
    if [[ $failed -gt 0 ]]; then
        echo "  $failed checks FAILED (systemd $systemd)"
        journalctl --no-pager -o short | grep -v 'deleted an auth' | tail -60 | sed 's/^/  | /'
        exit 1
    fi
    echo "  all checks passed (systemd $systemd, $(ldd --version | sed -n 1p))"
}

property() { systemctl show -P "$2" "$1" 2>/dev/null || systemctl show -p "$2" --value "$1"; }
inactive() { [[ $(property "$1" ActiveState) = inactive ]]; }
# A oneshot that has run to its end and may have failed.
ended() { [[ $(property "$1" ActiveState) =~ ^(inactive|failed)$ && -n $(property "$1" ExecMainExitTimestamp) ]]; }
no_failed_units() { [[ -z $(systemctl --failed --no-legend --plain | tee /dev/stderr) ]]; }

# What a unit has said since cursor() was called. (--after-cursor loses a line in systemd 252.)
cursor() { journalctl --sync; since=$(date +@%s.%6N); }
said() { journalctl --sync; journalctl --since "$since" -u "$1" --no-pager "${@:2}"; }
story() { said "$1" -o cat; }
# heard UNIT PATTERN: waits for a line; what a service says reaches the journal a moment after it has ended.
says() { story "$1" | grep -qE -- "$2"; }
heard() { wait_until says "$@"; }
# priority UNIT TEXT: the priority of the program's line that holds this text
priority() {
    said "$1" -o json --output-fields=PRIORITY,MESSAGE |
        grep -F -- "$2" | sed -n 's/.*"PRIORITY":"\([0-9]\)".*/\1/p' | sort -u | paste -sd,
}
files() { find "$1" -type f | wc -l; }
# old_files DIR DAYS: the files in it that are at least so old. (Not `! -newermt`: find takes that for true of a file that
# is gone when it looks, as Odoo's temporary files are.)
old_files() { find "$1" -type f -mtime "+$(($2 - 1))" -printf '%P\n' | sort; }

# age DIR: every session in it was last saved 30 days ago, and the directory is in use
age() { find "$1" -type f -exec touch -d '30 days ago' {} + ; touch "$1"; }

# store DIR: a data_dir with real sessions of Odoo 14, 16, 18, 19 and 20 that nobody has used for 30 days,
# two files among them that are none, and an attachment whose name is like that of a session of Odoo 16; all
# of the same age.
store() {
    mkdir -p "$1/filestore/db/ab"
    for version in 14 16 18 19 20; do
        cp -r "/test/fixtures/odoo-$version/sessions" "$1/"
    done
    cp /test/fixtures/odoo-14/sessions/werkzeug_0a278f450a0fb7e9794b8469bb1b22238ab62d0e.sess "$1/filestore/db/ab/ab0123456789abcdef0123456789abcdef012345"
    echo "not a session" >"$1/sessions/notes.txt"
    mkdir -p "$1/sessions/zz"
    echo "not a session" >"$1/sessions/zz/zz0123456789abcdef0123456789abcdef012345"
    age "$1/sessions"
    age "$1/filestore"
    chmod -R u+rwX,go+rX "$1"
    chmod 700 "$1/sessions"
    # A dynamic user owns what it makes.
    [[ $UID != 0 ]] || chown -R odoo: "$1"
}

# What is kept of it: those two, and what a power cut or a bug left of Odoo 20's files.
kept() {
    {
        printf '%s\n' notes.txt zz/zz0123456789abcdef0123456789abcdef012345
        awk -F'"' '/"path"/ { path = $4 } /"kind": "unreadable"/ { sub("sessions/", "", path); print path }' \
            /test/fixtures/odoo-20/beside.json
    } | sort
}
kept=$(kept 2>/dev/null | wc -l)

# As the odoo package does it.
odoo_user() { adduser --system --group --home /var/lib/odoo --quiet odoo; }
# All instances run as odoo, whatever they are called. (`systemctl edit` writes override.conf, which comes after it.)
instances_of_odoo() {
    mkdir -p /etc/systemd/system/odoo-session-reaper@.service.d
    printf '%s\n' '[Service]' User=odoo >/etc/systemd/system/odoo-session-reaper@.service.d/10-user.conf
    systemctl daemon-reload
}
