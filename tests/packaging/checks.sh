# Sourced by the scripts beside it, once they have made absolute paths of what they were given: they are in the repository
# then, have a directory to work in, and checks that go on when one fails, for an `exit $failed` at the end.
# shellcheck shell=bash
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAIL  $*"
    failed=1
}
# equal WHAT WANTED GOT
equal() { [[ $2 = "$3" ]] || fail "$1: wanted '$2', got '$3'"; }
