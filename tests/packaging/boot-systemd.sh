#!/bin/bash
# boot-systemd.sh - boot a real systemd (PID 1, journald, cgroup v2; of Debian bookworm
# unless told otherwise) in a throw-away systemd-nspawn container, run a script in it, print the script's
# output and exit with its exit code.
#
#   boot-systemd.sh [-t SECONDS] [-b SECONDS] [-l LOGDIR] [-v] FILES_DIR SCRIPT [ARG...]
#
#   FILES_DIR   copied over / of the container (owner root:root, modes kept);
#               "-" for none
#   SCRIPT      run as root once the system is up; its cwd is /. $BOOT_BOOT is
#               1; a script that makes /bootlab/reboot and exits 0 is run again
#               after a reboot, with $BOOT_BOOT one higher (at most 5)
#   -t SECONDS  time the script may take              (default 300)
#   -b SECONDS  time the boot may take                (default 60)
#   -l LOGDIR   also leave the whole journal and the console log there
#   -v          print the stages and their times on stderr
#
# Exit code: the script's; 124 the script ran too long; 125 the container could
# not be set up or did not boot (the console's end is on stderr); 130/143 when
# interrupted.
#
# Needs root and the Debian packages systemd-container, mmdebstrap and gpg. Needs no
# KVM, no running systemd, no docker, no network once the root file system is
# cached. The root file system is made once with mmdebstrap (about 30 s) and
# kept in $BOOT_CACHE (default: ~/.cache/boot-systemd); extra packages
# for it are named in $BOOT_INCLUDE (comma-separated), another release in
# $BOOT_SUITE (bullseye: systemd 247; bookworm: 252; trixie: 257; sid: 262 at
# the time; Ubuntu's focal: 245; jammy: 249; noble: 255), an option for its apt
# in $BOOT_APTOPT. Debian's mirror is the one that this machine's apt uses, or
# $BOOT_MIRROR and $BOOT_SECURITY_MIRROR; Ubuntu's is mmdebstrap's own default.
#
# Nothing is written to the cached root: each run is an overlayfs over it with a
# tmpfs on top, in a private mount and PID namespace, in a cgroup of its own.
# When the namespace's init goes, every process and every mount goes.
set -euo pipefail

PROG=${0##*/}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
die() { echo "$PROG: $*" >&2; exit 125; }

INCLUDE=systemd,systemd-sysv,dbus,libpam-systemd,procps,util-linux,kmod,adduser,strace,logrotate
SUITE=${BOOT_SUITE:-bookworm}
# the package mirrors that this machine's apt already uses
mirror_of() { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
  awk -v want="$1" '(($2 ~ /-security$/) == (want == "security")) && $1 ~ /debian/ { print $1; exit }'; }
MIRROR=${BOOT_MIRROR:-$(mirror_of main)}
SECMIRROR=${BOOT_SECURITY_MIRROR:-$(mirror_of security)}
CACHE=${BOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/boot-systemd}

# ------------------------------------------------------------------ inner ----
# Runs as PID 1 of a private PID namespace, in a private mount namespace.
if [[ ${1-} = --inner ]]; then
  base=$2 work=$3 files=$4 script=$5
  shift 5
  mount --make-rprivate /
  mount -t tmpfs -o mode=0755,size=2g bootlab "$work/fs"
  mkdir "$work"/fs/{up,wk,root}
  mount -t overlay -o "lowerdir=$base,upperdir=$work/fs/up,workdir=$work/fs/wk" \
    bootlab "$work/fs/root"
  root=$work/fs/root
  if [[ $files != - ]]; then
    # owners become root:root; the modes of directories that exist are kept
    tar -C "$files" --owner=0 --group=0 --numeric-owner -cf - . |
      tar -C "$root" -xpf - --numeric-owner --no-overwrite-dir --keep-directory-symlink
  fi
  # /var/lib on plain tmpfs: overlayfs cannot be id-mapped, and systemd >= 257 id-maps
  # the StateDirectory= of a DynamicUser= service where the file system lets it
  cp -a "$root/var/lib" "$work/fs/varlib"
  mount --bind "$work/fs/varlib" "$root/var/lib"
  mkdir -p "$root/bootlab"
  install -m 0755 "$script" "$root/bootlab/script"
  : >"$root/bootlab/args"
  [[ $# = 0 ]] || printf '%s\0' "$@" >"$root/bootlab/args"
  echo bootlab >"$root/etc/hostname"
  cat >"$root/bootlab/run" <<'EOF'
#!/bin/bash
# what the container's bootlab.service runs
trap 'systemctl poweroff --no-block' EXIT
exec >>/bootlab/out/log 2>&1 </dev/null
for ((i = 0; i < 600; i++)); do
  state=$(systemctl is-system-running 2>/dev/null)
  [[ $state = running || $state = degraded ]] && break
  sleep 0.1
done
echo "$state" >/bootlab/out/state
date +%s.%N >/bootlab/out/booted
args=()
while IFS= read -r -d '' a; do args+=("$a"); done </bootlab/args
n=$(($(cat /bootlab/boots 2>/dev/null || echo 0) + 1))
echo "$n" >/bootlab/boots
cd /
rc=0
BOOT_BOOT=$n /bootlab/script "${args[@]}" || rc=$?
if [[ $rc = 0 && -e /bootlab/reboot && $n -lt 5 ]]; then
  rm /bootlab/reboot
  trap 'systemctl reboot --no-block' EXIT
  exit
fi
echo "$rc" >/bootlab/out/rc.part
mv /bootlab/out/rc.part /bootlab/out/rc
exec >/dev/null 2>&1
journalctl --sync
journalctl --no-pager -o short-precise >/bootlab/out/journal || true
EOF
  chmod 0755 "$root/bootlab/run"
  cat >"$root/etc/systemd/system/bootlab.service" <<'EOF'
[Unit]
Description=bootlab: run the test script
After=multi-user.target
[Service]
Type=exec
ExecStart=/bootlab/run
KillMode=process
TimeoutStopSec=10
EOF
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants" \
    "$root/etc/systemd/journald.conf.d" "$root/bootlab/out"
  ln -sf ../bootlab.service "$root/etc/systemd/system/multi-user.target.wants/bootlab.service"
  for u in console-getty.service getty.target systemd-update-utmp.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount \
    apt-daily.timer apt-daily-upgrade.timer; do
    ln -sf /dev/null "$root/etc/systemd/system/$u"
  done
  printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n' \
    >"$root/etc/systemd/journald.conf.d/bootlab.conf"
  # Pure cgroup v2 for the container: in this mount namespace only, put the v2
  # hierarchy where nspawn looks for it. The host's v1 mounts stay as they are.
  if [[ ! -e /sys/fs/cgroup/cgroup.controllers ]]; then
    while umount -l /sys/fs/cgroup 2>/dev/null; do :; done
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
  fi
  # nspawn keeps its own state under /run/systemd: give it a private /run
  mount -t tmpfs -o mode=0755,size=16m bootlab-run /run
  mkdir -p /run/systemd
  ulimit -Hn 1048576 2>/dev/null || true
  uuid=$(tr -d - </proc/sys/kernel/random/uuid)
  rc=133
  while [[ $rc = 133 ]]; do # 133: the container asks for a reboot
    rc=0
    # CAP_BPF and bpf(): IPAddressDeny= and DevicePolicy= are BPF programs
    systemd-nspawn --quiet --register=no --keep-unit --private-network \
      --directory="$root" --bind="$work/out:/bootlab/out" --machine=bootlab \
      --uuid="$uuid" --capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN \
      --system-call-filter='bpf @keyring' --link-journal=no --resolv-conf=off \
      --timezone=off --console=read-only --boot -- \
      systemd.unit=multi-user.target </dev/null || rc=$?
  done
  exit "$rc"
fi

# ------------------------------------------------------------------ outer ----
usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 125; }
t_script=300 t_boot=60 logdir='' verbose=''
while getopts t:b:l:v o; do
  case $o in
  t) t_script=$OPTARG ;;
  b) t_boot=$OPTARG ;;
  l) logdir=$OPTARG ;;
  v) verbose=1 ;;
  *) usage ;;
  esac
done
shift $((OPTIND - 1))
[[ $# -ge 2 ]] || { usage; }
files=$1 script=$2
shift 2
[[ $(id -u) = 0 ]] || die "must be root"
[[ $files = - || -d $files ]] || die "no such directory: $files"
[[ -f $script ]] || die "no such script: $script"
[[ $files = - ]] || files=$(realpath "$files")
script=$(realpath "$script")
for c in systemd-nspawn unshare flock tar gpg; do
  command -v "$c" >/dev/null || die "$c is missing (apt-get install systemd-container mmdebstrap gpg)"
done
say() { [[ -z $verbose ]] || printf '%s: %6.2f s  %s\n' "$PROG" "$(elapsed)" "$*" >&2; }
t0=$(date +%s%N)
elapsed() { echo "$((($(date +%s%N) - t0) / 1000000))" | awk '{ printf "%.2f", $1 / 1000 }'; }

# ubuntu_key FILE: the key that Ubuntu's releases are signed with, known by its fingerprint. Debian has no package of
# it any more, so it comes from Ubuntu's own, which nobody has signed yet at that point.
ubuntu_key() {
  [[ ! -s $1 ]] || return 0
  rm -rf "$1.part"
  timeout 120 mmdebstrap --variant=extract --include=ubuntu-keyring --aptopt='Acquire::http::Timeout "30"' \
    --aptopt='Acquire::AllowInsecureRepositories "true"' --aptopt='APT::Get::AllowUnauthenticated "true"' jammy "$1.part"
  gpg --no-default-keyring --keyring "$1.part/usr/share/keyrings/ubuntu-archive-keyring.gpg" \
    --export F6ECB3762474EDA9D21B7022871920D1991BC93C >"$1.new"
  rm -rf "$1.part"
  [[ -s $1.new ]] && mv "$1.new" "$1"
}

# the cached root file system, made once; several runs may start at the same time
mkdir -p "$CACHE"
include=$INCLUDE${BOOT_INCLUDE:+,$BOOT_INCLUDE}
case $SUITE in focal | jammy | noble) include+=,apt ;; esac # not in its minbase
key=$(printf '%s\n' 1 "$SUITE" "$include" | sha256sum | cut -c1-12)
base=$CACHE/$SUITE-$key
(
  flock -w 600 9 || die "another run is still making $base"
  if [[ ! -d $base ]]; then
    command -v mmdebstrap >/dev/null || die "mmdebstrap is missing"
    rm -rf "$base.part"
    say "making $base with mmdebstrap"
    options=(--quiet --variant=minbase --include="$include" --aptopt='Acquire::Retries "3"'
      --aptopt='Acquire::http::Timeout "30"' ${BOOT_APTOPT:+--aptopt="$BOOT_APTOPT"})
    case $SUITE in
    focal | jammy | noble)
      ubuntu_key "$CACHE/ubuntu.gpg" >"$base.log" 2>&1 || die "no $SUITE: Ubuntu's mirror is not reached (its log: $base.log)"
      options+=(--keyring="$CACHE/ubuntu.gpg" "$SUITE" "$base.part")
      ;;
    *)
      [[ -n $MIRROR ]] || die "apt knows no Debian mirror: run apt-get update first"
      options+=("$SUITE" "$base.part" "deb $MIRROR $SUITE main")
      [[ $SUITE = sid || $SUITE = unstable ]] ||
        options+=("deb $MIRROR $SUITE-updates main" "deb $SECMIRROR $SUITE-security main")
      ;;
    esac
    if ! timeout -k 10 600 mmdebstrap "${options[@]}" >"$base.log" 2>&1; then
      tail -20 "$base.log" >&2
      rm -rf "$base.part"
      die "mmdebstrap failed (its log: $base.log)"
    fi
    : >"$base.part/etc/machine-id"
    mv "$base.part" "$base"
  fi
) 9>"$CACHE/lock"

cg2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[[ -n $cg2 ]] || die "no cgroup2 mount on this machine"
drop_cgroup() { # DIR: kill what is in it and remove it
  [[ ! -e $1/cgroup.kill ]] || echo 1 >"$1/cgroup.kill" 2>/dev/null || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [[ -d $1 ]] || return 0
    sleep 0.2
  done
  echo "$PROG: warning: $1 is left" >&2
}

# what a run that was killed with SIGKILL has left
for d in "${TMPDIR:-/tmp}"/bootlab.*.* "$cg2"/bootlab-*; do
  [[ -d $d && $d =~ /bootlab[.-]([0-9]+)(\.[^/]*)?$ ]] || continue
  [[ ! -d /proc/${BASH_REMATCH[1]} ]] || continue
  if [[ $d = "$cg2"/* ]]; then
    drop_cgroup "$d"
  else
    rm -rf --one-file-system "$d"
  fi
done

work=$(mktemp -d "${TMPDIR:-/tmp}/bootlab.$$.XXXXXX")
mkdir "$work/fs" "$work/out"
cg='' pid='' tailpid=''
end_container() { # unshare's --kill-child: the PID namespace goes with it
  [[ -n $pid ]] || return 0
  ! kill -0 "$pid" 2>/dev/null || kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}
cleanup() {
  trap - EXIT
  trap '' INT TERM
  end_container
  [[ -z $tailpid ]] || kill "$tailpid" 2>/dev/null || true
  [[ -z $cg || ! -d $cg ]] || drop_cgroup "$cg"
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cg=$cg2/bootlab-$$
mkdir "$cg"
: >"$work/out/log"
# setsid: a process group of its own; timeout: an end even if this script is killed
CG=$cg setsid timeout -s KILL "$((t_boot + t_script + 60))" unshare --mount --pid --uts --ipc --fork --kill-child --mount-proc \
  bash -c 'echo 0 >"$CG/cgroup.procs" && exec "$@"' - \
  bash "$HERE/$PROG" --inner "$base" "$work" "$files" "$script" "$@" \
  >"$work/console" 2>&1 &
pid=$!
tail -n +1 -F --pid="$pid" "$work/out/log" 2>/dev/null &
tailpid=$!
say "container started"

rc=''
deadline=$((SECONDS + t_boot))
while kill -0 "$pid" 2>/dev/null && [[ ! -e $work/out/booted ]]; do
  if ((SECONDS >= deadline)); then
    tail -40 "$work/console" >&2
    die "did not boot within $t_boot s"
  fi
  sleep 0.05
done
[[ -e $work/out/booted ]] && say "booted ($(<"$work/out/state"))"
deadline=$((SECONDS + t_script))
while kill -0 "$pid" 2>/dev/null && [[ ! -e $work/out/rc ]]; do
  if ((SECONDS >= deadline)); then
    rc=124
    echo "$PROG: the script ran longer than $t_script s" >&2
    break
  fi
  sleep 0.05
done
if [[ -e $work/out/rc ]]; then
  rc=$(<"$work/out/rc")
  say "script ended with $rc"
  deadline=$((SECONDS + 20)) # power-off, to have the journal
  while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
fi
# what is left of the output
end_container
wait "$tailpid" 2>/dev/null || true
say "container ended"
if [[ -n $logdir ]]; then
  mkdir -p "$logdir"
  cp "$work/console" "$logdir/console"
  [[ ! -e $work/out/journal ]] || cp "$work/out/journal" "$logdir/journal"
fi
if [[ -z $rc ]]; then
  tail -40 "$work/console" >&2
  die "the container ended before the script did"
fi
exit "$rc"
