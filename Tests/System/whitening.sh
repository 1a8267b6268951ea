#!/usr/bin/env bash
# Tests whitening with the whole daemon: it is learned from 1,000 photos without reading one again, interrupted by kill -9, and taken back exactly.
#   Tests/System/whitening.sh [HEAD...]     (mean); each head prints its precision@5 with and without
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
photos=$(cd "$shared/data/corel1k" && pwd -P)
heads=("$@")
[ $# -gt 0 ] || heads=(mean)

# answers FILE: the eleven nearest of every tenth photo, by path, a line for each photo.
answers() {
    local number
    for number in $(seq 0 10 999); do
        likeness search --json --limit 11 "$photos/$number.jpg" | jq -c '[.results[] | [.path, .score]]'
    done >"$1"
}

# records FILE: all images with all of their members.
records() { api GET '/v1/images?limit=1000' | jq -c '.images[]' >"$1"; }

# Of the five nearest others of each photo, the share that is of its class (number / 100).
precision() {
    jq -s --arg folder "$photos/" '
        [to_entries[] | (.key * 10) as $query
         | [.value[] | .[0] | ltrimstr($folder) | rtrimstr(".jpg") | tonumber | select(. != $query)][0:5][]
         | if (. / 100 | floor) == ($query / 100 | floor) then 1 else 0 end] | add / length' "$1"
}

own_first() {
    jq -s --arg folder "$photos/" '
        [to_entries[] | .value[0][0] == "\($folder)\(.key * 10).jpg" and .value[0][1] >= 0.999] | all' "$1" | grep -q true
}

status_is() { [ "$(api GET /v1/status | jq "$1")" = "$2" ]; }

for head in "${heads[@]}"; do
    state=$work/state-$head
    arguments=(--root "$photos" --weights "$shared/models/vgg19-slim.safetensors" --head "$head" --backend cpu)
    start_daemon "${arguments[@]}"
    wait_until status_is .counts.images 1000
    wait_idle
    records "$work/images"
    answers "$work/plain"

    start=$(now_ms)
    likeness model whiten 2>"$work/said"
    echo "$head: whitening is on after $(($(now_ms) - start)) ms"
    check "$head: the command says what it learned from" grep -q "learned from [0-9,]* vectors" "$work/said"
    check "$head: the status says so too" status_is '.whitening.vectors >= 256' true
    records "$work/images.whitened"
    check "$head: every image is as it was, its id too" cmp "$work/images" "$work/images.whitened"
    check "$head: nothing was embedded again" status_is .work.images 0
    answers "$work/whitened"
    check "$head: every photo finds itself first with score >= 0.999" own_first "$work/whitened"
    check "$head: the answers are others than before" bash -c '! cmp -s "$1" "$2"' - "$work/plain" "$work/whitened"
    echo "$head: precision@5 $(precision "$work/plain"), whitened $(precision "$work/whitened")"

    # kill -9 while the collection is rewritten: afterwards it is the plain one or the whitened one, never a mixture.
    digest=$(api GET /v1/status | jq .whitening.sha256)
    for delay in 0.005 0.02 0.05 0.1 0.2; do
        likeness model whiten --off >/dev/null 2>&1 &
        client=$!
        sleep "$delay"
        kill_daemon
        kill "$client" 2>/dev/null || true
        wait "$client" 2>/dev/null || true
        start_daemon "${arguments[@]}"
        wait_idle
        answers "$work/after"
        if status_is .whitening null; then
            check "$head: killed after $delay s: all of the plain collection" cmp "$work/plain" "$work/after"
            likeness model whiten 2>/dev/null
            check "$head: learned anew, it is the same whitening" status_is .whitening.sha256 "$digest"
        else
            check "$head: killed after $delay s: all of the whitened collection" cmp "$work/whitened" "$work/after"
        fi
    done

    likeness model whiten --off 2>/dev/null
    check "$head: off is off" status_is .whitening null
    records "$work/images.plain"
    check "$head: every image is as it was" cmp "$work/images" "$work/images.plain"
    answers "$work/again"
    check "$head: the answers are exactly the first ones" cmp "$work/plain" "$work/again"
    check "$head: one generation is left" bash -c '[ "$(find "$1/collections" -name data.mdb | wc -l)" = 1 ]' - "$state"
    stop_daemon
done
finish
