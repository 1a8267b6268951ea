# shellcheck shell=bash
# Installs what ../packages.txt lists, by apt, and only what is missing.

packages_file=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/packages.txt

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE NEXT-STEP: every failure says what to do about it.
die() {
    say "error: $1"
    [ $# -lt 2 ] || say "  next: $2"
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# as_root COMMAND...: directly, or through sudo where it asks nothing or somebody can answer.
as_root() {
    if is_root; then "$@"; else sudo "$@"; fi
}

may_become_root() {
    is_root || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# missing_packages WHEN...: lines of alternatives of which none is installed.
missing_packages() {
    local when package alternative
    while read -r when package; do
        case " $* " in *" $when "*) ;; *) continue ;; esac
        for alternative in ${package//|/ }; do
            if is_installed "$alternative"; then continue 2; fi
        done
        printf '%s\n' "$package"
    done < <(grep -v '^#' "$packages_file")
}

# The first alternative that apt can install.
known_to_apt() {
    local alternative policy
    for alternative in ${1//|/ }; do
        # No pipe: a grep that has seen enough would end apt-cache by SIGPIPE, which pipefail takes for a failure.
        policy=$(apt-cache policy "$alternative" 2>/dev/null) || true
        if grep -q '^  Candidate: [^(]' <<<"$policy"; then
            printf '%s\n' "$alternative"
            return
        fi
    done
    return 1
}

# install_packages WHEN...: nothing to do when all are there, so that it needs neither network nor root a second time.
install_packages() {
    command -v dpkg-query >/dev/null ||
        die "this is neither Debian nor Ubuntu (no dpkg): the packages cannot be installed" \
            "install the libraries of systemd/packages.txt by hand, then run again with --no-packages"
    local missing package name names=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "packages are missing and there is no apt-get: ${missing[*]}" "install them by hand, then run this again"
    may_become_root ||
        die "packages are missing and this is not root: ${missing[*]}" \
            "as root: apt-get install ${missing[*]%%|*}; then run this again"
    local log
    log=$(mktemp)
    if ! as_root apt-get -q update >"$log" 2>&1 || grep -q '^\(W: Failed to fetch\|Err:\)' "$log"; then
        tail -n 5 "$log" >&2
        say "warning: apt-get update did not reach every source; going on with the lists that are here"
    fi
    for package in "${missing[@]}"; do
        name=$(known_to_apt "$package") || {
            rm -f "$log"
            die "apt knows no package ${package//|/ or }" \
                "check the network and /etc/apt/sources.list (Ubuntu: universe), then run this again"
        }
        names+=("$name")
    done
    say "installing packages: ${names[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${names[@]}" >"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        rm -f "$log"
        die "apt-get could not install: ${names[*]}" "check the network, or run: apt-get install ${names[*]}"
    }
    rm -f "$log"
}
