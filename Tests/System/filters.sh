#!/usr/bin/env bash
# Tests filters with the whole daemon: searches, lists and removals select images by the documents beside them, also after kill -9.
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
photos=$work/photos
mkdir -p "$photos/2020" "$photos/2021/05"
for i in $(seq 0 9); do cp "$shared/data/corel1k/$i.jpg" "$photos/2020/"; done
for i in $(seq 10 19); do cp "$shared/data/corel1k/$i.jpg" "$photos/2021/05/"; done
for i in $(seq 10 19); do
    printf '{"camera":"%s","year":2021,"rating":%d,"tags":["dog","n%d"]}' "$([ $((i % 2)) = 0 ] && echo X100 || echo M10)" $((i - 10)) "$i" \
        >"$photos/2021/05/$i.jpg.json"
done
# One picture twice, with two documents: both files share a vector, and each is matched by its own document.
cp "$photos/2021/05/10.jpg" "$photos/2020/copy.jpg"
printf '{"camera":"M10"}' >"$photos/2020/copy.json"
start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors" --backend cpu
wait_until status_has '.counts.images == 21'
wait_idle

# matches FILTER COUNT: the list has so many images, and its total says so.
matches() {
    local page
    page=$(api GET /v1/images -G --data-urlencode "filter=$1")
    [ "$(jq '.images | length' <<<"$page")" = "$2" ] && [ "$(jq .total <<<"$page")" = "$2" ]
}
check "a field equals" matches '{"camera":"X100"}' 5
check "a number lies in a range" matches '{"rating":{"$gte":3,"$lt":6}}' 3
check "an element of a list equals" matches '{"tags":"n12"}' 1
check "a path has a prefix" matches '{"path":{"$prefix":"2021/"}}' 10
check "a root is named" matches "{\"root\":\"$photos\"}" 21
check "what has no document matches not" matches '{"camera":{"$ne":"X100"}}' 16
check "parts are joined" matches '{"$or":[{"rating":0},{"path":"2020/3.jpg"}],"width":{"$gt":100}}' 2
check "nothing matches" matches '{"camera":"none"}' 0

search() { api POST "/v1/search?limit=50&filter=$(jq -rn --arg filter "$1" '$filter | @uri')" --data-binary "@$photos/2021/05/10.jpg"; }
search '{"camera":"M10"}' >"$work/found"
check "a search finds the copy whose document matches, first" holds '.results[0].path | endswith("/2020/copy.jpg")' "$work/found"
check "and all others that match, and no more" holds '.total == 6 and (.results | length) == 6 and all(.results[]; .document.camera == "M10")' "$work/found"
id=$(api GET /v1/images -G --data-urlencode 'filter={"tags":"n10"}' | jq '.images[0].id')
api POST /v1/search -H 'Content-Type: application/json' -d "{\"id\":$id,\"filter\":{\"rating\":{\"\$gt\":7}}}" >"$work/found"
check "a search by number takes a filter in its body" holds '(.results | length) == 2' "$work/found"
api GET "/v1/images/$id/similar" -G --data-urlencode 'filter={"year":2021}' >"$work/found"
check "more like it, of a year" holds '(.results | length) == 9' "$work/found"

refused() { ! api "$1" /v1/images -G --data-urlencode "filter=$2" >"$work/refusal" && jq -e --arg text "$3" '.kind == "bad-request" and (.detail | contains($text))' "$work/refusal" >/dev/null; }
check "a wrong filter is refused with its place" refused GET '{"$or":[{"year":{"$gte":null}}]}' '$or[0].year.$gte'
check "so is a removal of everything" refused DELETE '{}' 'every image'

# Documents change while the daemon runs.
printf '{"camera":"Z9"}' >"$photos/2020/3.jpg.json"
rm "$photos/2021/05/11.jpg.json"
mv "$photos/2021/05/12.jpg" "$photos/2020/12.jpg"
mv "$photos/2021/05/12.jpg.json" "$photos/2020/12.jpg.json"
eventually "a new document counts" matches '{"camera":"Z9"}' 1
eventually "one that went does not" matches '{"year":2021}' 9
eventually "a move counts" matches '{"path":{"$prefix":"2021/"}}' 9
eventually "with its document" matches '{"path":{"$prefix":"2020/"},"year":2021}' 1

check "the client lists" test "$(likeness list --filter '{"rating":{"$gte":5}}' --json | jq '.images | length')" = 5
check "and searches" test "$(likeness search "$photos/2020/1.jpg" --filter '{"camera":"Z9"}' --json | jq -r '.results[0].path')" = "$photos/2020/3.jpg"
status=0
likeness remove --filter '{"rating":{"$gte":5}}' 2>"$work/errors" || status=$?
check "it removes nothing unless told to" test $status = 2
check "and says how much that would be" grep -q 'matches 5 images' "$work/errors"
kill_daemon
start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors" --backend cpu
wait_idle
check "filters are as before after kill -9" matches '{"camera":{"$in":["X100","M10"]}}' 10
check "it removes by filter" likeness remove --filter '{"rating":{"$gte":5}}' --yes
check "what was removed is gone" matches '{"rating":{"$gte":5}}' 0
check "and nothing else" status_has '.counts.images == 16'
likeness rescan --wait >/dev/null 2>&1
check "its files stay out" status_has '.counts.images == 16'
stop_daemon
finish
