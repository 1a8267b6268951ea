#!/usr/bin/env bash
#   Tests/run.sh                      every test, the one command; at most 20 minutes on two cores
#   Tests/run.sh --only kill          one stage by its name, after what it needs
#   Tests/run.sh --sanitize thread    the unit tests under sanitizers (thread; or address, leaks and undefined C)
#   Tests/run.sh --list               the stages
#
# Installs the packages that tests need if any is missing. The last line is `N passed, 0 failed`, and the exit status is 0,
# only when everything that this machine can run did run and passed. What needs ../shared (photos, hostile files,
# reference features) is named as not run where that folder is absent, and may not be skipped where it is there.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=systemd/lib/packages.sh
. systemd/lib/packages.sh
# shellcheck source=systemd/lib/toolchain.sh
. systemd/lib/toolchain.sh

# Scripts of this folder, in their order; all must be there.
scripts=(units smoke readme http filters service fetch weights-torch weights-keras weights-onnx whitening evaluate model collections backup torture io-errors vulkan-faults kill hostile full-disk)
stages=(packages build lint shaders unit release "${scripts[@]}")
script_limit_s=600
# What systemd/install.sh builds, so that the scripts test what is installed.
release_folder=.build-install

only='' sanitizer=''
while [ $# -gt 0 ]; do
    case "$1" in
        --only)
            only=${2:-}
            [[ " ${stages[*]} " == *" $only "* && -n "$only" ]] || die "no stage is called '$only'" "Tests/run.sh --list"
            shift
            ;;
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

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 failures=() not_run=()
if [ -d ../shared/data ]; then
    export LIKENESS_TESTS_REQUIRE_ALL=1
else
    unset LIKENESS_TESTS_REQUIRE_ALL
fi

# --- stages ---------------------------------------------------------------------------------------------------------

wants() { [ -z "$only" ] || [ "$only" = "$1" ]; }
wants_script() {
    local script
    for script in "${scripts[@]}"; do if wants "$script"; then return 0; fi; done
    return 1
}

# What is installed, the benchmarks and the campaigns. By product: the tests' library does not exist for the static runtime.
# shellcheck disable=SC2317 # called by stage
build_release() {
    local product
    for product in likenessd likeness likeness-bench likeness-torture; do
        "$swift" build -c release --static-swift-stdlib --scratch-path "$release_folder" --product "$product" || return
    done
}

# stage NAME COMMAND...: runs it into a log, shows the log's end when it fails. Sets `log`.
stage() {
    local name=$1 start=$SECONDS
    shift
    log=$logs/$name
    printf -- '-- %s\n' "$name"
    if "$@" >"$log" 2>&1 </dev/null; then
        printf '   %s: ok, %d s\n' "$name" $((SECONDS - start))
    else
        tail -n 60 "$log"
        printf '   %s: FAILED, %d s\n' "$name" $((SECONDS - start))
        failed=$((failed + 1))
        failures+=("$name")
        return 1
    fi
}

# A stage that is one check.
check_stage() { if stage "$@"; then passed=$((passed + 1)); fi; }

finish() {
    local line
    for line in ${not_run[@]+"${not_run[@]}"}; do printf 'NOT RUN: %s\n' "$line"; done
    for line in ${failures[@]+"${failures[@]}"}; do printf 'FAILED: %s\n' "$line"; done
    printf 'all stages: %d s\n' "$SECONDS"
    printf '%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# unit_tests NAME ARGUMENTS...: adds up what Swift Testing says; a skipped test fails where nothing may be skipped.
unit_tests() {
    local name=$1 count skipped
    shift
    stage "$name" "$swift" test --disable-xctest "$@" || {
        grep -E '(recorded an issue|^✘|✘ Test)' "$log" | tail -n 40 || true
        return 0
    }
    count=$(sed -n 's/.*Test run with \([0-9]*\) tests\{0,1\}.* passed after.*/\1/p' "$log" | tail -n 1)
    skipped=$(grep -cE '(Test|Suite) .* skipped[:.]' "$log" || true)
    if [ -z "$count" ] || [ "$count" -eq 0 ]; then
        failed=$((failed + 1))
        failures+=("$name: no test ran")
        return 0
    fi
    if [ "$skipped" -gt 0 ]; then
        grep -E '(Test|Suite) .* skipped[:.]' "$log"
        if [ -n "${LIKENESS_TESTS_REQUIRE_ALL:-}" ]; then
            failed=$((failed + skipped))
            failures+=("$name: $skipped tests were skipped although ../shared is there")
            return 0
        fi
        not_run+=("$skipped unit tests: they need ../shared")
        count=$((count - skipped))
    fi
    passed=$((passed + count))
}

# A script counts as run only when its last line says that all of it passed.
script() {
    local name=$1 file=Tests/$1.sh count
    if [ ! -f "$file" ]; then
        failed=$((failed + 1))
        failures+=("$name: there is no $file")
        return 0
    fi
    if [ -z "${LIKENESS_TESTS_REQUIRE_ALL:-}" ] && grep -q '^require_shared$' "$file"; then
        not_run+=("$file: it needs ../shared")
        return 0
    fi
    stage "$name" timeout --kill-after=10 "$script_limit_s" bash "$file" || return 0
    count=$(tail -n 1 "$log" | sed -n 's/^\([0-9]*\) passed, 0 failed$/\1/p')
    if [ -z "$count" ] || [ "$count" -eq 0 ]; then
        tail -n 5 "$log"
        failed=$((failed + 1))
        failures+=("$name: it ended without its closing line")
        return 0
    fi
    passed=$((passed + count))
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
    unit_tests "unit-$sanitizer" "${flags[@]}"
    if grep -qE 'WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer' "$log"; then
        grep -E -A 12 'WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer' "$log" | head -n 60
        failed=$((failed + 1))
        failures+=("unit-$sanitizer: the sanitizer reported")
    fi
    finish
fi

if wants build || wants unit; then stage build "$swift" build --build-tests || finish; fi
if wants lint; then check_stage lint "$swift" format lint --strict -r -p Sources Tests Package.swift; fi
if wants shaders; then check_stage shaders Shaders/build.sh --check; fi
if wants unit; then unit_tests unit --skip-build; fi
if wants release || wants_script; then
    stage release build_release || finish
    export LIKENESS_BIN=$PWD/$release_folder/release
    warnings=$(grep -cE 'warning: ' "$log" || true)
    # The archive of Foundation itself mentions mktemp to the linker.
    [ "$warnings" -eq "$(grep -cE 'warning: the use of .mktemp' "$log" || true)" ] || {
        grep -E 'warning: ' "$log"
        failed=$((failed + 1))
        failures+=("release: the build warns")
    }
fi
for name in "${scripts[@]}"; do
    if wants "$name"; then script "$name"; fi
done
finish
