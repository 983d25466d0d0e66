#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls record --phase`: points in code, at calls, events and signals, and `auto`.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell

load helpers
load syscalls_record

# phases_are EXPECTED: point and hits of each.
phases_are()
{
    recorded_is '[.phases[1:][] | [.point, .hits]]' "$1"
}

# What a phase has, as "read=3 write=1".
phase_calls()
{
    jq -r "[.nodes[] | select(.phase == $1) | .calls[]] | group_by(.name) |
        map(\"\(.[0].name)=\(map(.count) | add)\") | join(\" \")" "$R"
}

# Says 1 behind SIGUSR1, 2 behind SIGUSR2: the points of calls_signals.
@test "signals, by name and number" {
    local points

    for points in 'signal:USR1 signal:SIGUSR2' 'signal:10 signal:12' 'signal:sigusr1 signal:usr2'; do
        # shellcheck disable=SC2086 # words
        set -- $points
        record --phase "$1" --phase "$2" -- "$PROGRAMS/calls_signals" 5
        must_be 0
        must_be_as_said
        recorded_is '[.phases[].hits]' '[0,1,1]'
    done
    record --phase signal:RTMIN+1 -- bash -c 'trap : RTMIN+1; kill -RTMIN+1 $$; exec true'
    must_be 0
    phases_are '[["signal:RTMIN+1",1]]'
}

@test "a call begins its phase: it is counted there, in all its variants" {
    record --phase first:write -- sh -c 'echo a; echo b'
    must_be 0
    phases_are '[["first:write",1]]'
    [ "$(calls_of '.phase == 0' write)" -eq 0 ]
    [ "$(calls_of '.phase == 1' write)" -eq 2 ]
    [ "$(phase_calls 1)" = 'exit_group=1 write=2' ]
    # stat(1) calls statx or newfstatat.
    record --phase first:stat -- stat /
    must_be 0
    phases_are '[["first:stat",1]]'
}

@test "phases only go on: a point that is passed again, or from the wrong side, changes nothing" {
    record --phase first:getppid --phase first:getpgid -- "$PROGRAMS/calls_deep" 3 2
    must_be 0
    # The first child comes to the second point, the others begin behind it.
    phases_are '[["first:getppid",1],["first:getpgid",1]]'
    [ "$(calls_of '.phase == 1' getppid)" -eq 2 ]
    [ "$(calls_of '.phase == 2' getpgid)" -eq 6 ]
    # Here each comes to it for itself: its parent never does.
    record --phase first:getpgid -- "$PROGRAMS/calls_storm" 3 2
    must_be 0
    phases_are '[["first:getpgid",3]]'
    record --phase first:getpgid --phase first:getppid -- "$PROGRAMS/calls_deep" 3 2
    must_be 1
    phases_are '[["first:getpgid",0],["first:getppid",1]]'
    grep -q "^Error: The point 'first:getpgid' was never reached" "$ERR"
    [ "$(calls_of '.phase == 2' getpgid)" -eq 6 ]
}

@test "first:fork, first:thread, first:exec: the call itself is the last one before" {
    record --phase first:fork --phase first:exec -- sh -c '(:); /bin/true; (:)'
    must_be 0
    phases_are '[["first:fork",1],["first:exec",1]]'
    recorded_is '[.nodes[] | select(.phase == 0) | .start]' '["command"]'
    [ "$(calls_of '.phase == 0' clone)" -eq 1 ]
    [ "$(calls_of '.phase == 2' exit_group)" -eq 1 ]
    recorded_is '[.nodes[] | select(.phase == 2) | [.start, (.exe | test("/true$"))]]' '[["exec",true]]'
    record --phase first:thread -- "$PROGRAMS/calls_threads" 5 3
    must_be 0
    must_be_as_said
    phases_are '[["first:thread",1]]'
    [ "$(calls_of '.phase == 0' clone3)" -eq 1 ]
    [ "$(calls_of '.phase == 1' clone3)" -eq 9 ]
    [ "$(calls_of '.phase == 0' getpriority)" -eq 0 ]
}

@test "a process is in one phase with all its threads" {
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    # One thread opens, while the other already exists and calls afterwards.
    record --phase first:getpgid -- /usr/bin/python3 -c '
import os, threading
go, done = threading.Event(), threading.Event()
def other():
    os.getppid(); done.set(); go.wait(); os.getppid(); os.getppid()
t = threading.Thread(target=other); t.start(); done.wait()
os.getpgid(0); go.set(); t.join()'
    must_be 0
    phases_are '[["first:getpgid",1]]'
    [ "$(calls_of '.phase == 0 and .start == "thread"' getppid)" -eq 1 ]
    [ "$(calls_of '.phase == 1' getppid)" -eq 2 ]
    recorded_is '[.nodes as $n | .nodes[] | select(.start == "phase" and $n[.parent].start == "thread")] | length' 1
}

@test "a function of a library: sqlite3_step, by name, with its file, by offset" {
    local library offset point want=

    needs sqlite3 nm
    library=$(ldd "$(command -v sqlite3)" | sed -n 's/.*\(libsqlite3\.so[^ ]*\) => \([^ ]*\) .*/\2/p')
    [ -n "$library" ] || skip "sqlite3 has its library built in"
    # Where the code is: address and offset are the same in this library's first segments.
    offset=$(nm -D "$library" | awk '$3 ~ /^sqlite3_step(@|$)/ { print $1 }')
    for point in sqlite3_step "${library##*/}:sqlite3_step" "$library:sqlite3_step" "$library:0x$offset"; do
        rm -f "$T/db"
        record --phase "$point" -- sqlite3 "$T/db" 'create table a(b); insert into a values (1);'
        must_be 0
        phases_are "[[\"$point\",1]]"
        [ -n "$want" ] || want=$(phase_calls 0)
        [ "$(phase_calls 0)" = "$want" ]
        grep -q 'pwrite64=' <<<"$(phase_calls 1)"
        refute grep -q 'pwrite64=' <<<"$(phase_calls 0)"
    done
}

@test "functions of programs: redis at aeMain, startup and serving" {
    local port=17379

    needs redis-server redis-cli redis-benchmark
    record --phase aeMain --drive "redis-benchmark -p $port -q -n 300 -t set,get,ping" -- \
        redis-server --port "$port" --save ''
    must_be 0
    phases_are '[["aeMain",1]]'
    [ "$(recorded '[.nodes[] | select(.phase == 0).calls[].name] | unique | length')" -ge 35 ]
    [ "$(recorded '[.nodes[] | select(.phase == 1).calls[].name] | unique | length')" -le 25 ]
    [ "$(calls_of '.phase == 0' listen)" -ge 1 ]
    [ "$(calls_of '.phase == 1' listen)" -eq 0 ]
    [ "$(calls_of '.phase == 1' epoll_wait)" -ge 10 ]
    [ "$(calls_of '.phase == 0' epoll_wait)" -eq 0 ]
}

@test "--phase auto: where a server waits for work, and why there" {
    local port=17380

    needs redis-server redis-cli
    record --phase auto --drive "redis-cli -p $port ping" -- redis-server --port "$port" --save ''
    must_be 0
    phases_are '[["auto",1]]'
    recorded .phases[1].reason | grep -qE '^"first epoll_wait of redis-server, which listens \(1 process waited there [0-9]+ times, after [0-9]+ different calls\)"$'
    [ "$(calls_of '.phase == 0' epoll_wait)" -eq 0 ]
    recorded_is '(.phases[1].reason | capture("there (?<n>[0-9]+) times").n | tonumber) == ([.nodes[] | select(.phase == 1).calls[] | select(.name == "epoll_wait").count] | add)' true
    recorded_is '(.phases[1].reason | capture("after (?<n>[0-9]+) diff").n | tonumber) == ([.nodes[] | select(.phase == 0).calls[].name] | unique | length)' true
}

@test "--phase auto: workers wait for what their parent listens to" {
    local seconds workers

    needs /usr/bin/python3
    workers='
import os, select, signal, socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
workers = []
def end(*unused):
    for pid in workers: os.kill(pid, 9)
    os._exit(0)
for i in range(3):
    pid = os.fork()
    if pid == 0:
        while True: select.select([s], [], [], 0.05)
    workers.append(pid)
signal.signal(signal.SIGTERM, end)
while True: time.sleep(1)'
    # The longer one is for a machine on which three forks and a wait of each take longer than the other.
    for seconds in 0.5 20; do
        record --phase auto --drive "sleep $seconds" -- /usr/bin/python3 -c "$workers"
        must_be 0
        [ "$(recorded '.phases[1].hits')" != 3 ] || break
    done
    recorded_is '.phases[1].hits' 3
    recorded .phases[1].reason | grep -q 'first pselect6 of python3, which listens (3 processes waited'
}

@test "--phase auto: a program that listens to nobody, and comes back to waiting" {
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    record --phase auto -- /usr/bin/python3 -c '
import os, select
for i in range(4): select.select([], [], [], 0.01); os.getppid()'
    must_be 0
    recorded .phases[1].reason | grep -q 'first pselect6 of python3, while nobody listens (1 process waited there 4 times'
    [ "$(calls_of '.phase == 1' getppid)" -eq 4 ]
    [ "$(calls_of '.phase == 0' pselect6)" -eq 0 ]
}

@test "--phase auto: one wait makes no loop, and what it would have split stays whole" {
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    record --phase auto -- /usr/bin/python3 -c '
import os, select
select.select([], [], [], 0.01); os.getppid(); os.system("true")'
    must_be 1
    grep -q '^Error: No serving loop was found' "$ERR"
    grep -q 'first:pselect6 (1)' "$ERR"
    recorded_is '[.nodes[].phase] | unique' '[0]'
    recorded_is '[.nodes[] | select(.start == "phase")] | length' 0
    [ "$(calls_of '.start == "command"' getppid)" -eq 1 ]
    [ "$(calls_of '.start == "command"' pselect6)" -eq 1 ]
}

@test "auto among other points" {
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    record --phase first:getpgid --phase auto --phase first:getsid -- /usr/bin/python3 -c '
import os, select
os.getpgid(0)
for i in range(4): select.select([], [], [], 0.01)
os.getsid(0); os.getppid()'
    must_be 0
    phases_are '[["first:getpgid",1],["auto",1],["first:getsid",1]]'
    [ "$(calls_of '.phase == 2' pselect6)" -eq 4 ]
    [ "$(calls_of '.phase == 3' getppid)" -eq 1 ]
}

@test "a program that is no PIE, ten points in order, none leaves anything behind" {
    local points=() i before

    needs gcc
    {
        echo '#include <sys/syscall.h>'
        echo '#include <unistd.h>'
        echo '#include <sys/wait.h>'
        for i in 0 1 2 3 4 5 6 7 8 9; do
            echo "__attribute__((noinline)) void step$i(void) { syscall(SYS_getppid); }"
        done
        echo 'int main(void) {'
        for i in 0 1 2 3 4 5 6 7 8 9; do echo "step$i();"; done
        echo 'if (fork() == 0) { step0(); step9(); _exit(3); }'
        echo 'int s; wait(&s); return WIFEXITED(s) ? WEXITSTATUS(s) : 99; }'
    } >"$T/steps.c"
    for i in 0 1 2 3 4 5 6 7 8 9; do points+=(--phase "step$i"); done
    for i in -no-pie -pie; do
        gcc -O1 "$i" -o "$T/steps" "$T/steps.c"
        record "${points[@]}" -- "$T/steps"
        # A child that dies of a breakpoint would give another.
        must_be 3
        recorded_is '[.phases[1:][].hits] | unique' '[1]'
        recorded_is '[.nodes[] | select(.start == "phase") | [.phase, ([.calls[] | select(.name == "getppid").count] | add)]]' \
            '[[1,1],[2,1],[3,1],[4,1],[5,1],[6,1],[7,1],[8,1],[9,1],[10,1]]'
        [ "$(calls_of '.phase == 10' getppid)" -eq 3 ]
        # Without the symbols in the file: those of its debug file would be found by build id.
        strip "$T/steps"
        record --phase step3 -- "$T/steps"
        must_be 1
        grep -q 'there is no such function' "$ERR"
    done
}

@test "what is no point: said, with what is near, and nothing is run" {
    local point

    needs redis-server
    for point in first:nosuch signal:NOSUCH signal:KILL signal: first: '' \
        /etc/passwd:main /no/such/file:main nosuch.so:main "$(command -v ls):0x10" 0x1000 :main ls: \
        "$(printf 'x%.0s' {1..300})"; do
        record --phase "$point" -- touch "$T/ran"
        [ "$status" -eq 1 ] || [ "$status" -eq 2 ] || { echo "'$point': status $status"; return 1; }
        must_be_error
    done
    record --phase aeMian -- redis-server
    must_be 1
    grep -q 'near it: aeMain' "$ERR"
    record --phase first:accept --phase first:accept4 -- touch "$T/ran"
    must_be 1
    grep -q "the same as 'first:accept'" "$ERR"
    [ ! -e "$T/ran" ]
    [ ! -e "$R" ]
}

@test "an offset inside an instruction would break the program: it is refused" {
    needs gcc nm
    [ "$(uname -m)" = x86_64 ] || skip "instructions of x86-64 alone are looked at"
    printf 'int main(void) { return 0; }\n__attribute__((used)) int f(int a) { return a * 77777; }\n' |
        gcc -O1 -pie -x c -o "$T/p" -
    # In a program this small the offset of code is its address.
    offset=$(nm "$T/p" | awk '$3 == "f" { print $1 }')
    record --phase "$T/p:0x$(printf %x $((0x$offset + 1)))" -- "$T/p"
    must_be 1
    grep -q 'is inside an instruction' "$ERR"
    record --phase "$T/p:0x$offset" --phase first:exit_group -- "$T/p"
    must_be 1
    grep -q "was never reached" "$ERR"
}
