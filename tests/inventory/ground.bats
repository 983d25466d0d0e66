#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# An inventory against the truth: /proc as awk, find and readlink read it says which of the processes
# that the test has started map a crypto library or have a crypto file open, and exactly these are
# told, with exactly these libraries and files. By iterators and from /proc alike.

# shellcheck disable=SC2030,SC2031,SC2034 # each test is a subshell; variables are for helpers.bash

load ../cmd/helpers

# The names that crypto libraries have; of what the processes below map, all others are none.
LIBRARIES='lib(ssl|crypto|gnutls|nettle|hogweed|gcrypt|p11-kit|crypt|ssh2|(gssapi_)?krb5(support)?|k5crypto)[.]so[.0-9]*'
FILES='(\.(pem|key|crt)|/id_rsa)( \(deleted\))?$'
NR_IDLE=200

setup_file()
{
    check_environment
    file_needs jq openssl setpriv unshare || return 0
    D=$BATS_FILE_TMPDIR
    make_files
    hold_users
    hold_decoys
    hold_programs
    for _ in $(seq "$NR_IDLE"); do
        start idle sleep 1000 >/dev/null
    done
    wait_for 20 are_ready || { cat "$D"/*.err; return 1; }
    sort -n "$D/users" "$D/programs" >"$D/expected"
    jq -n '[inputs]' "$D/users" "$D/programs" "$D/decoys" "$D/idle" >"$D/started.json"
    "$TOOL" snapshot --no-redact --output "$D/bpf.json" 2>"$D/bpf.err"
    from_proc snapshot --no-redact --output "$D/proc.json" 2>"$D/proc.err"
}

teardown_file()
{
    local pid

    [ -e "$BATS_FILE_TMPDIR/users" ] || return 0
    while read -r pid; do
        kill -KILL "$pid" 2>/dev/null || :
    done < <(cat "$BATS_FILE_TMPDIR"/{users,programs,decoys,idle})
}

make_files()
{
    local name

    for name in server ca leaf; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
            -keyout "$D/$name.key" -out "$D/$name.crt" -days 100 2>/dev/null
        cat "$D/$name.crt" "$D/$name.key" >"$D/$name.pem"
    done
    chmod 600 "$D"/*.pem
    cp "$D/server.key" "$D/id_rsa"
    mkdir "$D/x.pem" "$D/maps"
    mkfifo "$D/fifo.pem" "$D/stdin"
    library libcrypto.so.3 >"$D/maps/source"
    for name in 'my libssl notes.txt' libsslclient.so libcrypto.so.3.bak mylibcrypto.so notes; do
        cp "$(cat "$D/maps/source")" "$D/maps/$name"
    done
    cp "$D/server.key" "$D/server.key.old"
    cp "$D/server.pem" "$D/server.pem.txt"
}

# The file of a library as the dynamic linker finds it.
library()
{
    ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }'
}

# start LIST COMMAND...: COMMAND beside the tests, no child of theirs; its pid goes to LIST.
start()
{
    local list=$1

    shift
    ("$@" <>"$D/stdin" 2>>"$D/$list.err" 3>&- & echo "$!" >>"$D/$list")
}

# hold LIST LIBRARIES [VERB PATH]...: a process with LIBRARIES preloaded; its pid goes to LIST.
hold()
{
    local list=$1 preload=$2

    shift 2
    NR_HELD=$((${NR_HELD:-0} + 1))
    start "$list" env LD_PRELOAD="$preload" "$PROGRAMS/hold" "$@" >"$D/ready.$NR_HELD"
}

# 32 processes that are to be found, for one reason, two or many.
hold_users()
{
    local preload name

    for preload in libssl.so.3 libcrypto.so.3 libgnutls.so.30 libgcrypt.so.20 libnettle.so.8 \
        libhogweed.so.6 libssl.so.3:libgnutls.so.30 libgcrypt.so.20:libssl.so.3 libcrypt.so.1; do
        hold users "$preload"
        hold users "$preload" open "$D/server.crt"
    done
    for name in server.pem server.key ca.crt leaf.pem id_rsa; do
        hold users '' open "$D/$name"
        hold users '' write "$D/$name" open "$D/$name" open "$D/server.key.old"
    done
    for name in gone.pem gone.key gone.crt; do
        cp "$D/server.pem" "$D/$name"
        hold users '' open "$D/$name" unlink "$D/$name"
    done
    cp "$D/server.pem" "$D/again.pem"
    hold users libssl.so.3 open "$D/again.pem" open "$D/x.pem" open "$D/fifo.pem"
}

hold_decoys()
{
    local name

    for name in 'my libssl notes.txt' libcrypto.so.3.bak notes; do
        hold decoys '' map "$D/maps/$name" open "$D/maps/$name"
    done
    hold decoys "$D/maps/libsslclient.so"
    hold decoys "$D/maps/mylibcrypto.so"
    hold decoys '' open "$(cat "$D/maps/source")"
    hold decoys '' open "$D/x.pem"
    hold decoys '' open "$D/fifo.pem" write "$D/fifo.pem"
    hold decoys '' socket "$D/key.pem"
    hold decoys '' open "$D/server.key.old" open "$D/server.pem.txt"
}

# Programs of the distribution, waiting for their standard input.
hold_programs()
{
    start programs openssl dgst -sha256 >/dev/null
    ! command -v curl >/dev/null || start programs curl -s -K - >/dev/null
    ! command -v certtool >/dev/null || start programs certtool -i >/dev/null
}

are_ready()
{
    local file pid

    for file in "$D"/ready.*; do
        [ -s "$file" ] || return 1
    done
    while read -r pid; do
        grep -q 'pipe_read' "/proc/$pid/wchan" || return 1
    done <"$D/programs"
}

# from_proc ARG...: the tool without the right to use bpf(2).
from_proc()
{
    setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-all "$TOOL" "$@"
}

# truth LIST: a line for each library and file of each process in LIST.
truth()
{
    local pid

    while read -r pid; do
        awk -v pid="$pid" -v names="^$LIBRARIES\$" '
            $2 ~ /x/ && $6 ~ /^\// {
                name = $6
                sub(/.*\//, "", name)
                if (name ~ names)
                    print pid, "library", name "\n" pid, "path", $6
            }' "/proc/$pid/maps"
        find "/proc/$pid/fd" -mindepth 1 -xtype f -printf "$pid file %l\n" | grep -E "$FILES" |
            sed -E 's/^([0-9]+) file (.*) \(deleted\)$/\1 file \2\n\1 deleted \2/'
    done <"$1" | LC_ALL=C sort -u
}

# told DOCUMENT: the same of what the tool says about the processes that the test has started.
told()
{
    jq -r --slurpfile started "$D/started.json" '
        ($started[0] | map({key: tostring, value: true}) | from_entries) as $started |
        .processes[] | select($started[.pid | tostring]) | .pid as $pid |
        (.libraries[] | "\($pid) library \(.)"), (.library_paths[] | "\($pid) path \(.)"),
        (.open_crypto_files[] | "\($pid) file \(.)"), (.deleted_files[] | "\($pid) deleted \(.)")' \
        "$1" | LC_ALL=C sort
}

setup()
{
    common_setup
    D=$BATS_FILE_TMPDIR
}

@test "the stage is what it is meant to be" {
    [ -z "$(cat "$D"/{users,decoys,idle}.err)" ]
    [ "$(wc -l <"$D/expected")" -ge 30 ]
    truth "$D/expected" >"$T/truth"
    # Every one of them has something, no decoy and no idle one has.
    diff <(cut -d ' ' -f 1 "$T/truth" | sort -nu) "$D/expected"
    [ -z "$(truth "$D/decoys")" ]
    [ "$(wc -l <"$D/idle")" -eq "$NR_IDLE" ]
}

@test "exactly the processes that use cryptography are listed" {
    local name

    for name in bpf proc; do
        jq --slurpfile started "$D/started.json" '.processes[].pid | select(IN($started[0][]))' \
            "$D/$name.json" >"$T/$name"
        diff "$D/expected" "$T/$name"
    done
}

@test "their libraries and files are exactly those of /proc" {
    local name

    truth "$D/expected" >"$T/truth"
    [ "$(wc -l <"$T/truth")" -ge 80 ]
    for name in bpf proc; do
        told "$D/$name.json" >"$T/told"
        diff "$T/truth" "$T/told"
    done
}

@test "pid, parent, name, program, user and start are those of /proc" {
    local pid stat

    jq -r '.processes[] | "\(.pid) \(.ppid) \(.name) \(.exe) \(.running_as)"' "$D/bpf.json" |
        grep -Ff <(sed 's/.*/& /' "$D/expected") | sort -n >"$T/told"
    while read -r pid; do
        echo "$pid $(awk '/^PPid/ { print $2 }' "/proc/$pid/status") $(cat "/proc/$pid/comm")" \
            "$(readlink "/proc/$pid/exe") $(stat -c %U "/proc/$pid")"
    done <"$D/expected" >"$T/truth"
    diff "$T/truth" <(grep -wFf "$D/expected" "$T/told" | awk 'NR == FNR { is[$1]; next } $1 in is' \
        "$D/expected" -)
    # To 10 ms, and some for the clock that ps does not have.
    for pid in $(head -n 3 "$D/expected"); do
        stat=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)
        jq -e --argjson pid "$pid" --argjson ticks "$stat" --argjson hz "$(getconf CLK_TCK)" \
            --argjson boot "$(awk '/^btime/ { print $2 }' /proc/stat)" '
            .processes[] | select(.pid == $pid).start_time |
            (.[0:19] + "Z" | fromdate) + (.[19:26] | tonumber) - $boot - $ticks / $hz |
            -0.1 < . and . < 1.1' "$D/bpf.json"
    done
}

@test "from the kernel and from /proc: the same document" {
    local name

    [ "$(jq -r .coverage.method "$D/bpf.json")" = bpf ]
    [ "$(jq -r .coverage.reason "$D/bpf.json")" = null ]
    [ "$(jq -r .coverage.method "$D/proc.json")" = proc ]
    [ "$(jq -r .coverage.reason "$D/proc.json")" = "no permission for bpf(2)" ]
    for name in bpf proc; do
        # Of what others have the two are of different moments.
        jq -S --slurpfile started "$D/started.json" '
            def ours: any(.processes[]; .pid | IN($started[0][]));
            def less: map(select(ours) | .processes |= map(select(.pid | IN($started[0][]))));
            .processes |= map(select(.pid | IN($started[0][]))) |
            .certificates |= less | .keys |= less | .findings |= less |
            # They were made for whole days: a second later there is one day less.
            del(.certificates[].days_left)
            ' "$D/$name.json" >"$T/ours.$name"
        jq -S '{schema_version, snapshot_version, tool, hostname, kernel, processes,
                certificates, keys, findings}' "$T/ours.$name" >"$T/$name"
        [ "$(jq '.certificates | length' "$T/$name")" -ge 5 ]
    done
    diff "$T/bpf" "$T/proc"
    diff <(members "$T/ours.bpf") <(members "$T/ours.proc")
}

# members DOCUMENT: the names that it has.
members()
{
    jq -r 'paths | map(strings) | join(".")' "$1" | grep -vE 'not_seen|container|coverage.files|^$' |
        sort -u
}

@test "libs from the kernel and from /proc: the same libraries" {
    local name

    "$TOOL" libs --no-redact >"$T/bpf.json" 2>"$ERR"
    from_proc libs --no-redact >"$T/proc.json" 2>"$ERR"
    for name in bpf proc; do
        jq -S --slurpfile started "$D/started.json" '.libraries |
            map(.processes |= map(select(.pid | IN($started[0][]))) | select(.processes != []))' \
            "$T/$name.json" >"$T/$name"
    done
    diff "$T/bpf" "$T/proc"
    diff <(truth "$D/expected" | awk '$2 == "path" { print $3, $1 }' | sort) \
        <(jq -r '.[] | "\(.path) \(.processes[].pid)"' "$T/bpf" | sort)
}

# Whether as many are counted as /proc has. Some come and go, grep among them.
is_counted()
{
    local before after told

    before=$(grep -l '^VmSize' /proc/[0-9]*/status 2>/dev/null | wc -l)
    told=$("$TOOL" snapshot --no-inspect 2>"$ERR" | jq .coverage.processes_examined)
    after=$(grep -l '^VmSize' /proc/[0-9]*/status 2>/dev/null | wc -l)
    [ "$told" -ge $((NR_IDLE + 40)) ] && [ "$told" -ge $((before - 4)) ] && [ "$told" -le $((after + 4)) ]
}

@test "every process is counted, also those that are not listed" {
    wait_for 10 is_counted
}

# A script for the first process of a pid namespace: three processes that hold what the test knows,
# whose pids it prints, then the tool with the arguments given.
in_namespace()
{
    cat >"$T/init" <<'EOF'
hold()
{
    LD_PRELOAD=$1 "$PROGRAMS/hold" "${@:2}" >"$T/ready.$NR" 2>/dev/null 3>&- &
    pids="$pids $!"
    NR=$((NR + 1))
}
NR=1
hold libssl.so.3 open "$D/server.crt" open "$D/server.pem"
hold libssl.so.3 open "$D/server.crt"
hold libgcrypt.so.20
until [ -s "$T/ready.1" ] && [ -s "$T/ready.2" ] && [ -s "$T/ready.3" ]; do sleep 0.01; done
echo "$pids" >"$T/pids"
truth <(printf '%s\n' $pids) >"$T/truth"
"$@"
status=$?
kill -KILL $pids
exit "$status"
EOF
    {
        declare -p D T LIBRARIES FILES PROGRAMS
        declare -f truth
        cat "$T/init"
    } >"$T/script"
    rm -f "$T"/ready.?
    timeout 60 unshare -pf --kill-child --mount-proc bash "$T/script" "$@" </dev/null 2>"$ERR" 3>&-
}

@test "summary: unique and total counts" {
    in_namespace setpriv --bounding-set=-bpf,-perfmon,-sys_admin --inh-caps=-all \
        "$TOOL" snapshot --no-redact >"$OUT"
    diff "$T/truth" <(D=$T; jq -n '[inputs]' <(tr ' ' '\n' <"$T/pids" | grep .) >"$T/started.json"
        told "$OUT")
    diff - <(jq -r '.summary | to_entries[] | "\(.key) \(.value)"' "$OUT") <<EOF
total_processes 3
total_libraries $(grep -c ' path ' "$T/truth")
unique_libraries $(awk '$2 == "path" { print $3 }' "$T/truth" | sort -u | wc -l)
total_files $(grep -c ' file ' "$T/truth")
unique_files $(awk '$2 == "file" { print $3 }' "$T/truth" | sort -u | wc -l)
certificates $(cat "$D/server.crt" "$D/server.pem" | grep -c 'BEGIN CERT')
keys $(cat "$D/server.crt" "$D/server.pem" | grep -c 'BEGIN PRIVATE')
findings 0
connections 0
EOF
    jq -e '.summary.certificates == (.certificates | length) and
           .summary.keys == (.keys | length)' "$OUT"
}

@test "in a pid namespace: its pids, and what the files contain" {
    in_namespace "$TOOL" snapshot --no-redact >"$OUT"
    jq -n '[inputs]' <(tr ' ' '\n' <"$T/pids" | grep .) >"$T/started.json"
    # Nothing but these, the tool itself neither.
    diff <(tr ' ' '\n' <"$T/pids" | grep .) <(jq '.processes[].pid' "$OUT")
    diff "$T/truth" <(D=$T; told "$OUT")
    [ "$(jq '.certificates | length' "$OUT")" -eq 2 ]
    [ "$(jq '.coverage.files_not_examined' "$OUT")" -eq 0 ]
}
