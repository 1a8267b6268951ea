#!/usr/bin/env bash
# Tests `likeness model fetch` with the daemon, the client and a file server on loopback. Interrupted downloads are resumed, wrong files
# change nothing, and right ones are used. No other network is needed.
source "$(dirname "$0")/lib.sh"
require curl jq python3
export XDG_CACHE_HOME=$work/cache
cache=$work/cache/likeness
files=$work/files
requests=$work/requests
mkdir "$files"
server_pid=
on_exit() {
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
    wait 2>/dev/null || true
}

# A network of three convolutions with random weights, as safetensors with torchvision's names.
python3 - "$files/tiny.safetensors" <<'PY'
import json, random, struct, sys
chance = random.Random(3)
header, data = {}, b""
for index, (inputs, outputs) in zip((0, 2, 5), ((3, 16), (16, 16), (16, 32))):
    for kind, shape in (("weight", [outputs, inputs, 3, 3]), ("bias", [outputs])):
        count = 1
        for side in shape:
            count *= side
        numbers = struct.pack(f"<{count}f", *(chance.gauss(0, .1) for _ in range(count)))
        header[f"features.{index}.{kind}"] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
text = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + data)
PY
size=$(stat -c %s "$files/tiny.safetensors")
digest=$(sha256sum "$files/tiny.safetensors" | cut -d ' ' -f 1)

python3 "$project/Tests/System/fetch_server.py" "$files" "$requests" >"$work/port" &
server_pid=$!
wait_until test -s "$work/port"
server=http://127.0.0.1:$(cat "$work/port")

# manifest NAME STAGES DIGEST: writes NAME.json, prints its path.
manifest() {
    jq -n --arg name "$1" --argjson stages "$2" --arg digest "$3" --arg address "$server/whole/tiny.safetensors" \
        --argjson size "$size" '{$name, description: "three convolutions", licence: "CC0", defaultHead: "mean", $stages,
        preprocessing: {side: 64, geometry: {squash: {}}, channelOrder: "rgb", mean: [124, 116, 104], scale: [0.02, 0.02, 0.02]},
        source: {$address, format: "safetensors", bytes: $size, sha256: $digest}}' >"$work/$1.json"
    echo "$work/$1.json"
}
tiny=$(manifest tiny '[[16, 16], [32]]' "$digest")

# fetch CODE ARGUMENTS...: the exit status must be CODE.
fetch() { exits "$1" likeness model fetch "${@:2}"; }
models() { likeness model list --json | jq -r '.models[].name' | sort | tr '\n' ' '; }
kept() { stat -c %s "$cache/tiny.part" 2>/dev/null || echo none; }

check "without a daemon nothing is fetched" fetch 3 "$tiny"
check "and no server is asked" test ! -e "$requests"
start_daemon
before=$(models)
check "the list says what can be fetched" jq -e '[.fetchable[] | .name] | index("vgg16-keras") and index("vgg19-torchvision")' \
    <(likeness model list --json) >/dev/null

# A failure changes nothing.
check "an unknown name is refused" fetch 4 vgg61
check "and a neighbour" says "did you mean likeness model fetch vgg16?"
check "a file of another size is refused" fetch 5 vgg16 --from "$files/tiny.safetensors"
check "http to another machine is refused" fetch 2 vgg16 --from http://example.org/vgg16.h5
check "a redirect to http is not followed" fetch 5 "$tiny" --from "$server/redirect/tiny.safetensors"
check "a missing file is said with its status" fetch 5 "$tiny" --from "$server/whole/none"
check "and with it" says "status 404"
https_proxy=http://127.0.0.1:9 check "offline fails" fetch 5 vgg16
check "names the host" says "cannot reach storage.googleapis.com"
check "and the way by hand" says "likeness model fetch vgg16-keras --from FILE"
check "a wrong digest fails" fetch 5 "$(manifest wrong '[[16, 16], [32]]' "${digest//[0-7]/8}")"
check "names the one" says "$digest"
check "and the other" says "${digest//[0-7]/8}"
check "leaves no part" test ! -e "$cache/wrong.part"
check "another network is refused by the daemon" fetch 4 "$(manifest other '[[16], [16, 32]]' "$digest")"
check "which says both" says "VGG to conv2_1, widths 16-32, not "
check "no model was added by all this" test "$(models)" = "$before"

# A download breaks off, is interrupted and is resumed.
rm -f "$cache"/*.part "$requests"
check "a broken connection fails" fetch 5 "$tiny" --from "$server/cut/tiny.safetensors"
check "half is kept" test "$(kept)" = $((size / 2))
# The interrupt comes when more has arrived. Background processes of a script ignore SIGINT unless told otherwise.
LIKENESS_SOCKET=$sock env --default-signal=INT "$bin/likeness" model fetch "$tiny" --from "$server/slow/tiny.safetensors" \
    >/dev/null 2>&1 &
client=$!
has_more() { part=$(kept) && [ "$part" -gt $((size / 2)) ]; }
wait_until has_more
kill -INT $client
wait $client || true
part=$(kept)
check "an interrupt keeps more than that" test "$part" -gt $((size / 2)) -a "$part" -lt "$size"
check "the next command goes on" fetch 0 "$tiny"
check "where the other ended" grep -qx "/whole/tiny.safetensors bytes=$part-" "$requests"
check "the daemon has the model" jq -e '.models[] | select(.name == "tiny") | .default_head == "mean" and .licence == "CC0"' \
    <(likeness model list --json) >/dev/null
check "nothing is left in the cache" test -z "$(ls "$cache")"
rm "$requests"
check "what is there is not fetched again" fetch 0 "$tiny"
check "no server was asked" test ! -e "$requests"

check "it is switched to" fetch 0 "$tiny" --use
check "and used" status_has '.model.name == "tiny" and .head == "mean"'
check "a server without ranges is taken from too" fetch 0 "$(manifest again '[[16, 16], [32]]' "$digest")" \
    --from "$server/noranges/tiny.safetensors" --json
check "with the model as JSON" holds '.name == "again" and .in_use == false' "$work/out"
stop_daemon
finish
