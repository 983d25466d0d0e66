#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Which processes are watched: descendants of what is running, names, users, process numbers, and
# the containers they belong to.

# shellcheck disable=SC2016 # sh -c expands for itself

load ../support/trace

setup_file()
{
    trace_ready || return 0
}

setup()
{
    trace_need
    cd "$BATS_TEST_TMPDIR" || return
    chmod a+x .
}

teardown()
{
    trace_clean
    [ -z "${GROUPS_MADE:-}" ] || find "$GROUPS_MADE" -depth -type d -exec rmdir '{}' +
}

# ns TIMESTAMP: nanoseconds since the epoch.
ns()
{
    date -u -d "$1" +%s%N
}

# storm KIND: starts the tool in the middle of a storm, as root of which it is told the storm; no
# descendant may be missing, and nothing else may be reported.
storm()
{
    local round dir hooked on
    for round in 1 2 3; do
        dir=$BATS_TEST_TMPDIR/$round
        mkdir "$dir"
        "$PROGRAMS/storm" "$dir" "$1" >"$dir/all" 2>"$dir/err" 3>&- &
        KILL=$!
        until_true storm_rages
        # A large buffer: what is judged is whether all are known, not how soon the tool gets a CPU.
        trace_start "$dir/events" --event file_open --buffer-size 64M --follow-children \
            --pid "$(cat "$dir/root")" || { cat "$dir/err" >&2; return 1; }
        until_true enough_events "$dir/events"
        # The rest grows as fast as jq may be able to read in a storm.
        head -n 800 "$dir/events" >"$dir/first"
        hooked=$(jq -r 'select(.event_type == "start") | .timestamp' "$dir/first")
        on=$(jq -r 'select(.event_type == "file_open") | .timestamp' "$dir/first" | head -n 1)
        # The second one is rounded up: the clock of the stream has microseconds.
        echo "$(ns "$hooked") $(($(ns "$on") + 1000))" >"$dir/stop.new"
        mv "$dir/stop.new" "$dir/stop"
        wait "$KILL" || { cat "$dir/err" >&2; return 1; }
        trace_stop "$dir/events"
        storm_judge "$dir"
    done
}

storm_rages()
{
    [ "$(pgrep -c -g "$(ps -o pgid= -p "$KILL" | tr -d ' ')" -x storm)" -gt 8 ]
}

enough_events()
{
    [ "$(wc -l <"$1")" -gt 800 ]
}

storm_judge()
{
    sed -n 's/^must //p' "$1/all" | sort >"$1/must"
    sed 's/^[a-z]* //' "$1/all" | sort >"$1/may"
    jq -r 'select(.event_type == "file_open") | .file' "$1/events" | sort >"$1/seen"
    if [ "$(coverage "$1/events" '[.sources[].lost[]] | add')" -ne 0 ]; then
        coverage "$1/events" '.sources[] | select(([.lost[]] | add) > 0)' >&2
        return 1
    fi
    [ "$(wc -l <"$1/must")" -gt 500 ]
    [ -z "$(uniq -d "$1/seen")" ]
    if [ "$(comm -23 "$1/must" "$1/seen" | wc -l)" -gt 0 ]; then
        echo "missed $(comm -23 "$1/must" "$1/seen" | wc -l) of $(wc -l <"$1/must")" >&2
        return 1
    fi
    if [ "$(comm -13 "$1/may" "$1/seen" | wc -l)" -gt 0 ]; then
        comm -13 "$1/may" "$1/seen" | head >&2
        return 1
    fi
}

@test "a storm of processes whose parents wait: no descendant is missed" {
    storm tree
}

@test "a storm of orphans, whose parents end while the tool starts: none is missed" {
    storm orphans
}

@test "--pid alone: the process with all its threads, not its children" {
    mkdir files
    "$PROGRAMS/storm" "$PWD/files" tree >all 2>err 3>&- &
    KILL=$!
    until_true storm_rages
    trace_start events --event file_open,process_exec --pid "$(cat files/root)"
    "$PROGRAMS/opens" 1 /dev/null
    echo "0 0" >files/stop
    wait "$KILL"
    trace_stop events
    [ -z "$(events events)" ]
}

@test "--name: a process enters and leaves by its name, with its threads" {
    mkdir files
    cp "$PROGRAMS/selected" "files/chosen too"
    trace_start events --event file_open --name CHOSEN
    "$PROGRAMS/selected" "$PWD/files" >expected
    trace_stop events
    expect expected events
}

@test "--name: of a program that starts later not even its first open is missed" {
    local i
    mkdir files
    cp "$PROGRAMS/selected" "files/chosen"
    trace_start events --event file_open --name chosen
    for i in $(seq 100); do
        files/chosen "$PWD/files" "first act $i" >>expected
    done
    trace_stop events
    [ "$(wc -l <expected)" -eq 100 ]
    expect expected events
}

@test "--name with --follow-children: what such a process starts, and nothing beside" {
    mkdir files
    cp "$PROGRAMS/selected" files/chosen
    cp "$PROGRAMS/opens" files/opens
    : >files/x.pem
    trace_start events --event file_open --name chosen --follow-children
    files/opens 1 files/x.pem
    sh -c 'files/opens 1 files/x.pem'
    ln -s "$(command -v sh)" 'files/chosen sh'
    'files/chosen sh' -c 'files/opens 3 files/x.pem; (files/opens 4 files/x.pem & wait)'
    trace_stop events
    [ "$(events events .process)" = "$(yes '"opens"' | head -n 7)" ]
}

@test "a process number that is used again does not enter the selection" {
    local status=0 pid
    : >x.pem
    mkfifo go
    sh -c 'read -r _ <go; exec "$0" 1 x.pem' "$PROGRAMS/opens" 3>&- &
    KILL=$!
    pid=$KILL
    trace_start events --event file_open,process_exit --pid "$pid" --follow-children
    echo >go
    wait "$pid"
    until_true grep -q process_exit events
    "$PROGRAMS/same_pid" "$pid" x.pem || status=$?
    [ "$status" -ne 77 ] || skip "this kernel lets no one choose a process number"
    [ "$status" -eq 0 ]
    trace_stop events
    [ "$(events events .event_type | sort | uniq -c | awk '{ print $1 $2 }' | paste -sd' ')" = \
        '1"file_open" 1"process_exit"' ]
}

@test "--uid: what a user does, from the moment on that it is that user" {
    needs setpriv
    : >x.pem
    chmod a+r x.pem
    trace_start events --event file_open --uid 65533
    "$PROGRAMS/opens" 1 x.pem
    setpriv --reuid 65533 --clear-groups "$PROGRAMS/opens" 2 x.pem
    setpriv --reuid 65534 --clear-groups "$PROGRAMS/opens" 1 x.pem
    trace_stop events
    [ "$(events events '"\(.uid) \(.process)"')" = '"65533 opens"
"65533 opens"' ]
}

# cgroup_make NAME: a control group of that name in GROUP, in the hierarchy that has the processes;
# with a parent of the test's where it has one.
cgroup_make()
{
    local mount
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [ -n "$mount" ] || skip "no cgroup2 mounted"
    mkdir -p "$mount/$1" 2>/dev/null || skip "control groups cannot be made"
    GROUP=$mount/$1
    GROUPS_MADE=$mount/${1%%/*}
}

ID=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

@test "a process in a container's control group is reported with its id" {
    local type
    cgroup_make "docker-$ID.scope"
    : >x.pem
    trace_run events out --event process_exec,process_fork,file_open,process_exit -- \
        sh -c 'echo $$ >"$0/cgroup.procs" && "$1" 1 x.pem && "$1" 1 x.pem; exit 0' \
        "$GROUP" "$PROGRAMS/opens"
    for type in process_exec file_open process_exit; do
        [ "$(events events "select(.event_type == \"$type\" and .process == \"opens\") | .container.id" |
            sort | uniq -c | awk '{ print $1 $2 }')" = "2\"$ID\"" ]
    done
    # Before it was moved the shell belonged to none.
    [ "$(events events 'select(.event_type == "process_exec" and .process == "sh") | .container')" = null ]
}

@test "in a group below that of the container it is reported, too" {
    local group groups='' names="libpod-$ID.scope/container libpod-$ID cri-containerd-$ID.scope/a/b
        lxc.payload.web/init.scope machine-deb.scope/payload/system.slice/a.service
        systemd-nspawn@db.service/payload/docker/$ID/systemd-nspawn.service machine-a.slice"

    for group in $names; do
        cgroup_make "crypto-tracer/$group"
        groups+=" $GROUP"
    done
    : >x.pem
    # shellcheck disable=SC2086 # a list of words
    trace_run events out --event process_exec,file_open -- sh -c 'opens=$0; for group; do
        "$opens" 1 x.pem & wait; (echo 0 >"$group/cgroup.procs" && exec "$opens" 1 x.pem); done; exit 0' \
        "$PROGRAMS/opens" $groups
    events events 'select(.process == "opens") | .container.id' >told
    # crun makes such a group in Podman's scope, systemd in any container; the innermost one counts.
    for group in $ID $ID $ID web deb $ID null; do
        printf 'null\nnull\n%s\n%s\n' "$group" "$group"
    done | sed '/null/! s/.*/"&"/' | diff - told
}

@test "a container that was running before the tool is known" {
    cgroup_make "cri-containerd-$ID.scope"
    : >x.pem
    mkfifo go
    sh -c 'echo $$ >"$0/cgroup.procs"; echo ready; read -r _ <go; exec "$1" 1 x.pem' "$GROUP" \
        "$PROGRAMS/opens" >ready 3>&- &
    KILL=$!
    until_true grep -q ready ready
    trace_start events --event process_exit,file_open --pid "$KILL"
    echo >go
    wait "$KILL"
    trace_stop events
    [ "$(events events .container.id | uniq -c | awk '{ print $1 $2 }')" = "2\"$ID\"" ]
}

@test "a control group of another name is no container" {
    cgroup_make "docker-$ID.slice"
    : >x.pem
    trace_run events out -- sh -c 'echo $$ >"$0/cgroup.procs" && exec "$1" 1 x.pem' \
        "$GROUP" "$PROGRAMS/opens"
    [ "$(events events 'select(.process == "opens") | .container' | sort -u)" = null ]
}
