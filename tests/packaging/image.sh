#!/bin/bash
# image.sh IMAGE - the image: what its archive holds, and each of container/'s examples, translated to what an engine hands to
# its OCI runtime, and run by crun: with a read-only root, without capabilities, on a volume of real session files, as each
# of the users that official images of Odoo have. No engine and no cluster is at hand.
set -euo pipefail
image=$(realpath "$1")
. "$(dirname "$0")/checks.sh"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

echo '-- what the archive holds'
tar -xf "$image" -C "$work"
config=$(jq -r '.[0].Config' "$work/manifest.json")
equal 'its name, as engines complete it' "[\"docker.io/library/odoo-session-reaper:$version\"]" "$(jq -c '.[0].RepoTags' "$work/manifest.json")"
mkdir "$work/rootfs"
jq -r '.[0].Layers[]' "$work/manifest.json" | while read -r layer; do tar -xf "$work/$layer" -C "$work/rootfs"; done
equal 'files' './odoo-session-reaper' "$(cd "$work/rootfs" && find . -type f | sort | paste -sd' ')"
jq -e '.architecture == "amd64" and .os == "linux" and .config.Entrypoint == ["/odoo-session-reaper"] and .config.Cmd == ["--help"]
    and (.config.User // "") == "" and ([.config.Labels | keys[] | select(startswith("org.opencontainers.image."))] | length >= 8)' \
    "$work/$config" >/dev/null || { jq . "$work/$config"; fail 'its configuration'; }
equal 'its version' "$version" "$(jq -r '.config.Labels["org.opencontainers.image.version"]' "$work/$config")"
ls -l "$image" | awk '{ print "      " $5 " bytes" }'

echo '-- the examples parse, and say what an engine is asked for'
/usr/bin/python3 - "$work" "$version" <<'PYTHON'
import argparse, json, shlex, sys, yaml

work, version = sys.argv[1:]

def example(name, image, args, user, read_only, drop, no_new, mount):
    assert image == f"odoo-session-reaper:{version}", (name, image)
    assert read_only is True and drop == ["ALL"] and no_new is True, name
    json.dump({"args": args, "user": user, "mount": mount}, open(f"{work}/{name}.json", "w"))

parser = argparse.ArgumentParser()
for flag in ("--rm", "--read-only"):
    parser.add_argument(flag, action="store_true")
for option in ("--user", "--cap-drop", "--security-opt", "--network", "--mount"):
    parser.add_argument(option, required=True)
parser.add_argument("image")
parser.add_argument("args", nargs=argparse.REMAINDER)
words = shlex.split(open("container/docker-run.sh").read().replace("\\\n", " "))
assert words[:2] == ["docker", "run"]
said = parser.parse_args(words[2:])
mount = dict(part.split("=") for part in said.mount.split(","))
assert said.rm and said.network == "none" and mount["type"] == "volume" and mount["source"] == "odoo-data"
example("docker-run", said.image, said.args, said.user, said.read_only, [said.cap_drop], said.security_opt == "no-new-privileges", [mount["destination"], ""])

compose = yaml.safe_load(open("container/compose.yaml"))
(service,) = compose["services"].values()
assert set(service) == {"image", "profiles", "user", "read_only", "cap_drop", "security_opt", "network_mode", "command", "volumes"}
(volume,) = service["volumes"]
source, place = volume.split(":")
assert list(compose["volumes"]) == [source] and service["profiles"] and service["network_mode"] == "none"
example("compose", service["image"], service["command"], service["user"], service["read_only"], service["cap_drop"], service["security_opt"] == ["no-new-privileges:true"], [place, ""])

job = yaml.safe_load(open("container/cronjob.yaml"))
assert (job["apiVersion"], job["kind"], job["spec"]["concurrencyPolicy"]) == ("batch/v1", "CronJob", "Forbid")
assert len(job["spec"]["schedule"].split()) == 5 and job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
who, (container,) = pod["securityContext"], pod["containers"]
assert who["runAsNonRoot"] is True and pod["restartPolicy"] == "Never" and pod["automountServiceAccountToken"] is False
(mount,), (volume,), guard = container["volumeMounts"], pod["volumes"], container["securityContext"]
assert mount["name"] == volume["name"] and volume["persistentVolumeClaim"]["claimName"]
example("cronjob", container["image"], container["args"], f"{who['runAsUser']}:{who['runAsGroup']}", guard["readOnlyRootFilesystem"],
        guard["capabilities"]["drop"], guard["allowPrivilegeEscalation"] is False, [mount["mountPath"], mount.get("subPath", "")])
PYTHON

if [[ $(id -u) != 0 ]]; then
    echo 'SKIPPED: only root can run the image'
    exit $failed
fi
command -v crun >/dev/null || { [[ -z ${CI-} ]] || fail 'crun is missing (apt-get install crun)'; echo 'SKIPPED: crun is missing'; exit $failed; }

# volume VERSION OWNER: what Odoo keeps in its volume; the sessions are 30 days old
volume() {
    rm -rf "$work/volume"
    mkdir -p "$work/volume/filestore/db/ab"
    cp -r "tests/fixtures/odoo-$1/sessions" "$work/volume/"
    echo attachment >"$work/volume/filestore/db/ab/ab0123456789abcdef0123456789abcdef012345"
    find "$work/volume" -type f -exec touch -d '30 days ago' {} +
    touch "$work/volume/sessions"
    chmod 700 "$work/volume/sessions"
    chown -R "$2" "$work/volume"
}
sessions() { find "$work/volume/sessions" -type f | wc -l; }
# runs EXAMPLE USER: as an engine has its runtime do it. (In a mount namespace with nothing but cgroup v2, which crun wants.)
runs() {
    mkdir -p "$work/bundle"
    (cd "$work/bundle" && rm -f config.json && crun spec)
    jq --slurpfile example "$work/$1.json" --slurpfile image "$work/$config" --arg user "$2" --arg work "$work" '
        ($user | split(":") | map(tonumber)) as $id | $example[0] as $e
        | .process.user = {uid: $id[0], gid: $id[1]} | .process.terminal = false | .process.noNewPrivileges = true
        | .process.args = $image[0].config.Entrypoint + $e.args
        | .process.capabilities = {bounding: [], effective: [], inheritable: [], permitted: [], ambient: []}
        | .root = {path: ($work + "/rootfs"), readonly: true}
        | .mounts += [{destination: $e.mount[0], type: "bind", source: ($work + "/volume/" + $e.mount[1]), options: ["bind", "rw"]}]' \
        "$work/bundle/config.json" >"$work/bundle/new" && mv "$work/bundle/new" "$work/bundle/config.json"
    # shellcheck disable=SC2016
    unshare --mount bash -c 'mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
        exec crun --cgroup-manager=disabled run --bundle "$0" "odoo-session-reaper-$$"' "$work/bundle" >"$work/said" 2>&1
}
# An engine makes the places of mounts in its own layer.
mkdir -p "$work/rootfs/var/lib/odoo/sessions"

echo '-- each example reaps, as the owner of the volume'
for odoo in 14:101:101 16:101:101 18:100:101 20:100:101; do
    owner=${odoo#*:}
    for example in docker-run compose cronjob; do
        volume "${odoo%%:*}" "$owner"
        before=$(sessions)
        runs $example "$owner" || { cat "$work/said"; fail "$example as $owner ends with an error"; }
        [[ $(sessions) -lt $before ]] || { cat "$work/said"; fail "$example as $owner deleted nothing"; }
        equal "$example as $owner: attachments" 1 "$(find "$work/volume/filestore" -type f | wc -l)"
    done
    echo "      $owner: $(tail -n 1 "$work/said")"
done

echo '-- another user, or root without capabilities, deletes nothing and says who may'
for user in 100:101 0:0; do
    volume 16 101:101
    before=$(sessions)
    ! runs docker-run $user || fail "$user may delete"
    equal "as $user" "$before" "$(sessions)"
    grep -E 'ERROR|error|Permission|permission|user 101' "$work/said" | head -n 2 | cut -c1-220 | sed 's/^/      | /' || { cat "$work/said"; fail "$user: no word"; }
done
exit $failed
