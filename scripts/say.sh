# shellcheck shell=bash
# Sourced by the other scripts: how they speak, and how a long command shows that it is alive.
# Everything goes to stderr; stdout belongs to results.

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# interrupted SIGNAL GROUP...: ends the process groups, then the script, by the signal that it got.
interrupted() {
    local signal=$1
    shift
    trap - INT TERM HUP
    kill -TERM -- "${@/#/-}" 2>/dev/null || true
    wait "$@" 2>/dev/null || true
    if [ -t 2 ]; then printf '\n' >&2; fi
    say "interrupted"
    kill "-$signal" $$
}

# with_groups GROUP...: from here on they end with the script. `with_groups` alone: no longer.
with_groups() {
    local signal
    for signal in INT TERM HUP; do
        # shellcheck disable=SC2064 # which signal and which groups is known now
        if [ $# = 0 ]; then trap - "$signal"; else trap "interrupted $signal $*" "$signal"; fi
    done
}

# run_visibly LABEL LOG COMMAND...: runs the command with all its output in LOG. While it runs, the
# time and the number of lines written so far are shown: on a terminal in one line, elsewhere every
# 15 s. When it fails, the end of the log is shown and the command's status is returned. When the
# script is interrupted, so is the command, with all that it has started.
run_visibly() {
    local label=$1 log=$2 started=$SECONDS shown=0 status=0 child
    shift 2
    : >"$log"
    # With job control the command leads a process group of its own, which can be ended as a whole.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    set +m
    with_groups "$child"
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        if [ -t 2 ]; then
            printf '\r%s: %s, %d s, %d steps ' "$(basename "$0" .sh)" "$label" \
                $((SECONDS - started)) "$(wc -l <"$log")" >&2
        elif [ $((SECONDS - shown - started)) -ge 15 ]; then
            shown=$((SECONDS - started))
            say "$label, $shown s, $(wc -l <"$log") steps"
        fi
    done
    wait "$child" || status=$?
    with_groups
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
    if [ "$status" -ne 0 ]; then
        tail -n 30 "$log" >&2
        say "$label failed with status $status, all of its output is in $log"
        return "$status"
    fi
    say "$label: done in $((SECONDS - started)) s"
}
