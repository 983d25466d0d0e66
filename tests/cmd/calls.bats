#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Calls of crypto functions as the tool tells them: in whatever file a copy of the library is, by
# whom, how often, what is taken off, and what is left behind. The library is a made one, so that the
# truth is known; what real programs call is in tests/real.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and setup() sets the variables in it

load helpers

setup_file()
{
    check_environment
    file_needs cc || return 0
    cc -O2 -shared -fPIC -w -Wl,-Bsymbolic -o "$BATS_FILE_TMPDIR/libssl.so.3" \
        "$BATS_TEST_DIRNAME/calls/made.c"
    cc -O1 -o "$BATS_FILE_TMPDIR/caller" "$BATS_TEST_DIRNAME/calls/caller.c" -ldl
    cc -O1 -shared -fPIC -o "$BATS_FILE_TMPDIR/older.so" "$BATS_TEST_DIRNAME/calls/older.c" -ldl
    chmod 755 "$BATS_FILE_TMPDIR"/*
}

setup()
{
    common_setup
    LIBRARY=$BATS_FILE_TMPDIR/libssl.so.3
    CALLER=$BATS_FILE_TMPDIR/caller
    HOLDER=
    MOUNTS=()
}

teardown()
{
    local mount

    if [ -n "$HOLDER" ] && kill -KILL "$HOLDER" 2>/dev/null; then wait "$HOLDER" 2>/dev/null || :; fi
    common_teardown
    for mount in "${MOUNTS[@]}"; do umount -l "$mount"; done
}

# hold PREFIX... -- ACTION...: a caller that does ACTION, which waits in the end; PREFIX runs it.
hold()
{
    local prefix=()

    while [ "$1" != -- ]; do
        prefix+=("$1")
        shift
    done
    shift
    mkfifo "$T/holder.in"
    "${prefix[@]}" "$CALLER" "$@" <"$T/holder.in" >"$T/holder.out" 2>"$T/holder.err" 3>&- &
    HOLDER=$!
    exec {HOLDER_IN}>"$T/holder.in"
    wait_for 20 grep -q ready "$T/holder.out" || { cat "$T/holder.err"; return 1; }
}

# Lets it go on, to its end.
let_go()
{
    echo >&"$HOLDER_IN"
    wait "$HOLDER"
    HOLDER=
}

# watch ARG...: starts the tool for callers; what they call is told from their first call on.
watch()
{
    hold -- "load:$LIBRARY" wait
    tracer_start monitor --name caller "$@"
}

# Whether the coverage of the stream has FILTER.
coverage_has()
{
    jq -e -s ".[-1] | $1" "$STREAM" >/dev/null || {
        tail -n 1 "$STREAM" | jq -c '.not_seen, .late_attach, .detached'
        echo "coverage without: $1"
        return 1
    }
}

CALLS='.event_type == "api_call"'

# calls_of PID FIELD: that of its calls, in their order, in a line.
calls_of()
{
    jq -r "select($CALLS and .pid == $1) | $2" "$STREAM" | paste -sd ' '
}

# counts_of PID FUNCTION: how many calls of it were counted.
counts_of()
{
    jq -s "map(select($CALLS and .pid == $1 and .function_name == \"$2\") | .count) | add // 0" \
        "$STREAM"
}

@test "calls are told with their settings and results, of every process and its children" {
    watch
    "$CALLER" "load:$LIBRARY" list:HIGH verify:-7 fork:end list:LOW verify:1 end file:/a/b.pem \
        >"$T/out.caller" &
    pid=$!
    wait "$pid"
    tracer_stop INT
    [ "$(calls_of "$pid" .function_name)" = \
        'SSL_CTX_set_cipher_list X509_verify_cert SSL_CTX_load_verify_locations' ]
    must_have "$CALLS and .pid == $pid and .arguments == {\"cipher list\": \"HIGH\"}"
    must_have "$CALLS and .pid == $pid and .result == -7 and .library == \"$LIBRARY\""
    must_have "$CALLS and .pid == $pid and .arguments.file == \"/a/b.pem\""
    must_count 1 "$CALLS and .ppid == $pid and .arguments == {\"cipher list\": \"LOW\"}"
    must_count 1 "$CALLS and .ppid == $pid and .result == 1"
    must_count 5 "$CALLS"
    coverage_has '.late_attach == null and .detached == null'
}

@test "--api all: counts are the truth, for each process and function, before its end" {
    local i pids=()

    watch --api all
    for i in 1 2 3 4 5 6; do
        "$CALLER" "load:$LIBRARY" "read:$((i * 1000))" "write:$i" list:A fork:end "read:$i" end \
            >>"$T/out.caller" &
        pids+=($!)
    done
    wait "${pids[@]}"
    tracer_stop INT
    for i in 1 2 3 4 5 6; do
        pid=${pids[i - 1]}
        [ "$(counts_of "$pid" SSL_read)" -eq $((i * 1000)) ]
        [ "$(counts_of "$pid" SSL_write)" -eq "$i" ]
        must_count 1 "$CALLS and .pid == $pid and .arguments and .count == null"
        must_count 1 "$CALLS and .ppid == $pid and .count == $i"
        [ "$(jq -r "select(.pid == $pid) | .event_type" "$STREAM" | tail -n 1)" = process_exit ]
    done
    must_count 0 "$CALLS and .count and (.process != \"caller\" or .arguments or .result)"
    must_count 24 "$CALLS"
}

@test "--api all: what a process has called that goes on is told at the end" {
    hold -- "load:$LIBRARY" wait read:77 write:3 wait
    tracer_start monitor --pid "$HOLDER" --api all
    echo >&"$HOLDER_IN"
    wait_for 20 has_lines "$T/holder.out" 2
    tracer_stop
    [ "$(counts_of "$HOLDER" SSL_read)" -eq 77 ]
    [ "$(counts_of "$HOLDER" SSL_write)" -eq 3 ]
    must_count 2 "$CALLS"
    let_go
}

has_lines()
{
    [ "$(wc -l <"$1")" -ge "$2" ]
}

@test "without --api all nothing is counted, with none nothing is told" {
    watch
    "$CALLER" "load:$LIBRARY" read:5 list:A >"$T/out.caller"
    tracer_stop
    must_count 1 "$CALLS"
    let_go
    rm "$T/holder.in"
    watch --api none
    "$CALLER" "load:$LIBRARY" read:5 list:A >"$T/out.caller"
    tracer_stop
    must_count 0 "$CALLS"
}

@test "--api takes a set, or none at all" {
    local words

    # A word behind it may be another option, or be part of it.
    for words in '--api --quiet' '--api=all' '--api all' '--api=default' '--api none'; do
        # shellcheck disable=SC2086 # a list of words
        tracer monitor $words -- true
        must_be 0
    done
    for words in --api=some --api= --api=ALL --api=all,none '--api some'; do
        # shellcheck disable=SC2086
        tracer monitor $words -- touch "$T/ran"
        must_be 2
        must_be_error
        [ ! -s "$OUT" ]
    done
    [ ! -e "$T/ran" ]
    # Wrong for commands that do not have it.
    tracer libs --api
    must_be 2
}

@test "a function that is called in a hot loop is taken off and named; the others are told" {
    local pid

    watch
    "$CALLER" "load:$LIBRARY" storm:700 sleep:700 file:/behind verify:3 list:untold >"$T/calls" &
    pid=$!
    wait "$pid"
    # Nor is it told of another process.
    "$CALLER" "load:$LIBRARY" list:untold verify:4 >"$T/out.caller"
    tracer_stop
    coverage_has ".detached == [{function_name: \"SSL_CTX_set_cipher_list\", library: \"$LIBRARY\"}]"
    [ "$(events "$CALLS and .arguments[\"cipher list\"] == \"STORM\"" | wc -l)" -lt "$(cat "$T/calls")" ]
    must_have "$CALLS and .arguments[\"cipher list\"] == \"STORM\""
    must_count 0 "$CALLS and .arguments[\"cipher list\"] == \"untold\""
    must_count 1 "$CALLS and .pid == $pid and .arguments.file == \"/behind\""
    must_count 1 "$CALLS and .pid == $pid and .result == 3"
    must_count 1 "$CALLS and .pid != $pid and .result == 4"
}

@test "a function that is only counted is taken off too, and what was counted is told" {
    local pid

    watch --api all
    "$CALLER" "load:$LIBRARY" write:5 sum:2500 >"$T/out.caller" &
    pid=$!
    wait "$pid"
    grep -qx 'sum right' "$T/out.caller"
    tracer_stop
    [ "$(counts_of "$pid" SSL_write)" -eq 5 ]
    [ "$(counts_of "$pid" SSL_read)" -gt 1000 ]
    if coverage_has '.detached == null'; then
        # A machine on which no loop is hot (src/trace/plan.c: LIMIT_CHEAP_COUNTED): all is counted.
        [ "$(sed -n 's/^a second: //p' "$T/out.caller")" -le 500000 ]
        [ "$(counts_of "$pid" SSL_read)" -eq "$(sed -n 's/^calls: //p' "$T/out.caller")" ]
    else
        coverage_has '[.detached[].function_name] == ["SSL_read"]'
    fi
}

@test "a call that is under way when its function's neighbour is taken off has its result" {
    local pid

    # Of real libraries: a handshake that takes its time.
    watch
    "$CALLER" "load:$LIBRARY" storm:500 verify:6 storm:100 verify:7 >"$T/out.caller" &
    pid=$!
    wait "$pid"
    tracer_stop
    [ "$(calls_of "$pid" 'select(.result) | .result')" = '6 7' ]
}

# late_or_told PID TEXT: that call is told.
must_tell()
{
    must_count 1 "$CALLS and .pid == $1 and .arguments[\"cipher list\"] == \"$2\""
}

links_held()
{
    bpf_held "$TRACER" | grep -c ^link
}

has_more_links()
{
    [ "$(links_held)" -gt "$1" ]
}

@test "a copy that comes while it runs has its probes soon, and how late is told" {
    local links began

    mkdir "$T/new"
    # shellcheck disable=SC2016 # for the inner shell
    tracer_start monitor -- sh -c 'until [ -e "$2/go" ]; do sleep 0.05; done
        cp "$1" "$2"/new && exec "$3" load:"$2"/new/libssl.so.3 await:"$2"/attached \
        list:later fork:end list:child end' sh "$LIBRARY" "$T" "$CALLER"
    links=$(links_held)
    began=$(date +%s%N)
    : >"$T/go"
    wait_for 20 has_more_links "$links"
    : >"$T/attached"
    tracer_wait
    must_be 0
    must_count 2 "$CALLS"
    must_have "$CALLS and .arguments[\"cipher list\"] == \"later\" and .library == \"$T/new/libssl.so.3\""
    coverage_has ".late_attach | length == 1 and .[0].library == \"$T/new/libssl.so.3\" and
        .[0].process == \"caller\" and .[0].ms <= $((($(date +%s%N) - began) / 1000000))"
    # Another process has it in time.
    must_have "$CALLS and .arguments[\"cipher list\"] == \"child\""
}

# callers_of N LIBRARY: that many processes called its SHA-256.
callers_of()
{
    [ "$(grep -F "\"$2\"" "$STREAM" | grep '"algorithm":"SHA-256"' |
        grep -oE '"pid":[0-9]+' | sort -u | wc -l)" -ge "$1" ]
}

@test "a copy of a real library in the program's own directory" {
    local library

    needs openssl
    library=$(ldd "$(command -v openssl)" | awk '$1 ~ /^libcrypto/ { print $3 }')
    [ -n "$library" ] || skip "openssl has no libcrypto"
    mkdir "$T/own"
    cp "$library" "$T/own/"
    # shellcheck disable=SC2016
    tracer_start monitor -- sh -c 'until [ -e "$2" ]; do
        LD_LIBRARY_PATH=$1 openssl dgst -sha256 /dev/null; sleep 0.2; done' sh "$T/own" "$T/enough"
    # Not the first ones, it may be, but those after that.
    wait_for 20 callers_of 3 "$T/own/${library##*/}"
    : >"$T/enough"
    tracer_wait
    must_be 0
    coverage_has ".late_attach | any(.library == \"$T/own/${library##*/}\")"
}

@test "links to one file, and mounts of it, are one copy: a call is told once" {
    mkdir "$T/a" "$T/b"
    cp "$LIBRARY" "$T/a/libssl.so.3"
    ln "$T/a/libssl.so.3" "$T/a/libcrypto.so.3"
    mount --bind "$T/a" "$T/b"
    MOUNTS+=("$T/b")
    hold -- "load:$T/a/libssl.so.3" "load:$T/b/libcrypto.so.3" wait list:A \
        "load:$T/a/libcrypto.so.3" list:B "load:$T/b/libssl.so.3" list:C
    tracer_start monitor --pid "$HOLDER"
    let_go
    tracer_stop
    must_count 3 "$CALLS"
    coverage_has '.late_attach == null'
}

@test "the same file in two containers of one image is one copy" {
    local i

    grep -qw overlay /proc/filesystems || skip "no overlay file system"
    mkdir "$T/image"
    cp "$LIBRARY" "$T/image/libssl.so.3"
    for i in 1 2; do
        mkdir "$T/root$i" "$T/upper$i" "$T/work$i"
        mount -t overlay -o "lowerdir=$T/image,upperdir=$T/upper$i,workdir=$T/work$i" overlay \
            "$T/root$i" || skip "overlays cannot be mounted here"
        MOUNTS+=("$T/root$i")
    done
    hold -- "load:$T/root1/libssl.so.3" "load:$T/root2/libssl.so.3" wait list:A \
        "load:$T/root1/libssl.so.3" list:B
    tracer_start monitor --pid "$HOLDER"
    let_go
    tracer_stop
    must_count 2 "$CALLS"
}

@test "a library in another mount namespace, and one that is deleted" {
    mkdir "$T/private"
    # shellcheck disable=SC2016
    hold unshare -m bash -c 'mount -t tmpfs made "$1" && cp "$2" "$1"/libssl.so.3 &&
        cp "$2" "$1"/libcrypto.so.3 && shift 2 && exec "$@"' bash "$T/private" "$LIBRARY" \
        -- "load:$T/private/libssl.so.3" "load:$T/private/libcrypto.so.3" wait list:A \
        "load:$T/private/libssl.so.3" list:B
    [ ! -e "$T/private/libssl.so.3" ]
    nsenter -t "$HOLDER" -m rm "$T/private/libcrypto.so.3"
    tracer_start monitor --pid "$HOLDER"
    let_go
    tracer_stop
    must_tell "$(jq -r "select($CALLS) | .pid" "$STREAM" | head -n 1)" A
    must_have "$CALLS and .arguments[\"cipher list\"] == \"B\" and .library == \"$T/private/libssl.so.3\""
    must_count 2 "$CALLS"
}

@test "a library that is deleted as soon as it is mapped" {
    mkdir "$T/new"
    # shellcheck disable=SC2016
    tracer monitor -- sh -c 'cp "$1" "$2"/new
        "$3" load:"$2"/new/libssl.so.3 tell:mapped sleep:2000 list:later >"$2"/told &
        until grep -q mapped "$2"/told; do :; done 2>/dev/null
        rm "$2"/new/libssl.so.3; wait' sh "$LIBRARY" "$T" "$CALLER"
    # Told, or said to be missed.
    [ "$(events "$CALLS and .arguments[\"cipher list\"] == \"later\"" | wc -l)" -eq 1 ] ||
        coverage_has '(.not_seen | any(.what == "calls in a library" and .count == 1)) or
            (.late_attach // [] | any(.ms >= 2000))'
}

@test "a library in another root directory is seen from its first call on" {
    local file root=$T/root

    mkdir -p "$root/usr/lib"
    cp "$CALLER" "$root/caller"
    cp "$LIBRARY" "$root/usr/lib/libssl.so.3"
    ldd "$CALLER" | grep -o '/[^ ]*' | while read -r file; do
        mkdir -p "$root${file%/*}"
        cp "$file" "$root$file"
    done
    CALLER=/caller hold chroot "$root" -- wait load:/usr/lib/libssl.so.3 list:first
    tracer_start monitor --pid "$HOLDER"
    let_go
    tracer_stop
    must_count 1 "$CALLS and .arguments[\"cipher list\"] == \"first\" and
        .library == \"/usr/lib/libssl.so.3\""
    coverage_has '.late_attach == null'
}

@test "a program with OpenSSL inside, started and running" {
    local code="require('crypto').createHash('sha256').update('x').digest()"

    needs node
    nm -D "$(readlink -f "$(command -v node)")" 2>/dev/null | grep -q ' T EVP_CipherInit_ex$' ||
        skip "this node uses libcrypto"
    tracer monitor -- node -e "$code"
    must_be 0
    [ "$(jq -r "select($CALLS) | .algorithm // empty" "$STREAM" | sort | uniq -c | tr -s ' ')" = \
        ' 1 SHA-256' ]
    coverage_has '.late_attach == null'
    mkfifo "$T/node"
    node -e "process.stdin.on('data', () => { $code; process.exit() })" <"$T/node" &
    HOLDER=$!
    exec {HOLDER_IN}>"$T/node"
    wait_for 20 grep -q epoll "/proc/$HOLDER/wchan" "/proc/$HOLDER/stack"
    tracer_start monitor --pid "$HOLDER"
    let_go
    tracer_stop
    [ "$(jq -r "select($CALLS) | .algorithm // empty" "$STREAM")" = SHA-256 ]
}

@test "a program that is watched does not notice the tool's violent end, and nothing is left" {
    local pid

    needs bpftool
    watch --api all
    "$CALLER" "load:$LIBRARY" sum:2500 verify:1 >"$T/out.caller" &
    pid=$!
    wait_for 10 has_ended_or_runs "$pid"
    bpf_held "$TRACER" >"$T/held"
    grep -q prog "$T/held"
    kill -KILL "$TRACER"
    wait "$TRACER" || :
    TRACER=
    wait "$pid"
    grep -qx 'sum right' "$T/out.caller"
    wait_for 30 bpf_gone "$T/held"
    let_go
}

has_ended_or_runs()
{
    has_ended "$1" || [ "$(awk '{ print $14 }' "/proc/$1/stat")" -gt 3 ]
}

@test "with 50 copies it ends as it is told to, and leaves nothing" {
    local i loads=()

    needs bpftool
    for i in $(seq 50); do
        mkdir "$T/$i"
        cp "$LIBRARY" "$T/$i/"
        loads+=("load:$T/$i/libssl.so.3" "verify:$i")
    done
    hold -- "${loads[@]}" wait "${loads[@]}"
    tracer_start monitor --pid "$HOLDER"
    bpf_held "$TRACER" >"$T/held"
    let_go
    wait_for 20 has_results 50
    tracer_stop INT
    must_be 130
    # By its watchdog it would have been late.
    coverage_has .final
    # Each in its own file, once.
    [ "$(jq -r "select($CALLS and .result) | \"\(.result) \(.library)\"" "$STREAM" | sort -n)" = \
        "$(for i in $(seq 50); do echo "$i $T/$i/libssl.so.3"; done)" ]
    wait_for 30 bpf_gone "$T/held"
}

# has_results N: so many calls with results are in the stream.
has_results()
{
    [ "$(grep -c '"result":' "$STREAM")" -ge "$1" ]
}

@test "an output that is closed early ends it, and leaves nothing" {
    needs bpftool
    hold -- "load:$LIBRARY" wait
    # shellcheck disable=SC2153 # helpers.bash has it
    "$TOOL" monitor --name caller --format json-lines 2>"$ERR" </dev/null 3>&- \
        > >(head -n 3 >"$OUT" 3>&-) &
    TRACER=$!
    wait_for 20 grep -q 'monitoring started' "$ERR"
    bpf_held "$TRACER" >"$T/held"
    grep -q link "$T/held"
    for _ in 1 2 3 4 5 6 7 8; do
        "$CALLER" "load:$LIBRARY" list:A verify:1 >"$T/out.caller"
    done
    wait_for 30 has_ended "$TRACER"
    wait_for 5 has_lines "$OUT" 3
    wait_for 30 bpf_gone "$T/held"
}

@test "the calls of the tool and its broker are not told" {
    local tool broker

    needs openssl
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key.pem" -out "$T/cert.pem" -subj /CN=x \
        2>/dev/null
    tracer_start monitor --api
    tool=$TRACER
    broker=$(pgrep -P "$tool")
    [ -n "$broker" ]
    # It looks into certificates with a library that has probes.
    cat "$T/cert.pem" "$T/key.pem" >"$T/copy"
    openssl x509 -in "$T/cert.pem" -noout -fingerprint -sha256 >"$T/print"
    wait_for 20 grep -q '/cert.pem"' "$STREAM"
    tracer_stop
    must_have "$CALLS and .process == \"openssl\""
    must_count 0 "$CALLS and (.pid == $tool or .pid == $broker)"
}

@test "without rights: said, and nothing is run" {
    needs setpriv
    cp "$TOOL" "$T/tool"
    chmod 755 "$T/tool"
    status=0
    setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps -all "$T/tool" monitor --api all \
        -- touch "$T/ran" >"$OUT" 2>"$ERR" 3>&- || status=$?
    must_be 3
    must_be_error
    [ ! -e "$T/ran" ]
}

@test "a kernel without links for many probes tells the same" {
    local pid

    hold -- "load:$LIBRARY" wait list:A verify:-7 file:/a
    LD_PRELOAD=$BATS_FILE_TMPDIR/older.so tracer_start monitor --pid "$HOLDER"
    grep -q older.so "/proc/$TRACER/maps" || skip "nothing can be preloaded: the tool is static"
    # Instead of two.
    [ "$(bpf_held "$TRACER" | grep -c link)" -gt 6 ]
    pid=$HOLDER
    let_go
    tracer_stop
    grep -q 'WARN: api_call: attached one by one' "$ERR"
    coverage_has '.sources[] | select(.name == "api_call") | .attached and
        .reason == "attached one by one, as the kernel refused uprobe_multi"'
    if coverage_has '.not_seen | any(.what == "calls in a library")' >/dev/null; then
        skip "uprobes take CAP_SYS_ADMIN here, Linux commit ba677dbe77af"
    fi
    [ "$(calls_of "$pid" .function_name)" = \
        'SSL_CTX_set_cipher_list X509_verify_cert SSL_CTX_load_verify_locations' ]
    must_count 1 "$CALLS and .result == -7"
}
