#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What is traced on kernels that lack what the sources' own programs need, tried here by
# CRYPTO_TRACER_COMPAT=1 with the triggers of the sources. Every event has to be there; what only
# /proc tells may be missing, but may not be wrong, and has to be counted or marked.

# shellcheck disable=SC2016 # sh -c expands for itself

load ../support/trace
load ../support/reduced

setup_file()
{
    trace_ready || return 0
    export CRYPTO_TRACER_COMPAT=1
    : >"$BATS_FILE_TMPDIR/one.pem"
}

setup()
{
    trace_need
    export CRYPTO_TRACER_COMPAT=1
    cd "$BATS_TEST_TMPDIR" || return
    chmod a+x .
}

teardown()
{
    trace_clean
}

# source_of NAME JQ: its line of the final coverage of `events`.
source_of()
{
    coverage events ".sources[] | select(.name == \"$1\") | $2"
}

@test "process_exec: all that the trigger executes" {
    cp "$BUILD/tests/sources/process_exec/process_exec_trigger" .
    trace_run events expected --event process_exec -- ./process_exec_trigger "$PWD" \
        'no argument' 'one argument' '1000 arguments' 'empty strings' 'empty at the end' \
        'any bytes' symlink script execveat descriptor 'long name' posix_spawn 'by a thread' twice \
        failing 'any directory' 'root directory' 'deep directory'
    jq -c 'select(.argv[0]? != "./process_exec_trigger" or .argv[2]? != "no argument")' events >rest
    fits expected rest
}

@test "process_exit: codes, signals, threads" {
    cp "$BUILD/tests/sources/process_exit/process_exit_trigger" .
    trace_run events expected --event process_exit -- ./process_exit_trigger
    fits_exits expected events
}

@test "file_open: all calls, outcomes, directories, threads" {
    cp "$BUILD/tests/sources/file_open/file_open_trigger" .
    mkdir -p files/root/sub
    : >files/root/sub/in.pem
    trace_run events expected --event file_open -- ./file_open_trigger "$PWD/files" \
        calls fopen errors directories deep deleted renamed chroot 'outside chroot' long \
        'any name' threads 'another user'
    fits expected events
    # All that was not told is counted.
    [ "$(jq -c 'select(.result == "success" and .inode == null)' got | wc -l)" -eq \
        "$(coverage events '[.not_seen[] | select(.what == "device and inode of opened files") | .count] | add // 0')" ]
}

@test "a file whose descriptor moves before it is looked at is counted as not looked into" {
    trace_run events out --event file_open -- \
        sh -c 'for i in 1 2 3; do exec 7<"$0"; sleep 0.3; done' "$BATS_FILE_TMPDIR/one.pem"
    events events "select(.file_type and .result == \"success\" and .inode == null)" >unknown
    [ "$(wc -l <unknown)" -ge 1 ]
    [ "$(coverage events '.not_seen[] | select(.why == "not known which file it was") | .count')" -eq \
        "$(wc -l <unknown)" ]
}

@test "lib_load: all that the trigger maps" {
    cp "$BUILD/tests/sources/lib_load/lib_load_trigger" .
    trace_run events out --event lib_load -- sh -c 'openssl version; exit 0'
    [ "$(events events .library_name | sort -u | grep -c 'lib\(ssl\|crypto\)')" -ge 1 ]
    [ "$(events events .process | sort -u)" = '"openssl"' ]
}

@test "of a process that stays everything is told" {
    mkfifo go
    mkdir dir
    : >dir/rel.pem
    trace_start events --event process_exec,file_open --name sleeper
    cp "$(readlink -f /bin/sh)" dir/sleeper
    (cd dir && exec ./sleeper -c 'exec 3<rel.pem; read -r _ <../go' argument) 3>&- &
    KILL=$!
    until_true grep -q rel.pem events
    echo >go
    wait "$KILL"
    trace_stop events
    same <(events events | jq -cS 'del(.ppid, .dev)') - <<EOT
{"argv":["./sleeper","-c","exec 3<rel.pem; read -r _ <../go","argument"],"cmdline":"./sleeper -c exec 3<rel.pem; read -r _ <../go argument","cwd":"$PWD/dir","event_type":"process_exec","exe":"$PWD/dir/sleeper","pid":$KILL,"process":"sleeper","truncated":false,"uid":0}
{"event_type":"file_open","file":"$PWD/dir/rel.pem","file_kind":"certificate","file_type":"certificate","flags":"O_RDONLY","inode":$(stat -c %i dir/rel.pem),"pid":$KILL,"process":"sleeper","result":"success","uid":0}
EOT
}

@test "a process that was running before the tool is followed with its children" {
    mkfifo go
    sh -c 'read -r _ <go; sh -c ": <$0"; exit 0' "$BATS_FILE_TMPDIR/one.pem" 3>&- &
    KILL=$!
    trace_start events --event file_open,process_exit --pid "$KILL" --follow-children
    : <"$BATS_FILE_TMPDIR/one.pem"
    echo >go
    wait "$KILL"
    trace_stop events
    [ "$(events events 'select(.event_type == "file_open") | .file' | sort -u)" = \
        "\"$BATS_FILE_TMPDIR/one.pem\"" ]
    [ "$(events events 'select(.event_type == "process_exit") | .pid' | sort -u | wc -l)" -ge 2 ]
    [ "$(events events 'select(.event_type == "process_exit") | .pid' | tail -n 1)" = "$KILL" ]
}

# Which processes are selected is decided behind the rings: the lost are those of the whole host.
@test "what is lost is counted, to the last open" {
    local written
    trace_start events --event file_open --buffer-size 64K --name opens
    kill -STOP "$TRACER"
    "$PROGRAMS/opens" 20000 "$BATS_FILE_TMPDIR/one.pem"
    kill -CONT "$TRACER"
    until_true grep -q one.pem events
    "$PROGRAMS/opens" 100 "$BATS_FILE_TMPDIR/one.pem"
    trace_stop events
    written=$(source_of file_open .written)
    [ "$(grep -c '"event_type":"file_open"' events)" -eq "$written" ]
    [ "$(source_of file_open .lost.ring_full)" -gt 10000 ]
    [ "$((written + $(source_of file_open .lost.ring_full)))" -ge 20100 ]
}

@test "coverage names the hooks, and what such a kernel does not tell" {
    trace_run events out -- /bin/true
    grep -q 'WARN: CRYPTO_TRACER_COMPAT=1' events.err
    [ "$(coverage events '[.sources[] | select(.attached) | .name] | sort | join(" ")')" = \
        'file_open lib_load process_exec process_exit process_fork' ]
    [ "$(source_of file_open .hook)" = tp/syscalls/sys_enter_openat ]
    [ "$(source_of tls_handshake '.attached, (.reason | test("too old"))' | paste -sd' ')" = 'false true' ]
    coverage events '.not_seen[].what' | grep -q 'TLS and SSH handshakes'
    coverage events '.not_seen[].what' | grep -q '32-bit'
}

@test "profile of a COMMAND: libraries, files, its status" {
    local status=0
    "$CT" profile --no-redact --output profile.json -- \
        sh -c 'openssl version; cat "$0" /nonexistent.pem; exit 5' "$BATS_FILE_TMPDIR/one.pem" \
        2>err >out </dev/null || status=$?
    [ "$status" -eq 5 ]
    jq -e '.libraries | any(.name | startswith("libcrypto.so"))' profile.json >/dev/null
    jq -e --arg one "$BATS_FILE_TMPDIR/one.pem" '
        (.files_accessed | any(.path == $one and .failures == 0)) and
        (.files_accessed | any(.path == "/nonexistent.pem" and .failures == 1)) and
        (.programs | length == 3) and .process.exit_code == 5' profile.json >/dev/null
}

# pidfd_open(2) is of 5.3, openat2(2) of 5.6; their numbers are the same everywhere.
@test "what later kernels have besides is not needed for a COMMAND, and what is lacking without is said" {
    local status=0

    echo nothing >two.pem
    "$PROGRAMS/refuse" 434 38 "$PROGRAMS/refuse" 437 38 "$CT" monitor --no-redact --output events -- \
        sh -c 'exec 3<"$0"; sleep 1; exit 5' "$PWD/two.pem" 2>err >out </dev/null 3>&- || status=$?
    [ "$status" -eq 5 ]
    [ "$(events events | jq -r 'select(.event_type == "file_open") | .file')" = "$PWD/two.pem" ]
    [ "$(coverage events '.not_seen[] | select(.what == "content of opened files").count')" = 1 ]
}

@test "snapshot and libs read /proc" {
    LD_PRELOAD=libssl.so.3 "$PROGRAMS/hold" >ready 3>&- &
    KILL=$!
    until_true grep -q ready ready
    "$CT" snapshot --output snapshot.json 2>err
    jq -e --argjson pid "$KILL" 'any(.processes[]; .pid == $pid) and .coverage.method == "proc" and
        (.coverage.reason | length > 0)' snapshot.json >/dev/null
    "$CT" libs --output libs.json 2>>err
    jq -e --argjson pid "$KILL" 'any(.libraries[]; .family == "openssl" and any(.processes[]; .pid == $pid)) and
        .coverage.method == "proc"' libs.json >/dev/null
}
