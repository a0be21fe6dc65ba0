#!/usr/bin/env bash
# Brings a Debian or Ubuntu machine (x86-64) to where the project builds: says what is missing and
# what it is about to install, then installs it. Says and does nothing when nothing is missing.
#
#   scripts/setup.sh                install what is missing
#   scripts/setup.sh --check        only report; status 1 if something is missing
#   scripts/setup.sh --with-node    with what the TypeScript client needs: tests do, programs do not
#   scripts/setup.sh --with-token   with the PKCS#11 token that tests use; may be given together with --with-node
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/toolchain.sh

# The Go that builds the node where the distribution's is too old.
readonly go_release=1.26.8
# The oldest Node that the TypeScript client runs on.
readonly oldest_node=18.0.0

check_only=
with_node=
with_token=

survey() {
    missing=()         # what a person reads
    packages=()        # what apt-get installs
    rust_components=() # what rustup adds to the toolchain in use
    steps=()           # functions that install the rest, in order
    check_small_tools
    check_rust
    check_go
    if [ -n "$with_node" ]; then check_node; fi
    if [ -n "$with_token" ]; then check_token; fi
}

need() { missing+=("$1"); }

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*:\)\?\([0-9.]*\).*/\2/p'; }

check_small_tools() {
    if ! command -v cc >/dev/null || ! [ -e /usr/include/stdlib.h ]; then
        need "a C compiler and the C library's headers"
        packages+=(gcc libc6-dev)
    fi
    if ! command -v make >/dev/null; then
        need "make"
        packages+=(make)
    fi
    if ! [ -e /etc/ssl/certs/ca-certificates.crt ]; then
        need "certificates, to fetch Rust crates and Go modules"
        packages+=(ca-certificates)
    fi
    if ! command -v wasm-opt >/dev/null; then
        need "wasm-opt, to shrink the contract"
        packages+=(binaryen)
    fi
}

check_rust() {
    local found
    found=$(rust_version || true)
    if ! command -v cargo >/dev/null || ! at_least "$oldest_rust" "${found:-0}"; then
        need "Rust $oldest_rust or newer (found: ${found:-none})"
        plan_rust
        return
    fi
    if ! rust_library >/dev/null; then
        need "the sources of Rust's standard library"
        plan_rust_part rust-src rust-web-src
    fi
    if ! [ -x "$rust_home/bin/clippy-driver" ]; then
        need "clippy"
        plan_rust_part clippy rust-web-clippy
    fi
    if ! [ -x "$rust_home/bin/rustfmt" ]; then
        need "rustfmt"
        plan_rust_part rustfmt rustfmt-web
    fi
    if ! wasm_linker >/dev/null; then
        need "a linker for wasm"
        packages+=(lld-19)
    fi
}

# No Rust, or one that is too old: rustup where there is one, else the distribution's.
plan_rust() {
    if command -v rustup >/dev/null; then
        steps+=(install_rust_by_rustup)
    elif at_least "$oldest_rust" "$(candidate rustc-web || true)"; then
        packages+=(rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web lld-19)
    elif [ -n "$(candidate rustup)" ]; then
        packages+=(rustup)
        steps+=(install_rust_by_rustup)
    else
        steps+=(explain_rustup)
    fi
}

# plan_rust_part RUSTUP_COMPONENT DEBIAN_PACKAGE
plan_rust_part() {
    if command -v rustup >/dev/null; then
        rust_components+=("$1")
    else
        packages+=("$2")
    fi
}

check_go() {
    local found
    found=$(go_version || true)
    if at_least "$oldest_go" "${found:-0}"; then return; fi
    need "Go $oldest_go or newer, to build the chain's node (found: ${found:-none})"
    if at_least "$oldest_go" "$(candidate golang-go)"; then
        packages+=(golang-go)
        return
    fi
    # Any Go can fetch a newer one as a module, checked against Go's public checksum database.
    if [ -z "$found" ]; then packages+=(golang-go); fi
    steps+=(install_go_as_module)
}

check_node() {
    local found offered
    found=$(node --version 2>/dev/null | tr -d v || true)
    if ! at_least "$oldest_node" "${found:-0}"; then
        need "Node $oldest_node or newer, to test the TypeScript client (found: ${found:-none})"
        offered=$(candidate nodejs || true)
        if at_least "$oldest_node" "${offered:-0}"; then
            packages+=(nodejs)
        else
            steps+=(explain_node)
        fi
    fi
    if ! command -v npm >/dev/null; then
        need "npm, to fetch the TypeScript client's packages"
        # Node's own packages for Debian have npm in them.
        if ! apt-cache policy nodejs 2>/dev/null | grep -q 'Candidate:.*nodesource'; then packages+=(npm); fi
    fi
}

check_token() {
    if ! command -v softhsm2-util >/dev/null; then
        need "SoftHSM, a PKCS#11 token without hardware, to test vaults that a token opens"
        packages+=(softhsm2)
    fi
}

explain_node() {
    fail "this distribution has no Node $oldest_node: install it (https://nodejs.org), then run this again"
}

install_rust_by_rustup() {
    rustup toolchain install stable --profile minimal -c clippy -c rustfmt -c rust-src
    mkdir -p .tools
    echo stable >.tools/rustup-toolchain
}

explain_rustup() {
    fail "the package lists have no Rust $oldest_rust and no rustup: install rustup (https://rustup.rs), or, on Debian 12," \
        "add its archive bookworm-security, which has rustc-web; then run this again"
}

# In a shell of its own, so that what it leaves is removed however it ends.
install_go_as_module() (
    module=golang.org/toolchain@v0.0.1-go$go_release.linux-amd64
    mkdir -p .tools
    folder=$(mktemp -d .tools/fetch.XXXXXX)
    trap 'rm -rf "$folder"' EXIT
    # A module is fetched from inside a module, and the node's own asks for a newer Go.
    echo 'module fetch' >"$folder/go.mod"
    if ! (cd "$folder" && go mod download -json "$module") >"$folder/answer.json"; then
        sed -n 's/^\t"Error": //p' "$folder/answer.json"
        fail "Go $go_release could not be fetched: install Go $oldest_go or newer yourself, then run this again"
    fi
    # A module's files carry no permissions, and those in the cache are closed to writing.
    cp -r --no-preserve=mode "$(sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p' "$folder/answer.json")" "$folder/go"
    chmod +x "$folder"/go/bin/* "$folder"/go/pkg/tool/*/*
    if [ -e .tools/go ]; then
        chmod -R u+w .tools/go
        rm -rf .tools/go
    fi
    mv "$folder/go" .tools/go
    . scripts/toolchain.sh
    at_least "$oldest_go" "$(go_version)" || fail "Go $go_release was installed into .tools/go but does not run"
)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

may_be_root() { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }

# Packages come from the lists, and without Rust these may know of one.
needs_package_lists() {
    if [ ${#packages[@]} -gt 0 ]; then return; fi
    [[ " ${steps[*]} " = *" explain_"* ]] && command -v apt-get >/dev/null && may_be_root
}

# What can be installed depends on lists that a fresh machine may not have.
refresh_package_lists() {
    if ! command -v apt-get >/dev/null; then
        fail "there is no apt-get here: install these yourself (Debian calls them ${packages[*]}), then run this again"
    fi
    if ! may_be_root; then
        fail "neither root nor sudo: let an administrator run apt-get install --no-install-recommends ${packages[*]}"
    fi
    say "refreshing the package lists (apt-get update)"
    as_root apt-get update -qq >&2 || say "that failed, going on with the lists that are here"
}

# What cannot be had is said before anything is installed.
refuse_what_cannot_be_had() {
    local step
    for step in "${steps[@]}"; do
        if [[ $step = explain_* ]]; then "$step"; fi
    done
}

install_all() {
    local step
    if [ ${#packages[@]} -gt 0 ]; then
        say "installing with apt-get: ${packages[*]}"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}" >&2
    fi
    if [ ${#rust_components[@]} -gt 0 ]; then
        say "installing with rustup: ${rust_components[*]}"
        rustup component add "${rust_components[@]}" >&2
    fi
    for step in "${steps[@]}"; do
        say "${step//_/ }"
        "$step" >&2
    done
}

main() {
    local argument
    [ "$(uname -sm)" = "Linux x86_64" ] || fail "only Linux on x86-64 is supported, this is $(uname -sm)"
    for argument in "$@"; do
        case $argument in
        --check) check_only=$argument ;;
        --with-node) with_node=$argument ;;
        --with-token) with_token=$argument ;;
        *) fail "unknown argument $argument: --check, --with-node and --with-token are known" ;;
        esac
    done
    survey
    if [ ${#missing[@]} -eq 0 ]; then
        if [ -n "$check_only" ]; then say "nothing is missing"; fi
        return
    fi
    say "missing:"
    printf '  - %s\n' "${missing[@]}" >&2
    if [ -n "$check_only" ]; then exit 1; fi
    if needs_package_lists; then
        refresh_package_lists
        survey
    fi
    refuse_what_cannot_be_had
    install_all
    exec scripts/setup.sh --check $with_node $with_token
}

main "$@"
