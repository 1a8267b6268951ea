#!/usr/bin/env bash
# Convolutions next to the peers, alternately in one run: medians and the ratio to the fastest. Not part of Tests/run.sh.
#   PYTHON=venv/bin/python Tests/System/compare-embed.sh [--rounds 5] [--batch 8] [--threads 2] [--bench PATH]
# PYTHON has the packages of ../shared/peers/requirements.txt.
set -euo pipefail

cd "$(dirname "$0")/../.."
rounds=5 batch=8 threads=2 bench=.build/release/likeness-bench
while [ $# -gt 0 ]; do
    case "$1" in
        --rounds | --batch | --threads | --bench)
            [ $# -ge 2 ] || { echo "compare-embed: $1 lacks its value" >&2; exit 2; }
            printf -v "${1#--}" %s "$2"
            shift 2
            ;;
        *) echo "compare-embed: unknown option $1" >&2; exit 2 ;;
    esac
done
peers=(onnxruntime openvino ncnn tensorflow)
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
for ((round = 1; round <= rounds; round++)); do
    "$bench" embed --backend cpu --weights random:vgg16 --batch "$batch" --threads "$threads" --seconds 4 |
        jq -c '{who: "likeness", images_per_second}' >>"$rows"
    for peer in "${peers[@]}"; do
        "${PYTHON:-python3}" ../shared/peers/embed.py --batch "$batch" --threads "$threads" --rounds 3 --peers "$peer" 2>/dev/null |
            jq -c '{who: .peer, images_per_second}' >>"$rows"
    done
done
jq -s --argjson batch "$batch" --argjson threads "$threads" '
    def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;
    group_by(.who) | map({(.[0].who): {median: (map(.images_per_second) | median), rounds: map(.images_per_second)}}) | add
    | {batch: $batch, threads: $threads, medians: map_values(.median), rounds: map_values(.rounds),
       ratio_to_fastest_peer: (.likeness.median / ([to_entries[] | select(.key != "likeness") | .value.median] | max))}' "$rows"
