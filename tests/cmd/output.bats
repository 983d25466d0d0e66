#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# `--output` and standard output: files, descriptors, pipes, and what happens when they fail.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for helpers.bash

load helpers

teardown()
{
    [ -z "${MOUNTED:-}" ] || umount -l "$MOUNTED"
    common_teardown
}

mode_of()
{
    stat -c %a "$1"
}

@test "a new file is private, whatever the umask" {
    umask 000
    tracer monitor --output "$T/new" -- true
    must_be 0
    [ "$(mode_of "$T/new")" = 600 ]
    [ ! -s "$OUT" ]
    must_count 1 '.event_type == "process_exec"'
    umask 077
    tracer monitor --output "$T/newer" -- true
    [ "$(mode_of "$T/newer")" = 600 ]
}

@test "an existing file is emptied and keeps mode, owner and inode" {
    local inode

    head -c 100000 /dev/zero | tr '\0' x >"$T/file"
    chmod 664 "$T/file"
    chown nobody "$T/file"
    inode=$(stat -c %i "$T/file")
    tracer monitor --output "$T/file" -- true
    must_be 0
    [ "$(stat -c '%a %U %i' "$T/file")" = "664 nobody $inode" ]
    refute grep -q xx "$T/file"
    [ "$(wc -l <"$T/file")" -eq 4 ]
}

@test "a symbolic link in a directory that others may write is refused" {
    mkdir -m 1777 "$T/sticky"
    echo precious >"$T/target"
    ln -s "$T/target" "$T/sticky/link"
    tracer monitor --output "$T/sticky/link" -- touch "$T/ran"
    must_be 1
    must_be_error
    head -n 1 "$ERR" | grep -qF "Cannot write to '$T/sticky/link'"
    [ "$(cat "$T/target")" = precious ]
    [ ! -e "$T/ran" ]
    # Also one that leads nowhere: nothing is made at its end.
    ln -s "$T/made" "$T/sticky/dangling"
    tracer monitor --output "$T/sticky/dangling" -- true
    must_be 1
    [ ! -e "$T/made" ]
}

@test "a symbolic link in a directory of another user is refused, on the way, too" {
    mkdir "$T/theirs" "$T/folder"
    echo precious >"$T/target"
    ln -s "$T/target" "$T/theirs/link"
    ln -s "$T/folder" "$T/theirs/way"
    chown nobody "$T/theirs"
    tracer monitor --output "$T/theirs/link" -- true
    must_be 1
    grep -q 'not followed' "$ERR"
    [ "$(cat "$T/target")" = precious ]
    tracer monitor --output "$T/theirs/way/file" -- true
    must_be 1
    "$TOOL" syscalls record --engine ptrace --output "$T/theirs/way/file" -- true 2>"$ERR" && false
    grep -q 'not followed' "$ERR"
    [ -z "$(ls -A "$T/folder")" ]
}

@test "a symbolic link in a directory of one's own is followed" {
    ln -s "$T/target" "$T/link"
    : >"$T/target"
    tracer monitor --output "$T/link" -- true
    must_be 0
    [ -L "$T/link" ]
    [ "$(wc -l <"$T/target")" -eq 4 ]
}

@test "a relative path is below the working directory" {
    cd "$T"
    tracer monitor --output relative -- true
    must_be 0
    [ "$(wc -l <"$T/relative")" -eq 4 ]
}

@test "-, /dev/stdout and /dev/fd/1 are standard output" {
    local name

    for name in - /dev/stdout /dev/fd/1 /proc/self/fd/1; do
        tracer monitor --output "$name" -- true
        must_be 0
        [ "$(wc -l <"$OUT")" -eq 4 ]
    done
}

@test "/dev/stderr and other descriptors are written to" {
    "$TOOL" monitor --quiet --output /dev/stderr -- true >"$OUT" 2>"$T/events" </dev/null 3>&-
    [ ! -s "$OUT" ]
    STREAM=$T/events
    check_stream
    "$TOOL" monitor --quiet --output /dev/fd/7 -- true >"$OUT" 2>"$ERR" 7>"$T/seven" </dev/null 3>&-
    [ ! -s "$OUT" ]
    STREAM=$T/seven
    check_stream
}

@test "a descriptor that is appended to keeps what it had" {
    echo '# before' >"$T/file"
    "$TOOL" monitor --quiet --output /dev/stdout -- true >>"$T/file" 2>"$ERR" </dev/null 3>&-
    [ "$(head -n 1 "$T/file")" = "# before" ]
    [ "$(wc -l <"$T/file")" -eq 5 ]
}

@test "a FIFO is written to" {
    mkfifo "$T/fifo"
    cat "$T/fifo" >"$T/read" 3>&- &
    tracer monitor --output "$T/fifo" -- true
    must_be 0
    wait "$!"
    STREAM=$T/read
    check_stream
}

@test "a FIFO that nobody reads does not keep it from ending" {
    mkfifo "$T/fifo"
    "$TOOL" monitor --output "$T/fifo" >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    # It sleeps in openat(2), which is 257 on x86-64 and 56 on arm64.
    wait_for 10 grep -qE '^(257|56) ' "/proc/$TRACER/syscall"
    wait_for 10 grep -q '^State:[[:space:]]*S' "/proc/$TRACER/status"
    kill -s TERM "$TRACER"
    wait_for 5 has_ended "$TRACER"
    status=0
    wait "$TRACER" || status=$?
    TRACER=
    must_be 143
}

@test "what cannot be opened is an error at once: nothing is loaded, COMMAND does not run" {
    local path

    needs strace
    leaks_unseen
    mkdir "$T/dir"
    for path in "$T/none/file" "$T/dir" "$T/dir/" /dev/fd/99 /proc/none; do
        status=0
        timeout 60 strace -f -qq -e trace=bpf -o "$T/trace" \
            "$TOOL" monitor --output "$path" -- touch "$T/ran" >"$OUT" 2>"$ERR" </dev/null 3>&- ||
            status=$?
        must_be 1
        must_be_error
        head -n 1 "$ERR" | grep -qF "'$path'"
        [ ! -s "$OUT" ]
        [ ! -e "$T/ran" ]
        refute grep -q BPF_PROG_LOAD "$T/trace"
    done
    # The trace does show what is loaded otherwise.
    timeout 60 strace -f -qq -e trace=bpf -o "$T/trace" \
        "$TOOL" monitor --output "$T/file" -- true >"$OUT" 2>"$ERR" </dev/null 3>&-
    grep -q BPF_PROG_LOAD "$T/trace"
}

# full_disk FORMAT: a run whose output has no room for what happens. Its two parts are $T/full/out
# and $OUT.
full_disk()
{
    mkdir "$T/full"
    mount -t tmpfs -o size=64k crypto-tracer-test "$T/full"
    MOUNTED=$T/full
    puppet_start p
    "$TOOL" monitor --format "$1" --output "$T/full/out" --pid "${PUPPET[p]}" \
        >"$OUT" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    wait_for 20 grep -q 'monitoring started' "$ERR"
    puppet p series 2000 /full
    # Said when it happens, not at the end.
    wait_for 10 grep -q '^Error: Cannot write to' "$ERR"
    refute has_ended "$TRACER"
    puppet p open /after.pem
    STREAM=$T/none
    tracer_stop
    # What a signal asked for is not an error, but a full disk is.
    must_be 1
    grep -qF "Cannot write to '$T/full/out'" "$ERR"
    grep -qi 'no space left' "$ERR"
    grep -q 'goes to standard output' "$ERR"
    [ "$(grep -c '^Error' "$ERR")" -eq 1 ]
    [ -s "$T/full/out" ]
    [ -s "$OUT" ]
}

# opened FILE...: the names in these JSON outputs, in their order.
opened()
{
    cat "$@" | jq -r -s 'flatten | .[] | .file // empty'
}

all_opened()
{
    seq -f '/full/%g.pem' 2000
    echo /after.pem
}

@test "a full disk: file and standard output together hold every event once" {
    full_disk json-stream
    opened "$T/full/out" "$OUT" | cmp - <(all_opened)
    # Neither part is torn.
    jq -e . "$T/full/out" >/dev/null
    jq -e . "$OUT" >/dev/null
    [ -z "$(tail -c 1 "$T/full/out")" ]
    # Together they are a stream that adds up.
    cat "$T/full/out" "$OUT" >"$T/both"
    STREAM=$T/both
    check_stream
}

@test "a full disk leaves two valid arrays" {
    full_disk json-array
    [ "$(jq -r type "$T/full/out")" = array ]
    [ "$(jq -r type "$OUT")" = array ]
    opened "$T/full/out" "$OUT" | cmp - <(all_opened)
    [ "$(jq -r '.[0].event_type' "$T/full/out")" = start ]
    [ "$(jq -r '.[-1].event_type' "$OUT")" = coverage ]
}

@test "a full disk tears no indented object" {
    full_disk json-pretty
    opened "$T/full/out" "$OUT" | cmp - <(all_opened)
    jq -e . "$T/full/out" >/dev/null
    jq -e . "$OUT" >/dev/null
}

@test "a full disk tears no line of text" {
    full_disk text
    cat "$T/full/out" "$OUT" | sed -n 's/.*\] file_open \([^ ]*\) .*/\1/p' | cmp - <(all_opened)
}

@test "a device without room: everything goes to standard output" {
    tracer monitor --output /dev/full -- true
    must_be 1
    must_be_error
    [ "$(wc -l <"$OUT")" -eq 4 ]
}

@test "a full standard output is an error and is said once" {
    status=0
    "$TOOL" monitor -- true >/dev/full 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 1
    must_be_error
    [ "$(grep -c '^Error' "$ERR")" -eq 1 ]
    refute grep -q 'goes to standard output' "$ERR"
    status=0
    "$TOOL" monitor --output /dev/full -- true >/dev/full 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 1
    [ "$(grep -c '^Error' "$ERR")" -eq 2 ]
}

@test "a closed standard output is an error" {
    status=0
    "$TOOL" monitor -- true >&- 2>"$ERR" </dev/null 3>&- || status=$?
    must_be 1
    must_be_error
}

@test "closed descriptors do not end up as the output file" {
    "$TOOL" monitor --output "$T/file" -- true <&- >&- 2>&- 3>&-
    [ "$(wc -l <"$T/file")" -eq 4 ]
    STREAM=$T/file
    check_stream
    "$TOOL" monitor --verbose --output "$T/file2" -- sh -c 'echo out; echo err >&2; true' \
        </dev/null >&- 2>&- 3>&- || :
    [ "$(jq -r .event_type "$T/file2" | head -n 1)" = start ]
    refute grep -q 'DEBUG\|^out\|^err' "$T/file2"
}

@test "a reader that has enough: 141, silently" {
    puppet_start p
    mkfifo "$T/fifo"
    head -n 1 "$T/fifo" >"$T/first" 3>&- &
    "$TOOL" monitor --pid "${PUPPET[p]}" >"$T/fifo" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    STREAM=$T/none
    wait_for 20 test -s "$T/first"
    [ "$(jq -r .event_type "$T/first")" = start ]
    while ! has_ended "$TRACER"; do
        puppet p open /more.pem
        [ "$SECONDS" -lt 90 ]
    done
    tracer_wait
    must_be 141
    refute grep -v ' INFO: ' <(messages)
}

# Its reader is gone before it starts.
run_into_closed_pipe()
{
    local both pipe

    mkfifo "$T/closed"
    # shellcheck disable=SC2094 # a FIFO
    exec {both}<>"$T/closed" {pipe}>"$T/closed" {both}>&-
    rm "$T/closed"
    status=0
    "$TOOL" monitor --quiet "$@" >&"$pipe" 2>"$ERR" </dev/null 3>&- || status=$?
    exec {pipe}>&-
}

must_be_silent()
{
    [ -z "$(messages)" ] || { messages; return 1; }
}

@test "a pipe that is closed from the beginning: 141, silently" {
    local format

    for format in json-stream json-array text; do
        run_into_closed_pipe --format "$format" -- true
        must_be 141
        must_be_silent
    done
}

@test "a pipe that is closed once COMMAND has ended: the status is COMMAND's" {
    local statuses

    set +o pipefail
    "$TOOL" monitor --quiet -- sh -c 'exit 7' 2>"$ERR" </dev/null 3>&- | grep -qm1 process_exit
    statuses=("${PIPESTATUS[@]}")
    [ "${statuses[*]}" = "7 0" ]
    must_be_silent
}

@test "a pipe that is closed before COMMAND has ended: 141, and COMMAND goes on" {
    # It ends in any case: a test that fails leaves nothing behind.
    run_into_closed_pipe -- sh -c "i=0; until [ -e '$T/go' ] || [ \$((i += 1)) -gt 900 ]; do sleep 0.1; done
        echo done >'$T/after'"
    must_be 141
    must_be_silent
    [ ! -e "$T/after" ]
    : >"$T/go"
    wait_for 20 test -e "$T/after"
}

# blocked FORMAT: a reader that does not read; SIGTERM still ends the tool, and not by its watchdog.
blocked()
{
    local reader

    mkfifo "$T/fifo.$1"
    exec {reader}<>"$T/fifo.$1"
    puppet_start "$1"
    "$TOOL" monitor --format "$1" --pid "${PUPPET[$1]}" >"$T/fifo.$1" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    STREAM=$T/none
    wait_for 20 grep -q 'monitoring started' "$ERR"
    # Ten times what a pipe holds.
    puppet "$1" series 3000 /blocked
    tracer_stop
    must_be 143
    grep -q 'monitoring stopped' "$ERR"
    refute grep -q 'cut short' "$ERR"
    exec {reader}<&-
}

@test "a reader that does not read holds up no end" {
    blocked json-stream
    blocked json-array
    blocked text
}

@test "a slow reader gets everything" {
    puppet_start p
    mkfifo "$T/fifo"
    # One event at a time, through a pipe as small as a page.
    while IFS= read -r line; do printf '%s\n' "$line"; done <"$T/fifo" >"$T/read" 3>&- &
    "$TOOL" monitor --pid "${PUPPET[p]}" >"$T/fifo" 2>"$ERR" </dev/null 3>&- &
    TRACER=$!
    STREAM=$T/read
    wait_for 20 has_begun
    puppet p series 2000 /slow
    wait_for 20 grep -q /slow/2000.pem "$T/read"
    kill -s TERM "$TRACER"
    wait_for 10 grep -q '"final":true' "$T/read"
    tracer_wait
    must_be 143
    must_count 2000 '.event_type == "file_open"'
}

@test "a big output is complete: file and pipe" {
    printf '%s\n' 'series 20000 /big' 'exit 0' >"$T/script"
    "$TOOL" monitor --buffer-size 16M --output "$T/file" -- "$PROGRAMS/puppet" \
        <"$T/script" >"$OUT" 2>"$ERR" 3>&-
    STREAM=$T/file
    check_stream
    must_count 20000 '.event_type == "file_open"'
    events '.event_type == "file_open"' | jq -r .file | cmp - <(seq -f '/big/%.0f.pem' 20000)
    "$TOOL" monitor --buffer-size 16M --format json-array -- "$PROGRAMS/puppet" \
        <"$T/script" 2>"$ERR" 3>&- | cat >"$T/array"
    jq -r '.[] | .file // empty' "$T/array" | cmp - <(seq -f '/big/%.0f.pem' 20000)
}
