#!/usr/bin/env bash
# Builds the contracts as they are stored on a chain: artifacts/kms_asc.wasm, the ASC; beside it the example of
# contracts/example-sealed-bid and the receiver of callbacks that tests use; and artifacts/checksums.txt.
# Does nothing when they are up to date.
#
#   scripts/build-contract.sh                         build
#   scripts/build-contract.sh --verify-reproducible   build once more, from nothing, and compare; what was compared
#                                                     on this machine is not built again until something changes
#
# The chain's VM refuses bulk memory operations, which the standard library that comes with Rust
# contains since 1.87. So the library is built from its sources for the plain instruction set, with
# whatever toolchain is here: rustup's with its component rust-src, or Debian's with rust-web-src.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/toolchain.sh

readonly target=wasm32-unknown-unknown
readonly most_bytes=$((800 * 1024))
readonly artifacts=artifacts
readonly contracts=(kms_asc kms_example_sealed_bid kms_test_receiver)
readonly stamp=$artifacts/.stamp
readonly verified=target/.contract-verified

inputs_hash() {
    {
        find contracts -type f \( -name '*.rs' -o -name Cargo.toml \) -print0 | sort -z | xargs -0 cat
        cat Cargo.toml Cargo.lock scripts/build-contract.sh
        "$rust_home/bin/rustc" -vV
        wasm-opt --version
    } | sha256sum | cut -d' ' -f1
}

up_to_date() {
    [ "$(cat "$stamp" 2>/dev/null)" = "$1" ] && (cd $artifacts && sha256sum --status -c checksums.txt)
}

# One flag a line. No path of this machine gets into the wasm.
rust_flags() {
    local sources
    printf '%s\n' -Ctarget-cpu=mvp "-Clinker=$(wasm_linker)" -Clink-arg=--allow-undefined
    printf '%s\n' "--remap-path-prefix=$PWD=/kms" "--remap-path-prefix=$(dirname "$(rust_library)")=/rust"
    for sources in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        printf '%s\n' "--remap-path-prefix=${sources%/}=/crates"
    done
}

# compile TARGET_FOLDER: nightly's way to build the standard library, taken on a stable compiler.
compile() {
    local contract packages=()
    for contract in "${contracts[@]}"; do packages+=(--package "${contract//_/-}"); done
    unset RUSTFLAGS CARGO_BUILD_RUSTFLAGS
    CARGO_ENCODED_RUSTFLAGS=$(rust_flags | head -c -1 | tr '\n' '\037') RUSTC_BOOTSTRAP=1 \
        cargo build --locked "${packages[@]}" --lib --profile contract --target $target \
        -Zbuild-std=std,panic_abort --target-dir "$1"
}

# build TARGET_FOLDER WASM_FOLDER
build() {
    local contract
    mkdir -p "$1" "$2"
    # Its source folders must exist before their names can be kept out of the wasm.
    run_visibly "fetching crates" "$1/fetch.log" cargo fetch --locked
    run_visibly "compiling the contracts" "$1/build.log" compile "$1"
    for contract in "${contracts[@]}"; do
        wasm-opt -Oz "$1/$target/contract/$contract.wasm" -o "$2/$contract.wasm"
    done
}

check() {
    local bytes
    bytes=$(stat -c %s "$1")
    if [ "$bytes" -gt $most_bytes ]; then fail "$1 has $bytes bytes, at most $most_bytes are allowed"; fi
    if grep -aqF -e "$PWD/contracts" -e "$PWD/target" -e "${CARGO_HOME:-$HOME/.cargo}" -e "$rust_home/lib" "$1"; then
        fail "$1 contains a path of this machine"
    fi
}

# verify_reproducible INPUTS_HASH
verify_reproducible() {
    local again=target/contract-again contract compared
    compared=$(printf '%s\n' "$1" && cat $artifacts/checksums.txt)
    if [ "$(cat $verified 2>/dev/null)" = "$compared" ]; then
        say "two builds of these sources agreed here before"
        return
    fi
    rm -rf $again
    build $again $again/wasm
    for contract in "${contracts[@]}"; do
        cmp $artifacts/$contract.wasm $again/wasm/$contract.wasm || fail "two builds of the same sources differ"
    done
    printf '%s\n' "$compared" >$verified
    say "two builds agree:"
    cat $artifacts/checksums.txt >&2
    rm -rf $again
}

main() {
    local hash
    case "${1:-}" in
    --verify-reproducible | '') ;;
    *) fail "unknown argument $1: only --verify-reproducible is known" ;;
    esac
    mkdir -p $artifacts target
    exec 9>target/.contract.lock
    flock -n 9 || { say "another build is running, waiting for it"; flock 9; }
    hash=$(inputs_hash)
    if ! up_to_date "$hash"; then make "$hash"; fi
    if [ "${1:-}" = --verify-reproducible ]; then verify_reproducible "$hash"; fi
}

# make INPUTS_HASH
make() {
    local contract wasm
    rm -f $stamp
    build target/contract $artifacts/new
    for contract in "${contracts[@]}"; do check $artifacts/new/$contract.wasm; done
    mv $artifacts/new/*.wasm $artifacts/
    rmdir $artifacts/new
    (cd $artifacts && sha256sum "${contracts[@]/%/.wasm}" >checksums.txt)
    printf '%s\n' "$1" >$stamp
    for contract in "${contracts[@]}"; do
        wasm=$artifacts/$contract.wasm
        say "$wasm, $(stat -c %s $wasm) bytes, sha256 $(sha256sum <$wasm | cut -d' ' -f1)"
    done
}

main "$@"
