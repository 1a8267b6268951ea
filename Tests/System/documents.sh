#!/usr/bin/env bash
# Tests documents and names with the whole daemon: bad documents are listed until they are good or gone, Takeout's names are
# known, whole numbers of 64 bits are exact, and files whose names are not UTF-8 can be opened by what is answered.
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
photos=$work/photos
mkdir -p "$photos/takeout"
for i in 0 1 2 3; do cp "$shared/data/corel1k/$i.jpg" "$photos/"; done
cp "$shared/data/corel1k/4.jpg" "$photos/takeout/IMG_1.jpg"
cp "$shared/data/corel1k/5.jpg" "$photos/takeout/IMG_1(1).jpg"
printf '{"title":"one"}' >"$photos/takeout/IMG_1.jpg.supplemental-metadata.json"
printf '{"title":"two"}' >"$photos/takeout/IMG_1.jpg.supplemental-metadata(1).json"
printf '{"id":1234567890123456788}' >"$photos/0.json"
printf '{"id":1234567890123456789}' >"$photos/1.json"
printf '{\n  "id": 2,\n}' >"$photos/2.jpg.json"
printf '{"id":3}' | iconv -f UTF-8 -t UTF-16 >"$photos/3.jpg.json"
printf '{' >"$photos/package.json"
first=$photos/$'\xfe'.jpg second=$photos/$'\xff\n'.jpg
cp "$shared/data/corel1k/6.jpg" "$first"
cp "$shared/data/corel1k/7.jpg" "$second"
printf '{' >"$photos/"$'\xfe'.json
start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors" --backend cpu
wait_until status_has '.counts.images == 8'
wait_idle

# matches FILTER COUNT: the list has so many images.
matches() { [ "$(api GET /v1/images -G --data-urlencode "filter=$1" | jq .total)" = "$2" ]; }
# listed NAME REASON: the failure of that file begins with the reason.
listed() {
    api GET /v1/failures | jq -e --arg path "$photos/$1" --arg reason "$2" \
        '.failures | any(.path == $path and .kind == "invalid-document" and (.message | startswith($reason)))' >/dev/null
}
failures_are() { [ "$(api GET /v1/failures | jq '.failures | length')" = "$1" ]; }

eventually "bad documents are listed, and nothing else is" failures_are 3
check "a trailing comma with its line and column" listed 2.jpg.json 'a name in quotes is missing at line 3, column 1'
check "another encoding by its name" listed 3.jpg.json 'the text is UTF-16'
check "they are failures of their folder, and the counts add up" \
    status_has '.roots[0] | .failed_files == 3 and .excluded_files.document == 5 and .entries == 16'
check "Takeout's documents are read" matches '{"title":{"$in":["one","two"]}}' 2
check "the numbered one is that of the numbered image" matches '{"title":"two","path":{"$prefix":"takeout/IMG_1(1)"}}' 1

printf '{"id":2}' >"$photos/2.jpg.json"
eventually "one that is good now is a document" matches '{"id":2}' 1
rm "$photos/3.jpg.json"
eventually "one that is good and one that is gone are no failures" failures_are 1
kill_daemon
printf '{"id":' >"$photos/2.jpg.json"
rm "$photos/"$'\xfe'.json
start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors" --backend cpu
wait_idle
eventually "what became bad while the daemon was down is listed" listed 2.jpg.json 'the text ends early'
eventually "what went meanwhile is not" failures_are 1
eventually "and is no document any more" matches '{"id":2}' 0
mv "$photos/2.jpg" "$photos/elsewhere.jpg"
eventually "a bad document without an image is none" failures_are 0

# Names are bytes.
likeness list --all -0 >"$work/paths"
names() {
    local path
    while IFS= read -r -d '' path; do [ "$path" != "$1" ] || return 0; done <"$work/paths"
    return 1
}
check "names that are not UTF-8 are listed" names "$first"
check "with line feeds, too" names "$second"
check "there are as many as images" test "$(tr -cd '\0' <"$work/paths" | wc -c)" = 8
check "and every path is that of a file" xargs -0 -n 1 -a "$work/paths" test -f
encoded=$(api GET /v1/images | jq -r '[.images[] | select(.path_bytes)] | map(.path_bytes) | sort | .[1]')
check "they come percent-encoded, too" test "$encoded" = "$(printf '%s' "$photos" | sed 's/ /%20/g')/%FF%0A.jpg"
check "and are found so" matches "{\"path_bytes\":\"$encoded\"}" 1
check "a pasted path is found" matches "{\"path\":\"$photos/0.jpg\"}" 1
check "a pasted folder is found" matches "{\"path\":{\"\$prefix\":\"$photos/takeout/\"}}" 2

check "a number beyond 2^53 is shown as it is" test "$(likeness list --filter '{"path":"1.jpg"}' --json | grep -c '"id":1234567890123456789}')" = 1
check "it is removed" likeness remove --yes --filter '{"id":1234567890123456789}'
check "and not its neighbour" matches '{"id":1234567890123456788}' 1
stop_daemon
finish
