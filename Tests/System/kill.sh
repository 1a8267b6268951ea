#!/usr/bin/env bash
# Tests kill -9 at random moments while photos are added, renamed and deleted: `Tests/System/kill.sh [ROUNDS]` (20).
# After each kill the daemon must open. Images that it had acknowledged (listed) and whose files still exist must be listed at once. When
# it has caught up, its list must equal the folder: nothing is missing, nothing is listed twice, and nothing deleted is found.
# The seed is printed; LIKENESS_SEED repeats a run's choices (not its timing).
source "$(dirname "$0")/lib.sh"
require curl jq sha256sum
require_shared
rounds=${1:-20}
seed=${LIKENESS_SEED:-$$}
RANDOM=$seed
echo "seed $seed, $rounds rounds"
photos=$work/photos
mkdir -p "$photos/a" "$photos/b/c"
sources=("$shared"/data/corel1k/*.jpg)
folders=("$photos" "$photos/a" "$photos/b" "$photos/b/c")
counter=0
churn_pid=
on_exit() { [ -z "$churn_pid" ] || kill -9 "$churn_pid" 2>/dev/null || true; }

# One change to the folder. A path is never used twice, so that a path seen before and after was there throughout.
# Every photo gets its own bytes (after the image's end, where decoders do not look): same picture, other content.
change() {
    local kind=$((RANDOM % 10)) target victim files
    counter=$((counter + 1))
    target=${folders[RANDOM % ${#folders[@]}]}/$1-$counter.jpg
    if [ $kind -lt 5 ]; then
        cp "${sources[RANDOM % ${#sources[@]}]}" "$work/incoming"
        echo "$target" >>"$work/incoming"
        if [ $((RANDOM % 2)) = 0 ]; then mv "$work/incoming" "$target"; else cp "$work/incoming" "$target"; fi
        return
    fi
    mapfile -t files < <(find "$photos" -name '*.jpg')
    [ ${#files[@]} -gt 0 ] || return 0
    victim=${files[RANDOM % ${#files[@]}]}
    if [ $kind -lt 8 ]; then
        mv "$victim" "$target"
    elif [ $kind = 8 ] || [ ${#files[@]} -gt 80 ]; then
        rm "$victim"
    else
        cp "$victim" "$target"
    fi
}

churn() {
    RANDOM=$((seed + $1))
    counter=0
    while :; do
        change "r$1"
        sleep 0.0$((RANDOM % 9))
    done
}

equals_folder() {
    list_images "$work/listed"
    diff "$work/folder" "$work/listed" >"$work/difference"
}

for _ in $(seq 30); do change r0; done
: >"$work/acknowledged"
for round in $(seq "$rounds"); do
    start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors"
    # Acknowledged before the kill and still in the folder: listed at once, before any scan has caught up.
    list_images "$work/listed"
    list_folder "$photos" "$work/folder"
    LC_ALL=C join -t $'\t' "$work/acknowledged" "$work/folder" | awk -F'\t' '$2 == $3 { print $1 "\t" $2 }' >"$work/expected"
    missing=$(LC_ALL=C comm -23 "$work/expected" "$work/listed")
    [ -z "$missing" ] || fail "round $round: acknowledged images are missing after the kill: $missing"
    wait_idle
    wait_for "round $round: the index (>) equals the folder (<)" equals_folder
    [ -z "$(cut -f1 "$work/listed" | uniq -d)" ] || fail "round $round: a path is listed twice"
    # Searches name nothing that is gone, and find what is there.
    query=$(shuf -n 1 --random-source=<(yes "$seed$round") "$work/folder" | cut -f1)
    api POST '/v1/search?limit=100' --data-binary "@$query" >"$work/answer"
    jq -e --arg path "$query" 'any(.results[]; .path == $path and .score >= 0.999)' "$work/answer" >/dev/null ||
        fail "round $round: $query does not find itself"
    while read -r path; do [ -e "$path" ] || fail "round $round: a search returned $path, which is deleted"; done \
        < <(jq -r '.results[].path' "$work/answer")
    churn "$round" &
    churn_pid=$!
    sleep "$((RANDOM % 2)).$((RANDOM % 10))$((RANDOM % 10))"
    list_images "$work/acknowledged"
    sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
    kill_daemon
    kill -9 "$churn_pid"
    wait "$churn_pid" 2>/dev/null || true
    churn_pid=
    echo "round $round: $(wc -l <"$work/folder") photos, killed"
done
check "$rounds kills: every acknowledged image is there, none double, none deleted" true
finish
