#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a process of the tool could still do for somebody who has taken it over, in every mode: its
# user, capabilities and system calls, the last as the kernel holds them (tests/programs/filter.c),
# against docs/privileges.md.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

setup()
{
    # src/priv/sandbox.c allows what their runtime calls.
    not_sanitized "the filter is another"
    common_setup
}

DOC=$ROOT/docs/privileges.md
# Of any filter of the tool, whatever the arguments.
NEVER='execve execveat ptrace process_vm_readv process_vm_writev socket connect bind listen accept
    accept4 socketpair kill tkill rt_sigqueueinfo rt_tgsigqueueinfo fork vfork clone3 creat unlink
    unlinkat rename renameat renameat2 link linkat symlink symlinkat mkdir mkdirat mknod mknodat chmod
    fchmod fchmodat chown fchown fchownat lchown mount umount2 move_mount fsopen open_tree pivot_root
    chroot unshare setns init_module finit_module kexec_load reboot io_uring_setup io_uring_enter
    userfaultfd keyctl add_key request_key prctl seccomp personality ioctl setuid setgid setresuid
    setresgid capset pidfd_getfd open_by_handle_at splice vmsplice tee sendfile truncate setxattr
    inotify_init1 fanotify_init quotactl swapon acct syslog sethostname settimeofday clock_settime
    adjtimex iopl ioperm modify_ldt shmat msgget semget process_madvise'

# documented NAME: the calls that the page lists for that filter, a line each, that this CPU has.
documented()
{
    awk -v name="$1" '/^```/ { on = $0 == "```text" && !on; is_it = 0 }
        on && /^[a-z]/ { is_it = $1 == name; sub(/^[a-z]+/, "") }
        on && is_it' "$DOC" | tr -s ' ' '\n' | grep . | sort
}

# held PID: those that its filter lets through, in the same form; status 77 where they are not shown.
held()
{
    "$PROGRAMS/filter" "$1" >"$T/held" || return $?
    sed -e 's/ always$//' -e 's/ arguments$/*/' "$T/held" | sort
}

# must_be_filtered PID NAMES: by what these filters allow together
must_be_filtered()
{
    local status=0 call

    held "$1" >"$T/calls" || status=$?
    [ "$status" -ne 77 ] || skip "this kernel does not show filters"
    [ "$status" -eq 0 ]
    for call in $2; do documented "$call"; done | sort >"$T/documented"
    [ -s "$T/documented" ]
    if [ "$(uname -m)" != x86_64 ]; then
        # What this CPU does not have.
        grep -vxE 'open\*|readlink|epoll_wait|poll' "$T/documented" >"$T/here" || :
        mv "$T/here" "$T/documented"
    fi
    diff "$T/documented" "$T/calls"
    for call in $NEVER; do
        refute grep -qxE "$call\\*?" "$T/calls"
    done
}

# field PID NAME
field()
{
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr -s ' \t' ' ' | sed 's/ *$//'
}

# must_be_nobody PID: with CAPABILITY numbers behind it, and no more.
must_be_nobody()
{
    local pid=$1 bits=0 cap

    shift
    for cap; do bits=$((bits | 1 << cap)); done
    bits=$((bits & 0x$(field $$ CapEff)))
    [ "$(field "$pid" Uid | tr ' ' '\n' | sort -u)" = "$(id -u nobody)" ]
    [ "$((0x$(field "$pid" CapEff)))" -eq "$bits" ]
    [ "$((0x$(field "$pid" CapPrm)))" -eq "$bits" ]
    [ "$((0x$(field "$pid" CapBnd)))" -eq 0 ]
    [ "$(field "$pid" NoNewPrivs)" = 1 ]
    [ "$(field "$pid" Seccomp)" = 2 ]
    [ "$(stat -c %U "/proc/$pid/mem")" = root ]
}

is_confined()
{
    [ "$(field "$1" Seccomp)" = 2 ]
}

broker()
{
    pgrep -P "$TRACER" -x crypto-tracer:b
}

# must_be_two_confined [FILTER]: both processes of a tool that has a worker and a broker, which has
# that filter, too.
must_be_two_confined()
{
    wait_for 20 is_confined "$TRACER"
    must_be_nobody "$TRACER"
    must_be_filtered "$TRACER" worker
    wait_for 20 is_confined "$(broker)"
    must_be_nobody "$(broker)" 2 3 19 38 39 40
    must_be_filtered "$(broker)" "broker ${1:-}"
    [ "$(pgrep -c -P "$TRACER")" -eq 1 ]
}

# stuck ARG...: the tool with an output that takes nothing, so that it stays where it writes.
stuck()
{
    mkfifo "$T/full"
    exec 8<>"$T/full"
    dd if=/dev/zero of="$T/full" bs=4096 oflag=nonblock 2>/dev/null || :
    "$TOOL" "$@" --output "$T/full" >"$OUT" 2>"$ERR" </dev/null 3>&- 8>&- &
    TRACER=$!
}

# end_stuck: it ends on a signal nevertheless.
end_stuck()
{
    kill -TERM "$TRACER"
    wait_for 20 has_ended "$TRACER"
    exec 8>&-
}

@test "streams: monitor, profile, files and libs --watch" {
    local mode

    for mode in 'monitor --uid 64999' 'libs --watch'; do
        # shellcheck disable=SC2086 # words
        tracer_start $mode --quiet
        must_be_two_confined rings
        tracer_stop
    done
    tracer_start files --uid 64999 --quiet
    must_be_two_confined
    tracer_stop
    "$TOOL" profile --pid $$ --duration 60 >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    stream_of --output "$T/none"
    must_be_two_confined rings
    tracer_stop
}

@test "documents: snapshot and files --open" {
    stuck snapshot
    must_be_two_confined
    end_stuck
    rm "$T/full"
    stuck files --open
    must_be_two_confined
    end_stuck
}

@test "libs: the broker has a filter unless it may have to run rpm" {
    stuck libs
    if [ -x /usr/bin/rpm ]; then
        wait_for 20 is_confined "$TRACER"
        must_be_filtered "$TRACER" worker
        [ "$(field "$(broker)" Seccomp)" = 0 ]
        [ "$(field "$(broker)" NoNewPrivs)" = 1 ]
    else
        must_be_two_confined
    fi
    end_stuck
}

@test "syscalls record: the recorder is confined, COMMAND and who makes it are not" {
    puppet_fifos p
    "$TOOL" syscalls record -o "$T/p.json" -- "$PROGRAMS/puppet" <"$T/p.in" >"$T/p.out" 2>"$ERR" 3>&- &
    TRACER=$!
    puppet_open p
    read -r -t "$WAIT_SECONDS" _ "PUPPET[p]" <&"${PUPPET_OUT[p]}"
    must_be_nobody "$TRACER" 5 39
    must_be_filtered "$TRACER" recorder
    [ "$(field "$(pgrep -P "$TRACER")" Seccomp)" = "$(field $$ Seccomp)" ]
    [ "$(field "${PUPPET[p]}" Seccomp)" = "$(field $$ Seccomp)" ]
    [ "$(field "${PUPPET[p]}" CapEff)" = "$(field $$ CapEff)" ]
    puppet_exit p
    tracer_wait
    must_be 0
    jq -e '.nodes | length > 0' "$T/p.json" >/dev/null
}

# parsing ARG...: a command that waits for standard input, $PARSER being the process that parses it.
parsing()
{
    mkfifo "$T/in"
    exec 8<>"$T/in"
    "$TOOL" "$@" <"$T/in" >"$OUT" 2>"$ERR" 3>&- 8>&- &
    TRACER=$!
    wait_for 20 has_child
    PARSER=$(pgrep -P "$TRACER")
    wait_for 20 is_confined "$PARSER"
}

has_child()
{
    [ "$(pgrep -c -P "$TRACER")" -eq 1 ]
}

# parsed FILE: it gets that, and ends.
parsed()
{
    cat "$1" >&8
    exec 8>&-
    tracer_wait
    rm "$T/in"
}

@test "syscalls show, merge, diff, policy and patch: who parses has no rights, and does it" {
    local command made

    # Not for others, as is the directory.
    "$TOOL" syscalls record -o "$T/a.json" -- ls / >/dev/null 2>&1
    "$TOOL" syscalls record -o "$T/b.json" -- ls / >/dev/null 2>&1
    "$TOOL" syscalls policy -q -o "$T/a.policy" "$T/a.json" 2>/dev/null
    cp /bin/ls "$T/program"
    chmod 700 "$T" "$T/program"
    chmod 600 "$T/a.json" "$T/a.policy"
    for command in "show -" "merge -o $T/made - $T/a.json" "diff - $T/a.json" "policy -q -o $T/made -" \
        "patch --policy - -o $T/made $T/program"; do
        rm -f "$T/made"
        # shellcheck disable=SC2086 # words
        parsing syscalls $command
        must_be_nobody "$PARSER"
        must_be_filtered "$PARSER" parser
        [ "$(field "$TRACER" CapEff)" = "$(field $$ CapEff)" ]
        "$PROGRAMS/inject" "$PARSER" >"$T/attempts"
        [ "$(wc -l <"$T/attempts")" -gt 20 ]
        [ "$(grep -v ' EPERM$' "$T/attempts")" = "getpid allowed" ]
        case $command in
        patch*) parsed "$T/a.policy" ;;
        merge*) parsed "$T/b.json" ;;
        *) parsed "$T/a.json" ;;
        esac
        must_be 0
        made=$OUT
        [ ! -e "$T/made" ] || made=$T/made
        case $command in
        show*) grep -q '^  command *ls /$' "$made" ;;
        merge*) [ "$(jq .runs "$made")" -eq 2 ] ;;
        diff*) grep -q '^old: ' "$made" ;;
        policy*) cmp "$made" "$T/a.policy" ;;
        patch*) [ "$("$made" -d /)" = / ] ;;
        esac
    done
}

# deepest PID: the youngest of its line.
deepest()
{
    local pid=$1 child

    while child=$(pgrep -P "$pid"); do
        pid=$child
    done
    echo "$pid"
}

is_parsing()
{
    PARSER=$(deepest "$TRACER")
    [ "$PARSER" != "$TRACER" ] && is_confined "$PARSER"
}

# running COMMAND: `syscalls run` or `verify` waits for its policy, $PARSER being who parses that.
running()
{
    rm -f "$T/in" "$T/ran"
    mkfifo "$T/in"
    exec 8<>"$T/in"
    "$TOOL" syscalls "$1" --policy "$T/in" -- touch "$T/ran" </dev/null >"$OUT" 2>"$ERR" 3>&- 8>&- &
    TRACER=$!
    wait_for 20 is_parsing
    [ ! -e "$T/ran" ]
}

@test "syscalls run and verify: who parses the policy has no rights; without it nothing is run" {
    local command

    "$TOOL" syscalls record -o "$T/a.json" -- touch "$T/ran" >/dev/null 2>&1
    "$TOOL" syscalls policy -q -o "$T/a.policy" "$T/a.json" 2>/dev/null
    for command in run verify; do
        running "$command"
        must_be_nobody "$PARSER"
        must_be_filtered "$PARSER" parser
        parsed "$T/a.policy"
        must_be 0
        [ -e "$T/ran" ]
        running "$command"
        kill -SEGV "$PARSER"
        tracer_wait
        exec 8>&-
        must_be 1
        must_be_error
        grep -q 'the process that reads it was ended: Segmentation fault' "$ERR"
        [ ! -e "$T/ran" ]
        running "$command"
        kill -KILL "$TRACER"
        wait_for 20 has_ended "$PARSER"
        exec 8>&-
    done
}

@test "syscalls show: a parser that is killed is told of; without its parent it ends" {
    "$TOOL" syscalls record -o "$T/a.json" -- true
    parsing syscalls show -
    kill -SEGV "$PARSER"
    tracer_wait
    must_be 139
    must_be_error
    exec 8>&-
    rm "$T/in"
    parsing syscalls show -
    kill -KILL "$TRACER"
    wait_for 20 has_ended "$PARSER"
    exec 8>&-
}

@test "syscalls show: root that cannot become nobody works nevertheless, without capabilities" {
    needs unshare
    "$TOOL" syscalls record -o "$T/a.json" -- ls / >/dev/null 2>&1
    unshare -U -r true 2>/dev/null || skip "no user namespaces here"
    unshare -U -r "$TOOL" syscalls show --format json "$T/a.json" >"$OUT"
    [ "$(jq .runs "$OUT")" -eq 1 ]
}

@test "no process of the tool can signal another one, nor open what its number is not" {
    # What the filter says of arguments, tried on the worker itself: tgkill of another process.
    tracer_start monitor --quiet --name no-such-name
    "$PROGRAMS/inject" "$TRACER" "$$" >"$T/attempts"
    grep -qx 'tgkill_other EPERM' "$T/attempts"
    grep -qx 'tgkill_self allowed' "$T/attempts"
    grep -qx 'fcntl_setown EPERM' "$T/attempts"
    grep -qx 'sendto_address EPERM' "$T/attempts"
    grep -qx 'bpf_map_update EPERM' "$T/attempts"
    tracer_stop
}
