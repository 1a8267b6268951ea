#!/usr/bin/env bash
# kill -9 of the index engine: `Tests/System/torture.sh [ROUNDS]` (24 lives of each, the index itself and the whole collection).
# likeness-torture starts itself on a store with small thresholds and kills it in the middle of inserts, deletes, updates,
# checkpoints, repairs, changes of the codes' range and growth of the map; the oracle is the log in its own pipe.
# Every line of JSON names its seed.
source "$(dirname "$0")/lib.sh"
require jq
rounds=${1:-24}
for subject in index catalog; do
    "$bin/likeness-torture" torture --subject $subject --rounds "$rounds" --store "$work/$subject" >"$work/report" ||
        fail "$subject: $(cat "$work/report")"
    cat "$work/report"
    check "$subject: it was killed in many phases" \
        holds '.kills >= 10 and (.kills_by_phase | length) >= 4' "$work/report"
    check "$subject: nothing acknowledged is lost, no delete is resurrected, no write is torn, nothing is damaged" \
        holds '[.lost, .resurrected_deletes, .torn_writes, .damaged, .miscounted, .dangling] | add == 0' "$work/report"
    check "$subject: inserts and deletes were looked at" \
        holds '.inserts_checked > 1000 and .deletes_checked > 500' "$work/report"
done
finish
