#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Faults of the host that no other suite has: docs/testing.md lists where each is.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers


teardown()
{
    common_teardown
    [ -z "${GROUP:-}" ] || rmdir "$GROUP" 2>/dev/null || :
}

# with_limit N ARG...: the tool with so many descriptors at most.
with_limit()
{
    local limit=$1

    shift
    stream_of "$@"
    status=0
    (ulimit -n "$limit" && exec timeout -k 5 60 "$TOOL" "$@") >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
}

# must_be_whole_or_an_error
must_be_whole_or_an_error()
{
    [ "$status" -lt 126 ] || { echo "status $status"; return 1; }
    if [ "$status" -ne 0 ]; then
        must_be_error
    else
        jq -es 'length > 0' "$OUT" >/dev/null
    fi
}

@test "few descriptors: snapshot says so, and is never of nothing" {
    local limit

    for limit in 4 5 6 7 8 10 14; do
        with_limit "$limit" snapshot
        must_be_whole_or_an_error
        [ "$status" -ne 0 ] || jq -e '.coverage.processes_examined > 0' "$OUT" >/dev/null || {
            echo "limit $limit: success, and no process was looked at"
            return 1
        }
    done
    # It was short indeed.
    with_limit 5 snapshot
    must_be 1
    grep -q 'Too many open files' "$ERR"
}

@test "few descriptors: monitor says what to do, COMMAND does not run" {
    local limit

    for limit in 8 20; do
        with_limit "$limit" monitor -- touch "$T/ran"
        [ "$status" -eq 1 ] || must_be 5
        must_be_error
        grep -q 'ulimit -n' "$ERR"
        [ ! -e "$T/ran" ]
    done
}

@test "no process can be made: an error, no half run" {
    leaks_unseen
    # Of a namespace of its own: the limit is per namespace since Linux 6.14.
    # shellcheck disable=SC2016 # for the inner shell
    unshare --pid --fork --mount-proc bash -c 'echo 310 >/proc/sys/kernel/pid_max &&
        [ "$(cat /proc/sys/kernel/pid_max)" = 310 ] || exit 99
        sh -c "while :; do sleep 60 & done" 2>/dev/null
        exec "$0" snapshot >"$1" 2>"$2"' "$TOOL" "$OUT" "$ERR" </dev/null 3>&- || status=$?
    [ "$status" -ne 99 ] || skip "no pid_max of a namespace here"
    must_be 1
    must_be_error
    grep -q 'Resource temporarily unavailable' "$ERR"
    [ ! -s "$OUT" ]
}

@test "where nobody mounted tracefs, root's tool does for itself alone" {
    local before status=0

    before=$(cat /proc/self/mountinfo)
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m bash -c 'umount -q /sys/kernel/tracing; umount -q -R /sys/kernel/debug
        [ ! -e /sys/kernel/tracing/events ] || exit 99
        mountinfo=$(cat /proc/self/mountinfo)
        "$0" monitor --quiet -- cat /nonexistent/x.pem
        [ "$mountinfo" = "$(cat /proc/self/mountinfo)" ] || exit 98' "$TOOL" \
        >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    [ "$status" -ne 99 ] || skip "it cannot be unmounted"
    must_be 0
    check_stream
    must_count 1 "$(opens /nonexistent/x.pem)"
    [ "$before" = "$(cat /proc/self/mountinfo)" ]
}

@test "a control group that goes with its process: the event has its number, and the end comes" {
    local root

    root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$root" ] || skip "no cgroup2"
    GROUP=$root/crypto-tracer-test.$$
    mkdir "$GROUP" 2>/dev/null || skip "no control group can be made"
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    echo "${PUPPET[p]}" >"$GROUP/cgroup.procs"
    puppet p open /dying.pem
    puppet_exit p
    wait_for 10 rmdir "$GROUP"
    tracer_stop
    must_be 143
    must_count 1 "$(opens /dying.pem)"
    must_have '.event_type == "process_exit"'
}

@test "2,000 programs in a row: each is told, none twice" {
    # shellcheck disable=SC2016 # for the inner shell
    tracer monitor --quiet -- sh -c 'i=0; while [ $i -lt 2000 ]; do /bin/true $i; i=$((i + 1)); done'
    must_be 0
    [ "$(events '.event_type == "process_exec" and .process == "true"' | jq -r '.argv[1]' |
        sort -un | wc -l)" -eq 2000 ]
    must_count 2000 '.event_type == "process_exec" and .process == "true"'
    must_count 2001 '.event_type == "process_exit"'
}
