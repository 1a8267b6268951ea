#!/usr/bin/env bash
# Vulkan devices that fail: `Tests/System/vulkan-faults.sh [IMAGES FAULTS]` (400 images, 24 faults; the whole campaign is 2000 100).
# likeness-torture has the software device lost, hanging and out of memory in the middle of a load and compares every vector with
# the oracle's; vulkan_driver.c is a driver that crashes or hangs when it is listed, and the daemon has to serve all the same.
source "$(dirname "$0")/lib.sh"
require jq curl
images=${1:-400}
faults=${2:-24}

for run in "1 fp32" "2 fp16"; do
    devices=${run% *} tier=${run#* }
    name="$devices device(s), $tier"
    "$bin/likeness-torture" faults --images "$images" --faults "$faults" --devices "$devices" --tier "$tier" \
        >"$work/report" 2>"$work/faults.log" || fail "$name: $(cat "$work/report"; tail -n 20 "$work/faults.log")"
    cat "$work/report"
    check "$name: every vector is right, none is lost or double" \
        holds '.wrong + .lost + .double + .failed == 0 and .worst_cosine > 0.9999' "$work/report"
    check "$name: the faults happened" holds ".faults >= $faults and .losses > 0 and .hangs > 0" "$work/report"
    check "$name: the device came back" holds '.returns > 0 and .serving' "$work/report"
done

# --- drivers that crash or hang -----------------------------------------------------------------------------------------

driver=$work/libvulkan_faulty.so
compile_preload vulkan_driver.c "$driver"
printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}\n' "$driver" >"$work/icd.json"
# Both spellings: loaders before 1.3.234 know the second one only.
export VK_DRIVER_FILES=$work/icd.json VK_ICD_FILENAMES=$work/icd.json

# timed_start ARGUMENTS: sets `took`, in milliseconds.
timed_start() {
    local start
    start=$(now_ms)
    start_daemon "$@"
    took=$(($(now_ms) - start))
}
# The first start of all writes the model.
for _ in first second; do
    timed_start --backend cpu
    plain=$took
    stop_daemon
done
for fault in abort crash hang; do
    export FAULT=$fault
    timed_start
    echo "    $fault: ready after $took ms, $plain ms without a device"
    check "$fault: the processor computes" status_has '.device.backend == "cpu"'
    if [ $fault = hang ]; then
        check "$fault: the daemon is ready while the driver hangs" status_has '.device.graphics[0].state == "opening"'
    else
        eventually "$fault: it is tried again, and says why it is recovering" status_has \
            '.device.graphics[0] | .losses >= 2 and .state == "recovering" and (.reason | test("crashed"))'
        check "$fault: the warning is there" status_has '[.warnings[].kind] | index("device-lost") != null'
        api GET /metrics >"$work/metrics"
        check "$fault: the metrics count it" grep -q '^likeness_device_losses_total{.*} [1-9]' "$work/metrics"
        "$bin/likeness" status --socket "$sock" >"$work/status" || true
        check "$fault: likeness status shows it" grep -q 'graphics device recovering, [0-9]* lost' "$work/status"
    fi
    stop_daemon
done

unset FAULT VK_DRIVER_FILES VK_ICD_FILENAMES

# --- what there is -------------------------------------------------------------------------------------------------------

"$bin/likenessd" --probe-vulkan all --software-vulkan >"$work/probe" 2>/dev/null
tail -n 1 "$work/probe" >"$work/report"
check "the trial tries every tier of every device" holds \
    '.devices | length > 0 and all(.tiers | length == 4 and all(.reason != "not tried"))' "$work/report"
check "fp32 passes the self-test" holds 'any(.devices[].tiers[]; .name == "fp32" and .trusted)' "$work/report"
code=0
"$bin/likeness" doctor --socket "$work/none.sock" >"$work/doctor" || code=$?
check "without a daemon, doctor ends with 3" test $code -eq 3
check "and lists the devices, their tiers and limits" \
    bash -c "grep -q 'Vulkan device 0: llvmpipe' '$work/doctor' && grep -q 'cooperative: the driver has no VK_KHR' '$work/doctor' &&
        grep -q maxStorageBufferRange '$work/doctor'"
start_daemon --backend vulkan --software-vulkan --device 0,0
check "a device may be opened twice, and both serve" status_has '[.device.graphics[].state] == ["serving", "serving"]'
check "the pipelines are kept" bash -c "ls '$state'/vulkan/pipelines-*.bin"
"$bin/likeness" doctor --socket "$sock" >"$work/doctor" || true
check "with a daemon, doctor asks it" grep -q 'is serving in tier' "$work/doctor"
stop_daemon
finish
