#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls verify`: what a policy refuses of a run is listed, all of it, and the run is otherwise
# what it would be.
#
# shellcheck disable=SC2016 # shells of tests expand their own

load helpers

# make_policy NAME COMMAND...: the policy of a run of COMMAND, in $T/NAME.
make_policy()
{
    local name=$1

    shift
    "$TOOL" syscalls record -o "$T/$name.json" "${RECORD[@]}" -- "$@" >"$T/trained" 2>"$ERR" </dev/null || :
    "$TOOL" syscalls policy -q "${POLICY[@]}" -o "$T/$name" "$T/$name.json" 2>/dev/null
}

setup()
{
    common_setup
    RECORD=()
    POLICY=()
}

# verify ARG...: runs it; COMMAND's output in $OUT, messages in $ERR, status in $status.
verify()
{
    status=0
    timeout -k 5 60 "$TOOL" syscalls verify "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

@test "nothing refused: output and status are the command's" {
    make_policy sh sh -c 'cat /etc/passwd; exit 3'
    verify -p "$T/sh" -- sh -c 'cat /etc/passwd; exit 3'
    must_be 3
    cmp /etc/passwd "$OUT"
    grep -qx 'Nothing was refused.' "$ERR"
}

@test "what is refused is listed, counted and named, and the status is 10" {
    needs /usr/bin/python3
    make_policy sh sh -c 'echo hello'
    verify -p "$T/sh" -- /usr/bin/python3 -S -E -c 'pass'
    must_be 10
    make_policy python /usr/bin/python3 -S -E -c 'print("hello")'
    verify -p "$T/python" --format json -o "$T/refused.json" -- /usr/bin/python3 -S -E -c '
import os
for i in range(1234):
    try: os.mkdir("/tmp/never")
    except PermissionError: pass
try: os.fork()
except PermissionError: print("no child")'
    must_be 10
    [ "$(cat "$OUT")" = "no child" ]
    refute grep -q Refused "$ERR"
    [ ! -e /tmp/never ]
    jq -e . "$T/refused.json" >/dev/null
    [ "$(jq -c '.refused[] | select(.name == "mkdir") | [.count, .error, .phase, .arch, .symbol[0:5]]' \
        "$T/refused.json")" = '[1234,"EPERM",0,"x86_64","mkdir"]' ]
    jq -e '.refused[] | select(.name == "clone" or .name == "clone3" or .name == "fork") |
        .count == 1 and (.exe | test("python"))' "$T/refused.json" >/dev/null
    [ "$(jq '.summary.calls == ([.refused[].count] | add)' "$T/refused.json")" = true ]
    [ "$(stat -c %a "$T/refused.json")" = 600 ]
}

@test "the place is where the code of the call is" {
    needs /usr/bin/python3
    make_policy python /usr/bin/python3 -S -E -c 'pass'
    verify -p "$T/python" --format json -o "$T/refused.json" -- /usr/bin/python3 -S -E -c '
import os
try: os.mkdir("/tmp/never")
except PermissionError: pass'
    must_be 10
    local file offset bytes

    file=$(jq -r '.refused[] | select(.name == "mkdir") | .file' "$T/refused.json")
    offset=$(jq -r '.refused[] | select(.name == "mkdir") | .offset' "$T/refused.json")
    [ "$(jq -r '.refused[] | select(.name == "mkdir") | .at' "$T/refused.json")" = \
        "$file+0x$(printf '%x' "$offset")" ]
    # the two bytes before are the instruction `syscall`
    bytes=$(od -An -tx1 -j $((offset - 2)) -N 2 "$file" | tr -d ' ')
    [ "$bytes" = 0f05 ]
}

@test "the table is at most 80 columns wide, the most first" {
    needs /usr/bin/python3
    make_policy python /usr/bin/python3 -S -E -c 'print("end")'
    verify -p "$T/python" -- /usr/bin/python3 -S -E -c '
import os
for call in (os.rmdir, os.mkdir, os.mkdir, os.mkdir, os.chroot):
    try: call("/tmp")
    except PermissionError: pass
print("end")'
    must_be 10
    grep -qx end "$OUT"
    [ "$(wc -L <"$ERR")" -le 80 ]
    grep -qE '^Refused: [0-9]+ calls, [0-9]+ kinds$' "$ERR"
    grep -qE '^ +3 +0 +mkdir +EPERM +python3[.0-9]* +[a-z.0-9]+\+0x[0-9a-f]+ mkdir$' "$ERR"
    sed -n '/^ *calls /,$p' "$ERR" | awk 'NR > 1 && $1 ~ /^[0-9]+$/ { print $1 }' >"$T/counts"
    [ -s "$T/counts" ]
    sort -rn -c "$T/counts"
}

@test "32-bit calls are told as such" {
    needs gcc
    printf '%s\n' 'int main(void) { long r; for (int i = 0; i < 7; i++)' \
        '__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory"); return r == -38 ? 0 : 1; }' \
        >"$T/old.c"
    gcc -o "$T/old" "$T/old.c"
    make_policy true true
    verify -p "$T/true" --format json -o "$T/refused.json" -- "$T/old"
    [ "$status" -ne 139 ] || skip "the kernel has no i386 calls"
    must_be 10
    [ "$(jq -c '[.refused[] | [.name, .arch, .count, .error]]' "$T/refused.json")" = \
        '[["getpid","i386",7,"ENOSYS"]]' ]
}

@test "phases: a server's serving calls, and what the training did not cover" {
    needs redis-server redis-cli redis-benchmark
    local port=7394

    cat >"$T/drive" <<EOF2
#!/bin/sh
redis-benchmark -p $port -n 500 -c 5 -q -t set,get >/dev/null
echo done >"$T/driven"
EOF2
    cat >"$T/save" <<EOF2
#!/bin/sh
redis-cli -p $port bgsave >"$T/saved"
EOF2
    chmod +x "$T/drive" "$T/save"
    RECORD=(--phase aeMain --drive "$T/drive")
    make_policy redis redis-server --port $port --save '' --dir "$T"
    [ -s "$T/driven" ]
    [ "$(jq -c '[.phases[].point]' "$T/redis")" = '[null,"aeMain"]' ]

    rm "$T/driven"
    verify -p "$T/redis" --drive "$T/drive" -- redis-server --port $port --save '' --dir "$T"
    must_be 0
    [ -s "$T/driven" ]
    grep -qx 'Nothing was refused.' "$ERR"

    verify -p "$T/redis" --format json -o "$T/refused.json" --drive "$T/save" -- \
        redis-server --port $port --save '' --dir "$T"
    must_be 10
    [ -s "$T/saved" ]
    grep -q "Can't save in background: fork: Operation not permitted" "$OUT"
    jq -e '[.refused[] | select(.name == "clone" or .name == "clone3")] |
        length == 1 and .[0].phase == 1 and .[0].process == "redis-server"' \
        "$T/refused.json" >/dev/null
    jq -e 'all(.refused[]; .phase == 1)' "$T/refused.json" >/dev/null
}

@test "notes: another program, a policy that kills, a point that nobody reaches" {
    POLICY=(--action kill)
    make_policy sh sh -c 'echo hello'
    verify -p "$T/sh" -- sh -c 'umask 22; echo on'
    must_be 10
    # the run went on: the policy itself would have ended it there
    grep -qx on "$OUT"
    grep -q 'Note: under the policy itself the first refused call kills' "$ERR"
    refute grep -q 'is not the program' "$ERR"
    # Calls of another architecture end it with any policy.
    verify -p "$T/sh" --format json -o "$T/refused.json" -- "$PROGRAMS/calls_int80" 5
    [ "$(jq '[.notes[] | select(test("first refused call kills"))] | length' "$T/refused.json")" -eq 1 ]
    POLICY=()
    make_policy errno sh -c 'echo hello'
    verify -p "$T/errno" --format json -o "$T/refused.json" -- "$PROGRAMS/calls_int80" 5
    must_be 10
    [ "$(jq '[.notes[] | select(test("call of another architecture kills"))] | length' "$T/refused.json")" -eq 1 ]
    verify -p "$T/errno" --format json -o "$T/refused.json" -- sh -c 'umask 22'
    must_be 10
    refute grep -q 'another architecture' "$T/refused.json"
    cp "$(command -v sh)" "$T/other"
    echo >>"$T/other"
    verify -p "$T/sh" -- "$T/other" -c 'echo hello'
    must_be 0
    tr -s '\n ' '  ' <"$ERR" | grep -q "Note: '.*/other' is not the program that the policy was made for"
    POLICY=()
    RECORD=(--phase first:getppid)
    make_policy late sh -c 'echo hello; echo $PPID; umask'
    jq -c '.phases[1].point = "first:chroot"' "$T/late" >"$T/never" || :
    verify -p "$T/never" -- sh -c 'echo hello'
    tr -s '\n ' '  ' <"$ERR" | grep -q "no process reached the point 'first:chroot'"
}

@test "an ordinary user can verify" {
    needs setpriv
    make_policy sh sh -c 'echo hello'
    chmod 644 "$T/sh"
    cp "$TOOL" "$T/tool"
    chmod 755 "$T/tool"
    run setpriv --reuid=65534 --regid=65534 --clear-groups "$T/tool" syscalls verify -p "$T/sh" -- \
        sh -c 'umask 22; echo hello'
    [ "$status" -eq 10 ]
    [[ $output == *hello* ]]
    [[ $output == *umask* ]]
}

@test "who outlives the command is waited for, and ended when the tool is told to end" {
    make_policy sh sh -c 'sleep 0.1 & echo $! >/dev/null'
    verify -p "$T/sh" -- sh -c 'sleep 1 & :'
    must_be 0
    "$TOOL" syscalls verify -p "$T/sh" -- sh -c 'sleep 300 & echo $! >'"$T/pid" \
        >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 10 test -s "$T/pid"
    kill -TERM "$TRACER"
    wait_for 10 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
    must_be 143
    has_ended "$(cat "$T/pid")"
    grep -q 'refused' "$ERR"
}

@test "when the tool is killed all processes end, and what was refused is told" {
    local pids

    POLICY=(--exact)
    make_policy sh sh -c 'echo hello; sleep 0.01 & setsid sleep 0.01'
    jq -c '.phases += [.phases[0] | .phase = 1 | .point = "first:chroot"]' "$T/sh" >"$T/phases"
    for policy in sh phases; do
        "$TOOL" syscalls verify -p "$T/$policy" -- sh -c 'umask 22
            (setsid sleep 301; :) & sleep 302 & echo $$; exec sleep 303' >"$OUT" 2>"$ERR" </dev/null 3>&- &
        TRACER=$!
        started() { [ "$(pgrep -cx -f 'sleep 30[123]')" -eq 3 ]; }
        wait_for 10 started
        pids=$(pgrep -x -f 'sleep 30[123]')
        kill -KILL "$TRACER"
        wait "$TRACER" || :
        TRACER=
        for pid in $pids; do wait_for 10 has_ended "$pid"; done
        wait_for 5 grep -q ' umask ' "$ERR"
    done
}

@test "calls of processes that change: their user, their namespaces, without descriptors" {
    needs setpriv unshare
    POLICY=(--exact)
    cat >"$T/work.py" <<'END'
import os, sys
out = os.dup(1)
os.closerange(0, out)
os.closerange(out + 1, 4096)
over, held = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        os.getsid(0)
        for path in sys.argv[1:]:
            try: os.mkdir(path)
            except OSError as e: os.write(out, (e.strerror + "\n").encode())
        os.write(out, b"end\n")
    os._exit(0)
os.close(held)
os.wait()
# The daemon ends with the first process of its namespace.
os.read(over, 1)
END
    # Trained without the directory, in both phases.
    for RECORD in '' '--phase first:getsid'; do
        # shellcheck disable=SC2206 # none or two words
        RECORD=($RECORD)
        make_policy python unshare -U -r -p -m -f /usr/bin/python3 -S "$T/work.py"
        verify -p "$T/python" --format json -o "$T/refused.json" -- \
            unshare -U -r -p -m -f /usr/bin/python3 -S "$T/work.py" "$T/made"
        must_be 10
        [ "$(paste -sd, "$OUT")" = 'Operation not permitted,end' ]
        [ ! -e "$T/made" ]
        [ "$(jq -c '[.refused[] | [.name, .count, .phase]]' "$T/refused.json")" = \
            "[[\"mkdir\",1,$((${#RECORD[@]} / 2))]]" ]
    done
}

@test "--drive: a command that goes into the background is an error, and ended" {
    make_policy sh sh -c 'sleep 0.1 & echo $! >'"$T/pid; exit 0"
    verify -p "$T/sh" --drive true -- sh -c 'sleep 50 & echo $! >'"$T/pid; exit 0"
    must_be 1
    grep -q 'went into the background before it could be driven' "$ERR"
    has_ended "$(cat "$T/pid")"
}

@test "what cannot be run or read is an error" {
    make_policy sh sh -c 'echo hello'
    verify -- sh
    must_be 2
    verify -p "$T/sh"
    must_be 2
    verify -p "$T/sh" --format xml -- sh
    must_be 2
    verify -p "$T/sh" --drive '' -- sh
    must_be 2
    verify -p "$T/absent" -- sh
    must_be 1
    grep -q 'No such file or directory' "$ERR"
    verify -p "$T/sh.json" -- sh
    must_be 1
    grep -q 'not a policy: it is a recording' "$ERR"
    verify -p "$T/sh" -- /no/such/program
    must_be 127
    verify -p "$T/sh" -- /etc/passwd
    must_be 126
    verify -p "$T/sh" -o /no/such/folder/x -- sh -c 'echo ran'
    must_be 1
    [ ! -s "$OUT" ]
    sed 's/x86_64/arm64/g; s/"[a-z_0-9]*stat"//g; s/"seen":\[[^]]*\]/"seen":["read"]/; s/"added":\[[^]]*\]/"added":[]/' \
        "$T/sh" >"$T/other"
    verify -p "$T/other" -- sh
    must_be 1
    grep -q 'for another architecture' "$ERR"
    jq -c '.phases += [.phases[0] | .phase = 1 | .point = "no_such_function"]' "$T/sh" >"$T/point"
    verify -p "$T/point" -- sh
    must_be 1
    grep -q "cannot find the policy's point 'no_such_function'" "$ERR"
}

@test "foreign text cannot act on the terminal" {
    make_policy sh sh -c 'echo hello'
    cp "$(command -v sh)" "$T/$(printf 'x\033[31m')"
    verify -p "$T/sh" -- "$T/$(printf 'x\033[31m')" -c 'umask 22'
    must_be 10
    refute grep -q "$(printf '\033')" "$ERR"
    verify -p "$T/sh" --format json -- "$T/$(printf 'x\033[31m')" -c 'umask 22'
    refute grep -q "$(printf '\033')" "$ERR"
}
