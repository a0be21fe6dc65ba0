#!/usr/bin/env bash
# Installs the public client of user decryptions, node-tkms, in the version of the lock file, and has it judge the
# worked vector. It is for tests only: nothing that runs elsewhere uses it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

readonly stamp=node_modules/.inputs

inputs_hash() {
    { cat package.json package-lock.json .npmrc && node --version; } | sha256sum | cut -d' ' -f1
}

# The exact package of the lock file, by its hash.
install() {
    local hash
    hash=$(inputs_hash)
    if [ "$(cat $stamp 2>/dev/null)" = "$hash" ]; then return; fi
    # npm puts the folder in place before it is whole.
    rm -f $stamp
    run_visibly "installing node-tkms" "$logs/install.log" npm ci
    printf '%s\n' "$hash" >$stamp
}

main() {
    command -v node >/dev/null && command -v npm >/dev/null ||
        fail "node or npm is missing: run scripts/setup.sh --with-node"
    cd tests/node-tkms
    logs=$PWD/log
    mkdir -p "$logs"
    install
    run_visibly "judging the worked vector" "$logs/check.log" npm test
}

main "$@"
