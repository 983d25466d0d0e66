#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a run leaves behind, however it ends: its output, and nothing else; and what it does to
# others that trace at the same time.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it
# shellcheck disable=SC2034,SC2154 # shared with helpers.bash: STREAM, answer

load helpers

# What every process of the host holds, as bpf_held prints it.
bpf_held_by_all()
{
    cat /proc/[0-9]*/fdinfo/* 2>/dev/null |
        sed -nE 's/^(prog|map|link)_id:[[:space:]]*([0-9]+)$/\1 \2/p' | sort -u
}

remember_bpf()
{
    needs bpftool
    bpf_existing >"$T/bpf-before"
}

# Programs, maps and links made since remember_bpf that no process holds. Others may trace
# meanwhile: theirs are held.
bpf_orphans()
{
    comm -13 "$T/bpf-before" <(bpf_existing) | comm -23 - <(bpf_held_by_all)
}

no_bpf_left()
{
    [ -z "$(bpf_orphans)" ]
}

# Whether all that the tool holds is listed. bpftool's list is not one moment's: what others close
# while it is made can cut it short.
held_exists()
{
    [ -z "$(bpf_held "$TRACER" | comm -23 - <(bpf_existing))" ]
}

# own_tool: a copy under a name of this test alone, so that all of its processes can be told, also
# those that have not executed anything yet.
own_tool()
{
    cp "$TOOL" "$T/own-tool"
    TOOL=$T/own-tool
}

none_of_own()
{
    ! pgrep -f "^$T/own-tool" >/dev/null
}

@test "nothing is written but the output, nothing is mounted, made or renamed" {
    local mounts

    needs strace
    # A sanitizer makes the folder that its reports go to; now they go to standard error.
    unset ASAN_OPTIONS UBSAN_OPTIONS
    leaks_unseen
    mounts=$(cat /proc/self/mountinfo)
    mkdir "$T/tmp"
    TMPDIR=$T/tmp strace -f -qq -o "$T/strace" \
        -e trace=%file,mount,move_mount,fsopen,memfd_create,mknod,mknodat,ftruncate,fchmod,fchown \
        "$TOOL" monitor --verbose --output "$T/stream" -- true >"$OUT" 2>"$ERR" </dev/null 3>&-
    STREAM=$T/stream
    check_stream
    grep -qE 'openat\(.*"stream", .*O_CREAT' "$T/strace"
    # The other is memory: what libbpf reads of the kernel's types (trace/core_types.c).
    grep -vE '"stream", O_WRONLY|memfd_create\("crypto-tracer-types"' "$T/strace" >"$T/others"
    refute grep -E 'O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)' "$T/others"
    refute grep -E ' (mkdir|unlink|rename|link|symlink|mknod|chmod|fchmod|chown|fchown|truncate|utime|setxattr)[a-z0-9]*\(' \
        "$T/others"
    refute grep -E ' (mount|umount2?|move_mount|memfd_create)\(' "$T/others"
    [ -z "$(ls "$T/tmp")" ]
    [ "$(cat /proc/self/mountinfo)" = "$mounts" ]
}

@test "it works where nothing but the output can be written" {
    mkdir "$T/rw"
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro / &&
        if touch /read-only-test 2>/dev/null; then exit 98; fi; exec "$@"' "$T/rw" \
        "$TOOL" monitor --output "$T/rw/stream" -- cat /a.pem >"$OUT" 2>"$ERR" </dev/null 3>&- ||
        status=$?
    [ "$status" -ne 98 ] || skip "cannot be made read-only"
    must_be 1
    STREAM=$T/rw/stream
    check_stream
    must_count 1 "$(opens /a.pem)"
    [ "$(ls "$T/rw")" = stream ]
}

@test "its working directory and those above it can be removed and unmounted meanwhile" {
    mkdir -p "$T/gone/below"
    cd "$T/gone/below"
    tracer_start monitor --name no-such-name
    cd /
    rmdir "$T/gone/below" "$T/gone"
    tracer_stop
    must_be 143
}

@test "50 runs, ended in every way, leave no program, map, link or process" {
    local i runs=() ways=('--duration 0.05' '-- true' '--max-events 1 -- true' '-- false')

    remember_bpf
    own_tool
    # Many at a time: most of their time is waiting for the kernel.
    for i in $(seq 48); do
        # shellcheck disable=SC2086 # an option and its value
        timeout 60 "$TOOL" monitor --quiet ${ways[i % 4]} >"$T/out.$i" 2>"$T/err.$i" </dev/null 3>&- &
        runs+=("$!")
        [ $((i % 8)) -ne 0 ] || wait "${runs[@]}" || :
    done
    for i in $(seq 48); do
        grep -q '"final":true' "$T/out.$i"
    done
    for i in INT TERM HUP QUIT; do
        tracer_start monitor --name no-such-name
        tracer_stop "$i"
    done
    wait_for 10 no_bpf_left
    none_of_own
}

@test "what is looked for can be seen while a run goes on" {
    # The precondition of the tests around.
    remember_bpf
    own_tool
    tracer_start monitor --name no-such-name
    refute none_of_own
    [ "$(bpf_held "$TRACER" | grep -c ^prog)" -ge 5 ]
    bpf_held "$TRACER" | comm -13 "$T/bpf-before" - | cut -d ' ' -f 1 | sort -u >"$T/kinds"
    [ "$(paste -sd ' ' "$T/kinds")" = 'link map prog' ]
    # All of it is known to the host, and held.
    wait_for 5 held_exists
    wait_for 10 no_bpf_left
    tracer_stop
}

@test "killed at any moment of its start it leaves nothing, and COMMAND does not run on" {
    local delay

    remember_bpf
    own_tool
    for delay in 0 0.005 0.01 0.02 0.03 0.04 0.06 0.08 0.1 0.15 0.2 0.3; do
        "$TOOL" monitor -- true >"$OUT" 2>"$ERR" </dev/null 3>&- &
        TRACER=$!
        sleep "$delay"
        kill -KILL "$TRACER" 2>/dev/null || :
        wait "$TRACER" || :
        TRACER=
        wait_for 5 none_of_own
    done
    wait_for 10 no_bpf_left
}

@test "killed while it works it leaves nothing: its helper ends with it" {
    local helper i

    remember_bpf
    own_tool
    for i in 1 2 3; do
        puppet_start "p$i"
        tracer_start monitor --pid "${PUPPET[p$i]}"
        puppet "p$i" series 200 /k
        helper=$(cat "/proc/$TRACER/task/$TRACER/children")
        [ -n "$helper" ]
        bpf_held "$TRACER" >"$T/held"
        [ -s "$T/held" ]
        kill -KILL "$TRACER"
        wait "$TRACER" || :
        TRACER=
        wait_for 5 none_of_own
        wait_for 10 bpf_gone "$T/held"
        # What it watched goes on.
        puppet "p$i" open /after.pem
        [ "$answer" = ENOENT ]
    done
    wait_for 10 no_bpf_left
}

own_helper()
{
    pgrep -x crypto-tracer:b -P "$(pgrep -o -f "^$T/own-tool" || echo 0)" >/dev/null
}

@test "killed before COMMAND was let go: COMMAND never runs" {
    local nr

    needs strace
    leaks_unseen
    own_tool
    # Its first write of one byte is the one that lets COMMAND go; those before are libbpf's.
    strace -qq -o "$T/strace" -e trace=write \
        "$TOOL" monitor --quiet --output "$T/stream" -- true >"$OUT" 2>"$ERR" </dev/null 3>&-
    nr=$(grep '^write(' "$T/strace" | sed -n '/, 1) *= 1$/{=;q}')
    [ "$nr" -ge 1 ]
    strace -qq -o "$T/strace" -e trace=write -e "inject=write:delay_enter=3000000:when=$nr" \
        "$TOOL" monitor --quiet --output "$T/stream" -- touch "$T/ran" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 own_helper
    pkill -KILL -o -f "^$T/own-tool"
    wait "$TRACER" || :
    TRACER=
    wait_for 5 none_of_own
    [ ! -e "$T/ran" ]
}

@test "a helper that is killed takes nothing with it" {
    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}"
    kill -KILL "$(pgrep -P "$TRACER" -x crypto-tracer:b)"
    puppet p open /after.pem
    tracer_stop
    must_be 143
    must_count 1 "$(opens /after.pem)"
}

# Whoever is dead and not waited for, of what the tool starts.
zombies()
{
    ps -e -o pid=,stat=,comm= | awk '$2 ~ /^Z/ && $3 ~ /^(own-tool|crypto-tracer:b|true)/' | sort
}

@test "no child is left unreaped" {
    own_tool
    # After a kill there may be some, where the first process of the host reaps none.
    zombies >"$T/zombies"
    tracer monitor -- sh -c 'true; exit 0'
    must_be 0
    none_of_own
    tracer monitor -- "$T/no such program"
    must_be 127
    none_of_own
    zombies | comm -13 "$T/zombies" - | diff /dev/null -
}

@test "two tracers at a time both report everything, and each in its own way" {
    local first

    puppet_start p
    tracer_start monitor --pid "${PUPPET[p]}" --output "$T/first"
    first=$TRACER
    tracer_start monitor --pid "${PUPPET[p]}" --event file_open --format json-array --output "$T/second"
    puppet p series 1000 /both
    puppet p run true
    tracer_stop
    must_be 143
    # The first one goes on after the second.
    puppet p open /alone.pem
    TRACER=$first
    STREAM=$T/first
    tracer_stop INT
    must_be 130
    { seq -f '/both/%g.pem' 1000; echo /alone.pem; } >"$T/expected"
    events '.event_type == "file_open"' | jq -r .file | diff "$T/expected" -
    jq -r '.[] | select(.event_type == "file_open") | .file' "$T/second" |
        diff <(head -n 1000 "$T/expected") -
    # Libraries are seen of the whole host, so that what others do may be lost.
    [ "$(jq -s '[.[-1].sources[] | select(.name != "lib_load").lost[]] | add' "$T/first")" -eq 0 ]
    [ "$(jq '[.[-1].sources[] | select(.name != "lib_load").lost[]] | add' "$T/second")" -eq 0 ]
}

@test "a tracer below a tracer: both streams are whole" {
    tracer monitor --output "$T/outer" -- "$TOOL" monitor --output "$T/inner" -- cat /inner.pem
    must_be 1
    must_count 1 "$(opens /inner.pem)"
    must_have '.event_type == "process_exec" and .process == "crypto-tracer"'
    STREAM=$T/inner
    check_stream
    must_count 1 "$(opens /inner.pem)"
    must_count 1 '.event_type == "process_exec"'
}

@test "settings of the kernel are as they were" {
    local before setting

    before=$(cat /proc/sys/kernel/{bpf_stats_enabled,perf_event_paranoid,unprivileged_bpf_disabled} \
        /proc/sys/kernel/perf_event_mlock_kb /proc/sys/net/core/bpf_jit_enable 2>/dev/null)
    [ -n "$before" ]
    tracer_start monitor --name no-such-name
    for setting in running ended; do
        [ "$(cat /proc/sys/kernel/{bpf_stats_enabled,perf_event_paranoid,unprivileged_bpf_disabled} \
            /proc/sys/kernel/perf_event_mlock_kb /proc/sys/net/core/bpf_jit_enable \
            2>/dev/null)" = "$before" ] || { echo "changed while $setting"; return 1; }
        [ "$setting" = ended ] || tracer_stop
    done
}
