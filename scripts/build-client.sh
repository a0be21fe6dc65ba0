#!/usr/bin/env bash
# Installs what the TypeScript client is made with, checks that its generated part is the one that the
# contract's JSON schemas give, compiles it and runs its tests.
#
#   scripts/build-client.sh               check and build
#   scripts/build-client.sh --generate    write schemas and client anew, then check and build
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/npm.sh

readonly client=clients/typescript
readonly generated=src/generated

# generate FOLDER
generate() { run_visibly "generating the client" "$logs/generate.log" npm run generate -- "$1"; }

write_anew() {
    (cd ../.. && cargo run --locked --package kms-asc --example schema)
    rm -rf $generated
    generate $generated
}

check_generated() {
    rm -rf "$logs/generated"
    generate "$logs/generated"
    diff -r "$logs/generated" $generated >"$logs/difference" && return
    head -n 20 "$logs/difference" >&2
    fail "$client/$generated is not what the schemas give: run scripts/build-client.sh --generate"
}

main() {
    case "${1:-}" in
    --generate | '') ;;
    *) fail "unknown argument $1: only --generate is known" ;;
    esac
    needs_node
    cd $client
    mkdir -p dist
    exec 9>dist/.lock
    flock -n 9 || { say "another build is running, waiting for it"; flock 9; }
    logs=$PWD/dist/log
    mkdir -p "$logs"
    install_packages "installing packages" "$logs/install.log" "fetching the client's packages: 250 MB, once"
    if [ "${1:-}" = --generate ]; then write_anew; fi
    check_generated
    rm -rf dist/src dist/examples dist/test
    run_visibly "compiling the client" "$logs/compile.log" npm run build
    run_visibly "testing the client" "$logs/test.log" npm test
}

main "$@"
