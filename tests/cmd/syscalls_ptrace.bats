#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls record --engine ptrace`: that it counts what was called, as the other engine does; that
# what it follows behaves as it does without; and what is left of it when it ends, or is killed.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell

load helpers
load syscalls_record

ENGINE=ptrace

# traced ARG...: record() with this engine.
traced()
{
    record --engine ptrace "$@"
}

# both ARG...: records with both engines into $T/bpf and $T/ptrace, as text that can be compared.
both()
{
    local engine

    for engine in bpf ptrace; do
        R=$T/$engine.json
        record --engine "$engine" "$@"
        jq -S '[(.phases | map({point, hits})),
            (.nodes[] | {parent, start, exe, phase, entry, instances,
                calls: [.calls[] | [.arch, .name, .count, .errors]] | sort})]' "$R" >"$T/$engine"
    done
    [ "$(jq length "$T/bpf")" -ge 2 ]
    diff "$T/bpf" "$T/ptrace"
}

@test "counts and errors are those of strace: ls, dd, busybox, sqlite3, python" {
    needs strace busybox sqlite3
    must_equal_strace ls -l /etc
    must_equal_strace dd if=/dev/zero of=/dev/null bs=1 count=3000
    must_equal_strace busybox ls /
    must_equal_strace sqlite3 :memory: 'create table a(b); insert into a values (1), (2);'
    must_equal_strace sh -c 'for i in 1 2 3; do /bin/true; ls /nonexistent; done; exit 3'
    must_equal_strace "$PROGRAMS/calls_deep" 30 3
    must_equal_strace "$PROGRAMS/calls_signals" 5
    recorded_is .engine '"ptrace"'
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    must_equal_strace /usr/bin/python3 -c 'import json; print(json.dumps([1]))'
}

@test "both engines give the same: processes, threads, depth, other calls" {
    both -- "$PROGRAMS/calls_deep" 20 3
    both -- "$PROGRAMS/calls_signals" 5
    both -- "$PROGRAMS/calls_filtered" 5
    both -- ls -l /etc
    both -- sh -c '(/bin/true; /bin/false; exec ls /); (exit 3); exec ls /etc'
}

@test "both engines give the same: phases" {
    both --phase first_point --phase second_point -- "$PROGRAMS/phased" again
    both --phase first_point -- "$PROGRAMS/phased" fork
    both --phase first_point -- "$PROGRAMS/phased" vfork
    both --phase first:fork --phase first:exec -- sh -c '/bin/true; exec /bin/true'
    both --phase signal:USR1 -- sh -c 'trap : USR1; kill -USR1 $$; /bin/true'
    both --phase first:getdents -- ls /
}

@test "threads and processes: every part, as the programs say themselves" {
    traced -- "$PROGRAMS/calls_threads" 20 10
    must_be 0
    must_be_as_said
    recorded_is '[.nodes[] | select(.start == "thread") | .instances] | add' 40
    traced -- "$PROGRAMS/calls_processes" 5 7
    must_be 0
    must_be_as_said
    recorded_is '[.nodes[] | select(.start == "vfork") | .instances] | add' 10
    recorded_is '[.nodes as $n | .nodes[] | select(.start == "exec" and $n[.parent].start == "thread") | .instances] | add' 5
    traced -- "$PROGRAMS/calls_deep" 60 3
    must_be 0
    must_be_as_said
}

@test "int 0x80 is a call of i386, also in a program of 32 bits" {
    traced -- "$PROGRAMS/calls_int80" 7 /bin/true
    [ "$status" -ne 77 ] || skip "the kernel runs no 32-bit calls"
    must_be 0
    must_be_as_said
    recorded_is '[.nodes[].calls[] | select(.name == "writev")] | length' 0
    gcc -m32 -D_GNU_SOURCE -o "$T/signals" "$ROOT/tests/programs/calls_signals.c" 2>/dev/null ||
        skip "no 32-bit compiler"
    must_equal_strace "$T/signals" 5
    recorded_is '[.nodes[].calls[] | select(.arch != "i386")] | length' 0
}

@test "it works for any user" {
    needs setpriv
    status=0
    chmod 777 "$T"
    cp "$TOOL" "$T/tool"
    R=$T/recording
    setpriv --reuid 65534 --regid 65534 --clear-groups "$T/tool" syscalls record -o "$R" -- \
        "$PROGRAMS/calls_threads" 3 4 >"$OUT" 2>"$ERR" || status=$?
    must_be 0
    must_be_as_said
    recorded_is .engine '"ptrace"'
    rm "$R"
    status=0
    setpriv --reuid 65534 --regid 65534 --clear-groups "$T/tool" syscalls record --engine bpf \
        -o "$R" -- true >"$OUT" 2>"$ERR" || status=$?
    must_be 3
    [ ! -e "$R" ]
    grep -q '^Solution: run it as root, or with --engine ptrace' "$ERR"
}

@test "a set-user-ID program runs without the rights, which is said" {
    needs setpriv
    chmod 777 "$T"
    cp "$TOOL" "$T/tool"
    cp "$(command -v id)" "$T/id"
    chmod 4755 "$T/id"
    [ "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$T/id" -u)" -eq 0 ] ||
        skip "nothing is set-user-ID here"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$T/tool" syscalls record \
        -o "$T/recording" -- sh -c "'$T/id' -u" >"$OUT" 2>"$ERR"
    [ "$(cat "$OUT")" = 65534 ]
    grep -q 'WARN: .*set-user-ID' "$ERR"
    # Root may trace it as it is.
    traced -- "$T/id" -u
    must_be 0
    refute grep -q set-user-ID "$ERR"
}

@test "status, output, arguments and what is inherited are as without" {
    traced -- sh -c 'echo out; echo err >&2; exit 3'
    must_be 3
    [ "$(cat "$OUT")" = out ]
    [ "$(cat "$ERR")" = err ]
    traced -- sh -c 'kill -SEGV $$'
    must_be 139
    traced -- "$T/none"
    must_be 127
    : >"$T/plain"
    traced -- "$T/plain"
    must_be 126
    (cd "$T" && sh -c 'ulimit -n 100 -c 0; umask 027; trap "" INT PIPE; exec "$0" "$@"' \
        "$PROGRAMS/inherited" </dev/null >"$T/without" 2>"$T/err1" 3>&-)
    (cd "$T" && sh -c 'ulimit -n 100 -c 0; umask 027; trap "" INT PIPE; exec "$0" "$@"' \
        "$TOOL" syscalls record --engine ptrace -o "$T/r" -- "$PROGRAMS/inherited" \
        </dev/null >"$T/traced" 2>"$T/err1" 3>&-)
    sed -i 's/\(fd 1 .*\)without /\1traced /; /^env _=/d; /^group /d' "$T/without" "$T/traced"
    [ "$(wc -l <"$T/traced")" -gt 30 ]
    diff "$T/without" "$T/traced"
}

@test "stopping and continuing: restart_syscall, and a group that is stopped stays so" {
    local pid seconds

    for seconds in 2 20; do
        record_start ready --engine ptrace -- sh -c 'echo "ready $$"; exec sleep "$0"' "$seconds"
        pid=$(sed -n 's/^ready //p' "$OUT")
        ! stops_asleep "$pid" || break
        record_end
    done
    sleep 0.3
    grep -q '^State:.*[Tt]' "/proc/$pid/status"
    kill -CONT "$pid"
    record_end
    must_be 0
    [ "$(calls_of true restart_syscall)" -eq 1 ]
}

@test "CLONE_UNTRACED does not hide a child" {
    traced -- "$PROGRAMS/sys_untraced" 5
    must_be 0
    must_be_as_said
}

@test "an ignored signal does not interrupt what it would not without" {
    traced -- "$PROGRAMS/sys_woken"
    must_be 0
    [ "$(calls_of true epoll_wait)" -eq 1 ]
    recorded_is '[.nodes[].calls[] | select(.name == "epoll_wait") | .errors] | add' 0
}

# start_loop KIND OPTION...: records sys_loop with a point in its code; its processes in $PIDS.
start_loop()
{
    local pid

    record_start ready --engine ptrace --phase never "$@" -- "$PROGRAMS/sys_loop"
    PIDS=$(sed -n 's/^ready //p' "$OUT")
    OFFSET=$((0x$(nm "$PROGRAMS/sys_loop" | sed -n 's/^\([0-9a-f]*\) T never$/\1/p')))
    CODE=$(bytes_at "$PROGRAMS/sys_loop" "$OFFSET")
    for pid in $PIDS; do
        [ "$(code_of "$pid" "$OFFSET")" = " cc${CODE:3}" ]
    done
}

# Whether all threads of all processes run on, with nobody's breakpoints.
runs_on()
{
    local pid

    for pid in $PIDS; do
        ! has_ended "$pid" || return 1
        [ "$(grep -h TracerPid "/proc/$pid/task/"*/status | sort -u)" = $'TracerPid:\t0' ] || return 1
        [ "$(code_of "$pid" "$OFFSET")" = "$CODE" ] || return 1
    done
}

end_loop()
{
    local pid

    # They go through the function now.
    for pid in $PIDS; do kill -USR1 "$pid"; done
    for pid in $PIDS; do wait_for 5 has_ended "$pid"; done
    # And say at their end that no thread was disturbed.
    wait_for 5 eval '[ "$(grep -c "^undisturbed$" "$OUT")" -eq 2 ]'
}

@test "told to end: all is released, or killed, and what was counted is there" {
    start_loop --on-exit detach
    kill -TERM "$TRACER"
    record_end
    must_be 143
    runs_on
    recorded_is '[.each_run[].is_complete]' '[false]'
    [ "$(calls_of true getppid)" -gt 10 ]
    end_loop
    start_loop
    kill -INT "$TRACER"
    record_end
    must_be 130
    for pid in $PIDS; do wait_for 5 has_ended "$pid"; done
    [ "$(calls_of true getppid)" -gt 10 ]
}

@test "the tool is killed: all is released, or killed, and what was counted is there" {
    start_loop --on-exit detach
    kill -KILL "$TRACER"
    record_end
    wait_for 10 runs_on
    wait_for 10 test -s "$R"
    [ "$(calls_of true getppid)" -gt 10 ]
    end_loop
    rm -f "$R"
    start_loop
    kill -KILL "$TRACER"
    record_end
    for pid in $PIDS; do wait_for 5 has_ended "$pid"; done
    wait_for 10 test -s "$R"
    [ "$(calls_of true getppid)" -gt 10 ]
}

@test "the tracer behind it is killed: no breakpoint is left, or no process" {
    local behind

    start_loop --on-exit detach
    behind=$(pgrep -P "$TRACER")
    kill -KILL "$behind"
    record_end
    must_be 137
    wait_for 5 runs_on
    end_loop
    start_loop
    behind=$(pgrep -P "$TRACER")
    kill -KILL "$behind"
    record_end
    for pid in $PIDS; do wait_for 5 has_ended "$pid"; done
}

@test "a filter that refuses getppid is no reason to end" {
    leaks_unseen
    R=$T/recording
    status=0
    "$PROGRAMS/calls_filtered" 0 "$TOOL" syscalls record --engine ptrace -o "$R" -- \
        "$PROGRAMS/calls_threads" 3 4 >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 0
    must_be_as_said
    recorded_is .each_run[0].was_filtered true
    grep -q 'WARN: a seccomp filter is in force already' "$ERR"
}
