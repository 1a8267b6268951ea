#!/usr/bin/env bash
# Tests weight files that h5py wrote in every layout of Keras against the same weights as safetensors: the vectors must be equal bit by
# bit. For a file that cannot be read, the message says why.
source "$(dirname "$0")/lib.sh"
require /usr/bin/python3
# Debian's own Python, for python3-h5py.
/usr/bin/python3 "$project/Tests/System/weights_keras.py" "$work/keras" || fail "h5py wrote no files (package python3-h5py)"
cd "$work/keras"

features() { # WEIGHTS OUT.fvecs
    "$bin/likeness-bench" features --backend cpu --weights "$1" --input in.rgb --output "$2" >/dev/null 2>"$work/errors" || {
        cat "$work/errors" >&2
        return 1
    }
}
equals() { features "$1" "$work/keras.fvecs" && cmp "$2" "$work/keras.fvecs"; }
refuses() { # WEIGHTS WORDS: the message is one line with the file's name, and behind it the words
    ! features "$1" "$work/keras.fvecs" 2>/dev/null && [ "$(wc -l <"$work/errors")" -eq 1 ] &&
        grep -qF "$1" "$work/errors" && sed "s|.*$1||" "$work/errors" | grep -F "$2"
}

features w.safetensors w.fvecs
features many.safetensors many.fvecs
check "other weights give other vectors" test "$(cmp -s w.fvecs many.fvecs && echo equal)" = ''
for file in sound/*.h5; do
    case $file in */many.h5) expected=many.fvecs ;; *) expected=w.fvecs ;; esac
    check "$file gives the vectors of its weights" equals "$file" $expected
done
for file in refused/*.h5; do
    words=${file##*/}
    check "$file is refused for that" refuses "$file" "${words%.h5}"
done
head -c 20000 sound/keras2-earliest.h5 >short.h5
check "a file that ends early is refused" refuses short.h5 "but it ends after 20000"

finish
