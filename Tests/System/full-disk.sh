#!/usr/bin/env bash
# Tests a state folder without space, a small tmpfs: searches go on, and ingestion pauses with a reason and resumes by itself.
source "$(dirname "$0")/lib.sh"
require curl jq mount
require_shared
mkdir -p "$state"
mount -t tmpfs -o size=24m likeness-test "$state" || fail "mounting a tmpfs needs root"
on_exit() { umount -l "$state" 2>/dev/null || true; }
photos=$work/photos
mkdir "$photos"
sources=("$shared"/data/corel1k/*.jpg)
cp "${sources[@]:0:40}" "$photos"
start_daemon --root "$photos" --weights "$shared/models/vgg19-slim.safetensors"
eventually "40 photos are searchable" status_has '.counts.images == 40'
wait_idle
# Another file takes all but a few pages.
free=$(df --output=avail -k "$state" | tail -1)
head -c $(((free - 24) * 1024)) /dev/zero >"$state/ballast"
cp "${sources[@]:40:200}" "$photos"
eventually "ingestion pauses" status_has '.progress.paused != null'
echo "paused: $(api GET /v1/status | jq -r .progress.paused)"
check "a warning names the disk" status_has '[.warnings[].kind] | index("disk-full")'
api POST '/v1/search?limit=5' --data-binary "@${sources[0]}" >"$work/answer"
check "searches go on" holds '(.results | length) == 5 and .results[0].score >= 0.999' "$work/answer"
rm "$state/ballast"
eventually "ingestion resumed by itself" status_has '.counts.images == 240'
eventually "nothing is paused any more" status_has '.progress.paused == null'
stop_daemon
start_daemon --weights "$shared/models/vgg19-slim.safetensors"
check "all of it survives a restart" status_has '.counts.images == 240'
stop_daemon
finish
