#!/usr/bin/env bash
# Installs the public client of user decryptions, node-tkms, in the version of the lock file, and has it judge the
# worked vector. It is for tests only: nothing that runs elsewhere uses it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/npm.sh

main() {
    needs_node
    cd tests/node-tkms
    logs=$PWD/log
    mkdir -p "$logs"
    install_packages "installing node-tkms" "$logs/install.log"
    run_visibly "judging the worked vector" "$logs/check.log" npm test
}

main "$@"
