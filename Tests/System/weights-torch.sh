#!/usr/bin/env bash
# Tests weight files that PyTorch wrote (Debian's python3-torch), in both forms of torch.save. Every file of a network has the digest of
# the same weights as safetensors, the vectors are PyTorch's, a file that is no state dict is refused with what it is, and a short fuzz
# campaign starts from these files. LIKENESS_FUZZ_EXECUTIONS and LIKENESS_FUZZ_SEED change the campaign.
source "$(dirname "$0")/lib.sh"
cd "$project"

# Debian's Python, which sees Debian's packages.
python=/usr/bin/python3
files=$work/files
require jq "$python"
mkdir "$files"
"$python" Tests/System/weights_torch.py "$files"

digest() { "$bin/likeness-bench" weights --weights "$1" | jq -re .digest; }

# all_equal FOLDER: one digest, and both kinds of files.
all_equal() {
    local file first='' this
    for file in "$1"/*.safetensors "$1"/*.pth; do
        this=$(digest "$file") || return
        [ "${first:=$this}" = "$this" ] || { echo "$file differs" >&2; return 1; }
    done
}

for folder in "$files"/equal/*; do
    count=$(find "$folder" -type f | wc -l)
    check "$count files of the network ${folder##*/} hold the same numbers" all_equal "$folder"
done

# refused_by_name FILE: the reason, behind the path, has the beginning of the file's name.
refused_by_name() {
    local name message
    name=$(basename "$1" .pth)
    if message=$("$bin/likeness-bench" weights --weights "$1" 2>&1); then return 1; fi
    message=${message##*.pth}
    echo "  $message"
    [[ $message == *"${name%-*}"* ]]
}
for file in "$files"/refused/*; do check "${file##*/} is refused by name" refused_by_name "$file"; done
check "nothing that a file asked for was run" test ! -e "$files/owned"

# vectors_agree NAME FILE: cosine to PyTorch's vectors.
vectors_agree() {
    local cosine
    "$bin/likeness-bench" features --backend cpu --weights "$2" --input "$files/images.rgb" --output "$work/f.fvecs"
    cosine=$("$python" Tests/System/weights_torch.py compare "$work/f.fvecs" "$files/vectors-$1.txt")
    echo "  cosine $cosine"
    awk -v cosine="$cosine" 'BEGIN { exit !(cosine >= 0.999999) }'
}
for name in plain normalised; do
    check "vectors of $name are PyTorch's" vectors_agree $name "$files/equal/$name/state-archive.pth"
    check "vectors of $name are PyTorch's, older form" vectors_agree $name "$files/equal/$name/state-sequence.pth"
done

check "damaged files are refused or read, never more" "$bin/likeness-torture" fuzz --format torch --seeds "$files/seeds" \
    --executions "${LIKENESS_FUZZ_EXECUTIONS:-20000}" ${LIKENESS_FUZZ_SEED:+--seed "$LIKENESS_FUZZ_SEED"}

finish
