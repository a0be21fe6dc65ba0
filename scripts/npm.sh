# shellcheck shell=bash
# Sourced by the scripts that need packages of npm, after say.sh.

needs_node() {
    command -v node >/dev/null && command -v npm >/dev/null ||
        fail "node or npm is missing: run scripts/setup.sh --with-node"
}

# install_packages LABEL LOG [NOTE]: the exact packages of this folder's lock file, by their hashes. Does nothing when
# they are there; otherwise says the note first.
install_packages() {
    local stamp=node_modules/.inputs hash
    hash=$({ cat package.json package-lock.json .npmrc && node --version; } | sha256sum | cut -d' ' -f1)
    if [ "$(cat $stamp 2>/dev/null)" = "$hash" ]; then return; fi
    if [ -n "${3:-}" ]; then say "$3"; fi
    # npm puts the folder in place before it is whole.
    rm -f $stamp
    run_visibly "$1" "$2" npm ci
    printf '%s\n' "$hash" >$stamp
}
