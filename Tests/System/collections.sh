#!/usr/bin/env bash
# Tests many collections in one daemon. Each is searched by itself, one is removed while it loads, `kill -9` loses none and brings none
# back, and fifty empty ones cost little. The photos are generated here, so the script runs anywhere.
source "$(dirname "$0")/lib.sh"
require curl jq python3
photos=$work/photos

# make_photos FOLDER FIRST LAST: writes a PNG for each number, blocks of coloured noise that are unlike all others.
make_photos() {
    mkdir -p "$1"
    python3 - "$@" <<'PY'
import random, struct, sys, zlib
folder, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for number in range(first, last + 1):
    chance = random.Random(number)
    blocks = [bytes(chance.randrange(256) for _ in range(3 * 8)) for _ in range(8)]
    rows = b"".join(b"\0" + b"".join(row[3 * x:3 * x + 3] * 8 for x in range(8)) for row in blocks for _ in range(8))
    with open(f"{folder}/{number}.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PY
}

images() { likeness status --collection "$1" --json | jq .counts.images; }
has() { [ "$(images "$1")" -ge "$2" ]; }
paths() { likeness search --json --limit 100 --collection "$1" "$2" | jq -r '.results[].path'; }
# only FOLDER COLLECTION PHOTO COUNT: the search finds so many, all below the folder.
only() { paths "$2" "$3" >"$work/found" && [ "$(wc -l <"$work/found")" = "$4" ] && ! grep -qv "^$1/" "$work/found"; }
names() { likeness collections --json | jq -c '[.collections[].name]'; }
threads() { awk '/^Threads/ { print $2 }' "/proc/$daemon_pid/status"; }
mapped_gb() { awk '/^VmSize/ { print int($2 / 1024 / 1024) }' "/proc/$daemon_pid/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat"; }
# is_at_rest: over two seconds, the daemon takes at most a twentieth of a core. Processor time, so that others do not count.
is_at_rest() {
    local before
    before=$(ticks)
    sleep 2
    used=$(($(ticks) - before))
    [ $used -le 10 ]
}

make_photos "$photos/home" 1 8
make_photos "$photos/work" 101 106
make_photos "$photos/many" 201 500
arguments=(--backend cpu)
[ ! -d "$shared/models" ] || arguments+=(--weights "$shared/models/vgg19-slim.safetensors")
start_daemon "${arguments[@]}"

check "a collection is created" exits 0 likeness collections create work
check "its name is taken" exits 4 likeness collections create work
check "a name with a capital is refused" exits 4 likeness collections create Work
check "a folder for each" exits 0 likeness watch --wait "$photos/home"
check "and the other" exits 0 likeness watch --wait --collection work "$photos/work"
check "the standard one finds its own only" only "$photos/home" default "$photos/work/101.png" 8
check "so does the other" only "$photos/work" work "$photos/work/101.png" 6
check "which finds the photo itself first" test "$(paths work "$photos/work/103.png" | head -n 1)" = "$photos/work/103.png"
check "its images have numbers of their own" test "$(likeness list --collection work --json | jq -c '[.images[].id]')" = "[1,2,3,4,5,6]"
check "status counts them together" status_has '.counts.images == 14'
check "a folder belongs to one collection" exits 4 likeness watch --collection work "$photos/home"
check "and the refusal names it" says "of collection default"
check "an unknown name is refused" exits 4 likeness search --collection wrok "$photos/home/1.png"
check "with the names that there are" says "there are: default, work; did you mean work?"
check "the standard one stays" exits 4 likeness collections remove default --yes
check "nothing is removed unless it is meant" exits 2 likeness collections remove work
cp "$photos/home/1.png" "$photos/work/copy.png"
wait_until has work 7
check "the same bytes in both are found in both" test "$(paths work "$photos/home/1.png" | head -n 1)" = "$photos/work/copy.png"

# A collection is removed while it loads.
likeness collections create brief 2>/dev/null
likeness watch --collection brief "$photos/many" 2>/dev/null
wait_until has brief 1
check "one is removed while it loads" exits 0 likeness collections remove brief --yes
check "it is not listed" test "$(names)" = '["default","work"]'
check "nor searched" exits 4 likeness search --collection brief "$photos/home/1.png"
check "its photos stay" test "$(find "$photos/many" -name '*.png' | wc -l)" = 300
check "nothing of it is on disk" test "$(ls -A "$state/collections")" = "default
work"

# kill -9 while one is created and filled, and another is being removed.
likeness collections create second 2>/dev/null
likeness watch --collection second "$photos/many" 2>/dev/null
wait_until has second 20
listed=$(images second)
kill_daemon
mkdir "$state/collections/.removed-brief-1"
start_daemon "${arguments[@]}"
check "after kill -9 every collection is there" test "$(names)" = '["default","second","work"]'
check "with what it had acknowledged" test "$(images second)" -ge "$listed"
check "and its folder" status_has ".roots | map(select(.collection == \"second\").path) == [\"$photos/many\"]"
check "what was being removed is not" test ! -e "$state/collections/.removed-brief-1"
check "each finds its own" only "$photos/home" default "$photos/work/101.png" 8
check "as before" only "$photos/work" work "$photos/work/101.png" 7

# Whitening is a collection's own; the daemon restarts in place for it.
wait_until has second 300
check "one is whitened" exits 0 likeness model whiten --collection second
check "which is its own" test "$(likeness collections --json | jq -c '[.collections[] | .whitening != null]')" = '[false,true,false]'
check "and searched so" test "$(paths second "$photos/many/300.png" | head -n 1)" = "$photos/many/300.png"

likeness collections remove second --yes 2>/dev/null &
client=$!
sleep 0.0$((RANDOM % 9))
kill_daemon
wait $client || true
start_daemon "${arguments[@]}"
case $(names) in
    '["default","work"]') check "killed while one is removed: it is gone" test ! -e "$state/collections/second" ;;
    *) check "killed while one is removed: it is whole" test "$(images second)" -ge "$listed" ;;
esac
likeness collections remove second --yes 2>/dev/null || true

# kill -9 while collections are created and removed: what was acknowledged holds, and every other one is complete or gone.
churn() {
    local number name
    for number in $(seq 50); do
        name=r$1-$number
        likeness collections create "$name" 2>/dev/null || return 0
        echo "made $name" >>"$work/journal"
        [ $((number % 3)) != 0 ] || continue
        echo "leaving $name" >>"$work/journal"
        likeness collections remove "$name" --yes 2>/dev/null || return 0
        echo "gone $name" >>"$work/journal"
    done
}
for round in $(seq 8); do
    : >"$work/journal"
    churn "$round" &
    client=$!
    sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
    kill_daemon
    wait $client
    start_daemon "${arguments[@]}"
    likeness collections --json | jq -r '.collections[].name' | LC_ALL=C sort >"$work/listed"
    # Only the last line on each name counts.
    awk '{ word[$2] = $1 } END { for (name in word) if (word[name] == "made") print name }' "$work/journal" |
        LC_ALL=C sort >"$work/wanted"
    awk '$1 == "gone" { print $2 }' "$work/journal" | LC_ALL=C sort >"$work/unwanted"
    [ -z "$(LC_ALL=C comm -23 "$work/wanted" "$work/listed")" ] || fail "round $round: one that was made is not there"
    [ -z "$(LC_ALL=C comm -12 "$work/unwanted" "$work/listed")" ] || fail "round $round: one that was removed is back"
    api GET /v1/collections | jq -e 'all(.collections[]; .problem == null)' >/dev/null || fail "round $round: one is damaged"
    [ "$(ls -A "$state/collections" | LC_ALL=C sort)" = "$(cat "$work/listed")" ] || fail "round $round: something is left over"
    grep '^r' "$work/listed" | while read -r name; do likeness collections remove "$name" --yes 2>/dev/null; done || true
done
check "8 kills while collections are created and removed: what was acknowledged holds" test "$(names)" = '["default","work"]'

# The cost of a further empty collection.
wait_idle
read -r memory thread_count descriptor_count < <(echo "$(resident_kb) $(threads) $(descriptors)")
for number in $(seq 50); do likeness collections create "empty-$number" 2>/dev/null; done
sleep 1
grown=$((($(resident_kb) - memory) / 50))
echo "an empty collection costs $grown KiB of memory, $((($(threads) - thread_count) / 50)) threads," \
    "$((($(descriptors) - descriptor_count) / 50)) descriptors," \
    "$(($(du -sk "$state/collections/empty-7" | cut -f1))) KiB of disk; $(mapped_gb) GiB of addresses are reserved in all"
check "an empty collection costs less than 1 MiB" test "$grown" -lt 1024
check "and two threads" test "$(($(threads) - thread_count))" -le 104
eventually "52 idle collections take less than a twentieth of a core" is_at_rest
echo "52 idle collections take $used ticks of 10 ms in 2 s"
for number in $(seq 51 62); do likeness collections create "empty-$number" 2>/dev/null; done
check "there is a limit" exits 4 likeness collections create too-many
check "which is told" says "64 collections, which is the most"
start=$(now_ms)
stop_daemon
start_daemon "${arguments[@]}"
echo "64 collections are ready $(($(now_ms) - start)) ms after the end began"
check "all are there after a restart" test "$(likeness collections --json | jq '.collections | length')" = 64
check "and searched" only "$photos/work" work "$photos/work/101.png" 7

# The settings name a collection.
stop_daemon
state=$work/other
start_daemon "${arguments[@]}" --root "set=$photos/home"
wait_idle
check "a folder of the settings makes its collection" test "$(images set)" = 8
stop_daemon
finish
