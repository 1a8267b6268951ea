#!/usr/bin/env bash
# Tests what people and programs do to files while the daemon watches: `Tests/System/watch.sh [ROUNDS]` (8).
# After each round the daemon must become quiet, and its list must equal the two folders in path, content and document, with nothing missing,
# double or stale. Images that were only renamed keep their ids and are not embedded again. The kinds of rounds take turns: changes while the
# daemon runs, renames only, more events than the kernel keeps, changes while it is stopped, a root that is away, a root that is empty.
# The seed is printed; LIKENESS_SEED repeats a run's choices (not its timing).
source "$(dirname "$0")/lib.sh"
require curl jq python3
require_shared
rounds=${1:-8}
seed=${LIKENESS_SEED:-$$}
kinds=(running names overflow stopped away running empty names)
changes=$project/Tests/System/watch_changes.py
mkdir "$work"/{one,two,outside,sources}
# shellcheck disable=SC2046 # names without spaces
cp $(find "$shared/data/corel1k" -name '*.jpg' | LC_ALL=C sort | sed -n '1~40p') "$work/sources"
echo "seed $seed, $rounds rounds"

start() { start_daemon --root "$work/one" --root "$work/two" --weights "$shared/models/vgg19-slim.safetensors"; }

# change ROUND COUNT KIND
change() { python3 "$changes" change "$((seed * 1000 + $1))" "$2" "$3" "$work"; }

equals_folder() {
    list /v1/images images tojson "$work/images.jsonl"
    list /v1/failures failures tojson "$work/failures.jsonl"
    python3 "$changes" compare "$work" >"$work/difference"
}

is_quiet() { status_has '.counts.waiting == 0 and all(.roots[]; .state == "live")'; }

is_settled() { is_quiet && equals_folder; }

# settle ROUND KIND: quiet and equal to the folders, and still so a little later.
settle() {
    local start
    start=$(now_ms)
    wait_for "round $1 ($2): the index equals the folders" is_settled
    echo "round $1 ($2): $(wc -l <"$work/images.jsonl") images, $(wc -l <"$work/failures.jsonl") failures, equal after $(($(now_ms) - start)) ms"
    status_has '([.roots[].indexed_files] | add) == .counts.images and ([.roots[].failed_files] | add) == .counts.failed' ||
        fail "round $1 ($2): the counts of the roots are wrong: $(api GET /v1/status | jq -c '[.counts, .roots]')"
    sleep 0.5
    equals_folder || fail "round $1 ($2): the index was equal and is no longer: $(cat "$work/difference")"
}

wait_offline() { wait_until status_has "any(.roots[]; .path == \"$1\" and .state == \"offline\")"; } # ROOT

count_images() { api GET /v1/status | jq .counts.images; }
count_embedded() { api GET /v1/status | jq .work.images; }

mkdir "$work/one/first" "$work/two/first"
change 0 60 any
start
settle 0 start
for round in $(seq "$rounds"); do
    kind=${kinds[(round - 1) % ${#kinds[@]}]}
    cp "$work/images.jsonl" "$work/before.jsonl"
    case $kind in
        running) change "$round" 60 any ;;
        names)
            embedded=$(count_embedded)
            change "$round" 30 renames
            ;;
        overflow)
            kill -STOP "$daemon_pid"
            change "$round" 15 any
            # Each makes four events or more; the kernel keeps 16,384.
            python3 -c 'import os, sys
for number in range(6000):
    path = f"{sys.argv[1]}/{number}.tmp"
    open(path, "w").close()
    os.remove(path)' "$work/one"
            cp "$work/disturbed" "$work/disturbed.first"
            change "$((round + 500))" 15 any
            cat "$work/disturbed.first" >>"$work/disturbed"
            kill -CONT "$daemon_pid"
            ;;
        stopped)
            stop_daemon
            change "$round" 40 any
            start
            ;;
        away)
            count=$(count_images)
            mv "$work/one" "$work/one.away"
            wait_offline "$work/one"
            sleep 1.5
            [ "$(count_images)" = "$count" ] || fail "round $round: images went with their folder"
            : >"$work/disturbed"
            mv "$work/one.away" "$work/one"
            ;;
        empty)
            count=$(count_images)
            stop_daemon
            mkdir "$work/held"
            find "$work/one" -mindepth 1 -maxdepth 1 -exec mv -t "$work/held" {} +
            start
            wait_offline "$work/one"
            sleep 1.5
            [ "$(count_images)" = "$count" ] || fail "round $round: images went with an empty folder"
            : >"$work/disturbed"
            find "$work/held" -mindepth 1 -maxdepth 1 -exec mv -t "$work/one" {} +
            rmdir "$work/held"
            ;;
    esac
    settle "$round" "$kind"
    if [ "$kind" = names ]; then
        [ "$(count_embedded)" = "$embedded" ] || fail "round $round: renames embedded $(($(count_embedded) - embedded)) images again"
    fi
    python3 "$changes" kept "$work" >"$work/kept" || fail "round $round ($kind): $(cat "$work/kept")"
done
check "$rounds rounds of changes: the index equals the folders, ids stay" true
check "the daemon stops in order" stop_daemon
finish
