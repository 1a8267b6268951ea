#!/usr/bin/env bash
# Tests backup, verification and rebuilding with the whole daemon. A backup that is made while photos come opens as the collection that it
# was taken from, an interrupted one does not look complete, damage is named, and a damaged vector is embedded again.
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
photos=$work/photos
mkdir -p "$photos"
for number in $(seq 0 5 399); do cp "$shared/data/corel1k/$number.jpg" "$photos"; done
weights=$shared/models/vgg19-slim.safetensors
churn_pid=
on_exit() { [ -z "$churn_pid" ] || kill -9 "$churn_pid" 2>/dev/null || true; }

# flip OFFSET: turns one bit of the store.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$1" -N 1 "$store" | tr -d ' ')
    printf '%b' "\\0$(printf %03o $((byte ^ 32)))" | dd of="$store" bs=1 seek="$1" conv=notrunc status=none
}

# The nearest of some of the first photos, among those.
answers() {
    local number
    for number in $(seq 0 25 399); do
        likeness search --json --limit 200 "$shared/data/corel1k/$number.jpg" |
            jq -c --arg late "$photos/late" '[.results[] | select(.path | startswith($late) | not) | [.path, .score]][:10]'
    done >"$1"
}

start_daemon --root "$photos" --weights "$weights" --backend cpu
wait_until status_has '.counts.images == 80'
wait_idle
answers "$work/before"

# --- a backup while photos come -------------------------------------------------------------------------------------

(for number in $(seq 400 499); do cp "$shared/data/corel1k/$number.jpg" "$photos/late-$number.jpg"; sleep 0.02; done) &
churn_pid=$!
mkdir "$work/copies"
check "a backup is made while photos come" likeness backup "$work/copies/one"
check "so is a compact one" likeness backup --compact "$work/copies/two"
wait "$churn_pid"
churn_pid=
check "it is whole by its digests" likeness backup --check "$work/copies/one"
check "it is sound" "$bin/likenessd" --verify "$work/copies/one"
check "the compact one too" "$bin/likenessd" --verify "$work/copies/two"
check "a folder that holds something is refused" exits 2 likeness backup "$work/copies/one"
check "so is one in a watched folder" exits 2 likeness backup "$photos/copy"
check "so is one in the daemon's own" exits 2 likeness backup "$state/copy"
check "nothing was written there" test ! -e "$photos/copy" -a ! -e "$photos/copy.partial"
wait_until status_has '.counts.images == 180'
wait_idle
check "the running collection is sound" exits 0 likeness verify
check "a running one is not verified from outside" exits 2 "$bin/likenessd" --verify "$state"

# --- cut off ----------------------------------------------------------------------------------------------------------

for victim in client daemon; do
    # The function `likeness` is not used: the signal would end its shell and not the client.
    LIKENESS_SOCKET=$sock "$bin/likeness" backup "$work/copies/cut" >/dev/null 2>&1 &
    client=$!
    sleep 0.02
    if [ $victim = client ]; then kill -9 $client 2>/dev/null || true; else kill_daemon; fi
    wait $client 2>/dev/null || true
    if [ -e "$work/copies/cut" ]; then
        check "with the $victim killed late, it is whole" likeness backup --check "$work/copies/cut"
        rm -r "$work/copies/cut"
    else
        check "with the $victim killed, no folder looks like a backup" exits 5 likeness backup --check "$work/copies/cut"
    fi
done
start_daemon --root "$photos" --weights "$weights" --backend cpu
wait_idle
check "the next one replaces what was left" likeness backup "$work/copies/cut"
check "and leaves nothing else" test "$(ls "$work/copies" | tr '\n' ' ')" = "cut one two "
stop_daemon

# --- restore ----------------------------------------------------------------------------------------------------------

for copy in one two; do
    mv "$state" "$work/state-before-$copy"
    cp -a "$work/copies/$copy" "$state"
    start_daemon --root "$photos" --weights "$weights" --backend cpu
    answers "$work/restored"
    check "the restored collection answers as before ($copy)" cmp "$work/before" "$work/restored"
    eventually "what came after the backup is found ($copy)" status_has '.counts.images == 180'
    wait_idle
    check "and nothing else is embedded ($copy)" status_has '.counts.images == 180 and .work.images <= 100'
    stop_daemon
done

# --- damage -----------------------------------------------------------------------------------------------------------

store=$(find "$state" -name data.mdb)
cp "$store" "$work/sound.mdb"
size=$(stat -c %s "$store")
told=0
for part in $(seq 1 20); do
    # A bit is turned in a byte somewhere in the file. Only damage of pages in use can be found.
    offset=$((size * part / 21))
    flip $offset
    code=0
    "$bin/likenessd" --verify "$state" >"$work/said" || code=$?
    if [ $code = 5 ]; then told=$((told + 1)); else test $code = 0 || fail "verify ended with $code"; fi
    cp "$work/sound.mdb" "$store"
done
check "changed bytes are told ($told of 20), and none ends it" test $told -ge 5

# A byte of a vector: no tool says where vectors lie, so bytes are changed until the daemon names a vector's checksum.
offset=0
for part in $(seq 1 400); do
    at=$((size * part / 401))
    flip $at
    "$bin/likenessd" --verify "$state" >"$work/said" || true
    if grep -q ': vec slot [0-9]*: checksum' "$work/said"; then offset=$at; break; fi
    cp "$work/sound.mdb" "$store"
done
check "a changed byte of a vector is named" test $offset -gt 0
start_daemon --root "$photos" --weights "$weights" --backend cpu
wait_idle
check "beside the daemon, too" exits 5 likeness verify
check "by its slot" grep -qh '^damaged vec slot [0-9]*: checksum' "$work/out" "$work/err"
check "rebuilding drops it" exits 0 likeness rebuild
check "and says so" grep -qh 'lost a damaged vector and will be read again' "$work/out" "$work/err"
eventually "its photo is read again" status_has '.counts.images == 180'
wait_idle
check "and no other" status_has '.counts.images == 180 and .counts.failed == 0 and .work.images == 1'
check "everything is sound again" exits 0 likeness verify
answers "$work/rebuilt"
check "and answers as before" cmp "$work/before" "$work/rebuilt"
stop_daemon
finish
