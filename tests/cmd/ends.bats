#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# How `monitor` ends: by itself, by signals, in time, with everything written that it had read. How it
# ends with COMMAND is in child.bats.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

# Seconds between the first and the last line of the stream.
seconds_covered()
{
    jq -s 'def seconds: (.[0:19] + "Z" | fromdateiso8601) + (.[20:26] | tonumber) / 1000000;
        (.[-1].timestamp | seconds) - (.[0].timestamp | seconds)' "$STREAM"
}

# between LOW HIGH NUMBER
between()
{
    jq -n -e "$3 >= $1 and $3 <= $2" >/dev/null || { echo "$3 is not in [$1, $2]"; return 1; }
}

# lasts SECONDS BELOW: a run of so many; never shorter, and at best shorter than BELOW.
lasts()
{
    tracer monitor --name no-such-name --duration "$1" && must_be 0 && between "$1" 1000 "$(seconds_covered)" || return 2
    between "$1" "$2" "$(seconds_covered)"
}

@test "--duration ends the run by itself, with status 0" {
    at_best lasts 1 2
}

@test "--duration takes fractions" {
    at_best lasts 0.5 1
    at_best lasts 0.05 0.5
}

@test "--duration 0 never ends" {
    puppet_start p
    tracer_start monitor --duration 0 --pid "${PUPPET[p]}"
    puppet p open /1.pem
    wait_for 5 grep -q /1.pem "$STREAM"
    refute has_ended "$TRACER"
    tracer_stop
    must_be 143
}

@test "--max-events ends after exactly so many" {
    local n

    for n in 1 7; do
        puppet_start "p$n"
        tracer_start monitor --max-events "$n" --pid "${PUPPET[p$n]}"
        puppet "p$n" series 100 /many
        tracer_wait
        must_be 0
        must_count "$n" '.event_type != "start" and .event_type != "coverage"'
        # The first ones, in order.
        [ "$(events '.event_type == "file_open"' | jq -r .file | paste -sd ,)" = \
            "$(seq -f '/many/%g.pem' "$n" | paste -sd ,)" ]
    done
}

@test "--max-events counts only what is asked for" {
    tracer monitor --max-events 2 --event process_exec -- \
        sh -c 'cat /a.pem /b.pem; cat /c.pem; cat /d.pem; exit 0'
    must_be 0
    must_count 2 '.event_type == "process_exec"'
    must_count 2 '.event_type != "start" and .event_type != "coverage"'
}

@test "--max-events beyond what happens changes nothing" {
    tracer monitor --max-events 1000000 -- true
    must_be 0
    must_count 2 '.event_type != "start" and .event_type != "coverage"'
}

# ended_by SIGNAL STATUS: all that was done before the signal is in the stream.
ended_by()
{
    puppet_start "$1"
    tracer_start monitor --pid "${PUPPET[$1]}"
    puppet "$1" series 20 "/$1"
    tracer_stop "$1"
    must_be "$2"
    must_count 20 '.event_type == "file_open"'
    must_have '.event_type == "coverage" and .final'
    refute grep -q 'ERROR\|^Error' "$ERR"
}

@test "SIGINT ends with 130, nothing lost" {
    ended_by INT 130
}

@test "SIGTERM ends with 143, nothing lost" {
    ended_by TERM 143
}

@test "SIGHUP ends with 129, nothing lost" {
    ended_by HUP 129
}

@test "SIGQUIT ends with 131 and leaves no core" {
    (cd "$T" && ulimit -c unlimited && ended_by QUIT 131)
    [ -z "$(find "$T" -name 'core*')" ]
}

ignores_interrupts()
{
    [ $(($(sed -n 's/^SigIgn:[[:space:]]*/0x/p' "/proc/$1/status") >> 1 & 1)) -eq 1 ]
}

@test "SIGINT ends a job for which the shell had it ignored" {
    puppet_start p
    sleep 100 3>&- &
    # What a shell without job control does to background jobs: the precondition of this test.
    wait_for 20 ignores_interrupts "$!"
    kill "$!"
    tracer_start monitor --pid "${PUPPET[p]}"
    tracer_stop INT
    must_be 130
}

@test "signals end it although they were blocked" {
    env --block-signal=TERM true 2>/dev/null || skip "env has no --block-signal"
    env --block-signal "$TOOL" monitor --name no-such-name >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 has_begun
    tracer_stop
    must_be 143
}

group_is_empty()
{
    ! kill -s 0 -- "-$1" 2>/dev/null
}

@test "Ctrl-C reaches the whole group and ends it cleanly" {
    local group

    set -m
    "$TOOL" monitor -- sleep 100 >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    set +m
    wait_for 20 grep -q '"process":"sleep"' "$OUT"
    group=$TRACER
    kill -s INT -- "-$group"
    tracer_wait
    must_be 130
    # Nothing of the group is left.
    wait_for 5 group_is_empty "$group"
}

@test "a second signal ends it, with the status of one of them" {
    needs bpftool
    # A reader that does not read keeps the end from being quick.
    mkfifo "$T/fifo"
    exec {reader}<>"$T/fifo"
    puppet_start p
    "$TOOL" monitor --pid "${PUPPET[p]}" >"$T/fifo" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    STREAM=$T/none
    wait_for 20 grep -q 'monitoring started' "$ERR"
    puppet p series 2000 /blocked
    bpf_held "$TRACER" >"$T/held"
    [ -s "$T/held" ]
    kill -s TERM "$TRACER"
    kill -s INT "$TRACER"
    tracer_wait
    case $status in 130 | 143) ;; *) must_be 143 ;; esac
    wait_for 10 bpf_gone "$T/held"
    exec {reader}<&-
}

@test "a storm of signals ends it, and nothing stays behind" {
    local helpers pid

    needs bpftool
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    bpf_held "$TRACER" >"$T/held"
    helpers=$(cat "/proc/$TRACER/task/$TRACER/children")
    [ -s "$T/held" ]
    [ -n "$helpers" ]
    for _ in $(seq 67); do
        kill -s INT "$TRACER" 2>/dev/null || :
        kill -s TERM "$TRACER" 2>/dev/null || :
        kill -s HUP "$TRACER" 2>/dev/null || :
    done
    wait_for 5 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
    case $status in 129 | 130 | 143) ;; *) must_be 130 ;; esac
    for pid in $helpers; do
        wait_for 5 has_ended "$pid"
    done
    wait_for 10 bpf_gone "$T/held"
}

@test "a storm of signals at its start ends it too" {
    "$TOOL" monitor --name no-such-name >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    for _ in $(seq 200); do
        kill -s INT "$TRACER" 2>/dev/null || break
    done
    # The shell had INT ignored for it until its handlers were there.
    kill -s TERM "$TRACER" 2>/dev/null || :
    wait_for 10 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
    case $status in 130 | 143) ;; *) must_be 130 ;; esac
}

@test "a burst just before the end is written or counted" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    puppet p series 20000 /burst
    tracer_stop
    must_be 143
    [ "$(tail -n 1 "$STREAM" | jq '.sources[] | select(.name == "file_open")
        | .written + .lost.ring_full + .lost.left_at_exit')" -eq 20000 ]
    # What is there is there once, in order.
    events '.event_type == "file_open"' | jq -r .file >"$T/files"
    [ -s "$T/files" ]
    sort -t / -k 3 -n -u "$T/files" | cmp - "$T/files"
}

@test "stopped and continued it goes on" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    kill -s STOP "$TRACER"
    puppet p open /while-stopped.pem
    kill -s CONT "$TRACER"
    wait_for 5 grep -q while-stopped "$STREAM"
    tracer_stop
    must_count 1 "$(opens /while-stopped.pem)"
}
