#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# process_exec: program, arguments, working directory and parent of everything that is executed.

load ../../support/trace

# chroot_make DIR PROGRAM: DIR as a root in which PROGRAM runs as /bin/trigger.
chroot_make()
{
    local library
    mkdir -p "$1/bin"
    cp "$2" "$1/bin/trigger"
    while read -r library; do
        mkdir -p "$1$(dirname "$library")"
        cp "$library" "$1$library"
    done < <(ldd "$2" | grep -o '/[^ ]*')
}

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    # A copy, so that other users may execute it wherever the tree is.
    cp "$BUILD/tests/sources/process_exec/process_exec_trigger" .
    chroot_make root process_exec_trigger
    trace_run events expected --event process_exec -- \
        ./process_exec_trigger "$BATS_FILE_TMPDIR"
    # The trigger itself is not one of its cases.
    jq -cn --arg dir "$BATS_FILE_TMPDIR" --slurpfile all events '
        $all[] | select(.argv[0]? == "./process_exec_trigger") |
        {case: "itself", event_type, pid, ppid, uid: 0, process: "process_exec_tr",
         exe: ($dir + "/process_exec_trigger"), argv: ["./process_exec_trigger", $dir],
         cmdline: ("./process_exec_trigger " + $dir), cwd: $dir, truncated: false}' >>expected
}

setup()
{
    trace_need
    cd "$BATS_FILE_TMPDIR" || return
}

@test "all arguments are reported: none, one, a thousand, empty ones" {
    each 'itself' 'no argument' 'one argument' '1000 arguments' 'empty strings' 'empty at the end'
    [ "$(jq -c 'select(.argv | length == 1000) | .pid' events | wc -l)" -eq 1 ]
}

@test "16 KiB of arguments are reported whole, longer ones are cut and marked" {
    each 'as long as possible' 'one byte too long' 'far too long' 'one huge argument'
    [ "$(jq -c 'select(.truncated) | .pid' events | wc -l)" -eq 4 ]
}

@test "arguments of any bytes give valid UTF-8" {
    each 'any bytes'
    iconv -f UTF-8 -t UTF-8 events >/dev/null
}

@test "exe is the program that runs, whatever led to it" {
    each symlink script 'script of a script' execveat descriptor memfd 'deleted program' \
        'long name' PATH posix_spawn
}

@test "the working directory: any name, the root, deleted, 40 levels deep" {
    each 'any directory' 'root directory' 'deleted directory' 'deep directory'
}

@test "of a directory deeper than can be followed the end is reported, and marked" {
    local whole
    whole=$(jq -r 'select(.case == "too deep directory" and .event_type) | .cwd' expected)
    jq -es --arg whole "$whole" --slurpfile case expected '
        ($case[] | select(.case == "too deep directory") | .pid) as $pid |
        [.[] | select(.pid == $pid)] | length == 1 and .[0].truncated and
        (.[0].cwd | length > 200) and (.[0].cwd as $cwd | $whole | endswith($cwd))' events
}

@test "exec from a second thread is the process's" {
    each 'by a thread'
}

@test "chroot and mounts: names are those that the process sees" {
    each chroot 'outside chroot' mounts
}

@test "a program that executes another is reported twice, with one identity" {
    each twice
    jq -es --slurpfile case expected '
        ($case[] | select(.case == "twice" and .event_type) | .pid) as $pid |
        [.[] | select(.pid == $pid)] | length == 2 and .[0].start_time_ns == .[1].start_time_ns
        ' events
}

@test "user and parent are those of the moment" {
    each 'another user' orphan
}

@test "what cannot be executed is not reported" {
    each failing
}

@test "nothing else is reported" {
    jq -c 'select(.case != "too deep directory")' expected >"$BATS_TEST_TMPDIR/rest"
    jq -c --slurpfile case expected '
        select(.pid as $pid | any($case[]; .case == "too deep directory" and .pid == $pid) | not)' \
        events >"$BATS_TEST_TMPDIR/events"
    expect "$BATS_TEST_TMPDIR/rest" "$BATS_TEST_TMPDIR/events"
}

@test "a COMMAND that cannot be executed is not reported either" {
    local status=0
    trace_run "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/out" -- /nonexistent/program || status=$?
    [ "$status" -eq 127 ]
    trace_accounts "$BATS_TEST_TMPDIR/none"
    [ -z "$(events "$BATS_TEST_TMPDIR/none" 'select(.event_type == "process_exec")')" ]
}
