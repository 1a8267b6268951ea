#!/usr/bin/env bash
# Tests the included model. Its vectors are the same on every backend. Then a tiny model is trained in the same way: pictures come from a
# seed, an interrupted training resumes to the same weights, and the exported network computes what PyTorch computes.
source "$(dirname "$0")/lib.sh"
cd "$project"

# Debian's Python, which sees Debian's packages.
python=/usr/bin/python3
require curl jq "$python"
require_shared
name=likeness-slim-2

numbers() { "$python" Tests/System/model_numbers.py "$@"; }
# features MODEL OUT BACKEND HEADS
features() {
    "$bin/likeness-bench" features --weights "$1.safetensors" --preprocessing "$1.json" --input "$work/in.rgb" --output "$work/$2" \
        --backend "$3" --head "$4" >/dev/null
}

# --- the file -------------------------------------------------------------------------------------------------------
side=$(jq .preprocessing.side "Models/$name.json")
check "pictures to embed" numbers pictures "$side" 3 "$work/in.rgb"
for backend in reference cpu vulkan; do
    check "the model on $backend" features "Models/$name" "$backend.fvecs" "$backend" max,mean,gem3,rmac
done
check "the processor's vectors are the reference's" numbers alike 0.999999 "$work/reference.fvecs" "$work/cpu.fvecs"
check "and so are those by Vulkan" numbers alike 0.999999 "$work/reference.fvecs" "$work/vulkan.fvecs"
check "all of its dimensions say something" numbers lively "$work/reference.fvecs"
check "the card names the file's digest" grep -q "$(jq -r .weights.sha256 "Models/$name.json")" "Models/$name.md"

# --- what it finds ----------------------------------------------------------------------------------------------------
# 100 photos in a daemon without a setting for the model, and edited copies of some of them, made as Models/evaluate makes them.
photos=$work/photos
mkdir "$photos" "$work/copies"
for number in $(seq 0 10 999); do cp "$shared/data/corel1k/$number.jpg" "$photos"; done
check "edited copies are made" numbers copies "$photos" 6 "$work/copies"
start_daemon --root "$photos" --backend cpu
wait_until status_has '.counts.images == 100'
check "the daemon computes with it" test "$(api GET /v1/status | jq -r .model.name)" = "$name"
# found KIND: how many copies of this kind find their photo first.
found() {
    local copy original count=0
    for copy in "$work/copies/$1"-*.png; do
        original=${copy##*-}
        first=$(curl -sS --unix-socket "$sock" --data-binary "@$copy" 'http://d/v1/search?limit=1' | jq -r '.results[0].path')
        [ "$first" != "$photos/${original%.png}.jpg" ] || count=$((count + 1))
    done
    echo "$count"
}
mild=$(found mild)
heavy=$(found heavy)
echo "found first: $mild of 24 mildly edited copies, $heavy of 36 heavily edited ones"
check "mildly edited copies are found" test "$mild" -ge 24
check "and heavily edited ones, nearly all" test "$heavy" -ge 32
stop_daemon

# --- its training ----------------------------------------------------------------------------------------------------
train() { Models/train --preset tiny --python "$python" --folder "$work/$1" --side 32 --head gem3 --whiten 0 "${@:2}" >"$work/said" 2>&1; }
check "a training run in small" train whole
check "leaves its pictures" test -s "$work/whole/pictures.jpg" -a -s "$work/whole/edits.jpg" -a -s "$work/whole/loss.png"
# 12 steps of the first part, 9 of the second.
check "one that is cut after five steps" train cut --until 5
check "goes on" train cut --until 16
check "is cut in its second part" train cut --until 16
check "and goes on again" train cut
check "and ends with the same weights" cmp "$work/whole/likeness-tiny.safetensors" "$work/cut/likeness-tiny.safetensors"
check "and the same pictures" cmp "$work/whole/pool/pictures.u8" "$work/cut/pool/pictures.u8"
check "pictures to embed by both" numbers pictures 32 5 "$work/in.rgb"
check "the exported network here" features "$work/whole/likeness-tiny" tiny.fvecs reference gem3
check "is PyTorch's there" numbers exported "$work/whole" "$work/in.rgb" "$work/tiny.fvecs"
finish
