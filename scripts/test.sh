#!/usr/bin/env bash
# Formatting, lints and all tests. Nothing is skipped here: a test that cannot run is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

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

run_tests() { KMS_REQUIRE_SYSTEM_TESTS=1 cargo test --workspace --locked; }

phase "set-up" scripts/setup.sh --with-node --with-token
. scripts/toolchain.sh
phase "scripts" scripts/check-scripts.sh
phase "formatting" cargo fmt --all --check
phase "node, contract, programs and tests" scripts/build.sh --all-targets
phase "connector with failpoints" build_failpoints
phase "S3 server" scripts/build-s3.sh
phase "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
phase "reproducible contract" scripts/build-contract.sh --verify-reproducible
phase "TypeScript client" scripts/build-client.sh
phase "public client of user decryptions" scripts/build-node-tkms.sh
phase "tests" run_tests
say "all passed in $SECONDS s"
