#!/usr/bin/env bash
#   sudo systemd/install.sh ~/Pictures                       as a system service
#   systemd/install.sh --no-service ~/Pictures               for you alone; needs no root once the packages are installed
#   systemd/install.sh --prefix /tmp/try --no-service DIR    everything below one folder
#   sudo systemd/install.sh --uninstall [--purge]            undo it; --purge also deletes the index
#
# usage: systemd/install.sh [OPTIONS] [ROOT...] [-- DAEMON-FLAGS...]
#
# The script installs the packages and, if it is missing, Swift. Then it builds and installs the programs and starts the
# daemon, which watches each ROOT. Without a running systemd, or with --no-service, the daemon is started in place. The
# script can be run again at any time: it then updates the installation and restarts the daemon.
#
#   --prefix DIR     where to install (/usr/local as root, else ~/.local); state, socket and log are then below DIR too
#   --state DIR      where the daemon keeps its index, models and settings
#   --socket PATH    where the daemon listens
#   --no-service     install no units and no user, and start the daemon in place
#   --no-packages    do not check packages and Swift, because they are installed
#   --binaries DIR   install the programs that were built before, from DIR
#   --uninstall      stop the daemon and remove the installed files; photos are never touched
#   --purge          with --uninstall: remove state, log and user too
#   --help           print this text
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=lib/packages.sh
. "$project/systemd/lib/packages.sh"
# shellcheck source=lib/toolchain.sh
. "$project/systemd/lib/toolchain.sh"
# shellcheck source=lib/place.sh
. "$project/systemd/lib/place.sh"

usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; }

prefix='' state='' socket='' binaries=''
service=wanted packages=wanted task=install purge=''
roots=() daemon_flags=()
while [ $# -gt 0 ]; do
    case "$1" in
        --prefix | --state | --socket | --binaries)
            [ -n "${2:-}" ] || die "$1 needs a value" "systemd/install.sh --help"
            declare "${1#--}=$(realpath -ms -- "$2")"
            shift
            ;;
        --no-service) service= ;;
        --no-packages) packages= ;;
        --uninstall) task=uninstall ;;
        --purge) purge=wanted ;;
        --help | -h)
            usage
            exit 0
            ;;
        --)
            shift
            daemon_flags=("$@")
            break
            ;;
        -*) die "unknown option $1" "systemd/install.sh --help" ;;
        *) roots+=("$1") ;;
    esac
    shift
done
[ "$task" = uninstall ] || [ -z "$purge" ] || die "--purge goes with --uninstall" "systemd/install.sh --help"

# --- where everything goes ------------------------------------------------------------------------------------------

# The service of one user is another unit, which is installed by hand: systemd/user/likeness.service.
if ! is_root || [ ! -d /run/systemd/system ] || [ -n "$prefix$state$socket" ]; then service=; fi
if [ -n "$prefix" ]; then
    : "${state:=$prefix/var/lib/likeness}" "${socket:=$prefix/run/likeness/likeness.sock}"
elif is_root; then
    prefix=/usr/local
    : "${state:=/var/lib/likeness}" "${socket:=/run/likeness/likeness.sock}"
else
    prefix=${HOME:?is not set; choose a folder: --prefix DIR}/.local
    : "${state:=${XDG_STATE_HOME:-$HOME/.local/state}/likeness}"
    : "${socket:=${LIKENESS_SOCKET:-${XDG_RUNTIME_DIR:-$state}/likeness/likeness.sock}}"
fi
# The client reads the path of the socket from here. The rest is for later runs of this script.
memory=$prefix/etc/likeness

# --- uninstall ------------------------------------------------------------------------------------------------------

uninstall() {
    if [ -r "$memory/state" ]; then state=$(cat "$memory/state"); fi
    if [ -r "$memory/socket" ]; then socket=$(cat "$memory/socket"); fi
    if is_root && [ -e /etc/systemd/system/likeness.service ] && [ "$prefix" = /usr/local ]; then
        if [ -d /run/systemd/system ]; then
            systemctl disable --now likeness.service likeness.socket likeness-http.socket 2>/dev/null || true
        fi
        rm -f /etc/systemd/system/likeness.{service,socket} /etc/systemd/system/likeness-http.socket \
            /etc/sysusers.d/likeness.conf /etc/tmpfiles.d/likeness.conf
        if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
        if [ -n "$purge" ] && getent passwd likeness >/dev/null; then userdel likeness 2>/dev/null || true; fi
    fi
    stop_in_place "$state"
    rm -f "$prefix/bin/likeness" "$prefix/lib/likeness/likenessd" "$memory/socket" "$memory/state" "$socket"
    if [ -n "$purge" ]; then rm -rf "$state" /var/cache/likeness; fi
    local folder
    # Only empty folders are removed, innermost first. In a prefix that is shared, only those with our name.
    local folders=("$prefix"/{lib,etc,run,var/lib}/likeness "$(dirname "$socket")")
    case "$prefix" in
        /usr/local | "${HOME:-}/.local") ;;
        *) folders+=("$prefix"/{lib,etc,run,var/lib,var,bin} "$prefix") ;;
    esac
    for folder in "${folders[@]}"; do rmdir "$folder" 2>/dev/null || true; done
    if [ -z "$purge" ] && [ -d "$state" ]; then
        say "removed; the index is kept in $state (--purge removes it)"
    else
        say "removed"
    fi
}

if [ "$task" = uninstall ]; then
    [ -w "$prefix" ] || [ ! -e "$prefix" ] || die "no permission to change $prefix" "run it with sudo"
    uninstall
    exit 0
fi

# --- checks before the long work ------------------------------------------------------------------------------------

absolute=()
for root in ${roots[@]+"${roots[@]}"}; do
    [ -d "$root" ] || die "$root is not a folder" "create it, or choose another one"
    absolute+=("$(realpath -- "$root")")
done
# struct sockaddr_un holds 108 bytes, the final zero among them.
[ ${#socket} -le 107 ] || die "the socket's path is longer than 107 bytes: $socket" "choose a shorter one: --socket PATH"
if [ -n "$service" ] && [ ${#daemon_flags[@]} -gt 0 ]; then
    die "a service takes no daemon flags" "put them into /etc/likeness/likeness.json5, as in: { http: \"127.0.0.1:8473\" }"
fi
mkdir -p "$prefix" 2>/dev/null || true
[ -w "$prefix" ] ||
    die "no permission to write to $prefix" "run it with sudo, or choose a folder of yours: --prefix DIR --no-service"

# --- build ----------------------------------------------------------------------------------------------------------

if [ -n "$packages" ]; then
    if [ -n "$binaries" ]; then install_packages run; else install_packages run build; fi
fi
build_folder=$project/.build-install
if [ -z "$binaries" ]; then
    if [ -n "$packages" ]; then
        provide_swift
    else
        find_swift || die "there is no Swift $swift_minimum or newer" "run it without --no-packages"
    fi
    say "building with Swift $(swift_version "$swift") (some minutes the first time)"
    build=(env "LIKENESS_PROGRAMS=likenessd,likeness" "$swift" build -c release --static-swift-stdlib --package-path "$project" --scratch-path "$build_folder")
    # What sudo builds in a user's folder should belong to that user.
    owner=$(stat -c %U "$project")
    if is_root && [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
        build=(runuser -u "$owner" -- env "HOME=$(getent passwd "$owner" | cut -d: -f6)" "${build[@]}")
    fi
    "${build[@]}" >&2 || die "the build failed" "see the compiler's message above"
    binaries=$build_folder/release
fi
for program in likenessd likeness; do
    [ -x "$binaries/$program" ] || die "there is no $binaries/$program" "build it first, or leave out --binaries"
done

# --- install --------------------------------------------------------------------------------------------------------

# A running daemon keeps its file open, so the new one gets a temporary name first and then replaces it.
install_program() {
    install -d "$(dirname "$2")"
    install -m 755 "$1" "$2.new"
    # Symbols only serve debuggers, and they are most of the file beside the tables of ICU.
    if command -v strip >/dev/null; then strip "$2.new"; fi
    mv -f "$2.new" "$2"
}

install_program "$binaries/likenessd" "$prefix/lib/likeness/likenessd"
install_program "$binaries/likeness" "$prefix/bin/likeness"
install -d "$memory"
printf '%s\n' "$socket" >"$memory/socket"
printf '%s\n' "$state" >"$memory/state"

# An earlier run may have started a daemon in place. It ends whatever this run installs.
stop_in_place "$state"

# let_service_read FOLDER: grants access by access control lists. Owner and mode stay as they are, and new files inherit the lists.
let_service_read() {
    local folder=$1 above=$1
    if runuser -u likeness -- test -r "$folder" -a -x "$folder"; then return; fi
    command -v setfacl >/dev/null || {
        say "warning: the user likeness cannot read $folder; give it access, then run: likeness rescan"
        return
    }
    while [ "$above" != / ]; do
        above=$(dirname "$above")
        runuser -u likeness -- test -x "$above" || setfacl -m u:likeness:x "$above"
    done
    setfacl -R -m u:likeness:rX "$folder"
    find "$folder" -type d -exec setfacl -m d:u:likeness:rX {} +
    say "the user likeness may read $folder now (setfacl; undo: setfacl -R -x u:likeness -x d:u:likeness $folder)"
}

install_service() {
    local root unit
    install -m 644 "$project/systemd/sysusers.conf" /etc/sysusers.d/likeness.conf
    install -m 644 "$project/systemd/tmpfiles.conf" /etc/tmpfiles.d/likeness.conf
    systemd-sysusers /etc/sysusers.d/likeness.conf
    systemd-tmpfiles --create /etc/tmpfiles.d/likeness.conf
    for unit in likeness.service likeness.socket likeness-http.socket; do
        install -m 644 "$project/systemd/$unit" "/etc/systemd/system/$unit"
    done
    # A daemon that ran in place as root left files there, which the service's user must own.
    chown -R likeness:likeness "$state"
    systemctl daemon-reload
    systemctl enable --quiet likeness.socket likeness.service
    systemctl start likeness.socket
    systemctl restart likeness.service || die "the service did not start" "journalctl -u likeness"
    for root in ${absolute[@]+"${absolute[@]}"}; do
        let_service_read "$root"
        "$prefix/bin/likeness" watch "$root"
    done
    say "likeness runs as a system service: systemctl status likeness"
    if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        usermod -aG likeness "$SUDO_USER"
        say "$SUDO_USER is in the group likeness from the next login on; in this shell: newgrp likeness"
    else
        say "to let others search: usermod -aG likeness USER"
    fi
}

install_in_place() {
    local root flags=()
    install -d -m 750 "$state"
    install -d -m 755 "$(dirname "$socket")"
    for root in ${absolute[@]+"${absolute[@]}"}; do flags+=(--root "$root"); done
    start_in_place "$prefix" "$state" "$socket" ${flags[@]+"${flags[@]}"} ${daemon_flags[@]+"${daemon_flags[@]}"}
    say "likenessd runs in place, without a service: process $(cat "$state/likenessd.pid"), log $state/likenessd.log"
    say "after a reboot, or to bring it up to date: run this again"
}

if [ -n "$service" ]; then install_service; else install_in_place; fi

client=likeness
if [ "$(command -v likeness || true)" != "$prefix/bin/likeness" ]; then client=$prefix/bin/likeness; fi
say ""
say "  $client search photo.jpg    what looks like this?"
say "  $client status              how far loading is"
[ ${#absolute[@]} -gt 0 ] || say "  $client watch DIR           load a folder"
