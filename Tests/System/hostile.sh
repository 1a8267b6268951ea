#!/usr/bin/env bash
# Tests a folder of 1,662 broken, unusual and huge images: the daemon keeps running, its memory stays below 1 GB, and every file is
# either searchable or a failure with a reason.
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
hostile=$(cd "$shared/data/hostile" && pwd -P)
start=$(now_ms)
start_daemon --root "$hostile" --weights "$shared/models/vgg19-slim.safetensors"
wait_idle
seconds=$((($(now_ms) - start) / 1000))
list_images "$work/images"
list_failures "$work/failures"
peak=$(peak_memory_bytes)
cut -f1 "$work/images" "$work/failures" | LC_ALL=C sort >"$work/rows"
tail -n +2 "$hostile/MANIFEST.tsv" | cut -f1 | sed "s#^#$hostile/#" | LC_ALL=C sort >"$work/files"
echo "$(wc -l <"$work/images") searchable, $(wc -l <"$work/failures") errors, peak memory $((peak / 1048576)) MiB, $seconds s"
cut -f2 "$work/failures" | sort | uniq -c
missing=$(LC_ALL=C comm -23 "$work/files" "$work/rows" | grep -vE '/\.[^/]*$' || true)
check "every file has a row" test -z "$missing" || echo "$missing"
check "no file is both searchable and an error" test -z "$(uniq -d "$work/rows")"
check "every error has a kind and a reason" test "$(awk -F'\t' '$2 == "" || $3 == ""' "$work/failures" | wc -l)" = 0
check "the peak memory is below 1 GB" test "$peak" -lt 1000000000
# What Pillow reads as JPEG or PNG is searchable, but for the files named in the README.
tail -n +2 "$hostile/MANIFEST.tsv" | awk -F'\t' '$4 == "ok" && ($5 == "JPEG" || $5 == "MPO" || $5 == "PNG") { print $1 }' |
    sed "s#^#$hostile/#" | LC_ALL=C sort >"$work/readable"
cut -f1 "$work/images" | LC_ALL=C sort >"$work/read"
LC_ALL=C comm -23 "$work/readable" "$work/read" | sed "s#^$hostile/##" >"$work/unread"
unlisted=0
while read -r path; do
    grep -qF "$(basename "$path")" "$project/README.md" || { echo "not read, not in the README: $path" && unlisted=1; }
done <"$work/unread"
check "every JPEG and PNG that Pillow reads is read, or the README says why not ($(wc -l <"$work/unread") listed)" test $unlisted = 0
api POST '/v1/search?limit=3' --data-binary "@$shared/data/corel1k/0.jpg" >"$work/answer"
check "searches still work" holds '.results | length == 3' "$work/answer"
stop_daemon
finish
