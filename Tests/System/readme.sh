#!/usr/bin/env bash
# Runs the README's commands as they are written, with a temporary home folder. A function replaces `sudo` and installs below one
# folder, so that nothing else on this machine changes.
source "$(dirname "$0")/lib.sh"
require curl jq
require_shared
prefix=$work/prefix
export HOME=$work/home
mkdir -p "$HOME/Pictures" "$HOME/Scans" "$work/here"
cp "$shared"/data/corel1k/{1,2,3,4,5,6,7,8,9}.jpg "$HOME/Pictures"
cp "$shared"/data/corel1k/{901,902}.jpg "$HOME/Scans"
cp "$shared/data/corel1k/3.jpg" "$work/here/photo.jpg"
cp "$shared/models/vgg19-slim.safetensors" "$work/here"
on_exit() { "$project/systemd/install.sh" --prefix "$prefix" --uninstall --purge >/dev/null 2>&1 || true; }

# blocks: the lines of the README's `sh` blocks.
awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$project/README.md" >"$work/commands"
check "the README has commands" test "$(wc -l <"$work/commands")" -ge 10
check "its first two are the promised ones" grep -q '^sudo systemd/install.sh ~/Pictures' "$work/commands"
check "its second command exists" test -x "$project/$(grep -o '^Tests/run.sh' "$work/commands")"

sudo() { "$@" --prefix "$prefix" --no-service --no-packages --binaries "$bin"; }
PATH=$prefix/bin:$PATH
export S=$prefix/run/likeness/likeness.sock
# The commands mean the installed client.
unset -f likeness
number=0
while read -r line; do
    case $line in Tests/run.sh*) continue ;; systemd/install.sh* | sudo*) cd "$project" ;; *) cd "$work/here" ;; esac
    echo "\$ $line"
    (set -o pipefail && eval "$line") </dev/null >"$work/output" 2>"$work/errors" || {
        cat "$work/output" "$work/errors"
        fail "the README's command failed: $line"
    }
    head -n 5 "$work/output"
    case $line in
        sudo*) likeness watch --wait "$HOME/Pictures" >/dev/null ;;
        likeness\ watch*) likeness rescan --wait >/dev/null ;;
        *model\ use*)
            likeness rescan --wait >/dev/null
            check "the folders are kept through a change of model" test "$(likeness status --json | jq .counts.images)" = 11
            ;;
        likeness\ search\ photo.jpg* | *curl*)
            check "it finds the copy first" grep -q '^ *1\(\.0*\)\?[^0-9].*/Pictures/3.jpg$\|^ *0\.999.*/Pictures/3.jpg$' \
                <(head -n 1 "$work/output")
            ;;
    esac
    number=$((number + 1))
done <"$work/commands"
check "$number commands of the README work" test $number -ge 10
finish
