#!/bin/bash
# Compiles every kernel to spirv/ with Debian 12's glslc, validates it and writes the manifest. Run it after each change of a shader
# and commit the result: the build of the package needs no shader compiler.
#
#   Shaders/build.sh            rebuild spirv/
#   Shaders/build.sh --check    rebuild into a temporary folder; fail when spirv/ differs
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"

flags=(--target-env=vulkan1.2 -std=450core -O -Werror -I include)

# name, source, macros
kernels="
convolution_first_f32          convolution_first_f32.comp
convolution_3x3_f32_m256n16    convolution_3x3_f32.comp    -DTILE_PIXELS=256 -DTILE_CHANNELS=16
convolution_3x3_f32_m128n32    convolution_3x3_f32.comp    -DTILE_PIXELS=128 -DTILE_CHANNELS=32
convolution_3x3_f32_m64n64     convolution_3x3_f32.comp    -DTILE_PIXELS=64 -DTILE_CHANNELS=64
maxpool_2x2_f32                maxpool_2x2_f32.comp
head_reduce_f32                head_reduce_f32.comp
head_regions_f32               head_regions_f32.comp
head_rmac_f32                  head_rmac_f32.comp
head_normalise_f32             head_normalise_f32.comp
"

case "${1:-}" in
    "") output=spirv ;;
    --check) output=$(mktemp -d); trap 'rm -rf "$output"' EXIT ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "build.sh"; exit 2 ;;
esac
for tool in glslc spirv-val; do
    command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing: apt-get install glslc spirv-tools" >&2; exit 2; }
done

digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

mkdir -p "$output"
rm -f "$output"/*.spv
{
    echo '{'
    echo "  \"compiler\": \"$(glslc --version | tr '\n' ' ' | tr -s ' ' | sed 's/ *$//')\","
    echo "  \"flags\": \"${flags[*]}\","
    echo '  "kernels": ['
    separator=
    while read -r name source macros; do
        [ -n "$name" ] || continue
        # shellcheck disable=SC2086  # macros are words
        glslc "${flags[@]}" $macros -o "$output/$name.spv" "$source"
        spirv-val --target-env vulkan1.2 "$output/$name.spv"
        printf '%s    {"name": "%s", "source": "%s", "macros": "%s",\n' "$separator" "$name" "$source" "$macros"
        printf '     "source_sha256": "%s",\n' "$(digest "$source" include/*.glsl)"
        printf '     "spirv_sha256": "%s"}' "$(digest "$output/$name.spv")"
        separator=$',\n'
    done <<<"$kernels"
    printf '\n  ]\n}\n'
} >"$output/manifest.json"

if [ "$output" != spirv ]; then
    diff -r spirv "$output" >&2 || { echo "build.sh: spirv/ is stale: run Shaders/build.sh" >&2; exit 1; }
fi
