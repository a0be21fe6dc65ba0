#!/usr/bin/env bash
# Tests of the scripts themselves: what an interrupted step leaves behind, and what set-up does on a
# machine that is made up here, with programs that only pretend.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh

repository=$PWD
place=$(mktemp -d)
trap 'kill_started; chmod -R u+w "$place"; rm -rf "$place"' EXIT

# Also of a test that failed.
kill_started() { if [ -s "$place/started" ]; then kill "$(cat "$place/started")" 2>/dev/null || true; fi; }

runs() { grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status"; }

ended() { ! runs "$1"; }

# await COMMAND...: until it succeeds; 20 s are more than anything here takes.
await() {
    local end=$((SECONDS + 20))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
        sleep 0.05
    done
}

an_interrupted_step_leaves_nothing_running() {
    local signal started script status
    cat >"$place/long.sh" <<SCRIPT
set -euo pipefail
. $repository/scripts/say.sh
run_visibly "sleeping" $place/long.log bash -c 'sleep 1000 & echo \$! >$place/started; wait'
SCRIPT
    for signal in INT TERM; do
        rm -f "$place/started"
        # A command in the background, and one whose caller was in the background, does not hear SIGINT unless told to.
        env --default-signal="$signal" bash "$place/long.sh" 2>"$place/said" &
        script=$!
        await [ -s "$place/started" ]
        started=$(cat "$place/started")
        runs "$started" || fail "the step did not start"
        kill "-$signal" "$script"
        await ended "$script"
        status=0
        wait "$script" 2>/dev/null || status=$?
        [ "$status" -gt 128 ] || fail "interrupted by $signal, the script ended with status $status"
        await ended "$started"
    done
}

# pretend PATH LINE...: a program of these lines.
pretend() {
    local program=$1
    shift
    mkdir -p "$(dirname "$program")"
    printf '%s\n' '#!/bin/bash' "$@" >"$program"
    chmod +x "$program"
}

# A machine that has everything but a Go that is new enough; nobody on it may become root. Its
# module cache is closed to writing, as Go's is, and files of modules have no permissions.
make_machine() {
    local machine=$1 name toolchain=$1/cache/toolchain
    mkdir -p "$machine"/{bin,repository/localnet,rust/lib/rustlib/src/rust/library/std}
    cp -r scripts Cargo.toml "$machine/repository"
    cp localnet/go.mod "$machine/repository/localnet"
    for name in basename bash cat chmod cp cut dirname head id mkdir mktemp mv printf rm sed sort uname; do
        ln -s "$(type -P "$name")" "$machine/bin/$name"
    done
    for name in cc make wasm-opt wasm-ld cargo; do pretend "$machine/bin/$name" exit; done
    for name in clippy-driver rustfmt; do pretend "$machine/rust/bin/$name" exit; done
    touch "$machine/rust/lib/rustlib/src/rust/library/std/Cargo.toml"
    pretend "$machine/bin/rustc" "echo $machine/rust"
    pretend "$machine/rust/bin/rustc" 'echo rustc 99.0.0'
    rm "$machine/bin/id"
    pretend "$machine/bin/id" 'echo 1000'
    pretend "$machine/bin/apt-get" "touch $machine/asked-apt; exit 1"
    pretend "$machine/bin/apt-cache" exit
    pretend "$machine/bin/go" \
        "if [ \"\$1\" = version ]; then echo go version go1.19.8 linux/amd64; exit; fi" \
        "printf '{\n\t\"Dir\": \"$toolchain\"\n}\n'"
    pretend "$toolchain/bin/go" 'echo go version go99.0.0 linux/amd64'
    pretend "$toolchain/pkg/tool/linux_amd64/compile" exit
    chmod -R a-x,a-w,a+X "$toolchain"
}

# set_up MACHINE
set_up() {
    (cd / && env -i HOME="$1" PATH="$1/bin" "$1/repository/scripts/setup.sh" >"$1/said" 2>&1) ||
        fail "set-up failed: $(cat "$1/said")"
}

a_newer_go_is_fetched_without_root_and_nothing_else_is_left() {
    local machine=$place/machine left
    make_machine "$machine"
    set_up "$machine"
    ! [ -e "$machine/asked-apt" ] || fail "apt-get was called where no package is missing"
    left=$(ls -A "$machine/repository/.tools")
    [ "$left" = go ] || fail "set-up left in .tools: $left"

    # Half of an older one, as an interrupted set-up of an older version could leave it.
    rm "$machine/repository/.tools/go/bin/go"
    chmod -R a-w "$machine/repository/.tools/go"
    set_up "$machine"
    [ -x "$machine/repository/.tools/go/bin/go" ] || fail "a damaged Go was not replaced"
    [ -w "$machine/repository/.tools/go/bin" ] || fail "what set-up installed is closed to writing"
}

an_interrupted_step_leaves_nothing_running
a_newer_go_is_fetched_without_root_and_nothing_else_is_left
say "all as it should be"
