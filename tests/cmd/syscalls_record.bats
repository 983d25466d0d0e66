#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls record`: its options, what COMMAND inherits, how runs end, --drive, --live. What is
# counted is in syscalls_record_counts.bats, phases are in syscalls_record_points.bats.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell

load helpers
load syscalls_patch
load syscalls_record

setup()
{
    common_setup
}

@test "without COMMAND it is a usage error" {
    status=0
    "$TOOL" syscalls record -o "$T/none" >"$OUT" 2>"$ERR" || status=$?
    must_be 2
    must_be_error
    [ ! -e "$T/none" ]
}

@test "the exit status is COMMAND's, 128 and its signal" {
    local wanted

    for wanted in 0 1 77 255; do
        record -- sh -c "exit $wanted"
        must_be "$wanted"
        recorded_is .each_run[0].status "$wanted"
    done
    record -- sh -c 'kill -TERM $$'
    must_be 143
}

# A filter lets bpf(2) do all but load programs (BPF_PROG_LOAD, 5), as a kernel that is too old would.
@test "the engine is ptrace where bpf is permitted and does not load" {
    [ "$(uname -m)" = x86_64 ] || skip "policies of tests are for x86-64"
    all_but >"$T/calls"
    make_policy "$T/all" errno "$T/calls"
    "$TOOL" syscalls policy --arg "bpf:0=$(seq -s, 0 4),$(seq -s, 6 31)" -o "$T/policy" "$T/all" 2>"$ERR"
    R=$T/recording
    status=0
    "$TOOL" syscalls run -p "$T/policy" -- "$TOOL" syscalls record --runs 2 -o "$R" -- \
        sh -c 'exit 7' >"$OUT" 2>"$ERR" || status=$?
    must_be 7
    grep -q "WARN: the engine 'bpf' does not load here" "$ERR"
    recorded_is '[.engine, .runs, .each_run[1].status]' '["ptrace",2,7]'
    recorded_is '[.each_run[].is_complete]' '[true,true]'
    status=0
    "$TOOL" syscalls run -p "$T/policy" -- "$TOOL" syscalls record --engine bpf -o "$T/none" -- \
        touch "$T/ran" >"$OUT" 2>"$ERR" || status=$?
    [ "$status" -ne 0 ]
    must_be_error
    [ ! -e "$T/ran" ]
}

@test "what cannot be executed: 127 and 126, and no file" {
    record -- no-such-program
    must_be 127
    grep -q "^Error: Cannot execute 'no-such-program'" "$ERR"
    : >"$T/plain"
    record -- "$T/plain"
    must_be 126
    printf '#!/no/such/interpreter\n' >"$T/script"
    chmod +x "$T/script"
    record -- "$T/script"
    must_be 127
    [ ! -e "$R" ]
}

@test "what is said of COMMAND: program, build id, hash, C library" {
    record -- ls /
    must_be 0
    recorded_is .exe "\"$(readlink -f "$(command -v ls)")\""
    recorded_is .exe_sha256 "\"$(sha256sum "$(command -v ls)" | cut -d ' ' -f 1)\""
    recorded_is .build_id "\"$(file -L "$(command -v ls)" |
        sed -n 's/.*BuildID\[sha1\]=\([0-9a-f]*\).*/\1/p')\"" || command -v file >/dev/null || :
    recorded_is .command '["ls","/"]'
    recorded_is .engine '"bpf"'
    recorded_is .kernel "\"$(uname -r)\""
    recorded_is .each_run[0].is_complete true
    if getconf GNU_LIBC_VERSION 2>/dev/null; then
        recorded_is .libc "\"$(getconf GNU_LIBC_VERSION)\""
    fi
}

@test "COMMAND has the rights, descriptors, signals and limits of who started the tool" {
    local show='grep -E "^(Uid|Gid|Groups|Sig[BIC]|Cap|NoNewPrivs|Seccomp|Umask)" /proc/self/status
        ulimit -a; ls -l /proc/self/fd | sed "s/.* \([0-9]* -> \)/\1/; s/\[[0-9]*\]//" | grep -v /proc/'

    sh -c "$show" >"$T/want" 2>"$T/want.err" </dev/null 3>&-
    record -- sh -c "$show"
    must_be 0
    # Where standard output goes is the test's.
    diff <(grep -vE '^[12] -> ' "$T/want") <(grep -vE '^[12] -> ' "$OUT")
    (
        trap '' INT USR1
        R=$T/recording
        sh -c 'grep SigIgn /proc/self/status' >"$T/want"
        "$TOOL" syscalls record -o "$R" -- sh -c 'grep SigIgn /proc/self/status' >"$OUT" 2>"$ERR"
        diff "$T/want" "$OUT"
    )
}

@test "the tool gives up its rights, but for those to read what is counted and to end COMMAND" {
    local kept

    record_start begun -- sh -c 'echo begun; exec sleep 60'
    grep -qE '^Uid:(\s+65534){4}$' "/proc/$TRACER/status"
    grep -qE '^NoNewPrivs:\s+1$' "/proc/$TRACER/status"
    # CAP_KILL 5, CAP_BPF 39
    printf -v kept '%016x' $((1 << 5 | 1 << 39))
    grep -qE "^CapPrm:\s+$kept\$" "/proc/$TRACER/status"
    grep -qE "^CapBnd:\s+0{16}\$" "/proc/$TRACER/status"
    kill "$TRACER"
    record_end
    must_be 143
}

@test "the output: a mode is kept, a link followed, standard output" {
    : >"$T/old"
    chmod 640 "$T/old"
    ln -s old "$T/link"
    R=$T/link record -- true
    must_be 0
    [ -L "$T/link" ]
    [ "$(stat -c %a "$T/old")" = 640 ]
    jq -e '.nodes | length > 0' "$T/old" >/dev/null
    R=$T/new record -- true
    [ "$(stat -c %a "$T/new")" = 600 ]
    R=/dev/stdout record -- true
    must_be 0
    jq -e '.nodes | length > 0' "$OUT" >/dev/null
    # Nothing is left beside.
    [ "$(find "$T" -name '.*' -type f | wc -l)" -eq 0 ]
}

@test "an output that cannot be written: at once, and COMMAND is not run" {
    R=$T/no/such/directory record -- touch "$T/ran"
    must_be 1
    must_be_error
    R=$T record -- touch "$T/ran"
    must_be 1
    [ ! -e "$T/ran" ]
    chmod 1777 "$T"
    ln -s "$T/elsewhere" "$T/trap"
    R=$T/trap record -- touch "$T/ran"
    must_be 1
    [ ! -e "$T/ran" ]
    [ ! -e "$T/elsewhere" ]
}

@test "a full disk: the old file is as it was, what was recorded goes to standard output" {
    needs mount
    mkdir "$T/small"
    mount -t tmpfs -o size=16k none "$T/small" || skip "no tmpfs can be mounted"
    echo old >"$T/small/recording"
    head -c 12288 /dev/zero >"$T/small/fill"
    R=$T/small/recording record -- ls /
    umount_later=$(cat "$T/small/recording")
    umount "$T/small"
    must_be 1
    must_be_error
    [ "$umount_later" = old ]
    sed -n '/^{/,$p' "$OUT" | jq -e '.nodes | length > 0' >/dev/null
}

@test "without --output a table on standard error" {
    status=0
    "$TOOL" syscalls record -- ls / >"$OUT" 2>"$ERR" || status=$?
    must_be 0
    grep -q '^System calls: ' "$ERR"
    grep -qE '^  openat +[0-9]+' "$ERR"
    [ "$(cat "$OUT")" = "$(ls /)" ]
}

@test "--runs: a program that is replaced between them is another one" {
    local engine

    for engine in bpf ptrace; do
        cp "$(readlink -f "$(command -v sh)")" "$T/prog"
        record --engine "$engine" --runs 2 -- "$T/prog" -c "cp '$T/prog' '$T/new'; echo x >>'$T/new'; mv '$T/new' '$T/prog'"
        must_be 0
        grep -q "prog' has changed since the last run" "$ERR"
        recorded_is '[.runs, .is_mixed, .exe_sha256]' '[2,true,null]'
    done
}

@test "--runs: each is one of its own, merged; the last one's status" {
    record --runs 3 -- sh -c 'echo run; [ ! -e "$0" ] || { ls / >/dev/null; exit 7; }; : >"$0"' "$T/second"
    must_be 7
    [ "$(grep -c run "$OUT")" -eq 3 ]
    recorded_is .runs 3
    recorded_is '[.each_run[].id] | unique | length' 3
    # What only the later runs did is in two of three.
    recorded_is '[.nodes[] | select(.exe | test("/ls$")) | .runs]' '[2]'
    recorded_is '.nodes[0] | [.instances, .runs]' '[3,3]'
    grep -q 'run 3 of 3: [0-9]* calls in all, 0 of them new' "$ERR"
}

@test "--live: a line for each call, with its process, arguments and result" {
    record --live -- sh -c 'ls /nonexistent 2>/dev/null; exit 3'
    must_be 3
    grep -qE '^\[[0-9]+ sh\] execve\(0x[0-9a-f]+, 0x[0-9a-f]+, 0x[0-9a-f]+\) = 0$|^\[[0-9]+ ls\] execve\(' "$ERR"
    grep -qE '^\[[0-9]+ ls\] (statx|newfstatat|lstat)\(.*\) = -ENOENT$' "$ERR"
    grep -qE '^\[[0-9]+ sh\] exit_group\(0x3\) = \?$' "$ERR"
    refute grep -q "$(printf '\033')" "$ERR"
    # As many as were counted.
    [ "$(grep -cE '^\[[0-9]+ (sh|ls)\] ' "$ERR")" -eq "$(recorded '[.nodes[].calls[].count] | add')" ]
}

@test "--live: a number that no call has is counted, not printed" {
    needs /usr/bin/python3
    record --live --engine "${ENGINE:-bpf}" -- /usr/bin/python3 -c '
import ctypes
call = ctypes.CDLL(None).syscall
call(5000)
call(-1)
print("over")'
    must_be 0
    grep -qx over "$OUT"
    grep -q '2 calls were not counted' "$ERR"
    [ "$(calls_of 'true' write)" -ge 1 ]
}

@test "--live: colour on a terminal" {
    needs script
    script -qec "env -u NO_COLOR '$TOOL' syscalls record --live -o '$T/r' -- true" /dev/null \
        >"$OUT" </dev/null
    grep -q "$(printf '\033')\[1mbrk$(printf '\033')\[0m(" "$OUT"
    script -qec "env NO_COLOR=1 '$TOOL' syscalls record --live -o '$T/r' -- true" /dev/null \
        >"$OUT" </dev/null
    grep -q 'brk(0x0)' "$OUT"
    refute grep -q "$(printf '\033')" "$OUT"
}

# The lines of --live of getpgid, which only calls_storm makes.
live_getpgid()
{
    grep -cE '^\[[0-9]+ calls_storm\] getpgid\(0x0\) = [0-9]+$' "$1"
}

@test "--live: what was not read in time is counted all the same, and said" {
    local engine untold

    for engine in bpf ptrace; do
        R=$T/recording
        "$TOOL" syscalls record --engine "$engine" --live -o "$R" -- "$PROGRAMS/calls_storm" 2 20000 \
            2>&1 >"$OUT" 3>&- | { sleep 1; cat; } >"$T/live"
        must_be_as_said
        [ "$(calls_of true getpgid)" -eq 40000 ]
        untold=$(sed -nE 's/.*WARN: ([0-9]+) calls were counted but not printed: .*/\1/p' "$T/live")
        [ "$(grep -cE '^\[[0-9]+(:[0-9]+)? [a-z_]+\] ' "$T/live")" -eq \
            $(($(recorded '[.nodes[].calls[].count] | add') - ${untold:-0})) ]
        [ "$(live_getpgid "$T/live")" -gt 1000 ]
    done
    # ptrace waits for the reader.
    [ -z "$untold" ]
}

@test "--live: a reader that goes away changes nothing else; others are not printed" {
    local engine other

    while :; do sh -c :; done &
    other=$!
    for engine in bpf ptrace; do
        R=$T/recording
        "$TOOL" syscalls record --engine "$engine" --live -o "$R" -- \
            sh -c 'ls -lR /etc/ssl >/dev/null 2>&1; exit 7' 2>&1 3>&- | head -n 3 >"$T/live" || :
        [ "$(wc -l <"$T/live")" -eq 3 ]
        recorded_is .each_run[0].status 7
        strace_calls sh -c 'ls -lR /etc/ssl >/dev/null 2>&1; exit 7' >"$T/want"
        diff "$T/want" <(recorded_calls)
        record --engine "$engine" --live -- sh -c 'ls / >/dev/null; /bin/true'
        [ "$(sed -nE 's/^\[[0-9]+ ([a-z]+)\] .*/\1/p' "$ERR" | sort -u | paste -sd,)" = ls,sh,true ]
    done
    kill "$other"
    wait "$other" || :
}

# A server that says so, answers one line each, and ends by SIGTERM with status $1.
server()
{
    cat >"$T/server.py" <<EOF
import os, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *a: os._exit(int(sys.argv[1])))
s = socket.socket()
s.bind(("127.0.0.1", 0))
open(sys.argv[2], "w").write(str(s.getsockname()[1]))
s.listen()
while True:
    c, a = s.accept()
    c.sendall(c.recv(100))
    c.close()
EOF
    cat >"$T/client.sh" <<EOF
#!/bin/bash
exec 5<>"/dev/tcp/127.0.0.1/\$(cat "$T/port")"
echo "hello \$CRYPTO_TRACER_PID" >&5
read -r line <&5
echo "\$line" >"$T/answer"
tr '\\0' ' ' <"/proc/\$CRYPTO_TRACER_PID/cmdline" >"$T/served"
exit "\${1:-0}"
EOF
    chmod +x "$T/client.sh"
}

@test "--drive: CMD runs when COMMAND serves, then COMMAND is told to end" {
    server
    record --drive "$T/client.sh" -- /usr/bin/python3 "$T/server.py" 0 "$T/port"
    must_be 0
    grep -qE '^hello [0-9]+$' "$T/answer"
    grep -q "server.py 0" "$T/served"
    recorded_is .each_run[0].is_complete true
    [ "$(calls_of true accept4)" -ge 1 ]
    # CMD is not recorded.
    recorded_is '[.nodes[] | select(.exe | test("bash"))] | length' 0
}

@test "--drive: words are split at blanks, there is no shell" {
    server
    record --drive "  $T/client.sh   0 ; touch $T/shell " -- /usr/bin/python3 "$T/server.py" 0 "$T/port"
    must_be 0
    [ ! -e "$T/shell" ]
    record --drive '   ' -- true
    must_be 2
}

@test "--drive: COMMAND that SIGTERM ends is no failure, its own status is passed on" {
    record --drive true -- /usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); s.accept()'
    must_be 0
    recorded_is '.each_run[0] | [.status, .is_complete]' '[0,true]'
    server
    record --drive "$T/client.sh" -- /usr/bin/python3 "$T/server.py" 9 "$T/port"
    must_be 9
}

@test "--drive: a CMD that fails is an error, what was recorded is written" {
    server
    record --drive "$T/client.sh 5" -- /usr/bin/python3 "$T/server.py" 0 "$T/port"
    must_be 1
    grep -q "^Error: The driver '$T/client.sh 5' failed" "$ERR"
    grep -q 'Its exit status is 5' "$ERR"
    recorded_is .runs 1
    record --drive /no/such/driver -- /usr/bin/python3 "$T/server.py" 0 "$T/port"
    must_be 1
    grep -q 'No such file' "$ERR"
    record --drive true -- true
    must_be 1
    grep -q 'COMMAND ended before it was started' "$ERR"
    recorded_is .runs 1
}

@test "--drive: COMMAND that does not end is killed after ten seconds" {
    record --drive true -- sh -c 'trap "" TERM; exec /usr/bin/python3 -c "import socket, time
s = socket.socket(); s.bind((\"127.0.0.1\", 0)); s.listen(); time.sleep(50)"'
    must_be 0
    grep -q 'did not end within 10 s' "$ERR"
    # what it would have done at its end is not seen
    recorded_is '.each_run[0].is_complete' false
}

@test "--drive: COMMAND that goes into the background is driven and told to end there" {
    local engine

    server
    cat >"$T/client.sh" <<EOF
#!/bin/bash
exec 5<>"/dev/tcp/127.0.0.1/\$(cat "$T/port")"
echo hello >&5
read -r line <&5
echo "\$line \${CRYPTO_TRACER_PID:-none}" >"$T/answer"
EOF
    {
        printf 'import os\nif os.fork(): os._exit(3)\nos.setsid()\nif os.fork(): os._exit(0)\n'
        sed "s|lambda.*)))|lambda *a: (open('$T/told', 'w').write('TERM'), os._exit(0)))|" \
            "$T/server.py"
    } >"$T/daemon.py"
    for engine in bpf ptrace; do
        rm -f "$T/told" "$T/answer"
        record --engine "$engine" --drive "$T/client.sh" -- /usr/bin/python3 "$T/daemon.py" 0 "$T/port"
        must_be 3
        refute grep -q 'within 10 s' "$ERR"
        [ "$(cat "$T/answer")" = 'hello none' ]
        [ "$(cat "$T/told")" = TERM ]
        recorded_is '.each_run[0] | [.status, .is_complete]' '[3,true]'
        [ "$(calls_of true accept4)" -ge 1 ]
    done
}

# A tree that ends only when it is told, and not even then: children in loops, one of another
# session, one that ignores signals, one of another user. Their process ids are in $T/pids.
stubborn()
{
    cat >"$T/stubborn.sh" <<EOF
#!/bin/bash
echo \$\$ >>"$T/pids"
(echo \$BASHPID >>"$T/pids"; while :; do sleep 0.01; done) &
(trap '' TERM INT HUP; echo \$BASHPID >>"$T/pids"; while :; do /bin/true; done) &
setsid bash -c 'echo \$\$ >>"$T/pids"; while :; do :; done' &
(echo \$BASHPID >>"$T/pids"; exec setpriv --reuid 65534 sleep 1000) &
while [ "\$(wc -l <"$T/pids")" -lt 5 ]; do sleep 0.02; done
echo begun
wait
EOF
    chmod +x "$T/stubborn.sh"
    : >"$T/pids"
    chmod 666 "$T/pids"
}

all_ended()
{
    local pid

    while read -r pid; do
        has_ended "$pid" || return 1
    done <"$T/pids"
}

@test "told to end: all processes are killed, what was counted is written" {
    local signal

    needs setpriv
    for signal in INT TERM HUP QUIT; do
        stubborn
        record_start begun -- "$T/stubborn.sh"
        bpf_held "$TRACER" >"$T/held"
        [ -s "$T/held" ]
        kill -s "$signal" "$TRACER"
        record_end
        must_be $((128 + $(kill -l "$signal")))
        wait_for 5 all_ended
        recorded_is '.each_run[0].is_complete' false
        [ "$(calls_of true wait4)" -ge 2 ]
        [ "$(calls_of '.exe | test("/true$")' exit_group)" -ge 1 ]
        wait_for 5 bpf_gone "$T/held"
        rm "$R"
    done
}

@test "told to end with --on-exit detach: the processes go on, what was counted is written" {
    stubborn
    record_start begun --on-exit detach -- "$T/stubborn.sh"
    bpf_held "$TRACER" >"$T/held"
    kill -TERM "$TRACER"
    record_end
    must_be 143
    refute all_ended
    while read -r pid; do refute has_ended "$pid"; done <"$T/pids"
    [ "$(calls_of true wait4)" -ge 2 ]
    # It waits in a call.
    [ "$(calls_of '.exe | test("/sleep$")' clock_nanosleep)" -ge 1 ]
    wait_for 5 bpf_gone "$T/held"
    while read -r pid; do kill -KILL "$pid" 2>/dev/null || :; done <"$T/pids"
}

@test "killed: all processes die with it, what was counted is written" {
    stubborn
    record_start begun -- "$T/stubborn.sh"
    bpf_held "$TRACER" >"$T/held"
    kill -KILL "$TRACER"
    record_end
    must_be 137
    wait_for 10 all_ended
    wait_for 5 test -e "$R"
    wait_for 5 bpf_gone "$T/held"
    recorded_is '.each_run[0].is_complete' false
    [ "$(calls_of true wait4)" -ge 2 ]
    # The one that sleeps had begun to.
    [ "$(calls_of '.exe | test("/sleep$")' clock_nanosleep)" -ge 1 ]
}

@test "killed with --on-exit detach: the processes go on, what was counted is written" {
    stubborn
    record_start begun --on-exit detach -- "$T/stubborn.sh"
    bpf_held "$TRACER" >"$T/held"
    kill -KILL "$TRACER"
    record_end
    must_be 137
    wait_for 10 test -e "$R"
    wait_for 5 bpf_gone "$T/held"
    while read -r pid; do refute has_ended "$pid"; done <"$T/pids"
    [ "$(calls_of true wait4)" -ge 2 ]
    while read -r pid; do kill -KILL "$pid" 2>/dev/null || :; done <"$T/pids"
}

@test "killed in a later run: the runs before are written, too" {
    record_start third --runs 3 -- sh -c 'echo x >>"$0"
        [ "$(wc -l <"$0")" -lt 3 ] || { echo third; exec sleep 1000; }' "$T/count"
    kill -KILL "$TRACER"
    record_end
    must_be 137
    wait_for 10 test -e "$R"
    recorded_is .runs 3
    recorded_is '[.each_run[].is_complete]' '[true,true,false]'
}

@test "its keeper is killed: COMMAND is ended, that is an error" {
    local keeper

    stubborn
    record_start begun -- "$T/stubborn.sh"
    keeper=$(tr -d ' ' <"/proc/$TRACER/task/$TRACER/children")
    kill -KILL "$keeper"
    # COMMAND is what has a status to ask the keeper for.
    kill -KILL "$(head -n 1 "$T/pids")"
    record_end
    must_be 1
    must_be_error
    wait_for 10 all_ended
    # There is nobody left to write the file.
    [ ! -e "$R" ]
    sed -n '/^{/,$p' "$OUT" | jq -e '.nodes | length > 0' >/dev/null
}

@test "a tree that grows while it is killed" {
    cat >"$T/bomb.sh" <<EOF
f() {
    echo \$BASHPID >>"$T/pids"
    [ "\$1" -gt 0 ] || { sleep 1000; return; }
    while :; do f \$((\$1 - 1)) & sleep 0.05; done
}
echo begun
f 2
EOF
    : >"$T/pids"
    record_start begun -- bash "$T/bomb.sh"
    wait_for 10 eval '[ "$(wc -l <"$T/pids")" -gt 20 ]'
    kill -TERM "$TRACER"
    record_end
    must_be 143
    wait_for 5 all_ended
    [ "$(recorded '[.nodes[] | select(.start == "fork") | .instances] | add')" -ge 20 ]
}

@test "a second signal ends it at once; COMMAND is killed, what was counted written, by the keeper" {
    stubborn
    record_start begun -- "$T/stubborn.sh"
    kill -STOP "$TRACER"
    kill -TERM "$TRACER"
    kill -KILL "$TRACER"
    record_end
    wait_for 10 all_ended
    wait_for 5 test -e "$R"
}

@test "in a pid namespace of its own it ends its tree and no other process" {
    needs unshare
    cat >"$T/inside.sh" <<EOF
#!/bin/bash
"$TOOL" syscalls record -o "$T/recording" -- bash -c 'echo begun; (exec sleep 1000) & exec sleep 1001' &
tool=\$!
while ! grep -q begun "$T/said"; do sleep 0.05; done
kill -TERM \$tool
wait \$tool
echo "status \$?"
ps -eo args= | grep -c '^sleep 100[01]'
EOF
    chmod +x "$T/inside.sh"
    : >"$T/said"
    unshare -p -f --mount-proc "$T/inside.sh" >"$T/said" 2>"$ERR" </dev/null 3>&- || :
    grep -qx 'status 143' "$T/said"
    [ "$(tail -n 1 "$T/said")" = 0 ]
    R=$T/recording
    [ "$(recorded '[.nodes[].calls[].count] | add')" -ge 50 ]
}
