#!/bin/bash
# Compiles every kernel of kernels.txt to spirv/, validates it and writes the manifest, and the header by which CShaders embeds them all.
# Run it after each change of a shader and commit the result: the build of the package needs no shader compiler. Two compilers, both pinned: Debian 12's glslc, and for cooperative
# matrices, which that does not know, the glslang inside the wheel slangpy (92 MB, fetched with pip into the cache folder).
#
#   Shaders/build.sh                  rebuild what changed since the manifest was written
#   Shaders/build.sh --all            rebuild everything
#   Shaders/build.sh --check          rebuild glslc's kernels into a temporary folder, compare the rest with the manifest; fail when
#                                     spirv/ differs
#   Shaders/build.sh --check --all    the same with both compilers
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"

flags=(--target-env=vulkan1.2 -std=450core -O -Werror -I include)
wheel_version=0.43.1
wheel=slangpy-$wheel_version-cp311-cp311-manylinux_2_34_x86_64.whl
wheel_sha256=965dbbd1d907c90e17027945780146a67c66baf766f3d0b8af3f52ea2c4a8eb9
library=slangpy/libslang-glslang-2026.12.so
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/likeness-shaders

check='' all=''
for argument in "$@"; do
    case "$argument" in
        --check) check=1 ;;
        --all) all=1 ;;
        *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' build.sh; exit 2 ;;
    esac
done
for tool in glslc spirv-val; do
    command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing: apt-get install glslc spirv-tools" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# The library out of the wheel, into $work.
fetch_wheel() {
    [ ! -f "$work/$library" ] || return 0
    if [ ! -f "$cache/$wheel" ]; then
        mkdir -p "$cache"
        python3 -m pip download --quiet --no-deps --only-binary=:all: --implementation cp --python-version 3.11 --abi cp311 \
            --platform manylinux_2_34_x86_64 --dest "$cache" "slangpy==$wheel_version" >&2
    fi
    echo "$wheel_sha256  $cache/$wheel" | sha256sum --check --quiet >&2 || {
        echo "build.sh: $cache/$wheel is not the pinned one: delete it and try again" >&2
        return 1
    }
    python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract(sys.argv[2], sys.argv[3])' \
        "$cache/$wheel" "$library" "$work"
}

# compile OUTPUT SOURCE COMPILER MACRO...
compile() {
    local output=$1 source=$2 compiler=$3
    shift 3
    if [ "$compiler" = glslc ]; then
        glslc "${flags[@]}" "${@/#/-D}" -o "$output" "$source"
        spirv-val --target-env vulkan1.2 "$output"
    else
        fetch_wheel
        # It validates with its own validator: Debian's does not know the extensions.
        python3 compile_wheel.py "$work/$library" "${compiler#slangpy:}" "$source" "$output" -I include "${@/#/-D}"
    fi
}

glslc_version=$(glslc --version | tr '\n' ' ' | tr -s ' ' | sed 's/ *$//')
mkdir -p spirv "$work/spirv"
{
    echo '{'
    echo "  \"compilers\": {"
    echo "    \"glslc\": \"$glslc_version, ${flags[*]}\","
    echo "    \"slangpy\": \"$wheel, sha256 $wheel_sha256\""
    echo '  },'
    echo '  "kernels": ['
    separator=
    while read -r name source compiler macros; do
        [[ -n "$name" && "$name" != \#* ]] || continue
        # The line counts as source: other macros make another binary.
        source_digest=$(digest "$source" include/*.glsl - <<<"$compiler $macros")
        row="{\"name\": \"$name\", \"source\": \"$source\", \"compiler\": \"$compiler\", \"macros\": \"$macros\","
        row+=$'\n'"     \"source_sha256\": \"$source_digest\","
        known=$(grep -A 2 -F "\"name\": \"$name\"," spirv/manifest.json 2>/dev/null || true)
        # A kernel whose row is as it was and whose binary is the listed one needs no compiler.
        if [[ -z "$all" && -f "spirv/$name.spv" && "$known" == *"$row"$'\n'*"$(digest "spirv/$name.spv")"* ]] &&
            [[ "$compiler" != glslc || -z "$check" ]]; then
            cp "spirv/$name.spv" "$work/spirv/"
        elif [[ "$compiler" != glslc && -n "$check" && -z "$all" ]]; then
            echo "build.sh: $name is stale" >&2
        else
            # shellcheck disable=SC2086  # macros are words
            compile "$work/spirv/$name.spv" "$source" "$compiler" $macros
        fi
        [ -f "$work/spirv/$name.spv" ] || continue
        printf '%s    %s\n     "spirv_sha256": "%s"}' "$separator" "$row" "$(digest "$work/spirv/$name.spv")"
        separator=$',\n'
    done <kernels.txt
    printf '\n  ]\n}\n'
} >"$work/spirv/manifest.json"

names=$(sed -E '/^(#|[[:space:]]*$)/d; s/[[:space:]].*//' kernels.txt)
{
    echo '/* Shaders/build.sh wrote this from Shaders/kernels.txt: every kernel, embedded by Sources/CShaders/shaders.c. */'
    for name in $names; do printf 'SPIRV %s[] = {\n#embed "%s.spv"\n};\n' "$name" "$name"; done
    echo 'static const CShaders_Module modules[] = {'
    for name in $names; do printf '    MODULE(%s),\n' "$name"; done
    echo '};'
} >"$work/spirv/kernels.h"

if [ -n "$check" ]; then
    diff -r spirv "$work/spirv" >&2 || { echo "build.sh: spirv/ is stale: run Shaders/build.sh" >&2; exit 1; }
else
    rm -f spirv/*
    cp "$work"/spirv/* spirv/
fi
