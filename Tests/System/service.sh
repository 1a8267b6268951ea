#!/usr/bin/env bash
# Tests the daemon under a service manager, which Tests/System/service_manager.py plays: passed sockets, notifications, watchdog, restart in
# place with another model, and the messages when it cannot start.
source "$(dirname "$0")/lib.sh"
require curl jq python3
require_shared
photos=$work/pho:tos
mkdir "$photos"
for i in $(seq 0 9); do cp "$shared/data/corel1k/$i.jpg" "$photos/"; done
slim=$shared/models/vgg19-slim.safetensors

check "the service manager's protocol holds" python3 "$project/Tests/System/service_manager.py" "$bin" "$work" "$photos" "$shared/data/corel1k" "$slim"

# refused WORDS ARGUMENTS...: the daemon ends at once, says the words and leaves no socket.
refused() {
    local words=$1 code=0
    shift
    timeout "$timeout_s" "$bin/likenessd" "$@" >"$work/refusal" 2>&1 || code=$?
    [ $code -eq 1 ] || [ $code -eq 2 ] || { echo "exit status $code: $*"; return 1; }
    grep -qF -- "$words" "$work/refusal" || { cat "$work/refusal"; return 1; }
    [ ! -e "$work/other.sock" ]
}
other=(--socket "$work/other.sock" --weights "$slim" --backend cpu)
start_daemon --weights "$slim" --backend cpu --root "$photos" --root "$work/absent"
: >"$state/tmp/upload-1"
check "a second daemon is refused the state folder" refused "another daemon uses the state folder" --state "$state" "${other[@]}"
check "whatever its model" refused "another daemon uses the state folder" --state "$state" --socket "$work/other.sock"
check "and touched nothing of the first one's" test -e "$state/tmp/upload-1"
check "and the socket" refused "another daemon is running" --state "$work/state2" --weights "$slim" --socket "$sock"
eventually "a folder with a colon in its name is one folder" status_has '.counts.images == 10'
check "a missing folder of the settings is a warning" status_has '[.warnings[].kind] | index("root-unwatched")'
api GET /readyz >"$work/ready"
check "and a reason in readyz" holds '.ready and ([.checks[] | select(.name == "roots" and (.ok | not))] | length == 1)' "$work/ready"
mkdir "$work/absent"
cp "$photos/1.jpg" "$work/absent/one.jpg"
kill -HUP "$daemon_pid"
eventually "it is watched as soon as it is there" status_has '.counts.files == 11 and (.roots | length == 2)'
kill_daemon
start_daemon --weights "$slim" --backend cpu
check "after kill -9 it starts on the same state" status_has '.counts.files == 11'
check "and forgot what was half uploaded" test ! -e "$state/tmp/upload-1"
stop_daemon

head -c 1000000 "$slim" >"$work/cut.safetensors"
: >"$work/file"
check "damaged weights" refused "damaged or no weight file" --state "$work/s" --socket "$work/other.sock" --weights "$work/cut.safetensors"
check "missing weights" refused "No such file" --state "$work/s" --socket "$work/other.sock" --weights "$work/none.safetensors"
check "a file as state folder" refused "Not a directory" --state "$work/file" "${other[@]}"
check "a file in the socket's place" refused "not a socket" --state "$work/s" --socket "$work/file" --weights "$slim"
check "a page for the whole network" refused "127.0.0.1 or ::1 only" --state "$work/s" "${other[@]}" --http 0.0.0.0:0
check "no port" refused "not HOST:PORT" --state "$work/s" "${other[@]}" --http 8473
check "no such Vulkan device" refused "device" --state "$work/s" --socket "$work/other.sock" --weights "$slim" --backend vulkan --device 99
finish
