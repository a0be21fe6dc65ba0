#!/usr/bin/env bash
# Formatting, lints and all tests. Nothing is skipped here: a test that cannot run is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

# How the names of the scenarios begin that run on one stack (tests/tests/system).
SCENARIOS=system::

# phase LABEL COMMAND...
phase() {
    local label=$1 started=$SECONDS
    shift
    say "== $label"
    "$@" || fail "$label failed after $((SECONDS - started)) s"
    say "== $label: $((SECONDS - started)) s"
}

# For the scenarios that kill it; the ordinary connector stays as it is.
build_failpoints() {
    cargo build --workspace --locked --features kms-connector/failpoints --bin kms-connector-failpoints
}

# What `make demo` builds is what was built here: with other features, tfhe would be compiled a second time.
no_second_build() {
    local built again
    built=$(cargo build --workspace --locked --message-format json) || return
    again=$(sed -n '/"fresh":false/s/.*"package_id":"\([^"]*\)".*/\1/p' <<<"$built" | sort -u)
    [ -z "$again" ] || fail "the programs alone resolve other features than all targets do (see tests/Cargo.toml): $again"
}

# The scenarios on the stack mostly wait, the other tests mostly compute: side by side they take less time. Requests
# have deadlines, so the others stand back.
run_tests() {
    local log=target/tmp/tests.log others status=0
    export KMS_REQUIRE_SYSTEM_TESTS=1
    mkdir -p target/tmp
    say "all tests but the scenarios go to $log, shown at the end"
    nice -n 10 cargo test --workspace --locked --no-fail-fast -- --skip "$SCENARIOS" >"$log" 2>&1 &
    others=$!
    cargo test --workspace --locked --test system || status=$?
    wait "$others" || status=$?
    cat "$log"
    [ "$(grep -c '[1-9][0-9]* filtered out' "$log")" = 1 ] \
        || fail "a test beside the scenarios has a name with $SCENARIOS in it: it did not run"
    return "$status"
}

phase "set-up" scripts/setup.sh --with-node --with-token
. scripts/toolchain.sh
phase "scripts" scripts/check-scripts.sh
phase "formatting" cargo fmt --all --check
phase "node, contract, programs and tests" scripts/build.sh --all-targets
phase "programs alone" no_second_build
phase "connector with failpoints" build_failpoints
phase "S3 server" scripts/build-s3.sh
phase "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
phase "reproducible contract" scripts/build-contract.sh --verify-reproducible
phase "TypeScript client" scripts/build-client.sh
phase "public client of user decryptions" scripts/build-node-tkms.sh
phase "tests" run_tests
say "all passed in $SECONDS s"
