#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# process_exit: once for every process, with the status that wait(2) tells.

load ../../support/trace

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    trace_run events expected --event process_exit -- \
        "$BUILD/tests/sources/process_exit/process_exit_trigger"
}

setup()
{
    trace_need
    cd "$BATS_FILE_TMPDIR" || return
}

@test "exit codes are those of wait, 0 to 255" {
    expect expected events code
    [ "$(jq -r 'select(.case == "code") | .exit_code' expected | paste -sd' ')" = \
        '0 1 3 127 128 255 7' ]
}

@test "a signal gives 128 + n and its name, real-time signals too" {
    expect expected events signal
    grep -q '"exit_code":137,"signal":"SIGKILL"' events
    grep -q '"signal":"SIGRTMIN+3"' events
}

@test "a core dump is told" {
    expect expected events core
    grep -q '"case":"core".*core_dumped' expected || skip "this host dumps no core"
}

@test "50 threads that end at the same moment are one exit, 200 times" {
    expect expected events 'fifty threads'
    [ "$(grep -c '"fifty threads"' expected)" -eq 200 ]
}

@test "the process ends with its last thread, not with its first" {
    expect expected events 'leader first'
    expect expected events 'last is another'
}

@test "a process with threads that is killed ends once" {
    expect expected events 'threads by signal'
}

@test "vfork, exec, a new name, a new user, an orphan" {
    expect expected events vfork
    expect expected events exec
    expect expected events 'rename and setuid'
    expect expected events orphan
}

@test "nothing else is reported, and the trigger itself is" {
    expect expected events itself
    expect expected events
}

@test "duration_ms lies between what the process slept and what its parent waited" {
    jq -es --slurpfile expected expected '
        (map(select(.event_type == "process_exit") | {key: (.pid | tostring), value: .duration_ms})
         | from_entries) as $lived |
        [$expected[] | select(.event_type and .case != "itself") |
         $lived[.pid | tostring] as $ms | select($ms < .min_ms or $ms > .max_ms) |
         {case, min_ms, $ms, max_ms}] | if . == [] then true else debug | false end' events
}

@test "exec and exit of a process have the same identity" {
    trace_run "$BATS_TEST_TMPDIR/events" "$BATS_TEST_TMPDIR/out" -- /bin/sh -c '/bin/true; exit 0'
    jq -es 'map(select(.start_time_ns)) | length == 4 and
            (group_by(.pid) | length == 2 and
             all(.[]; .[0].event_type == "process_exec" and .[1].event_type == "process_exit" and
                      .[0].start_time_ns == .[1].start_time_ns))' "$BATS_TEST_TMPDIR/events"
}
