#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# file_open: every open of a file of the catalogue by any call, with its outcome and its real name.

load ../../support/trace

setup_file()
{
    trace_ready || return 0
    cd "$BATS_FILE_TMPDIR" || return
    # A copy, so that other users may execute it wherever the tree is.
    cp "$BUILD/tests/sources/file_open/file_open_trigger" .
    mkdir -p files/root/sub
    : >files/root/sub/in.pem
    trace_run events expected --event file_open -- \
        ./file_open_trigger "$BATS_FILE_TMPDIR/files"
    trace_run names.events names.expected --event file_open -- \
        "$BUILD/tests/sources/file_open/names_trigger" "$BATS_FILE_TMPDIR/names"
}

setup()
{
    trace_need
    cd "$BATS_FILE_TMPDIR" || return
}

teardown()
{
    trace_clean
}

@test "open, openat, openat2, creat and fopen are reported with flags and identity" {
    each calls fopen
    [ "$(jq -r 'select(.case == "calls") | .inode // empty' expected | sort -u | wc -l)" -ge 3 ]
}

@test "every outcome is reported by its name" {
    local name
    each errors
    for name in ENOENT EACCES ELOOP ENAMETOOLONG EISDIR ENOTDIR EMFILE EEXIST ENXIO EINVAL ETXTBSY \
        ERESTARTSYS EBADF EXDEV EPERM; do
        grep -q "\"result\":\"$name\"" events || { echo "no $name" >&2; return 1; }
    done
}

@test "a name that cannot be read is counted as not seen" {
    each 'no name'
    coverage events '.not_seen[] | select(.what == "names of opened files") | .count' | grep -qx '[1-9][0-9]*'
}

@test "relative names: working directory, dirfd, O_PATH, symbolic links, dots" {
    each directories
}

@test "relative names from 3, 12 and 40 levels down" {
    each deep
    [ "$(jq -r 'select(.case == "deep" and .file) | .file' expected | tail -n 1 | tr -cd / | wc -c)" -gt 40 ]
}

@test "from a directory deeper than can be followed the end is reported, and marked" {
    jq -es --slurpfile expected expected '
        ($expected[] | select(.case == "too deep" and .file)) as $case |
        [.[] | select(.pid == $case.pid)] | length == 1 and .[0].truncated and
        (.[0].file | length > 200) and (.[0].file as $file | $case.file | endswith($file)) and
        .[0].result == $case.result' events >/dev/null
}

@test "relative names from a deleted and a renamed directory" {
    each deleted renamed
}

@test "chroot, mount namespaces and bind mounts: names are those that the process sees" {
    each chroot 'outside chroot' mounts
}

@test "names of 4,095 bytes are reported whole" {
    each long
    [ "$(jq -r 'select(.case == "long" and .file) | .file | length' expected | sort -n | sed -n '2,3p' |
        awk '$1 >= 4095' | wc -l)" -eq 2 ]
}

@test "upper case, UTF-8, invalid UTF-8 and control characters" {
    each 'any name'
    iconv -f UTF-8 -t UTF-8 events >/dev/null
}

@test "8 threads at once: every open once, in the order of its thread, with the thread's name" {
    each threads
    [ "$(grep -c '"thread":"opener' events)" -eq 400 ]
}

@test "uid is the real user" {
    each 'another user'
}

@test "nothing else is reported" {
    jq -c 'select(.case != "too deep")' expected >"$BATS_TEST_TMPDIR/rest"
    grep -v '/d99/deep.pem' events >"$BATS_TEST_TMPDIR/events"
    expect "$BATS_TEST_TMPDIR/rest" "$BATS_TEST_TMPDIR/events"
}

# run_at HOOK DIR: what the trigger does in DIR, seen at HOOK and nowhere else. Status 5: the kernel
# has no such hook. DIR is not long: a case makes the longest names there are.
run_at()
{
    local dir=$2 status=0
    mkdir -p "$dir/root/sub"
    : >"$dir/root/sub/in.pem"
    TRACE_HOOK=file_open=$1 trace_run "$dir.all" "$dir.expected" --event file_open -- \
        ./file_open_trigger "$dir" 2>"$dir.err" || status=$?
    [ "$status" -eq 0 ] || return "$status"
    [ "$(coverage "$dir.all" '.sources[] | select(.name == "file_open") | .hook')" = "$1" ] || return 1
    jq -c 'select(.case != "too deep")' "$dir.expected" >"$dir.rest"
    grep -v '/d99/deep.pem' "$dir.all" >"$dir.events"
    expect "$dir.rest" "$dir.events"
}

@test "every hook that this kernel takes reports the same" {
    local hook status taken=()
    for hook in $(hooks_of file_open); do
        status=0
        run_at "$hook" "$BATS_FILE_TMPDIR/hook${#taken[@]}" || status=$?
        [ "$status" -ne 0 ] || taken+=("$hook")
        [ "$status" -eq 0 ] || [ "$status" -eq 5 ] || { echo "at $hook" >&2; return 1; }
    done
    [ "${#taken[@]}" -ge 2 ]
    [[ " ${taken[*]} " == *" tp/syscalls/sys_exit_openat "* ]]
}

@test "each name of the catalogue has its type and kind, what only looks alike is not reported" {
    expect names.expected names.events
}

@test "those names are of every kind that the catalogue has" {
    local have want
    want=$(sed -nE 's/^FILE_(EXT|NAME|FINER_[A-Z]+)\(.*,[[:space:]]*([a-z0-9_]+)\)$/\2/p' \
        "$TREE/src/catalogue/files.def" | sort -u)
    have=$(jq -r 'select(.file_kind) | .file_kind' names.expected | sort -u)
    [ "$(wc -l <<<"$want")" -gt 40 ]
    # The two kinds of hashed names are a rule, not rows.
    diff <(sort -u <<<"$want"$'\n'hashed_certificate$'\n'hashed_crl) <(echo "$have") >&2
}

# opens_of_strace FILE: process, flags and result of each open of a .pem that strace saw.
opens_of_strace()
{
    sed -nE '/\.[pP][eE][mM]"/{
        s/^([0-9]+) +creat\(.*\) += (.*)$/\1 O_WRONLY|O_CREAT|O_TRUNC \2/
        s/^([0-9]+) +openat2\(.*\{flags=([^,}]*).*\) += (.*)$/\1 \2 \3/
        s/^([0-9]+) +open(at)?\((.*, )?".*", ([^ ,)]*)(, [0-7]+)?\) += (.*)$/\1 \4 \6/
        s/ (-1|\?) (E[A-Z0-9]+) .*/ \2/
        s/ [0-9]+$/ success/
        p
    }' "$1" | sort -s -k 1,1n
}

@test "strace sees the same: 680 combinations of flags" {
    needs strace
    local dir=$BATS_TEST_TMPDIR
    trace_run "$dir/events" "$dir/out" --event file_open -- \
        strace -f -s 5000 -o "$dir/strace" -e trace=open,openat,openat2,creat \
        ./file_open_trigger "$dir" flags
    opens_of_strace "$dir/strace" >"$dir/truth"
    events "$dir/events" | jq -rs 'sort_by(.pid)[] | "\(.pid) \(.flags) \(.result)"' >"$dir/seen"
    [ "$(wc -l <"$dir/truth")" -gt 680 ]
    same "$dir/truth" "$dir/seen"
}

@test "strace sees the same: all calls and outcomes" {
    needs strace
    local dir=$BATS_TEST_TMPDIR
    mkdir "$dir/files"
    cp file_open_trigger "$dir"
    trace_run "$dir/events" "$dir/out" --event file_open -- \
        strace -f -s 5000 -o "$dir/strace" -e trace=open,openat,openat2,creat \
        "$dir/file_open_trigger" "$dir/files" calls fopen errors directories deep
    opens_of_strace "$dir/strace" >"$dir/truth"
    events "$dir/events" | jq -rs 'sort_by(.pid)[] | "\(.pid) \(.flags) \(.result)"' >"$dir/seen"
    [ "$(wc -l <"$dir/truth")" -gt 40 ]
    same "$dir/truth" "$dir/seen"
}

@test "--resolve tells where a symbolic link led" {
    local dir=$BATS_FILE_TMPDIR/files
    mkdir -p "$dir/links/far"
    ln -sf ../plain.pem "$dir/links/relative.pem"
    ln -sf relative.pem "$dir/links/far/../twice.pem"
    trace_run "$BATS_TEST_TMPDIR/events" "$BATS_TEST_TMPDIR/out" --event file_open --resolve -- \
        cat "$dir/links/relative.pem" "$dir/links/twice.pem" "$dir/plain.pem"
    diff <(events "$BATS_TEST_TMPDIR/events" '"\(.file) \(.real_path)"' | tr -d '"') - <<EOT
$dir/links/relative.pem $dir/plain.pem
$dir/links/twice.pem $dir/plain.pem
$dir/plain.pem $dir/plain.pem
EOT
    [ "$(jq -r 'select(.inode) | .inode' "$BATS_TEST_TMPDIR/events" | sort -u)" = \
        "$(stat -c %i "$dir/plain.pem")" ]
}

@test "a process that was running before the tool is followed by its pid" {
    ./file_open_trigger "$BATS_FILE_TMPDIR/files" wait >"$BATS_TEST_TMPDIR/expected" 3>&- &
    KILL=$!
    until_true test -s "$BATS_TEST_TMPDIR/expected"
    trace_start "$BATS_TEST_TMPDIR/events" --event file_open --pid "$KILL"
    kill -USR1 "$KILL"
    wait "$KILL"
    trace_stop "$BATS_TEST_TMPDIR/events"
    expect "$BATS_TEST_TMPDIR/expected" "$BATS_TEST_TMPDIR/events"
}

# run_uring HOOK: what the trigger opens through io_uring, seen beside HOOK. Status 77: not here.
run_uring()
{
    local dir=$BATS_TEST_TMPDIR/${1%%/*} status=0
    mkdir "$dir"
    TRACE_HOOK=file_open=$1 trace_run "$dir/events" "$dir/expected" --event file_open -- \
        "$BUILD/tests/sources/file_open/uring_trigger" "$dir" || status=$?
    [ "$status" -eq 0 ] || return "$status"
    expect "$dir/expected" "$dir/events" || return 1
    # The one that the program did not want to hear of.
    coverage "$dir/events" '.not_seen[] | select(.what == "io_uring opens") | .count' | grep -qx 1
}

@test "opens through io_uring: batches, workers, pollers, tables; beside every hook" {
    local hook status
    for hook in $(hooks_of file_open); do
        status=0
        run_uring "$hook" || status=$?
        [ "$status" -ne 77 ] || skip "this kernel allows no io_uring"
        [ "$status" -eq 0 ] || [ "$status" -eq 5 ] || { echo "beside $hook" >&2; return 1; }
    done
}

@test "a name that io_uring opens is resolved, and other processes' are not told" {
    local dir=$BATS_TEST_TMPDIR
    "$BUILD/tests/sources/file_open/uring_trigger" "$dir" calls >/dev/null ||
        skip "this kernel allows no io_uring"
    mkdir "$dir/links"
    for name in uring none; do ln -s "../$name.pem" "$dir/links/$name.pem"; done
    trace_run "$dir/events" "$dir/out" --event file_open --resolve -- \
        "$BUILD/tests/sources/file_open/uring_trigger" "$dir/links" relative poller
    [ "$(events "$dir/events" .real_path | sort -u)" = "$(printf '%s\n' "\"$dir/uring.pem\"" null)" ]
    trace_run "$dir/others" "$dir/out" --event file_open --uid 65534 -- \
        "$BUILD/tests/sources/file_open/uring_trigger" "$dir/links" poller
    [ -z "$(events "$dir/others")" ]
}

@test "a 32-bit program: seen once its hook is attached, and coverage says what was not" {
    local dir=$BATS_TEST_TMPDIR
    gcc -m32 -static -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O1 -o "$dir/file_open_trigger" \
        "$TREE/tests/sources/file_open/file_open_trigger.c" -lpthread 2>"$dir/gcc" ||
        skip "no 32-bit compiler"
    "$dir/file_open_trigger" 2>/dev/null || [ $? -eq 2 ] || skip "this kernel runs no 32-bit program"
    mkdir -p "$dir/files/root/sub"
    : >"$dir/files/root/sub/in.pem"
    trace_start "$dir/events" --event file_open --name file_open_tr
    "$dir/file_open_trigger" "$dir/files" probe calls errors directories deep deleted renamed \
        chroot 'outside chroot' mounts long 'any name' threads 'another user' \
        >"$dir/expected" 2>"$dir/trigger.err" 3>&- &
    KILL=$!
    until_true grep -q probe.pem "$dir/events"
    : >"$dir/files/go"
    wait "$KILL" || { cat "$dir/trigger.err" >&2; false; }
    trace_stop "$dir/events"
    coverage "$dir/events" '.not_seen[] | select(.what | startswith("32-bit opens")) | .count' |
        grep -qx '[1-9][0-9]*'
    grep -v '/probe.pem"' "$dir/events" >"$dir/after"
    expect "$dir/expected" "$dir/after"
}
