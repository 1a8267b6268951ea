#!/usr/bin/env bash
# Tests the daemon against hostile clients. Requests that are malformed, oversized, truncated, slow or too many are refused in the
# documented form, on the Unix socket and on the page's. Afterwards searches work, and neither descriptors nor memory have leaked.
source "$(dirname "$0")/lib.sh"
require curl jq python3
require_shared
photos=$work/photos
mkdir "$photos"
for i in $(seq 0 19); do cp "$shared/data/corel1k/$i.jpg" "$photos/"; done
start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors" --backend cpu --http 127.0.0.1:0
wait_until status_has '.counts.images == 20'
wait_idle
api GET /v1/page >"$work/page"
link=$(jq -r .url "$work/page")
port=$(sed -E 's#^http://127\.0\.0\.1:([0-9]+)/.*#\1#' <<<"$link")
token=${link##*#token=}
check "the page's link names the port in use" test "$port" -gt 1023
has_descriptors() { descriptor_count=$(descriptors) && [ "$descriptor_count" -le "$1" ]; }
has_memory() { memory_kb=$(resident_kb) && [ "$memory_kb" -lt "$1" ]; }
search_works() { api POST '/v1/search?limit=1' --data-binary "@$photos/7.jpg" | jq -e '.results[0].path | endswith("/7.jpg")' >/dev/null; }
check "a search works" search_works
# Caches and thread stacks exist before anything is compared.
for _ in $(seq 20); do search_works; done
sleep 1
descriptors_before=$(descriptors)
memory_before_kb=$(resident_kb)

check "hostile requests are answered as documented" python3 "$project/Tests/System/http_clients.py" \
    "$sock" "$port" "$token" "$shared/data" "$work"

check "the daemon lives" kill -0 "$daemon_pid"
check "a search still works" search_works
check "the status is readable" status_has '.counts.images == 20'
check "and says nothing but the truth of 20 photos" status_has '.counts.waiting == 0 and .counts.failed == 0'
eventually "no descriptor is lost" has_descriptors "$descriptors_before"
eventually "memory is back to normal" has_memory $((memory_before_kb + 32768))
echo "descriptors $descriptors_before -> $descriptor_count, resident $memory_before_kb -> $memory_kb kB"
check "nothing is left in the folder of uploads" test -z "$(ls -A "$state/tmp")"
stop_daemon
check "the socket's file is gone" test ! -e "$sock"
finish
