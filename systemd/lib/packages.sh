# shellcheck shell=bash
# Installs the packages that ../packages.txt lists and that are missing, by apt.
# It lies here and not in Tests, which use it too: the installer must not depend on the tests, and no other folder holds scripts.

packages_file=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/packages.txt

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE NEXT-STEP: every failure says what to do about it.
die() {
    say "error: $1"
    [ $# -lt 2 ] || say "  next: $2"
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# as_root COMMAND...: runs it directly, or by sudo where that needs no password or somebody can type one.
as_root() {
    if is_root; then "$@"; else sudo "$@"; fi
}

may_become_root() {
    is_root || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# missing_packages WHEN...: prints the lines of alternatives of which none is installed.
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

# known_to_apt ALTERNATIVES: prints the first one that apt can install.
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

# held_lock LOG: the line in which apt-get says which lock somebody else holds, and who.
held_lock() { sed -n '/Could not get lock/{s/^[EW]: //p;q}' "$1" | grep .; }

# apt_get LOG ARGUMENTS...: runs apt-get, and waits for another package manager at work, ten minutes at most.
apt_get() {
    local log=$1 deadline=$((SECONDS + 600)) said='' lock
    shift
    # The option covers dpkg's lock, but not the one of the package lists: that is what the loop is for.
    until as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=20 "$@" >"$log" 2>&1; do
        lock=$(held_lock "$log") || return 1
        [ $SECONDS -lt $deadline ] || return 1
        [ -n "$said" ] || say "waiting for another package manager: $lock"
        said=1
        sleep 2
    done
}

# die_of_apt LOG MESSAGE NEXT-STEP: a lock that was held all the time is named, instead of what it hindered.
die_of_apt() {
    local lock
    if lock=$(held_lock "$1"); then
        set -- "$1" "another package manager is at work: $lock" "wait until it has ended, then run this again"
    else
        tail -n 15 "$1" >&2
    fi
    rm -f "$1"
    die "$2" "$3"
}

# install_packages WHEN...: does nothing when all of them are installed, so a second run needs neither network nor root.
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
    if ! apt_get "$log" update || grep -q '^\(W: Failed to fetch\|Err:\)' "$log"; then
        ! held_lock "$log" >/dev/null || die_of_apt "$log" "" ""
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
    apt_get "$log" install -y --no-install-recommends "${names[@]}" ||
        die_of_apt "$log" "apt-get could not install: ${names[*]}" "check the network, or run: apt-get install ${names[*]}"
    rm -f "$log"
}
