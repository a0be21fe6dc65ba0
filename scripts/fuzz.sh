#!/usr/bin/env bash
# Fuzzes what the core reads from strangers, with coverage. What is found stays in target/fuzz/corpus and is where the next
# run begins; an input that fails is written to target/fuzz/artifacts, and ends the run.
#
#   scripts/fuzz.sh TARGET SECONDS    TARGET: ciphertext, input, proof, grpc, vault, or all of them one after the other
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

readonly cargo_fuzz=0.13.2
readonly targets=(ciphertext input proof grpc vault)
readonly tools=$PWD/target/tools folder=$PWD/target/fuzz

install_cargo_fuzz() {
    if "$tools/bin/cargo-fuzz" --version 2>/dev/null | grep -qF " $cargo_fuzz"; then return; fi
    mkdir -p "$folder"
    say "installing cargo-fuzz $cargo_fuzz in target/tools: about a minute"
    run_visibly "installing cargo-fuzz" "$folder/install.log" \
        cargo install cargo-fuzz --version $cargo_fuzz --locked --root "$tools"
}

needs_cxx() {
    command -v c++ >/dev/null && return
    fail "the fuzzer needs a C++ compiler: apt-get install g++"
}

# Coverage is an option that a stable compiler takes only when told so. Without the address sanitizer: no code here is unsafe,
# and with it the library's transforms take the compiler over half an hour.
cargo_fuzz() {
    local command=$1
    shift
    RUSTC_BOOTSTRAP=1 "$tools/bin/cargo-fuzz" "$command" --sanitizer none \
        --fuzz-dir core-service/fuzz --target-dir "$folder/build" "$@"
}

build() {
    run_visibly "building the fuzz targets (tfhe anew, 10 minutes and more the first time)" "$folder/build.log" \
        cargo_fuzz build
}

# fuzz TARGET SECONDS
fuzz() {
    local corpus=$folder/corpus/$1 artifacts=$folder/artifacts/$1
    mkdir -p "$corpus" "$artifacts"
    say "fuzzing $1 for $2 s, log in target/fuzz/$1.log"
    KMS_FUZZ_CORPUS=$corpus run_visibly "fuzzing $1" "$folder/$1.log" \
        cargo_fuzz run "$1" "$corpus" -- \
        -max_total_time="$2" -artifact_prefix="$artifacts/" -rss_limit_mb=4096 -timeout=60
    say "$1: $(grep -a 'DONE' "$folder/$1.log" | tail -n 1)"
}

main() {
    local target=${1:-} seconds=${2:-} chosen=()
    case " ${targets[*]} all " in
    *" $target "*) ;;
    *) fail "target '$target' given, one of: ${targets[*]} all" ;;
    esac
    case "$seconds" in
    '' | *[!0-9]*) fail "seconds '$seconds' given, a number needed" ;;
    esac
    scripts/setup.sh
    needs_cxx
    install_cargo_fuzz
    build
    if [ "$target" = all ]; then chosen=("${targets[@]}"); else chosen=("$target"); fi
    for target in "${chosen[@]}"; do fuzz "$target" "$seconds"; done
}

main "$@"
