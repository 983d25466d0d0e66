#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# bench/run prints no ratio of two sides that had not the same machine.

# shellcheck disable=SC2030,SC2031 # each test is a subshell
# shellcheck disable=SC2034 # read by what is sourced

TREE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TREE/$BUILD ;; esac
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120}

load ../support/needs

setup()
{
    cd "$BATS_TEST_TMPDIR" || return
    BENCH=$TREE/bench
    BIN=$BUILD/bench
    WORK=$BATS_TEST_TMPDIR
}

# agree "OTHERS SPIN" "OTHERS SPIN": what comparable.awk says of two sides.
agree()
{
    echo "$1" >a
    echo "$2" >b
    run awk -f "$BENCH/comparable.awk" a b
}

@test "sides of the same load are comparable, up to what is stated" {
    local pair

    for pair in '0 1.5|0 1.5' '3 1.5|13 1.5' '13 1.5|3 1.5' '80 1.5|85 1.5' '0 1.5|0 1.57' '0 1.57|0 1.5'; do
        agree "${pair%|*}" "${pair#*|}"
        [ "$status" -eq 0 ] || { echo "$pair: $output"; false; }
        [ -z "$output" ]
    done
}

@test "sides of different loads are not, and it is said why" {
    agree '2 1.5' '60 1.5'
    [ "$status" -eq 1 ]
    [ "$output" = 'others used 2 % of a CPU, then 60 %' ]
    agree '60 1.5' '49 1.5'
    [ "$status" -eq 1 ]
    agree '2 1.5' '2 1.65'
    [ "$status" -eq 1 ]
    [ "$output" = 'the CPU was 10 % slower then' ]
    agree '2 1.65' '2 1.5'
    [ "$output" = 'the CPU was 10 % faster then' ]
    agree '2 1.5' ''
    [ "$status" -eq 1 ]
    [ "$output" = 'the load is not known' ]
}

# report FORMAT: of the file samples; status and output.
report()
{
    run awk -v format="$1" -v tool=crypto-tracer -f "$BENCH/report.awk" "$BENCH/targets" samples
}

@test "the report leaves such a ratio out, and its status is 1" {
    cat >samples <<'END'
pair load.http 100 102
comparable load.http
kept nginx
pair load.sqlite 100 900
comparable load.sqlite
incomparable load.sqlite others used 80 % of a CPU, then 2 %
incomparable load.sqlite others used 70 % of a CPU, then 2 %
open 1 crypto-tracer pem 150 100
comparable open.crypto-tracer
open 1 perf pem 770 100
incomparable open.perf the CPU was 8 % slower then
incomparable open.perf the CPU was 9 % slower then
comparable open.perf
END
    report text
    [ "$status" -eq 1 ]
    grep -qE '^nginx, http under wrk: time a request +1.020 +<= 1.01 +MISSES$' <<<"$output"
    grep -qE '^sqlite, small transactions +not comparable +<= 1.01$' <<<"$output"
    grep -qE '^perf +n.c. ' <<<"$output"
    grep -qE '^  load.sqlite: 2 of 3 comparisons left out: others used 70' <<<"$output"
    [ "$(grep -cE '9\.0|7\.7' <<<"$output")" -eq 0 ]
    report markdown
    [ "$status" -eq 1 ]
    grep -qxF '| sqlite, small transactions | not comparable | <= 1.01 |  |' <<<"$output"
    report bars
    [ "$status" -eq 1 ]
    grep -qP '^programs\tmissing\tsqlite' <<<"$output"
    # The same with all of it comparable.
    sed -i '/^incomparable/d' samples
    report text
    [ "$status" -eq 0 ]
    grep -qE '^sqlite, small transactions +9.000 ' <<<"$output"
    grep -qE '^perf .* 7.70 ' <<<"$output"
}

@test "a round in which others were at work is left out as well" {
    printf '%s\n' 'pair load.http 100 102' 'kept nginx' 'dropped nginx' 'dropped nginx' >samples
    report text
    [ "$status" -eq 1 ]
    grep -qE '^nginx, http under wrk: time a request +not comparable ' <<<"$output"
}

@test "plots: a bar a figure, a line for the target, the same figures give the same bytes" {
    needs python3
    cat >samples <<'END'
pair load.http 100 101
pair load.sqlite 100 300
incomparable load.make others used 80 % of a CPU, then 2 %
open 1 crypto-tracer pem 150 100
open 1 perf pem 1200 100
END
    report bars
    printf '%s\n' "$output" >bars
    awk -F '\t' -v section=programs -f "$BENCH/plot.awk" bars >programs.svg
    awk -F '\t' -v section=programs -f "$BENCH/plot.awk" bars | cmp programs.svg -
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' programs.svg
    # What meets its target is as long as the target at most; what is beyond the edge ends there.
    grep -qF '<rect x="430" y="16" width="170.0" height="14" class="ok"/>' programs.svg
    grep -qF '<rect x="430" y="38" width="260.0" height="14" class="miss"/>' programs.svg
    grep -qF '>not comparable</text>' programs.svg
    [ "$(grep -c '<rect' programs.svg)" -eq 2 ]
    grep -qF 'class="line"' programs.svg
    grep -q 'prefers-color-scheme: dark' programs.svg
    awk -F '\t' -v section=peers -f "$BENCH/plot.awk" bars >peers.svg
    [ "$(grep -c '<rect' peers.svg)" -eq 2 ]
    run awk -F '\t' -v section=nothing -f "$BENCH/plot.awk" bars
    [ "$status" -eq 1 ]
}

# sided FUNCTION...: one of those of bench/run that measure sides, with the loads of this test. They
# are written for a shell that goes on after a failure; its status is the test's to look at.
sided()
(
    set +eu
    # shellcheck source=bench/lib.sh
    . "$BENCH/lib.sh"
    # shellcheck source=bench/sides.sh
    . "$BENCH/sides.sh"
    nginx_pid=
    read -r _ LOAD_CPU < <("$BIN/load" cpus)
    "$@"
)

side_alone()
{
    figure=$("$BIN/load" quiet 700)
}

# The same with somebody at work on both CPUs who is none of the bench.
side_burnt()
{
    local pid burners=

    for _ in 1 2; do
        # Not a child of this shell, whose time would be taken for the bench's.
        pid=$(setsid sh -c 'timeout 30 sh -c "while :; do :; done" >/dev/null 2>&1 3>&- & echo $!')
        burners="$burners $pid"
    done
    side_alone
    # shellcheck disable=SC2086 # a list of numbers
    kill $burners
}

@test "a load that begins in the middle: three tries, no ratio" {
    # Where every CPU is taken already nobody can be seen to take more.
    [ "$("$BIN/load" quiet 300)" -lt $((100 * $(nproc) - 50)) ] || skip "others use all CPUs"
    # Others may begin or end beside the first side: then it is no load that begins in the middle.
    for _ in 1 2 3 4 5; do
        : >samples
        : >round
        sided compare burnt side_alone side_burnt 2>said
        grep -qE '^(pair|comparable)' round samples || break
    done
    [ "$(grep -c 'burnt: not comparable' said)" -eq 3 ]
    grep -qE '^incomparable burnt (others used|the CPU was)' samples
    [ "$(grep -cE '^(pair|comparable)' round samples | awk -F : '{ n += $2 } END { print n }')" -eq 0 ]
}

@test "what the bench itself uses on one side is not somebody else's" {
    side_busy()
    {
        figure=$(timeout 1 sh -c 'while :; do :; done') || figure=1
    }
    # Others may be at work here: what counts is that a whole CPU of ours is not added to theirs.
    for _ in 1 2 3 4 5; do
        sided side busy side_busy
        sided side alone side_alone
        read -r busy spin <side.busy
        awk -v spin="$spin" 'BEGIN { exit !(spin > 0) }'
        read -r alone spin <side.alone
        awk -v a="$busy" -v b="$alone" 'BEGIN { exit !(a - b < 60) }' && return 0
    done
    echo "others: $busy beside a loop of ours, $alone without"
    false
}
