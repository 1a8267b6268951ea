# shellcheck shell=bash
# Starts, finds and stops the daemon without a service manager, by a pid file. It needs packages.sh.

# daemon_pid STATE: prints the process id of the running daemon, or fails. It compares the name of the program, so that a
# stale pid file never ends another process.
daemon_pid() {
    local pid program
    pid=$(cat "$1/likenessd.pid" 2>/dev/null) || return 1
    program=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
    [ "$(basename "${program% (deleted)}")" = likenessd ] || return 1
    printf '%s\n' "$pid"
}

# stop_in_place STATE: asks the daemon to stop, waits 30 s, then kills it. It does nothing when no daemon runs.
stop_in_place() {
    local pid count=0
    pid=$(daemon_pid "$1") || return 0
    kill "$pid" 2>/dev/null || true
    while daemon_pid "$1" >/dev/null; do
        count=$((count + 1))
        if [ $count -gt 300 ]; then
            say "warning: the daemon $pid did not stop within 30 s; killing it"
            kill -9 "$pid" 2>/dev/null || true
            sleep 0.5
            break
        fi
        sleep 0.1
    done
    rm -f "$1/likenessd.pid"
}

# start_in_place PREFIX STATE SOCKET FLAGS...: returns when the daemon answers.
start_in_place() {
    local prefix=$1 state=$2 socket=$3 log=$2/likenessd.log pid count=0
    shift 3
    setsid "$prefix/lib/likeness/likenessd" --state "$state" --socket "$socket" "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    printf '%s\n' "$pid" >"$state/likenessd.pid"
    until "$prefix/bin/likeness" version --socket "$socket" >/dev/null 2>&1; do
        count=$((count + 1))
        if ! kill -0 "$pid" 2>/dev/null || [ $count -gt 600 ]; then
            tail -n 15 "$log" >&2
            die "the daemon did not start" "its log is $log"
        fi
        sleep 0.1
    done
    disown "$pid" 2>/dev/null || true
}
