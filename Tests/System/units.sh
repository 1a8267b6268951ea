#!/usr/bin/env bash
# Tests the systemd units with systemd's own tools, without a running systemd: they verify without a warning, their exposure is at most 2.0,
# and sysusers.d and tmpfiles.d create the user and the folders that they need.
source "$(dirname "$0")/lib.sh"
require systemd-analyze systemd-sysusers systemd-tmpfiles

# verify wants the program to exist; nothing is installed here.
mkdir -p "$work/system" "$work/user"
for unit in likeness.service likeness.socket likeness-http.socket; do
    sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$project/systemd/$unit" >"$work/system/$unit"
done
sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$project/systemd/user/likeness.service" >"$work/user/likeness.service"

# An unknown key is only a warning and exit 0, so any output fails.
verifies() {
    local output
    output=$(SYSTEMD_LOG_TARGET=console systemd-analyze verify --man=no "$@" 2>&1) || true
    [ -z "$output" ] || {
        echo "$output" >&2
        return 1
    }
}

refuses_unknown_keys() {
    sed 's|^\[Service\]|&\nNoSuchKey=1|' "$work/system/likeness.service" >"$work/likeness.service"
    ! verifies "$work/likeness.service" 2>/dev/null
}

for unit in likeness.service likeness.socket likeness-http.socket; do
    check "$unit verifies without a word" verifies "$work/system/$unit"
done
export XDG_RUNTIME_DIR=$work/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"
check "the user's likeness.service verifies without a word" verifies --user "$work/user/likeness.service"
check "a wrong key would be noticed" refuses_unknown_keys

# The threshold counts in tenths.
exposure=$(systemd-analyze security --offline=yes --no-pager --threshold=20 "$work/system/likeness.service") ||
    fail "$(tail -n 1 <<<"$exposure")"
check "$(tail -n 1 <<<"$exposure" | sed 's/^[^O]*//')" true

root=$work/root
mkdir -p "$root/etc" "$root/run" "$root/var/lib"
check "sysusers.d makes the user" systemd-sysusers --root="$root" "$project/systemd/sysusers.conf"
check "its groups are there" grep -Eq '^(render|video):.*likeness' "$root/etc/group"
tmpfiles() {
    # Owners cannot be looked up below another root by every version: the entries themselves are what is checked.
    sed 's/ likeness likeness / - - /' "$project/systemd/tmpfiles.conf" >"$work/tmpfiles.conf"
    systemd-tmpfiles --root="$root" --create "$work/tmpfiles.conf" && [ -d "$root/run/likeness" ] &&
        [ -d "$root/var/lib/likeness" ]
}
check "tmpfiles.d makes the folders" tmpfiles

finish
