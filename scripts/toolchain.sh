# shellcheck shell=bash
# Sourced by the other scripts, from the repository's root: which Rust and Go are used, and what
# they must be able to do. What setup.sh puts into .tools/ goes before what the machine has.

# The oldest Rust is the workspace's, the oldest Go is what both the node and the S3 server of the tests build with.
# shellcheck disable=SC2034 # used by who sources this
oldest_rust=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
# shellcheck disable=SC2034
oldest_go=$(cat localnet/go.mod scripts/s3/go.mod | sed -n 's/^go //p' | sort -rV | head -n 1)

if [ -x .tools/go/bin/go ]; then
    export GOROOT=$PWD/.tools/go PATH=$PWD/.tools/go/bin:$PATH
fi
if [ -e .tools/rustup-toolchain ]; then
    RUSTUP_TOOLCHAIN=$(cat .tools/rustup-toolchain)
    export RUSTUP_TOOLCHAIN
fi
# The version of Go is decided here, and never by a download in the middle of a build.
export GOTOOLCHAIN=local

# at_least OLDEST VERSION
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

go_version() { go version 2>/dev/null | sed -n 's/^go version go\([0-9.]*\).*/\1/p'; }

# Where the Rust in use is installed; asked once, because rustup takes its time.
rust_home=$(rustc --print sysroot 2>/dev/null || true)

rust_version() { "$rust_home/bin/rustc" --version 2>/dev/null | cut -d' ' -f2; }

# The sources of Rust's standard library, if they are installed: the contract needs them.
rust_library() {
    local found=$rust_home/lib/rustlib/src/rust/library
    [ -e "$found/std/Cargo.toml" ] && printf '%s\n' "$found"
}

# The linker for wasm: rustup's toolchains have their own, Debian's take LLVM's.
wasm_linker() {
    local found=$rust_home/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld
    if [ -x "$found" ]; then
        printf '%s\n' rust-lld
        return
    fi
    for found in wasm-ld wasm-ld-22 wasm-ld-21 wasm-ld-20 wasm-ld-19 wasm-ld-18; do
        if command -v "$found"; then return; fi
    done
    return 1
}
