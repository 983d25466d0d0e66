#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls run`: the filters that COMMAND and its children have, as /proc and the programs say
# themselves (tests/programs/phased.c, sys_loop.c); that COMMAND is otherwise what it is without; and
# what is left when something goes wrong or the tool is killed.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell

load helpers
load syscalls_patch
load syscalls_record

setup()
{
    patch_setup
    all_but >"$T/all"
    all_but rename >"$T/some"
    all_but rename mkdir >"$T/fewer"
}

# What a test that fails has left is in loops.
teardown()
{
    local pid

    for pid in ${PIDS:-} $(pgrep -f "^(sh -c .* )?$T/atanytime" || :); do
        kill -KILL "$pid" 2>/dev/null || :
    done
    common_teardown
}

# policy ACTION [POINT CALLS]...: $T/policy, which allows all and, from each point on, these.
policy()
{
    local action=$1

    shift
    make_policy "$T/policy" "$action" "$T/all" "$@"
}

# ruled ARG...: output in $OUT, messages in $ERR, status in $status.
ruled()
{
    status=0
    timeout -k 5 60 "$TOOL" syscalls run --policy "$T/policy" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
}

# ruled_start WORD ARG...: in the background; returns when COMMAND has said WORD.
ruled_start()
{
    local word=$1

    shift
    : >"$OUT"
    "$TOOL" syscalls run --policy "$T/policy" "$@" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 grep -qs "$word" "$OUT"
}

# must_tell TEXT ARG...: what phased prints, lines joined by commas.
must_tell()
{
    local wanted=$1 told

    shift
    ruled -- "$PROGRAMS/phased" "$@"
    must_be 0 || { cat "$ERR"; return 1; }
    told=$(paste -sd, "$OUT")
    [ "$told" = "$wanted" ] || { echo "told '$told', not '$wanted': $(cat "$ERR")"; return 1; }
}

@test "one phase: status and output are the command's, in 128 and its signal, too" {
    local wanted

    policy errno
    for wanted in 0 1 77 255; do
        ruled -- sh -c "echo out; echo err >&2; exit $wanted"
        must_be "$wanted"
        [ "$(cat "$OUT")" = out ]
        [ "$(cat "$ERR")" = err ]
    done
    ruled -- sh -c 'kill -SEGV $$'
    must_be 139
    ruled -- "$T/none"
    must_be 127
    grep -q "^Error: Cannot execute '$T/none'" "$ERR"
    : >"$T/plain"
    ruled -- "$T/plain"
    must_be 126
}

@test "several phases: the same" {
    local wanted

    policy errno first:getsid "$T/some"
    for wanted in 0 1 77 255; do
        ruled --quiet -- sh -c "echo out; exit $wanted"
        must_be "$wanted"
        [ "$(cat "$OUT")" = out ]
    done
    ruled -- sh -c 'kill -SEGV $$'
    must_be 139
    ruled -- "$T/none"
    must_be 127
    : >"$T/plain"
    ruled -- "$T/plain"
    must_be 126
}

# inherited FILE: what has to be equal in what it says. Signals 32 and 33 are the C library's own: it
# forgets that they were ignored when it makes a thread.
inherited()
{
    local ignored

    ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' "$1")
    printf 'SigIgn: %x\n' $((16#$ignored & ~0x180000000))
    grep -vE '^(SigIgn|Seccomp|NoNewPrivs|fd 1 |env _=|group )' "$1"
}

@test "what is inherited is as without, but for the filters" {
    local phases

    (cd "$T" && sh -c 'ulimit -n 100 -c 0; umask 027; trap "" INT PIPE; exec "$0" "$@"' \
        "$PROGRAMS/inherited" </dev/null >"$T/without" 2>"$T/err1" 3>&-)
    for phases in '' 'first:getsid'; do
        policy errno ${phases:+"$phases" "$T/some"}
        (cd "$T" && sh -c 'ulimit -n 100 -c 0; umask 027; trap "" INT PIPE; exec "$0" "$@"' \
            "$TOOL" syscalls run -q -p "$T/policy" -- "$PROGRAMS/inherited" \
            </dev/null >"$T/ruled" 2>"$T/err1" 3>&-)
        grep -qP '^Seccomp:\t2$' "$T/ruled"
        grep -qP '^NoNewPrivs:\t1$' "$T/ruled"
        diff <(inherited "$T/without") <(inherited "$T/ruled")
    done
    [ "$(wc -l <"$T/without")" -gt 30 ]
}

@test "a refused call: fails, or kills and is named" {
    make_policy "$T/policy" errno "$T/fewer"
    ruled -- mkdir "$T/made"
    must_be 1
    grep -q 'Operation not permitted' "$ERR"
    ruled --action kill -- mkdir "$T/made"
    must_be 159
    grep -q '^Error: COMMAND was killed: it called mkdir, ' "$ERR" ||
        grep -q '^Error: COMMAND was killed by SIGSYS' "$ERR"
    [ ! -e "$T/made" ]
    ruled --action log -- mkdir "$T/made"
    must_be 0
    [ -d "$T/made" ]
    ruled --action notify -- touch "$T/ran"
    must_be 1
    must_be_error
    [ ! -e "$T/ran" ]
}

@test "signals are passed on, in each phase" {
    local point

    for point in '' first:getsid first:getppid; do
        policy errno ${point:+"$point" "$T/some"}
        ruled_start ready --quiet -- sh -c 'trap "echo told; exit 9" TERM
            /bin/true; echo "ready $PPID"; while :; do sleep 0.05; done'
        kill -TERM "$TRACER"
        record_end
        must_be 9
        grep -qx told "$OUT"
    done
}

@test "a phase begins once, in order, and never goes back" {
    policy errno first_point "$T/some" second_point "$T/fewer"
    must_tell 'before 1,behind 2,again 2,second 3,again 3' again
    must_tell 'second 3,first 3' back
    must_tell 'before 1,child 2,grandchild 2,parent 1,behind 2' fork
    must_tell 'executed 1' exec 3
    policy errno first_point "$T/some"
    must_tell 'before 1,child 2,parent 1,behind 2' vfork
    policy errno first:exec "$T/some"
    must_tell 'executed 2' exec 3
    policy errno registers_point "$T/some"
    must_tell 'kept 2' registers
}

@test "what a phase does not allow is refused from its point on" {
    policy errno first_point "$T/some"
    must_tell 'before No such file or directory,behind Operation not permitted' rename
    ruled --action kill -- "$PROGRAMS/phased" rename
    must_be 159
    # The call that is the point belongs to what comes behind it.
    policy errno first:rename "$T/some"
    must_tell 'before Operation not permitted,behind Operation not permitted' rename
}

@test "threads that come together: all filtered, once" {
    local i

    policy kill first_point "$T/some"
    for i in {1..5}; do
        must_tell "$(printf '2,%.0s' {1..31})2" threads 32
    done
}

@test "a thread with a filter of its own: the process ends, unfiltered it does not go on" {
    policy errno first_point "$T/some"
    ruled -- "$PROGRAMS/phased" own
    must_be 137
    [ "$(cat "$OUT")" = 'before 1' ]
    grep -qE '^Error: phase 1 cannot begin in process [0-9]+: its thread [0-9]+ has a filter' "$ERR"
}

@test "64 points" {
    local i phases=()

    needs gcc
    {
        echo '#include <stdio.h>'
        for i in {1..64}; do echo "__attribute__((noinline)) void point$i(void) { static volatile int n; n += $i; }"; done
        echo 'int main(void) {'
        for i in {1..64}; do echo "point$i();"; done
        echo 'char line[256]; FILE *f = fopen("/proc/self/status", "r");'
        echo 'while (fgets(line, sizeof line, f)) fputs(line, stdout); return 0; }'
    } >"$T/many.c"
    gcc -O1 -o "$T/many" "$T/many.c"
    for i in {1..64}; do phases+=("point$i" "$T/some"); done
    policy errno "${phases[@]}"
    ruled -- "$T/many"
    must_be 0
    grep -qP '^Seccomp_filters:\t65$' "$OUT"
    grep -qP '^TracerPid:\t0$' "$OUT"
}

# Whether all threads of all processes have that many filters, nobody traces them, and their code is
# what is in the file.
under()
{
    local pid

    for pid in $PIDS; do
        ! has_ended "$pid" || return 1
        [ "$(seccomp_of "$pid" Seccomp)" = 2 ] || return 1
        [ "$(seccomp_of "$pid" Seccomp_filters)" = "$1" ] || return 1
        [ "$(seccomp_of "$pid" TracerPid)" = 0 ] || return 1
        [ "$(code_of "$pid" "$OFFSET")" = "$CODE" ] || return 1
        [ "$(find "/proc/$pid/task/" -mindepth 1 -maxdepth 1 | wc -l)" -eq 5 ] || return 1
    done
}

# loop_start: sys_loop with a phase that begins in its function never().
loop_start()
{
    policy errno never "$T/some"
    ruled_start ready -- "$PROGRAMS/sys_loop"
    PIDS=$(sed -n 's/^ready //p' "$OUT")
    OFFSET=$((0x$(nm "$PROGRAMS/sys_loop" | sed -n 's/^\([0-9a-f]*\) T never$/\1/p')))
    CODE=$(bytes_at "$PROGRAMS/sys_loop" "$OFFSET")
}

# loop_go_on: both go through it.
loop_go_on()
{
    local pid

    for pid in $PIDS; do
        kill -USR2 "$pid"
    done
    wait_for 20 eval '[ "$(grep -c "^called$" "$OUT")" -eq 2 ]'
}

@test "all threads have all filters, nobody traces them, no breakpoint is left, none was woken" {
    local pid

    loop_start
    for pid in $PIDS; do
        [ "$(seccomp_of "$pid" Seccomp_filters)" = 1 ]
        [ "$(code_of "$pid" "$OFFSET")" = " cc${CODE:3}" ]
    done
    loop_go_on
    wait_for 10 under 2
    for pid in $PIDS; do kill -USR1 "$pid"; done
    record_end
    must_be 0
    [ "$(grep -c '^undisturbed$' "$OUT")" -eq 2 ]
}

@test "killed before the last phase: all are killed; behind it they go on, filtered" {
    local pid

    loop_start
    kill -KILL "$TRACER"
    record_end
    for pid in $PIDS; do wait_for 5 has_ended "$pid"; done
    [ ! -s "$ERR" ]
    # The one that is behind its last point goes on, the other does not.
    loop_start
    pid=${PIDS%% *}
    kill -USR2 "$pid"
    wait_for 20 grep -qx called "$OUT"
    wait_for 10 eval '[ "$(seccomp_of "${PIDS%% *}" TracerPid)" = 0 ]'
    kill -KILL "$TRACER"
    record_end
    wait_for 5 has_ended "${PIDS#* }"
    PIDS=$pid
    wait_for 10 under 2
    kill -USR1 "$pid"
    wait_for 5 grep -qx undisturbed "$OUT"
    # With one phase there is nothing to follow.
    policy errno
    ruled_start ready -- "$PROGRAMS/sys_loop"
    PIDS=$(sed -n 's/^ready //p' "$OUT")
    kill -KILL "$TRACER"
    record_end
    under 1
    for pid in $PIDS; do kill -USR1 "$pid"; done
    wait_for 5 eval '[ "$(grep -c "^undisturbed$" "$OUT")" -eq 2 ]'
}

@test "killed at any time: who is left has all filters" {
    local i pid before

    policy errno "$T/atanytime:first_point" "$T/some"
    before=$(sha256sum <"$PROGRAMS/phased")
    cp "$PROGRAMS/phased" "$T/atanytime"
    for i in {1..25}; do
        ruled_start behind --quiet -- sh -c 'while :; do "$0" fork; "$0" threads 8 >/dev/null; done' "$T/atanytime"
        sleep "0.0$((i * 7 % 100 + 10))"
        kill -KILL "$TRACER"
        record_end
        refute grep -qE 'Trace|trap' "$ERR"
        for pid in $(pgrep -x atanytime); do
            wait_for 5 eval 'has_ended '"$pid"' || [ "$(seccomp_of '"$pid"' Seccomp_filters)" = 2 ]'
        done
    done
    [ "$(sha256sum <"$T/atanytime")" = "$before" ]
}

# A copy of id that is set-user-ID, in $T/id.
setuid_id()
{
    needs setpriv
    cp "$(command -v id)" "$T/id"
    chmod 4755 "$T/id"
    NOBODY=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    [ "$("${NOBODY[@]}" "$T/id" -u)" -eq 0 ] || skip "nothing is set-user-ID here"
}

@test "a set-user-ID program: without the rights; with --no-nnp it has them" {
    local point

    setuid_id
    for point in '' first:getsid; do
        policy errno ${point:+"$point" "$T/some"}
        ruled --quiet -- "${NOBODY[@]}" sh -c "'$T/id' -u"
        must_be 0
        [ "$(cat "$OUT")" = 65534 ]
        ruled --quiet --no-nnp -- "${NOBODY[@]}" sh -c "'$T/id' -u"
        must_be 0
        [ "$(cat "$OUT")" = 0 ] || { echo "'$point': $(cat "$OUT")"; return 1; }
    done
    # Who has given up his rights gets the next filter all the same, and no_new_privs for it.
    policy errno first:getppid "$T/some"
    ruled --quiet --no-nnp -- "${NOBODY[@]}" sh -c "'$T/id' -u; grep -E '^(NoNewPrivs|Seccomp_filters)' /proc/self/status"
    [ "$(tr '\t' ' ' <"$OUT" | paste -sd,)" = '65534,NoNewPrivs: 1,Seccomp_filters: 2' ]
    # The exec of it is the point.
    policy errno first:exec "$T/some"
    cat >"$T/become.c" <<'END'
#include <unistd.h>
int main(int argc, char **argv) { (void)argc; setuid(65534); execv(argv[1], argv + 1); return 9; }
END
    ! command -v gcc >/dev/null || {
        gcc -o "$T/become" "$T/become.c"
        ruled --quiet --no-nnp -- "$T/become" "$T/id" -u
        must_be 0
        [ "$(cat "$OUT")" = 0 ]
    }
    policy errno "$T/phased:first_point" "$T/some"
    cp "$PROGRAMS/phased" "$T/phased"
    ruled --no-nnp -- "${NOBODY[@]}" "$T/phased" again
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2,again 2,second 2,again 2' ]
    cp "$TOOL" "$T/tool"
    chmod 644 "$T/policy"
    status=0
    "${NOBODY[@]}" "$T/tool" syscalls run --no-nnp -p "$T/policy" -- true 2>"$ERR" || status=$?
    must_be 3
    must_be_error
}

@test "any user, with one phase and with several" {
    needs setpriv
    cp "$TOOL" "$T/tool"
    cp "$PROGRAMS/phased" "$T/phased"
    policy errno first_point "$T/some" second_point "$T/fewer"
    chmod 644 "$T/policy"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$T/tool" syscalls run -p "$T/policy" -- \
        "$T/phased" again >"$OUT" 2>"$ERR"
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2,again 2,second 3,again 3' ]
    # Its phases must allow what installs the next filter.
    all_but rename seccomp prctl mmap >"$T/none"
    make_policy "$T/policy" errno "$T/none" first_point "$T/none" second_point "$T/none"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$T/tool" syscalls run -p "$T/policy" -- \
        "$T/phased" rename >"$OUT" 2>"$ERR" || :
    grep -q 'root needs no such thing' "$ERR"
    all_but rename seccomp prctl >"$T/none"
    make_policy "$T/policy" errno "$T/none" first_point "$T/none" second_point "$T/none"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$T/tool" syscalls run -p "$T/policy" -- \
        "$T/phased" again >"$OUT" 2>"$ERR"
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2,again 2,second 3,again 3' ]
    # Root needs no such thing.
    ruled -- "$T/phased" again
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2,again 2,second 3,again 3' ]
    refute grep -q 'root needs' "$ERR"
}

@test "stopped and continued before and behind a point: calls go on waiting" {
    local pid point seconds

    for point in first:getsid first:clock_nanosleep first:getppid; do
        policy errno "$point" "$T/some"
        for seconds in 1.5 20; do
            ruled_start '^[0-9]' --quiet -- sh -c 'echo $$; exec sleep "$0"' "$seconds"
            pid=$(sed -n 1p "$OUT")
            ! stops_asleep "$pid" || break
            record_end
        done
        sleep 0.2
        grep -q '^State:.*[Tt]' "/proc/$pid/status"
        kill -CONT "$pid"
        record_end
        must_be 0
    done
}

@test "other processes: a daemon, closed descriptors, other namespaces and mounts" {
    policy errno first:getsid "$T/some"
    ruled -- "$PROGRAMS/calls_processes" 3 5
    must_be 0
    grep -q '^fork getpgid ' "$OUT"
    [ ! -s "$ERR" ]
    needs unshare mount
    policy errno "$PROGRAMS/phased:first_point" "$T/some"
    ruled -- unshare -p -m -f "$PROGRAMS/phased" fork
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,child 2,grandchild 2,parent 1,behind 2' ]
    ruled -- unshare -U -r -p -m -f "$PROGRAMS/phased" again
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2,again 2,second 2,again 2' ]
    # Another name for the same file.
    : >"$T/elsewhere"
    ruled -- unshare -m sh -c 'mount --bind "$0" "$1" && exec "$1" again' "$PROGRAMS/phased" "$T/elsewhere"
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2,again 2,second 2,again 2' ]
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
    policy errno first:getsid "$T/some"
    ruled -- /usr/bin/python3 -c 'import os
out = os.dup(1)
os.closerange(0, out); os.closerange(out + 1, 4096)
os.getsid(0)
try: os.rename("/nowhere/a", "/nowhere/b")
except OSError as e: os.write(out, e.strerror.encode())'
    must_be 0
    [ "$(cat "$OUT")" = 'Operation not permitted' ]
}

@test "a program that has changed: said, and refused where an offset would be another place" {
    cp "$PROGRAMS/phased" "$T/phased"
    "$TOOL" syscalls record -q -o "$T/r" --phase first_point -- "$T/phased" rename >"$OUT"
    "$TOOL" syscalls policy -q -o "$T/policy" "$T/r" 2>"$ERR"
    ruled -- "$T/phased" rename
    must_be 0
    refute grep -q 'another program' "$ERR"
    echo >>"$T/phased"
    ruled -- "$T/phased" rename
    must_be 0
    grep -q "WARN: the policy was made for another program than '$T/phased', or for another version" "$ERR"
    address=$(nm "$PROGRAMS/phased" | awk '$3 == "first_point" { print $1 }')
    cp "$PROGRAMS/phased" "$T/phased"
    "$TOOL" syscalls record -q -o "$T/r" --phase "$T/phased:0x$(printf '%x' $((16#$address)))" -- \
        "$T/phased" rename >"$OUT"
    "$TOOL" syscalls policy -q -o "$T/policy" "$T/r" 2>"$ERR"
    ruled -- "$T/phased" rename
    must_be 0
    echo >>"$T/phased"
    ruled -- "$T/phased" rename
    must_be 1
    must_be_error
    grep -q 'another version of this program' "$ERR"
    [ ! -s "$OUT" ]
}

@test "a point that nobody reaches is said" {
    policy errno first:chroot "$T/some"
    ruled -- true
    must_be 0
    grep -q "WARN: no process came to 'first:chroot': the limits of phase 1 were not in force" "$ERR"
}

# old: a 64-bit program that makes calls of i386, and tells how many filters it has.
old_program()
{
    needs gcc
    cat >"$T/old.c" <<'END'
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static volatile sig_atomic_t hits;
static void hit(int n) { (void)n; hits++; }
static int filters(void)
{
	char line[256];
	int nr = -1;
	FILE *f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof line, f))
		sscanf(line, "Seccomp_filters: %d", &nr);
	fclose(f);
	return nr;
}
static long old(long nr)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(0L), "c"(0L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}
int main(int argc, char **argv)
{
	long pid = getpid(), wrong = 0;
	(void)argv;
	signal(SIGUSR1, hit);
	printf("before %d\n", filters());
	fflush(stdout);
	if (argc > 1) {
		printf("execve %ld\n", old(11));
		return 0;
	}
	if (fork() == 0) {
		usleep(50000);
		kill(pid, SIGUSR1);
		_exit(0);
	}
	while (!hits)
		for (int i = 0; i < 1000; i++)
			wrong += old(20) != pid;
	printf("behind %d wrong %ld\n", filters(), wrong);
	return 0;
}
END
    gcc -O1 -o "$T/old" "$T/old.c"
    "$T/old" >"$OUT" || skip "the kernel runs no 32-bit calls"
    [ "$(paste -sd, "$OUT")" = 'before 0,behind 0 wrong 0' ]
}

@test "calls of i386 and x32: killed unless they were recorded, whatever has their numbers" {
    old_program
    policy errno first:writev "$T/some"
    # i386's execve is 11, munmap; its getpid 20, writev.
    ruled --quiet -- "$T/old" execve
    must_be 159
    [ "$(cat "$OUT")" = 'before 1' ]
    ruled --quiet -- "$T/old"
    must_be 159
    jq -c '(.phases[].allowed) += [{ arch: "i386", seen: ["getpid"], added: [] }] |
        .architectures += [{ arch: "i386", last: 451 }]' "$T/policy" >"$T/both"
    mv "$T/both" "$T/policy"
    ruled -- "$T/old" execve
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,execve -1' ]
    # No point is reached by a call of another kind.
    ruled -- "$T/old"
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 1 wrong 0' ]
    grep -q "no process came to 'first:writev'" "$ERR"
    # x32 is nobody's.
    ruled --quiet -- "$PROGRAMS/calls_int80" 3
    must_be 159
    [ ! -s "$OUT" ]
    # A point that is reached while such a call is made.
    jq -c '.phases[1].point = "signal:USR1"' "$T/policy" >"$T/both"
    mv "$T/both" "$T/policy"
    ruled -- "$T/old"
    must_be 0
    [ "$(paste -sd, "$OUT")" = 'before 1,behind 2 wrong 0' ]
}
