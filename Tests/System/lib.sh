# shellcheck shell=bash
# What the system tests share: one daemon at a time on a temporary folder, and questions to it.
# A script sources this file, calls `check` or `eventually` for each thing that it proves, and ends with `finish`.
#
# No check depends on how fast this machine is. What takes a while is waited for, with `eventually` or `wait_until`; their
# limit only ends a test that hangs. A measured time is printed and not judged.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
shared=$project/../shared
bin=${LIKENESS_BIN:-$project/.build/release}
# The daemon names files without symbolic links, so the folder is named without them too.
work=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/likeness-test.XXXXXX")" && pwd -P)
state=$work/state
sock=$work/likeness.sock
log=$work/daemon.log
# Seconds until something that must happen counts as never happening.
timeout_s=${LIKENESS_TIMEOUT_S:-300}
daemon_pid=
passed=0

cleanup() {
    local code=$?
    [ -z "$daemon_pid" ] || kill -9 "$daemon_pid" 2>/dev/null || true
    if declare -F on_exit >/dev/null; then on_exit; fi
    if [ $code -ne 0 ]; then
        if [ -s "$work/difference" ]; then head -n 50 "$work/difference" >&2; fi
        echo "FAILED; the daemon's last lines:" >&2
        tail -n 20 "$log" >&2 2>/dev/null || true
    fi
    [ -n "${KEEP:-}" ] || rm -rf "$work"
    exit $code
}
trap cleanup EXIT

# --- checks ---------------------------------------------------------------------------------------------------------

fail() { echo "FAIL: $*" >&2; exit 1; }

# check DESCRIPTION COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    "$@" || fail "$what"
    passed=$((passed + 1))
    echo "ok: $what"
}

# eventually DESCRIPTION COMMAND...: the command must succeed at some time.
eventually() {
    wait_for "$@"
    passed=$((passed + 1))
    echo "ok: $1"
}

# wait_until COMMAND...: what must have happened before a script can go on; no check of its own.
wait_until() { wait_for "$*" "$@"; }

wait_for() {
    local what=$1 deadline=$((SECONDS + timeout_s))
    shift
    until "$@"; do
        [ -z "$daemon_pid" ] || kill -0 "$daemon_pid" 2>/dev/null || fail "$what: the daemon ended"
        [ $SECONDS -lt $deadline ] ||
            fail "$what: not within $timeout_s s; $(api GET /v1/status | jq -c '[.counts, .progress, .roots]')"
        sleep 0.05
    done
}

# exits CODE COMMAND...: the exit status must be CODE; the output is kept in the files `out` and `err`.
exits() {
    local wanted=$1 got=0
    shift
    "$@" >"$work/out" 2>"$work/err" || got=$?
    [ "$got" -eq "$wanted" ] || {
        cat "$work/out" "$work/err" >&2
        echo "the exit status is $got instead of $wanted: $*" >&2
        return 1
    }
}

# says TEXT: the last `exits` wrote the text to standard error.
says() { grep -qF -- "$1" "$work/err"; }

finish() { echo "$passed passed, 0 failed"; }

require() {
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done
}

require_shared() { [ -d "$shared/data/corel1k" ] || fail "../shared/data is not beside the project"; }

now_ms() { date +%s%3N; }

# compile_preload SOURCE LIBRARY: builds one of this folder's C files as a shared library, with any C compiler at hand.
compile_preload() {
    local compiler
    compiler=$(command -v cc || command -v clang) || {
        # shellcheck source=/dev/null
        source "$project/systemd/lib/packages.sh"
        # shellcheck source=/dev/null
        source "$project/systemd/lib/toolchain.sh"
        find_swift || fail "there is no C compiler"
        compiler=$(dirname "$(readlink -f "${swift:?}")")/clang
    }
    "$compiler" -Wall -Wextra -Werror -shared -fPIC -O1 -o "$2" "$project/Tests/System/$1"
}

# --- the daemon -----------------------------------------------------------------------------------------------------

# start_daemon ARGUMENTS...: starts it in place, on the temporary folder, and returns when it is ready.
start_daemon() {
    "$bin/likenessd" --state "$state" --socket "$sock" "$@" >>"$log" 2>&1 &
    daemon_pid=$!
    wait_for "the daemon is ready" curl -sf -o /dev/null --max-time 20 --unix-socket "$sock" http://d/readyz
}

stop_daemon() {
    kill "$daemon_pid"
    wait "$daemon_pid" || fail "the daemon ended with status $?"
    daemon_pid=
}

kill_daemon() {
    kill -9 "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null || true
    daemon_pid=
}

# The client, asking this daemon.
likeness() { LIKENESS_SOCKET=$sock "$bin/likeness" "$@"; }

api() { # METHOD PATH [CURL ARGUMENTS]
    local method=$1 path=$2
    shift 2
    curl -sS --fail-with-body --max-time "$timeout_s" --unix-socket "$sock" -X "$method" "http://d$path" "$@"
}

# holds FILTER FILE: the jq filter is true of the file. status_has FILTER: it is true of the daemon's status.
holds() { jq -e "$1" "$2" >/dev/null; }
status_has() { api GET /v1/status | jq -e "$1" >/dev/null; }

# wait_idle: all roots are scanned and nothing is waiting, three times in a row.
wait_idle() {
    local quiet=0
    while [ $quiet -lt 3 ]; do
        wait_for "the daemon is idle" is_idle
        quiet=$((quiet + 1))
        sleep 0.25
        is_idle || quiet=0
    done
}
is_idle() { status_has '.counts.waiting == 0 and all(.roots[]; .state != "scanning")'; }

# list ROUTE MEMBER FILTER FILE: writes a whole list, page by page: what the jq filter makes of each entry, sorted.
list() {
    local cursor='' page
    while :; do
        page=$(api GET "$1?limit=1000${cursor:+&cursor=$cursor}")
        jq -r ".$2[] | $3" <<<"$page"
        cursor=$(jq -r '.next // empty' <<<"$page")
        [ -n "$cursor" ] || break
    done | LC_ALL=C sort >"$4"
}

# list_images FILE: every image as "PATH<TAB>SHA256". list_failures FILE: every failed file as "PATH<TAB>KIND<TAB>MESSAGE".
list_images() { list /v1/images images '"\(.path)\t\(.sha256)"' "$1"; }
list_failures() { list /v1/failures failures '"\(.path)\t\(.kind)\t\(.message)"' "$1"; }

# list_folder FOLDER FILE: what lies in a folder, as list_images writes it.
list_folder() {
    find "$1" -type f -name '*.jpg' ! -name '.*' -print0 | xargs -0 -r sha256sum | sed -E 's/^([0-9a-f]{64})  (.*)$/\2\t\1/' |
        LC_ALL=C sort >"$2"
}

peak_memory_bytes() { awk '/VmHWM/ { print $2 * 1024 }' "/proc/$daemon_pid/status"; }
resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$daemon_pid/status"; }
descriptors() { find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l; }
