#!/usr/bin/env bash
# Builds everything that a stack runs: the node, the contract, the programs. Installs first what the
# machine lacks. What is up to date is not built again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

scripts/setup.sh
. scripts/toolchain.sh
scripts/build-wasmd.sh
scripts/build-contract.sh
if ! [ -e target/debug/kms-core ]; then
    say "building the programs: the first time takes 10 to 25 minutes on two cores"
fi
# With the caller's choice of targets: they are one build, see tests/Cargo.toml.
cargo build --workspace --locked "$@"
