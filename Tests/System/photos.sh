#!/usr/bin/env bash
# Measures the whole daemon with 1,000 photos of ten classes: rate, memory, quality, restart. The README has these figures.
#   Tests/System/photos.sh                       the included model with its default head
#   Tests/System/photos.sh --slim [HEAD...]      ../shared/models/vgg19-slim.safetensors (max mean gem3 rmac)
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
photos=$(cd "$shared/data/corel1k" && pwd -P)
heads=(default)
if [ "${1:-}" = --slim ]; then
    shift
    heads=("$@")
    [ $# -gt 0 ] || heads=(max mean gem3 rmac)
fi
for head in "${heads[@]}"; do
    state=$work/state-$head
    options=(--root "$photos" --backend cpu)
    [ "$head" = default ] || options+=(--weights "$shared/models/vgg19-slim.safetensors" --head "$head")
    start=$(now_ms)
    start_daemon "${options[@]}"
    wait_until status_has '.counts.images == 1000'
    loaded=$(now_ms)
    wait_idle
    peak=$(peak_memory_bytes)
    list_images "$work/images"
    check "$head: all 1,000 photos are listed" test "$(wc -l <"$work/images")" = 1000
    # Each photo by its own bytes: itself first. Its five nearest others: how many are of its class (number / 100).
    own=0
    same=0
    for number in $(seq 0 999); do
        echo "url = \"http://d/v1/search?limit=6\""
        echo "data-binary = \"@$photos/$number.jpg\""
        echo "unix-socket = \"$sock\""
        echo "next"
    done >"$work/queries"
    sed -i '$d' "$work/queries"
    curl -sS --config "$work/queries" | jq -rc '[.results[] | [.path, .score]]' >"$work/answers"
    read -r own same < <(
        jq -s --arg folder "$photos/" -r '
            [to_entries[] | .key as $query | [.value[] | [(.[0] | ltrimstr($folder) | rtrimstr(".jpg") | tonumber), .[1]]]
             | { own: (.[0][0] == $query and .[0][1] >= 0.999),
                 same: ([.[] | .[0] | select(. != $query)][0:5] | map(select((. / 100 | floor) == ($query / 100 | floor))) | length) }]
            | "\(map(select(.own)) | length) \(map(.same) | add)"' "$work/answers"
    )
    check "$head: every photo finds itself first with score >= 0.999" test "$own" = 1000
    awk -v head="$head" -v ms=$((loaded - start)) -v peak="$peak" -v same="$same" 'BEGIN {
        printf "%s: %.1f images/s from start to searchable, peak memory %.0f MB, precision@5 %.3f\n",
            head, 1000000 / ms, peak / 1e6, same / 5000 }'
    check "$head: the peak memory is below 700 MB" test "$peak" -lt 700000000
    stop_daemon
    start=$(now_ms)
    start_daemon "${options[@]}"
    ready=$(($(now_ms) - start))
    wait_idle
    echo "$head: the second start is ready after $ready ms"
    check "$head: the second start embeds nothing" test "$(api GET /v1/status | jq .work.images)" = 0
    stop_daemon
done
finish
