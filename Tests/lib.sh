# shellcheck shell=bash
# What the scripts beside this file share: one daemon at a time on a temporary folder, and questions to it.
# A script sources this, calls `check` for each thing it proves, and ends with `finish`.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
shared=$project/../shared
bin=${LIKENESS_BIN:-$project/.build/release}
# The daemon names files without symbolic links, so the folder is named without them too.
work=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/likeness-test.XXXXXX")" && pwd -P)
state=$work/state
sock=$work/likeness.sock
log=$work/daemon.log
daemon_pid=
passed=0

cleanup() {
    local code=$?
    [ -z "$daemon_pid" ] || kill -9 "$daemon_pid" 2>/dev/null || true
    if declare -F on_exit >/dev/null; then on_exit; fi
    if [ $code -ne 0 ]; then
        echo "FAILED; the daemon's last lines:" >&2
        tail -n 20 "$log" >&2 2>/dev/null || true
    fi
    [ -n "${KEEP:-}" ] || rm -rf "$work"
    exit $code
}
trap cleanup EXIT

fail() { echo "FAIL: $*" >&2; exit 1; }

# check DESCRIPTION COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    "$@" || fail "$what"
    passed=$((passed + 1))
    echo "ok: $what"
}

finish() { echo "$passed passed, 0 failed"; }

require() {
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done
}

require_shared() { [ -d "$shared/data/corel1k" ] || fail "../shared/data is not beside the project"; }

now_ms() { date +%s%3N; }

# start_daemon ARGUMENTS...: in place, on the temporary folder; returns when it is ready.
start_daemon() {
    "$bin/likenessd" --state "$state" --socket "$sock" "$@" >>"$log" 2>&1 &
    daemon_pid=$!
    wait_ready
}

wait_ready() {
    local deadline=$(($(now_ms) + 120000))
    until curl -sf -o /dev/null --unix-socket "$sock" http://d/readyz 2>/dev/null; do
        kill -0 "$daemon_pid" 2>/dev/null || fail "the daemon ended before it was ready"
        [ "$(now_ms)" -lt $deadline ] || fail "the daemon is not ready after 120 s"
        sleep 0.02
    done
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

api() { # METHOD PATH [CURL ARGUMENTS]
    local method=$1 path=$2
    shift 2
    curl -sS --fail-with-body --max-time 60 --unix-socket "$sock" -X "$method" "http://d$path" "$@"
}

# holds FILTER FILE: the jq filter is true of the file. status_has FILTER: of the daemon's status.
holds() { jq -e "$1" "$2" >/dev/null; }
status_has() { api GET /v1/status | jq -e "$1" >/dev/null; }

# wait_idle [SECONDS]: all roots scanned, nothing waiting, twice in a row a moment apart.
wait_idle() {
    local limit=${1:-120} quiet=0
    local deadline=$(($(now_ms) + limit * 1000))
    while [ $quiet -lt 3 ]; do
        kill -0 "$daemon_pid" 2>/dev/null || fail "the daemon ended while it worked"
        if api GET /v1/status | jq -e '.counts.waiting == 0 and ([.roots[] | select(.state == "scanning")] | length == 0)' >/dev/null; then
            quiet=$((quiet + 1))
        else
            quiet=0
        fi
        [ "$(now_ms)" -lt $deadline ] || fail "the daemon is not idle after $limit s: $(api GET /v1/status | jq -c .progress)"
        sleep 0.25
    done
}

# list_images FILE: every image as "PATH<TAB>SHA256", sorted.
list_images() {
    local cursor='' page
    : >"$1.unsorted"
    while :; do
        page=$(api GET "/v1/images?limit=1000${cursor:+&cursor=$cursor}")
        jq -r '.images[] | "\(.path)\t\(.sha256)"' <<<"$page" >>"$1.unsorted"
        cursor=$(jq -r '.next // empty' <<<"$page")
        [ -n "$cursor" ] || break
    done
    LC_ALL=C sort "$1.unsorted" >"$1"
    rm "$1.unsorted"
}

# list_failures FILE: every failed file as "PATH<TAB>KIND<TAB>MESSAGE", sorted.
list_failures() {
    local cursor='' page
    : >"$1.unsorted"
    while :; do
        page=$(api GET "/v1/failures?limit=1000${cursor:+&cursor=$cursor}")
        jq -r '.failures[] | "\(.path)\t\(.kind)\t\(.message)"' <<<"$page" >>"$1.unsorted"
        cursor=$(jq -r '.next // empty' <<<"$page")
        [ -n "$cursor" ] || break
    done
    LC_ALL=C sort "$1.unsorted" >"$1"
    rm "$1.unsorted"
}

# The oracle: what lies in a folder, as list_images writes it.
list_folder() { # FOLDER FILE
    find "$1" -type f -name '*.jpg' ! -name '.*' -print0 | xargs -0 -r sha256sum | sed -E 's/^([0-9a-f]{64})  (.*)$/\2\t\1/' |
        LC_ALL=C sort >"$2"
}

peak_memory_bytes() { awk '/VmHWM/ { print $2 * 1024 }' "/proc/$daemon_pid/status"; }
