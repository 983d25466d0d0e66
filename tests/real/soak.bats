#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A minute of steady load, and what bench/soak.awk makes of figures.

# shellcheck disable=SC2030,SC2031 # each test is a subshell

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TREE/$BUILD ;; esac
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}

load ../support/sanitized

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
}

# judge: of the files accounts and samples; report and status.
judge()
{
    status=0
    awk -v events=5000 -v handshakes=50 -f "$TREE/bench/soak.awk" accounts samples >report || status=$?
    cat report
}

# flat [COLUMN STEP]: 40 samples a second apart, of which COLUMN grows by STEP with each.
flat()
{
    awk -v column="${1:-0}" -v step="${2:-0}" 'BEGIN {
        for (i = 0; i < 40; i++) {
            $0 = i " 30000 200 " 10 * i " 17 3"
            if (column)
                $column += i * step
            print
        }
    }' >samples
}

# Of a run in which everything was told.
whole()
{
    cat >accounts <<'END'
done mixed 980 10 1000
done handshakes 50
told opens 980
told handshakes 100
lines file_open 985
lines process_exec 12
lines process_exit 12
lines tls_handshake 100
lines coverage 1
source file_open 2000 2000 985 0
source process_exec 30 30 12 0
source process_exit 31 31 12 0
source tap 500 500 0 0
source tls_handshake 100 100 100 0
END
}

@test "figures of a run that is whole and flat pass" {
    whole
    flat
    judge
    [ "$status" -eq 0 ]
    grep -qE '^opens +980 +980 +0 +0$' report
    grep -qE '^ends of TLS handshakes +100 +100 +0 +0$' report
    grep -qE '^memory resident, kB +30000.0 +30000.0 +0.0 +1024$' report
    faults=$(grep -c '^soak: ' report) || :
    [ "$faults" -eq 0 ]
    [ "$(wc -L <report)" -le 80 ]
}

# fails_with TEXT: the judgement, and for that reason alone.
fails_with()
{
    judge
    [ "$status" -eq 1 ]
    [ "$(grep '^soak: ' report)" = "soak: $1" ]
}

@test "what is missing, told too often, or not accounted for fails" {
    flat
    whole
    sed -i 's/^told opens 980/told opens 979/' accounts
    fails_with '1 not told and not counted as lost: opens'
    whole
    sed -i 's/^told opens 980/told opens 979/; s/^source file_open.*/source file_open 2000 2000 985 1/' accounts
    judge
    [ "$status" -eq 0 ]
    whole
    sed -i 's/^told handshakes 100/told handshakes 98/' accounts
    fails_with '2 not told and not counted as lost: ends of TLS handshakes'
    whole
    sed -i 's/^told opens 980/told opens 981/' accounts
    fails_with '1 told that never were: opens'
    whole
    sed -i 's/^source process_exit.*/source process_exit 31 30 12 0/' accounts
    fails_with 'process_exit: 31 seen, but 30 accounted for'
    whole
    sed -i 's/^lines file_open.*/lines file_open 984/' accounts
    fails_with 'file_open: 985 written, but 984 lines'
}

@test "what grows fails, and so does a run in which nothing happened" {
    whole
    # Between the middles of the quarters are 20 samples.
    flat 2 60
    fails_with 'grew by 1200: memory resident, kB'
    flat 2 50
    judge
    [ "$status" -eq 0 ]
    flat 3 1
    fails_with 'grew by 20: descriptors'
    flat 6 1
    fails_with 'grew by 20: entries of BPF maps'
    flat 2 -30000
    judge
    [ "$status" -eq 1 ]
    grep -qx 'soak: no sample has any: memory resident, kB' report
    flat
    head -n 7 samples >few
    mv few samples
    fails_with '7 samples are too few'
    flat
    sed -i '/^source/d' accounts
    judge
    [ "$status" -eq 1 ]
    grep -qx 'soak: there is no coverage' report
    printf 'done mixed 0 0 1000\ndone handshakes 0\n' >accounts
    judge
    [ "$status" -eq 1 ]
    grep -qx 'soak: the load did none of: opens' report
    grep -qx 'soak: the load did none of: ends of TLS handshakes' report
}

@test "wrong calls are refused" {
    local call

    for call in 5 abc 20x --samples; do
        run "$TREE/bench/soak" "$call"
        [ "$status" -eq 2 ]
        [ "${#lines[@]}" -eq 1 ]
    done
    run "$TREE/bench/soak" --help
    [ "$status" -eq 0 ]
}

@test "60 s of 5,000 events/s and 50 TLS handshakes/s: all told, nothing grows" {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    not_sanitized "memory that is freed they keep, and who looks for leaks is a process more"
    status=0
    "$TREE/bench/soak" --tool "${CRYPTO_TRACER:-$BUILD/crypto-tracer}" --bin "$BUILD/bench" --samples samples \
        60 >report 2>&1 3>&- || status=$?
    cat report
    [ "$status" -eq 0 ]
    # The load is said to have been one, and all of it was seen.
    awk '/^(opens|programs begun|programs ended|ends of TLS handshakes) / {
        nr++
        bad += $(NF - 3) < 20 || $NF != 0
    } END { exit nr != 4 || bad }' report
    [ "$(wc -l <samples)" -ge 8 ]
    # Samples that are none would be flat: memory, descriptors and maps are there.
    awk '$2 < 1000 || $3 < 10 || $5 < 3 { bad++ } END { exit bad > 0 }' samples
}
