#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `syscalls` and what is hostile to it: processes that change while they are recorded, with both
# engines; programs that are replaced; files that are broken. The truth is what the programs say of
# themselves.

# shellcheck disable=SC2016,SC2030,SC2031,SC2034 # sh -c expands for itself; each test is a subshell

load helpers
load syscalls_patch
load syscalls_record

setup()
{
    patch_setup
}

# What a test that fails has left is in loops.
teardown()
{
    local pid

    for pid in ${pids:-}; do kill -KILL "$pid" 2>/dev/null || :; done
    common_teardown
}

needs_python()
{
    [ -x /usr/bin/python3 ] || skip "no /usr/bin/python3"
}

# recorded_python ENGINE SCRIPT ARG...: recorded, its output in $OUT.
recorded_python()
{
    local engine=$1

    shift
    record --engine "$engine" -- /usr/bin/python3 -S -E "$@"
}

@test "ends by signals, stops, a group in the background: as the program sees them" {
    local engine

    needs_python
    cat >"$T/stops.py" <<'END'
import os, signal
# What is seen of a continuation is lost when the next stop comes first.
over, seen_to = os.pipe()
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.read(over, 1)
    os.getppid()
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    os.read(over, 1)
    os.getppid()
    os.kill(os.getpid(), signal.SIGKILL)
seen = []
for i in range(2):
    _, status = os.waitpid(pid, os.WUNTRACED)
    seen.append(os.WSTOPSIG(status))
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, os.WCONTINUED)
    seen.append(os.WIFCONTINUED(status))
    os.write(seen_to, b" ")
_, status = os.waitpid(pid, 0)
seen.append(os.WTERMSIG(status))
print(*seen)
for number in signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM, signal.SIGTRAP:
    if (pid := os.fork()) == 0:
        os.getsid(0)
        os.kill(os.getpid(), number)
    print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
END
    /usr/bin/python3 -S -E "$T/stops.py" >"$T/want"
    [ "$(paste -sd' ' "$T/want")" = '19 True 20 True 9 11 6 15 5' ]
    for engine in bpf ptrace; do
        recorded_python "$engine" "$T/stops.py"
        must_be 0
        diff "$T/want" "$OUT"
        [ "$(calls_of true kill)" -eq 9 ]
        [ "$(calls_of true wait4)" -eq 9 ]
        [ "$(calls_of '.start == "fork"' getppid)" -eq 2 ]
        [ "$(calls_of '.start == "fork"' getsid)" -eq 4 ]
        recorded_is '[.nodes[] | select(.start == "fork") | .instances] | add' 5
    done
}

@test "python: fifty threads, twenty children, a child of a child that executes, a daemon" {
    local engine

    needs_python
    cat >"$T/tree.py" <<'END'
import os, subprocess, sys, threading
def thread():
    for i in range(3): os.getsid(0)
threads = [threading.Thread(target=thread) for i in range(50)]
for t in threads: t.start()
for t in threads: t.join()
over, held = os.pipe()
for i in range(20):
    if os.fork() == 0:
        os.close(over)
        for j in range(7): os.getpgid(0)
        if i == 0 and os.fork() == 0:
            os.execv(sys.executable, ["python3", "-S", "-c", "import os\nfor i in 1, 2, 3: os.getpriority(0, 0)"])
        if i == 1 and os.fork() == 0:
            # It outlives all others.
            os.setsid()
            os.read(int(sys.argv[1]), 1)
            for j in range(11): os.getppid()
        os._exit(0)
os.close(held)
while True:
    try: os.wait()
    except ChildProcessError: break
subprocess.run(["/bin/true"])
END
    mkfifo "$T/end"
    for engine in bpf ptrace; do
        R=$T/recording
        (sleep 0.4; echo >"$T/end") &
        record --engine "$engine" -- bash -c 'exec 9<>"$0"; exec /usr/bin/python3 -S -E "$1" 9' "$T/end" "$T/tree.py"
        wait $!
        must_be 0
        [ "$(calls_of '.start == "thread"' getsid)" -eq 150 ]
        [ "$(calls_of true getsid)" -eq 150 ]
        recorded_is '[.nodes[] | select(.start == "thread") | .instances] | add' 50
        [ "$(calls_of '.start == "fork"' getpgid)" -eq 140 ]
        recorded_is '.nodes as $n | [.nodes[] | select(.start == "fork" and $n[.parent].start == "exec") | .instances]' '[20]'
        recorded_is '.nodes as $n | [.nodes[] | select(.start == "fork" and $n[.parent].start == "fork") | .instances]' '[2]'
        [ "$(calls_of '.start == "exec"' getpriority)" -eq 3 ]
        [ "$(calls_of '.start == "fork"' getppid)" -eq 11 ]
        recorded_is '[.nodes[] | select(.exe | test("/true$")) | .instances]' '[1]'
    done
}

@test "int 0x80 is no point of a call with the same number" {
    local engine

    "$PROGRAMS/calls_int80" 5 >"$T/want" || skip "the kernel runs no 32-bit calls"
    for engine in bpf ptrace; do
        # 20 is writev, and i386's getpid.
        record --engine "$engine" --phase first:writev -- "$PROGRAMS/calls_int80" 5
        must_be 1
        grep -q "The point 'first:writev' was never reached" "$ERR"
        recorded_is '[.phases[].hits]' '[0,0]'
        record --engine "$engine" --phase first:getpid -- "$PROGRAMS/calls_int80" 5
        must_be 0
        recorded_is '[.nodes[] | .phase as $p | .calls[] | select(.name == "getpid") | [$p, .arch, .count]]' \
            '[[0,"i386",5],[1,"x86_64",1]]'
    done
}

@test "a program that is set-user-ID keeps its rights when root records it" {
    local engine

    needs setpriv
    cp "$(command -v id)" "$T/id"
    chmod 4755 "$T/id"
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    [ "$("${nobody[@]}" "$T/id" -u)" -eq 0 ] || skip "nothing is set-user-ID here"
    for engine in bpf ptrace; do
        record --engine "$engine" -- "${nobody[@]}" sh -c "'$T/id' -u; exit 3"
        must_be 3
        [ "$(cat "$OUT")" = 0 ]
        [ "$(calls_of ".exe == \"$T/id\"" exit_group)" -eq 1 ]
        recorded_is '[.each_run[].is_complete]' '[true]'
    done
}

@test "namespaces, another root, no descriptors, pids that come again: all is counted" {
    local engine

    needs unshare chroot busybox
    needs_python
    mkdir -p "$T/root/bin"
    cp "$(command -v busybox)" "$T/root/bin/busybox"
    for engine in bpf ptrace; do
        record --engine "$engine" -- unshare -U -r -p -m -f --mount-proc sh -c 'ls / >/dev/null; exit 5'
        must_be 5
        [ "$(calls_of '.exe | test("/ls$")' getdents64)" -eq 2 ]
        record --engine "$engine" -- chroot "$T/root" /bin/busybox ls /
        must_be 0
        [ "$(cat "$OUT")" = bin ]
        [ "$(calls_of '.exe | test("busybox$")' getdents64)" -eq 2 ]
        recorded_python "$engine" -c 'import os
os.closerange(0, 4096)
for i in range(9): os.getppid()
if os.fork() == 0:
    for i in range(4): os.getppid()'
        must_be 0
        [ "$(calls_of true getppid)" -eq 13 ]
        record --engine "$engine" -- unshare -p -f --mount-proc sh -c '
            for i in 1 2 3; do echo 41 >/proc/sys/kernel/ns_last_pid; /bin/true; done'
        must_be 0
        recorded_is '[.nodes[] | select(.exe | test("/true$")) | [.instances, (.calls[] | select(.name == "exit_group").count)]]' '[[3,3]]'
    done
}

@test "points of root's engine are taken out when the tool is killed" {
    local how pid offset code

    offset=$((0x$(nm "$PROGRAMS/sys_loop" | sed -n 's/^\([0-9a-f]*\) T never$/\1/p')))
    code=$(bytes_at "$PROGRAMS/sys_loop" "$offset")
    for how in KILL TERM; do
        R=$T/recording.$how
        record_start ready --engine bpf --on-exit detach --phase never -- "$PROGRAMS/sys_loop"
        pids=$(sed -n 's/^ready //p' "$OUT")
        for pid in $pids; do
            [ "$(code_of "$pid" "$offset")" = " cc${code:3}" ]
        done
        kill -s "$how" "$TRACER"
        record_end
        for pid in $pids; do
            wait_for 10 eval '[ "$(code_of '"$pid $offset"')" = "'"$code"'" ]'
            ! has_ended "$pid"
            kill -USR1 "$pid"
        done
        for pid in $pids; do wait_for 5 has_ended "$pid"; done
        wait_for 5 eval '[ "$(grep -c "^undisturbed$" "$OUT")" -eq 2 ]'
        wait_for 10 test -s "$R"
        [ "$(calls_of true getppid)" -gt 10 ]
    done
}

@test "a program that is replaced between runs: recorded, merged and marked" {
    cp /bin/true "$T/program"
    for engine in bpf ptrace; do
        cp --remove-destination /bin/true "$T/program"
        record --engine "$engine" --runs 2 -- sh -c '"$0"; cp --remove-destination /bin/false "$0"; :' "$T/program"
        must_be 0
        recorded_is '[.nodes[] | select(.exe | test("/program$")) | .instances] | add' 2
        R=$T/one record --engine "$engine" -- "$T/program"
        must_be 1
        cp --remove-destination /bin/true "$T/program"
        R=$T/two record --engine "$engine" -- "$T/program"
        must_be 0
        "$TOOL" syscalls merge -o "$T/both" "$T/one" "$T/two"
        [ "$(jq .is_mixed "$T/both")" = true ]
        "$TOOL" syscalls policy "$T/both" >"$T/policy" 2>"$ERR"
        grep -qE 'WARN: .*(other|different|another)' "$ERR" || { cat "$ERR"; return 1; }
    done
}

# 30 runs of a command of which each does something else: the number of the run is in a file.
@test "thirty runs: support of each call, growth, merged in any order, what is to come" {
    local i name

    cat >"$T/work.sh" <<'END'
read -r n <"$0.run"
n=$((n + 1))
echo $n >"$0.run"
[ $((n % 2)) -ne 0 ] || umask >"$0.out"
[ $((n % 3)) -ne 0 ] || cd /
[ $((n % 5)) -ne 0 ] || kill -0 $$
END
    echo 0 >"$T/work.sh.run"
    record --runs 30 -- sh "$T/work.sh"
    must_be 0
    recorded_is .runs 30
    recorded_is '[.nodes[].calls[] | select(.name | IN("umask", "chdir", "kill")) | [.name, .runs]] | sort' \
        '[["chdir",10],["kill",6],["umask",15]]'
    recorded_is '[.nodes[].calls[] | select(.name == "brk") | .runs]' '[30]'
    # After the fifth run there was nothing new.
    grep -qE 'run 5 of 30: [0-9]+ calls in all, 1 of them new' "$ERR"
    [ "$(grep -cE 'run ([6-9]|[12][0-9]|30) of 30: [0-9]+ calls in all, 0 of them new' "$ERR")" -eq 25 ]
    "$TOOL" syscalls show "$R" >"$T/shown"
    grep -qiE 'last (5|five) runs.* 0' "$T/shown" || { cat "$T/shown"; return 1; }
    # One that was held out adds nothing, as the figure says; one that does something else does.
    R=$T/next record -- sh "$T/work.sh"
    "$TOOL" syscalls merge -o "$T/more" "$T/recording" "$T/next"
    [ "$(jq -c '[.nodes[].calls[].name] | sort' "$T/more")" = "$(recorded '[.nodes[].calls[].name] | sort')" ]
    R=$T/other record -- sh -c 'ls / >/dev/null; umask'
    "$TOOL" syscalls merge -o "$T/more" "$T/recording" "$T/other"
    [ "$(jq '[.nodes[].calls[].name] | length' "$T/more")" -gt "$(recorded '[.nodes[].calls[].name] | length')" ]
    # Recorded one by one it is the same, whatever the order.
    echo 0 >"$T/work.sh.run"
    for i in {1..6}; do
        R=$T/run.$i record --runs 5 -- sh "$T/work.sh"
    done
    "$TOOL" syscalls merge -o "$T/forth" "$T"/run.{1..6}
    "$TOOL" syscalls merge -o "$T/back" "$T"/run.{6,4,2,5,1,3}
    "$TOOL" syscalls merge -o "$T/half" "$T"/run.{1,5,3}
    "$TOOL" syscalls merge -o "$T/halves" "$T"/run.{2,6} "$T/half" "$T/run.4"
    cmp "$T/forth" "$T/back"
    cmp "$T/forth" "$T/halves"
    [ "$(jq -c '[.nodes[].calls[] | [.name, .runs]] | sort' "$T/forth")" = \
        "$(jq -c '[.nodes[].calls[] | [.name, .runs]] | sort' "$T/recording")" ]
}

@test "files that are cut off or damaged: an error, or the file; never a crash, nothing is run" {
    local size i command bad=0

    record --phase first:getdents64 -- ls /
    "$TOOL" syscalls policy -q -o "$T/policy" "$R" 2>/dev/null
    cp "$R" "$T/whole"
    for file in whole policy; do
        size=$(stat -c %s "$T/$file")
        for i in {1..24}; do
            if [ $((i % 2)) -eq 0 ]; then
                head -c $((size * i / 25)) "$T/$file" >"$T/broken"
            else
                cp "$T/$file" "$T/broken"
                printf '%b' "\\x$(printf '%02x' $((i * 37 % 256)))" |
                    dd of="$T/broken" bs=1 seek=$((size * i / 25)) conv=notrunc status=none
            fi
            rm -f "$T/copy" "$T/ran"
            for command in "show $T/broken" "merge -o $T/out2 $T/broken $T/whole" "diff $T/broken $T/whole" \
                "policy $T/broken" "run -p $T/broken -- touch $T/ran" "verify -p $T/broken -- true" \
                "patch -p $T/broken -o $T/copy /bin/ls"; do
                case $file-$command in
                whole-run* | whole-verify* | whole-patch* | policy-show* | policy-merge* | policy-diff*)
                    [ $((i % 8)) -eq 0 ] || continue
                    ;;
                esac
                status=0
                # shellcheck disable=SC2086 # words
                timeout 60 "$TOOL" syscalls $command >"$OUT" 2>"$ERR" </dev/null 3>&- || status=$?
                [ "$status" -lt 124 ] || { echo "$command, $i: status $status"; return 1; }
                refute grep -qE 'AddressSanitizer|runtime error' "$ERR"
                if [ $((i % 2)) -eq 0 ]; then
                    must_be 1 || { echo "$command, cut to $((size * i / 25)) of $size"; return 1; }
                    must_be_error
                fi
                [ "$status" -eq 0 ] || bad=$((bad + 1))
                [ $((i % 2)) -ne 0 ] || [ ! -e "$T/ran" ]
            done
        done
    done
    [ "$bad" -gt 60 ]
}
