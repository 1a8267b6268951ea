#!/usr/bin/env bash
#   Tests/run.sh                      every test, the one command; within 30 minutes on two cores
#   Tests/run.sh --only kill          one stage by its name, after what it needs
#   Tests/run.sh --one-by-one         one stage after the other, where two run at a time otherwise
#   Tests/run.sh --optimise-all       unit-release takes every target, not only those where optimised code matters most
#   Tests/run.sh --sanitize thread    the unit tests under sanitizers (thread; or address, leaks and undefined C)
#   Tests/run.sh --list               the stages
#
# Installs the packages that tests need if any is missing. The last line is `N passed, 0 failed`, and the exit status is 0,
# only when everything that this machine can run did run and passed. What needs ../shared (photos, hostile files,
# reference features) is named as not run where that folder is absent, and may not be skipped where it is there.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=../systemd/lib/packages.sh
. systemd/lib/packages.sh
# shellcheck source=../systemd/lib/toolchain.sh
. systemd/lib/toolchain.sh

# Scripts of System/, in their order; all must be there. Those that take longest come first.
scripts=(kill io-errors vulkan-faults watch roots collections whitening backup documents model torture service http evaluate
    smoke filters hostile full-disk readme fetch weights-torch weights-keras weights-onnx units)
stages=(build unit unit-release lint shaders release "${scripts[@]}")
# Only ends a script that hangs.
script_limit_s=1200
# What systemd/install.sh builds, so that the scripts test what is installed.
release_folder=.build-install

only='' sanitizer='' lane_count=2 optimise_all=''
while [ $# -gt 0 ]; do
    case "$1" in
        --only)
            only=${2:-}
            [[ " ${stages[*]} " == *" $only "* && -n "$only" ]] || die "no stage is called '$only'" "Tests/run.sh --list"
            shift
            ;;
        --one-by-one) lane_count=1 ;;
        --optimise-all) optimise_all=wanted ;;
        --sanitize)
            sanitizer=${2:-}
            [[ $sanitizer == thread || $sanitizer == address ]] || die "--sanitize wants thread or address" "Tests/run.sh --help"
            shift
            ;;
        --list)
            printf '%s\n' "${stages[@]}"
            exit 0
            ;;
        --help | -h)
            sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' Tests/run.sh
            exit 0
            ;;
        *) die "unknown option $1" "Tests/run.sh --help" ;;
    esac
    shift
done

# They would take targets and programs away.
unset LIKENESS_TESTS LIKENESS_PROGRAMS
if [ -d ../shared/data ]; then
    export LIKENESS_TESTS_REQUIRE_ALL=1
else
    unset LIKENESS_TESTS_REQUIRE_ALL
fi

# --- results --------------------------------------------------------------------------------------------------------

# Stages run in processes of their own, so what they find is kept in files: a line of `passed` is a count, a line of
# `failures` and `not_run` a text, `ended` has the stages that ended, NAME.log what a stage wrote.
results=$(mktemp -d)
touch "$results"/{passed,failures,not_run,ended,lock}

kill_tree() {
    local child
    for child in $(ps -o pid= --ppid "$1"); do kill_tree "$child"; done
    kill "$1" 2>/dev/null || true
}
clean_up() {
    local lane
    for lane in $(jobs -p); do kill_tree "$lane"; done
    rm -rf "$results"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

pass() { echo "$1" >>"$results/passed"; }
failure() { echo "$1" >>"$results/failures"; }
not_run() { echo "$1" >>"$results/not_run"; }

finish() {
    local passed failed
    passed=$(awk '{ sum += $1 } END { print sum + 0 }' "$results/passed")
    failed=$(wc -l <"$results/failures")
    sed 's/^/NOT RUN: /' "$results/not_run"
    sed 's/^/FAILED: /' "$results/failures"
    printf 'all stages: %d s\n' "$SECONDS"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# --- stages ---------------------------------------------------------------------------------------------------------

# stage NAME COMMAND...: runs it into a log, shows the log's end when it fails. Sets `log`.
stage() {
    local name=$1 start=$SECONDS code=0
    shift
    log=$results/$name.log
    printf -- '-- %s\n' "$name"
    "$@" >"$log" 2>&1 </dev/null || code=$?
    # Two stages that end together do not mix their lines.
    {
        flock 9
        if [ $code -eq 0 ]; then
            printf '   %s: ok, %d s\n' "$name" $((SECONDS - start))
        else
            tail -n 60 "$log"
            printf '   %s: FAILED, %d s\n' "$name" $((SECONDS - start))
        fi
    } 9>"$results/lock"
    echo "$name" >>"$results/ended"
    [ $code -eq 0 ] || failure "$name"
    return $code
}

# Every Swift file, and every shell script.
lint() {
    local files
    mapfile -t files < <(grep -rlIE '^#!.*bash|^# shellcheck shell=bash' Tests systemd Shaders Models .ci)
    "$swift" format lint --strict -r -p Sources Tests Package.swift && shellcheck "${files[@]}"
}

# All programs by one command. The tests' targets do not exist for the static runtime, so they are left out.
build_release() {
    LIKENESS_PROGRAMS=all "$swift" build -c release --static-swift-stdlib --scratch-path "$release_folder"
}

# unit_tests NAME COMMAND...: adds up what Swift Testing says; a skipped test fails where nothing may be skipped.
unit_tests() {
    local name=$1 count skipped
    shift
    stage "$name" "$@" || {
        grep -E '(recorded an issue|^✘|✘ Test)' "$log" | tail -n 40 || true
        return 0
    }
    count=$(sed -n 's/.*Test run with \([0-9]*\) tests\{0,1\}.* passed after.*/\1/p' "$log" | tail -n 1)
    skipped=$(grep -cE '(Test|Suite) .* skipped[:.]' "$log" || true)
    if [ -z "$count" ] || [ "$count" -eq 0 ]; then
        failure "$name: no test ran"
    elif [ "$skipped" -eq 0 ]; then
        pass "$count"
    elif [ -n "${LIKENESS_TESTS_REQUIRE_ALL:-}" ]; then
        grep -E '(Test|Suite) .* skipped[:.]' "$log"
        failure "$name: $skipped tests were skipped although ../shared is there"
    else
        not_run "$skipped unit tests of $name: they need ../shared"
        pass $((count - skipped))
    fi
}

# release_targets: prints the targets that unit-release tests, separated by commas. Optimised code is other code above all
# where numbers are computed and where threads share memory without a lock. The targets that bring requests and files
# there are left out: their optimised build takes a third of the time and repeats what the debug build tests.
release_targets() {
    local folder name targets=()
    for folder in Tests/*Tests; do
        name=$(basename "$folder" Tests)
        case $name in
            Client | Daemon | Embedding | Filters | Ingestion | Server | Wire) [ -n "$optimise_all" ] || continue ;;
        esac
        targets+=("$name")
    done
    (IFS=,; echo "${targets[*]}")
}

# A script counts as run only when its last line says that all of it passed.
script() {
    local name=$1 file=Tests/System/$1.sh count
    if [ ! -f "$file" ]; then
        failure "$name: there is no $file"
        return 0
    fi
    if [ -z "${LIKENESS_TESTS_REQUIRE_ALL:-}" ] && grep -q '^require_shared$' "$file"; then
        not_run "$file: it needs ../shared"
        echo "$name" >>"$results/ended"
        return 0
    fi
    stage "$name" timeout --kill-after=10 "$script_limit_s" bash "$file" || return 0
    count=$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, 0 failed$/\1/p')
    if [ -z "$count" ] || [ "$count" -eq 0 ]; then
        tail -n 5 "$log"
        failure "$name: it ended without its closing line"
    else
        pass "$count"
    fi
}

# --- lanes ----------------------------------------------------------------------------------------------------------

# wants NAME...: whether any of these stages was asked for.
wants() {
    local name
    for name in "$@"; do
        if [ -z "$only" ] || [ "$only" = "$name" ]; then return 0; fi
    done
    return 1
}

# A compiler and a script that waits leave much of two cores idle, so the unit tests are built and run in one lane and
# the programs in another. Whichever is done takes scripts, until there are none left.
unit_lane() {
    if wants build unit; then
        stage build "$swift" build --build-tests --explicit-target-dependency-import-check error || return 0
        pass 1
    fi
    if wants unit; then unit_tests unit "$swift" test --disable-xctest --skip-build; fi
    # Tests see internal names of optimised modules only with -enable-testing.
    if wants unit-release; then
        LIKENESS_TESTS=$(release_targets) \
            unit_tests unit-release "$swift" test --disable-xctest -c release -Xswiftc -enable-testing --scratch-path .build-release-tests
    fi
}

program_lane() {
    local warnings
    if wants lint && stage lint lint; then pass 1; fi
    if wants shaders && stage shaders Shaders/build.sh --check; then pass 1; fi
    wants release "${scripts[@]}" || return 0
    stage release build_release || return 0
    # The archive of Foundation itself mentions mktemp to the linker.
    warnings=$(grep -E 'warning: ' "$log" | grep -v 'warning: the use of .mktemp' || true)
    if [ -z "$warnings" ]; then
        pass 1
    else
        printf '%s\n' "$warnings"
        failure "release: the build warns"
    fi
    touch "$results/has_programs"
}

# next_script: prints the name of the first script that nobody has taken, or fails.
next_script() {
    local name
    {
        flock 8
        for name in "${scripts[@]}"; do
            if wants "$name" && [ ! -e "$results/taken.$name" ]; then
                touch "$results/taken.$name"
                echo "$name"
                return
            fi
        done
    } 8>"$results/queue"
    return 1
}

script_lane() {
    local name
    until [ -e "$results/programs_ended" ]; do sleep 1; done
    while [ -e "$results/has_programs" ] && name=$(next_script); do script "$name"; done
}

# --- the run --------------------------------------------------------------------------------------------------------

install_packages run build test
provide_swift
# lldb and sanitizers write below HOME; services and containers have none at times.
export HOME=${HOME:-/root}

if [ -n "$sanitizer" ]; then
    flags=(--sanitize="$sanitizer" --scratch-path ".build-$sanitizer")
    # What is undefined in C stops the test. Traps, because Swift links no runtime that would print more.
    if [ "$sanitizer" = address ]; then flags+=(-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined); fi
    export TSAN_OPTIONS="halt_on_error=0:exitcode=66:${TSAN_OPTIONS:-}"
    export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=0:${ASAN_OPTIONS:-}"
    export LSAN_OPTIONS="suppressions=$PWD/Tests/leak-suppressions.txt:print_suppressions=0:${LSAN_OPTIONS:-}"
    # Swift's own crash report reads foreign stacks, which AddressSanitizer forbids: it would wait for itself for ever.
    export SWIFT_BACKTRACE=enable=no
    stage "build-$sanitizer" "$swift" build --build-tests "${flags[@]}" || finish
    # The loader unmaps the software driver with its last instance, and what the driver keeps for the life of the process
    # looks lost then: it stays mapped. Not in the package manager, whose compilers bring an LLVM of their own.
    driver=$(jq -r .ICD.library_path /usr/share/vulkan/icd.d/lvp_icd*.json | head -n 1)
    unit_tests "unit-$sanitizer" env LD_PRELOAD="$driver" \
        "$("$swift" build --show-bin-path "${flags[@]}")/likenessPackageTests.xctest" --testing-library swift-testing
    if grep -qE 'WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer' "$log"; then
        grep -E -A 12 'WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer' "$log" | head -n 60
        failure "unit-$sanitizer: the sanitizer reported"
    fi
    finish
fi

export LIKENESS_BIN=$PWD/$release_folder/release
run_unit_lane() {
    unit_lane || failure "the lane of the unit tests broke off"
}
run_program_lane() {
    program_lane || failure "the lane of the programs broke off"
    touch "$results/programs_ended"
}
if [ "$lane_count" -eq 1 ]; then
    run_unit_lane
    run_program_lane
    script_lane
else
    { run_unit_lane && script_lane; } &
    lanes=($!)
    { run_program_lane && script_lane; } &
    lanes+=($!)
    for lane in "${lanes[@]}"; do wait "$lane" || failure "a lane of stages ended with status $?"; done
fi
for name in "${stages[@]}"; do
    wants "$name" || continue
    grep -qx "$name" "$results/ended" || grep -q "^$name\b" "$results/failures" || failure "$name did not run"
done
finish
