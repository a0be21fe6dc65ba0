#!/usr/bin/env bash
# Formatting, lints and all tests. Nothing is skipped here: a test that cannot run is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

# How the names of the scenarios begin that run on stacks (tests/tests/system).
SCENARIOS=system::
# How the names of the tests begin that try random input for a minute, and of what.
MINUTES=a_minute_of_random_
RANDOM_INPUT=(ciphertexts inputs proofs calls files)

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

# counted WORD LOG...: the sum of what test results say before this word.
counted() {
    local word=$1
    shift
    sed -n "s/^test result: .* \([0-9]\+\) $word;.*/\1/p" "$@" | awk '{ sum += $1 } END { print sum + 0 }'
}

# try_random_input LOGS. A minute is a minute, so all of them take the same one.
try_random_input() {
    local what status=0 tried=()
    set +m
    for what in "${RANDOM_INPUT[@]}"; do
        cargo test --workspace --locked --lib -- "$MINUTES$what" --show-output >"$1/random-$what.log" 2>&1 &
        tried+=($!)
    done
    for what in "${tried[@]}"; do wait "$what" || status=$?; done
    return "$status"
}

# Scenarios mostly wait, the other tests mostly compute: side by side they take less time. Requests have deadlines, so
# the others stand back.
run_tests() {
    local logs=target/test-logs random others scenarios status=0
    export KMS_REQUIRE_SYSTEM_TESTS=1
    rm -rf "$logs"
    mkdir "$logs"
    say "the scenarios are shown as they end; all other tests go to $logs, shown when all have ended"
    set -m
    try_random_input "$logs" &
    random=$!
    cargo test --workspace --locked --no-fail-fast -- --skip "$SCENARIOS" --skip "$MINUTES" >"$logs/others.log" 2>&1 &
    others=$!
    { cargo test --workspace --locked --test system | tee "$logs/scenarios.log"; } &
    scenarios=$!
    set +m
    with_groups "$random" "$others" "$scenarios"
    renice -n 10 -g "$random" "$others" >/dev/null
    wait "$scenarios" || status=$?
    wait "$random" || status=$?
    wait "$others" || status=$?
    with_groups
    cat "$logs"/random-*.log "$logs/others.log"
    [ "$(counted "filtered out" "$logs/others.log")" = "$(counted passed "$logs/scenarios.log" "$logs"/random-*.log)" ] \
        || fail "tests that were left out beside the scenarios ran nowhere, or failed"
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
