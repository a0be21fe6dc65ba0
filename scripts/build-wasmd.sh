#!/usr/bin/env bash
# Builds the chain's node, as localnet/go.mod pins it, into localnet/build/. Does nothing when that
# is up to date. wasmvm's shared library lies beside the binary, which looks for it there, so that
# neither Go nor its module cache is needed to run the node.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

readonly module=github.com/CosmWasm/wasmd
readonly build=localnet/build
readonly stamp=$build/wasmd.stamp

inputs_hash() { cat localnet/go.mod localnet/go.sum scripts/build-wasmd.sh | sha256sum | cut -d' ' -f1; }

up_to_date() {
    [ -x "$build/wasmd" ] && [ -e "$build/libwasmvm.so" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$1" ]
}

fetch_modules() {
    # wasmvm carries its library inside the module.
    (cd localnet && go mod download && go mod verify)
}

compile() {
    # shellcheck disable=SC2016 # it is the linker that knows this name
    local origin='$ORIGIN'
    local version=${1#v}
    # The tag takes the library from the folder named here, instead of from the module cache.
    (
        cd localnet
        CGO_ENABLED=1 CGO_LDFLAGS="-L$PWD/build -Wl,-rpath,$origin" \
            go build -v -p 2 -trimpath -buildvcs=false -mod=readonly -tags sys_wasmvm \
            -ldflags "-s -w -X github.com/cosmos/cosmos-sdk/version.Name=wasm \
                -X github.com/cosmos/cosmos-sdk/version.AppName=wasmd \
                -X github.com/cosmos/cosmos-sdk/version.Version=$version" \
            -o build/wasmd.new "$module/cmd/wasmd"
    )
}

main() {
    local hash version library
    hash=$(inputs_hash)
    mkdir -p "$build"
    exec 9>"$build/.lock"
    flock -n 9 || { say "another build is running, waiting for it"; flock 9; }
    if up_to_date "$hash"; then return; fi

    command -v go >/dev/null || fail "go is missing: run scripts/setup.sh"
    version=$(cd localnet && go list -m -f '{{.Version}}' "$module")
    say "building wasmd $version from its Go module: about 1 GB of downloads and cache, 4 minutes on two cores"
    rm -f "$stamp"
    run_visibly "fetching Go modules" "$build/fetch.log" fetch_modules
    library=$(cd localnet && go list -m -f '{{.Dir}}' github.com/CosmWasm/wasmvm/v3)/internal/api/libwasmvm.$(uname -m).so
    install -m 0755 "$library" "$build/libwasmvm.so"
    run_visibly "compiling wasmd" "$build/compile.log" compile "$version"
    if ldd "$build/wasmd.new" | grep -q 'not found'; then
        ldd "$build/wasmd.new" >&2
        fail "the node does not find its libraries"
    fi
    mv "$build/wasmd.new" "$build/wasmd"
    "$build/wasmd" version >/dev/null || fail "the node does not start"
    printf '%s\n' "$hash" >"$stamp"
}

main "$@"
