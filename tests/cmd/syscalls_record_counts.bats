#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls record`: that what it counts is what was called, by whom, and nothing else. The truth is
# strace -f -c for programs that do the same each time, and what test programs say of themselves.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell

load helpers
load syscalls_record

@test "counts and errors are those of strace: ls, dd, find, busybox" {
    needs strace busybox
    must_equal_strace ls /
    must_equal_strace ls -l /etc
    must_equal_strace dd if=/dev/zero of=/dev/null bs=1 count=5000
    [ "$(calls_of true read)" -ge 5000 ]
    must_equal_strace find /etc -xdev
    must_equal_strace busybox ls /
}

new_database()
{
    rm -f "$T/db"
}

@test "counts and errors are those of strace: sqlite3, python" {
    needs strace sqlite3
    PREPARE=new_database must_equal_strace sqlite3 "$T/db" \
        'create table a(b); insert into a values (1), (2); select count(*) from a; drop table a;'
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    must_equal_strace /usr/bin/python3 -c 'import json; print(json.dumps([1]))'
}

@test "counts and errors are those of strace: trees of processes" {
    needs strace
    must_equal_strace sh -c 'for i in 1 2 3; do /bin/true; ls /nonexistent; done; exit 3'
    must_equal_strace xargs -a /etc/passwd -n 1 /bin/echo
    must_equal_strace "$PROGRAMS/calls_deep" 30 3
}

@test "the status of COMMAND and what it writes are as without" {
    record -- sh -c 'echo out; echo err >&2; exit 3'
    must_be 3
    [ "$(cat "$OUT")" = out ]
    [ "$(cat "$ERR")" = err ]
}

@test "threads: each start routine is a part, with its place in the file" {
    record -- "$PROGRAMS/calls_threads" 20 10
    must_be 0
    must_be_as_said
    # Threads of threads are below them.
    recorded_is '[.nodes[] | select(.start == "thread") | .instances] | add' 40
    recorded_is '[.nodes as $n | .nodes[] | select(.start == "thread" and $n[.parent].start == "thread")] | length' 1
    recorded_is .runs 1
}

@test "processes: fork, vfork, spawn, clone, clone3, exec by a thread, a daemon" {
    record -- "$PROGRAMS/calls_processes" 5 7
    must_be 0
    must_be_as_said
    recorded_is '[.nodes[] | select(.start == "vfork") | .instances] | add' 10
    # The exec of a second thread is below it.
    recorded_is '[.nodes as $n | .nodes[] | select(.start == "exec" and $n[.parent].start == "thread") | .instances] | add' 5
}

@test "a tree as deep as 60 children of children" {
    record -- "$PROGRAMS/calls_deep" 60 3
    must_be 0
    must_be_as_said
}

@test "a thousand children that began alike are one part" {
    record -- sh -c 'i=0; while [ $i -lt 1000 ]; do (:); i=$((i + 1)); done'
    must_be 0
    recorded_is '[.nodes[] | [.start, .instances]]' '[["command",1],["fork",1000]]'
}

@test "int 0x80 is a call of i386, also its execve; x32 is told apart" {
    record -- "$PROGRAMS/calls_int80" 7 /bin/true
    [ "$status" -ne 77 ] || skip "the kernel runs no 32-bit calls"
    must_be 0
    must_be_as_said
    recorded_is '[.nodes[].calls[] | select(.name == "writev")] | length' 0
    recorded_is '[.nodes[].calls[] | select(.name == "execve") | [.arch, .count]]' '[["i386",1]]'
    recorded_is '.nodes[1].start' '"exec"'
}

@test "a 32-bit program: its calls, its signal handlers, what it executes" {
    needs strace
    gcc -m32 -D_GNU_SOURCE -o "$T/signals" "$ROOT/tests/programs/calls_signals.c" 2>/dev/null ||
        skip "no 32-bit compiler"
    must_equal_strace "$T/signals" 5
    recorded_is '[.nodes[].calls[] | select(.arch != "i386")] | length' 0
    [ "$(calls_of true sigreturn)" -eq 3 ]
    record -- sh -c "exec '$T/signals' 5"
    must_be 0
    recorded_is '[.nodes[].calls[] | select(.name == "execve") | [.arch, .count]]' '[["x86_64",1]]'
}

@test "signals: returns of handlers, interrupted calls" {
    needs strace
    must_equal_strace "$PROGRAMS/calls_signals" 5
    [ "$(calls_of true rt_sigreturn)" -eq 3 ]
}

@test "two million calls of two processes at once, of four at once: none is lost" {
    local nr

    for nr in 2 4; do
        record -- "$PROGRAMS/calls_storm" "$nr" $((2000000 / nr))
        must_be 0
        must_be_as_said
        [ "$(calls_of true getpgid)" -eq 2000000 ]
        [ ! -s "$ERR" ]
    done
}

@test "what others do meanwhile is not counted" {
    local dd

    dd if=/dev/zero of=/dev/null bs=1 2>/dev/null 3>&- &
    dd=$!
    record -- sh -c 'sleep 0.3; exec cat /dev/null'
    kill "$dd"
    wait "$dd" 2>/dev/null || :
    must_be 0
    [ "$(calls_of true read)" -lt 50 ]
    recorded_is '[.nodes[] | select(.exe | test("dd$"))] | length' 0
}

@test "calls that never return, and those that a filter refuses, are counted" {
    record -- "$PROGRAMS/calls_filtered" 5
    must_be 0
    must_be_as_said
    [ "$(calls_of true exit_group)" -eq 1 ]
    [ "$(calls_of true getppid)" -eq 5 ]
    # COMMAND is killed while it waits.
    record -- sh -c 'kill -KILL $$'
    must_be 137
    [ "$(calls_of true kill)" -eq 1 ]
}

@test "a filter that was there before: it is said, and its refusals are counted" {
    leaks_unseen
    R=$T/recording
    status=0
    "$PROGRAMS/calls_filtered" 1 "$TOOL" syscalls record -o "$R" -- \
        "$PROGRAMS/calls_filtered" 5 >"$OUT" 2>"$ERR" || status=$?
    must_be 0
    must_be_as_said
    grep -q 'a seccomp filter is in force already' "$ERR"
    recorded '.warnings[]' | grep -q 'seccomp filter'
}

@test "a process that closes all descriptors, changes its user, its namespaces" {
    needs setpriv unshare
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    record -- /usr/bin/python3 -c 'import os; os.closerange(0, 4096); [os.getppid() for i in range(9)]'
    must_be 0
    [ "$(calls_of true getppid)" -eq 9 ]
    record -- setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'ls / >/dev/null; exit 4'
    must_be 4
    [ "$(calls_of '.exe | test("/ls$")' getdents64)" -eq 2 ]
    record -- unshare -p -m -f sh -c 'ls / >/dev/null; exit 5'
    must_be 5
    [ "$(calls_of '.exe | test("/ls$")' getdents64)" -eq 2 ]
}

@test "pids that are used again do not confuse it" {
    needs unshare
    record -- unshare -p -f --mount-proc sh -c '
        for i in 1 2 3; do echo 41 >/proc/sys/kernel/ns_last_pid; /bin/true; done'
    must_be 0
    recorded_is '[.nodes[] | select(.exe | test("/true$")) | [.instances, (.calls[] | select(.name == "exit_group").count)]]' '[[3,3]]'
}

@test "both engines give the same" {
    local engine

    for engine in bpf ptrace; do
        record --engine "$engine" -- sh -c '(/bin/true; /bin/false; exec ls /); (exit 3); exec ls /etc'
        must_be 0
        recorded '[.engine, .runs]' | grep -q "$engine"
        jq -S '[.nodes[] | {parent, start, exe, phase, entry, instances,
            calls: [.calls[] | [.arch, .name, .count, .errors]] | sort}]' "$R" >"$T/$engine"
    done
    diff "$T/bpf" "$T/ptrace"
    [ "$(jq length "$T/bpf")" -ge 5 ]
}
