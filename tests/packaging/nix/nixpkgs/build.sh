# shellcheck shell=bash disable=SC2154
# The phases of buildRustPackage, with its variables. The profile is the quick one, and not the release's.
export CARGO_HOME=/cargo CARGO_TARGET_DIR=/target CARGO_PROFILE_DEV_DEBUG=0
cp -r "$src" source
chmod -R u+w source
cd source
cargo build --locked --offline
# shellcheck disable=SC2086
cargo test --locked --offline $cargoTestFlags
install -D -t "$out/bin" "/target/debug/$mainProgram"

substituteInPlace() {
    local file files=()
    while [[ $1 != --replace-fail ]]; do
        files+=("$1")
        shift
    done
    for file in "${files[@]}"; do
        grep -qF -- "$2" "$file" || { echo "$file has no $2"; exit 1; }
        sed -i "s|$2|$3|g" "$file"
    done
}
if [[ " $nativeBuildInputs " = *' installShellFiles '* ]]; then
    installManPage() { install -D -m 644 -t "$out/share/man/man1" "$@"; }
    installShellCompletion() {
        [[ $1 = --cmd ]]
        local name=$2
        shift 2
        while [[ $# -gt 0 ]]; do
            case $1 in
            --bash) install -D -m 644 "$2" "$out/share/bash-completion/completions/$name.bash" ;;
            --fish) install -D -m 644 "$2" "$out/share/fish/vendor_completions.d/$name.fish" ;;
            --zsh) install -D -m 644 "$2" "$out/share/zsh/site-functions/_$name" ;;
            *) exit 1 ;;
            esac
            shift 2
        done
    }
fi
eval "$postInstall"

if [[ $doInstallCheck && " $nativeInstallCheckInputs " = *' versionCheckHook '* ]]; then
    env -i "$out/bin/$mainProgram" --version | grep -F "$version"
fi
