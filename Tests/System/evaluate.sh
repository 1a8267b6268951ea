#!/usr/bin/env bash
# Tests what Models/evaluate is built on: its metrics and its whitening against known numbers, and the features of likeness-bench, with several
# heads in one pass and with the preprocessing of a manifest.
source "$(dirname "$0")/lib.sh"
cd "$project"

# Debian's Python, which sees Debian's packages.
python=/usr/bin/python3
require jq "$python"
require_shared

numbers() { "$python" Tests/System/evaluate_numbers.py "$@"; }
check "precision, mAP and recall are those counted by hand" numbers metrics
check "whitened vectors have the similarities of PCA whitening" numbers whitening

photos=$shared/data/reference/photos8.rgb
weights=$shared/models/vgg19-slim.safetensors
heads=(max mean gem3 rmac)

# features OUT [OPTION...]
features() {
    "$bin/likeness-bench" features --backend cpu --weights "$weights" --output "$work/$1" "${@:2}" >"$work/said" 2>"$work/errors"
}

# refused WORD OPTION...: with one line that has the word.
refused() {
    ! features refused.fvecs "${@:2}" && [ "$(wc -l <"$work/errors")" -eq 1 ] && grep -q -- "$1" "$work/errors"
}

for head in "${heads[@]}"; do features "$head.fvecs" --input "$photos" --head "$head"; done
features all.fvecs --input "$photos" --head "$(IFS=,; echo "${heads[*]}")"
check "four heads in one pass are the four, bit for bit" numbers joined "$work/all.fvecs" "${heads[@]/%/.fvecs}" --folder "$work"
check "a head that there is not is refused" refused "rmac" --input "$photos" --head max,least
check "so is an empty one" refused "rmac" --input "$photos" --head max,

# manifest SIDE ORDER: Keras's preprocessing but for these.
manifest() {
    jq --argjson side "$1" --arg order "$2" '.preprocessing.side = $side | .preprocessing.channelOrder = $order' Models/vgg16-keras.json
}
manifest 224 bgr >"$work/same.json"
manifest 224 rgb >"$work/order.json"
manifest 96 bgr >"$work/side.json"
features same.fvecs --input "$photos" --head max --preprocessing "$work/same.json"
check "a manifest with Keras's preprocessing gives what keras gives" cmp "$work/same.fvecs" "$work/max.fvecs"
numbers swapped "$photos" "$work/swapped.rgb"
features order.fvecs --input "$work/swapped.rgb" --head max --preprocessing "$work/order.json"
check "a manifest's order of channels counts" cmp "$work/order.fvecs" "$work/max.fvecs"
head -c $((5 * 96 * 96 * 3)) "$photos" >"$work/five.rgb"
features side.fvecs --input "$work/five.rgb" --head max,mean --preprocessing "$work/side.json"
check "a manifest's side counts" grep -q '"images":5,"side":96,' "$work/said"
check "pixels of another side are refused" refused "no multiple of 27648" --input "$photos" --preprocessing "$work/side.json"
finish
