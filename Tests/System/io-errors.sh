#!/usr/bin/env bash
# Every system call that the store depends on fails, once and from then on: `Tests/System/io-errors.sh [full [CALL:ERRNO]]`.
# Two lives of likeness-torture for each: in one the k-th call fails, and the worker must go on by itself (once) or give up with
# the system's words (for ever), and not die; the next looks at everything that was acknowledged. `full` takes every k until no
# call is left to fail (every seventh write where writes fail for ever); without it a few. io_faults.c fails the k-th call;
# libfiu, which fails calls by chance, is the second opinion. At the end writes are left out behind the store's back: the judge
# has to notice.
source "$(dirname "$0")/lib.sh"
require jq fiu-run
mode=${1:-short}
only=${2:-}
shim=$work/io_faults.so
compile_preload io_faults.c "$shim"
# torture ARGUMENTS...: pairs of lives; the report in $work/report, what was wrong in $work/faults.
torture() {
    rm -rf "$work/store"
    "$bin/likeness-torture" torture --subject catalog --store "$work/store" --seed 5 "$@" >"$work/report" 2>"$work/faults"
}

# judge NAME: nothing is wrong, and the store took what the system refused for just that.
judge() {
    jq -c '{rounds, endings}' "$work/report"
    check "$1: no worker died, nothing acknowledged is lost or damaged, no delete is resurrected, no write is torn" \
        holds '[.lost, .resurrected_deletes, .torn_writes, .damaged, .miscounted] | add == 0' "$work/report"
    check "$1: no failure is taken for damage" \
        holds '[.endings | keys[] | test("damaged|corrupt|MDB_|Slot")] | any | not' "$work/report"
}

# sweep CALL ERRNO LASTING
sweep() {
    local call=$1 error=$2 lasting=$3 name amount=(--rounds 2 --stride 2)
    name="$call $error $([ "$lasting" = on ] && echo 'for ever' || echo once)"
    # Hundreds of calls write and flush, a handful do the rest.
    [[ $call != @(pwrite|writev|short|fdatasync) ]] || amount=(--rounds 2 --first 4 --stride 23)
    if [ "$mode" = full ]; then
        amount=(--rounds 1000000)
        # A life has 200 of them and more, and from the first on that fails for ever it matters little which it was.
        [[ $call != @(pwrite|short) || $error$lasting = EIOoff ]] || amount+=(--stride 7)
    fi
    torture --preload "$shim" --call "$call" --errno "$error" --lasting "$lasting" "${amount[@]}" ||
        fail "$name: $(cat "$work/report" "$work/faults")"
    judge "$name"
    if [ "$lasting" = off ]; then
        check "$name: the writer goes on by itself" holds '.endings["gave up"] == null' "$work/report"
    fi
}

for entry in pwrite:EIO pwrite:ENOSPC pwrite:EFBIG writev:EIO writev:ENOSPC short:EIO fdatasync:EIO fsync:EIO msync:EIO \
    mmap:ENOMEM open:EIO ftruncate:EIO; do
    [ -z "$only" ] || [ "$only" = "$entry" ] || continue
    for lasting in off on; do sweep "${entry%:*}" "${entry#*:}" $lasting; done
done

library=$(sed -n 's/^PLIBPATH="\(.*\)"$/\1/p' "$(command -v fiu-run)")
for chance in rw/pwrite=0.02 rw/writev=0.1 sync/fdatasync=0.05 oc/open=0.1; do
    [ -z "$only" ] || [ "$only" = fiu ] || continue
    FIU_ENABLE="enable_random name=posix/io/${chance%=*},probability=${chance#*=}"
    export FIU_ENABLE
    torture --preload "$library/fiu_run_preload.so:$library/fiu_posix_preload.so" --call chance \
        --rounds "$([ "$mode" = short ] && echo 2 || echo 50)" || fail "libfiu $chance: $(cat "$work/report" "$work/faults")"
    judge "libfiu $chance"
done

if torture --preload "$shim" --call lie --rounds 12; then fail "twelve writes were left out and nobody noticed"; fi
check "writes that are left out are noticed" grep -q . "$work/faults"
finish
