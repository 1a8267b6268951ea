#!/usr/bin/env bash
# Tests what may come to stand at a watched folder's path: `Tests/System/roots.sh [ROUNDS [IMAGES]]` (10 rounds, 120 images).
# Another folder, a bind mount, a new file system, an unmount (also a lazy one), a link with a new target; roots that cannot
# make sense; the state folder below a root; and a file system that is unmounted and mounted again ROUNDS times while IMAGES
# images are loaded from it. It runs in a mount namespace of its own.
if [ -z "${LIKENESS_NAMESPACE:-}" ]; then
    export LIKENESS_NAMESPACE=1
    # Without the rights of root, those of root in a user namespace are enough to mount a tmpfs.
    if unshare -m true 2>/dev/null; then exec unshare -m --propagation private bash "$0" "$@"; fi
    exec unshare -r -m --propagation private bash "$0" "$@"
fi
# shellcheck source=lib.sh
source "$(dirname "$0")/lib.sh"
require curl jq unshare mount umount
require_shared
rounds=${1:-10}
count=${2:-120}
root=$work/root
mapfile -t sources < <(find "$shared/data/corel1k" -name '*.jpg' | LC_ALL=C sort | head -n "$count")

on_exit() {
    # What is mounted below would be deleted with the folder.
    awk -v top="$work/" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r place; do
        umount -l "$place" || true
    done
}

start() { start_daemon --weights "$shared/models/vgg19-slim.safetensors" "$@"; }

root_has() { status_has "any(.roots[]; .path == \"$root\" and ($1))"; } # FILTER
is_live() { root_has '.state == "live" and .waiting_files == 0'; }
equals_folder() {
    is_live || return 1
    list /v1/images images "select(.path | startswith(\"$root/\")) | \"\(.path)\t\(.sha256)\"" "$work/images"
    list_folder "$root" "$work/expected"
    diff "$work/images" "$work/expected" >"$work/difference"
}
count_images() { api GET /v1/status | jq .counts.images; }
has_images() { [ "$(count_images)" -eq "$1" ]; }

# seen DESCRIPTION COMMAND...: as `eventually`, with the time that it took.
seen() {
    local start
    start=$(now_ms)
    eventually "$@"
    echo "   after $(($(now_ms) - start)) ms"
}

ids() { list /v1/images images '"\(.path)\t\(.id)"' "$1"; }

# --- what stands at the path ----------------------------------------------------------------------------------------

mkdir -p "$root" "$work/other" "$work/elsewhere"
cp "${sources[@]:0:6}" "$root"
cp "${sources[@]:6:3}" "$work/other"
start --root "$root"
eventually "six images are loaded" equals_folder
ids "$work/ids"

mv "$root" "$work/aside"
seen "a folder that was moved away is offline" root_has '.state == "offline" and (.detail | length > 0)'
check "its images stay" has_images 6
mv "$work/other" "$root"
seen "another folder in its place is looked through" equals_folder
cp "${sources[9]}" "$root"
seen "and watched" equals_folder
mv "$root" "$work/other"
mv "$work/aside" "$root"
eventually "the former one is back" equals_folder

rm -rf "$work/backup"
cp -r "$root" "$work/backup"
rm -rf "$root"
cp -r "$work/backup" "$root"
seen "a folder that was deleted and copied back is whole" equals_folder
cp "${sources[10]}" "$root"
seen "and watched" equals_folder
rm "$root/$(basename "${sources[10]}")"
eventually "also for deletions" equals_folder

mount --bind "$work/other" "$root"
seen "a bind mount over it is seen" equals_folder
check "nothing holds it" umount "$root"
seen "and that it ended" equals_folder

mount -t tmpfs none "$root"
seen "an empty file system over it is offline" root_has '.state == "offline" and (.detail | contains("empty"))'
check "and its images stay" has_images 6
cp "${sources[@]:11:2}" "$root"
seen "a file system with other files is looked through" equals_folder
check "it can be unmounted while it is watched" umount "$root"
seen "what was below is back" equals_folder
mount -t tmpfs none "$root"
cp "${sources[@]:13:2}" "$root"
eventually "a second one is seen" equals_folder
# Somebody's shell stands in it.
(cd "$root" && exec sleep 600) &
holder=$!
umount -l "$root"
mount -t tmpfs none "$root"
cp "${sources[@]:15:3}" "$root"
seen "after a lazy unmount the new one is seen, though the old one is still in use" equals_folder
cp "${sources[18]}" "$root"
eventually "and watched" equals_folder
kill "$holder"
umount "$root"
eventually "the folder is back" equals_folder

# --- links ----------------------------------------------------------------------------------------------------------

ln -s root "$work/link"
check "a link to a watched folder is that folder" exits 0 likeness watch "$work/link"
check "and not another" status_has '.roots | length == 1'
mkdir "$work/"{first,second}
cp "${sources[20]}" "$work/first"
cp "${sources[21]}" "$work/second"
ln -s first "$work/album"
check "a folder may be given by a link" exits 0 likeness watch "$work/album"
album_has() { status_has "any(.roots[]; .path == \"$work/album\" and ($1))"; }
shows() { # ROOT FILE: exactly this one
    list /v1/images images 'select(.path | startswith("'"$1"'/")) | .sha256' "$work/shown"
    sha256sum <"$2" | cut -d' ' -f1 | diff - "$work/shown" >"$work/difference"
}
eventually "its images have the link's name" shows "$work/album" "${sources[20]}"
ln -sfn second "$work/album"
seen "a new target of the link is followed" shows "$work/album" "${sources[21]}"
stop_daemon
start --root "$root"
check "after a restart there is one root for it" status_has '[.roots[] | select(.path | test("album|first|second"))] | length == 1'
ln -sfn / "$work/album"
seen "a link to / takes its root offline with the reason" album_has '.state == "offline" and (.detail | contains("whole system"))'
ln -sfn second "$work/album"
eventually "and back" album_has '.state == "live"'
check "a link is unwatched by its name" exits 0 likeness unwatch "$work/album"

# --- folders that cannot be watched, and those that come back -------------------------------------------------------

for path in / /proc /sys /dev "$state" "$state/collections"; do
    check "$path is refused" exits 4 likeness watch "$path"
    check "with the reason" grep -qE "whole system|kernel's own|state folder" "$work/err"
done
check "a configured folder can be unwatched" exits 0 likeness unwatch "$root"
check "and it is said that it comes back" grep -q 'watched again when the daemon starts next' "$work/err"
stop_daemon
start --root "$root"
eventually "as it does" equals_folder

# --- the state folder below a root ----------------------------------------------------------------------------------

stop_daemon
inner=$root/state
mkdir "$inner"
outer=$state
state=$inner
start --root "$root"
eventually "a root that holds the state folder is loaded without it" is_live
check "the state folder is one entry that a rule leaves out" root_has '.excluded_files.rule == 1 and .failed_files == 0'
sleep 3
written() { awk '/^write_bytes/ { print $2 }' "/proc/$daemon_pid/io"; }
before=$(written)
sleep 5
echo "   $(($(written) - before)) bytes written in 5 idle seconds"
check "and nothing is read or written for it" [ "$(($(written) - before))" -lt 1000000 ]
stop_daemon
state=$outer
rm -rf "$inner"

# --- many files at once ---------------------------------------------------------------------------------------------

if [ "$count" -ge 110 ]; then
    mkdir "$work/big"
    cp "${sources[@]}" "$work/big"
    start
    root=$work/big
    check "a folder with more files than go at once" exits 0 likeness watch "$root"
    eventually "is loaded" equals_folder
    ids "$work/ids"
    mv "$root" "$work/aside"
    mkdir "$root"
    cp "${sources[0]}" "$root"
    seen "another folder in its place is told" root_has '.state == "replaced" and (.detail | contains("--accept-missing"))'
    sleep 12
    check "and nothing is removed, however long it stands there" has_images "$((count + 6))"
    check "status warns of it" status_has 'any(.warnings[]; .kind == "root-replaced")'
    stop_daemon
    start
    eventually "also after a restart" root_has '.state == "replaced"'
    rm -rf "$root"
    mv "$work/aside" "$root"
    seen "the former one is back" equals_folder
    ids "$work/difference"
    check "with the images that it had" cmp "$work/ids" "$work/difference"
    mv "$root" "$work/aside"
    mkdir "$root"
    cp "${sources[0]}" "$root"
    eventually "it is away again" root_has '.state == "replaced"'
    check "somebody says that it is gone for good" exits 0 likeness rescan --accept-missing "$root"
    seen "and it is" has_images 7
    check "the folder is let go" exits 0 likeness unwatch "$root"
    stop_daemon
    root=$work/root
fi

# --- unmounted and mounted again during a load ----------------------------------------------------------------------

# A second mount of the file system keeps it while the first one is away, as a disk that is unplugged keeps its files.
mkdir "$work/disk" "$work/mounted"
mount -t tmpfs -o size=1g none "$work/disk"
root=$work/mounted
mount --bind "$work/disk" "$root"
start
check "a mounted folder is watched" exits 0 likeness watch "$root"
# An empty folder that had no files is not away.
cp "${sources[0]}" "$work/disk/first.jpg"
eventually "and its first image loaded" has_images 7
each=$(((count + rounds - 1) / rounds))
offline_ms=0 back_ms=0
for round in $(seq "$rounds"); do
    # Some before it goes, some while it is away.
    for source in "${sources[@]:$(((round - 1) * each)):$each}"; do
        cp "$source" "$work/disk/$round-$(basename "$source")"
        [ $((RANDOM % 3)) -eq 0 ] || continue
        if mountpoint -q "$root"; then
            if [ $((round % 3)) -eq 0 ]; then
                umount -l "$root"
            else
                # It is busy for as long as a file is being read.
                until umount "$root" 2>/dev/null; do sleep 0.02; done
            fi
            start_ms=$(now_ms)
            wait_until root_has '.state == "offline"'
            took=$(($(now_ms) - start_ms))
            [ "$took" -le "$offline_ms" ] || offline_ms=$took
        fi
    done
    mountpoint -q "$root" || mount --bind "$work/disk" "$root"
    start_ms=$(now_ms)
    wait_until root_has '.state != "offline"'
    took=$(($(now_ms) - start_ms))
    [ "$took" -le "$back_ms" ] || back_ms=$took
done
echo "   $rounds rounds: seen to be away after at most $offline_ms ms, to be back after at most $back_ms ms"
eventually "everything is loaded after $rounds rounds" equals_folder
check "each image once" status_has ".counts.images == (.roots[] | select(.path == \"$root\") | .indexed_files) + 6"
check "no file failed for it" status_has '.counts.failed == 0'
check "nothing holds the file system at the end" umount "$root"
stop_daemon

finish
