#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What was seen is written or counted as lost: every single event, whatever happens to the tool.

load ../support/trace

setup_file()
{
    trace_ready || return 0
    : >"$BATS_FILE_TMPDIR/one.pem"
    : >"$BATS_FILE_TMPDIR/two.pem"
}

setup()
{
    trace_need
    cd "$BATS_TEST_TMPDIR" || return
    ONE=$BATS_FILE_TMPDIR/one.pem
    TWO=$BATS_FILE_TMPDIR/two.pem
}

teardown()
{
    trace_clean
}

# source NAME: its line of the final coverage.
source_of()
{
    coverage events ".sources[] | select(.name == \"$1\") | $2"
}

@test "100 opens: each is written, none is lost" {
    trace_run events out --event file_open -- "$PROGRAMS/opens" 100 "$ONE"
    [ "$(jq -c --arg one "$ONE" 'select(.event_type == "file_open" and .file == $one and
        .result == "success")' events | wc -l)" -eq 100 ]
    [ "$(source_of file_open '.written')" -eq 100 ]
    [ "$(source_of file_open '[.lost[]] | add')" -eq 0 ]
}

@test "200,000 opens: written and lost are exactly what was done" {
    local lines
    trace_run events out --event file_open -- "$PROGRAMS/opens" 200000 "$ONE"
    lines=$(grep -c '"event_type":"file_open"' events)
    [ "$(source_of file_open '.written')" -eq "$lines" ]
    [ "$(source_of file_open '.sent + .lost.ring_full')" -eq 200000 ]
    [ "$(source_of file_open '.written + .lost.ring_full + .lost.left_at_exit')" -eq 200000 ]
    # More than it finds at its end. Whether it keeps up is up to the machine: make bench.
    [ "$lines" -gt 1000 ]
}

@test "a tool that is stopped loses events and says how many; then all is well again" {
    local written name=opens-$$
    # Not openssl, which others may run.
    cp "$PROGRAMS/opens" "$name"
    trace_start events --event file_open --buffer-size 64K --name "$name"
    kill -STOP "$TRACER"
    "./$name" 20000 "$ONE"
    kill -CONT "$TRACER"
    until_true grep -q 'WARN: .* events lost' events.err
    until_true tracer_has_caught_up
    "./$name" 100 "$TWO"
    trace_stop events
    written=$(source_of file_open '.written')
    [ "$written" -gt 100 ]
    [ "$(source_of file_open '.lost.ring_full')" -gt 10000 ]
    [ "$((written + $(source_of file_open '.lost.ring_full')))" -eq 20100 ]
    [ "$(grep -c '"event_type":"file_open"' events)" -eq "$written" ]
    [ "$(grep -c two.pem events)" -eq 100 ]
}

@test "what is lost in the end is warned of, too" {
    local lost
    trace_start events --event file_open --buffer-size 64K --name opens
    kill -STOP "$TRACER"
    "$PROGRAMS/opens" 20000 "$ONE"
    # It finds both at once.
    kill -INT "$TRACER"
    kill -CONT "$TRACER"
    wait "$TRACER" || [ "$?" -eq 130 ]
    lost=$(source_of file_open '.lost.ring_full')
    [ "$lost" -gt 10000 ]
    [ "$(sed -nE 's/.*WARN: ([0-9]+) events lost: .*/\1/p' events.err | tail -n 1)" -ge "$lost" ]
}

@test "while loss grows there is a warning, at most one a second" {
    local began=$SECONDS most
    trace_start events --event file_open --buffer-size 64K --name opens
    # On any machine some rounds lie between two warnings, or there is not more than one a second.
    until [ "$(nr_warnings)" -ge 3 ]; do
        [ $((SECONDS - began)) -lt "$WAIT_SECONDS" ]
        kill -STOP "$TRACER"
        "$PROGRAMS/opens" 2000 "$ONE"
        kill -CONT "$TRACER"
        # It has read what was left to it.
        until_true tracer_has_caught_up
    done
    trace_stop events
    # One more at the end; its clock may say otherwise than that of the lines, between which it may
    # have stood still.
    most=$((SECONDS - began + 3))
    sed -nE 's/^\[.*T([0-9:.]+)Z\] WARN: ([0-9]+) events lost.*/\1 \2/p' events.err |
        awk -v most="$most" '{ if ($2 <= lost) print "not more: " $0; lost = $2 }
            END { if (NR < 3 || NR > most) print NR " warnings, not 3 to " most }' >faults
    [ ! -s faults ] || { cat faults events.err >&2; false; }
}

nr_warnings()
{
    grep -c 'WARN: .* events lost' events.err || :
}

# The tool has read its ring to the end and waits.
tracer_has_caught_up()
{
    [ "$(awk '{ print $3 }' "/proc/$TRACER/stat")" = S ]
}

@test "in a flood of opens no exec and no exit is lost" {
    local i pid
    trace_start events --buffer-size 64K --uid 0 --event process_exec,process_exit,file_open
    kill -STOP "$TRACER"
    "$PROGRAMS/opens" 5000 "$ONE"
    for i in 1 2 3; do
        "$PROGRAMS/opens" 0 "marker $i"
    done
    kill -CONT "$TRACER"
    until_true grep -q 'WARN: .* events lost' events.err
    trace_stop events
    for i in 1 2 3; do
        pid=$(jq -r --arg arg "marker $i" 'select(.argv[2]? == $arg) | .pid' events)
        [ -n "$pid" ]
        jq -es --argjson pid "$pid" 'any(.event_type == "process_exit" and .pid == $pid)' events \
            >/dev/null
    done
    [ "$(source_of process_exec .lost.ring_full)" -eq 0 ]
    [ "$(source_of process_exit .lost.ring_full)" -eq 0 ]
    [ "$(source_of file_open .lost.ring_full)" -gt 0 ]
}

@test "mappings that the kernel drops are counted too" {
    local library
    library=$(ldconfig -p | awk '$1 == "libcrypto.so.3" { print $NF; exit }')
    [ -n "$library" ] || skip "no libcrypto.so.3"
    trace_start events --event lib_load --name opens
    kill -STOP "$TRACER"
    "$PROGRAMS/opens" 20000 "$ONE" "$library"
    kill -CONT "$TRACER"
    until_true grep -q 'WARN: .* events lost' events.err
    "$PROGRAMS/opens" 1 "$ONE" "$library"
    trace_stop events
    [ "$(source_of lib_load '.lost.ring_full')" -gt 1000 ]
    # Each of the two processes has mapped it: the second is seen whatever became of the first.
    [ "$(events events .pid | sort -u | wc -l)" -ge 1 ]
    [ "$(source_of lib_load .written)" -eq "$(grep -c '"event_type":"lib_load"' events)" ]
}

@test "events that were not asked for are counted as filtered" {
    trace_run events out --event process_exec -- /bin/sh -c '/bin/true; /bin/true; exit 0'
    [ "$(source_of process_exec .written)" -eq 3 ]
    [ "$(source_of process_exit .filtered)" -eq 3 ]
    [ "$(source_of process_exit .written)" -eq 0 ]
    [ "$(source_of process_fork .filtered)" -ge 2 ]
}

@test "what costs and nobody asked for is not attached" {
    trace_run events out --event process_exec -- /bin/true
    [ "$(source_of lib_load .attached)" = false ]
    [ "$(source_of file_open .attached)" = false ]
    [ "$(source_of process_exit .attached)" = true ]
    # Who handshakes are made with is told by the libraries that are mapped.
    trace_run events out --event tls_handshake -- /bin/true
    [ "$(source_of lib_load .attached)" = true ]
}

@test "every source says how it is attached, without any reason to complain here" {
    trace_run events out -- /bin/true
    [ "$(coverage events '[.sources[] | select(.attached and .reason == null)] | length')" -ge 5 ]
    [ "$(coverage events '[.sources[].hook | length > 3] | all')" = true ]
}
