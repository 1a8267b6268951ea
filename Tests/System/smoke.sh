#!/usr/bin/env bash
# Tests the first steps of a new user: install below a folder, search, drop a photo, use every command, install again, uninstall. The
# photos are generated here, so the script runs anywhere.
source "$(dirname "$0")/lib.sh"
require curl jq python3
prefix=$work/prefix
photos=$work/photos
likeness=$prefix/bin/likeness
broken=$work/broken.jpg
mkdir "$photos"

on_exit() { "$project/systemd/install.sh" --prefix "$prefix" --uninstall --purge >/dev/null 2>&1 || true; }

# make_photo SEED FILE: writes a PNG of soft coloured waves, which depends on the seed alone.
make_photo() {
    python3 - "$1" "$2" <<'PY'
import math, os, random, struct, sys, zlib
seed, path = int(sys.argv[1]), sys.argv[2]
chance = random.Random(seed)
width, height = 160, 120
waves = [[(chance.uniform(-.2, .2), chance.uniform(-.2, .2), chance.uniform(0, 6.3)) for _ in range(3)] for _ in range(3)]
def value(channel, x, y):
    return int(127.5 + 42 * sum(math.sin(a * x + b * y + c) for a, b, c in waves[channel]))
rows = b"".join(b"\0" + bytes(value(c, x, y) for x in range(width) for c in range(3)) for y in range(height))
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
with open(path + ".part", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
               + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
os.rename(path + ".part", path)
PY
}

install() { "$project/systemd/install.sh" --prefix "$prefix" --no-service --no-packages --binaries "$bin" "$photos" "$@" >>"$log" 2>&1; }
images() { "$likeness" status --json | jq .counts.images; }
# A process that nobody waited for stays as a zombie, without a program.
is_gone() { ! readlink "/proc/$1/exe" >/dev/null; }
first_path() { awk 'NR == 1 { sub(/^ *[-0-9.]+  /, ""); print }'; }

for seed in $(seq 12); do make_photo "$seed" "$photos/photo $seed.png"; done
head -c 300 "$photos/photo 1.png" >"$photos/broken.png"
printf '\xff\xd8\xff\xe0 not a photo' >"$broken"

check "it installs below a folder and starts" install
check "the folder is loaded" exits 0 "$likeness" watch --wait "$photos"
check "all photos are searchable" test "$(images)" = 12
check "the broken one is a failure with a reason" jq -e '.failures | length == 1 and .[0].path == $path' \
    --arg path "$photos/broken.png" <("$likeness" failures --json) >/dev/null

for seed in 3 7; do
    "$likeness" search "$photos/photo $seed.png" >"$work/found"
    check "photo $seed finds itself first" test "$(first_path <"$work/found")" = "$photos/photo $seed.png"
    check "with a score of at least 0.999" awk 'NR == 1 { exit !($1 >= 0.999) }' "$work/found"
    check "and nine others" test "$(wc -l <"$work/found")" = 10
done
check "the search of the README by curl" jq -e '.results | length == 5' <(
    curl -sS --unix-socket "$(cat "$prefix/etc/likeness/socket")" --data-binary "@$photos/photo 3.png" \
        'http://d/v1/search?limit=5'
) >/dev/null
check "standard input is searched" exits 0 "$likeness" search --json - <"$photos/photo 3.png"

# A photo is dropped while the daemon is idle; the time until a search finds it is printed.
finds() { [ "$("$likeness" search --limit 1 "$1" | first_path)" = "$2" ]; }
worst=0
for seed in 21 22 23; do
    make_photo "$seed" "$work/new.png"
    cp "$work/new.png" "$photos/dropped $seed.png"
    start=$(now_ms)
    eventually "a dropped photo is found" finds "$work/new.png" "$photos/dropped $seed.png"
    took=$(($(now_ms) - start))
    [ $took -le $worst ] || worst=$took
done
echo "a dropped photo was found after $worst ms at most"

id=$("$likeness" search --json --limit 1 "$photos/photo 5.png" | jq '.results[0].id')
check "more like a stored image" exits 0 "$likeness" search --id "$id" --limit 3
check "which leaves it out" jq -e --argjson id "$id" '[.results[].id] | length == 3 and (index($id) | not)' \
    <("$likeness" search --id "$id" --limit 3 --json) >/dev/null
check "show" exits 0 "$likeness" show "$id"
check "list" test "$("$likeness" list --all --json | jq '.images | length')" = 15
check "remove" exits 0 "$likeness" remove "$id"
check "what was removed is gone" exits 1 "$likeness" show "$id"
check "status" exits 0 "$likeness" status
check "version" exits 0 "$likeness" version
check "model list" exits 0 "$likeness" model list
check "the included model is in use, and trained" jq -e '.model.name == "likeness-slim-2" and (.model.untrained | not)' \
    <("$likeness" status --json) >/dev/null
check "doctor" exits 0 "$likeness" doctor
check "rescan" exits 0 "$likeness" rescan --wait "$photos"
check "wrong usage is 2" exits 2 "$likeness" serch photo.jpg
check "no daemon is 3" exits 3 "$likeness" status --socket "$work/nobody.sock"
check "a broken photo is refused with 4" exits 4 "$likeness" search "$broken"
check "a missing photo fails with 5" exits 5 "$likeness" search "$work/missing.jpg"

if [ -d "$shared/models" ]; then
    check "a model is imported" exits 0 "$likeness" model import "$shared/models/vgg19-slim.safetensors" --name slim
    check "and used" exits 0 "$likeness" model use slim --head mean
    check "status names it" jq -e '.model.name == "slim" and .head == "mean"' <("$likeness" status --json) >/dev/null
    check "everything is loaded anew" exits 0 "$likeness" rescan --wait
    check "and searchable" test "$("$likeness" search "$photos/photo 3.png" | first_path)" = "$photos/photo 3.png"
fi

before=$(cat "$prefix/var/lib/likeness/likenessd.pid")
count=$(images)
check "installing again works" install
check "it replaces the daemon" test "$(cat "$prefix/var/lib/likeness/likenessd.pid")" != "$before"
check "the old one is gone" is_gone "$before"
check "and nothing is loaded again" test "$(images)" = "$count"
check "unwatch" exits 0 "$likeness" unwatch "$photos"
after=$(cat "$prefix/var/lib/likeness/likenessd.pid")
check "it uninstalls" "$project/systemd/install.sh" --prefix "$prefix" --uninstall --purge
check "the daemon is gone" is_gone "$after"
check "nothing is left" test ! -e "$prefix"
check "the photos are" test "$(find "$photos" -name '*.png' | wc -l)" = 16
finish
