#!/usr/bin/env bash
# Builds the S3-compatible server of the tests, as scripts/s3/go.mod pins it, into .tools/versitygw. Does nothing when that
# is up to date.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
. scripts/toolchain.sh

readonly module=github.com/versity/versitygw
readonly program=.tools/versitygw
readonly stamp=.tools/versitygw.stamp

inputs_hash() { cat scripts/s3/go.mod scripts/s3/go.sum scripts/build-s3.sh | sha256sum | cut -d' ' -f1; }

up_to_date() { [ -x $program ] && [ "$(cat $stamp 2>/dev/null)" = "$1" ]; }

fetch_modules() { (cd scripts/s3 && go mod download && go mod verify); }

compile() {
    (cd scripts/s3 && CGO_ENABLED=0 go build -p 2 -trimpath -buildvcs=false -mod=readonly -ldflags "-s -w" \
        -o ../../$program.new $module/cmd/versitygw)
}

main() {
    local hash
    hash=$(inputs_hash)
    mkdir -p .tools
    exec 9>.tools/.versitygw.lock
    flock -n 9 || { say "another build is running, waiting for it"; flock 9; }
    if up_to_date "$hash"; then return; fi
    command -v go >/dev/null || fail "go is missing: run scripts/setup.sh"
    say "building the S3 server of the tests from its Go module"
    rm -f $stamp
    run_visibly "fetching Go modules" .tools/versitygw.fetch.log fetch_modules
    run_visibly "compiling the S3 server" .tools/versitygw.compile.log compile
    mv $program.new $program
    $program --version >/dev/null || fail "the S3 server does not start"
    printf '%s\n' "$hash" >$stamp
}

main "$@"
