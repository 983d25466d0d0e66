#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls run`: the command is what it is without, but for the calls that its policy does not
# allow. tests/programs/phased.c tells how many filters it has where.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell; must_be

load helpers
load syscalls_patch

setup()
{
    common_setup
    [ "$(uname -m)" = x86_64 ] || skip "the policies are of x86-64"
    all_but >"$T/all"
    all_but rename >"$T/some"
    all_but rename mkdir >"$T/fewer"
}

# policy [POINT CALLS]...: $T/policy, with these phases after the first, which allows all.
policy()
{
    make_policy "$T/policy" "${ACTION:-errno}" "$T/all" "$@"
}

# ruled ARG...: runs it; COMMAND's output in $OUT, messages in $ERR, status in $status.
ruled()
{
    status=0
    timeout -k 5 60 "$TOOL" syscalls run -p "$T/policy" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
}

# must_tell TEXT ARG...: what phased prints, lines joined by commas.
must_tell()
{
    local wanted=$1 told

    shift
    ruled "${OPTIONS[@]}" -- "$PROGRAMS/phased" "$@"
    told=$(paste -sd, "$OUT")
    [ "$told" = "$wanted" ] || { echo "told '$told', not '$wanted': $(cat "$ERR")"; return 1; }
}

@test "output, input, arguments and status are the command's" {
    policy
    ruled -- sh -c 'printf "%s\n" "$@"; echo message >&2; exit 7' sh 'a b' ''
    must_be 7
    [ "$(paste -sd, "$OUT")" = 'a b,' ]
    [ "$(cat "$ERR")" = message ]
    [ "$(echo read | "$TOOL" syscalls run -p "$T/policy" -- cat)" = read ]
    ruled -- sh -c 'kill -USR1 $$'
    must_be $((128 + $(kill -l USR1)))
    ruled -- sh -c 'grep -E "^(Seccomp|Seccomp_filters|NoNewPrivs|TracerPid):" /proc/self/status'
    [ "$(tr -s '\t\n' ' ,' <"$OUT")" = 'TracerPid: 0,NoNewPrivs: 1,Seccomp: 2,Seccomp_filters: 1,' ]
}

@test "what is not allowed fails with EPERM, what the policy does not know with ENOSYS" {
    needs /usr/bin/python3
    cat >"$T/call.py" <<'END'
import ctypes, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
for nr in map(int, sys.argv[1:]):
    result = libc.syscall(nr, 0, 0, 0)
    print(nr, errno.errorcode[ctypes.get_errno()] if result < 0 else "done")
END
    all_but rename mseal >"$T/some"
    make_policy "$T/policy" errno "$T/some"
    # rename; mseal, which is newer than the policy; a number that no kernel has
    ruled -- /usr/bin/python3 "$T/call.py" 82 462 900
    must_be 0
    [ "$(paste -sd, "$OUT")" = '82 EPERM,462 ENOSYS,900 ENOSYS' ]
}

@test "the action kill ends the process, and the call is named where the log may be read" {
    make_policy "$T/policy" kill "$T/some"
    ruled -- "$PROGRAMS/phased" rename
    must_be 159
    grep -q 'COMMAND was killed' "$ERR"
    grep -q 'syscalls verify' "$ERR"
    make_policy "$T/policy" errno "$T/some"
    ruled --action kill -- "$PROGRAMS/phased" rename
    must_be 159
    ruled --action log -- "$PROGRAMS/phased" rename
    must_be 0
    grep -qx 'behind No such file or directory' "$OUT"
}

# The flags of a thread of glibc and musl, pthread_create(3): 0x3d0f00 and 0x7d0f00.
@test "a rule of clone holds threads, since clone3 falls back to it" {
    "$TOOL" syscalls record --engine ptrace -o "$T/threads.json" -- "$PROGRAMS/calls_threads" 1 1 \
        >"$OUT" 2>"$ERR"
    "$TOOL" syscalls policy --action kill --arg clone:0=0x3d0f00,0x7d0f00 -o "$T/policy" \
        "$T/threads.json" 2>"$ERR"
    ruled -- "$PROGRAMS/calls_threads" 1 1
    must_be 0
    grep -q "^entry " "$OUT"
    "$TOOL" syscalls policy --arg clone:0=17 -o "$T/policy" "$T/threads.json" 2>"$ERR"
    ruled -- "$PROGRAMS/calls_threads" 1 1
    must_be 1
    grep -q pthread_create "$ERR"
}

@test "children inherit, with fork and with vfork, and give nothing back" {
    policy first_point "$T/some"
    must_tell 'before 1,child 2,grandchild 2,parent 1,behind 2' fork
    must_tell 'before 1,child 2,parent 1,behind 2' vfork
}

@test "registers, flags, the red zone and vectors are as they were" {
    policy registers_point "$T/some"
    must_tell 'kept 2' registers
}

@test "what is executed keeps its filters, and is in its phase" {
    policy first_point "$T/some"
    must_tell 'executed 1' exec 3
    policy first:exec "$T/some"
    must_tell 'executed 2' exec 3
}

# cannot STATUS TEXT ARG...: it ends with STATUS, having said TEXT, and COMMAND was not executed.
cannot()
{
    local wanted=$1 text=$2

    shift 2
    ruled "$@"
    must_be "$wanted"
    grep -q "$text" "$ERR" || { echo "not because of '$text': $(cat "$ERR")"; return 1; }
    [ ! -s "$OUT" ]
}

@test "what cannot be run or read is an error" {
    policy
    cannot 2 'there is nothing to run'
    cannot 127 'Cannot execute' -- /no/such/program
    cannot 126 'Cannot execute' -- /etc/passwd
    cannot 1 'Its action is notify' --action notify -- echo ran
    cannot 2 'not errno, kill, log or notify' --action none -- echo ran
    cannot 1 'No such file or directory' -p "$T/absent" -- echo ran
    echo '{"recording_version":"1.0"}' >"$T/recording"
    cannot 1 'not a policy: it is a recording' -p "$T/recording" -- echo ran
    policy no_such_function "$T/some"
    cannot 1 "Phase 1 begins at 'no_such_function'" -- echo ran
    make_policy "$T/policy" errno "$T/all"
    sed 's/x86_64/arm64/g' "$T/policy" | jq -c '.phases[].allowed[].seen = ["read"]' >"$T/other"
    cannot 1 "another architecture than this machine's" -p "$T/other" -- echo ran
    status=0
    "$TOOL" syscalls run -- echo ran >"$OUT" 2>"$ERR" || status=$?
    must_be 2
    grep -q 'there is no policy' "$ERR"
    all_but execve >"$T/none"
    make_policy "$T/policy" errno "$T/none"
    cannot 126 'does not allow execve(2)' -- echo ran
}

@test "a policy that is damaged or not one: an error, and COMMAND is not run" {
    local broken edit

    policy
    for broken in "$T" "$PROGRAMS/phased" /dev/null; do
        ruled -p "$broken" -- touch "$T/ran"
        must_be 1
        must_be_error
    done
    for edit in '.policy_version = "9.0"' 'del(.phases)' '.phases = []' '.phases[0].allowed[0].seen += ["no_such_call"]' \
        '.phases += [.phases[0]]' '.native = "arm64"' '.action = "allow"' \
        '.phases += [.phases[0] | .phase = 1 | .point = "no_such_function"]' \
        '.phases += [.phases[0] | .phase = 1 | .point = "first:no_such_call"]'; do
        jq -c "$edit" "$T/policy" >"$T/broken"
        ruled -p "$T/broken" -- touch "$T/ran"
        must_be 1 || { echo "$edit: $(cat "$ERR")"; return 1; }
        must_be_error
    done
    head -c 2000 "$T/policy" >"$T/broken"
    ruled -p "$T/broken" -- touch "$T/ran"
    must_be 1
    [ ! -e "$T/ran" ]
}

@test "a thread that began a phase and sleeps is left alone when the last one begins" {
    needs /usr/bin/python3
    cat >"$T/threads.py" <<'END'
import os, threading, time
def serve():
    os.getsid(0)
    time.sleep(60)
threading.Thread(target=serve, daemon=True).start()
time.sleep(0.5)
os.getpgid(0)
time.sleep(0.5)
print(open("/proc/self/status").read().split("Seccomp_filters:")[1].split()[0])
END
    policy first:getsid "$T/some" first:getpgid "$T/fewer"
    ruled -- /usr/bin/python3 "$T/threads.py"
    must_be 0
    [ "$(cat "$OUT")" = 3 ]
}
