#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# process_fork: every new process once, whatever call made it, and nothing else.

load ../../support/trace

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    trace_run events expected --event process_fork -- \
        "$BUILD/tests/sources/process_fork/process_fork_trigger"
}

setup()
{
    trace_need
    cd "$BATS_FILE_TMPDIR" || return
}

@test "fork, vfork, clone3, posix_spawn, CLONE_VM and CLONE_PARENT are each reported once" {
    local name
    for name in fork vfork clone3 posix_spawn 'sharing memory' 'as a sibling'; do
        expect expected events "$name"
    done
}

@test "grandchildren are reported with their own parent" {
    expect expected events 'three generations'
    [ "$(grep -c '"three generations"' expected)" -eq 3 ]
}

@test "a process forked by a thread is called like the thread, its parent is the process" {
    expect expected events 'by a thread'
}

@test "a new name and a new user are no forks, but what is forked then has both" {
    expect expected events 'rename and setuid'
}

@test "nothing else is reported: no thread, no failed call, no rename, no setuid" {
    expect expected events
}

@test "each process has an identity of its own" {
    jq -e -s '[.[] | select(.event_type == "process_fork") | .start_time_ns] |
              length == (unique | length) and all(. > 0)' events
}

@test "forks are reported only when asked for" {
    trace_run "$BATS_TEST_TMPDIR/default" "$BATS_TEST_TMPDIR/out" -- \
        "$BUILD/tests/sources/process_fork/process_fork_trigger" fork
    events "$BATS_TEST_TMPDIR/default" 'select(.event_type == "process_exit")' | grep -q .
    [ -z "$(events "$BATS_TEST_TMPDIR/default" 'select(.event_type == "process_fork")')" ]
}
