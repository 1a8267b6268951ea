#!/usr/bin/env bash
# Tests models that the onnx package wrote: their vectors are those of the same weights in a safetensors file.
source "$(dirname "$0")/lib.sh"
# Debian's own, which sees Debian's packages.
python=/usr/bin/python3
require "$python"
"$python" -c 'import onnx' 2>/dev/null || fail "python3-onnx is not installed"
"$python" "$project/Tests/System/weights_onnx.py" "$work"

# features NAME: one row an image, by the network in a file.
features() {
    "$bin/likeness-bench" features --weights "$work/$1" --preprocessing torchvision --head max --backend cpu \
        --input "$work/images.rgb" --output "$work/$1.fvecs" >/dev/null
}

# refused NAME WORDS: the file is, with these words.
refused() {
    ! features "$1" 2>"$work/error" && grep -qF "$2" "$work/error"
}

for name in single half folded; do features "$name.safetensors"; done
for name in raw listed dropout bare classifier; do
    features "$name.onnx"
    check "$name.onnx gives the rows of the same weights in safetensors" \
        cmp "$work/$name.onnx.fvecs" "$work/single.safetensors.fvecs"
done
for name in half half-listed; do
    features "$name.onnx"
    check "$name.onnx gives the rows of the same fp16 weights in safetensors" \
        cmp "$work/$name.onnx.fvecs" "$work/half.safetensors.fvecs"
done
features normal.onnx
distance=$("$python" "$project/Tests/System/weights_onnx.py" --distance "$work/normal.onnx.fvecs" "$work/folded.safetensors.fvecs")
check "batch normalisation: rows differ by $distance, at most 1e-6" \
    awk -v distance="$distance" 'BEGIN { exit !(distance <= 1e-6) }'
check "the normalised rows are others" test "$(cksum <"$work/normal.onnx.fvecs")" != "$(cksum <"$work/raw.onnx.fvecs")"
check "numbers in another file are refused" refused external.onnx "is in another file (ONNX external data)"
check "a stride of 2 is refused" refused strided.onnx "(Conv) has strides [2, 2], expected [1, 1]"
finish
